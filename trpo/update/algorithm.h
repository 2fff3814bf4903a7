/* SPDX-License-Identifier: MIT
 *
 * What an algorithm is to the rest of the program: one table. A new algorithm is one new file with
 * such a table and one row in algorithm.c.
 */
#ifndef TRPO_UPDATE_ALGORITHM_H
#define TRPO_UPDATE_ALGORITHM_H

#include "trpo/base/option.h"

struct tb_batch;     /* trpo/sampling/batch.h: what was sampled, with advantages */
struct tb_policy;    /* trpo/update/policy.h: network + head + parameters */
struct tb_iteration; /* trpo/iteration.h: the log record of one iteration */

typedef struct tb_algorithm {
    const char *id;           /* "trpo": the suite's `id`; pattern [a-z0-9][a-z0-9_-]* */
    const char *summary;      /* one sentence with its source */
    size_t config_size;       /* of the struct that `options` describes */
    const tb_option *options; /* keys of its own, beside tb_learner_options */
    /* State that lives from update to update (moments of Adam); may be NULL when state_size is 0.
     * Doubles, zeroed at the start, part of a checkpoint. */
    size_t (*state_count)(size_t n_params);
    /* Tells the policy what the options ask of it (tb_policy_prepare): once, before the first
     * update. */
    tb_status (*prepare)(const void *config, struct tb_policy *policy, tb_error *error);
    /* Changes the policy's parameters once, from one batch; fills the update part of *log. A failed
     * step leaves the old parameters and is logged, not an error; an error ends the run. */
    tb_status (*update)(const void *config, struct tb_policy *policy, const struct tb_batch *batch,
                        double *state, struct tb_iteration *log, tb_error *error);
} tb_algorithm;

/* All algorithms, in the order of help texts; *n gets their number. */
const tb_algorithm *const *tb_algorithms(size_t *n);

/* The algorithm of this id, or NULL. */
const tb_algorithm *tb_algorithm_find(const char *id);

#endif
