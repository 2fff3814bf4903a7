/* SPDX-License-Identifier: MIT
 *
 * The stratified bootstrap (Agarwal et al. 2021, section 4.1 and appendix A.3; Efron & Tibshirani
 * 1993, "An introduction to the bootstrap", chapter 13): each of B resamples draws, for every task
 * on its own, as many runs as the task has, with replacement; the statistic of the B resamples is a
 * sample of its distribution, and percentiles of that sample are the interval.
 *
 * Resample b is a pure function of (seed, b, numbers of runs): it depends neither on the number of
 * threads nor on the scores. So two calls with the same seed and shape draw the same runs: called
 * for each point of a learning curve, it resamples whole curves.
 */
#ifndef HARNESS_STATS_BOOTSTRAP_H
#define HARNESS_STATS_BOOTSTRAP_H

#include <stdint.h>

#include "harness/stats/scores.h"
#include "trpo/base/base.h"

typedef struct tb_bootstrap_def {
    size_t resamples; /* B >= 1; default 50000 */
    double level;     /* of the interval, in (0, 1); default 0.95 */
    uint64_t seed;    /* default 0 */
} tb_bootstrap_def;

tb_bootstrap_def tb_bootstrap_default(void);

/* A statistic and how sure it is. */
typedef struct tb_estimate {
    double point;     /* of the scores themselves */
    double low, high; /* ends of the interval; NaN = none */
} tb_estimate;

/* Statistics of all B resamples, in the order of their numbers, into out[resamples]. TB_E_PARAM
 * when `def` is out of range or a task has no runs; TB_E_NOMEM. */
tb_status tb_bootstrap_resample(const tb_scores *scores, tb_statistic statistic,
                                const tb_bootstrap_def *def, double *out, tb_error *error);

/* The statistic with its percentile interval [100 (1 - level) / 2, 100 (1 + level) / 2]. The ends
 * are NaN when a resample's statistic is. Errors as above; *out is then untouched. */
tb_status tb_bootstrap_interval(const tb_scores *scores, tb_statistic statistic,
                                const tb_bootstrap_def *def, tb_estimate *out, tb_error *error);

/* The statistic alone: low and high are NaN. TB_E_NOMEM. */
tb_status tb_bootstrap_point(const tb_scores *scores, tb_statistic statistic, tb_estimate *out,
                             tb_error *error);

#endif
