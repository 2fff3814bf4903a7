/* SPDX-License-Identifier: MIT */
#include "trpo/update/natural.h"

#include <math.h>
#include <string.h>

#include "trpo/linalg/vec.h"
#include "trpo/search/cg.h"

typedef struct tb_fisher_ctx {
    tb_policy *policy;
    double damping;
} tb_fisher_ctx;

static tb_status fisher_product(void *ctx, const double *v, double *fv, tb_error *error)
{
    const tb_fisher_ctx *fisher = ctx;
    return tb_policy_fisher(fisher->policy, fisher->damping, v, fv, error);
}

// the old parameters stay: an update that is logged, not an error
static tb_status no_direction(tb_iteration *log, tb_update_end why)
{
    log->update_end = why;
    log->updates_rejected++;
    log->non_finite += why == TB_UPDATE_NON_FINITE;
    return TB_OK;
}

/* What is added to F's diagonal. Relative to the curvature along g, g'Fg / g'g, it keeps its
 * meaning when F or the parameters are scaled; work [P]. */
static tb_status find_damping(tb_policy *policy, const tb_natural_config *config, const double *g,
                              double *work, double *damping, tb_error *error)
{
    size_t n = policy->net.n_params;
    *damping = config->damping;
    if (config->damping_mode == TB_DAMPING_ABSOLUTE)
        return TB_OK;
    tb_status status = tb_policy_fisher(policy, 0, g, work, error);
    if (status == TB_OK)
        // the 0 / 0 of a zero gradient is left to the solver, which looks at g first
        *damping *= tb_vec_dot(g, work, n) / tb_vec_dot(g, g, n);
    return status;
}

tb_status tb_natural_direction(tb_policy *policy, const tb_batch *batch,
                               const tb_natural_config *config, tb_natural *out, tb_iteration *log,
                               tb_error *error)
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

    // F x = g, F of the share of the batch that fisher_fraction says
    tb_fisher_ctx ctx = {.policy = policy};
    double begin = tb_seconds();
    tb_cg_result cg;
    status = tb_policy_draw_fisher_rows(policy, batch, (uint64_t)log->iteration, error);
    if (status == TB_OK)
        status = find_damping(policy, config, out->g, work, &ctx.damping, error);
    if (status == TB_OK)
        status = tb_cg_solve(fisher_product, &ctx, out->g, out->x, work, n, config->cg_iterations,
                             config->cg_tolerance, &cg, error);
    policy->cg_s += tb_seconds() - begin;
    if (status != TB_OK)
        return status;
    log->fisher_rows = (int64_t)policy->n_rows;
    log->damping = ctx.damping;
    log->cg_iterations = cg.iterations;
    log->cg_residual = cg.residual;
    log->negative_curvature += cg.end == TB_CG_NEGATIVE_CURVATURE;
    if (cg.end == TB_CG_ZERO_RHS)
        return no_direction(log, TB_UPDATE_ZERO_GRADIENT);
    if (cg.end == TB_CG_NON_FINITE || !tb_vec_finite(out->x, n))
        return no_direction(log, TB_UPDATE_NON_FINITE);
    // x'Fx with a product of its own: the recurrence's residual drifts
    begin = tb_seconds();
    status = fisher_product(&ctx, out->x, work, error);
    policy->cg_s += tb_seconds() - begin;
    if (status != TB_OK)
        return status;
    out->xfx = tb_vec_dot(out->x, work, n);
    out->gx = tb_vec_dot(out->g, out->x, n);
    if (!isfinite(out->xfx) || !isfinite(out->gx))
        return no_direction(log, TB_UPDATE_NON_FINITE);
    if (!(out->xfx > 0) || !(out->gx > 0))
        return no_direction(log, TB_UPDATE_BAD_CURVATURE);
    // the solver is done with its memory
    out->old = work;
    memcpy(out->old, policy->net.theta, n * sizeof *out->old);
    out->usable = 1;
    return TB_OK;
}

void tb_natural_move(tb_policy *policy, const tb_natural *natural, double scale)
{
    for (size_t i = 0; i < policy->net.n_params; i++)
        policy->net.theta[i] = natural->old[i] + scale * natural->x[i];
    tb_net_set(&policy->net, policy->net.theta);
}
