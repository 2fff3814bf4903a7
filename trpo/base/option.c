/* SPDX-License-Identifier: MIT */
#include "trpo/base/option.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void *member(const tb_option *option, void *base)
{
    return (char *)base + option->offset;
}

static void store_number(const tb_option *option, void *base, double value)
{
    switch (option->type) {
    case TB_OPTION_I64: *(int64_t *)member(option, base) = (int64_t)value; break;
    case TB_OPTION_F64: *(double *)member(option, base) = value; break;
    case TB_OPTION_BOOL:
    case TB_OPTION_ENUM: *(int32_t *)member(option, base) = (int32_t)value; break;
    }
}

void tb_options_default(const tb_option *table, void *base)
{
    for (const tb_option *option = table; option->key != NULL; option++)
        store_number(option, base, option->def);
}

const tb_option *tb_option_find(const tb_option *table, const char *key)
{
    for (const tb_option *option = table; option->key != NULL; option++)
        if (strcmp(option->key, key) == 0)
            return option;
    return NULL;
}

int tb_option_choice(const tb_option *option, int i, char out[64])
{
    const char *at = option->choices;
    for (int k = 0; at != NULL && k < i; k++) {
        at = strchr(at, '|');
        if (at != NULL)
            at++;
    }
    if (at == NULL)
        return 0;
    size_t n = strcspn(at, "|");
    TB_ASSERT(n < 64);
    memcpy(out, at, n);
    out[n] = '\0';
    return 1;
}

static tb_status range_error(const tb_option *option, double found, tb_error *error)
{
    const char *noun = option->type == TB_OPTION_I64 ? "an integer" : "a number";
    if (isinf(option->low) && isinf(option->high))
        return tb_fail(error, TB_E_PARAM, "\"%s\" must be finite, not %g", option->key, found);
    if (isinf(option->high))
        return tb_fail(error, TB_E_PARAM, "\"%s\" must be %s of at least %g, not %.17g",
                       option->key, noun, option->low, found);
    return tb_fail(error, TB_E_PARAM, "\"%s\" must be %s from %g to %g, not %.17g", option->key,
                   noun, option->low, option->high, found);
}

static tb_status type_error(const tb_option *option, const tb_value *value, const char *expected,
                            tb_error *error)
{
    switch (value->type) {
    case TB_VALUE_I64:
        return tb_fail(error, TB_E_PARAM, "\"%s\" must be %s, not the integer %lld", option->key,
                       expected, (long long)value->i64);
    case TB_VALUE_F64:
        return tb_fail(error, TB_E_PARAM, "\"%s\" must be %s, not the number %g", option->key,
                       expected, value->f64);
    case TB_VALUE_BOOL:
        return tb_fail(error, TB_E_PARAM, "\"%s\" must be %s, not the boolean %s", option->key,
                       expected, value->i64 ? "true" : "false");
    case TB_VALUE_STRING:
        return tb_fail(error, TB_E_PARAM, "\"%s\" must be %s, not the string \"%s\"", option->key,
                       expected, value->string);
    }
    return TB_E_PARAM;
}

static tb_status set_enum(const tb_option *option, void *base, const tb_value *value,
                          tb_error *error)
{
    if (value->type != TB_VALUE_STRING)
        return type_error(option, value, "a string", error);
    char choice[64];
    for (int i = 0; tb_option_choice(option, i, choice); i++) {
        if (strcmp(choice, value->string) == 0) {
            *(int32_t *)member(option, base) = i;
            return TB_OK;
        }
    }
    return tb_fail(error, TB_E_PARAM, "\"%s\" must be one of %s, not \"%s\"", option->key,
                   option->choices, value->string);
}

tb_status tb_option_set(const tb_option *option, void *base, const tb_value *value, tb_error *error)
{
    switch (option->type) {
    case TB_OPTION_BOOL:
        if (value->type != TB_VALUE_BOOL)
            return type_error(option, value, "true or false", error);
        *(int32_t *)member(option, base) = value->i64 != 0;
        return TB_OK;
    case TB_OPTION_ENUM: return set_enum(option, base, value, error);
    case TB_OPTION_I64:
        if (value->type != TB_VALUE_I64)
            return type_error(option, value, "an integer", error);
        if (!((double)value->i64 >= option->low && (double)value->i64 <= option->high))
            return range_error(option, (double)value->i64, error);
        *(int64_t *)member(option, base) = value->i64;
        return TB_OK;
    case TB_OPTION_F64: break;
    }
    if (value->type != TB_VALUE_F64 && value->type != TB_VALUE_I64)
        return type_error(option, value, "a number", error);
    double x = value->type == TB_VALUE_F64 ? value->f64 : (double)value->i64;
    if (!isfinite(x) || !(x >= option->low && x <= option->high))
        return range_error(option, x, error);
    *(double *)member(option, base) = x;
    return TB_OK;
}

void tb_option_get(const tb_option *option, const void *base, tb_value *value,
                   char string_buffer[64])
{
    const char *at = (const char *)base + option->offset;
    memset(value, 0, sizeof *value);
    switch (option->type) {
    case TB_OPTION_I64:
        value->type = TB_VALUE_I64;
        value->i64 = *(const int64_t *)(const void *)at;
        break;
    case TB_OPTION_F64:
        value->type = TB_VALUE_F64;
        value->f64 = *(const double *)(const void *)at;
        break;
    case TB_OPTION_BOOL:
        value->type = TB_VALUE_BOOL;
        value->i64 = *(const int32_t *)(const void *)at;
        break;
    case TB_OPTION_ENUM:
        value->type = TB_VALUE_STRING;
        TB_ASSERT(tb_option_choice(option, *(const int32_t *)(const void *)at, string_buffer));
        value->string = string_buffer;
        break;
    }
}
