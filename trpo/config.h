/* SPDX-License-Identifier: MIT
 *
 * What a run can be told: run options and learner options (common to every algorithm). The keys
 * that only one algorithm understands are in its own file under trpo/update/.
 */
#ifndef TRPO_CONFIG_H
#define TRPO_CONFIG_H

#include "trpo/base/option.h"

enum { TB_PRECISION_F32, TB_PRECISION_F64 };

/* The order of the options `sampling`, `vine_proposal`, `vine_estimator`. */
enum { TB_SAMPLING_SINGLE_PATH, TB_SAMPLING_VINE };
enum { TB_VINE_POLICY, TB_VINE_UNIFORM, TB_VINE_EXHAUSTIVE };
enum { TB_VINE_SELF_NORMALIZED, TB_VINE_MEAN_BASELINE };

/* How long a run is and how it is measured. Suite keys of [suite] and of each [[env]]. */
typedef struct tb_run_config {
    int64_t steps;         /* environment steps of training */
    int64_t eval_every;    /* evaluate each time this many steps are done; 0 = only at the end */
    int64_t eval_episodes; /* episodes of an evaluation under way */
    int64_t final_eval_episodes; /* episodes of the evaluation at the end */
    int32_t precision;           /* TB_PRECISION_* */
    int32_t reserved;
} tb_run_config;

/* Sampling, advantages and critic. Suite keys of [defaults], [[algorithm]] and [env.override]. */
typedef struct tb_learner_config {
    int64_t batch_steps; /* N: environment steps between two updates, over all lanes; a multiple of
                            `lanes` */
    int64_t lanes; /* environments stepped side by side; part of the result, not of the machine */
    double gamma;  /* discount */
    double lambda; /* GAE(lambda), Schulman et al. 2016, eq. 16 */
    int32_t normalize_observations;
    int32_t normalize_advantages;
    double observation_clip; /* normalised observations are clipped to +- this */
    int32_t clip_actions;    /* clip Box actions to their bounds before step() */
    int32_t critic_normalize_targets;
    double log_std_init;    /* initial log standard deviation of Gaussian policies */
    double policy_out_gain; /* gain of the policy's last layer */
    double critic_learning_rate;
    int64_t critic_epochs;
    int64_t critic_minibatch;    /* rows; 0 = the whole batch */
    int64_t gsde_resample_steps; /* gSDE draws its noise anew every this many steps of an episode;
                                    0 = only at its start */
    int32_t action_distribution; /* TB_DISTRIBUTION_* (trpo/dist/head.h) */
    int32_t advantage;           /* TB_ADVANTAGE_* (trpo/advantage/advantage.h) */
    double vtrace_rho_bar;       /* Espeholt et al. 2018, eq. 1 */
    double vtrace_c_bar;         /* at most vtrace_rho_bar */
    int32_t normalize_returns;
    int32_t critic_kind;      /* the row of the kind in trpo/value/critic.c */
    double reward_clip;       /* normalised rewards are clipped to +- this */
    int32_t critic_optimizer; /* TB_OPTIMIZER_* (trpo/value/network.h) */
    int32_t critic_time_feature;
    int64_t critic_lbfgs_iterations;
    int64_t critic_lbfgs_history;
    double critic_ridge;
    int32_t critic_rollback;
    int32_t sampling;          /* TB_SAMPLING_* */
    int64_t vine_states;       /* N: the rollout set (trpo/sampling/vine.h) */
    int64_t vine_actions;      /* K */
    int64_t vine_trials;       /* S */
    int64_t vine_branch_steps; /* T */
    int32_t vine_proposal;     /* TB_VINE_POLICY, ... */
    int32_t vine_estimator;    /* TB_VINE_SELF_NORMALIZED, ... */
    int32_t vine_common_random_numbers;
    int32_t vine_preset; /* number of the choice (trpo/sampling/presets.h) */
    int32_t discounted_states;
    int32_t reserved;
} tb_learner_config;

extern const tb_option tb_run_options[];
extern const tb_option tb_learner_options[];

#endif
