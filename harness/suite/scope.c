/* SPDX-License-Identifier: MIT */
#include "harness/suite/reader.h"

#include <stdio.h>
#include <string.h>

enum { max_candidates = 512 };

const char *const tb__keys_root[] = {"suite", "defaults", "env", "policy", "algorithm", NULL};
const char *const tb__keys_suite[] = {"name", "description", "seeds", "plugins", "published", NULL};
const char *const tb__keys_env[] = {"id", "name", "params", "max_episode_steps", "override", NULL};
const char *const tb__keys_policy[] = {"id", "name", "params", "critic", NULL};
const char *const tb__keys_critic[] = {"id", "params", NULL};
const char *const tb__keys_algorithm[] = {"id", "name", NULL};

// Where the keys that are no options live, for "belongs to".
static const struct {
    const char *title;
    const char *const *keys;
} homes[] = {
    {"the top level", tb__keys_root}, {"[suite]", tb__keys_suite},
    {"[[env]]", tb__keys_env},        {"[[policy]]", tb__keys_policy},
    {"critic", tb__keys_critic},      {"[[algorithm]]", tb__keys_algorithm},
};

void tb__scope_init(tb__scope *scope, const char *title, const char *const *keys)
{
    memset(scope, 0, sizeof *scope);
    snprintf(scope->title, sizeof scope->title, "%s", title);
    scope->keys = keys;
}

void tb__scope_add(tb__scope *scope, const tb_option *table)
{
    for (size_t i = 0; i < scope->n_tables; i++)
        if (scope->tables[i] == table)
            return;
    TB_ASSERT(scope->n_tables < TB__MAX_TABLES);
    scope->tables[scope->n_tables++] = table;
}

void tb__scope_add_suite(tb__scope *scope, const tb_suite *suite)
{
    scope->whole_suite = 1;
    tb__scope_add(scope, tb_learner_options);
    for (size_t i = 0; i < suite->n_algorithms; i++)
        tb__scope_add(scope, suite->algorithms[i].algorithm->options);
}

/* ---- candidates for "did you mean" ---- */

typedef struct candidates {
    const char *keys[max_candidates];
    size_t n;
} candidates;

static void add_key(candidates *list, const char *key)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->keys[i], key) == 0)
            return;
    if (list->n < max_candidates)
        list->keys[list->n++] = key;
}

static void add_keys(candidates *list, const char *const *keys)
{
    for (; keys != NULL && *keys != NULL; keys++)
        add_key(list, *keys);
}

static void add_options(candidates *list, const tb_option *table)
{
    for (; table->key != NULL; table++)
        add_key(list, table->key);
}

static void add_scope(candidates *list, const tb__scope *scope)
{
    add_keys(list, scope->keys);
    for (size_t i = 0; i < scope->n_subtables; i++)
        add_key(list, scope->subtables[i].name);
    for (size_t i = 0; i < scope->n_tables; i++)
        add_options(list, scope->tables[i]);
}

static void add_everything(candidates *list)
{
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++)
        add_keys(list, homes[i].keys);
    add_options(list, tb_run_options);
    add_options(list, tb_learner_options);
    size_t n;
    const tb_algorithm *const *algorithms = tb_algorithms(&n);
    for (size_t i = 0; i < n; i++)
        add_options(list, algorithms[i]->options);
}

/* ---- where a key lives ---- */

typedef struct places {
    const char *names[TB__MAX_TABLES];
    size_t n;
} places;

static void add_place(places *list, const char *name)
{
    TB_ASSERT(list->n < TB__MAX_TABLES);
    list->names[list->n++] = name;
}

// "a", "a or b", "a, b or c"
static void join_places(const places *list, const char *prefix, char *out, size_t capacity)
{
    size_t at = (size_t)snprintf(out, capacity, "%s", prefix);
    for (size_t i = 0; i < list->n && at < capacity; i++) {
        const char *separator = i == 0 ? "" : i + 1 == list->n ? " or " : ", ";
        at += (size_t)snprintf(out + at, capacity - at, "%s%s", separator, list->names[i]);
    }
}

// Says where `key` belongs; returns 0 when no section has it. *own: only algorithms' own options.
static int find_home(const char *key, int *own, char *out, size_t capacity)
{
    places list = {.n = 0};
    *own = 0;
    if (tb_option_find(tb_run_options, key) != NULL) {
        add_place(&list, "[suite]");
        add_place(&list, "[[env]]");
    }
    if (tb_option_find(tb_learner_options, key) != NULL) {
        add_place(&list, "[defaults]");
        add_place(&list, "[[algorithm]]");
        add_place(&list, "[env.override]");
    }
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++)
        for (const char *const *k = homes[i].keys; *k != NULL; k++)
            if (strcmp(*k, key) == 0)
                add_place(&list, homes[i].title);
    if (list.n > 0) {
        join_places(&list, "", out, capacity);
        return 1;
    }
    size_t n;
    const tb_algorithm *const *algorithms = tb_algorithms(&n);
    for (size_t i = 0; i < n && list.n < TB__MAX_TABLES; i++)
        if (tb_option_find(algorithms[i]->options, key) != NULL)
            add_place(&list, algorithms[i]->id);
    *own = 1;
    join_places(&list, "[[algorithm]] ", out, capacity);
    return list.n > 0;
}

static void list_keys(const candidates *list, char *out, size_t capacity)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list->n && at < capacity; i++)
        at += (size_t)snprintf(out + at, capacity - at, "%s%s", i == 0 ? "" : ", ", list->keys[i]);
}

static tb_status unknown_key(tb__reader *reader, const tb_toml *value, const tb__scope *scope)
{
    char home[256];
    int own;
    // a key of another section
    if (find_home(value->key, &own, home, sizeof home)) {
        if (own && scope->whole_suite)
            return tb_toml_fail_key(value, reader->error,
                                    "\"%s\" belongs to %s, which this suite does not run",
                                    value->key, home);
        return tb_toml_fail_key(value, reader->error, "\"%s\" belongs to %s, not to %s", value->key,
                                home, scope->title);
    }
    // a typo of a key of this section
    candidates list = {.n = 0};
    add_scope(&list, scope);
    const char *nearest = tb_nearest(value->key, list.keys, list.n);
    if (nearest != NULL)
        return tb_toml_fail_key(value, reader->error,
                                "unknown key \"%s\" in %s; did you mean \"%s\"?", value->key,
                                scope->title, nearest);
    // a typo of a key of another section
    candidates all = {.n = 0};
    add_everything(&all);
    nearest = tb_nearest(value->key, all.keys, all.n);
    if (nearest != NULL && find_home(nearest, &own, home, sizeof home))
        return tb_toml_fail_key(value, reader->error,
                                "unknown key \"%s\" in %s; did you mean \"%s\", which belongs to "
                                "%s?",
                                value->key, scope->title, nearest, home);
    char valid[640];
    list_keys(&list, valid, sizeof valid);
    return tb_toml_fail_key(value, reader->error, "unknown key \"%s\" in %s; expected one of: %s",
                            value->key, scope->title, valid);
}

/* ---- checking ---- */

static const char *expected_type(const tb_option *option)
{
    switch (option->type) {
    case TB_OPTION_I64: return "an integer";
    case TB_OPTION_F64: return "a number";
    case TB_OPTION_BOOL: return "true or false";
    case TB_OPTION_ENUM: return "a string";
    }
    return "";
}

tb_status tb__option_apply(const tb_toml *value, const tb_option *option, void *base,
                           tb_error *error)
{
    tb_value v = {.i64 = value->i64, .f64 = value->f64, .string = value->string};
    switch (value->type) {
    case TB_TOML_I64: v.type = TB_VALUE_I64; break;
    case TB_TOML_F64: v.type = TB_VALUE_F64; break;
    case TB_TOML_BOOL: v.type = TB_VALUE_BOOL; break;
    case TB_TOML_STRING: v.type = TB_VALUE_STRING; break;
    case TB_TOML_ARRAY:
    case TB_TOML_TABLE:
        return tb_toml_fail(value, error, "\"%s\" must be %s, not %s", option->key,
                            expected_type(option), tb_toml_type_name(value->type));
    }
    tb_error why;
    if (tb_option_set(option, base, &v, &why) != TB_OK)
        return tb_toml_fail(value, error, "%s", why.message);
    return TB_OK;
}

// Whether [env.override.<key>] is a table of this scope.
static int is_subtable(const tb__scope *scope, const char *key)
{
    for (size_t i = 0; i < scope->n_subtables; i++)
        if (strcmp(scope->subtables[i].name, key) == 0)
            return 1;
    return 0;
}

static int is_key(const tb__scope *scope, const tb_toml *value)
{
    for (const char *const *key = scope->keys; key != NULL && *key != NULL; key++)
        if (strcmp(*key, value->key) == 0)
            return 1;
    return value->type == TB_TOML_TABLE && is_subtable(scope, value->key);
}

// `vgp = { ... }` in [env.override]: meant as an algorithm's table.
static tb_status unknown_subtable(tb__reader *reader, const tb_toml *value, const tb__scope *scope)
{
    candidates list = {.n = 0};
    for (size_t i = 0; i < scope->n_subtables; i++)
        add_key(&list, scope->subtables[i].name);
    const char *nearest = tb_nearest(value->key, list.keys, list.n);
    if (nearest != NULL)
        return tb_toml_fail_key(value, reader->error,
                                "no [[algorithm]] of this suite is named \"%s\"; did you mean "
                                "\"%s\"?",
                                value->key, nearest);
    char valid[640];
    list_keys(&list, valid, sizeof valid);
    return tb_toml_fail_key(value, reader->error,
                            "no [[algorithm]] of this suite is named \"%s\"; expected one of: %s",
                            value->key, valid);
}

tb_status tb__scope_check(tb__reader *reader, const tb_toml *table, const tb__scope *scope)
{
    for (const tb_toml *value = table->children; value != NULL; value = value->next) {
        if (is_key(scope, value))
            continue;
        // the same key in several tables (damping) has to suit each of them
        int known = 0;
        for (size_t i = 0; i < scope->n_tables; i++) {
            const tb_option *option = tb_option_find(scope->tables[i], value->key);
            if (option == NULL)
                continue;
            known = 1;
            tb_status status = tb__option_apply(value, option, reader->scratch, reader->error);
            if (status != TB_OK)
                return status;
        }
        if (!known && is_subtable(scope, value->key))
            return tb_toml_fail(value, reader->error, "\"%s\" must be a table of options, not %s",
                                value->key, tb_toml_type_name(value->type));
        if (!known && scope->n_subtables > 0 && value->type == TB_TOML_TABLE)
            return unknown_subtable(reader, value, scope);
        if (!known)
            return unknown_key(reader, value, scope);
    }
    return TB_OK;
}
