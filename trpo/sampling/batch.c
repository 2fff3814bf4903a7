/* SPDX-License-Identifier: MIT */
#include "trpo/sampling/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/linalg/vec.h"

tb_status tb_batch_init(tb_batch *batch, size_t max_rows, size_t max_lanes, size_t x_row_bytes,
                        size_t n_action, size_t n_params, tb_error *error)
{
    *batch = (tb_batch){.max_rows = max_rows,
                        .x_row_bytes = x_row_bytes,
                        .n_action = n_action,
                        .n_params = n_params,
                        .n_draws = 1,
                        .draw_weight = 1,
                        .mean_weight = 1};
    batch->x = tb_alloc(max_rows, x_row_bytes);
    batch->action = tb_alloc(max_rows * n_action, sizeof(double));
    batch->y_old = tb_alloc(max_rows * n_params, sizeof(double));
    batch->log_prob_old = tb_alloc(max_rows, sizeof(double));
    batch->reward = tb_alloc(max_rows, sizeof(double));
    batch->flags = tb_alloc(max_rows, 1);
    batch->time = tb_alloc(max_rows, sizeof(double));
    batch->value = tb_alloc(max_rows, sizeof(double));
    batch->final_value = tb_alloc(max_rows, sizeof(double));
    batch->next_value = tb_alloc(max_lanes, sizeof(double));
    batch->advantage = tb_alloc(max_rows, sizeof(double));
    batch->target = tb_alloc(max_rows, sizeof(double));
    // few of them are written: only a batch of nothing but truncated rows fills them
    size_t max_finals = max_rows + max_lanes;
    batch->final_x = tb_reserve(max_finals, x_row_bytes);
    batch->final_time = tb_reserve(max_finals, sizeof(double));
    batch->final_row = tb_reserve(max_finals, sizeof *batch->final_row);
    if (batch->x && batch->action && batch->y_old && batch->log_prob_old && batch->reward &&
        batch->flags && batch->time && batch->value && batch->final_value && batch->next_value &&
        batch->advantage && batch->target && batch->final_x && batch->final_time &&
        batch->final_row)
        return TB_OK;
    tb_batch_finish(batch);
    return tb_fail(error, TB_E_NOMEM, "no memory for a batch of %zu steps; lower batch_steps",
                   max_rows);
}

tb_status tb_batch_init_draws(tb_batch *batch, size_t max_rows, size_t max_draws,
                              size_t x_row_bytes, size_t n_action, size_t n_params, tb_error *error)
{
    size_t draws = max_rows * max_draws;
    *batch = (tb_batch){.max_rows = max_rows,
                        .x_row_bytes = x_row_bytes,
                        .n_action = n_action,
                        .n_params = n_params,
                        .mean_weight = 1};
    batch->x = tb_alloc(max_rows, x_row_bytes);
    batch->time = tb_alloc(max_rows, sizeof(double));
    batch->y_old = tb_alloc(max_rows * n_params, sizeof(double));
    batch->action = tb_alloc(draws * n_action, sizeof(double));
    batch->log_prob_old = tb_alloc(draws, sizeof(double));
    batch->log_proposal = tb_alloc(draws, sizeof(double));
    batch->advantage = tb_alloc(draws, sizeof(double));
    if (batch->x && batch->time && batch->y_old && batch->action && batch->log_prob_old &&
        batch->log_proposal && batch->advantage)
        return TB_OK;
    tb_batch_finish(batch);
    return tb_fail(error, TB_E_NOMEM,
                   "no memory for %zu actions of each of %zu states; lower vine_states", max_draws,
                   max_rows);
}

tb_status tb_batch_reserve_weights(tb_batch *batch, tb_error *error)
{
    batch->weight = tb_alloc(batch->max_rows, sizeof(double));
    return batch->weight != NULL
               ? TB_OK
               : tb_fail(error, TB_E_NOMEM, "no memory for the weights of %zu states",
                         batch->max_rows);
}

void tb_batch_discount_states(tb_batch *batch, double gamma)
{
    size_t n = batch->n_rows;
    for (size_t i = 0; i < n; i++)
        batch->weight[i] = pow(gamma, batch->time[i]);
    double mean = tb_vec_sum(batch->weight, n) / (double)n;
    batch->mean_weight = mean;
    // a batch so late in its episodes that nothing of it counts: all rows alike, not 0 / 0
    for (size_t i = 0; i < n; i++)
        batch->weight[i] = mean > 0 ? batch->weight[i] / mean : 1;
}

void tb_batch_finish(tb_batch *batch)
{
    free(batch->x);
    free(batch->action);
    free(batch->y_old);
    free(batch->log_prob_old);
    free(batch->log_proposal);
    free(batch->reward);
    free(batch->flags);
    free(batch->time);
    free(batch->value);
    free(batch->final_value);
    free(batch->next_value);
    free(batch->advantage);
    free(batch->target);
    free(batch->weight);
    free(batch->final_x);
    free(batch->final_time);
    free(batch->final_row);
    memset(batch, 0, sizeof *batch);
}

void tb_batch_put_final_value(tb_batch *batch, size_t k, double value)
{
    TB_ASSERT(k < batch->n_finals);
    size_t row = batch->final_row[k];
    if (row < batch->n_rows)
        batch->final_value[row] = value;
    else
        batch->next_value[row - batch->n_rows] = value;
}
