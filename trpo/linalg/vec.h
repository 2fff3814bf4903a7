/* SPDX-License-Identifier: MIT
 *
 * Double vectors of length n, in fixed order: the same bits every time.
 */
#ifndef TRPO_LINALG_VEC_H
#define TRPO_LINALG_VEC_H

#include <stddef.h>

double tb_vec_dot(const double *a, const double *b, size_t n);
double tb_vec_sum(const double *a, size_t n);
void tb_vec_axpy(double alpha, const double *x, double *y, size_t n); /* y += alpha x */
int tb_vec_finite(const double *a, size_t n); /* 1 when no entry is NaN or infinite */

#endif
