/* SPDX-License-Identifier: MIT
 *
 * Cliff walking (Sutton and Barto 2018, example 6.6), as in Gymnasium 1.4.0 "CliffWalking-v1" and
 * "CliffWalkingSlippery-v1".
 *
 * A state is row * 12 + column; outcomes stand in Gymnasium's order.
 */
#include <trpo-bench/tabular_kit.h>

enum { UP, RIGHT, DOWN, LEFT, N_ACTIONS };
enum { N_ROWS = 4, N_COLUMNS = 12, N_STATES = N_ROWS * N_COLUMNS };
enum { START = 36, GOAL = 47 }; /* the cliff lies between them */

typedef struct params {
    tb_tab_model model;
    uint32_t is_slippery; /* 0 or 1 */
    uint32_t reserved0;
} params;

#define SLIPPERY(def)                                                                              \
    TB_KIT_BOOL(params, is_slippery, def,                                                          \
                "Whether a step goes to either side with probability 1/3 each.")

static const tb_kit_param rows[] = {SLIPPERY(0), TB_KIT_END};
static const tb_kit_param rows_slippery[] = {SLIPPERY(1), TB_KIT_END};

static void add_move(uint64_t s, uint64_t direction, double probability, tb_tab_outcomes *to)
{
    uint64_t row = s / N_COLUMNS, column = s % N_COLUMNS, next;
    if (direction == UP && row > 0)
        row--;
    if (direction == RIGHT && column + 1 < N_COLUMNS)
        column++;
    if (direction == DOWN && row + 1 < N_ROWS)
        row++;
    if (direction == LEFT && column > 0)
        column--;
    next = row * N_COLUMNS + column;
    if (next > START && next < GOAL)
        tb_tab_add(to, probability, START, -100, 0);
    else
        tb_tab_add(to, probability, next, -1, next == GOAL);
}

static void outcomes(const void *params_, uint64_t s, uint64_t a, tb_tab_outcomes *to)
{
    const params *p = params_;
    if (!p->is_slippery) {
        add_move(s, a, 1, to);
        return;
    }
    add_move(s, (a + 3) % 4, 1.0 / 3, to);
    add_move(s, a, 1.0 / 3, to);
    add_move(s, (a + 1) % 4, 1.0 / 3, to);
}

static double start(const void *params_, uint64_t s)
{
    (void)params_;
    return s == START;
}

static tb_status prepare(void *params_, char *err, uint64_t err_cap)
{
    (void)err;
    (void)err_cap;
    tb_tab_begin(params_, N_STATES, N_ACTIONS, outcomes, start);
    return TB_OK;
}

static const tb_kit_def cliff_walking = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "tabular/CliffWalking-v1",
             .summary = "Walk along a cliff from start to goal.",
             .reference = "Gymnasium 1.4.0 CliffWalking-v1",
             .reward_threshold = NAN,
             .return_random = -65375,
             .return_ref = -13},
    .params = rows,
    .params_bytes = sizeof(params),
    .prepare = prepare,
    TB_TABULAR,
};

static const tb_kit_def cliff_walking_slippery = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "tabular/CliffWalkingSlippery-v1",
             .summary = "Walk along a cliff from start to goal, slipping.",
             .reference = "Gymnasium 1.4.0 CliffWalkingSlippery-v1",
             .reward_threshold = NAN,
             .return_random = -65375,
             .return_ref = -64.71},
    .params = rows_slippery,
    .params_bytes = sizeof(params),
    .prepare = prepare,
    TB_TABULAR,
};
TB_KIT_PLUGIN(&cliff_walking, &cliff_walking_slippery);
