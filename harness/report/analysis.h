/* SPDX-License-Identifier: MIT
 *
 * From runs to numbers: the rows of the tables and the points of the learning curves.
 */
#ifndef HARNESS_REPORT_ANALYSIS_H
#define HARNESS_REPORT_ANALYSIS_H

#include "harness/report/data.h"
#include "harness/stats/bootstrap.h"

enum { TB__MIN_RUNS = 3 }; /* with fewer runs there is no interval: it would claim too much */

/* One row of a table. Statistics are over complete runs only; NaN where there are too few. */
typedef struct tb__row {
    const tb__group *group;   /* NULL: over all environments, normalised */
    size_t policy, algorithm; /* indices into the suite */
    size_t n_ok, n_failed, n_missing;
    double sd;                     /* over runs; NaN for the rows over all environments */
    tb_estimate mean, median, iqm; /* of runs; over all environments: tb_scores_* */
    tb_estimate gap;               /* optimality gap at 1; NaN for a single environment */
} tb__row;

typedef struct tb__tables {
    tb__row *rows; /* [n_rows] in the order of report->groups */
    size_t n_rows;
    tb__row *all; /* [n_all] policy-major, then algorithm; none unless every scale is known */
    size_t n_all;
    size_t n_envs; /* environments behind `all` */
    int ragged;    /* cells have different numbers of complete runs */
    int few;       /* some row has runs, but too few for an interval */
} tb__tables;

/* Computes all rows. TB_E_NOMEM, TB_E_PARAM. On failure *out is finished. */
tb_status tb__tables_make(const tb__report *report, tb__tables *out, tb_error *error);
void tb__tables_finish(tb__tables *tables);

/* The learning curve of a group: IQM over its complete runs at each evaluation. Evaluations of
 * different runs belong to one point when they are of the same multiple of eval_every, or the last
 * ones; most are at the same step, those of vine sampling are not. */
typedef struct tb__curve {
    const tb__group *group;
    const tb__run **runs; /* [n_runs] the complete runs */
    size_t n_runs;
    double *steps;  /* [n_points] ascending: mean over the runs that evaluated there */
    double *values; /* [n_points][n_runs] mean return; NaN = this run did not evaluate */
    tb_estimate
        *estimates; /* [n_points] over the runs with a finite value; NaN ends without band */
    size_t *counts; /* [n_points] number of those runs */
    size_t n_points;
    size_t n_not_finite; /* values that are NaN or infinite and so are not drawn */
} tb__curve;

/* Computes the curve of `group`; a group without complete runs gives n_points == 0. TB_E_NOMEM. On
 * failure *out is finished. */
tb_status tb__curve_make(const tb__report *report, const tb__group *group, tb__curve *out,
                         tb_error *error);
void tb__curve_finish(tb__curve *curve);

#endif
