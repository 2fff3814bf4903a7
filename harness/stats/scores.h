/* SPDX-License-Identifier: MIT
 *
 * Scores of many runs on many tasks, and the numbers that sum them up (Agarwal et al. 2021, "Deep
 * RL at the edge of the statistical precipice", section 4.3).
 *
 * Legend: M tasks, N_m runs of task m (they may differ: a failed run leaves a ragged table),
 * S[m][n] score of run n on task m, normalised when tasks are put together.
 */
#ifndef HARNESS_STATS_SCORES_H
#define HARNESS_STATS_SCORES_H

#include <stddef.h>

/* A borrowed view: the scores of task m are values[start[m] .. start[m + 1] - 1]. */
typedef struct tb_scores {
    const double *values; /* [start[n_tasks]] */
    const size_t *start;  /* [n_tasks + 1], ascending from 0 */
    size_t n_tasks;       /* M */
} tb_scores;

/* A statistic of a table of scores. `values` has the layout of tb_scores and may be reordered
 * inside each task and across tasks: it is scratch. `start` is const. NaN in, NaN out; NaN when a
 * task that it needs is empty. */
typedef double (*tb_statistic)(double *values, const size_t *start, size_t n_tasks);

/* mean_m(mean_n S): every task weighs the same, whatever its number of runs. */
double tb_scores_mean(double *values, const size_t *start, size_t n_tasks);

/* median_m(mean_n S): median over tasks of the mean over runs. */
double tb_scores_median(double *values, const size_t *start, size_t n_tasks);

/* Interquartile mean of all runs of all tasks pooled. */
double tb_scores_iqm(double *values, const size_t *start, size_t n_tasks);

/* Optimality gap at gamma = 1 of all runs of all tasks pooled. */
double tb_scores_optimality_gap(double *values, const size_t *start, size_t n_tasks);

/* Median of all runs of all tasks pooled: what "median" means for a single task. */
double tb_scores_run_median(double *values, const size_t *start, size_t n_tasks);

#endif
