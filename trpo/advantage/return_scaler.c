/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/return_scaler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

tb_status tb_return_scaler_init(tb_return_scaler *scaler, size_t lanes, tb_error *error)
{
    *scaler = (tb_return_scaler){.lanes = lanes, .running = tb_alloc(lanes, sizeof(double))};
    tb_status status =
        scaler->running != NULL
            ? tb_moments_init(&scaler->returns, 1, error)
            : tb_fail(error, TB_E_NOMEM, "no memory for the returns of %zu lanes", lanes);
    if (status == TB_OK)
        status = tb_moments_init(&scaler->lane, 1, error);
    if (status != TB_OK)
        tb_return_scaler_finish(scaler);
    return status;
}

void tb_return_scaler_finish(tb_return_scaler *scaler)
{
    free(scaler->running);
    tb_moments_finish(&scaler->returns);
    tb_moments_finish(&scaler->lane);
    memset(scaler, 0, sizeof *scaler);
}

// takes in the running returns of all rows, lane by lane
static void gather(tb_return_scaler *scaler, const tb_batch *batch, double gamma)
{
    for (size_t lane = 0; lane < batch->lanes; lane++) {
        double *running = &scaler->running[lane];
        tb_moments_clear(&scaler->lane);
        for (size_t row = lane * batch->steps; row < (lane + 1) * batch->steps; row++) {
            *running = gamma * *running + batch->reward[row];
            tb_moments_add(&scaler->lane, running);
            if (tb_batch_ends(batch, row))
                *running = 0;
        }
        tb_moments_merge(&scaler->returns, &scaler->lane);
    }
}

static double reward_scale(const tb_return_scaler *scaler)
{
    return 1 / (tb_moments_std(&scaler->returns, 0) + 1e-8);
}

void tb_return_scaler_apply(tb_return_scaler *scaler, tb_batch *batch, double gamma, double clip)
{
    TB_ASSERT(batch->lanes == scaler->lanes);
    int first = scaler->returns.count == 0;
    double scale = reward_scale(scaler); // frozen for the whole batch
    gather(scaler, batch, gamma);
    if (first)
        scale = reward_scale(scaler);
    for (size_t row = 0; row < batch->n_rows; row++)
        batch->reward[row] = fmax(-clip, fmin(clip, batch->reward[row] * scale));
}

void tb_return_scaler_visit(tb_return_scaler *scaler, tb_state_visitor *visitor)
{
    tb_state_visit(visitor, "returns", "running", scaler->running,
                   scaler->lanes * sizeof *scaler->running);
    tb_moments_visit(&scaler->returns, "returns", visitor);
}
