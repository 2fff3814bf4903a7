/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/advantage.h"

#include "trpo/advantage/gae.h"
#include "trpo/advantage/returns.h"
#include "trpo/advantage/vtrace.h"

void tb_estimate_advantages(const tb_learner_config *config, tb_batch *batch)
{
    switch (config->advantage) {
    case TB_ADVANTAGE_RETURNS: tb_returns(batch, config->gamma); break;
    case TB_ADVANTAGE_VTRACE:
        tb_vtrace(batch, NULL, config->gamma, config->vtrace_rho_bar, config->vtrace_c_bar);
        break;
    default: tb_gae(batch, config->gamma, config->lambda);
    }
    if (config->normalize_advantages)
        tb_normalize_advantages(batch);
}
