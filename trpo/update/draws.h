/* SPDX-License-Identifier: MIT
 *
 * The surrogate of rows with several actions, as vine sampling makes them (Schulman et al. 2015,
 * section 5.2). With w_k = pi_theta(a_k | s) / q(a_k | s) the term of a row is
 *
 *   draw_weight * sum_k w_k Q_k           every action once, q = 1 and draw_weight = 1: the paper's
 *                                         sum_k pi(a_k | s) Q(s, a_k) (eq. 15); draw_weight = 1 /
 * K: importance sampling sum_k w_k Q_k / sum_k w_k             self-normalised (eq. 16)
 *
 * Legend: K actions, A action entries, D distribution parameters.
 */
#ifndef TRPO_UPDATE_DRAWS_H
#define TRPO_UPDATE_DRAWS_H

#include "trpo/dist/head.h"
#include "trpo/sampling/batch.h"

/* The term of row i at distribution parameters y [D]. log_prob [K] gets log pi(a_k | s);
 * *ratio_error becomes the largest of itself and |pi / pi_old - 1|, NaN when any is. */
double tb_draws_value(const tb_head *head, const tb_batch *batch, size_t i, const double *y,
                      double *log_prob, double *ratio_error);

/* w [D] = derivative of the row's term by y, times the row's weight, divided by the number of rows;
 * log_prob as tb_draws_value left it; dy [D] is scratch. */
void tb_draws_gradient(const tb_head *head, const tb_batch *batch, size_t i, const double *y,
                       const double *log_prob, double *dy, double *w);

#endif
