/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/suite/reader.h"

tb_status tb__no_memory(tb_error *error)
{
    return tb_fail(error, TB_E_NOMEM, "out of memory while reading a suite");
}

tb_status tb__copy(const char *text, char **out, tb_error *error)
{
    *out = strdup(text);
    return *out == NULL ? tb__no_memory(error) : TB_OK;
}

// ---- --set ----

static int is_bare_word(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return 0;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && strchr("_-./", *text) == NULL)
            return 0;
    return 1;
}

static tb_status bad_set(const char *item, tb_error *error)
{
    return tb_fail(error, TB_E_PARAM,
                   "--set %s: expected key=value, such as --set max_kl=0.02 or --set steps=5000",
                   item);
}

// Parses `key = value`; a bare word becomes a string.
static tb_status parse_assignment(const char *source, const char *key, int n_key, const char *value,
                                  tb_toml **root, tb_error *error)
{
    char *text = NULL;
    int n = asprintf(&text, "%.*s = %s", n_key, key, value);
    if (n < 0)
        return tb__no_memory(error);
    tb_error why;
    tb_status status = tb_toml_parse(source, text, (size_t)n, root, &why);
    free(text);
    if (status == TB_OK || status == TB_E_NOMEM)
        return status == TB_OK ? TB_OK : tb__no_memory(error);
    if (!is_bare_word(value))
        return tb_fail(error, TB_E_PARAM, "%s: \"%s\" is no TOML value", source, value);
    n = asprintf(&text, "%.*s = \"%s\"", n_key, key, value);
    if (n < 0)
        return tb__no_memory(error);
    status = tb_toml_parse(source, text, (size_t)n, root, error);
    free(text);
    return status;
}

static tb_status parse_set(tb__reader *reader, size_t i, const char *item)
{
    const char *equals = strchr(item, '=');
    size_t n_key = equals == NULL ? 0 : (size_t)(equals - item);
    for (size_t k = 0; k < n_key; k++)
        if (!isalnum((unsigned char)item[k]) && item[k] != '_')
            return bad_set(item, reader->error);
    if (n_key == 0 || equals[1] == '\0')
        return bad_set(item, reader->error);
    if (asprintf(&reader->set_texts[i], "--set %s", item) < 0) {
        reader->set_texts[i] = NULL;
        return tb__no_memory(reader->error);
    }
    tb_status status = parse_assignment(reader->set_texts[i], item, (int)n_key, equals + 1,
                                        &reader->sets[i], reader->error);
    if (status != TB_OK)
        return status;
    // "a=1\nb=2" is two keys
    tb_toml *value = reader->sets[i]->children;
    if (value == NULL || value->next != NULL)
        return bad_set(item, reader->error);
    value->line = value->key_line = 0;
    return TB_OK;
}

tb_status tb__read_sets(tb__reader *reader, const tb_suite_overrides *overrides,
                        const tb__scope *scope)
{
    size_t n = overrides == NULL ? 0 : overrides->n_set;
    reader->sets = tb_alloc(n, sizeof *reader->sets);
    reader->set_texts = tb_alloc(n, sizeof *reader->set_texts);
    if (reader->sets == NULL || reader->set_texts == NULL)
        return tb__no_memory(reader->error);
    reader->n_sets = n;
    tb_status status = TB_OK;
    for (size_t i = 0; i < n && status == TB_OK; i++) {
        status = parse_set(reader, i, overrides->set[i]);
        if (status == TB_OK)
            status = tb__scope_check(reader, reader->sets[i], scope);
    }
    return status;
}

static tb_status read_sets(tb__reader *reader, const tb_suite_overrides *overrides)
{
    tb__scope scope;
    tb__scope_init(&scope, "--set", NULL);
    tb__scope_add(&scope, tb_run_options);
    tb__scope_add_suite(&scope, reader->suite);
    return tb__read_sets(reader, overrides, &scope);
}

// ---- the whole file ----

static tb_status check_defaults(tb__reader *reader)
{
    const tb_toml *table = tb_toml_get(reader->root, "defaults");
    if (table == NULL)
        return TB_OK;
    if (table->type != TB_TOML_TABLE)
        return tb_toml_fail_key(table, reader->error,
                                "\"defaults\" must be a table: write [defaults]");
    tb__scope scope;
    tb__scope_init(&scope, "[defaults]", NULL);
    tb__scope_add_suite(&scope, reader->suite);
    return tb__scope_check(reader, table, &scope);
}

static tb_status check_root(tb__reader *reader)
{
    const tb_toml *theory = tb_toml_get(reader->root, "theory");
    if (theory != NULL)
        return tb_toml_fail_key(theory, reader->error,
                                "this is a theory suite: trpo-bench theory %s", theory->source);
    tb__scope scope;
    tb__scope_init(&scope, "the top level", tb__keys_root);
    return tb__scope_check(reader, reader->root, &scope);
}

static tb_status read_all(tb__reader *reader, const tb_suite_overrides *overrides)
{
    tb_suite *suite = reader->suite;
    tb_status status = check_root(reader);
    if (status == TB_OK)
        status = tb__read_suite(reader);
    if (status == TB_OK)
        status = tb__plugin_paths(reader->root, suite->source_path, &suite->plugins,
                                  &suite->n_plugins, reader->error);
    // algorithms first: [defaults] and [env.override] may only name what they understand
    if (status == TB_OK)
        status = tb__read_algorithms(reader);
    if (status == TB_OK)
        status = check_defaults(reader);
    if (status == TB_OK)
        status = tb__read_envs(reader);
    if (status == TB_OK)
        status = tb__read_policies(reader);
    if (status == TB_OK)
        status = read_sets(reader, overrides);
    if (status == TB_OK)
        status = tb__resolve(reader);
    if (status == TB_OK)
        status = tb__check_grid(reader);
    if (status == TB_OK && overrides != NULL && overrides->seeds != NULL)
        status = tb__seeds_from_text(suite, overrides->seeds, reader->error);
    return status == TB_OK ? tb__suite_hash(suite, reader->error) : status;
}

static void *new_scratch(void)
{
    size_t bytes = sizeof(tb_run_config) + sizeof(tb_learner_config), n;
    const tb_algorithm *const *algorithms = tb_algorithms(&n);
    for (size_t i = 0; i < n; i++)
        if (algorithms[i]->config_size > bytes)
            bytes = algorithms[i]->config_size;
    return tb_alloc(1, bytes);
}

void tb__reader_finish(tb__reader *reader)
{
    for (size_t i = 0; i < reader->n_sets; i++) {
        tb_toml_free(reader->sets[i]);
        free(reader->set_texts[i]);
    }
    free(reader->sets);
    free(reader->set_texts);
    free(reader->scratch);
}

tb_status tb_suite_load(const char *path, const tb_catalog *catalog,
                        const tb_suite_overrides *overrides, tb_suite **out, tb_error *error)
{
    *out = NULL;
    tb_toml *root = NULL;
    size_t length;
    tb_suite *suite = tb_alloc(1, sizeof *suite);
    if (suite == NULL)
        return tb__no_memory(error);
    tb_status status = tb__copy(path, &suite->source_path, error);
    if (status == TB_OK)
        status = tb__read_file(path, &suite->source_text, &length, error);
    if (status == TB_OK)
        status = tb_toml_parse(suite->source_path, suite->source_text, length, &root, error);
    if (status == TB_OK) {
        tb__reader reader = {.root = root, .catalog = catalog, .suite = suite, .error = error};
        reader.scratch = new_scratch();
        status = reader.scratch == NULL ? tb__no_memory(error) : read_all(&reader, overrides);
        tb__reader_finish(&reader);
    }
    tb_toml_free(root);
    if (status != TB_OK) {
        tb_suite_free(suite);
        return status;
    }
    *out = suite;
    return TB_OK;
}

void tb_suite_free(tb_suite *suite)
{
    if (suite == NULL)
        return;
    for (size_t i = 0; i < suite->n_envs * suite->n_algorithms && suite->settings != NULL; i++)
        free(suite->settings[i].algorithm_config);
    for (size_t i = 0; i < suite->n_envs; i++) {
        free(suite->envs[i].id);
        free(suite->envs[i].label);
        json_decref(suite->envs[i].params);
    }
    for (size_t i = 0; i < suite->n_policies; i++) {
        free(suite->policies[i].id);
        free(suite->policies[i].label);
        json_decref(suite->policies[i].params);
        free(suite->policies[i].critic_id);
        json_decref(suite->policies[i].critic_params);
    }
    for (size_t i = 0; i < suite->n_algorithms; i++) {
        free(suite->algorithms[i].label);
        free(suite->algorithms[i].name);
    }
    tb_suite_free_paths(suite->plugins, suite->n_plugins);
    json_decref(suite->published);
    free(suite->name);
    free(suite->description);
    free(suite->source_path);
    free(suite->source_text);
    free(suite->seeds);
    free(suite->envs);
    free(suite->policies);
    free(suite->algorithms);
    free(suite->settings);
    free(suite);
}
