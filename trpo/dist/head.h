/* SPDX-License-Identifier: MIT
 *
 * Distribution heads: what the outputs y of a policy network mean. A head turns one row y[D] of
 * distribution parameters into actions, probabilities and their derivatives; it holds no state. All
 * functions work on one row, in double.
 *
 * Legend: D distribution parameters, A action entries, U uniforms.
 *   y, y_old, y_new, dy, v, mv [D]    a [A]    u [U]
 */
#ifndef TRPO_DIST_HEAD_H
#define TRPO_DIST_HEAD_H

#include <trpo-bench/env.h>

#include "trpo/base/base.h"

typedef struct tb_head tb_head;

typedef struct tb_head_api {
    const char *id; /* "categorical" */
    /* The action of given uniforms u in [0, 1): the same u gives the same action for the same y,
     * which is what common random numbers need (Schulman et al. 2015, section 5.2). */
    void (*sample)(const tb_head *head, const double *y, const double *u, double *a);
    /* The most probable action; the squashed Gaussian's is its median (see there). */
    void (*mode)(const tb_head *head, const double *y, double *a);
    /* log pi(a | y): density, or probability for discrete actions. */
    double (*log_prob)(const tb_head *head, const double *y, const double *a);
    /* dy = d log_prob / dy. */
    void (*log_prob_grad)(const tb_head *head, const double *y, const double *a, double *dy);
    /* KL(old || new), summed over action dimensions; 0 exactly when y_old equals y_new. */
    double (*kl)(const tb_head *head, const double *y_old, const double *y_new);
    /* dy = d KL(old || new) / dy_new. */
    void (*kl_grad)(const tb_head *head, const double *y_old, const double *y_new, double *dy);
    double (*entropy)(const tb_head *head, const double *y);
    /* dy = d entropy / dy, written whole: 0 where the entropy does not depend on a parameter. */
    void (*entropy_grad)(const tb_head *head, const double *y, double *dy);
    /* mv = M v with M = d2 KL(y || y') / dy'2 at y' = y: the Fisher metric of the head (paper,
     * appendix C). */
    void (*fisher)(const tb_head *head, const double *y, const double *v, double *mv);
    /* Entry i of the environment's action, inside its bounds, from entry a of the head's. NULL:
     * they are the same. Densities are those of the environment's action, entries are what is
     * stored: near a bound the action has no digits left to tell a likelihood from, the entry has
     * all. */
    double (*to_env)(const tb_head *head, size_t i, double a);
} tb_head_api;

/* What a Box action can be distributed like; the order of the option "action_distribution". */
enum {
    TB_DISTRIBUTION_AUTO, /* by the space: see tb_head_for_space */
    TB_DISTRIBUTION_GAUSSIAN,
    TB_DISTRIBUTION_GAUSSIAN_STATE_STD,
    TB_DISTRIBUTION_SQUASHED_GAUSSIAN,
    TB_DISTRIBUTION_BETA,
    TB_DISTRIBUTION_GSDE
};

struct tb_head {
    const tb_head_api *api;
    size_t n;        /* categories (categorical), or components of the action */
    size_t n_params; /* D */
    size_t n_const;  /* the last n_const of the D parameters do not depend on the observation */
    size_t n_action; /* A */
    size_t n_unif;   /* U */
    /* Borrowed from the space, so until its environment is destroyed; NULL where not needed. */
    const int64_t *counts;    /* [n] multi-categorical: categories of each component */
    const double *low, *high; /* [n] squashed Gaussian, Beta: bounds of the action */
    double log_std_init;      /* Gaussian with state-dependent log-std: its value at z = 0 */
    size_t n_features;        /* gSDE: H features of the state that scale the noise; 0 = not gSDE */
};

/* y: logits [n]; a: category 0..n-1. */
extern const tb_head_api tb_head_categorical;

/* Independent categories: y: logits [counts[0]], [counts[1]], ...; a: [n] category 0..counts[i]-1.
 */
extern const tb_head_api tb_head_multi_categorical;

/* Independent coins: y: logits [n] of a = 1; a: [n] 0 or 1. The mode of an even coin is 0. */
extern const tb_head_api tb_head_bernoulli;

/* y: mean [n], log_std [n]; a: [n]. With gSDE too, where the network computes log_std from features
 * of the state, and the noise of `sample` is not used: trpo/net/gsde.h. */
extern const tb_head_api tb_head_gaussian;

/* y: mean [n], z [n]; a: [n]. log_std = log_std_init + 10 tanh(z / 10): the network's output for
 * small z, and never more than 10 away from where it began. *Rationale:* an unbounded log-std of
 * the state runs off to +-inf on states that the batch hardly visits; a clamp (Haarnoja et al. 2018
 * clip to [-20, 2]) has derivative 0 outside and is never left again; tanh (as in Yarats and
 * Kostrikov's SAC, 2020) is smooth. */
extern const tb_head_api tb_head_gaussian_state_std;

/* Gaussian u pushed through tanh (Haarnoja et al. 2018, appendix C): action = low + (high - low)
 * (tanh(u) + 1) / 2. y: mean [n], log_std [n] of u; a: u [n]. KL, its gradient and M are those of
 * the Gaussian, because a bijection changes none of them. The entropy has no closed form; the
 * quadrature's error is below 1e-9. `mode` is the squashed mean: the median of each action, and its
 * most probable value only for small deviations; the density itself may have two peaks. */
extern const tb_head_api tb_head_squashed_gaussian;

/* Beta distribution on the bounds (Chou, Maturana and Scherer 2017): x = (action - low) / (high -
 * low) ~ Beta(alpha, beta), alpha = 1 + softplus(y_i), beta = 1 + softplus(y_{n+i}), so that the
 * density is bounded and has one peak. y: [2n]; a: log(x / (1 - x)) [n]. */
extern const tb_head_api tb_head_beta;

/* The head of an action space, which must be one leaf. Auto: Discrete -> categorical,
 * MultiDiscrete -> multi-categorical, MultiBinary -> Bernoulli, Box -> diagonal Gaussian with
 * state-independent log-std. Any other TB_DISTRIBUTION_* is for Box only; squashed Gaussian and
 * Beta need finite bounds with low < high. log_std_init and n_features are left 0: the caller sets
 * them.
 * TB_E_UNSUPPORTED for what does not fit. */
tb_status tb_head_for_space(const tb_space *action, int32_t distribution, tb_head *out,
                            tb_error *error);

/* "squashed-gaussian": the option's word for TB_DISTRIBUTION_SQUASHED_GAUSSIAN. Static. */
const char *tb_distribution_name(int32_t distribution);

/* The standard normal number of a uniform u in [0, 1): the quantile of the middle of its cell of
 * 2^-53. */
double tb_normal_of_uniform(double u);

/* Quantile of the standard normal distribution, p in (0, 1); relative error below 1e-15
 * (Wichura 1988, algorithm AS 241, PPND16). */
double tb_normal_quantile(double p);

#endif
