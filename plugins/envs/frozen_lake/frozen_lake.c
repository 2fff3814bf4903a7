/* SPDX-License-Identifier: MIT
 *
 * Frozen lake, as in Gymnasium 1.4.0 "FrozenLake-v1" and "FrozenLake8x8-v1".
 *
 * A state is row * columns + column; outcomes stand in Gymnasium's order.
 */
#include <trpo-bench/tabular_kit.h>

enum { LEFT, DOWN, RIGHT, UP, N_ACTIONS };

enum { MOST_BYTES = 1088 }; /* of a map: 32 rows of 33 letters and strokes, and more */

typedef struct params {
    tb_tab_model model;
    double success_rate, goal_reward, hole_reward, frozen_reward;
    uint64_t n_rows, n_columns; /* derived */
    uint32_t map_name;          /* 0 "4x4", 1 "8x8" */
    uint32_t is_slippery;       /* 0 or 1 */
    char desc[MOST_BYTES];      /* rows between strokes; "" = the map of map_name */
    char letters[MOST_BYTES];   /* derived: the rows one after another */
} params;

#define ROWS(size)                                                                                 \
    {                                                                                              \
        TB_KIT_CHOICE(params, map_name, size, "4x4|8x8",                                           \
                      "Which of two maps, unless desc is set."),                                   \
            TB_KIT_TEXT(params, desc, "",                                                          \
                        "A map of one's own: rows of S (start), F (frozen), H (hole) and G "       \
                        "(goal) between strokes, \"SFF/FHG\"."),                                   \
            TB_KIT_BOOL(params, is_slippery, 1, "Whether a step may go to the side instead."),     \
            TB_KIT_F64(params, success_rate, 0.3333333333333333, 0, 1,                             \
                       "Probability of the intended direction on slippery ice; both sides share "  \
                       "the rest."),                                                               \
            TB_KIT_F64(params, goal_reward, 1, -1e9, 1e9, "Reward of reaching the goal."),         \
            TB_KIT_F64(params, hole_reward, 0, -1e9, 1e9, "Reward of falling into a hole."),       \
            TB_KIT_F64(params, frozen_reward, 0, -1e9, 1e9, "Reward of any other step."),          \
            TB_KIT_END                                                                             \
    }

static const tb_kit_param rows[] = ROWS("4x4");
static const tb_kit_param rows_8x8[] = ROWS("8x8");

static char letter(const params *p, uint64_t s)
{
    return p->letters[s];
}

static int is_end(char c)
{
    return c == 'G' || c == 'H';
}

/* the neighbour of s in a direction; the border holds */
static uint64_t neighbour(const params *p, uint64_t s, uint64_t direction)
{
    uint64_t row = s / p->n_columns, column = s % p->n_columns;
    if (direction == LEFT && column > 0)
        column--;
    if (direction == DOWN && row + 1 < p->n_rows)
        row++;
    if (direction == RIGHT && column + 1 < p->n_columns)
        column++;
    if (direction == UP && row > 0)
        row--;
    return row * p->n_columns + column;
}

static void add_move(const params *p, uint64_t s, uint64_t direction, double probability,
                     tb_tab_outcomes *to)
{
    uint64_t next = neighbour(p, s, direction);
    char c = letter(p, next);
    double reward = c == 'G' ? p->goal_reward : c == 'H' ? p->hole_reward : p->frozen_reward;
    tb_tab_add(to, probability, next, reward, is_end(c));
}

static void outcomes(const void *params_, uint64_t s, uint64_t a, tb_tab_outcomes *to)
{
    const params *p = params_;
    double side = (1 - p->success_rate) / 2;
    if (is_end(letter(p, s))) {
        tb_tab_add(to, 1, s, 0, 1);
    } else if (p->is_slippery) {
        add_move(p, s, (a + 3) % 4, side, to);
        add_move(p, s, a, p->success_rate, to);
        add_move(p, s, (a + 1) % 4, side, to);
    } else {
        add_move(p, s, a, 1, to);
    }
}

static double start(const void *params_, uint64_t s)
{
    return letter(params_, s) == 'S';
}

/* Reads the map into letters, n_rows, n_columns. */
static tb_status read_map(params *p, const char *map, char *err, uint64_t err_cap)
{
    uint64_t n = 0, in_row = 0;
    p->n_rows = 1;
    for (; *map; map++) {
        if (*map == '/') {
            p->n_rows++;
            in_row = 0;
            continue;
        }
        if (!strchr("SFHG", *map))
            return tb_kit_text(err, err_cap, TB_E_PARAM,
                               "parameter \"desc\" holds '%c'; letters are S, F, H and G", *map);
        p->letters[n++] = *map;
        p->n_columns = ++in_row > p->n_columns ? in_row : p->n_columns;
    }
    if (n != p->n_rows * p->n_columns)
        return tb_kit_text(err, err_cap, TB_E_PARAM,
                           "parameter \"desc\" has rows of different length");
    if (!strchr(p->letters, 'S'))
        return tb_kit_text(err, err_cap, TB_E_PARAM, "parameter \"desc\" has no start (S)");
    return TB_OK;
}

static tb_status prepare(void *params_, char *err, uint64_t err_cap)
{
    static const char *const maps[] = {
        "SFFF/FHFH/FFFH/HFFG",
        "SFFFFFFF/FFFFFFFF/FFFHFFFF/FFFFFHFF/FFFHFFFF/FHHFFFHF/FHFFHFHF/FFFHFFFG",
    };
    params *p = params_;
    tb_status status = read_map(p, p->desc[0] ? p->desc : maps[p->map_name], err, err_cap);
    tb_tab_begin(p, p->n_rows * p->n_columns, N_ACTIONS, outcomes, start);
    return status;
}

static const tb_kit_def frozen_lake = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "tabular/FrozenLake-v1",
             .summary = "Cross a slippery lake of 4 x 4 tiles without falling into a hole.",
             .reference = "Gymnasium 1.4.0 FrozenLake-v1",
             .max_episode_steps = 100,
             .reward_threshold = 0.70,
             .return_random = 0.01394,
             .return_ref = 0.7442},
    .params = rows,
    .params_bytes = sizeof(params),
    .prepare = prepare,
    TB_TABULAR,
};

static const tb_kit_def frozen_lake_8x8 = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "tabular/FrozenLake8x8-v1",
             .summary = "Cross a slippery lake of 8 x 8 tiles without falling into a hole.",
             .reference = "Gymnasium 1.4.0 FrozenLake8x8-v1",
             .max_episode_steps = 200,
             .reward_threshold = 0.85,
             .return_random = 0.001901,
             .return_ref = 0.9132},
    .params = rows_8x8,
    .params_bytes = sizeof(params),
    .prepare = prepare,
    TB_TABULAR,
};
TB_KIT_PLUGIN(&frozen_lake, &frozen_lake_8x8);
