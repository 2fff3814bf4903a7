/* SPDX-License-Identifier: MIT
 *
 * A head over many rows at once: the same numbers, to the last bit, as its functions row by row
 * (trpo/dist/head.h), without computing again what does not change from row to row.
 *
 * Legend: B rows, D distribution parameters, A action entries; y, y_old, v, dy, mv [B][D], a
 * [B][A].
 */
#ifndef TRPO_DIST_ROWS_H
#define TRPO_DIST_ROWS_H

#include "trpo/dist/head.h"

/* out [B] = log pi(a | y) */
void tb_head_log_prob_rows(const tb_head *head, size_t rows, const double *y, const double *a,
                           double *out);
/* dy = d log pi(a | y) / dy */
void tb_head_log_prob_grad_rows(const tb_head *head, size_t rows, const double *y, const double *a,
                                double *dy);
/* out [B] = KL(old || new) */
void tb_head_kl_rows(const tb_head *head, size_t rows, const double *y_old, const double *y,
                     double *out);
/* out [B] */
void tb_head_entropy_rows(const tb_head *head, size_t rows, const double *y, double *out);
/* mv = M(y) v */
void tb_head_fisher_rows(const tb_head *head, size_t rows, const double *y, const double *v,
                         double *mv);

#endif
