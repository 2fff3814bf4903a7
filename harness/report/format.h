/* SPDX-License-Identifier: MIT
 *
 * Numbers and words for people (Markdown, LaTeX), for programs (CSV, TSV) and for gnuplot.
 */
#ifndef HARNESS_REPORT_FORMAT_H
#define HARNESS_REPORT_FORMAT_H

#include <stddef.h>
#include <stdio.h>

#include "trpo/base/base.h"

enum { TB__NUMBER_SIZE = 40 };

/* Digits behind the point that say as much as is known: two significant digits of `uncertainty`
 * (half the width of an interval, or a standard deviation), at most 6. -1 when it is zero or not
 * finite: nothing is known. */
int tb__decimals(double uncertainty);

/* The number with so many decimals; "%.6g" for decimals < 0; scientific from 10 million on; "nan",
 * "inf", "-inf"; never "-0.0". */
void tb__format_number(char out[TB__NUMBER_SIZE], double value, int decimals);

/* "%.17g" (round-trips); NaN of either sign is "nan". */
void tb__put_number(FILE *out, double value);

/* Environment steps: "0", "500", "20k", "1.5M". */
void tb__format_steps(char out[TB__NUMBER_SIZE], double steps);

/* 50000 as "50,000". */
void tb__format_count(char out[TB__NUMBER_SIZE], int64_t count);

/* Each writes `text` so that the reader shows it as it is; line breaks become spaces. */
void tb__put_csv(FILE *out, const char *text);      /* quoted when it has to be */
void tb__put_markdown(FILE *out, const char *text); /* inside a table's cell or a list */
void tb__put_latex(FILE *out, const char *text);
void tb__put_gnuplot(FILE *out, const char *text); /* with its single quotes */

/* A file that is complete or absent: text is collected in memory, then written beside its place and
 * renamed. */
typedef struct tb__output {
    FILE *file; /* write here; NULL when out of memory */
    char *text;
    size_t size;
} tb__output;

/* TB_E_NOMEM. */
tb_status tb__output_open(tb__output *output, tb_error *error);

/* Writes dir/name and ends the output; TB_E_IO with the path. After another failure (`status` not
 * TB_OK) only ends the output and returns `status`. */
tb_status tb__output_commit(tb__output *output, tb_status status, const char *dir, const char *name,
                            tb_error *error);

/* Makes the folder dir/name unless it is there; TB_E_IO with the path. */
tb_status tb__make_folder(const char *dir, const char *name, tb_error *error);

#endif
