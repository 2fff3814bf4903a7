/* SPDX-License-Identifier: MIT
 *
 * Reads the numeric CSV files that a run writes (docs/results.md): a header line, then rows of
 * numbers. Columns are found by name, so files may gain columns and change their order.
 */
#ifndef HARNESS_STORE_CSV_H
#define HARNESS_STORE_CSV_H

#include "trpo/base/base.h"

typedef struct tb_csv {
    double *values; /* [n_rows][n_columns], row-major; the wanted columns in the order asked for */
    size_t n_rows, n_columns;
} tb_csv;

/* Reads the wanted columns of the file at `path`. An empty field is NaN; "nan", "inf" and "-inf"
 * are numbers; lines may end in \r\n. Errors name file and line: TB_E_IO when the file cannot be
 * read; TB_E_CORRUPT for a missing column, a row with another number of fields than the header, a
 * wanted field that is not a number, a NUL byte, or a last line without its newline (the file was
 * cut off). On success finish *out with tb_csv_finish. */
tb_status tb_csv_read(const char *path, const char *const *columns, size_t n_columns, tb_csv *out,
                      tb_error *error);

/* Frees what tb_csv_read allocated; takes a zeroed struct too. */
void tb_csv_finish(tb_csv *csv);

#endif
