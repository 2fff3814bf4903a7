/* SPDX-License-Identifier: MIT
 *
 * Exact natural policy gradient (Kakade 2002) of a tabular softmax policy with a fixed step. As in
 * the sampled algorithm the surrogate is a mean over visited states, d = rho / sum rho, so that a
 * step size means the same: theta += step_size (F + damping I)^-1 g / sum rho.
 */
#include "trpo/theory/algorithm.h"
#include "trpo/theory/softmax.h"

typedef struct tb_exact_npg_config {
    double step_size;
    double damping;
} tb_exact_npg_config;

static const tb_option options[] = {
    {"step_size", TB_OPTION_F64, offsetof(tb_exact_npg_config, step_size), 0.1, 1e-12, 1e6, NULL,
     "Fixed step along F^-1 g: the inverse of the paper's multiplier lambda (eq. 17)."},
    {"damping", TB_OPTION_F64, offsetof(tb_exact_npg_config, damping), 0, 0, 1e6, NULL,
     "Added to the Fisher matrix's diagonal: F + damping I."},
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

static tb_status step(const void *config, const tb_exact *at, double *pi_new, double *work,
                      tb_exact_step *log, tb_error *error)
{
    (void)error;
    const tb_exact_npg_config *npg = config;
    size_t n = at->mdp->n_states * at->mdp->n_actions;
    double *g = work, *x = work + n, *theta = work + 2 * n;
    tb_softmax_gradient(at, at->rho, g);
    tb_softmax_natural(at, npg->damping, g, x);
    tb_softmax_parameters(at->mdp, at->pi, theta);
    for (size_t i = 0; i < n; i++)
        theta[i] += npg->step_size / at->rho_sum * x[i];
    tb_softmax_policy(at->mdp, theta, pi_new);
    log->size = npg->step_size;
    return TB_OK;
}

const tb_exact_algorithm tb_exact_npg = {
    .id = "npg",
    .summary = "Natural policy gradient with a fixed step (Kakade 2002)",
    .step_name = "step",
    .config_size = sizeof(tb_exact_npg_config),
    .options = options,
    .step = step,
};
