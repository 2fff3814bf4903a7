/* SPDX-License-Identifier: MIT
 *
 * What every gnuplot script shares: colours, line types, and one page for each kind of file.
 */
#ifndef HARNESS_REPORT_PAGE_H
#define HARNESS_REPORT_PAGE_H

#include <stddef.h>
#include <stdio.h>

/* "0072B2": colour of series i, from a palette that every kind of colour vision can tell apart. */
const char *tb__page_colour(size_t i);

/* Settings of the whole script, with line types 1 to n_series for the series and `threshold`, the
 * style of a thin grey line, as a macro. */
void tb__page_theme(size_t n_series, FILE *out);

/* Begins a loop over svg, pdf and png, all of width x height inches in print, written to
 * `name`.<kind>, and a multiplot in it. */
void tb__page_begin(double width, double height, const char *name, FILE *out);
void tb__page_end(FILE *out);

#endif
