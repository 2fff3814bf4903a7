/* SPDX-License-Identifier: MIT
 *
 * A table of parameters against a plugin's schema: what can be said without creating anything.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/plugin/catalog.h"
#include "harness/plugin/params.h"

static int is_array_type(uint32_t type)
{
    return type == TB_PARAM_F64_ARRAY || type == TB_PARAM_I64_ARRAY;
}

static int has_type(const json_t *value, uint32_t type)
{
    switch (type) {
    case TB_PARAM_I64:
    case TB_PARAM_I64_ARRAY: return json_is_integer(value);
    case TB_PARAM_F64:
    case TB_PARAM_F64_ARRAY: return json_is_number(value);
    case TB_PARAM_BOOL: return json_is_boolean(value);
    case TB_PARAM_STR: return json_is_string(value);
    default: return 0;
    }
}

static int is_choice(const char *value, const char *choices)
{
    size_t n = strlen(value);
    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += at[0] == '|';
        if (strncmp(at, value, n) == 0 && (at[n] == '|' || at[n] == '\0'))
            return 1;
    }
    return 0;
}

static int in_range(const tb_catalog_param *param, const json_t *value)
{
    if (json_is_string(value))
        return param->choices == NULL || is_choice(json_string_value(value), param->choices);
    if (!json_is_number(value))
        return 1;
    double x = json_number_value(value);
    return x >= param->low && x <= param->high;
}

static int fits(const tb_catalog_param *param, const json_t *value)
{
    if (!is_array_type(param->type))
        return has_type(value, param->type) && in_range(param, value);
    if (!json_is_array(value))
        return 0;
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (!has_type(item, param->type) || !in_range(param, item))
            return 0;
    }
    return 1;
}

// "a number from 0 to 1", "one of tanh|relu"
static void describe(const tb_catalog_param *param, char *buffer, size_t size)
{
    static const char *const names[] = {"a value",
                                        "an integer",
                                        "a number",
                                        "true or false",
                                        "a string",
                                        "an array of numbers",
                                        "an array of integers"};
    const char *name = param->type <= TB_PARAM_I64_ARRAY ? names[param->type] : names[0];
    int has_low = isfinite(param->low), has_high = isfinite(param->high);
    if (param->type == TB_PARAM_STR && param->choices != NULL)
        snprintf(buffer, size, "one of %s", param->choices);
    else if (param->type == TB_PARAM_STR || param->type == TB_PARAM_BOOL || (!has_low && !has_high))
        snprintf(buffer, size, "%s", name);
    else if (has_low && has_high)
        snprintf(buffer, size, "%s from %.15g to %.15g", name, param->low, param->high);
    else
        snprintf(buffer, size, "%s, at %s %.15g", name, has_low ? "least" : "most",
                 has_low ? param->low : param->high);
}

static const tb_catalog_param *find(const tb_catalog_entry *entry, const char *key)
{
    for (size_t i = 0; i < entry->n_params; i++)
        if (strcmp(entry->params[i].key, key) == 0)
            return &entry->params[i];
    return NULL;
}

static tb_status unknown_key(const tb_catalog_entry *entry, const char *key, tb_error *error)
{
    const char **keys = calloc(entry->n_params + 1, sizeof *keys);
    for (size_t i = 0; i < entry->n_params && keys != NULL; i++)
        keys[i] = entry->params[i].key;
    const char *nearest = keys != NULL ? tb_nearest(key, keys, entry->n_params) : NULL;
    free(keys);
    if (nearest != NULL)
        return tb_fail(error, TB_E_PARAM, "unknown parameter \"%s\" of %s; did you mean \"%s\"?",
                       key, entry->id, nearest);
    return tb_fail(error, TB_E_PARAM, "unknown parameter \"%s\" of %s%s", key, entry->id,
                   entry->n_params == 0 ? ", which has none" : "");
}

tb_status tb_catalog_check_params(const tb_catalog_entry *entry, const json_t *params,
                                  const char **bad_key, tb_error *error)
{
    const char *key;
    json_t *value;
    if (!entry->has_schema)
        return TB_OK;
    json_object_foreach((json_t *)(uintptr_t)params, key, value)
    {
        const tb_catalog_param *param = find(entry, key);
        if (param != NULL && fits(param, value))
            continue;
        if (bad_key != NULL)
            *bad_key = key;
        if (param == NULL)
            return unknown_key(entry, key, error);
        char wanted[256], brief[80];
        describe(param, wanted, sizeof wanted);
        return tb_fail(error, TB_E_PARAM, "parameter \"%s\" of %s must be %s, not %s", key,
                       entry->id, wanted, tb_json_brief(value, brief, sizeof brief));
    }
    return TB_OK;
}
