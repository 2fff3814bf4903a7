/* SPDX-License-Identifier: MIT */
#ifndef TRPO_ADVANTAGE_RETURN_SCALER_H
#define TRPO_ADVANTAGE_RETURN_SCALER_H

#include "trpo/net/features.h"
#include "trpo/sampling/batch.h"

/* Rewards in units of the discounted return's deviation. The running return of a lane, R = gamma R
 * + r from each episode's first step on (over the ends of batches), is gathered at every step; its
 * deviation over all batches before this one divides the rewards of this one (as VecNormalize of
 * Stable-Baselines3 does at every step). */
typedef struct tb_return_scaler {
    size_t lanes;
    double *running;    /* [lanes] R of the episode under way */
    tb_moments returns; /* of R, of all batches so far */
    tb_moments lane;    /* work: of one lane's R in this batch */
} tb_return_scaler;

tb_status tb_return_scaler_init(tb_return_scaler *scaler, size_t lanes, tb_error *error);
void tb_return_scaler_finish(tb_return_scaler *scaler);

/* reward = reward / (deviation of R + 1e-8), clipped to +-clip, with the statistics of the batches
 * before; these take in this batch's R, made from raw rewards, lane by lane. The first batch is
 * scaled by its own: raw rewards would leave the critic with targets of another size. */
void tb_return_scaler_apply(tb_return_scaler *scaler, tb_batch *batch, double gamma, double clip);

void tb_return_scaler_visit(tb_return_scaler *scaler, tb_state_visitor *visitor);

#endif
