/* SPDX-License-Identifier: MIT
 *
 * Trust region policy optimisation (Schulman et al. 2015, arXiv 1502.05477, section 6 and appendix
 * C): maximise L(theta) = mean ratio * advantage   subject to   mean KL(old || new) <= delta.
 * Direction x = F^-1 g; full step beta x with beta = sqrt(2 delta / x'Fx), the length at which the
 * quadratic model of the KL reaches delta; then backtracking on the real surrogate and the real KL
 * of the whole batch.
 */
#include <math.h>

#include "trpo/linalg/vec.h"
#include "trpo/search/line_search.h"
#include "trpo/update/algorithm.h"
#include "trpo/update/natural.h"

typedef struct tb_trpo_config {
    double max_kl;
    double damping;
    double cg_tolerance;
    double line_search_shrink;
    int64_t cg_iterations;
    int64_t line_search_steps;
} tb_trpo_config;

static const tb_option options[] = {
    {"max_kl", TB_OPTION_F64, offsetof(tb_trpo_config, max_kl), 0.01, 1e-12, 100, NULL,
     "Radius delta of the trust region: bound of the mean KL(old || new) (paper, eq. 12)."},
    TB_NATURAL_OPTIONS(tb_trpo_config),
    {"line_search_shrink", TB_OPTION_F64, offsetof(tb_trpo_config, line_search_shrink), 0.8, 0.01,
     0.99, NULL, "Factor between two step lengths of the line search."},
    {"line_search_steps", TB_OPTION_I64, offsetof(tb_trpo_config, line_search_steps), 10, 1, 1000,
     NULL, "Most step lengths that the line search tries."},
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

typedef struct tb_trpo_step {
    tb_policy *policy;
    const tb_batch *batch;
    const tb_natural *natural;
    double beta;
} tb_trpo_step;

static tb_status try_step(void *ctx, double fraction, tb_trial *out, tb_error *error)
{
    const tb_trpo_step *step = ctx;
    tb_natural_move(step->policy, step->natural, fraction * step->beta);
    tb_surrogate at;
    tb_status status = tb_policy_evaluate(step->policy, step->batch, &at, error);
    *out = (tb_trial){at.surrogate, at.kl};
    return status;
}

static tb_status update(const void *config, tb_policy *policy, const tb_batch *batch, double *state,
                        tb_iteration *log, tb_error *error)
{
    (void)state;
    const tb_trpo_config *trpo = config;
    tb_natural natural;
    tb_status status = tb_natural_direction(policy, batch, trpo->damping, trpo->cg_iterations,
                                            trpo->cg_tolerance, &natural, log, error);
    if (status != TB_OK || !natural.usable)
        return status;

    tb_trpo_step step = {policy, batch, &natural, sqrt(2 * trpo->max_kl / natural.xfx)};
    tb_line_search search = {log->surrogate_before, trpo->max_kl, trpo->line_search_shrink,
                             trpo->line_search_steps};
    tb_line_search_result result;
    log->surrogate_expected = step.beta * natural.gx;
    status = tb_line_search_run(&search, try_step, &step, &result, error);
    if (status != TB_OK)
        return status;
    log->line_search_steps = result.steps;
    log->update_end = result.end;
    log->kl_tried = result.last.kl;
    if (result.end != TB_UPDATE_ACCEPTED) {
        // the old parameters stay
        tb_net_set(&policy->net, natural.old);
        log->updates_rejected++;
        log->non_finite += result.end == TB_UPDATE_NON_FINITE;
        return TB_OK;
    }
    log->kl = result.last.kl;
    log->surrogate_after = result.last.surrogate;
    log->step_fraction = result.fraction;
    log->step_norm =
        result.fraction * step.beta * sqrt(tb_vec_dot(natural.x, natural.x, policy->net.n_params));
    return TB_OK;
}

const tb_algorithm tb_algorithm_trpo = {
    .id = "trpo",
    .summary = "Trust region policy optimisation, single path (Schulman et al. 2015)",
    .config_size = sizeof(tb_trpo_config),
    .options = options,
    .update = update,
};
