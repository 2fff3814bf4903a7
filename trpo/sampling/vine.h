/* SPDX-License-Identifier: MIT
 *
 * Vine sampling (Schulman et al. 2015, section 5.2). Trunk rollouts are what the sampler plays; N
 * of the states they visit, drawn without replacement, are the rollout set. From each of them K
 * actions are tried, S times each, by branches of at most T steps that follow the policy, and
 *
 *   Q-hat(s_n, a_k) = mean over S of  sum_{t < tau} gamma^t r_t + gamma^tau V(s_tau)
 *
 * with V = 0 where a branch terminated, and the critic's value where it was cut after T steps or by
 * the time limit. Out comes a batch whose rows are the rollout set: the update neither knows nor
 * cares where it is from.
 *
 * Common random numbers: the K branches of trial s of a state share the policy's uniforms and the
 * environment's random stream; only their first actions differ.
 *
 * Legend: N states, K actions a state, S trials, T steps, I network inputs, A action entries.
 */
#ifndef TRPO_SAMPLING_VINE_H
#define TRPO_SAMPLING_VINE_H

#include "trpo/config.h"
#include "trpo/sampling/actor.h"
#include "trpo/sampling/stage.h"

typedef struct tb_vine tb_vine;

/* Checks the options against the task: TB_E_PARAM when the rollout set is larger than a trunk of
 * `trunk_rows` steps, when K leaves nothing to compare or when the actions cannot be enumerated or
 * drawn uniformly; TB_E_UNSUPPORTED when the environment has no snapshot/1. */
tb_status tb_vine_create(const tb_task *task, const tb_net *policy, const tb_learner_config *config,
                         size_t trunk_rows, tb_vine **out, tb_error *error);
void tb_vine_destroy(tb_vine *vine); /* takes NULL */

/* Most rows N and actions K of the batch that tb_vine_run() fills. */
size_t tb_vine_states(const tb_vine *vine);
size_t tb_vine_actions(const tb_vine *vine);

/* Most environment steps that the branches of one state take: K S T. */
uint64_t tb_vine_steps_per_state(const tb_vine *vine);

/* Draws the rollout set of the trunk that is played next: `n_states` of its `trunk_rows` rows. */
void tb_vine_choose(tb_vine *vine, uint64_t iteration, size_t trunk_rows, size_t n_states);

/* 1 + the place of trunk row `row` in the rollout set; 0 when it is not in it. */
size_t tb_vine_slot(const tb_vine *vine, size_t row);

/* Called by the sampler before each step of the trunk, from several threads: keeps lane g of the
 * stage when `row` is in the rollout set. */
tb_status tb_vine_keep(tb_vine *vine, const tb_stage *stage, size_t g, size_t row, tb_error *error);

/* Plays the branches of the rollout set on all threads, once the trunk is played. Fills out: x,
 * time, y_old, action, log_prob_old, log_proposal, and advantage with the sums of discounted
 * rewards, to which tb_vine_bootstrap() adds the values of what followed. `scaler` is the trunk's.
 * *steps gets the environment steps done. */
tb_status tb_vine_run(tb_vine *vine, const tb_batch *trunk, const tb_scaler *scaler, tb_batch *out,
                      uint64_t *steps, tb_error *error);

/* The observations that branches were cut at: x [n][I], time [n]; their values belong into value
 * [n]. */
size_t tb_vine_cuts(tb_vine *vine, const void **x, const double **time, double **value);

/* out->advantage [N K] = Q-hat, with the values that the caller has put into tb_vine_cuts(). */
void tb_vine_bootstrap(tb_vine *vine, tb_batch *out);

/* Q of trial s of action k of state n, after tb_vine_bootstrap(). */
double tb_vine_trial(const tb_vine *vine, size_t n, size_t k, size_t s);

/* Common random numbers on or off in the next tb_vine_run(), which may play the same rollout set
 * again. */
void tb_vine_share_noise(tb_vine *vine, int common);

/* The root mean square, over the whole batch, of Q less its state's mean (weighted by the policy
 * where every action was tried). With `normalize` advantage becomes this difference, divided by
 * that root mean square plus 1e-8; without, the mean-baseline estimator still takes the difference.
 */
double tb_vine_normalize(const tb_vine *vine, tb_batch *out, int normalize);

#endif
