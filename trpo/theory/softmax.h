/* SPDX-License-Identifier: MIT
 *
 * The tabular softmax policy pi(a|s) = exp theta(s,a) / sum_b exp theta(s,b): exact gradient and
 * Fisher matrix. theta [S][A] may be log pi; -INFINITY is an action of probability 0.
 *
 * Legend: g gradient, F Fisher matrix, d(s) = rho(s) / sum rho: the distribution of the states that
 * an estimate over discounted samples would average over.
 */
#ifndef TRPO_THEORY_SOFTMAX_H
#define TRPO_THEORY_SOFTMAX_H

#include "trpo/theory/exact.h"

/* pi from theta, and one theta that gives pi. */
void tb_softmax_policy(const tb_mdp *mdp, const double *theta, double *pi);
void tb_softmax_parameters(const tb_mdp *mdp, const double *pi, double *theta);

/* g(s,a) = weight(s) pi(a|s) A(s,a), [S][A], at the evaluated policy. With weight = rho it is the
 * gradient of eta (policy gradient theorem, Sutton et al. 2000), which is also that of L_pi(pi~) at
 * pi~ = pi (paper, eq. 4); with the shares of tb_exact_visits() what a sampled gradient over such
 * states estimates. */
void tb_softmax_gradient(const tb_exact *at, const double *weight, double *g);

/* F = second derivative at theta_old of the mean over d of KL(pi_old || pi): block diagonal, with
 * the blocks d(s) (diag pi_s - pi_s pi_s'), [S][A][A]. */
void tb_softmax_fisher(const tb_exact *at, double *fisher);

/* fv = F v + damping v, both [S][A], without the matrix. */
void tb_softmax_fisher_product(const tb_exact *at, double damping, const double *v, double *fv);

/* x = (F + damping I)^-1 g, [S][A], for a g whose rows sum to 0 (gradients of the policy do), in
 * closed form: a diagonal matrix less one of rank one for each state (Sherman & Morrison 1950).
 * F is singular, since a constant added to a row of theta changes nothing; without damping x is the
 * solution x(s,a) = g(s,a) / (d(s) pi(a|s)), and 0 where that is 0 / 0. */
void tb_softmax_natural(const tb_exact *at, double damping, const double *g, double *x);

#endif
