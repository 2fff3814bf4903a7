/* SPDX-License-Identifier: MIT */
#include "harness/plugin/params.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *tb_json_brief(const json_t *value, char *buffer, size_t size)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS);
    if (text == NULL)
        snprintf(buffer, size, "?");
    else if (strlen(text) < size)
        snprintf(buffer, size, "%s", text);
    else
        snprintf(buffer, size, "%.*s...", (int)(size > 4 ? size - 4 : 0), text);
    free(text);
    return buffer;
}

static json_t *json_number(double x)
{
    if (isnan(x))
        return json_string("nan");
    if (isinf(x))
        return json_string(x > 0 ? "inf" : "-inf");
    return json_real(x);
}

// the value of `key`, or NULL when the table has none
static const json_t *lookup(const tb_param_reader *reader, const char *key)
{
    return reader->object == NULL ? NULL : json_object_get(reader->object, key);
}

// takes the reference of `value`
static tb_status note(tb_param_reader *reader, const char *key, json_t *value)
{
    if (json_object_set_new(reader->read, key, value != NULL ? value : json_null()) == 0)
        return TB_OK;
    return tb_fail(&reader->error, TB_E_PARAM, "a parameter's key is not valid UTF-8");
}

static tb_status wrong_type(tb_param_reader *reader, const char *key, const json_t *value,
                            const char *wanted)
{
    char brief[80];
    // the key counts as known: the wrong type is the news, not the key
    json_object_set(reader->read, key, (json_t *)(uintptr_t)value);
    if (reader->error.status == TB_OK)
        tb_fail(&reader->error, TB_E_PARAM, "\"%s\" must be %s, not %s", key, wanted,
                tb_json_brief(value, brief, sizeof brief));
    return TB_E_PARAM;
}

// sets of JSON types
enum {
    is_integer = 1 << JSON_INTEGER,
    is_number = 1 << JSON_INTEGER | 1 << JSON_REAL,
    is_boolean = 1 << JSON_TRUE | 1 << JSON_FALSE,
    is_string = 1 << JSON_STRING
};

static int has_type(const json_t *value, int types)
{
    return (types >> json_typeof(value) & 1) != 0;
}

// the value of `key` in *value (NULL: not there), which must have one of these types
static tb_status fetch(tb_param_reader *reader, const char *key, int types, const char *wanted,
                       const json_t **value)
{
    *value = lookup(reader, key);
    if (*value != NULL && !has_type(*value, types))
        return wrong_type(reader, key, *value, wanted);
    return TB_OK;
}

static tb_status get_i64(void *ctx, const char *key, int64_t *inout)
{
    const json_t *value;
    if (fetch(ctx, key, is_integer, "an integer", &value) != TB_OK)
        return TB_E_PARAM;
    *inout = value != NULL ? json_integer_value(value) : *inout;
    return note(ctx, key, json_integer(*inout));
}

static tb_status get_f64(void *ctx, const char *key, double *inout)
{
    const json_t *value;
    if (fetch(ctx, key, is_number, "a number", &value) != TB_OK)
        return TB_E_PARAM;
    *inout = value != NULL ? json_number_value(value) : *inout;
    return note(ctx, key, json_number(*inout));
}

static tb_status get_bool(void *ctx, const char *key, uint32_t *inout)
{
    const json_t *value;
    if (fetch(ctx, key, is_boolean, "true or false", &value) != TB_OK)
        return TB_E_PARAM;
    *inout = value != NULL ? json_is_true(value) : *inout;
    return note(ctx, key, json_boolean(*inout));
}

static tb_status get_str(void *ctx, const char *key, const char **inout)
{
    const json_t *value;
    if (fetch(ctx, key, is_string, "a string", &value) != TB_OK)
        return TB_E_PARAM;
    *inout = value != NULL ? json_string_value(value) : *inout;
    return note(ctx, key, *inout != NULL ? json_string(*inout) : NULL);
}

// the array of `key` in *array (NULL: not there): its length and the types of its values checked
static tb_status fetch_array(tb_param_reader *reader, const char *key, int types,
                             const char *wanted, uint64_t cap, const json_t **array)
{
    if (fetch(reader, key, 1 << JSON_ARRAY, wanted, array) != TB_OK)
        return TB_E_PARAM;
    if (json_array_size(*array) > cap) {
        char shorter[64];
        snprintf(shorter, sizeof shorter, "an array of at most %llu values",
                 (unsigned long long)cap);
        return wrong_type(reader, key, *array, shorter);
    }
    for (size_t i = 0; i < json_array_size(*array); i++)
        if (!has_type(json_array_get(*array, i), types))
            return wrong_type(reader, key, *array, wanted);
    return TB_OK;
}

static tb_status get_f64_array(void *ctx, const char *key, double *buf, uint64_t cap,
                               uint64_t *inout_n)
{
    const json_t *array;
    if (fetch_array(ctx, key, is_number, "an array of numbers", cap, &array) != TB_OK)
        return TB_E_PARAM;
    for (size_t i = 0; i < json_array_size(array); i++)
        buf[i] = json_number_value(json_array_get(array, i));
    *inout_n = array != NULL ? json_array_size(array) : *inout_n;
    json_t *effective = json_array();
    for (uint64_t i = 0; i < *inout_n; i++)
        json_array_append_new(effective, json_number(buf[i]));
    return note(ctx, key, effective);
}

static tb_status get_i64_array(void *ctx, const char *key, int64_t *buf, uint64_t cap,
                               uint64_t *inout_n)
{
    const json_t *array;
    if (fetch_array(ctx, key, is_integer, "an array of integers", cap, &array) != TB_OK)
        return TB_E_PARAM;
    for (size_t i = 0; i < json_array_size(array); i++)
        buf[i] = json_integer_value(json_array_get(array, i));
    *inout_n = array != NULL ? json_array_size(array) : *inout_n;
    json_t *effective = json_array();
    for (uint64_t i = 0; i < *inout_n; i++)
        json_array_append_new(effective, json_integer(buf[i]));
    return note(ctx, key, effective);
}

tb_status tb_param_reader_init(tb_param_reader *reader, const json_t *object, tb_error *error)
{
    if (object != NULL && !json_is_object(object))
        return tb_fail(error, TB_E_PARAM, "the parameters must be a table");
    *reader = (tb_param_reader){
        .params = {.struct_size = sizeof(tb_params),
                   .ctx = reader,
                   .get_i64 = get_i64,
                   .get_f64 = get_f64,
                   .get_bool = get_bool,
                   .get_str = get_str,
                   .get_f64_array = get_f64_array,
                   .get_i64_array = get_i64_array},
        .object = object,
        .read = json_object(),
    };
    return reader->read != NULL ? TB_OK : tb_fail(error, TB_E_NOMEM, "out of memory");
}

void tb_param_reader_finish(tb_param_reader *reader)
{
    json_decref(reader->read);
    reader->read = NULL;
}

// the key of `read` nearest to `key`, or NULL
static const char *nearest_read(const tb_param_reader *reader, const char *key)
{
    enum { max_keys = 256 };
    const char *names[max_keys];
    size_t n = 0;
    const char *name;
    json_t *value;
    json_object_foreach(reader->read, name, value)
    {
        if (n < max_keys)
            names[n++] = name;
    }
    return tb_nearest(key, names, n);
}

tb_status tb_param_reader_check(const tb_param_reader *reader, tb_error *error)
{
    if (reader->error.status != TB_OK)
        return tb_fail(error, reader->error.status, "%s", reader->error.message);
    char text[512] = "";
    size_t used = 0, n_unread = 0;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)reader->object, key, value)
    {
        if (json_object_get(reader->read, key) != NULL || used >= sizeof text)
            continue;
        n_unread++;
        const char *nearest = nearest_read(reader, key);
        int n =
            nearest != NULL
                ? snprintf(text + used, sizeof text - used, "%s\"%s\" (did you mean \"%s\"?)",
                           used > 0 ? ", " : "", key, nearest)
                : snprintf(text + used, sizeof text - used, "%s\"%s\"", used > 0 ? ", " : "", key);
        used += (size_t)n;
    }
    if (n_unread == 0)
        return TB_OK;
    return tb_fail(error, TB_E_PARAM, "unknown parameter%s %s", n_unread > 1 ? "s" : "", text);
}

json_t *tb_param_reader_effective(const tb_param_reader *reader)
{
    return json_deep_copy(reader->read);
}
