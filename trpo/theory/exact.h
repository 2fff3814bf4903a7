/* SPDX-License-Identifier: MIT
 *
 * What a policy is worth, without sampling: V, Q, A, rho and eta by one factorisation of
 * M = I - gamma P_pi with P_pi(s,s') = sum_a pi(a|s) P(s'|s,a) (paper, section 2).
 *
 *   M V = r_pi                  V(s) = E[sum_t gamma^t r(s_t,a_t) | s_0 = s]
 *   Q(s,a) = r(s,a) + gamma sum_s' P(s'|s,a) V(s'),   A = Q - V
 *   M' rho = rho0               rho(s) = sum_t gamma^t P(s_t = s): unnormalised
 *   eta = rho0' V = sum_s rho(s) sum_a pi(a|s) r(s,a)
 */
#ifndef TRPO_THEORY_EXACT_H
#define TRPO_THEORY_EXACT_H

#include "trpo/theory/mdp.h"

/* A policy and its figures. Read only. */
typedef struct tb_exact {
    const tb_mdp *mdp;
    double *pi;        /* [S][A] */
    double *v;         /* [S] */
    double *q;         /* [S][A] */
    double *advantage; /* [S][A] */
    double *rho;       /* [S] > 0 where pi can get to, else exactly 0; sums to at most
                          1 / (1 - gamma), less where episodes end */
    double rho_sum;    /* sum_s rho(s) >= 1 */
    double eta;
    double advantage_max; /* max_{s,a} |A(s,a)|: epsilon of the paper's theorem 1 */
    double *lu;           /* [S][S] of M */
    size_t *pivot;        /* [S] */
    size_t *queue;        /* [S] states that pi gets to, in the order of the search */
    uint8_t *reached;     /* [S] */
} tb_exact;

/* Room for the policies of one process, which must outlive it. TB_E_NOMEM. */
tb_status tb_exact_create(const tb_mdp *mdp, tb_exact **out, tb_error *error);
void tb_exact_destroy(tb_exact *exact); /* takes NULL */

/* Evaluates pi [S][A]; allocates nothing. `pi` may be exact->pi. TB_E_PARAM when a row is no
 * distribution (negative, not finite, or 1e-9 away from a sum of 1), TB_E_NUMERIC when M is
 * singular. After a failure the figures mean nothing. */
tb_status tb_exact_evaluate(tb_exact *exact, const double *pi, tb_error *error);

/* visits [S] = sum over t < horizon of discount^t P(s_t = s) under the evaluated policy: what the
 * rows of sampled trajectories are distributed like, up to their number, when episodes follow each
 * other and a time limit cuts them after `horizon` steps. They are not discounted, discount = 1,
 * unless rows are weighted by gamma^t. discount = gamma without a time limit gives rho. work
 * [2 S]. */
void tb_exact_visits(const tb_exact *exact, double discount, size_t horizon, double *visits,
                     double *work);

/* pi [S][A] = the uniform policy, and the one that takes the best action of Q everywhere (the first
 * one of equals). */
void tb_uniform_policy(const tb_mdp *mdp, double *pi);
void tb_greedy_policy(const tb_exact *exact, double *pi);

/* Right-hand side of lemma 1 (paper, eq. 1, written as eq. 2):
 *   eta(old) + sum_s rho_new(s) sum_a pi_new(a|s) A_old(s,a),
 * which equals eta(new). */
double tb_performance_difference(const tb_exact *old, const tb_exact *new_);

#endif
