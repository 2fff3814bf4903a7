/* SPDX-License-Identifier: MIT
 *
 * The step of algorithm 1 of the paper, solved exactly for tabular policies:
 *
 *   maximise over pi~   L_pi(pi~) - C D_KL^max(pi, pi~)
 *
 * Derivation. At a given delta = D_KL^max the states separate: each maximises sum_a q_a A_a over
 * distributions q with KL(p || q) <= delta, where p is its row of pi. With multipliers lambda of
 * the divergence and mu of sum q = 1 the solution is
 *
 *   q_a = lambda p_a / (mu - A_a),   mu > max A.
 *
 * With c_a = A_a - sum_b p_b A_b, u = 1 / (mu - sum p A) in (0, 1 / max c) and x_a = u c_a:
 *
 *   q_a = p_a / ((1 - x_a) Z),   Z = sum p / (1 - x) = 1 + sum p x^2 / (1 - x),
 *   KL = log Z + sum p log(1 - x),   lambda = 1 / (u Z).
 *
 * KL grows with u, from 0 to infinity, so delta gives u. The multiplier is the slope of the best
 * value (envelope theorem), so the value over all states, less C delta, is concave in delta and
 * largest where
 *
 *   sum_s rho(s) lambda_s(delta) = C.
 *
 * Two nested searches for a root in one variable are all there is. The sum is infinite at delta = 0
 * as long as some visited state has an advantage left, so algorithm 1 always moves.
 */
#ifndef TRPO_THEORY_PENALTY_H
#define TRPO_THEORY_PENALTY_H

#include "trpo/theory/exact.h"

/* The best pi_new [S][A] for the penalty coefficient C >= 0 (in units of eta per nat), found to a
 * relative 1e-10 in delta; since delta is a stationary point, the maximum is then found to about
 * 1e-20 of the gain, so to rounding. Returns delta = D_KL^max.
 *
 * States that are never visited, or whose advantages are all alike, keep their row. An action of
 * probability 0 keeps it, and no other gets below 1e-300. With C = 0 nothing is penalised and
 * pi_new is the greedy policy of every visited state; the return value is INFINITY. A small C whose
 * delta no double can tell apart from infinity (1 - x below 1e-15) gets the largest that can be
 * represented. */
double tb_penalty_step(const tb_exact *at, double penalty, double *pi_new);

/* For one state: the best q [n] with KL(p || q) <= delta (> 0) for advantages [n]; returns lambda,
 * the slope of sum q A by delta. 0, and q = p, when the advantages of the actions with p > 0 are
 * all alike. */
double tb_penalty_row(const double *p, const double *advantage, size_t n, double delta, double *q);

#endif
