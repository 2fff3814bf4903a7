/* SPDX-License-Identifier: MIT
 *
 * A table of plain texts that renders as Markdown (columns padded, so that it reads well in a
 * terminal) and as LaTeX (booktabs).
 */
#ifndef HARNESS_REPORT_GRID_H
#define HARNESS_REPORT_GRID_H

#include <stdio.h>

#include "trpo/base/base.h"

enum { TB__GRID_MAX_COLUMNS = 16 };

typedef struct tb__grid_column {
    const char *title; /* borrowed; plain text */
    int right;         /* 1: numbers, aligned right */
} tb__grid_column;

typedef struct tb__grid {
    const tb__grid_column *columns; /* borrowed */
    size_t n_columns;               /* up to TB__GRID_MAX_COLUMNS */
    char **cells;                   /* [n_rows][n_columns] */
    size_t n_rows, capacity;
    int failed; /* out of memory: some cell is missing */
} tb__grid;

void tb__grid_init(tb__grid *grid, const tb__grid_column *columns, size_t n_columns);
void tb__grid_finish(tb__grid *grid);

/* Appends the next cell, row by row; `text` is copied. Failure is remembered in grid->failed. */
void tb__grid_add(tb__grid *grid, const char *text);

void tb__grid_markdown(const tb__grid *grid, FILE *out);

/* A tabular environment with \toprule, \midrule, \bottomrule; a little space where the first column
 * changes, whose repeated texts are left out. */
void tb__grid_latex(const tb__grid *grid, FILE *out);

#endif
