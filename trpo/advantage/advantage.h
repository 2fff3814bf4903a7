/* SPDX-License-Identifier: MIT */
#ifndef TRPO_ADVANTAGE_ADVANTAGE_H
#define TRPO_ADVANTAGE_ADVANTAGE_H

#include "trpo/config.h"
#include "trpo/sampling/batch.h"

/* The option's choices, in its order. */
enum { TB_ADVANTAGE_GAE, TB_ADVANTAGE_RETURNS, TB_ADVANTAGE_VTRACE };

/* Fills batch->advantage and batch->target by the estimator that the configuration names; then
 * normalises the advantages, when it says so. The batch was sampled by the policy itself: all
 * ratios of V-trace are 1. */
void tb_estimate_advantages(const tb_learner_config *config, tb_batch *batch);

#endif
