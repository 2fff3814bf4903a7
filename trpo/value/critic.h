/* SPDX-License-Identifier: MIT
 *
 * The state-value function V(s): a network of the policy ABI with one output, fitted to value
 * targets by Adam on the mean squared error. The network predicts (V - shift) / scale; shift and
 * scale follow the targets' running mean and deviation, so that tasks with returns of 1 and of 1000
 * need no different learning rate.
 */
#ifndef TRPO_VALUE_CRITIC_H
#define TRPO_VALUE_CRITIC_H

#include "trpo/config.h"
#include "trpo/iteration.h"
#include "trpo/net/features.h"
#include "trpo/net/net.h"
#include "trpo/sampling/batch.h"

typedef struct tb_critic {
    tb_net net;
    tb_net_batch *whole; /* for a batch of max_rows */
    tb_net_batch *part;  /* for one minibatch */
    size_t minibatch;    /* rows */
    double *state;       /* Adam's */
    double *gradient;    /* [P] */
    double *out;         /* [max_rows] network outputs */
    void *x;             /* [minibatch][I] gathered inputs */
    double *wanted;      /* [minibatch] gathered targets, in the network's units */
    uint32_t *order;     /* [max_rows] */
    tb_moments targets;  /* of all batches so far */
    double shift, scale; /* V = shift + scale * output */
    uint64_t seed;
} tb_critic;

/* Takes the map over. */
tb_status tb_critic_init(tb_critic *critic, const tb_map_api *api, tb_map *map,
                         const tb_map_spec *spec, const tb_learner_config *config, size_t max_rows,
                         uint64_t seed, tb_error *error);
void tb_critic_finish(tb_critic *critic);

/* values [rows] of x [rows][I]. */
tb_status tb_critic_values(tb_critic *critic, const void *x, size_t rows, double *values,
                           tb_error *error);

/* Fits batch->target; fills the critic part of *log. `iteration` names the random order of the
 * minibatches. */
tb_status tb_critic_fit(tb_critic *critic, const tb_learner_config *config, const tb_batch *batch,
                        uint64_t iteration, tb_iteration *log, tb_error *error);

#endif
