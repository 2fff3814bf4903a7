/* SPDX-License-Identifier: MIT */
#include "trpo/config.h"

#include <math.h>

#include "trpo/sampling/presets.h"

#define RUN(member) offsetof(tb_run_config, member)
#define LEARNER(member) offsetof(tb_learner_config, member)

const tb_option tb_run_options[] = {
    {"steps", TB_OPTION_I64, RUN(steps), 100000, 1, 1e15, NULL, "Environment steps of training."},
    {"eval_every", TB_OPTION_I64, RUN(eval_every), 10000, 0, 1e15, NULL,
     "Environment steps between two evaluations; 0 evaluates only at the end."},
    {"eval_episodes", TB_OPTION_I64, RUN(eval_episodes), 10, 1, 1e6, NULL,
     "Episodes of each evaluation under way (mode of the policy, frozen normaliser)."},
    {"final_eval_episodes", TB_OPTION_I64, RUN(final_eval_episodes), 100, 1, 1e6, NULL,
     "Episodes of the evaluation at the end, on starts of their own."},
    {"precision", TB_OPTION_ENUM, RUN(precision), TB_PRECISION_F32, 0, 0, "f32|f64",
     "Number type of observations, networks and kernels; sums and conjugate gradients are always "
     "double."},
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

const tb_option tb_learner_options[] = {
    {"batch_steps", TB_OPTION_I64, LEARNER(batch_steps), 2048, 1, 1e9, NULL,
     "Environment steps between two updates, over all lanes; a multiple of lanes."},
    {"lanes", TB_OPTION_I64, LEARNER(lanes), 8, 1, 65536, NULL,
     "Environments stepped side by side. Part of the experiment: the result depends on it, never "
     "on threads."},
    {"gamma", TB_OPTION_F64, LEARNER(gamma), 0.99, 0, 1, NULL, "Discount factor."},
    {"lambda", TB_OPTION_F64, LEARNER(lambda), 0.95, 0, 1, NULL,
     "GAE parameter (Schulman et al. 2016, eq. 16); 1 gives Monte-Carlo advantages."},
    {"normalize_observations", TB_OPTION_BOOL, LEARNER(normalize_observations), 1, 0, 1, NULL,
     "Shift and scale observations by running statistics, frozen during a batch and its update."},
    {"normalize_advantages", TB_OPTION_BOOL, LEARNER(normalize_advantages), 1, 0, 1, NULL,
     "Scale advantages to mean 0 and standard deviation 1 over the whole batch."},
    {"observation_clip", TB_OPTION_F64, LEARNER(observation_clip), 10, 1e-3, INFINITY, NULL,
     "Normalised observations are clipped to plus or minus this."},
    {"clip_actions", TB_OPTION_BOOL, LEARNER(clip_actions), 1, 0, 1, NULL,
     "Clip Box actions to their bounds before the environment sees them; likelihoods use the "
     "unclipped action."},
    {"critic_normalize_targets", TB_OPTION_BOOL, LEARNER(critic_normalize_targets), 1, 0, 1, NULL,
     "The critic's network predicts value targets shifted and scaled by their running statistics."},
    {"log_std_init", TB_OPTION_F64, LEARNER(log_std_init), 0, -20, 20, NULL,
     "Initial log standard deviation of Gaussian policies."},
    {"policy_out_gain", TB_OPTION_F64, LEARNER(policy_out_gain), 0.01, 0, 100, NULL,
     "Gain of the initial weights of the policy's last layer."},
    {"action_distribution", TB_OPTION_ENUM, LEARNER(action_distribution), 0, 0, 0,
     "auto|gaussian|gaussian-state-std|squashed-gaussian|beta|gsde",
     "What Box actions are distributed like; auto is gaussian. Discrete, MultiDiscrete and "
     "MultiBinary actions have categories and coins of their own and take auto only."},
    {"gsde_resample_steps", TB_OPTION_I64, LEARNER(gsde_resample_steps), 0, 0, 1e15, NULL,
     "Steps of an episode for which gsde holds its noise (Raffin et al. 2021); 0 holds it for the "
     "whole episode."},
    {"critic_learning_rate", TB_OPTION_F64, LEARNER(critic_learning_rate), 1e-3, 0, 10, NULL,
     "Adam step size of the critic (Kingma & Ba 2015)."},
    {"critic_epochs", TB_OPTION_I64, LEARNER(critic_epochs), 10, 0, 10000, NULL,
     "Passes of the critic over each batch."},
    {"critic_minibatch", TB_OPTION_I64, LEARNER(critic_minibatch), 128, 0, 1e9, NULL,
     "Rows of one critic step; 0 takes the whole batch."},
    {"advantage", TB_OPTION_ENUM, LEARNER(advantage), 0, 0, 0, "gae|returns|vtrace",
     "Estimator of advantages and value targets; returns and vtrace read no lambda."},
    {"vtrace_rho_bar", TB_OPTION_F64, LEARNER(vtrace_rho_bar), 1, 1e-6, 1e6, NULL,
     "V-trace: largest ratio in front of a temporal difference (Espeholt et al. 2018, eq. 1)."},
    {"vtrace_c_bar", TB_OPTION_F64, LEARNER(vtrace_c_bar), 1, 1e-6, 1e6, NULL,
     "V-trace: largest ratio in the product that carries differences back; at most "
     "vtrace_rho_bar."},
    {"normalize_returns", TB_OPTION_BOOL, LEARNER(normalize_returns), 0, 0, 1, NULL,
     "Divide rewards by the running deviation of the discounted return; reported returns stay "
     "raw."},
    {"reward_clip", TB_OPTION_F64, LEARNER(reward_clip), 10, 1e-3, INFINITY, NULL,
     "With normalize_returns, the divided rewards are clipped to plus or minus this."},
    {"critic_kind", TB_OPTION_ENUM, LEARNER(critic_kind), 0, 0, 0, "network|linear-features|none",
     "What gives V(s): a network, the linear features of Duan et al. 2016, or nothing (V = 0)."},
    {"critic_optimizer", TB_OPTION_ENUM, LEARNER(critic_optimizer), 0, 0, 0, "adam|lbfgs",
     "What fits a network: Adam on minibatches, or L-BFGS on the whole batch."},
    {"critic_lbfgs_iterations", TB_OPTION_I64, LEARNER(critic_lbfgs_iterations), 25, 0, 10000, NULL,
     "Most L-BFGS steps of one fit."},
    {"critic_lbfgs_history", TB_OPTION_I64, LEARNER(critic_lbfgs_history), 10, 1, 1000, NULL,
     "Steps that L-BFGS remembers the curvature of."},
    {"critic_time_feature", TB_OPTION_BOOL, LEARNER(critic_time_feature), 0, 0, 1, NULL,
     "The critic's network also sees the time, t / max_episode_steps (t / 1000 without a limit)."},
    {"critic_ridge", TB_OPTION_F64, LEARNER(critic_ridge), 1e-5, 0, 1e6, NULL,
     "Ridge of the linear features' least squares."},
    {"discounted_states", TB_OPTION_BOOL, LEARNER(discounted_states), 0, 0, 1, NULL,
     "Weight each state by gamma^t, t its step of the episode, in surrogate, KL, entropy and "
     "Fisher "
     "matrix: the paper's discounted visitation, whose gradient is that of the discounted return."},
    {"critic_rollback", TB_OPTION_BOOL, LEARNER(critic_rollback), 0, 0, 1, NULL,
     "Undo a fit that leaves the critic with a larger error on the batch, or none that is finite."},
    {"sampling", TB_OPTION_ENUM, LEARNER(sampling), TB_SAMPLING_SINGLE_PATH, 0, 0,
     "single-path|vine",
     "How the surrogate is sampled (paper, section 5): along trajectories, or by branches from "
     "states that were saved along them; the vine_ keys are read with vine only."},
    {"vine_preset", TB_OPTION_ENUM, LEARNER(vine_preset), 0, 0, 0, TB_VINE_PRESETS,
     "Vine settings of a published experiment in place of the defaults of sampling, lanes, "
     "batch_steps, gamma and the vine_ keys."},
    {"vine_states", TB_OPTION_I64, LEARNER(vine_states), 100, 1, 1e9, NULL,
     "N, size of the rollout set: states drawn without replacement from the batch_steps steps of "
     "the trunk."},
    {"vine_actions", TB_OPTION_I64, LEARNER(vine_actions), 4, 1, 1e6, NULL,
     "K, actions tried from each state; exhaustive tries them all and does not read this key."},
    {"vine_trials", TB_OPTION_I64, LEARNER(vine_trials), 1, 1, 1e6, NULL,
     "S, branches of each state and action; Q is their mean."},
    {"vine_branch_steps", TB_OPTION_I64, LEARNER(vine_branch_steps), 50, 1, 1e9, NULL,
     "T, most steps of a branch; where it is cut the critic's value stands for the rest."},
    {"vine_proposal", TB_OPTION_ENUM, LEARNER(vine_proposal), TB_VINE_POLICY, 0, 0,
     "policy|uniform|exhaustive",
     "q, what the K actions are drawn from: the policy, uniformly, or every action once."},
    {"vine_estimator", TB_OPTION_ENUM, LEARNER(vine_estimator), TB_VINE_SELF_NORMALIZED, 0, 0,
     "self-normalized|mean-baseline",
     "Surrogate of a state from sampled actions: weighted mean of Q with weights pi/q that are "
     "made to sum to 1 (paper, eq. 16), or mean of pi/q times Q less the state's mean Q."},
    {"vine_common_random_numbers", TB_OPTION_BOOL, LEARNER(vine_common_random_numbers), 1, 0, 1,
     NULL,
     "The branches of a state share the random numbers of policy and environment after their "
     "first actions (paper, section 5.2)."},
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};
