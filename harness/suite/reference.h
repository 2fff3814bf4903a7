/* SPDX-License-Identifier: MIT
 *
 * Option tables and parameter schemas as words: for `trpo-bench list` and docs/suites.md.
 */
#ifndef HARNESS_SUITE_REFERENCE_H
#define HARNESS_SUITE_REFERENCE_H

#include <stdio.h>

#include "harness/plugin/catalog.h"
#include "trpo/base/option.h"

/* One key in words. */
typedef struct tb_reference_row {
    const char *key;        /* borrowed */
    char type[24];          /* "integer", "number", "boolean", "string", "array of numbers" */
    char default_text[128]; /* as it would be written in TOML */
    char range[256];        /* "0 to 1", "at least 1", "f32, f64"; "" = any */
    const char *doc;        /* borrowed */
} tb_reference_row;

tb_reference_row tb_reference_option(const tb_option *option);
tb_reference_row tb_reference_param(const tb_catalog_param *param);

/* The tables of docs/suites.md: run options, learner options, each algorithm's own, as Markdown.
 * TB_E_IO when `out` fails. */
tb_status tb_reference_markdown(FILE *out, tb_error *error);

#endif
