/* SPDX-License-Identifier: MIT
 *
 * Sampled gradients beside exact ones. A learner samples a finite process with a tabular softmax
 * policy and the exact V as its critic, and what its update would get as gradient of the surrogate
 * is kept instead of followed: sampler, vine, advantages, weights and gradient are those of every
 * run. The same estimators' exact expectations come from the model.
 *
 * Legend: S states, A actions, n = S A numbers of a gradient by the softmax logits theta(s, a), H
 * steps of an episode at most, K actions of a vine's state.
 */
#ifndef TRPO_THEORY_ESTIMATOR_H
#define TRPO_THEORY_ESTIMATOR_H

#include "trpo/config.h"
#include "trpo/sampling/actor.h"
#include "trpo/theory/exact.h"

typedef struct tb_estimator_def {
    const tb_exact *at;         /* the evaluated policy; gamma is its process's */
    tb_env_maker make_env;      /* an environment that plays the process, and shows its state */
    void *ctx;                  /* of make_env */
    uint64_t max_episode_steps; /* H >= 1 */
    /* Reads: sampling, lanes, batch_steps, lambda, advantage, discounted_states, and of a vine all
     * but its preset. Everything is raw: nothing is normalised, the critic is V itself. */
    tb_learner_config config;
    uint64_t seed;
} tb_estimator_def;

/* The options of def.config that are read: rows of tb_learner_options. Not for several threads at
 * once. */
const tb_option *tb_estimator_options(void);

/* Samples n_batches batches one after the other: gradients [n_batches][S A] of the surrogate by
 * theta, steps [n_batches] environment steps, branches too. With discounted_states a batch's
 * gradient is multiplied by the mean of gamma^t, which its weights had been divided by: what is
 * left is a plain mean, whose expectation is exact. Errors of the learner: TB_E_PARAM when the
 * options do not fit the process, TB_E_NOMEM. */
tb_status tb_estimator_sample(const tb_estimator_def *def, size_t n_batches, double *gradients,
                              uint64_t *steps, tb_error *error);

/* target [S A]: the gradient that the estimator is about, sum_a share(s) pi(a|s) A(s,a) by theta,
 * where share(s) is the share of s among the rows of trajectories that follow each other (undis-
 * counted), or of gamma^t over these rows (discounted_states: then target is the gradient of eta,
 * up to its length, but for what H cuts off). expectation [S A]: that of the estimate, which
 * differs with sampled actions: (K - 1) / K of the target, or of self-normalised weights with q !=
 * pi what trpo/theory/snis.h says. TB_E_PARAM when that is too much to enumerate. */
tb_status tb_estimator_expectation(const tb_estimator_def *def, double *target, double *expectation,
                                   tb_error *error);

#endif
