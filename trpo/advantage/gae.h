/* SPDX-License-Identifier: MIT */
#ifndef TRPO_ADVANTAGE_GAE_H
#define TRPO_ADVANTAGE_GAE_H

#include "trpo/sampling/batch.h"

/* Fills batch->advantage and batch->target by GAE(lambda) (Schulman et al. 2016, eq. 16):
 *   delta_t = r_t + gamma V(s_t+1) - V(s_t),   A_t = delta_t + gamma lambda A_t+1.
 * V(s_t+1) is 0 only where the episode terminated; where it was truncated, and at the end of the
 * batch, it is the critic's value of the observation that came next. The recursion is cut at both
 * kinds of end. lambda = 1 with a critic of 0 gives rewards-to-go. */
void tb_gae(tb_batch *batch, double gamma, double lambda);

/* advantage = (advantage - mean) / (standard deviation + 1e-8) over the whole batch, with its
 * weights. */
void tb_normalize_advantages(tb_batch *batch);

/* 1 - Var(target - value) / Var(target): 1 is a perfect critic, 0 no better than a constant; NaN
 * when the targets do not vary. `value` may be another prediction than the batch's. */
double tb_explained_variance(const double *value, const double *target, size_t n);

#endif
