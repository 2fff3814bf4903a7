/* SPDX-License-Identifier: MIT
 *
 * Random Markov decision processes: the Garnet ("generalised average reward non-stationary
 * environment test-bench") of Archibald, McKinnon and Thomas, "On the generation of Markov decision
 * processes", J. Oper. Res. Soc. 46 (1995), with sparse rewards, ends and a choice of first states.
 *
 * The process is a function of its keys alone, made of additions, multiplications and comparisons:
 * the same bits everywhere. Each pair (s, a) draws from a stream of its own.
 */
#include <trpo-bench/tabular_kit.h>

enum { MOST_BRANCHES = 64 };
enum { UNIFORM, SINGLE, RANDOM };    /* choices of `start` */
enum { STREAM_START, STREAM_PAIRS }; /* streams under the key of the seed */

typedef struct params {
    tb_tab_model model;
    int64_t states, actions, branching, seed;
    double reward_share, terminal_share;
    int64_t n_terminal; /* derived */
    uint32_t start;     /* UNIFORM, SINGLE or RANDOM */
    uint32_t reserved0;
} params;

static const tb_kit_param rows[] = {
    TB_KIT_I64(params, states, 50, 2, 4096, "Number of states."),
    TB_KIT_I64(params, actions, 4, 1, 64, "Number of actions."),
    TB_KIT_I64(params, branching, 3, 1, 64,
               "Different next states of a pair (state, action); all states if there are fewer."),
    TB_KIT_F64(params, reward_share, 0.2, 0, 1,
               "Probability that a pair has a reward, uniform in [-1, 1); others have 0."),
    TB_KIT_F64(params, terminal_share, 0.1, 0, 1,
               "Share of the states, rounded, that end the episode; one state never does."),
    TB_KIT_CHOICE(params, start, "uniform", "uniform|single|random",
                  "First states: all that do not end alike, one of them, or random weights."),
    TB_KIT_I64(params, seed, 0, 0, 9007199254740992, "Names the process."),
    TB_KIT_END};

/* The stream `which`, or of pair number `which - STREAM_PAIRS`. */
static tb_rng stream(const params *p, uint64_t which)
{
    tb_key seed = {{(uint64_t)p->seed, UINT64_C(0x4741524e4554)}}; /* "GARNET" */
    tb_rng rng;
    tb_rng_init(&rng, tb_key_child(seed, which));
    return rng;
}

/* One of 0 .. n-1; for n up to 2^32 no number is likelier by more than 2^-21 of its probability. */
static uint64_t draw_below(tb_rng *rng, uint64_t n)
{
    return (uint64_t)(tb_rng_f64(rng) * (double)n);
}

static void sort(double *x, uint64_t n)
{
    uint64_t i, j;
    for (i = 1; i < n; i++) {
        double here = x[i];
        for (j = i; j > 0 && x[j - 1] > here; j--)
            x[j] = x[j - 1];
        x[j] = here;
    }
}

static int holds(const uint64_t *set, uint64_t n, uint64_t x)
{
    uint64_t i = 0;
    while (i < n && set[i] != x)
        i++;
    return i < n;
}

/* Whether entering state s ends the episode: the last n_terminal ones do. A random set would be the
 * same process under other numbers. */
static int is_terminal(const params *p, uint64_t s)
{
    return s >= p->model.n_states - (uint64_t)p->n_terminal;
}

/* b different states, each set of b equally likely (Floyd 1987); probabilities are the gaps between
 * b - 1 uniform points of [0, 1]. The points are multiples of 2^-53, so the gaps are exact and add
 * up to exactly 1. */
static void outcomes(const void *params_, uint64_t s, uint64_t a, tb_tab_outcomes *to)
{
    const params *p = params_;
    uint64_t n = p->model.n_states, next[MOST_BRANCHES], i;
    uint64_t b = (uint64_t)p->branching < n ? (uint64_t)p->branching : n;
    double cut[MOST_BRANCHES + 1] = {0}, reward;
    tb_rng rng = stream(p, STREAM_PAIRS + s * p->model.n_actions + a);
    for (i = 0; i < b; i++) {
        uint64_t among = n - b + i, drawn = draw_below(&rng, among + 1);
        next[i] = holds(next, i, drawn) ? among : drawn;
    }
    for (i = 1; i < b; i++)
        cut[i] = tb_rng_f64(&rng);
    cut[b] = 1;
    sort(cut + 1, b - 1);
    reward = tb_rng_f64(&rng) < p->reward_share ? tb_rng_uniform(&rng, -1, 1) : 0;
    for (i = 0; i < b; i++)
        tb_tab_add(to, cut[i + 1] - cut[i], next[i], reward, is_terminal(p, next[i]));
}

static double start(const void *params_, uint64_t s)
{
    const params *p = params_;
    uint64_t block[2];
    tb_rng rng;
    if (is_terminal(p, s))
        return 0;
    if (p->start != RANDOM)
        return p->start == UNIFORM || s == 0;
    /* number s of the stream, never 0 so that some state has weight */
    rng = stream(p, STREAM_START);
    tb_key_block(&rng.key, s, block);
    return 1 - tb_unit_f64(block[0]);
}

static tb_status prepare(void *params_, char *err, uint64_t err_cap)
{
    params *p = params_;
    (void)err;
    (void)err_cap;
    p->n_terminal = (int64_t)(p->terminal_share * (double)p->states + 0.5);
    if (p->n_terminal > p->states - 1)
        p->n_terminal = p->states - 1;
    tb_tab_begin(p, (uint64_t)p->states, (uint64_t)p->actions, outcomes, start);
    return TB_OK;
}

static const tb_kit_def random_mdp = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "tabular/RandomMDP-v0",
             .summary = "A random finite Markov decision process (Garnet).",
             .max_episode_steps = 100,
             .reward_threshold = NAN,
             .return_random = NAN,
             .return_ref = NAN},
    .params = rows,
    .params_bytes = sizeof(params),
    .prepare = prepare,
    TB_TABULAR,
};
TB_KIT_PLUGIN(&random_mdp);
