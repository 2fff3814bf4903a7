/* SPDX-License-Identifier: MIT
 *
 * Statistics of one sample x[n]: pure functions, no memory, no files.
 *
 * Rules common to all: a NaN anywhere gives NaN (never a silently smaller sample), n == 0 gives
 * NaN, infinities are ordinary ends of the order. `const` inputs are left alone; the others are
 * reordered, which is what saves a copy inside the bootstrap's loop.
 */
#ifndef HARNESS_STATS_SAMPLE_H
#define HARNESS_STATS_SAMPLE_H

#include <stddef.h>

/* sum x_i / n. */
double tb_stats_mean(const double *x, size_t n);

/* Sample standard deviation, divisor n - 1, two passes. NaN for n < 2. */
double tb_stats_sd(const double *x, size_t n);

/* Middle of the order; mean of the two middle values for even n. Reorders x. */
double tb_stats_median(double *x, size_t n);

/* Interquartile mean: the mean of what is left after cutting k = floor(n / 4) values at each end
 * (Agarwal et al. 2021, "Deep RL at the edge of the statistical precipice", section 4.3; the 25 %
 * trimmed mean without fractional weights). Reorders x.
 * Rationale: whole values only, so that the number equals the field's reference implementation. */
double tb_stats_iqm(double *x, size_t n);

/* gamma - mean(min(x, gamma)): how far the scores fall short of the target gamma, nothing gained by
 * going beyond it; lower is better (Agarwal et al. 2021, section 4.3). Usual gamma: 1. */
double tb_stats_optimality_gap(const double *x, size_t n, double gamma);

/* The q-th percentile, 0 <= q <= 100, linear between the order statistics around q/100 * (n - 1)
 * (type 7 of Hyndman & Fan 1996, "Sample quantiles in statistical packages"). Linear time on
 * average. Reorders x. NaN for q outside its range. */
double tb_stats_percentile(double *x, size_t n, double q);

/* Ascending order; x must hold no NaN. */
void tb_stats_sort(double *x, size_t n);

#endif
