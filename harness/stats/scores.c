/* SPDX-License-Identifier: MIT */
#include "harness/stats/scores.h"

#include "harness/stats/sample.h"

// writes each task's mean over the front of `values`: task m's runs start at or behind place m
// because no task before it is empty; an empty one gives NaN and is found first
static int reduce_to_task_means(double *values, const size_t *start, size_t n_tasks)
{
    for (size_t m = 0; m < n_tasks; m++)
        if (start[m + 1] == start[m])
            return 0;
    for (size_t m = 0; m < n_tasks; m++)
        values[m] = tb_stats_mean(values + start[m], start[m + 1] - start[m]);
    return 1;
}

double tb_scores_mean(double *values, const size_t *start, size_t n_tasks)
{
    return tb_stats_mean(values, reduce_to_task_means(values, start, n_tasks) ? n_tasks : 0);
}

double tb_scores_median(double *values, const size_t *start, size_t n_tasks)
{
    return tb_stats_median(values, reduce_to_task_means(values, start, n_tasks) ? n_tasks : 0);
}

double tb_scores_iqm(double *values, const size_t *start, size_t n_tasks)
{
    return tb_stats_iqm(values, start[n_tasks]);
}

double tb_scores_optimality_gap(double *values, const size_t *start, size_t n_tasks)
{
    return tb_stats_optimality_gap(values, start[n_tasks], 1);
}

double tb_scores_run_median(double *values, const size_t *start, size_t n_tasks)
{
    return tb_stats_median(values, start[n_tasks]);
}
