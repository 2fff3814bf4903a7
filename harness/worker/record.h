/* SPDX-License-Identifier: MIT
 *
 * run.json: what a complete run was and what came out (docs/results.md). Its presence means that
 * the run is complete.
 */
#ifndef HARNESS_WORKER_RECORD_H
#define HARNESS_WORKER_RECORD_H

#include "harness/store/hash.h"
#include "harness/suite/suite.h"

typedef struct tb_run_record {
    const tb_suite *suite;
    const tb_cell *cell;
    json_t *plugins; /* plugins.json; borrowed, as the next three */
    json_t *effective_env, *effective_policy,
        *effective_critic; /* parameters in force, defaults included */
    uint64_t steps, episodes;
    size_t n_policy, n_critic; /* parameters */
    double final_return_mean;
    double started; /* seconds since 1970 */
    tb_result_hashes hashes;
} tb_run_record;

/* Adds the SHA-256 of the run's files and commits run_folder/run.json: the first to come wins. */
tb_status tb_run_record_commit(const tb_run_record *record, const char *run_folder,
                               tb_error *error);

#endif
