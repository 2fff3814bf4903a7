/* SPDX-License-Identifier: MIT
 *
 * What one iteration sampled. Rows are ordered by lane, then by time: row = lane * T + t, N = lanes
 * * T.
 *
 * Legend: N rows, L lanes, T steps a lane, I network inputs, A action entries, D distribution
 * parameters.
 */
#ifndef TRPO_SAMPLING_BATCH_H
#define TRPO_SAMPLING_BATCH_H

#include "trpo/base/base.h"

/* How a row's step ended its episode. */
enum {
    TB_ROW_TERMINATED = 1,
    TB_ROW_TRUNCATED = 2, /* by the time limit or by the environment */
    TB_ROW_START = 4      /* the row's observation is the first of an episode */
};

typedef struct tb_batch {
    size_t lanes, steps;  /* L, T of this batch; N = lanes * steps */
    size_t n_rows;        /* N */
    size_t max_rows;      /* what the arrays hold */
    size_t n_action;      /* A */
    size_t n_params;      /* D */
    void *x;              /* [N][I] network inputs, normalised, in the networks' type */
    double *action;       /* [N][A] as sampled: not clipped */
    double *y_old;        /* [N][D] distribution parameters that the action was drawn from */
    double *log_prob_old; /* [N] log pi_old(a | s) */
    double *reward;       /* [N] raw */
    uint8_t *flags;       /* [N] TB_ROW_* */
    double *value;        /* [N] V(s), by the critic that was in force during sampling */
    double *final_value;  /* [N] V(final observation) where TRUNCATED and not TERMINATED, else 0 */
    double *next_value;   /* [L] V(observation after the last row of the lane) */
    double *advantage;    /* [N] */
    double *target;       /* [N] advantage (before normalising) + value: what the critic fits */
} tb_batch;

tb_status tb_batch_init(tb_batch *batch, size_t max_rows, size_t max_lanes, size_t x_row_bytes,
                        size_t n_action, size_t n_params, tb_error *error);
void tb_batch_finish(tb_batch *batch);

#endif
