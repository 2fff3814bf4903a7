/* SPDX-License-Identifier: MIT
 *
 * The critic that is a network of the policy ABI with one output, fitted to value targets by Adam
 * or L-BFGS on the mean squared error. The network predicts (V - shift) / scale; shift and scale
 * follow the targets' running mean and deviation, so that tasks with returns of 1 and of 1000 need
 * no different learning rate. With the time feature its inputs are the row's and, after them, the
 * steps done of the episode times time_scale.
 */
#ifndef TRPO_VALUE_NETWORK_H
#define TRPO_VALUE_NETWORK_H

#include "trpo/net/features.h"
#include "trpo/value/critic.h"
#include "trpo/value/lbfgs.h"

enum { TB_OPTIMIZER_ADAM, TB_OPTIMIZER_LBFGS };

typedef struct tb_network_critic {
    tb_net net;
    tb_net_batch *whole; /* for a batch of max_rows */
    double *gradient;    /* [P] */
    double *out;         /* [max_rows] network outputs */
    double *wanted;      /* [max_rows, or minibatch for Adam] targets in the network's units */
    tb_moments targets;  /* of all batches so far */
    double shift, scale; /* V = shift + scale * output */

    int normalize_targets, optimizer;
    uint64_t seed;

    /* the time feature; NULL without it */
    void *inputs; /* [max_rows][I + 1] */
    double time_scale;

    /* Adam */
    double *state;      /* [2 P + 1] */
    tb_net_batch *part; /* for one minibatch */
    size_t minibatch;   /* rows */
    void *x;            /* [minibatch][inputs] gathered inputs */
    uint32_t *order;    /* [max_rows] */
    int64_t epochs;
    double learning_rate;

    /* L-BFGS: every fit starts without a history, for every batch is another function */
    tb_lbfgs lbfgs;
    int64_t iterations;
} tb_network_critic;

#endif
