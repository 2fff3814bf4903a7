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
    /* The most probable action. */
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
    /* mv = M v with M = d2 KL(y || y') / dy'2 at y' = y: the Fisher metric of the head (paper,
     * appendix C). */
    void (*fisher)(const tb_head *head, const double *y, const double *v, double *mv);
} tb_head_api;

struct tb_head {
    const tb_head_api *api;
    size_t n;        /* categories, or action dimensions */
    size_t n_params; /* D */
    size_t n_const;  /* the last n_const of the D parameters do not depend on the observation */
    size_t n_action; /* A */
    size_t n_unif;   /* U */
};

extern const tb_head_api tb_head_categorical; /* y: logits [n]; a: category 0..n-1 */
extern const tb_head_api tb_head_gaussian;    /* y: mean [n], log_std [n]; a: [n] */

/* The head for an action space: Discrete -> categorical, Box -> diagonal Gaussian with
 * state-independent log-std. TB_E_UNSUPPORTED for others. */
tb_status tb_head_for_space(const tb_space *action, tb_head *out, tb_error *error);

/* Quantile of the standard normal distribution, p in (0, 1); relative error below 1e-15
 * (Wichura 1988, algorithm AS 241, PPND16). */
double tb_normal_quantile(double p);

#endif
