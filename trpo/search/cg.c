/* SPDX-License-Identifier: MIT */
#include "trpo/search/cg.h"

#include <math.h>
#include <string.h>

#include "trpo/linalg/vec.h"

tb_status tb_cg_solve(tb_cg_product product, void *ctx, const double *b, double *x, double *work,
                      size_t n, int64_t max_iterations, double tolerance, tb_cg_result *result,
                      tb_error *error)
{
    // three vectors of their own: p and r must never share memory
    double *r = work, *p = work + n, *fp = work + 2 * n;
    memset(x, 0, n * sizeof *x);
    memcpy(r, b, n * sizeof *r);
    memcpy(p, b, n * sizeof *p);
    double rr = tb_vec_dot(r, r, n), bb = rr;
    *result = (tb_cg_result){TB_CG_MAX_ITERATIONS, 0, 1};
    if (!isfinite(bb)) {
        result->end = TB_CG_NON_FINITE;
        return TB_OK;
    }
    if (bb == 0) {
        *result = (tb_cg_result){TB_CG_ZERO_RHS, 0, 0};
        return TB_OK;
    }
    while (result->iterations < max_iterations) {
        tb_status status = product(ctx, p, fp, error);
        if (status != TB_OK)
            return status;
        result->iterations++;

        // curvature along p; `!(x > 0)` also catches NaN
        double pfp = tb_vec_dot(p, fp, n);
        if (!isfinite(pfp)) {
            result->end = TB_CG_NON_FINITE;
            break;
        }
        if (!(pfp > 0)) {
            result->end = TB_CG_NEGATIVE_CURVATURE;
            break;
        }
        // x += alpha p; r -= alpha F p
        double alpha = rr / pfp;
        tb_vec_axpy(alpha, p, x, n);
        tb_vec_axpy(-alpha, fp, r, n);
        double rr_new = tb_vec_dot(r, r, n);
        result->residual = sqrt(rr_new / bb);
        if (rr_new <= tolerance * tolerance * bb) {
            result->end = TB_CG_CONVERGED;
            break;
        }
        // p = r + beta p
        double beta = rr_new / rr;
        for (size_t i = 0; i < n; i++)
            p[i] = r[i] + beta * p[i];
        rr = rr_new;
    }
    return TB_OK;
}
