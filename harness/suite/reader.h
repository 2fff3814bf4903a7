/* SPDX-License-Identifier: MIT
 *
 * Inside of the suite reader, shared by the files of this folder only.
 *
 *   load.c      the order of everything
 *   scope.c     which keys a section knows, and what to say about the others
 *   sections.c  [suite], [[env]], [[policy]], [[algorithm]]
 *   params.c    parameter tables of plugins
 *   settings.c  layers of options, and what must hold between them
 *   seeds.c     seeds of the suite and of --seeds
 *   theory.c    the other kind of suite (theory.h), from the same parts
 */
#ifndef HARNESS_SUITE_READER_H
#define HARNESS_SUITE_READER_H

#include "harness/suite/suite.h"
#include "harness/suite/toml.h"

enum {
    TB__MAX_TABLES = 32,     /* option tables that one section can know */
    TB__MAX_NAME = 64,       /* characters of a suite's or variant's name: it is a folder's name */
    TB__MAX_SEEDS = 1000000, /* of one suite */
};

/* One suite being read. */
typedef struct tb__reader {
    const tb_toml *root;
    const tb_catalog *catalog;
    tb_suite *suite;  /* filled from section to section */
    tb_toml **sets;   /* --set options: tables of one key each, of line 0 */
    char **set_texts; /* "--set key=value": their `source` */
    size_t n_sets;
    void *scratch; /* room for any option table's struct */
    tb_error *error;
} tb__reader;

/* What one table of the file may hold. */
typedef struct tb__scope {
    char title[160];         /* "[[algorithm]] trpo", for messages */
    const char *const *keys; /* keys that are no options, NULL-terminated; may be NULL */
    const tb_option *tables[TB__MAX_TABLES];
    size_t n_tables;
    int whole_suite;                     /* holds for every algorithm of the suite */
    const tb_suite_algorithm *subtables; /* sub-tables by algorithm name; may be NULL */
    size_t n_subtables;
} tb__scope;

/* ---- load.c ---- */

/* Parses every --set into reader->sets, and checks it against what `scope` knows; the scope may
 * have no keys that are no options. */
tb_status tb__read_sets(tb__reader *reader, const tb_suite_overrides *overrides,
                        const tb__scope *scope);
/* Frees sets and scratch. */
void tb__reader_finish(tb__reader *reader);

/* ---- scope.c ---- */

extern const char *const tb__keys_root[],
    *const tb__keys_suite[], *const tb__keys_env[], *const tb__keys_policy[],
                                                        *const tb__keys_critic[],
                                                            *const tb__keys_algorithm[];

void tb__scope_init(tb__scope *scope, const char *title, const char *const *keys);
/* Adds an option table unless it is there. */
void tb__scope_add(tb__scope *scope, const tb_option *table);
/* Adds the learner options and the own options of every algorithm of the suite. */
void tb__scope_add_suite(tb__scope *scope, const tb_suite *suite);
/* Every key known, every option's value of the right type and range. */
tb_status tb__scope_check(tb__reader *reader, const tb_toml *table, const tb__scope *scope);
/* Stores a checked or unchecked value. */
tb_status tb__option_apply(const tb_toml *value, const tb_option *option, void *base,
                           tb_error *error);

/* ---- sections.c ---- */

/* Entry i of the array of tables `name`, or NULL. */
const tb_toml *tb__entry(const tb__reader *reader, const char *name, size_t i);
/* The string `key` of `table`: NULL when absent and `missing` is NULL; else an error that says
 * `missing`. Borrowed from the tree. */
tb_status tb__string(tb__reader *reader, const tb_toml *table, const char *key, const char *missing,
                     const char **out);
/* Likewise for a name that becomes part of a path. */
tb_status tb__read_name(tb__reader *reader, const tb_toml *table, const char *key,
                        const char *missing, const char **out);
/* id, or id@name; a copy. */
tb_status tb__read_label(tb__reader *reader, const tb_toml *entry, const char *id, char **out);
/* How many [[name]] there are: at least one, each a table. */
tb_status tb__count_entries(tb__reader *reader, const char *name, size_t *n);
/* Entry i of a section has `label`; `other` is the label of entry `before`. */
tb_status tb__check_distinct(tb__reader *reader, const char *section, size_t i, const char *label,
                             size_t before, const char *other);
/* The plugin that the string `id` of `table` names. */
tb_status tb__require_plugin(tb__reader *reader, const tb_toml *table, tb_catalog_kind kind,
                             const char *missing, const tb_catalog_entry **out);
tb_status tb__read_suite(tb__reader *reader);
tb_status tb__read_envs(tb__reader *reader);
tb_status tb__read_policies(tb__reader *reader);
tb_status tb__read_algorithms(tb__reader *reader);

/* ---- params.c ---- */

/* The table `key` of `owner` (absent = empty), checked against the plugin's schema and completed
 * with the schema's defaults; a new reference. */
tb_status tb__read_params(tb__reader *reader, const tb_toml *owner, const char *key,
                          const tb_catalog_entry *entry, json_t **out);

/* ---- settings.c ---- */

tb_status tb__resolve(tb__reader *reader); /* run options and settings of everything */
tb_status tb__check_grid(tb__reader *reader);

/* Stores what `layer` (may be NULL) says about the options of `table`; everything else is another
 * table's. */
tb_status tb__apply_layer(const tb_toml *layer, const tb_option *table, void *base,
                          tb_error *error);

/* ---- seeds.c ---- */

tb_status tb__seeds_from_toml(tb__reader *reader, const tb_toml *value);
tb_status tb__seeds_from_text(tb_suite *suite, const char *text, tb_error *error);

/* ---- plugin_paths.c ---- */

/* The array `plugins` of [suite] as paths; see tb_suite_plugin_paths. */
tb_status tb__plugin_paths(const tb_toml *root, const char *suite_path, char ***paths, size_t *n,
                           tb_error *error);
/* `given` as seen from the folder of the suite file; free(). NULL when out of memory. */
char *tb__suite_path(const char *suite_path, const char *given);
/* The file's bytes, NUL-terminated; free(). TB_E_IO, TB_E_NOMEM. */
tb_status tb__read_file(const char *path, char **text, size_t *length, tb_error *error);

/* ---- published.c ---- */

/* Fills suite->published from what the [suite] table names, if it does. */
tb_status tb__read_published(tb__reader *reader, const tb_toml *table);

/* ---- json.c ---- */

/* SHA-256 of the canonical form (sorted keys, no spaces, 17 digits) as 64 hexadecimal digits. */
tb_status tb__json_hash(const json_t *json, char out[65]);
/* Fills suite->hash. */
tb_status tb__suite_hash(tb_suite *suite, tb_error *error);

/* ---- plan.c ---- */

/* A label as the name of a folder: "/" becomes "__". free(); NULL when out of memory. */
char *tb__path_name(const char *label);

/* strdup that reports. */
tb_status tb__copy(const char *text, char **out, tb_error *error);
tb_status tb__no_memory(tb_error *error);

#endif
