/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/suite/reader.h"

#define NAME_RULE "1 to 64 of the characters a-z, 0-9, \"_\" and \"-\""

const tb_toml *tb__entry(const tb__reader *reader, const char *name, size_t i)
{
    const tb_toml *array = tb_toml_get(reader->root, name);
    const tb_toml *entry = array == NULL ? NULL : array->children;
    for (; entry != NULL && i > 0; i--)
        entry = entry->next;
    return entry;
}

tb_status tb__string(tb__reader *reader, const tb_toml *table, const char *key, const char *missing,
                     const char **out)
{
    const tb_toml *value = tb_toml_get(table, key);
    *out = NULL;
    if (value == NULL && missing == NULL)
        return TB_OK;
    if (value == NULL)
        return tb_toml_fail(table, reader->error, "%s", missing);
    if (value->type != TB_TOML_STRING)
        return tb_toml_fail(value, reader->error, "\"%s\" must be a string, not %s", key,
                            tb_toml_type_name(value->type));
    *out = value->string;
    return TB_OK;
}

tb_status tb__read_name(tb__reader *reader, const tb_toml *table, const char *key,
                        const char *missing, const char **out)
{
    tb_status status = tb__string(reader, table, key, missing, out);
    if (status != TB_OK || *out == NULL)
        return status;
    size_t n = strlen(*out);
    if (n == 0 || n > TB__MAX_NAME || strspn(*out, "abcdefghijklmnopqrstuvwxyz0123456789_-") != n)
        return tb_toml_fail(tb_toml_get(table, key), reader->error,
                            "\"%s\" must be " NAME_RULE ", not \"%s\"", key, *out);
    return TB_OK;
}

tb_status tb__read_label(tb__reader *reader, const tb_toml *entry, const char *id, char **out)
{
    const char *name;
    tb_status status = tb__read_name(reader, entry, "name", NULL, &name);
    if (status != TB_OK)
        return status;
    if (name == NULL)
        return tb__copy(id, out, reader->error);
    return asprintf(out, "%s@%s", id, name) < 0 ? tb__no_memory(reader->error) : TB_OK;
}

tb_status tb__count_entries(tb__reader *reader, const char *name, size_t *n)
{
    *n = 0;
    const tb_toml *array = tb_toml_get(reader->root, name);
    if (array == NULL)
        return tb_toml_fail(reader->root, reader->error,
                            "the suite has no [[%s]]; it needs at least one", name);
    if (array->type != TB_TOML_ARRAY)
        return tb_toml_fail_key(array, reader->error,
                                "\"%s\" must be an array of tables: write [[%s]], not [%s]", name,
                                name, name);
    for (const tb_toml *entry = array->children; entry != NULL; entry = entry->next, (*n)++)
        if (entry->type != TB_TOML_TABLE)
            return tb_toml_fail(entry, reader->error, "\"%s\" must hold tables, not %s", name,
                                tb_toml_type_name(entry->type));
    if (*n == 0)
        return tb_toml_fail(array, reader->error, "\"%s\" is empty; a suite needs at least one",
                            name);
    return TB_OK;
}

// Whether two labels are the same folder.
static int same_folder(const char *a, const char *b)
{
    char *x = tb__path_name(a), *y = tb__path_name(b);
    int same = x == NULL || y == NULL || strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

tb_status tb__check_distinct(tb__reader *reader, const char *section, size_t i, const char *label,
                             size_t before, const char *other)
{
    if (!same_folder(label, other))
        return TB_OK;
    const tb_toml *entry = tb__entry(reader, section, i);
    const tb_toml *name = tb_toml_get(entry, "name");
    return tb_toml_fail(name != NULL ? name : tb_toml_get(entry, "id"), reader->error,
                        "[[%s]] \"%s\" is there already (line %u); give one of them another name = "
                        "\"...\"",
                        section, label, tb__entry(reader, section, before)->line);
}

// ---- [suite] ----

tb_status tb__read_suite(tb__reader *reader)
{
    const tb_toml *table = tb_toml_get(reader->root, "suite");
    if (table == NULL)
        return tb_toml_fail(reader->root, reader->error,
                            "the suite has no [suite] table; it needs one with name = \"...\"");
    if (table->type != TB_TOML_TABLE)
        return tb_toml_fail_key(table, reader->error, "\"suite\" must be a table: write [suite]");
    tb__scope scope;
    tb__scope_init(&scope, "[suite]", tb__keys_suite);
    tb__scope_add(&scope, tb_run_options);
    tb_status status = tb__scope_check(reader, table, &scope);
    if (status != TB_OK)
        return status;
    const char *name, *description;
    status =
        tb__read_name(reader, table, "name", "[suite] needs name = \"...\": " NAME_RULE, &name);
    if (status == TB_OK)
        status = tb__copy(name, &reader->suite->name, reader->error);
    if (status == TB_OK)
        status = tb__string(reader, table, "description", NULL, &description);
    if (status != TB_OK)
        return status;
    status = tb__copy(description != NULL ? description : "", &reader->suite->description,
                      reader->error);
    if (status != TB_OK)
        return status;
    status = tb__read_published(reader, table);
    if (status != TB_OK)
        return status;
    return tb__seeds_from_toml(reader, tb_toml_get(table, "seeds"));
}

// ---- [[algorithm]] ----

static tb_status no_algorithm(tb__reader *reader, const tb_toml *value)
{
    size_t n;
    const tb_algorithm *const *all = tb_algorithms(&n);
    const char *ids[TB__MAX_TABLES];
    size_t n_ids = n < TB__MAX_TABLES ? n : TB__MAX_TABLES;
    for (size_t i = 0; i < n_ids; i++)
        ids[i] = all[i]->id;
    const char *nearest = tb_nearest(value->string, ids, n_ids);
    return tb_toml_fail(value, reader->error,
                        "no algorithm \"%s\"%s%s%s (trpo-bench list algorithms shows all)",
                        value->string, nearest != NULL ? "; did you mean \"" : "",
                        nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
}

static tb_status read_algorithm(tb__reader *reader, const tb_toml *entry, tb_suite_algorithm *out)
{
    const char *id, *name;
    tb_status status = tb__string(
        reader, entry, "id", "[[algorithm]] needs id = \"...\" (trpo-bench list algorithms)", &id);
    if (status != TB_OK)
        return status;
    out->algorithm = tb_algorithm_find(id);
    if (out->algorithm == NULL)
        return no_algorithm(reader, tb_toml_get(entry, "id"));
    char title[96];
    snprintf(title, sizeof title, "[[algorithm]] %s", id);
    tb__scope scope;
    tb__scope_init(&scope, title, tb__keys_algorithm);
    tb__scope_add(&scope, tb_learner_options);
    tb__scope_add(&scope, out->algorithm->options);
    status = tb__scope_check(reader, entry, &scope);
    if (status == TB_OK)
        status = tb__read_label(reader, entry, id, &out->label);
    if (status == TB_OK)
        status = tb__string(reader, entry, "name", NULL, &name);
    if (status != TB_OK)
        return status;
    return tb__copy(name != NULL ? name : id, &out->name, reader->error);
}

// [env.override.<name>] must mean one algorithm.
static tb_status check_algorithm_name(tb__reader *reader, size_t i)
{
    const tb_suite_algorithm *all = reader->suite->algorithms;
    for (size_t k = 0; k < i; k++) {
        tb_status status =
            tb__check_distinct(reader, "algorithm", i, all[i].label, k, all[k].label);
        if (status != TB_OK)
            return status;
        if (strcmp(all[i].name, all[k].name) != 0)
            continue;
        const tb_toml *entry = tb__entry(reader, "algorithm", i);
        const tb_toml *name = tb_toml_get(entry, "name");
        return tb_toml_fail(name != NULL ? name : tb_toml_get(entry, "id"), reader->error,
                            "another [[algorithm]] (line %u) is named \"%s\" too; names are what "
                            "[env.override.<name>] refers to, so each must be different",
                            tb__entry(reader, "algorithm", k)->line, all[i].name);
    }
    return TB_OK;
}

tb_status tb__read_algorithms(tb__reader *reader)
{
    tb_suite *suite = reader->suite;
    size_t n;
    tb_status status = tb__count_entries(reader, "algorithm", &n);
    if (status != TB_OK)
        return status;
    suite->algorithms = tb_alloc(n, sizeof *suite->algorithms);
    if (suite->algorithms == NULL)
        return tb__no_memory(reader->error);
    for (size_t i = 0; i < n && status == TB_OK; i++) {
        suite->n_algorithms = i + 1;
        status = read_algorithm(reader, tb__entry(reader, "algorithm", i), &suite->algorithms[i]);
        if (status == TB_OK)
            status = check_algorithm_name(reader, i);
    }
    return status;
}

// ---- [[policy]] ----

tb_status tb__require_plugin(tb__reader *reader, const tb_toml *table, tb_catalog_kind kind,
                             const char *missing, const tb_catalog_entry **out)
{
    const char *id;
    tb_status status = tb__string(reader, table, "id", missing, &id);
    if (status != TB_OK)
        return status;
    tb_error why;
    status = tb_catalog_require(reader->catalog, kind, id, out, &why);
    if (status != TB_OK)
        return tb_toml_fail(tb_toml_get(table, "id"), reader->error, "%s", why.message);
    return TB_OK;
}

static tb_status read_critic(tb__reader *reader, const tb_toml *entry, tb_suite_policy *out)
{
    const tb_toml *critic = tb_toml_get(entry, "critic");
    int same = critic == NULL;
    const tb_catalog_entry *plugin = NULL;
    if (critic != NULL) {
        if (critic->type != TB_TOML_TABLE)
            return tb_toml_fail(critic, reader->error,
                                "\"critic\" must be a table such as { id = \"mlp\", params = { ... "
                                "} }, not %s",
                                tb_toml_type_name(critic->type));
        tb__scope scope;
        tb__scope_init(&scope, "critic", tb__keys_critic);
        tb_status status = tb__scope_check(reader, critic, &scope);
        if (status != TB_OK)
            return status;
        // without an id it is the policy's architecture
        int has_id = tb_toml_get(critic, "id") != NULL;
        status =
            tb__require_plugin(reader, has_id ? critic : entry, TB_CATALOG_POLICY, "", &plugin);
        if (status != TB_OK)
            return status;
        same = tb_toml_get(critic, "params") == NULL && strcmp(plugin->id, out->id) == 0;
    }
    // the same parameters, if it is the same architecture and nothing else is asked for
    tb_status status = tb__copy(same ? out->id : plugin->id, &out->critic_id, reader->error);
    if (status != TB_OK)
        return status;
    if (!same)
        return tb__read_params(reader, critic, "params", plugin, &out->critic_params);
    out->critic_params = json_deep_copy(out->params);
    return out->critic_params == NULL ? tb__no_memory(reader->error) : TB_OK;
}

static tb_status read_policy(tb__reader *reader, const tb_toml *entry, tb_suite_policy *out)
{
    tb__scope scope;
    tb__scope_init(&scope, "[[policy]]", tb__keys_policy);
    tb_status status = tb__scope_check(reader, entry, &scope);
    if (status != TB_OK)
        return status;
    const tb_catalog_entry *plugin;
    status =
        tb__require_plugin(reader, entry, TB_CATALOG_POLICY,
                           "[[policy]] needs id = \"...\" (trpo-bench list policies)", &plugin);
    if (status == TB_OK)
        status = tb__copy(plugin->id, &out->id, reader->error);
    if (status == TB_OK)
        status = tb__read_label(reader, entry, out->id, &out->label);
    if (status == TB_OK)
        status = tb__read_params(reader, entry, "params", plugin, &out->params);
    return status != TB_OK ? status : read_critic(reader, entry, out);
}

tb_status tb__read_policies(tb__reader *reader)
{
    tb_suite *suite = reader->suite;
    size_t n;
    tb_status status = tb__count_entries(reader, "policy", &n);
    if (status != TB_OK)
        return status;
    suite->policies = tb_alloc(n, sizeof *suite->policies);
    if (suite->policies == NULL)
        return tb__no_memory(reader->error);
    for (size_t i = 0; i < n && status == TB_OK; i++) {
        suite->n_policies = i + 1;
        status = read_policy(reader, tb__entry(reader, "policy", i), &suite->policies[i]);
        for (size_t k = 0; k < i && status == TB_OK; k++)
            status = tb__check_distinct(reader, "policy", i, suite->policies[i].label, k,
                                        suite->policies[k].label);
    }
    return status;
}

// ---- [[env]] ----

// [env.override] and its sub-tables.
static tb_status check_override(tb__reader *reader, const tb_toml *table)
{
    const tb_suite *suite = reader->suite;
    if (table == NULL)
        return TB_OK;
    if (table->type != TB_TOML_TABLE)
        return tb_toml_fail(table, reader->error, "\"override\" must be a table, not %s",
                            tb_toml_type_name(table->type));
    tb__scope scope;
    tb__scope_init(&scope, "[env.override]", NULL);
    tb__scope_add_suite(&scope, suite);
    scope.subtables = suite->algorithms;
    scope.n_subtables = suite->n_algorithms;
    tb_status status = tb__scope_check(reader, table, &scope);
    for (size_t i = 0; i < suite->n_algorithms && status == TB_OK; i++) {
        const tb_toml *own = tb_toml_get(table, suite->algorithms[i].name);
        if (own == NULL || own->type != TB_TOML_TABLE)
            continue;
        char title[128];
        snprintf(title, sizeof title, "[env.override.%s]", suite->algorithms[i].name);
        tb__scope_init(&scope, title, NULL);
        tb__scope_add(&scope, tb_learner_options);
        tb__scope_add(&scope, suite->algorithms[i].algorithm->options);
        status = tb__scope_check(reader, own, &scope);
    }
    return status;
}

static tb_status read_time_limit(tb__reader *reader, const tb_toml *entry, int64_t *out)
{
    const tb_toml *value = tb_toml_get(entry, "max_episode_steps");
    if (value == NULL)
        return TB_OK;
    if (value->type != TB_TOML_I64 || value->i64 < 0)
        return tb_toml_fail(value, reader->error,
                            "\"max_episode_steps\" must be an integer of at least 0 (0: no limit)");
    *out = value->i64;
    return TB_OK;
}

static tb_status read_env(tb__reader *reader, const tb_toml *entry, tb_suite_env *out)
{
    tb__scope scope;
    tb__scope_init(&scope, "[[env]]", tb__keys_env);
    tb__scope_add(&scope, tb_run_options);
    tb_status status = tb__scope_check(reader, entry, &scope);
    if (status != TB_OK)
        return status;
    const tb_catalog_entry *plugin;
    status = tb__require_plugin(reader, entry, TB_CATALOG_ENV,
                                "[[env]] needs id = \"...\" (trpo-bench list envs)", &plugin);
    if (status != TB_OK)
        return status;
    out->max_episode_steps = (int64_t)plugin->max_episode_steps;
    status = tb__copy(plugin->id, &out->id, reader->error);
    if (status == TB_OK)
        status = tb__read_label(reader, entry, out->id, &out->label);
    if (status == TB_OK)
        status = tb__read_params(reader, entry, "params", plugin, &out->params);
    if (status == TB_OK)
        status = read_time_limit(reader, entry, &out->max_episode_steps);
    return status != TB_OK ? status : check_override(reader, tb_toml_get(entry, "override"));
}

tb_status tb__read_envs(tb__reader *reader)
{
    tb_suite *suite = reader->suite;
    size_t n;
    tb_status status = tb__count_entries(reader, "env", &n);
    if (status != TB_OK)
        return status;
    suite->envs = tb_alloc(n, sizeof *suite->envs);
    if (suite->envs == NULL)
        return tb__no_memory(reader->error);
    for (size_t i = 0; i < n && status == TB_OK; i++) {
        suite->n_envs = i + 1;
        status = read_env(reader, tb__entry(reader, "env", i), &suite->envs[i]);
        for (size_t k = 0; k < i && status == TB_OK; k++)
            status =
                tb__check_distinct(reader, "env", i, suite->envs[i].label, k, suite->envs[k].label);
    }
    return status;
}
