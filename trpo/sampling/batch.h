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
    size_t lanes, steps; /* L, T of this batch; N = lanes * steps */
    size_t n_rows;       /* N */
    size_t max_rows;     /* what the arrays hold */
    size_t x_row_bytes;  /* of one row of x */
    size_t n_action;     /* A */
    size_t n_params;     /* D */
    /* K actions a row: 1 of a trajectory, more of a vine's rollout set (trpo/sampling/vine.h). The
     * row's term of the surrogate is draw_weight * sum_k w_k advantage_k with w_k = pi(a_k | s) /
     * q(a_k | s), or, self-normalized, sum_k w_k advantage_k / sum_k w_k. */
    size_t n_draws;     /* K */
    double draw_weight; /* 1 / K, or 1 when every action was tried once and q = 1 */
    int self_normalized;
    void *x;              /* [N][I] network inputs, normalised, in the networks' type */
    double *action;       /* [N][K][A] as sampled: not clipped */
    double *y_old;        /* [N][D] distribution parameters that the action was drawn from */
    double *log_prob_old; /* [N][K] log pi_old(a | s) */
    double *log_proposal; /* [N][K] log q(a | s); trajectories have none: q = pi_old */
    double *reward;       /* [N] raw, until tb_return_scaler_apply() */
    uint8_t *flags;       /* [N] TB_ROW_* */
    double *time;         /* [N] steps of the row's episode that were done before it */
    double *value;        /* [N] V(s), by the critic that was in force during sampling */
    double *final_value;  /* [N] V(final observation) where TRUNCATED and not TERMINATED, else 0 */
    double *next_value;   /* [L] V(observation after the last row of the lane) */
    double *advantage;    /* [N][K]; of a vine: Q */
    double *target;       /* [N] advantage (before normalising) + value: what the critic fits */
    /* Weights of the rows in every mean over states; they sum to N. NULL: each has 1. */
    double *weight;     /* [N] */
    double mean_weight; /* of gamma^t over the rows, which the weights were divided by; 1 without */

    /* F observations that no row holds but that the critic must value, in lane order: what followed
     * each row that was TRUNCATED and not TERMINATED, and where each lane stands after its last
     * row. F is at least L and at most N + L. */
    size_t n_finals;    /* F */
    void *final_x;      /* [F][I] like x */
    double *final_time; /* [F] steps of the episode that were done before it */
    size_t *final_row;  /* [F] the truncated row, or N + lane */
} tb_batch;

tb_status tb_batch_init(tb_batch *batch, size_t max_rows, size_t max_lanes, size_t x_row_bytes,
                        size_t n_action, size_t n_params, tb_error *error);
/* Makes room for weights, of rows with `time`. */
tb_status tb_batch_reserve_weights(tb_batch *batch, tb_error *error);
/* weight = gamma^time, divided by their mean: the rows then count as discounted visitation has
 * them, rho(s) = sum_t gamma^t P(s_t = s) (paper, section 2), up to a factor. */
void tb_batch_discount_states(tb_batch *batch, double gamma);

/* The rollout set of a vine: rows with max_draws actions, and nothing that only trajectories have.
 */
tb_status tb_batch_init_draws(tb_batch *batch, size_t max_rows, size_t max_draws,
                              size_t x_row_bytes, size_t n_action, size_t n_params,
                              tb_error *error);
void tb_batch_finish(tb_batch *batch);

/* What row i counts in means over states. */
static inline double tb_batch_weight(const tb_batch *batch, size_t row)
{
    return batch->weight != NULL ? batch->weight[row] : 1;
}

/* Whether the row is the last of its episode. */
static inline int tb_batch_ends(const tb_batch *batch, size_t row)
{
    return (batch->flags[row] & (TB_ROW_TERMINATED | TB_ROW_TRUNCATED)) != 0;
}

/* What an episode that ends with this row is still worth: nothing when it terminated, which wins
 * when both marks are set; else the value of the observation that it was cut at. */
static inline double tb_batch_value_behind(const tb_batch *batch, size_t row)
{
    return batch->flags[row] & TB_ROW_TERMINATED ? 0 : batch->final_value[row];
}

/* Puts the value of observation `k` of final_x where advantages look for it: final_value or
 * next_value. */
void tb_batch_put_final_value(tb_batch *batch, size_t k, double value);

#endif
