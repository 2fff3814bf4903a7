/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/suite/reader.h"

static const tb_catalog_param *find_param(const tb_catalog_entry *entry, const char *key)
{
    for (size_t i = 0; i < entry->n_params; i++)
        if (strcmp(entry->params[i].key, key) == 0)
            return &entry->params[i];
    return NULL;
}

// Integers where the plugin reads doubles become doubles, so that 10 and 10.0 are one
// configuration.
static json_t *as_type(uint32_t type, const json_t *value)
{
    if (type == TB_PARAM_F64 && json_is_integer(value))
        return json_real((double)json_integer_value(value));
    if (type != TB_PARAM_F64_ARRAY || !json_is_array(value))
        return json_deep_copy(value);
    json_t *array = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *element = as_type(TB_PARAM_F64, json_array_get(value, i));
        if (json_array_append_new(array, element) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

// The schema's default, which is TOML text. NULL when it is none: then the plugin fills it in.
static json_t *default_value(const tb_catalog_param *param)
{
    char *text = NULL;
    tb_toml *root = NULL;
    json_t *value = NULL;
    if (param->default_text == NULL)
        return NULL;
    int n = asprintf(&text, "x = %s", param->default_text);
    if (n < 0)
        return NULL;
    if (tb_toml_parse("default", text, (size_t)n, &root, NULL) == TB_OK) {
        json_t *given = tb_toml_to_json(tb_toml_get(root, "x"));
        value = given == NULL ? NULL : as_type(param->type, given);
        json_decref(given);
    }
    tb_toml_free(root);
    free(text);
    return value;
}

// Every key of the schema: the given value, else the default.
static json_t *complete(const tb_catalog_entry *entry, const json_t *given)
{
    json_t *params = json_object();
    for (size_t i = 0; i < entry->n_params; i++) {
        const tb_catalog_param *param = &entry->params[i];
        const json_t *value = json_object_get(given, param->key);
        json_t *full = value != NULL ? as_type(param->type, value) : default_value(param);
        if (full == NULL && value == NULL)
            continue;
        if (json_object_set_new(params, param->key, full) != 0) {
            json_decref(params);
            return NULL;
        }
    }
    return params;
}

static tb_status check(tb__reader *reader, const tb_toml *table, const tb_catalog_entry *entry,
                       const json_t *given)
{
    const char *bad_key = NULL;
    tb_error why = {0};
    tb_status status = tb_catalog_check_params(entry, given, &bad_key, &why);
    if (status == TB_OK)
        return TB_OK;
    // a bad value is marked at the value, an unknown key at the key
    const tb_toml *at = bad_key == NULL ? NULL : tb_toml_get(table, bad_key);
    if (at == NULL)
        return tb_toml_fail(table, reader->error, "%s", why.message);
    if (find_param(entry, bad_key) != NULL)
        return tb_toml_fail(at, reader->error, "%s", why.message);
    return tb_toml_fail_key(at, reader->error, "%s", why.message);
}

tb_status tb__read_params(tb__reader *reader, const tb_toml *owner, const char *key,
                          const tb_catalog_entry *entry, json_t **out)
{
    const tb_toml *table = tb_toml_get(owner, key);
    if (table != NULL && table->type != TB_TOML_TABLE)
        return tb_toml_fail(table, reader->error, "\"%s\" must be a table, not %s", key,
                            tb_toml_type_name(table->type));
    json_t *given = table != NULL ? tb_toml_to_json(table) : json_object();
    if (given == NULL)
        return tb__no_memory(reader->error);
    tb_status status = table == NULL ? TB_OK : check(reader, table, entry, given);
    if (status == TB_OK && !entry->has_schema) {
        *out = given;
        return TB_OK;
    }
    if (status == TB_OK) {
        *out = complete(entry, given);
        if (*out == NULL)
            status = tb__no_memory(reader->error);
    }
    json_decref(given);
    return status;
}
