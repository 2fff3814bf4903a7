/* SPDX-License-Identifier: MIT
 *
 * What a figure shows, worked out before a line of gnuplot is written.
 *
 * Legend: a series is one policy x algorithm, with the same colour and dash in every panel; a panel
 * is one environment.
 */
#ifndef HARNESS_REPORT_FIGURE_H
#define HARNESS_REPORT_FIGURE_H

#include "harness/report/analysis.h"

typedef struct tb__series {
    size_t policy, algorithm;
    char *title;
} tb__series;

typedef struct tb__panel {
    size_t env;
    const char *name;        /* "classic__CartPole-v1": borrowed */
    const char *title;       /* the environment's label, short where that is clear: borrowed */
    double x_max;            /* steps; > 0 */
    double x_tic;            /* distance of tics */
    double y_low, y_high;    /* y_low < y_high */
    double y_tic;            /* distance of tics */
    double threshold;        /* NaN = none or not shown */
    const tb__curve *curves; /* [n_curves] of this environment: borrowed */
    size_t n_curves;
    int has_data;
} tb__panel;

typedef struct tb__figure {
    tb__series *series;
    size_t n_series;
    tb__panel *panels;
    size_t n_panels;
} tb__figure;

/* TB_E_NOMEM. On failure *out is finished. `curves` has one entry for each group and must outlive
 * the figure. */
tb_status tb__figure_make(const tb__report *report, const tb__curve *curves, tb__figure *out,
                          tb_error *error);
void tb__figure_finish(tb__figure *figure);

/* Index of the series of a policy and algorithm. */
size_t tb__series_of(const tb__figure *figure, size_t policy, size_t algorithm);

/* 1, 2, 2.5 or 5 times a power of ten: the smallest such distance with at most `n` steps in
 * `span` > 0. */
double tb__nice_step(double span, int n);

#endif
