/* SPDX-License-Identifier: MIT
 *
 * Option tables: one row per key says name, type, place in a struct, default, range and meaning.
 * The suite parser, the help texts, the run record and docs/algorithms.md all read the same rows,
 * so a key exists in exactly one place.
 */
#ifndef TRPO_BASE_OPTION_H
#define TRPO_BASE_OPTION_H

#include "trpo/base/base.h"

typedef enum tb_option_type {
    TB_OPTION_I64,  /* int64_t */
    TB_OPTION_F64,  /* double; takes integers too */
    TB_OPTION_BOOL, /* int32_t 0 or 1 */
    TB_OPTION_ENUM  /* int32_t: index into `choices` */
} tb_option_type;

typedef struct tb_option {
    const char *key; /* "max_kl" */
    tb_option_type type;
    size_t offset;       /* of the member in the struct that the table describes */
    double def;          /* default (ENUM: index of the default choice) */
    double low, high;    /* inclusive range of numbers; -INFINITY, INFINITY when unbounded */
    const char *choices; /* ENUM: "mean|sum", separated by '|'; else NULL */
    const char *doc;     /* one sentence: meaning, unit, source */
} tb_option;

/* A table ends with a row whose key is NULL. */

/* Writes every default into `base`. */
void tb_options_default(const tb_option *table, void *base);

/* The row of `key`, or NULL. */
const tb_option *tb_option_find(const tb_option *table, const char *key);

/* A value of any option type, as a suite gives it. */
typedef struct tb_value {
    enum { TB_VALUE_I64, TB_VALUE_F64, TB_VALUE_BOOL, TB_VALUE_STRING } type;
    int64_t i64; /* I64, and BOOL as 0 or 1 */
    double f64;
    const char *string; /* borrowed */
} tb_value;

/* Checks type and range and stores. TB_E_PARAM with a message such as `"max_kl" must be a number
 * from 1e-12 to 10, not -0.01` (without place: the caller knows the file and line). */
tb_status tb_option_set(const tb_option *option, void *base, const tb_value *value,
                        tb_error *error);

/* The stored value; an ENUM comes back as its string. *string_buffer must hold 64 bytes and outlive
 * *value. */
void tb_option_get(const tb_option *option, const void *base, tb_value *value,
                   char string_buffer[64]);

/* Copies choice number i of "a|b|c" into `out`; returns 0 when there is none. */
int tb_option_choice(const tb_option *option, int i, char out[64]);

#endif
