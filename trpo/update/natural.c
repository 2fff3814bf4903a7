/* SPDX-License-Identifier: MIT */
#include "trpo/update/natural.h"

#include <math.h>

#include "trpo/linalg/vec.h"
#include "trpo/search/cg.h"

typedef struct tb_fisher_ctx {
    tb_policy *policy;
    const tb_batch *batch;
    double damping;
} tb_fisher_ctx;

static tb_status fisher_product(void *ctx, const double *v, double *fv, tb_error *error)
{
    const tb_fisher_ctx *fisher = ctx;
    return tb_policy_fisher(fisher->policy, fisher->batch, fisher->damping, v, fv, error);
}

tb_status tb_natural_direction(tb_policy *policy, const tb_batch *batch, double damping,
                               int64_t cg_iterations, double cg_tolerance, tb_natural *out,
                               tb_iteration *log, tb_error *error)
{
    size_t n = policy->net.n_params;
    double *work = policy->scratch + 2 * n;
    *out = (tb_natural){.g = policy->scratch, .x = policy->scratch + n};
    tb_status status = tb_policy_evaluate_old(policy, batch, log, error);
    if (status == TB_OK)
        status = tb_policy_gradient(policy, batch, out->g, error);
    if (status != TB_OK)
        return status;
    log->gradient_norm = sqrt(tb_vec_dot(out->g, out->g, n));

    // F x = g
    tb_fisher_ctx ctx = {policy, batch, damping};
    tb_cg_result cg;
    status = tb_cg_solve(fisher_product, &ctx, out->g, out->x, work, n, cg_iterations, cg_tolerance,
                         &cg, error);
    if (status != TB_OK)
        return status;
    log->cg_iterations = cg.iterations;
    log->cg_residual = cg.residual;
    log->negative_curvature += cg.end == TB_CG_NEGATIVE_CURVATURE;
    if (cg.end == TB_CG_ZERO_RHS) {
        log->update_end = TB_UPDATE_ZERO_GRADIENT;
        return TB_OK;
    }
    if (cg.end == TB_CG_NON_FINITE || !tb_vec_finite(out->x, n)) {
        log->update_end = TB_UPDATE_NON_FINITE;
        log->non_finite++;
        return TB_OK;
    }
    // x'Fx with a product of its own: the recurrence's residual drifts
    status = fisher_product(&ctx, out->x, work, error);
    if (status != TB_OK)
        return status;
    out->xfx = tb_vec_dot(out->x, work, n);
    out->gx = tb_vec_dot(out->g, out->x, n);
    if (!isfinite(out->xfx) || !isfinite(out->gx)) {
        log->update_end = TB_UPDATE_NON_FINITE;
        log->non_finite++;
        return TB_OK;
    }
    if (!(out->xfx > 0) || !(out->gx > 0)) {
        log->update_end = TB_UPDATE_BAD_CURVATURE;
        return TB_OK;
    }
    out->usable = 1;
    return TB_OK;
}

void tb_natural_move(tb_policy *policy, const tb_natural *natural, const double *old, double scale)
{
    for (size_t i = 0; i < policy->net.n_params; i++)
        policy->net.theta[i] = old[i] + scale * natural->x[i];
    tb_net_set(&policy->net, policy->net.theta);
}
