/* SPDX-License-Identifier: MIT
 *
 * Tests E13 and P18: create() and params-schema/1 say the same, and every value within a
 * parameter's range makes something that works.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check/family.h"

// how the subject is created and tried out; `effective` may be NULL
typedef tb_status (*maker)(tb_check *c, const json_t *params, json_t **effective, tb_error *error);

static tb_status make_env(tb_check *c, const json_t *params, json_t **effective, tb_error *error)
{
    const tb_env_api *api;
    tb_env *env;
    tb_status status = tb_plugin_create_env(c->plugin, c->id, params, &api, &env, effective, error);
    if (status != TB_OK)
        return status;
    api->destroy(env);
    tb_check inner = *c;
    inner.opened = NULL;
    inner.outcome = TB_CHECK_PASS;
    tb_check_env *e = tb_check_env_open(&inner, params);
    tb_check_trace *trace = tb_check_trace_make(&inner);
    if (e != NULL) {
        tb_check_play(e, tb_check_key(c, 0), 0, 20, trace);
        if (trace->status != TB_OK && trace->status != TB_E_NUMERIC)
            tb_check_fail(&inner, "playing gives %s", tb_status_name(trace->status));
    }
    tb_check_close_all(&inner);
    return inner.outcome == TB_CHECK_FAIL ? tb_fail(error, TB_E_FATAL, "%s", inner.reason) : TB_OK;
}

static tb_status make_map(tb_check *c, const json_t *params, json_t **effective, tb_error *error)
{
    const uint64_t shape[1] = {4};
    tb_map_spec spec = {.struct_size = sizeof spec,
                        .dtype = TB_F64,
                        .n_in = 4,
                        .n_out = 3,
                        .n_const_out = 1,
                        .in_shape = shape,
                        .in_ndim = 1,
                        .out_gain = 1};
    const tb_map_api *api;
    tb_map *map;
    tb_status status =
        tb_plugin_create_map(c->plugin, c->id, &spec, params, &api, &map, effective, error);
    if (status != TB_OK)
        return status;
    tb_key key = tb_check_key(c, 0);
    double x[4] = {0.1, -0.2, 0.3, -0.4}, y[3];
    double *theta = tb_alloc((size_t)api->n_params(map), sizeof *theta);
    void *ws = tb_alloc((size_t)api->ws_bytes(map, 1), 1);
    TB_ASSERT(theta != NULL && ws != NULL);
    status = api->init(map, theta, &key);
    if (status == TB_OK)
        status = api->forward(map, theta, x, 1, y, ws);
    free(theta);
    free(ws);
    api->destroy(map);
    if (status != TB_OK)
        tb_fail(error, TB_E_FATAL, "init() and forward() give %s", tb_status_name(status));
    return status;
}

// ---- values ----

// "[0.7, inf]": infinite values become the strings that the record of a run has for them
static json_t *parse_array(const char *text)
{
    char quoted[512];
    size_t n = 0;
    while (*text != '\0' && n + 8 < sizeof quoted) {
        size_t word = strncmp(text, "-inf", 4) == 0 ? 4 : strncmp(text, "inf", 3) == 0 ? 3 : 0;
        if (word > 0)
            n += (size_t)snprintf(quoted + n, sizeof quoted - n, "\"%.*s\"", (int)word, text);
        else
            quoted[n++] = *text;
        text += word > 0 ? word : 1;
    }
    quoted[n] = '\0';
    return json_loads(quoted, JSON_DECODE_ANY, NULL);
}

// the default as the schema writes it: TOML scalars and arrays of them are JSON but for inf and nan
static json_t *parse_default(const char *text)
{
    static const char *const words[] = {"inf", "+inf", "-inf", "nan"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i]) == 0)
            return json_string(i == 1 ? "inf" : words[i]);
    return text[0] == '[' ? parse_array(text) : json_loads(text, JSON_DECODE_ANY, NULL);
}

static int equal_values(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_number_value(a) == json_number_value(b);
    if (!json_is_array(a) || !json_is_array(b))
        return json_equal(a, b);
    if (json_array_size(a) != json_array_size(b))
        return 0;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!equal_values(json_array_get(a, i), json_array_get(b, i)))
            return 0;
    return 1;
}

static json_t *number_value(uint32_t type, double x)
{
    int is_integer = type == TB_PARAM_I64 || type == TB_PARAM_I64_ARRAY;
    json_t *value = is_integer ? json_integer((json_int_t)x) : json_real(x);
    if (type != TB_PARAM_F64_ARRAY && type != TB_PARAM_I64_ARRAY)
        return value;
    return json_pack("[o]", value);
}

// creates with one key set (takes the value's reference)
static tb_status make_with(tb_check *c, maker make, const char *key, json_t *value, tb_error *error)
{
    json_t *params = json_pack("{s:o}", key, value);
    TB_ASSERT(params != NULL);
    tb_status status = make(c, params, NULL, error);
    json_decref(params);
    return status;
}

// ---- one row of the schema ----

static void check_accepted(tb_check *c, maker make, const char *key, json_t *value)
{
    tb_error error;
    if (make_with(c, make, key, value, &error) != TB_OK)
        tb_check_fail(c, "\"%s\" at an allowed value: %s", key, error.message);
}

// beyond a bound the schema's own step is unknown: a tenth of the range, at least 1
static void check_range(tb_check *c, maker make, const tb_param_info *info)
{
    double ends[2] = {info->low, info->high};
    double step = isfinite(info->high - info->low) ? fmax(1, 0.1 * (info->high - info->low)) : 1;
    // huge sizes are allowed but not affordable here
    const double largest = 4096;
    for (int i = 0; i < 2; i++) {
        tb_error error;
        if (!isfinite(ends[i]))
            continue;
        if (fabs(ends[i]) <= largest)
            check_accepted(c, make, info->key, number_value(info->type, ends[i]));
        double outside = i == 0 ? ends[i] - step : ends[i] + step;
        if (fabs(outside) > 9e15)
            continue;
        tb_status status = make_with(c, make, info->key, number_value(info->type, outside), &error);
        TB_CHECK_THAT(c, status != TB_OK, "\"%s\" = %g is outside the schema's range and accepted",
                      info->key, outside);
    }
}

static void check_choices(tb_check *c, maker make, const tb_param_info *info)
{
    char *copy = strdup(info->choices), *rest = copy, *choice;
    TB_ASSERT(copy != NULL);
    while ((choice = strsep(&rest, "|")) != NULL)
        check_accepted(c, make, info->key, json_string(choice));
    free(copy);
    tb_error error;
    TB_CHECK_THAT(c, make_with(c, make, info->key, json_string("no such choice"), &error) != TB_OK,
                  "\"%s\" accepts a choice that the schema does not list", info->key);
}

static void check_row(tb_check *c, maker make, const json_t *effective, const tb_param_info *info)
{
    const json_t *value = json_object_get(effective, info->key);
    if (!TB_CHECK_THAT(c, value != NULL, "\"%s\" is in the schema but create() never reads it",
                       info->key) ||
        !TB_CHECK_THAT(c, info->doc != NULL && info->doc[0] != '\0', "\"%s\" lacks a description",
                       info->key))
        return;
    // no default: create() computes it
    json_t *stated = info->default_text != NULL ? parse_default(info->default_text) : NULL;
    TB_CHECK_THAT(c, info->default_text == NULL || (stated != NULL && equal_values(stated, value)),
                  "the schema's default of \"%s\" is %s, create() uses another", info->key,
                  info->default_text);
    json_decref(stated);
    tb_error error;
    json_t *wrong = info->type == TB_PARAM_STR ? json_integer(1) : json_string("wrong type");
    TB_CHECK_THAT(c, make_with(c, make, info->key, wrong, &error) == TB_E_PARAM,
                  "\"%s\" of a wrong type is not refused with TB_E_PARAM", info->key);
    if (info->type == TB_PARAM_STR && info->choices != NULL)
        check_choices(c, make, info);
    else if (info->type != TB_PARAM_STR && info->type != TB_PARAM_BOOL)
        check_range(c, make, info);
}

// every key that create() read is in the schema
static void check_hidden(tb_check *c, const tb_params_schema *schema, const json_t *effective)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)effective, key, value)
    {
        int found = 0;
        for (uint32_t i = 0; i < schema->count(c->id); i++) {
            tb_param_info info = {.struct_size = sizeof info};
            found |= schema->get(c->id, i, &info) == TB_OK && strcmp(info.key, key) == 0;
        }
        TB_CHECK_THAT(c, found, "create() reads \"%s\", which the schema does not list", key);
    }
}

static void check_params(tb_check *c, maker make)
{
    tb_error error;
    json_t *effective = NULL;
    if (make(c, NULL, &effective, &error) != TB_OK) {
        tb_check_fail(c, "%s", error.message);
        return;
    }
    tb_status status = make_with(c, make, "no_such_key", json_true(), &error);
    TB_CHECK_THAT(c, status == TB_E_PARAM, "an unknown parameter is not refused");
    const tb_params_schema *schema = c->plugin->schema;
    if (schema == NULL) {
        if (json_object_size(effective) > 0)
            tb_check_warn(c, "reads parameters but offers no \"" TB_PARAMS_SCHEMA "\"");
        json_decref(effective);
        return;
    }
    check_hidden(c, schema, effective);
    uint32_t n = schema->count(c->id);
    for (uint32_t i = 0; i < n; i++) {
        tb_param_info info = {.struct_size = sizeof info};
        if (TB_CHECK_THAT(c, schema->get(c->id, i, &info) == TB_OK && info.key != NULL,
                          "row %u of the schema is invalid", i))
            check_row(c, make, effective, &info);
    }
    tb_param_info beyond = {.struct_size = sizeof beyond};
    TB_CHECK_THAT(c, schema->get(c->id, n, &beyond) == TB_E_INVALID,
                  "the schema's row number count() must give TB_E_INVALID");
    json_decref(effective);
}

void tb_check_env_params(tb_check *c)
{
    check_params(c, make_env);
}

void tb_check_policy_params(tb_check *c)
{
    check_params(c, make_map);
}
