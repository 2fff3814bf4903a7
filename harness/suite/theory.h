/* SPDX-License-Identifier: MIT
 *
 * A theory suite: which finite processes and which exact algorithms `trpo-bench theory` looks at.
 * The same TOML as other suites, with [theory] in the place of [suite]:
 *
 *   [theory]                         name, description, seeds, and tb_theory_options
 *   [[env]]                          id, name, params, and tb_theory_env_options
 *   [[algorithm]]                    id, name, and the algorithm's own options
 *   [[estimator]]                    name, and tb_estimator_options(); none is fine
 *
 * An environment with a parameter `seed` is another process for each seed of the suite; for others
 * a seed only draws other policies.
 */
#ifndef HARNESS_SUITE_THEORY_H
#define HARNESS_SUITE_THEORY_H

#include "harness/suite/suite.h"
#include "trpo/theory/algorithm.h"
#include "trpo/theory/estimator.h"

typedef struct tb_theory_config {
    int64_t triples, iterations;
    double tolerance;
    int64_t batches, estimator_seeds;
} tb_theory_config;

typedef struct tb_theory_env_config {
    double gamma;
} tb_theory_env_config;

extern const tb_option tb_theory_options[], tb_theory_env_options[];

typedef struct tb_theory_env {
    char *label;                    /* id, or id@name */
    const tb_catalog_entry *plugin; /* the catalog's */
    json_t *params;                 /* complete, but for `seed` if takes_seed */
    int takes_seed;
    tb_theory_env_config config;
} tb_theory_env;

typedef struct tb_theory_algorithm {
    char *label;
    const tb_exact_algorithm *algorithm;
    void *config;
} tb_theory_algorithm;

typedef struct tb_theory_estimator {
    char *label;
    tb_learner_config config;
} tb_theory_estimator;

typedef struct tb_theory_suite {
    char *name, *description;
    char *text; /* the TOML verbatim */
    tb_theory_config config;
    int64_t *seeds; /* >= 0, ascending, distinct */
    size_t n_seeds;
    tb_theory_env *envs;
    size_t n_envs;
    tb_theory_algorithm *algorithms;
    size_t n_algorithms;
    tb_theory_estimator *estimators;
    size_t n_estimators;
    json_t *resolved; /* everything that the results depend on, seeds too */
    char hash[65];    /* SHA-256 of it */
} tb_theory_suite;

/* Reads and checks, with the messages of tb_suite_load. overrides->set reaches the options of
 * [theory], [[env]], [[algorithm]] and [[estimator]]. `catalog` must outlive the suite. On failure
 * *out is NULL.
 */
tb_status tb_theory_suite_load(const char *path, const tb_catalog *catalog,
                               const tb_suite_overrides *overrides, tb_theory_suite **out,
                               tb_error *error);
void tb_theory_suite_free(tb_theory_suite *suite); /* takes NULL */

#endif
