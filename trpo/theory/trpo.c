/* SPDX-License-Identifier: MIT
 *
 * TRPO with exact expectations: maximise L s.t. mean KL(pi || pi~) <= delta over the states that pi
 * visits (paper, eq. 12), for a tabular softmax policy. Direction and line search as in
 * trpo/update/trpo.c: x = (F + damping I)^-1 g, full step sqrt(2 delta / x'(F + damping I) x), then
 * backtracking on the exact surrogate and mean KL.
 */
#include <math.h>
#include <string.h>

#include "trpo/linalg/vec.h"
#include "trpo/search/line_search.h"
#include "trpo/theory/algorithm.h"
#include "trpo/theory/softmax.h"

typedef struct tb_exact_trpo_config {
    double max_kl;
    double damping;
    double line_search_shrink;
    int64_t line_search_steps;
} tb_exact_trpo_config;

static const tb_option options[] = {
    {"max_kl", TB_OPTION_F64, offsetof(tb_exact_trpo_config, max_kl), 0.01, 1e-12, 100, NULL,
     "Radius delta of the trust region: bound of the mean KL(old || new) (paper, eq. 12)."},
    {"damping", TB_OPTION_F64, offsetof(tb_exact_trpo_config, damping), 0, 0, 1e6, NULL,
     "Added to the Fisher matrix's diagonal: F + damping I."},
    {"line_search_shrink", TB_OPTION_F64, offsetof(tb_exact_trpo_config, line_search_shrink), 0.8,
     0.01, 0.99, NULL, "Factor between two step lengths of the line search."},
    {"line_search_steps", TB_OPTION_I64, offsetof(tb_exact_trpo_config, line_search_steps), 30, 1,
     1000, NULL, "Most step lengths that the line search tries."},
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

typedef struct tb_exact_trpo_step {
    const tb_exact *at;
    const double *x;    // [S][A]
    double *theta, *pi; // [S][A]
    double beta;
} tb_exact_trpo_step;

static tb_status try_step(void *ctx, double fraction, tb_trial *out, tb_error *error)
{
    (void)error;
    const tb_exact_trpo_step *step = ctx;
    const tb_mdp *mdp = step->at->mdp;
    tb_softmax_parameters(mdp, step->at->pi, step->theta);
    tb_vec_axpy(fraction * step->beta, step->x, step->theta, mdp->n_states * mdp->n_actions);
    tb_softmax_policy(mdp, step->theta, step->pi);
    tb_bound bound;
    tb_bound_measure(step->at, step->pi, &bound);
    *out = (tb_trial){bound.surrogate, bound.kl_mean};
    return TB_OK;
}

static tb_status step(const void *config, const tb_exact *at, double *pi_new, double *work,
                      tb_exact_step *log, tb_error *error)
{
    const tb_exact_trpo_config *trpo = config;
    size_t n = at->mdp->n_states * at->mdp->n_actions;
    double *g = work, *x = work + n, *fx = work + 2 * n;
    tb_softmax_gradient(at, at->rho, g);
    tb_softmax_natural(at, trpo->damping, g, x);
    tb_softmax_fisher_product(at, trpo->damping, x, fx);
    double gx = tb_vec_dot(g, x, n), xfx = tb_vec_dot(x, fx, n);
    log->size = 0;
    log->end = TB_UPDATE_ZERO_GRADIENT;
    memcpy(pi_new, at->pi, n * sizeof *pi_new);
    if (!(gx > 0) || !(xfx > 0))
        return TB_OK;
    // theta + fraction * beta x
    tb_exact_trpo_step trial = {at, x, fx, pi_new, sqrt(2 * trpo->max_kl / xfx)};
    tb_line_search search = {.objective_old = at->eta,
                             .expected = trial.beta * gx,
                             .max_kl = trpo->max_kl,
                             .shrink = trpo->line_search_shrink,
                             .max_steps = trpo->line_search_steps};
    tb_line_search_result result;
    tb_status status = tb_line_search_run(&search, try_step, &trial, &result, error);
    log->trials = result.steps;
    log->end = result.end;
    log->size = result.fraction;
    if (status == TB_OK && result.end != TB_UPDATE_ACCEPTED)
        memcpy(pi_new, at->pi, n * sizeof *pi_new);
    return status;
}

const tb_exact_algorithm tb_exact_trpo = {
    .id = "trpo",
    .summary = "Trust region policy optimisation with exact expectations (Schulman et al. 2015)",
    .step_name = "fraction",
    .config_size = sizeof(tb_exact_trpo_config),
    .options = options,
    .step = step,
};
