/* SPDX SPDX-License-Identifier: MIT
 *
 * The hashes that say "the same result": SHA-256 over versioned little-endian records.
 *
 * train_hash: "trpo-bench train 1"; then for each training episode in order of (lane, index): lane
 * u64, index u64, return f64, length u64; then for policy and critic: count u64, parameters f64.
 *
 * eval_hash: "trpo-bench eval 1"; then for each evaluation episode in order: step u64, index u64,
 * return f64, length u64.
 *
 * result_hash: "trpo-bench result 1", train_hash, eval_hash (32 bytes each).
 */
#ifndef HARNESS_STORE_HASH_H
#define HARNESS_STORE_HASH_H

#include "trpo/sampling/actor.h"

typedef struct tb_result_hashes {
    char train[65], eval[65], result[65]; /* hex */
} tb_result_hashes;

/* `training` is sorted in place by (lane, index). */
void tb_result_hash(tb_episode *training, size_t n_training, const tb_episode *evals,
                    size_t n_evals, const double *policy, size_t n_policy, const double *critic,
                    size_t n_critic, tb_result_hashes *out);

#endif
