/* SPDX-License-Identifier: MIT */
#include "harness/suite/theory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/suite/reader.h"

const tb_option tb_theory_options[] = {
    {"triples", TB_OPTION_I64, offsetof(tb_theory_config, triples), 4, 0, 1000000, NULL,
     "Random pairs of policies of each process on which lemma 1 and theorem 1 are tested."},
    {"iterations", TB_OPTION_I64, offsetof(tb_theory_config, iterations), 200, 1, 100000, NULL,
     "Iterations of each algorithm."},
    {"tolerance", TB_OPTION_F64, offsetof(tb_theory_config, tolerance), 1e-10, 0, 1e-3, NULL,
     "What rounding may do: a statement is violated when it misses by more than this times max(1, "
     "|eta|)."},
    {"batches", TB_OPTION_I64, offsetof(tb_theory_config, batches), 1024, 16, 1000000, NULL,
     "Batches that each estimator samples of each process."},
    {"estimator_seeds", TB_OPTION_I64, offsetof(tb_theory_config, estimator_seeds), 1, 1, 1000000,
     NULL, "Estimators are measured on the processes of this many of the seeds, the first ones."},
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

const tb_option tb_theory_env_options[] = {
    {"gamma", TB_OPTION_F64, offsetof(tb_theory_env_config, gamma), 0.9, 0, 0.9999, NULL,
     "Discount factor."},
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

static const char *const keys_root[] = {"theory", "env", "algorithm", "estimator", NULL};
static const char *const keys_theory[] = {"name", "description", "seeds", NULL};
static const char *const keys_env[] = {"id", "name", "params", NULL};
static const char *const keys_algorithm[] = {"id", "name", NULL};
static const char *const keys_estimator[] = {"name", NULL};

/* What the reader's own suite is used for here: the seeds. */
typedef struct theory_reader {
    tb__reader reader;
    tb_theory_suite *suite;
} theory_reader;

static tb_status check_table(tb__reader *reader, const tb_toml *table, const char *title,
                             const char *const *keys, const tb_option *options)
{
    tb__scope scope;
    tb__scope_init(&scope, title, keys);
    if (options != NULL)
        tb__scope_add(&scope, options);
    return tb__scope_check(reader, table, &scope);
}

// defaults, the table, then --set
static tb_status resolve(tb__reader *reader, const tb_toml *table, const tb_option *options,
                         void *base)
{
    tb_options_default(options, base);
    tb_status status = tb__apply_layer(table, options, base, reader->error);
    for (size_t i = 0; i < reader->n_sets && status == TB_OK; i++)
        status = tb__apply_layer(reader->sets[i], options, base, reader->error);
    return status;
}

// ---- sections ----

static tb_status read_theory(theory_reader *r)
{
    tb__reader *reader = &r->reader;
    const tb_toml *table = tb_toml_get(reader->root, "theory");
    if (table == NULL)
        return tb_toml_fail(
            reader->root, reader->error, "this is no theory suite: it has no [theory] table (%s)",
            tb_toml_get(reader->root, "suite") != NULL ? "trpo-bench run takes suites with [suite]"
                                                       : "suites/theory.toml is one");
    if (table->type != TB_TOML_TABLE)
        return tb_toml_fail_key(table, reader->error, "\"theory\" must be a table: write [theory]");
    const char *name, *description;
    tb_status status = check_table(reader, table, "[theory]", keys_theory, tb_theory_options);
    if (status == TB_OK)
        status = tb__read_name(reader, table, "name", "[theory] needs name = \"...\"", &name);
    if (status == TB_OK)
        status = tb__copy(name, &r->suite->name, reader->error);
    if (status == TB_OK)
        status = tb__string(reader, table, "description", NULL, &description);
    if (status == TB_OK)
        status =
            tb__copy(description != NULL ? description : "", &r->suite->description, reader->error);
    const tb_toml *seeds = tb_toml_get(table, "seeds");
    if (status == TB_OK && seeds == NULL)
        status = tb_toml_fail(
            table, reader->error,
            "[theory] needs seeds: a count (seeds = 100) or a list (seeds = [0, 3, 7])");
    return status == TB_OK ? tb__seeds_from_toml(reader, seeds) : status;
}

static int has_seed(const tb_catalog_entry *plugin)
{
    for (size_t i = 0; i < plugin->n_params; i++)
        if (strcmp(plugin->params[i].key, "seed") == 0)
            return 1;
    return 0;
}

static tb_status read_env(tb__reader *reader, const tb_toml *entry, tb_theory_env *out)
{
    tb_status status = check_table(reader, entry, "[[env]]", keys_env, tb_theory_env_options);
    if (status == TB_OK)
        status =
            tb__require_plugin(reader, entry, TB_CATALOG_ENV,
                               "[[env]] needs id = \"...\" (trpo-bench list envs)", &out->plugin);
    if (status == TB_OK)
        status = tb__read_label(reader, entry, out->plugin->id, &out->label);
    if (status == TB_OK)
        status = tb__read_params(reader, entry, "params", out->plugin, &out->params);
    if (status != TB_OK)
        return status;
    const tb_toml *seed = tb_toml_get(tb_toml_get(entry, "params"), "seed");
    out->takes_seed = has_seed(out->plugin) && seed == NULL;
    if (out->takes_seed)
        json_object_del(out->params, "seed");
    return TB_OK;
}

static tb_status read_envs(theory_reader *r)
{
    tb__reader *reader = &r->reader;
    size_t n;
    tb_status status = tb__count_entries(reader, "env", &n);
    if (status != TB_OK)
        return status;
    tb_theory_env *envs = r->suite->envs = tb_alloc(n, sizeof *envs);
    if (envs == NULL)
        return tb__no_memory(reader->error);
    for (size_t i = 0; i < n && status == TB_OK; i++) {
        r->suite->n_envs = i + 1;
        status = read_env(reader, tb__entry(reader, "env", i), &envs[i]);
        for (size_t k = 0; k < i && status == TB_OK; k++)
            status = tb__check_distinct(reader, "env", i, envs[i].label, k, envs[k].label);
    }
    return status;
}

static tb_status unknown_algorithm(tb__reader *reader, const tb_toml *value, const char *id)
{
    size_t n;
    const tb_exact_algorithm *const *all = tb_exact_algorithms(&n);
    const char *ids[64];
    char valid[512] = "";
    for (size_t i = 0; i < n && i < 64; i++) {
        ids[i] = all[i]->id;
        strncat(valid, i > 0 ? ", " : "", sizeof valid - strlen(valid) - 1);
        strncat(valid, ids[i], sizeof valid - strlen(valid) - 1);
    }
    const char *nearest = tb_nearest(id, ids, n < 64 ? n : 64);
    if (nearest != NULL)
        return tb_toml_fail(value, reader->error, "no exact algorithm \"%s\"; did you mean \"%s\"?",
                            id, nearest);
    return tb_toml_fail(value, reader->error, "no exact algorithm \"%s\"; expected one of: %s", id,
                        valid);
}

static tb_status read_algorithm(tb__reader *reader, const tb_toml *entry, tb_theory_algorithm *out)
{
    const char *id;
    tb_status status =
        tb__string(reader, entry, "id", "[[algorithm]] needs id = \"...\" (docs/theory.md)", &id);
    if (status != TB_OK)
        return status;
    out->algorithm = tb_exact_algorithm_find(id);
    if (out->algorithm == NULL)
        return unknown_algorithm(reader, tb_toml_get(entry, "id"), id);
    char title[128];
    snprintf(title, sizeof title, "[[algorithm]] %s", id);
    status = check_table(reader, entry, title, keys_algorithm, out->algorithm->options);
    return status == TB_OK ? tb__read_label(reader, entry, id, &out->label) : status;
}

static tb_status read_algorithms(theory_reader *r)
{
    tb__reader *reader = &r->reader;
    size_t n;
    tb_status status = tb__count_entries(reader, "algorithm", &n);
    if (status != TB_OK)
        return status;
    tb_theory_algorithm *all = r->suite->algorithms = tb_alloc(n, sizeof *all);
    if (all == NULL)
        return tb__no_memory(reader->error);
    for (size_t i = 0; i < n && status == TB_OK; i++) {
        r->suite->n_algorithms = i + 1;
        status = read_algorithm(reader, tb__entry(reader, "algorithm", i), &all[i]);
        for (size_t k = 0; k < i && status == TB_OK; k++)
            status = tb__check_distinct(reader, "algorithm", i, all[i].label, k, all[k].label);
    }
    return status;
}

static tb_status read_estimator(tb__reader *reader, const tb_toml *entry, tb_theory_estimator *out)
{
    const char *name;
    tb_status status =
        check_table(reader, entry, "[[estimator]]", keys_estimator, tb_estimator_options());
    if (status == TB_OK)
        status = tb__read_name(reader, entry, "name", "[[estimator]] needs name = \"...\"", &name);
    return status == TB_OK ? tb__copy(name, &out->label, reader->error) : status;
}

static tb_status read_estimators(theory_reader *r)
{
    tb__reader *reader = &r->reader;
    size_t n;
    if (tb_toml_get(reader->root, "estimator") == NULL)
        return TB_OK;
    tb_status status = tb__count_entries(reader, "estimator", &n);
    if (status != TB_OK)
        return status;
    tb_theory_estimator *all = r->suite->estimators = tb_alloc(n, sizeof *all);
    if (all == NULL)
        return tb__no_memory(reader->error);
    for (size_t i = 0; i < n && status == TB_OK; i++) {
        r->suite->n_estimators = i + 1;
        status = read_estimator(reader, tb__entry(reader, "estimator", i), &all[i]);
        for (size_t k = 0; k < i && status == TB_OK; k++)
            status = tb__check_distinct(reader, "estimator", i, all[i].label, k, all[k].label);
    }
    return status;
}

static tb_status read_sets(theory_reader *r, const tb_suite_overrides *overrides)
{
    tb__scope scope;
    tb__scope_init(&scope, "--set", NULL);
    tb__scope_add(&scope, tb_theory_options);
    tb__scope_add(&scope, tb_theory_env_options);
    for (size_t i = 0; i < r->suite->n_algorithms; i++)
        tb__scope_add(&scope, r->suite->algorithms[i].algorithm->options);
    if (r->suite->n_estimators > 0)
        tb__scope_add(&scope, tb_estimator_options());
    return tb__read_sets(&r->reader, overrides, &scope);
}

static tb_status resolve_all(theory_reader *r)
{
    tb__reader *reader = &r->reader;
    tb_theory_suite *suite = r->suite;
    tb_status status =
        resolve(reader, tb_toml_get(reader->root, "theory"), tb_theory_options, &suite->config);
    for (size_t i = 0; i < suite->n_envs && status == TB_OK; i++)
        status = resolve(reader, tb__entry(reader, "env", i), tb_theory_env_options,
                         &suite->envs[i].config);
    for (size_t i = 0; i < suite->n_algorithms && status == TB_OK; i++) {
        tb_theory_algorithm *a = &suite->algorithms[i];
        a->config = tb_alloc(1, a->algorithm->config_size);
        if (a->config == NULL)
            return tb__no_memory(reader->error);
        status =
            resolve(reader, tb__entry(reader, "algorithm", i), a->algorithm->options, a->config);
    }
    for (size_t i = 0; i < suite->n_estimators && status == TB_OK; i++) {
        tb_options_default(tb_learner_options, &suite->estimators[i].config);
        status = resolve(reader, tb__entry(reader, "estimator", i), tb_estimator_options(),
                         &suite->estimators[i].config);
    }
    return status;
}

// ---- as JSON ----

static json_t *options_json(const tb_option *table, const void *base)
{
    json_t *object = json_object();
    for (; table->key != NULL; table++) {
        tb_value value;
        char buffer[64];
        tb_option_get(table, base, &value, buffer);
        json_t *json = value.type == TB_VALUE_I64    ? json_integer(value.i64)
                       : value.type == TB_VALUE_F64  ? json_real(value.f64)
                       : value.type == TB_VALUE_BOOL ? json_boolean(value.i64 != 0)
                                                     : json_string(value.string);
        json_object_set_new(object, table->key, json);
    }
    return object;
}

static json_t *to_json(const tb_theory_suite *suite)
{
    json_t *envs = json_array(), *algorithms = json_array(), *seeds = json_array(),
           *estimators = json_array();
    for (size_t i = 0; i < suite->n_envs; i++)
        json_array_append_new(
            envs, json_pack("{s:s, s:s, s:O, s:o}", "label", suite->envs[i].label, "id",
                            suite->envs[i].plugin->id, "params", suite->envs[i].params, "options",
                            options_json(tb_theory_env_options, &suite->envs[i].config)));
    for (size_t i = 0; i < suite->n_algorithms; i++) {
        const tb_theory_algorithm *a = &suite->algorithms[i];
        json_array_append_new(
            algorithms, json_pack("{s:s, s:s, s:o}", "label", a->label, "id", a->algorithm->id,
                                  "options", options_json(a->algorithm->options, a->config)));
    }
    for (size_t i = 0; i < suite->n_estimators; i++)
        json_array_append_new(
            estimators,
            json_pack("{s:s, s:o}", "label", suite->estimators[i].label, "options",
                      options_json(tb_estimator_options(), &suite->estimators[i].config)));
    for (size_t i = 0; i < suite->n_seeds; i++)
        json_array_append_new(seeds, json_integer(suite->seeds[i]));
    return json_pack("{s:i, s:s, s:o, s:o, s:o, s:o, s:o}", "schema_version", 1, "name",
                     suite->name, "options", options_json(tb_theory_options, &suite->config), "env",
                     envs, "algorithm", algorithms, "estimator", estimators, "seeds", seeds);
}

// ---- the whole file ----

static tb_status read_all(theory_reader *r, const tb_suite_overrides *overrides)
{
    tb__reader *reader = &r->reader;
    tb_status status = read_theory(r);
    if (status == TB_OK)
        status = check_table(reader, reader->root, "the top level", keys_root, NULL);
    if (status == TB_OK)
        status = read_envs(r);
    if (status == TB_OK)
        status = read_algorithms(r);
    if (status == TB_OK)
        status = read_estimators(r);
    if (status == TB_OK)
        status = read_sets(r, overrides);
    if (status == TB_OK)
        status = resolve_all(r);
    if (status == TB_OK && overrides != NULL && overrides->seeds != NULL)
        status = tb__seeds_from_text(reader->suite, overrides->seeds, reader->error);
    if (status != TB_OK)
        return status;
    // the seeds move over
    r->suite->seeds = reader->suite->seeds;
    r->suite->n_seeds = reader->suite->n_seeds;
    reader->suite->seeds = NULL;
    r->suite->resolved = to_json(r->suite);
    if (r->suite->resolved == NULL)
        return tb__no_memory(reader->error);
    return tb__json_hash(r->suite->resolved, r->suite->hash);
}

static void *new_scratch(void)
{
    size_t bytes =
        sizeof(tb_theory_config) + sizeof(tb_theory_env_config) + sizeof(tb_learner_config);
    size_t n;
    const tb_exact_algorithm *const *all = tb_exact_algorithms(&n);
    for (size_t i = 0; i < n; i++)
        if (all[i]->config_size > bytes)
            bytes = all[i]->config_size;
    return tb_alloc(1, bytes);
}

tb_status tb_theory_suite_load(const char *path, const tb_catalog *catalog,
                               const tb_suite_overrides *overrides, tb_theory_suite **out,
                               tb_error *error)
{
    *out = NULL;
    tb_toml *root = NULL;
    size_t length;
    tb_suite seeds = {0};
    tb_theory_suite *suite = tb_alloc(1, sizeof *suite);
    if (suite == NULL)
        return tb__no_memory(error);
    tb_status status = tb__read_file(path, &suite->text, &length, error);
    if (status == TB_OK)
        status = tb_toml_parse(path, suite->text, length, &root, error);
    if (status == TB_OK) {
        theory_reader r = {.suite = suite,
                           .reader = {.root = root,
                                      .catalog = catalog,
                                      .suite = &seeds,
                                      .scratch = new_scratch(),
                                      .error = error}};
        status = r.reader.scratch == NULL ? tb__no_memory(error) : read_all(&r, overrides);
        tb__reader_finish(&r.reader);
    }
    tb_toml_free(root);
    free(seeds.seeds);
    if (status != TB_OK)
        tb_theory_suite_free(suite);
    else
        *out = suite;
    return status;
}

void tb_theory_suite_free(tb_theory_suite *suite)
{
    if (suite == NULL)
        return;
    for (size_t i = 0; i < suite->n_envs; i++) {
        free(suite->envs[i].label);
        json_decref(suite->envs[i].params);
    }
    for (size_t i = 0; i < suite->n_algorithms; i++) {
        free(suite->algorithms[i].label);
        free(suite->algorithms[i].config);
    }
    for (size_t i = 0; i < suite->n_estimators; i++)
        free(suite->estimators[i].label);
    json_decref(suite->resolved);
    free(suite->estimators);
    free(suite->name);
    free(suite->description);
    free(suite->text);
    free(suite->seeds);
    free(suite->envs);
    free(suite->algorithms);
    free(suite);
}
