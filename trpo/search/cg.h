/* SPDX-License-Identifier: MIT
 *
 * Conjugate gradients for F x = b with a symmetric positive definite F that is known only by its
 * products (paper, appendix C; Hestenes & Stiefel 1952).
 */
#ifndef TRPO_SEARCH_CG_H
#define TRPO_SEARCH_CG_H

#include "trpo/base/base.h"

typedef enum tb_cg_end {
    TB_CG_CONVERGED, /* |r| <= tolerance |b| */
    TB_CG_MAX_ITERATIONS,
    TB_CG_ZERO_RHS,           /* b = 0: x = 0 */
    TB_CG_NEGATIVE_CURVATURE, /* p'Fp <= 0: x is the iterate before */
    TB_CG_NON_FINITE /* a product or b held NaN or infinity: x is the last finite iterate */
} tb_cg_end;

typedef struct tb_cg_result {
    tb_cg_end end;
    int64_t iterations; /* products with F */
    double residual;    /* |b - F x| / |b|, by the recurrence */
} tb_cg_result;

/* fv = F v; both [n], never aliasing. */
typedef tb_status (*tb_cg_product)(void *ctx, const double *v, double *fv, tb_error *error);

/* Solves from x = 0. b, x [n]; work [3 n]. `tolerance` is relative to |b|. Fails only when
 * `product` fails. */
tb_status tb_cg_solve(tb_cg_product product, void *ctx, const double *b, double *x, double *work,
                      size_t n, int64_t max_iterations, double tolerance, tb_cg_result *result,
                      tb_error *error);

#endif
