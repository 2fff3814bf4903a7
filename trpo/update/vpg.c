/* SPDX-License-Identifier: MIT
 *
 * Vanilla policy gradient (Williams 1992, with the advantages of the batch): one Adam step along
 * the objective's gradient.
 */
#include <math.h>
#include <string.h>

#include "trpo/linalg/vec.h"
#include "trpo/update/algorithm.h"
#include "trpo/update/policy.h"
#include "trpo/value/adam.h"

typedef struct tb_vpg_config {
    tb_objective objective;
    double learning_rate;
} tb_vpg_config;

static const tb_option options[] = {
    {"learning_rate", TB_OPTION_F64, offsetof(tb_vpg_config, learning_rate), 0.01, 0, 10, NULL,
     "Adam step size (Kingma & Ba 2015)."},
    TB_OBJECTIVE_OPTIONS(tb_vpg_config),
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

static tb_status prepare(const void *config, tb_policy *policy, tb_error *error)
{
    const tb_vpg_config *vpg = config;
    return tb_policy_prepare(policy, &vpg->objective, 1, error);
}

static tb_status update(const void *config, tb_policy *policy, const tb_batch *batch, double *state,
                        tb_iteration *log, tb_error *error)
{
    const tb_vpg_config *vpg = config;
    size_t n = policy->net.n_params;
    double *g = policy->scratch, *old = policy->scratch + n;
    tb_status status = tb_policy_evaluate_old(policy, batch, log, error);
    if (status == TB_OK)
        status = tb_policy_gradient(policy, batch, g, error);
    if (status != TB_OK)
        return status;
    log->gradient_norm = sqrt(tb_vec_dot(g, g, n));
    if (!isfinite(log->gradient_norm)) {
        // Adam's moments would never recover from a NaN
        log->update_end = TB_UPDATE_NON_FINITE;
        log->non_finite++;
        log->updates_rejected++;
        return TB_OK;
    }
    memcpy(old, policy->net.theta, n * sizeof *old);
    for (size_t i = 0; i < n; i++)
        g[i] = -g[i]; // Adam descends
    tb_adam_step(policy->net.theta, g, state, n, vpg->learning_rate);
    tb_net_set(&policy->net, policy->net.theta);
    // first-order prediction g's of the step s = theta - old, and its length
    double expected = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double s = policy->net.theta[i] - old[i];
        expected -= g[i] * s;
        squares += s * s;
    }
    log->surrogate_expected = expected;
    log->step_norm = sqrt(squares);
    return tb_policy_keep_finite_step(policy, batch, old, log, error);
}

const tb_algorithm tb_algorithm_vpg = {
    .id = "vpg",
    .summary = "Vanilla policy gradient with Adam (Williams 1992)",
    .config_size = sizeof(tb_vpg_config),
    .options = options,
    .state_count = tb_adam_state_count,
    .prepare = prepare,
    .update = update,
};
