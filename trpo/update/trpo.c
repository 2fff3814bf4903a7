/* SPDX-License-Identifier: MIT
 *
 * Trust region policy optimisation (Schulman et al. 2015, arXiv 1502.05477, section 6 and appendix
 * C): maximise L(theta) = mean ratio * advantage   subject to   mean KL(old || new) <= delta.
 * Direction x = F^-1 g; full step beta x with beta = sqrt(2 delta / x'Fx), the length at which the
 * quadratic model of the KL reaches delta; then backtracking on the real objective and the real KL
 * of the whole batch. The objective is L, with an entropy bonus when one is asked for.
 */
#include <math.h>

#include "trpo/linalg/vec.h"
#include "trpo/search/line_search.h"
#include "trpo/update/algorithm.h"
#include "trpo/update/natural.h"

typedef struct tb_trpo_config {
    tb_objective objective;
    tb_natural_config natural;
    double max_kl;
    double kl_slack;
    double line_search_shrink;
    double line_search_accept_ratio;
    int64_t line_search_steps;
} tb_trpo_config;

static const tb_option options[] = {
    {"max_kl", TB_OPTION_F64, offsetof(tb_trpo_config, max_kl), 0.01, 1e-12, 100, NULL,
     "Radius delta of the trust region: bound of the mean KL(old || new) (paper, eq. 12)."},
    {"kl_slack", TB_OPTION_F64, offsetof(tb_trpo_config, kl_slack), 1, 1, 1e6, NULL,
     "The line search accepts a mean KL of up to this times max_kl; the full step stays that of "
     "max_kl."},
    {"kl_direction", TB_OPTION_ENUM, offsetof(tb_trpo_config, objective.kl_direction),
     TB_KL_OLD_NEW, 0, 0, "old-new|new-old",
     "The KL that the line search bounds and the log shows: old-new is KL(old || new), new-old is "
     "KL(new || old)."},
    TB_NATURAL_OPTIONS(tb_trpo_config),
    {"line_search_shrink", TB_OPTION_F64, offsetof(tb_trpo_config, line_search_shrink), 0.8, 0.01,
     0.99, NULL, "Factor between two step lengths of the line search."},
    {"line_search_steps", TB_OPTION_I64, offsetof(tb_trpo_config, line_search_steps), 10, 1, 1000,
     NULL, "Most step lengths that the line search tries."},
    {"line_search_accept_ratio", TB_OPTION_F64, offsetof(tb_trpo_config, line_search_accept_ratio),
     0, 0, 1, NULL,
     "The line search accepts only improvements above this share of their first-order prediction."},
    TB_OBJECTIVE_OPTIONS(tb_trpo_config),
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

typedef struct tb_trpo_step {
    tb_policy *policy;
    const tb_batch *batch;
    const tb_natural *natural;
    double beta;
    tb_surrogate at; // of the last trial
} tb_trpo_step;

static tb_status try_step(void *ctx, double fraction, tb_trial *out, tb_error *error)
{
    tb_trpo_step *step = ctx;
    tb_natural_move(step->policy, step->natural, fraction * step->beta);
    tb_status status = tb_policy_evaluate(step->policy, step->batch, &step->at, error);
    *out = (tb_trial){step->at.objective, step->at.kl};
    return status;
}

static tb_status prepare(const void *config, tb_policy *policy, tb_error *error)
{
    const tb_trpo_config *trpo = config;
    return tb_policy_prepare(policy, &trpo->objective, trpo->natural.fisher_fraction, error);
}

static tb_status update(const void *config, tb_policy *policy, const tb_batch *batch, double *state,
                        tb_iteration *log, tb_error *error)
{
    (void)state;
    const tb_trpo_config *trpo = config;
    tb_natural natural;
    tb_status status = tb_natural_direction(policy, batch, &trpo->natural, &natural, log, error);
    if (status != TB_OK || !natural.usable)
        return status;

    tb_trpo_step step = {.policy = policy,
                         .batch = batch,
                         .natural = &natural,
                         .beta = sqrt(2 * trpo->max_kl / natural.xfx)};
    log->surrogate_expected = step.beta * natural.gx;
    tb_line_search search = {
        .objective_old = tb_policy_objective(policy, log->surrogate_before, log->entropy),
        .expected = log->surrogate_expected,
        .accept_ratio = trpo->line_search_accept_ratio,
        .max_kl = trpo->kl_slack * trpo->max_kl,
        .shrink = trpo->line_search_shrink,
        .max_steps = trpo->line_search_steps,
    };
    tb_line_search_result result;
    const double begin = tb_seconds();
    status = tb_line_search_run(&search, try_step, &step, &result, error);
    policy->line_search_s += tb_seconds() - begin;
    if (status != TB_OK)
        return status;
    log->line_search_steps = result.steps;
    log->update_end = result.end;
    log->kl_tried = result.last.kl;
    log->improvement_ratio = result.ratio;
    if (result.end != TB_UPDATE_ACCEPTED) {
        // the old parameters stay
        tb_net_set(&policy->net, natural.old);
        log->updates_rejected++;
        log->non_finite += result.end == TB_UPDATE_NON_FINITE;
        return TB_OK;
    }
    log->kl = result.last.kl;
    log->surrogate_after = step.at.surrogate;
    log->entropy_after = step.at.entropy;
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
    .prepare = prepare,
    .update = update,
};
