/* SPDX-License-Identifier: MIT
 *
 * Natural policy gradient with a fixed step (Kakade 2002; Schulman et al. 2015, eq. 17 with
 * 1/lambda = step_size): theta += step_size * F^-1 g.
 */
#include <math.h>

#include "trpo/linalg/vec.h"
#include "trpo/update/algorithm.h"
#include "trpo/update/natural.h"

typedef struct tb_npg_config {
    tb_objective objective;
    tb_natural_config natural;
    double step_size;
} tb_npg_config;

static const tb_option options[] = {
    {"step_size", TB_OPTION_F64, offsetof(tb_npg_config, step_size), 0.1, 1e-12, 1e6, NULL,
     "Fixed step along F^-1 g: the inverse of the paper's Lagrange multiplier lambda (eq. 17)."},
    TB_NATURAL_OPTIONS(tb_npg_config),
    TB_OBJECTIVE_OPTIONS(tb_npg_config),
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

static tb_status prepare(const void *config, tb_policy *policy, tb_error *error)
{
    const tb_npg_config *npg = config;
    return tb_policy_prepare(policy, &npg->objective, npg->natural.fisher_fraction, error);
}

static tb_status update(const void *config, tb_policy *policy, const tb_batch *batch, double *state,
                        tb_iteration *log, tb_error *error)
{
    (void)state;
    const tb_npg_config *npg = config;
    tb_natural natural;
    tb_status status = tb_natural_direction(policy, batch, &npg->natural, &natural, log, error);
    if (status != TB_OK || !natural.usable)
        return status;
    tb_natural_move(policy, &natural, npg->step_size);
    log->surrogate_expected = npg->step_size * natural.gx;
    log->step_norm = npg->step_size * sqrt(tb_vec_dot(natural.x, natural.x, policy->net.n_params));
    return tb_policy_keep_finite_step(policy, batch, natural.old, log, error);
}

const tb_algorithm tb_algorithm_npg = {
    .id = "npg",
    .summary = "Natural policy gradient with a fixed step (Kakade 2002)",
    .config_size = sizeof(tb_npg_config),
    .options = options,
    .prepare = prepare,
    .update = update,
};
