/* SPDX-License-Identifier: MIT */
#include "trpo/sampling/batch.h"

#include <stdlib.h>
#include <string.h>

tb_status tb_batch_init(tb_batch *batch, size_t max_rows, size_t max_lanes, size_t x_row_bytes,
                        size_t n_action, size_t n_params, tb_error *error)
{
    *batch = (tb_batch){.max_rows = max_rows, .n_action = n_action, .n_params = n_params};
    batch->x = tb_alloc(max_rows, x_row_bytes);
    batch->action = tb_alloc(max_rows * n_action, sizeof(double));
    batch->y_old = tb_alloc(max_rows * n_params, sizeof(double));
    batch->log_prob_old = tb_alloc(max_rows, sizeof(double));
    batch->reward = tb_alloc(max_rows, sizeof(double));
    batch->flags = tb_alloc(max_rows, 1);
    batch->value = tb_alloc(max_rows, sizeof(double));
    batch->final_value = tb_alloc(max_rows, sizeof(double));
    batch->next_value = tb_alloc(max_lanes, sizeof(double));
    batch->advantage = tb_alloc(max_rows, sizeof(double));
    batch->target = tb_alloc(max_rows, sizeof(double));
    if (batch->x && batch->action && batch->y_old && batch->log_prob_old && batch->reward &&
        batch->flags && batch->value && batch->final_value && batch->next_value &&
        batch->advantage && batch->target)
        return TB_OK;
    tb_batch_finish(batch);
    return tb_fail(error, TB_E_NOMEM, "no memory for a batch of %zu steps; lower batch_steps",
                   max_rows);
}

void tb_batch_finish(tb_batch *batch)
{
    free(batch->x);
    free(batch->action);
    free(batch->y_old);
    free(batch->log_prob_old);
    free(batch->reward);
    free(batch->flags);
    free(batch->value);
    free(batch->final_value);
    free(batch->next_value);
    free(batch->advantage);
    free(batch->target);
    memset(batch, 0, sizeof *batch);
}
