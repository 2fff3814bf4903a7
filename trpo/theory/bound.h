/* SPDX-License-Identifier: MIT
 *
 * How far a policy may move, and what theorem 1 of the paper promises then. Everything here is of
 * two policies of one process: pi, evaluated, and pi~ [S][A].
 */
#ifndef TRPO_THEORY_BOUND_H
#define TRPO_THEORY_BOUND_H

#include "trpo/theory/exact.h"

typedef struct tb_bound {
    double surrogate; /* L_pi(pi~) = eta(pi) + sum_s rho_pi(s) sum_a pi~(a|s) A_pi(s,a) (eq. 3) */
    double tv_max;    /* alpha = D_TV^max = max_s 1/2 sum_a |pi - pi~|, 0 to 1 (section 3) */
    double kl_max;    /* D_KL^max = max_s KL(pi(.|s) || pi~(.|s)) in nats; INFINITY where pi~ leaves
                         out an action of pi */
    double kl_mean;   /* sum_s rho(s) KL(pi || pi~) / sum_s rho(s): the constraint of eq. 12, under
                         the distribution of the states that pi visits */
    double penalty;   /* C = 4 epsilon gamma / (1 - gamma)^2, epsilon = max_{s,a} |A_pi(s,a)| */
    double lower_tv;  /* L - C alpha^2 <= eta(pi~) (theorem 1, eq. 8) */
    double lower_kl;  /* L - C D_KL^max <= lower_tv (eq. 9); -INFINITY for an infinite KL */
    double shift_max; /* max_s |Abar(s)|, Abar(s) = sum_a pi~(a|s) A_pi(s,a), which is at most
                         2 alpha epsilon (lemma 2) */
} tb_bound;

/* Fills *out. `old` is evaluated; the rows of pi_new are distributions. */
void tb_bound_measure(const tb_exact *old, const double *pi_new, tb_bound *out);

/* C of the evaluated policy; 0 only where gamma or every advantage is. */
double tb_bound_penalty(const tb_exact *old);

/* One state: distances of two distributions [n]. */
double tb_total_variation(const double *p, const double *q, size_t n);
double tb_kl_divergence(const double *p, const double *q, size_t n); /* KL(p || q); 0 log 0 = 0 */

#endif
