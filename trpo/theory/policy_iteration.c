/* SPDX-License-Identifier: MIT
 *
 * Policy iteration (Howard 1960): the greedy policy of Q, everywhere at once.
 */
#include <math.h>

#include "trpo/theory/algorithm.h"

static tb_status step(const void *config, const tb_exact *at, double *pi_new, double *work,
                      tb_exact_step *log, tb_error *error)
{
    (void)config;
    (void)work;
    (void)error;
    tb_greedy_policy(at, pi_new);
    // policy improvement theorem: no state gets worse
    log->promised = at->eta;
    return TB_OK;
}

static const tb_option options[] = {{NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL}};

const tb_exact_algorithm tb_exact_policy_iteration = {
    .id = "policy-iteration",
    .summary = "Classical policy iteration: the greedy policy of Q (Howard 1960)",
    .step_name = "none",
    .options = options,
    .monotonic = 1,
    .step = step,
};
