/* SPDX-License-Identifier: MIT */
#include "harness/plugin/scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/plugin/loader.h"

// ---- the child's side: plugin -> JSON ----

// JSON has no infinities and no NaN: null stands for "none"
static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

// the plugin's text must be there and be UTF-8; NULL otherwise
static json_t *text(const char *what, const char *value, tb_error *error)
{
    json_t *json = value != NULL ? json_string(value) : NULL;
    if (json == NULL)
        tb_fail(error, TB_E_UNSUPPORTED, "%s is %s; it must be a UTF-8 text", what,
                value == NULL ? "NULL" : "not UTF-8");
    return json;
}

static json_t *schema_row(const tb_params_schema *schema, const char *id, uint32_t i,
                          tb_error *error)
{
    tb_param_info info = {.struct_size = sizeof info};
    if (schema->get(id, i, &info) != TB_OK || info.type < TB_PARAM_I64 ||
        info.type > TB_PARAM_I64_ARRAY || info.key == NULL) {
        tb_fail(error, TB_E_UNSUPPORTED, "%s: row %u of its parameter schema is invalid", id, i);
        return NULL;
    }
    json_t *key = text("a parameter's key", info.key, error);
    if (key == NULL)
        return NULL;
    // null, not left out: a bound of -INFINITY or INFINITY
    return json_pack("{s:o, s:o, s:o, s:o, s:i, s:o, s:o}", "key", key, "doc",
                     text_or_null(info.doc), "default", text_or_null(info.default_text), "choices",
                     text_or_null(info.choices), "type", (int)info.type, "low", number(info.low),
                     "high", number(info.high));
}

// array of the keys of `id`; null when the plugin has no schema; NULL on failure
static json_t *schema_rows(const tb_params_schema *schema, const char *id, tb_error *error)
{
    if (schema == NULL)
        return json_null();
    json_t *rows = json_array();
    uint32_t n = schema->count(id);
    for (uint32_t i = 0; i < n; i++) {
        json_t *row = schema_row(schema, id, i, error);
        if (row == NULL) {
            json_decref(rows);
            return NULL;
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

// what environments and policies share
static json_t *common(const tb_plugin *plugin, const char *kind, const char *id,
                      const char *summary, tb_error *error)
{
    json_t *id_json = text("an id", id, error);
    json_t *summary_json = id_json != NULL ? text("a summary", summary, error) : NULL;
    json_t *params = summary_json != NULL ? schema_rows(plugin->schema, id, error) : NULL;
    if (params != NULL)
        return json_pack("{s:s, s:o, s:o, s:o}", "kind", kind, "id", id_json, "summary",
                         summary_json, "params", params);
    json_decref(id_json);
    json_decref(summary_json);
    return NULL;
}

static json_t *env_entry(const tb_plugin *plugin, uint32_t i, tb_error *error)
{
    const tb_env_desc *desc = plugin->envs->describe(i);
    if (desc == NULL || desc->struct_size < sizeof *desc || desc->max_episode_steps > INT64_MAX) {
        tb_fail(error, TB_E_UNSUPPORTED, "environment %u has no valid description", i);
        return NULL;
    }
    json_t *entry = common(plugin, "env", desc->id, desc->summary, error);
    if (entry == NULL)
        return NULL;
    json_object_set_new(entry, "reference", text_or_null(desc->reference));
    json_object_set_new(entry, "flags", json_integer(desc->flags));
    json_object_set_new(entry, "max_episode_steps",
                        json_integer((json_int_t)desc->max_episode_steps));
    json_object_set_new(entry, "reward_threshold", number(desc->reward_threshold));
    json_object_set_new(entry, "return_random", number(desc->return_random));
    json_object_set_new(entry, "return_ref", number(desc->return_ref));
    return entry;
}

static json_t *map_entry(const tb_plugin *plugin, uint32_t i, tb_error *error)
{
    json_t *entry = common(plugin, "policy", plugin->maps->id(i), plugin->maps->summary(i), error);
    if (entry != NULL)
        json_object_set_new(entry, "dtypes", json_integer(plugin->maps->dtypes));
    return entry;
}

static json_t *entries(const tb_plugin *plugin, tb_error *error)
{
    json_t *list = json_array();
    uint32_t n_envs = plugin->envs != NULL ? plugin->envs->count() : 0;
    uint32_t n_maps = plugin->maps != NULL ? plugin->maps->count() : 0;
    for (uint32_t i = 0; i < n_envs + n_maps; i++) {
        json_t *entry =
            i < n_envs ? env_entry(plugin, i, error) : map_entry(plugin, i - n_envs, error);
        if (entry == NULL) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, entry);
    }
    return list;
}

json_t *tb_scan_plugin(const char *path)
{
    tb_error error = {0};
    tb_plugin *plugin;
    if (tb_plugin_load(path, &plugin, &error) != TB_OK)
        return json_pack("{s:s}", "refusal", error.message);
    json_t *list = entries(plugin, &error);
    json_t *build = list != NULL ? text("tb_entry.build", plugin->entry->build, &error) : NULL;
    json_t *answer = NULL;
    if (build != NULL) {
        answer =
            json_pack("{s:o, s:[i, i], s:o}", "build", build, "abi", (int)plugin->entry->abi_major,
                      (int)plugin->entry->abi_minor, "entries", list);
    } else {
        json_decref(list);
        tb_fail_prefix(&error, TB_E_UNSUPPORTED, "%s", path);
        answer = json_pack("{s:s}", "refusal", error.message);
    }
    tb_plugin_release(plugin, 0);
    return answer;
}

// ---- the parent's side: JSON -> entries ----

static char *copy_text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? strdup(value) : NULL;
}

static double get_number(const json_t *object, const char *key, double none)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : none;
}

static uint32_t get_u32(const json_t *object, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(object, key));
}

static char *not_null(char *value)
{
    return value != NULL ? value : strdup("");
}

static tb_status parse_params(const json_t *rows, tb_catalog_entry *entry, tb_error *error)
{
    entry->has_schema = json_is_array(rows);
    size_t n = json_array_size(rows);
    entry->params = calloc(n + 1, sizeof *entry->params);
    if (entry->params == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    for (; entry->n_params < n; entry->n_params++) {
        const json_t *row = json_array_get(rows, entry->n_params);
        tb_catalog_param *param = &entry->params[entry->n_params];
        param->key = not_null(copy_text(row, "key"));
        param->doc = not_null(copy_text(row, "doc"));
        param->default_text = not_null(copy_text(row, "default"));
        param->choices = copy_text(row, "choices");
        param->type = get_u32(row, "type");
        param->low = get_number(row, "low", -INFINITY);
        param->high = get_number(row, "high", INFINITY);
    }
    return TB_OK;
}

static tb_status parse_entry(const json_t *answer, const json_t *object, tb_catalog_entry *entry,
                             tb_error *error)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const json_t *abi = json_object_get(answer, "abi");
    entry->id = copy_text(object, "id");
    entry->summary = copy_text(object, "summary");
    entry->build = copy_text(answer, "build");
    if (kind == NULL || entry->id == NULL || entry->summary == NULL || entry->build == NULL)
        return tb_fail(error, TB_E_CORRUPT, "an entry is incomplete");
    entry->kind = strcmp(kind, "env") == 0 ? TB_CATALOG_ENV : TB_CATALOG_POLICY;
    entry->abi_major = (uint32_t)json_integer_value(json_array_get(abi, 0));
    entry->abi_minor = (uint32_t)json_integer_value(json_array_get(abi, 1));
    entry->reference = copy_text(object, "reference");
    entry->flags = get_u32(object, "flags");
    entry->max_episode_steps =
        (uint64_t)json_integer_value(json_object_get(object, "max_episode_steps"));
    entry->reward_threshold = get_number(object, "reward_threshold", NAN);
    entry->return_random = get_number(object, "return_random", NAN);
    entry->return_ref = get_number(object, "return_ref", NAN);
    entry->dtypes = get_u32(object, "dtypes");
    return parse_params(json_object_get(object, "params"), entry, error);
}

tb_status tb_scan_parse(const char *answer_text, size_t size, tb_catalog_entry **out, size_t *n,
                        tb_error *error)
{
    json_error_t json_error;
    json_t *answer = json_loadb(answer_text, size, 0, &json_error);
    const json_t *refusal = json_object_get(answer, "refusal");
    const json_t *list = json_object_get(answer, "entries");
    size_t count = json_array_size(list);
    tb_status status = TB_OK;
    *out = NULL;
    *n = 0;
    if (json_is_string(refusal))
        status = tb_fail(error, TB_E_UNSUPPORTED, "%s", json_string_value(refusal));
    else if (!json_is_array(list))
        status = tb_fail(error, TB_E_CORRUPT, "no description of the plugin");
    else if ((*out = calloc(count + 1, sizeof **out)) == NULL)
        status = tb_fail(error, TB_E_NOMEM, "out of memory");
    while (status == TB_OK && *n < count) {
        status = parse_entry(answer, json_array_get(list, *n), &(*out)[*n], error);
        ++*n;
    }
    if (status != TB_OK && *out != NULL) {
        for (size_t i = 0; i < *n; i++)
            tb_catalog_entry_finish(&(*out)[i]);
        free(*out);
        *out = NULL;
        *n = 0;
    }
    json_decref(answer);
    return status;
}

void tb_catalog_entry_finish(tb_catalog_entry *entry)
{
    for (size_t i = 0; i < entry->n_params; i++) {
        free(entry->params[i].key);
        free(entry->params[i].doc);
        free(entry->params[i].default_text);
        free(entry->params[i].choices);
    }
    free(entry->params);
    free(entry->id);
    free(entry->summary);
    free(entry->path);
    free(entry->build);
    free(entry->reference);
}
