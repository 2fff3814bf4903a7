/* SPDX-License-Identifier: MIT
 *
 * A suite: what a TOML file asks for, resolved to the last default, and the ordered list of cells
 * that follows from it.
 *
 *   suite.toml --tb_suite_load--> tb_suite --tb_suite_to_json--> suite.resolved.json
 * --tb_suite_from_json--> tb_suite
 *
 * Layers of an option, weakest first: its default; [suite] (run options); [defaults] (learner and
 * algorithm options);
 * [[algorithm]]; [[env]] (run options) and [env.override] (learner and algorithm options, every
 * algorithm); [env.override.<algorithm name>]; --set key=value.
 */
#ifndef HARNESS_SUITE_SUITE_H
#define HARNESS_SUITE_SUITE_H

#include <jansson.h>

#include "harness/plugin/catalog.h"
#include "trpo/config.h"
#include "trpo/update/algorithm.h"

#define TB_SCHEMA_VERSION                                                                          \
    1 /* of suite.resolved.json, run.json and every hash; bump on any change of meaning */

typedef struct tb_suite_env {
    char *id;       /* "classic/CartPole-v1" */
    char *label;    /* id, or id@name when the suite gives a name: unique in the suite */
    json_t *params; /* object: the TOML table `params`, completed with the defaults of the
                       plugin's schema; as given when it has none */
    int64_t max_episode_steps; /* resolved: the suite's, else the plugin's; 0 = none */
    tb_run_config run;         /* resolved run options of this environment */
} tb_suite_env;

typedef struct tb_suite_policy {
    char *id; /* "mlp" */
    char *label;
    json_t *params;        /* as tb_suite_env.params */
    char *critic_id;       /* architecture of the critic; default: the same */
    json_t *critic_params; /* complete too; default: the same, if the architecture is */
} tb_suite_policy;

typedef struct tb_suite_algorithm {
    const tb_algorithm *algorithm;
    char *label; /* id, or id@name */
    char *name;  /* the suite's `name`, else the id: what [env.override.<name>] refers to */
} tb_suite_algorithm;

/* One (environment, algorithm) pair's resolved learner and algorithm options. */
typedef struct tb_suite_setting {
    tb_learner_config learner;
    void *algorithm_config; /* algorithm->config_size bytes */
} tb_suite_setting;

typedef struct tb_suite {
    char *name;        /* [a-z0-9_-]+ */
    char *description; /* may be "" */
    char *source_path; /* of the TOML file, as given; NULL when read from JSON */
    char *source_text; /* the TOML verbatim; NULL when read from JSON */
    char **plugins;    /* extra plugin files or folders, resolved against the suite file's folder */
    size_t n_plugins;
    json_t *published; /* results of others, for the report (published.c); NULL = none. No part of
                          the hash, and of results folders in a file of its own */
    int64_t *seeds;    /* >= 0, ascending, distinct */
    size_t n_seeds;
    tb_suite_env *envs;
    size_t n_envs;
    tb_suite_policy *policies;
    size_t n_policies;
    tb_suite_algorithm *algorithms;
    size_t n_algorithms;
    tb_suite_setting *settings; /* [n_envs][n_algorithms] */
    char hash[65]; /* SHA-256 hex of the canonical JSON without seeds, plugins' paths, description
                      and source; the order of envs, policies and algorithms does not count */
} tb_suite;

/* One run to do: indices into the suite. */
typedef struct tb_cell {
    size_t env, policy, algorithm;
    int64_t seed;
    char id[17]; /* first 16 hex digits of the SHA-256 of its own resolved configuration, seed and
                    schema version */
    char *path;  /* "runs/classic__CartPole-v1/mlp/trpo/s0003", relative to the results folder */
    char *label; /* "classic/CartPole-v1 mlp trpo s3": what --filter matches and progress shows */
} tb_cell;

typedef struct tb_plan {
    tb_cell *cells; /* seeds interleaved: seed 0 of every cell, then seed 1, ... */
    size_t n_cells;
} tb_plan;

/* What the command line may change. Zeroed = nothing. */
typedef struct tb_suite_overrides {
    const char *seeds;      /* "10" (a count), "0-9", "0,3,5-7"; NULL = the suite's */
    const char *const *set; /* "max_kl=0.02", "steps=1000": run, learner and algorithm options */
    size_t n_set;
} tb_suite_overrides;

/* Plugin paths that the suite names, resolved and allocated, before everything else is looked at:
 * the catalog needs them. Only the TOML syntax and these keys are checked; a path where nothing is
 * is TB_E_PARAM. Free with tb_suite_free_paths. */
tb_status tb_suite_plugin_paths(const char *path, char ***paths, size_t *n, tb_error *error);
void tb_suite_free_paths(char **paths, size_t n);

/* Reads and checks a suite against the catalog: unknown keys, wrong types, out-of-range values,
 * unknown plugins, algorithms or parameters are TB_E_PARAM, `file:line:column: what; nearest valid`
 * (for --set: `--set key=value: what`). TB_E_IO when the file cannot be read. On success *out must
 * be freed, on failure it is NULL. `overrides` may be NULL. */
tb_status tb_suite_load(const char *path, const tb_catalog *catalog,
                        const tb_suite_overrides *overrides, tb_suite **out, tb_error *error);

/* New reference to the resolved suite as JSON (sorted keys, every option spelled out,
 * schema_version, hash). */
json_t *tb_suite_to_json(const tb_suite *suite);
/* The way back, without a catalog. TB_E_CORRUPT for another schema_version, for anything that
 * tb_suite_to_json does not write, and when the content does not have its hash. */
tb_status tb_suite_from_json(const json_t *json, tb_suite **out, tb_error *error);
void tb_suite_free(tb_suite *suite); /* takes NULL */

/* Cells in running order. `filter`: POSIX extended regular expression on the cell's label, NULL =
 * all; one that matches no cell is TB_E_PARAM. On failure *out is empty. */
tb_status tb_plan_make(const tb_suite *suite, const char *filter, tb_plan *out, tb_error *error);
void tb_plan_free(tb_plan *plan);

/* The resolved configuration of one cell, without the seed: what its id hashes, what run.json
 * records. New reference. */
json_t *tb_cell_config_json(const tb_suite *suite, const tb_cell *cell);

#endif
