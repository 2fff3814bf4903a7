/* SPDX-License-Identifier: MIT
 *
 * suite.resolved.json:
 *
 *   schema_version, hash, name, description, plugins: [path], seeds: [n]
 *   envs:       [{id, label, params, max_episode_steps, run: {run options}}]
 *   policies:   [{id, label, params, critic: {id, params}}]
 *   algorithms: [{id, label, name}]
 *   settings:   [{env: label, algorithm: label, learner: {...}, options: {...}}]
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "harness/suite/reader.h"

// ---- options ----

static json_t *option_to_json(const tb_option *option, const void *base)
{
    tb_value value;
    char buffer[64];
    tb_option_get(option, base, &value, buffer);
    switch (value.type) {
    case TB_VALUE_I64: return json_integer(value.i64);
    case TB_VALUE_F64: return json_real(value.f64);
    case TB_VALUE_BOOL: return json_boolean(value.i64);
    case TB_VALUE_STRING: return json_string(value.string);
    }
    return NULL;
}

static json_t *options_to_json(const tb_option *table, const void *base)
{
    json_t *object = json_object();
    for (const tb_option *option = table; option->key != NULL; option++) {
        if (json_object_set_new(object, option->key, option_to_json(option, base)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static tb_status bad_json(tb_error *error, const char *where, const char *why)
{
    return tb_fail(error, TB_E_CORRUPT, "resolved suite: %s: %s", where, why);
}

static tb_status option_from_json(const tb_option *option, const json_t *json, void *base,
                                  tb_error *error)
{
    tb_value value = {0};
    if (json == NULL)
        return bad_json(error, option->key, "missing");
    if (json_is_integer(json)) {
        value.type = TB_VALUE_I64;
        value.i64 = json_integer_value(json);
    } else if (json_is_real(json)) {
        value.type = TB_VALUE_F64;
        value.f64 = json_real_value(json);
    } else if (json_is_boolean(json)) {
        value.type = TB_VALUE_BOOL;
        value.i64 = json_is_true(json);
    } else if (json_is_string(json)) {
        value.type = TB_VALUE_STRING;
        value.string = json_string_value(json);
    } else {
        return bad_json(error, option->key, "neither a number, nor a boolean, nor a string");
    }
    tb_error why;
    if (tb_option_set(option, base, &value, &why) != TB_OK)
        return bad_json(error, option->key, why.message);
    return TB_OK;
}

// Exactly the keys of the table.
static tb_status options_from_json(const tb_option *table, const json_t *object, void *base,
                                   tb_error *error)
{
    size_t n = 0;
    for (const tb_option *option = table; option->key != NULL; option++, n++) {
        tb_status status =
            option_from_json(option, json_object_get(object, option->key), base, error);
        if (status != TB_OK)
            return status;
    }
    if (json_object_size(object) != n)
        return bad_json(error, table->key, "unknown keys beside this one");
    return TB_OK;
}

// ---- parts ----

static json_t *env_to_json(const tb_suite_env *env)
{
    return json_pack("{s:s, s:s, s:O, s:I, s:o}", "id", env->id, "label", env->label, "params",
                     env->params, "max_episode_steps", (json_int_t)env->max_episode_steps, "run",
                     options_to_json(tb_run_options, &env->run));
}

static json_t *policy_to_json(const tb_suite_policy *policy)
{
    return json_pack("{s:s, s:s, s:O, s:{s:s, s:O}}", "id", policy->id, "label", policy->label,
                     "params", policy->params, "critic", "id", policy->critic_id, "params",
                     policy->critic_params);
}

static json_t *algorithm_to_json(const tb_suite_algorithm *algorithm)
{
    return json_pack("{s:s, s:s, s:s}", "id", algorithm->algorithm->id, "label", algorithm->label,
                     "name", algorithm->name);
}

static json_t *setting_to_json(const tb_suite *suite, size_t i)
{
    const tb_suite_algorithm *algorithm = &suite->algorithms[i % suite->n_algorithms];
    const tb_suite_setting *setting = &suite->settings[i];
    return json_pack("{s:s, s:s, s:o, s:o}", "env", suite->envs[i / suite->n_algorithms].label,
                     "algorithm", algorithm->label, "learner",
                     options_to_json(tb_learner_options, &setting->learner), "options",
                     options_to_json(algorithm->algorithm->options, setting->algorithm_config));
}

// ---- arrays ----

enum { part_envs, part_policies, part_algorithms, part_settings, n_parts };
static const char *const part_names[n_parts] = {"envs", "policies", "algorithms", "settings"};

static size_t part_count(const tb_suite *suite, int part)
{
    switch (part) {
    case part_envs: return suite->n_envs;
    case part_policies: return suite->n_policies;
    case part_algorithms: return suite->n_algorithms;
    default: return suite->n_envs * suite->n_algorithms;
    }
}

static json_t *part_to_json(const tb_suite *suite, int part, size_t i)
{
    switch (part) {
    case part_envs: return env_to_json(&suite->envs[i]);
    case part_policies: return policy_to_json(&suite->policies[i]);
    case part_algorithms: return algorithm_to_json(&suite->algorithms[i]);
    default: return setting_to_json(suite, i);
    }
}

// What the hash covers: {schema_version, name, envs, policies, algorithms, settings}.
static json_t *content_to_json(const tb_suite *suite)
{
    json_t *object =
        json_pack("{s:i, s:s}", "schema_version", TB_SCHEMA_VERSION, "name", suite->name);
    for (int part = 0; part < n_parts && object != NULL; part++) {
        json_t *array = json_array();
        int failed = json_object_set_new(object, part_names[part], array);
        for (size_t i = 0; i < part_count(suite, part) && !failed; i++)
            failed = json_array_append_new(array, part_to_json(suite, part, i));
        if (failed) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

json_t *tb_suite_to_json(const tb_suite *suite)
{
    json_t *object = content_to_json(suite);
    json_t *plugins = json_array(), *seeds = json_array();
    int failed = 0;
    for (size_t i = 0; i < suite->n_plugins; i++)
        failed |= json_array_append_new(plugins, json_string(suite->plugins[i]));
    for (size_t i = 0; i < suite->n_seeds; i++)
        failed |= json_array_append_new(seeds, json_integer(suite->seeds[i]));
    failed |= json_object_set_new(object, "plugins", plugins);
    failed |= json_object_set_new(object, "seeds", seeds);
    failed |= json_object_set_new(object, "hash", json_string(suite->hash));
    failed |= json_object_set_new(object, "description", json_string(suite->description));
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

// ---- hashes ----

tb_status tb__json_hash(const json_t *json, char out[65])
{
    char *text = json == NULL
                     ? NULL
                     : json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (text == NULL)
        return TB_E_NOMEM;
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(digest, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(out, 65, digest, sizeof digest);
    free(text);
    return TB_OK;
}

static int compare_hashes(const void *a, const void *b)
{
    return strcmp(a, b);
}

// The array as the sorted list of its elements' hashes: its order does not count.
static json_t *unordered(const json_t *array)
{
    size_t n = json_array_size(array);
    char(*hashes)[65] = tb_alloc(n, sizeof *hashes);
    json_t *list = json_array();
    int failed = hashes == NULL;
    for (size_t i = 0; i < n && !failed; i++)
        failed = tb__json_hash(json_array_get(array, i), hashes[i]) != TB_OK;
    if (!failed)
        qsort(hashes, n, sizeof *hashes, compare_hashes);
    for (size_t i = 0; i < n && !failed; i++)
        failed = json_array_append_new(list, json_string(hashes[i]));
    free(hashes);
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

tb_status tb__suite_hash(tb_suite *suite, tb_error *error)
{
    json_t *content = content_to_json(suite);
    int failed = content == NULL;
    for (int part = 0; part < n_parts && !failed; part++)
        failed = json_object_set_new(content, part_names[part],
                                     unordered(json_object_get(content, part_names[part])));
    if (!failed)
        failed = tb__json_hash(content, suite->hash) != TB_OK;
    json_decref(content);
    return failed ? tb__no_memory(error) : TB_OK;
}

json_t *tb_cell_config_json(const tb_suite *suite, const tb_cell *cell)
{
    const tb_suite_env *env = &suite->envs[cell->env];
    const tb_suite_algorithm *algorithm = &suite->algorithms[cell->algorithm];
    const tb_suite_setting *setting =
        &suite->settings[cell->env * suite->n_algorithms + cell->algorithm];
    return json_pack("{s:{s:s, s:s, s:O, s:I}, s:o, s:o, s:{s:s, s:s, s:o}, s:o}", "env", "id",
                     env->id, "label", env->label, "params", env->params, "max_episode_steps",
                     (json_int_t)env->max_episode_steps, "run",
                     options_to_json(tb_run_options, &env->run), "policy",
                     policy_to_json(&suite->policies[cell->policy]), "algorithm", "id",
                     algorithm->algorithm->id, "label", algorithm->label, "options",
                     options_to_json(algorithm->algorithm->options, setting->algorithm_config),
                     "learner", options_to_json(tb_learner_options, &setting->learner));
}

// ---- reading ----

static tb_status unpack_failed(const char *where, const json_error_t *why, tb_error *error)
{
    return bad_json(error, where, why->text);
}

static tb_status env_from_json(json_t *json, tb_suite_env *env, tb_error *error)
{
    const char *id, *label;
    json_t *params, *run;
    json_int_t limit;
    json_error_t why;
    if (json_unpack_ex(json, &why, JSON_STRICT, "{s:s, s:s, s:o, s:I, s:o}", "id", &id, "label",
                       &label, "params", &params, "max_episode_steps", &limit, "run", &run) != 0)
        return unpack_failed("envs", &why, error);
    if (!json_is_object(params) || limit < 0)
        return bad_json(error, "envs", "params or max_episode_steps is none");
    env->params = json_incref(params);
    env->max_episode_steps = limit;
    tb_status status = tb__copy(id, &env->id, error);
    if (status == TB_OK)
        status = tb__copy(label, &env->label, error);
    return status != TB_OK ? status : options_from_json(tb_run_options, run, &env->run, error);
}

static tb_status policy_from_json(json_t *json, tb_suite_policy *policy, tb_error *error)
{
    const char *id, *label, *critic_id;
    json_t *params, *critic_params;
    json_error_t why;
    if (json_unpack_ex(json, &why, JSON_STRICT, "{s:s, s:s, s:o, s:{s:s, s:o}}", "id", &id, "label",
                       &label, "params", &params, "critic", "id", &critic_id, "params",
                       &critic_params) != 0)
        return unpack_failed("policies", &why, error);
    if (!json_is_object(params) || !json_is_object(critic_params))
        return bad_json(error, "policies", "params is no object");
    policy->params = json_incref(params);
    policy->critic_params = json_incref(critic_params);
    tb_status status = tb__copy(id, &policy->id, error);
    if (status == TB_OK)
        status = tb__copy(label, &policy->label, error);
    return status != TB_OK ? status : tb__copy(critic_id, &policy->critic_id, error);
}

static tb_status algorithm_from_json(json_t *json, tb_suite_algorithm *algorithm, tb_error *error)
{
    const char *id, *label, *name;
    json_error_t why;
    if (json_unpack_ex(json, &why, JSON_STRICT, "{s:s, s:s, s:s}", "id", &id, "label", &label,
                       "name", &name) != 0)
        return unpack_failed("algorithms", &why, error);
    algorithm->algorithm = tb_algorithm_find(id);
    if (algorithm->algorithm == NULL)
        return bad_json(error, id, "this program has no such algorithm");
    tb_status status = tb__copy(label, &algorithm->label, error);
    return status != TB_OK ? status : tb__copy(name, &algorithm->name, error);
}

static tb_status setting_from_json(json_t *json, tb_suite *suite, size_t i, tb_error *error)
{
    const tb_suite_algorithm *algorithm = &suite->algorithms[i % suite->n_algorithms];
    const char *env_label = suite->envs[i / suite->n_algorithms].label, *env, *label;
    tb_suite_setting *setting = &suite->settings[i];
    json_t *learner, *options;
    json_error_t why;
    if (json_unpack_ex(json, &why, JSON_STRICT, "{s:s, s:s, s:o, s:o}", "env", &env, "algorithm",
                       &label, "learner", &learner, "options", &options) != 0)
        return unpack_failed("settings", &why, error);
    if (strcmp(env, env_label) != 0 || strcmp(label, algorithm->label) != 0)
        return bad_json(error, "settings", "not in the order of envs and algorithms");
    setting->algorithm_config = tb_alloc(1, algorithm->algorithm->config_size);
    if (setting->algorithm_config == NULL)
        return tb__no_memory(error);
    tb_status status = options_from_json(tb_learner_options, learner, &setting->learner, error);
    return status != TB_OK ? status
                           : options_from_json(algorithm->algorithm->options, options,
                                               setting->algorithm_config, error);
}

// Allocates one array of the suite and sets its count.
static int allocate_part(tb_suite *suite, int part, size_t n)
{
    switch (part) {
    case part_envs:
        suite->envs = tb_alloc(n, sizeof *suite->envs);
        suite->n_envs = suite->envs != NULL ? n : 0;
        return suite->envs != NULL;
    case part_policies:
        suite->policies = tb_alloc(n, sizeof *suite->policies);
        suite->n_policies = suite->policies != NULL ? n : 0;
        return suite->policies != NULL;
    case part_algorithms:
        suite->algorithms = tb_alloc(n, sizeof *suite->algorithms);
        suite->n_algorithms = suite->algorithms != NULL ? n : 0;
        return suite->algorithms != NULL;
    default: suite->settings = tb_alloc(n, sizeof *suite->settings); return suite->settings != NULL;
    }
}

static tb_status part_from_json(const json_t *array, tb_suite *suite, int part, tb_error *error)
{
    size_t n = json_array_size(array);
    if (n == 0 || (part == part_settings && n != part_count(suite, part)))
        return bad_json(error, part_names[part], "wrong number of entries");
    if (!allocate_part(suite, part, n))
        return tb__no_memory(error);
    tb_status status = TB_OK;
    for (size_t i = 0; i < n && status == TB_OK; i++) {
        json_t *json = json_array_get(array, i);
        switch (part) {
        case part_envs: status = env_from_json(json, &suite->envs[i], error); break;
        case part_policies: status = policy_from_json(json, &suite->policies[i], error); break;
        case part_algorithms:
            status = algorithm_from_json(json, &suite->algorithms[i], error);
            break;
        default: status = setting_from_json(json, suite, i, error); break;
        }
    }
    return status;
}

static tb_status plugins_from_json(const json_t *array, tb_suite *suite, tb_error *error)
{
    size_t n = json_array_size(array);
    suite->plugins = tb_alloc(n, sizeof *suite->plugins);
    if (suite->plugins == NULL)
        return tb__no_memory(error);
    for (; suite->n_plugins < n; suite->n_plugins++) {
        const char *path = json_string_value(json_array_get(array, suite->n_plugins));
        if (path == NULL)
            return bad_json(error, "plugins", "not a path");
        tb_status status = tb__copy(path, &suite->plugins[suite->n_plugins], error);
        if (status != TB_OK)
            return status;
    }
    return TB_OK;
}

static tb_status seeds_from_json(const json_t *array, tb_suite *suite, tb_error *error)
{
    size_t n = json_array_size(array);
    suite->seeds = tb_alloc(n, sizeof *suite->seeds);
    if (suite->seeds == NULL)
        return tb__no_memory(error);
    int64_t last = -1;
    for (; suite->n_seeds < n; suite->n_seeds++) {
        const json_t *seed = json_array_get(array, suite->n_seeds);
        if (!json_is_integer(seed) || json_integer_value(seed) <= last)
            return bad_json(error, "seeds", "not ascending numbers of at least 0");
        last = suite->seeds[suite->n_seeds] = json_integer_value(seed);
    }
    return n == 0 ? bad_json(error, "seeds", "empty") : TB_OK;
}

static tb_status fill_from_json(json_t *json, tb_suite *suite, tb_error *error)
{
    const char *name, *description, *hash;
    int version;
    json_t *plugins, *seeds, *parts[n_parts];
    json_error_t why;
    // the version first: another one may look different
    if (json_unpack_ex(json, &why, 0, "{s:i}", "schema_version", &version) != 0)
        return unpack_failed("schema_version", &why, error);
    if (version != TB_SCHEMA_VERSION)
        return tb_fail(error, TB_E_CORRUPT,
                       "resolved suite: schema_version is %d, this program reads %d; run the suite "
                       "again into a new folder",
                       version, TB_SCHEMA_VERSION);
    if (json_unpack_ex(json, &why, JSON_STRICT,
                       "{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "schema_version",
                       &version, "hash", &hash, "name", &name, "description", &description,
                       "plugins", &plugins, "seeds", &seeds, "envs", &parts[part_envs], "policies",
                       &parts[part_policies], "algorithms", &parts[part_algorithms], "settings",
                       &parts[part_settings]) != 0)
        return unpack_failed("top level", &why, error);
    tb_status status = tb__copy(name, &suite->name, error);
    if (status == TB_OK)
        status = tb__copy(description, &suite->description, error);
    if (status == TB_OK)
        status = plugins_from_json(plugins, suite, error);
    if (status == TB_OK)
        status = seeds_from_json(seeds, suite, error);
    for (int part = 0; part < n_parts && status == TB_OK; part++)
        status = part_from_json(parts[part], suite, part, error);
    if (status == TB_OK)
        status = tb__suite_hash(suite, error);
    if (status == TB_OK && strcmp(suite->hash, hash) != 0)
        return tb_fail(error, TB_E_CORRUPT,
                       "resolved suite: its hash is %s but its content has %s: it was changed by "
                       "hand; run the suite again from its TOML file",
                       hash, suite->hash);
    return status;
}

tb_status tb_suite_from_json(const json_t *json, tb_suite **out, tb_error *error)
{
    *out = NULL;
    // what is kept must not change with the caller's object
    json_t *copy = json_deep_copy(json);
    tb_suite *suite = tb_alloc(1, sizeof *suite);
    tb_status status =
        copy == NULL || suite == NULL ? tb__no_memory(error) : fill_from_json(copy, suite, error);
    json_decref(copy);
    if (status != TB_OK) {
        tb_suite_free(suite);
        return status;
    }
    *out = suite;
    return TB_OK;
}
