/* SPDX-License-Identifier: MIT
 *
 * What plugins there are. The catalog is made by a child process for each plugin file (`trpo-bench
 * scan-plugin FILE`, JSON on standard output), so that a plugin which crashes, hangs or prints
 * while it is being loaded costs nothing but a line in the list of refusals. The parent never loads
 * a plugin.
 */
#ifndef HARNESS_PLUGIN_CATALOG_H
#define HARNESS_PLUGIN_CATALOG_H

#include <jansson.h>
#include <trpo-bench/env.h>
#include <trpo-bench/policy.h>

#include "trpo/base/base.h"

typedef struct tb_catalog_param {             /* one key of params-schema/1; see tb_param_info */
    char *key, *doc, *default_text, *choices; /* choices may be NULL */
    uint32_t type;                            /* TB_PARAM_* */
    double low, high;
} tb_catalog_param;

typedef enum tb_catalog_kind { TB_CATALOG_ENV, TB_CATALOG_POLICY } tb_catalog_kind;

typedef struct tb_catalog_entry {
    tb_catalog_kind kind;
    char *id, *summary;
    char *path;      /* of the plugin file */
    char sha256[65]; /* of the plugin file */
    char *build;     /* tb_entry.build */
    uint32_t abi_major, abi_minor;
    int has_schema; /* without one, unknown keys are found only when the plugin is created */
    tb_catalog_param *params;
    size_t n_params;
    /* environments */
    char *reference; /* may be NULL */
    uint32_t flags;
    uint64_t max_episode_steps;
    double reward_threshold, return_random, return_ref; /* NaN = none */
    /* policies */
    uint32_t dtypes;
} tb_catalog_entry;

typedef struct tb_catalog {
    tb_catalog_entry *entries; /* sorted by kind, then id */
    size_t n_entries;
    char **refusals; /* one message a refused file: path, found, needed */
    size_t n_refusals;
} tb_catalog;

/* Where plugins are looked for, in this order: `paths` (the suite's plugins = [...] and
 * --plugin-dir; each a file or a folder), TRPO_BENCH_PLUGIN_PATH (colon-separated), the built-in
 * folder. Folders are scanned for *.so in sorted order. The same id in two files is an error that
 * names both (the same file reached twice is not). A file named explicitly that is refused is an
 * error; one found by scanning a folder is listed in `refusals`. */
tb_status tb_catalog_make(const char *const *paths, size_t n_paths, tb_catalog **out,
                          tb_error *error);
void tb_catalog_free(tb_catalog *catalog); /* takes NULL */

/* The entry of this kind and id, or NULL. */
const tb_catalog_entry *tb_catalog_find(const tb_catalog *catalog, tb_catalog_kind kind,
                                        const char *id);

/* The entry, or TB_E_PARAM naming the nearest id and how to list all: `no environment
 * "classic/CartPole"; did you mean "classic/CartPole-v1"? (trpo-bench list envs shows all)`. */
tb_status tb_catalog_require(const tb_catalog *catalog, tb_catalog_kind kind, const char *id,
                             const tb_catalog_entry **out, tb_error *error);

/* Checks an object of parameters against the entry's schema (no check without one): key known,
 * type, range, choice. On failure *bad_key (may be NULL) points to the offending key inside
 * `params`. */
tb_status tb_catalog_check_params(const tb_catalog_entry *entry, const json_t *params,
                                  const char **bad_key, tb_error *error);

#endif
