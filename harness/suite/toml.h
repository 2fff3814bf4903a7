/* SPDX-License-Identifier: MIT
 *
 * TOML 1.0 as a tree of plain C structs in which every key and value knows its line and column.
 * toml.cpp is the only C++ file of the program: no type and no exception of toml++ leaves it.
 */
#ifndef HARNESS_SUITE_TOML_H
#define HARNESS_SUITE_TOML_H

#include <jansson.h>

#include "trpo/base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tb_toml_type {
    TB_TOML_TABLE,
    TB_TOML_ARRAY,
    TB_TOML_STRING,
    TB_TOML_I64,
    TB_TOML_F64,
    TB_TOML_BOOL
} tb_toml_type;

/* A value: one node. Nodes belong to the tree; strings live as long as it. */
typedef struct tb_toml {
    tb_toml_type type;
    const char *source;       /* what tb_toml_parse was given as `source`; borrowed from there */
    uint32_t line, column;    /* of the value, from 1; columns count code points */
    uint32_t key_line;        /* of the key; 0 in arrays and at the root */
    uint32_t key_column;      /* likewise */
    char *key;                /* NULL in arrays and at the root */
    char *string;             /* STRING: UTF-8 without NUL; else NULL */
    int64_t i64;              /* I64, and BOOL as 0 or 1 */
    double f64;               /* F64: finite */
    struct tb_toml *children; /* TABLE, ARRAY: the first child, in the order of the text */
    struct tb_toml *next;     /* the next sibling */
} tb_toml;

/* Parses `length` bytes of TOML. `source` ("suites/a.toml") begins every message and must outlive
 * the tree. TB_E_PARAM with `source:line:column: why` for what TOML forbids, and for what no suite
 * has a use for: nan and inf, dates and times, integers beyond 64 bits, NUL in strings, and more
 * than 64 levels. TB_E_NOMEM. On success *root is a table; free it with tb_toml_free. */
tb_status tb_toml_parse(const char *source, const char *text, size_t length, tb_toml **root,
                        tb_error *error);
void tb_toml_free(tb_toml *root); /* takes NULL */

/* The child of this key, or NULL. `table` may be NULL. */
const tb_toml *tb_toml_get(const tb_toml *table, const char *key);

/* "an integer", "a table": the node's type as messages say it. Static. */
const char *tb_toml_type_name(tb_toml_type type);

/* The value as JSON (a new reference); NULL when out of memory. */
json_t *tb_toml_to_json(const tb_toml *node);

/* tb_fail with `source:line:column: ` in front: the place of the value, or of its key. A node of
 * line 0 (--set) has only a source. Returns TB_E_PARAM. */
tb_status tb_toml_fail(const tb_toml *value, tb_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
tb_status tb_toml_fail_key(const tb_toml *value, tb_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif
