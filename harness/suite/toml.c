/* SPDX-License-Identifier: MIT */
#include "harness/suite/toml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tb_toml_free(tb_toml *root)
{
    while (root != NULL) {
        tb_toml *next = root->next;
        tb_toml_free(root->children);
        free(root->key);
        free(root->string);
        free(root);
        root = next;
    }
}

const tb_toml *tb_toml_get(const tb_toml *table, const char *key)
{
    if (table == NULL || table->type != TB_TOML_TABLE)
        return NULL;
    for (const tb_toml *child = table->children; child != NULL; child = child->next)
        if (strcmp(child->key, key) == 0)
            return child;
    return NULL;
}

const char *tb_toml_type_name(tb_toml_type type)
{
    static const char *const names[] = {"a table",    "an array", "a string",
                                        "an integer", "a number", "a boolean"};
    return names[type];
}

static json_t *table_to_json(const tb_toml *node)
{
    json_t *object = json_object();
    for (const tb_toml *child = node->children; child != NULL; child = child->next) {
        if (json_object_set_new(object, child->key, tb_toml_to_json(child)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *array_to_json(const tb_toml *node)
{
    json_t *array = json_array();
    for (const tb_toml *child = node->children; child != NULL; child = child->next) {
        if (json_array_append_new(array, tb_toml_to_json(child)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *tb_toml_to_json(const tb_toml *node)
{
    switch (node->type) {
    case TB_TOML_TABLE: return table_to_json(node);
    case TB_TOML_ARRAY: return array_to_json(node);
    case TB_TOML_STRING: return json_string(node->string);
    case TB_TOML_I64: return json_integer(node->i64);
    case TB_TOML_F64: return json_real(node->f64);
    case TB_TOML_BOOL: return json_boolean(node->i64);
    }
    return NULL;
}

static tb_status fail_at(const char *source, uint32_t line, uint32_t column, tb_error *error,
                         const char *format, va_list args)
{
    char message[sizeof error->message];
    vsnprintf(message, sizeof message, format, args);
    if (line == 0)
        return tb_fail(error, TB_E_PARAM, "%s: %s", source, message);
    return tb_fail(error, TB_E_PARAM, "%s:%u:%u: %s", source, line, column, message);
}

tb_status tb_toml_fail(const tb_toml *value, tb_error *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tb_status status = fail_at(value->source, value->line, value->column, error, format, args);
    va_end(args);
    return status;
}

tb_status tb_toml_fail_key(const tb_toml *value, tb_error *error, const char *format, ...)
{
    // an element of an array has no key: its own place is the best there is
    int keyed = value->key_line != 0;
    va_list args;
    va_start(args, format);
    tb_status status = fail_at(value->source, keyed ? value->key_line : value->line,
                               keyed ? value->key_column : value->column, error, format, args);
    va_end(args);
    return status;
}
