/* SPDX-License-Identifier: MIT */
#ifndef TRPO_ADVANTAGE_RETURNS_H
#define TRPO_ADVANTAGE_RETURNS_H

#include "trpo/sampling/batch.h"

/* Fills batch->target with discounted returns, R_t = r_t + gamma R_t+1, and batch->advantage with
 * R_t - V(s_t). Behind a termination follows 0; where the episode was truncated or the batch ended,
 * the critic's value of the observation that came next (a critic that is 0 gives plain Monte-Carlo
 * returns). Equal to tb_gae() with lambda = 1 but for rounding. */
void tb_returns(tb_batch *batch, double gamma);

#endif
