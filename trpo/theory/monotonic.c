/* SPDX-License-Identifier: MIT
 *
 * Algorithm 1 of the paper: pi_new = argmax L_pi(pi~) - C D_KL^max(pi, pi~) with
 * C = 4 eps gamma / (1 - gamma)^2. By theorem 1 (eq. 9) eta never decreases.
 */
#include "trpo/theory/algorithm.h"
#include "trpo/theory/penalty.h"

static tb_status step(const void *config, const tb_exact *at, double *pi_new, double *work,
                      tb_exact_step *log, tb_error *error)
{
    (void)config;
    (void)work;
    (void)error;
    log->size = tb_penalty_step(at, tb_bound_penalty(at), pi_new);
    tb_bound bound;
    tb_bound_measure(at, pi_new, &bound);
    log->promised = bound.lower_kl;
    return TB_OK;
}

static const tb_option options[] = {{NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL}};

const tb_exact_algorithm tb_exact_monotonic = {
    .id = "monotonic",
    .summary =
        "Algorithm 1: maximise L - C D_KL^max with the C of theorem 1 (Schulman et al. 2015)",
    .step_name = "max-kl",
    .options = options,
    .monotonic = 1,
    .step = step,
};
