/* SPDX-License-Identifier: MIT
 *
 * As algorithm 1 with a penalty coefficient of one's own: larger steps, nothing promised (paper,
 * section 4: "the step sizes would be very small").
 */
#include "trpo/theory/algorithm.h"
#include "trpo/theory/penalty.h"

typedef struct tb_penalized_config {
    double penalty;
} tb_penalized_config;

static const tb_option options[] = {
    {"penalty", TB_OPTION_F64, offsetof(tb_penalized_config, penalty), 1, 1e-9, 1e12, NULL,
     "Coefficient C of L - C D_KL^max, in units of return per nat."},
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

static tb_status step(const void *config, const tb_exact *at, double *pi_new, double *work,
                      tb_exact_step *log, tb_error *error)
{
    (void)work;
    (void)error;
    const tb_penalized_config *penalized = config;
    log->size = tb_penalty_step(at, penalized->penalty, pi_new);
    return TB_OK;
}

const tb_exact_algorithm tb_exact_penalized = {
    .id = "penalized",
    .summary = "Maximise L - C D_KL^max with a chosen C (paper, section 4)",
    .step_name = "max-kl",
    .config_size = sizeof(tb_penalized_config),
    .options = options,
    .step = step,
};
