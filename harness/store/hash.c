/* SPDX-License-Identifier: MIT */
#include "harness/store/hash.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

typedef crypto_hash_sha256_state sha;

static void begin(sha *state, const char *title)
{
    crypto_hash_sha256_init(state);
    crypto_hash_sha256_update(state, (const unsigned char *)title, strlen(title));
}

static void add_u64(sha *state, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    crypto_hash_sha256_update(state, bytes, sizeof bytes);
}

static void add_f64(sha *state, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_u64(state, bits);
}

static void add_parameters(sha *state, const double *theta, size_t n)
{
    add_u64(state, n);
    for (size_t i = 0; i < n; i++)
        add_f64(state, theta[i]);
}

static int by_lane_and_index(const void *a, const void *b)
{
    const tb_episode *x = a, *y = b;
    if (x->lane != y->lane)
        return x->lane < y->lane ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

void tb_result_hash(tb_episode *training, size_t n_training, const tb_episode *evals,
                    size_t n_evals, const double *policy, size_t n_policy, const double *critic,
                    size_t n_critic, tb_result_hashes *out)
{
    unsigned char train[crypto_hash_sha256_BYTES], eval[sizeof train], result[sizeof train];
    sha state;
    if (n_training > 0)
        qsort(training, n_training, sizeof *training, by_lane_and_index);
    begin(&state, "trpo-bench train 1");
    for (size_t i = 0; i < n_training; i++) {
        add_u64(&state, training[i].lane);
        add_u64(&state, training[i].index);
        add_f64(&state, training[i].reward_sum);
        add_u64(&state, training[i].length);
    }
    add_parameters(&state, policy, n_policy);
    add_parameters(&state, critic, n_critic);
    crypto_hash_sha256_final(&state, train);

    begin(&state, "trpo-bench eval 1");
    for (size_t i = 0; i < n_evals; i++) {
        add_u64(&state, evals[i].step);
        add_u64(&state, evals[i].index);
        add_f64(&state, evals[i].reward_sum);
        add_u64(&state, evals[i].length);
    }
    crypto_hash_sha256_final(&state, eval);

    begin(&state, "trpo-bench result 1");
    crypto_hash_sha256_update(&state, train, sizeof train);
    crypto_hash_sha256_update(&state, eval, sizeof eval);
    crypto_hash_sha256_final(&state, result);
    sodium_bin2hex(out->train, sizeof out->train, train, sizeof train);
    sodium_bin2hex(out->eval, sizeof out->eval, eval, sizeof eval);
    sodium_bin2hex(out->result, sizeof out->result, result, sizeof result);
}
