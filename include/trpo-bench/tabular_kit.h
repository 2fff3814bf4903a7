/* SPDX-License-Identifier: MIT
 *
 * Tabular kit: environments of finitely many states whose dynamics are known, on top of env_kit.h.
 * The author writes what each pair (s, a) leads to and where episodes start; the kit turns that
 * model into an environment, and tells it through tb.env.tabular/1. What is sampled is the table
 * that is told, so the two cannot differ.
 *
 *   typedef struct params {
 *       tb_tab_model model; // first
 *       double wind;        // then the keys
 *   } params;
 *
 *   static void outcomes(const void *p, uint64_t s, uint64_t a, tb_tab_outcomes *to)
 *   {
 *       tb_tab_add(to, 1, s + 1, -1, s + 1 == 9); // probability, next state, reward, ends
 *   }
 *
 *   static double start(const void *p, uint64_t s) { return s == 0; }
 *
 *   static tb_status prepare(void *p, char *err, uint64_t cap)
 *   {
 *       tb_tab_begin(p, 10, 2, outcomes, start);
 *       return TB_OK;
 *   }
 *
 *   static const tb_kit_def line = {.desc = {...}, .params = rows, .params_bytes = sizeof(params),
 *                                   .prepare = prepare, TB_TABULAR};
 *   TB_KIT_PLUGIN(&line);
 *
 * Say TB_ENV_STOCHASTIC_STEP in desc.flags: step() draws one number whatever the model, so that two
 * runs with the same random stream stay in step.
 *
 * Include it in one .c file of a plugin. Names tb__tab_* are internal. Compiles alone as C99 to C17
 * and C++11 to C++20 with -pedantic -Wpadded -Werror (TB_TABULAR itself needs designators).
 */
#ifndef TRPO_BENCH_TABULAR_KIT_H
#define TRPO_BENCH_TABULAR_KIT_H

#include "env_kit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what the author fills in ---- */

/* What the pairs lead to, while the table is being made. Only tb_tab_add() looks inside. */
typedef struct tb_tab_outcomes {
    uint64_t n;          /* outcomes so far */
    double *probability; /* NULL: only counted */
    double *reward;
    uint32_t *next;
    uint8_t *terminated;
} tb_tab_outcomes;

/* One more outcome of the pair that is being asked for: see tb_tabular in env.h for the ranges. */
static inline void tb_tab_add(tb_tab_outcomes *to, double probability, uint64_t next, double reward,
                              int terminated)
{
    if (to->probability) {
        to->probability[to->n] = probability;
        to->reward[to->n] = reward;
        to->next[to->n] = (uint32_t)next;
        to->terminated[to->n] = terminated != 0;
    }
    to->n++;
}

/* The model: the first member of the parameter struct. */
typedef struct tb_tab_model {
    uint64_t n_states, n_actions;
    uint64_t n_observations; /* tb_tab_begin() makes it n_states */
    /* Adds what the pair (s, a) leads to, at least one outcome, always the same. */
    void (*outcomes)(const void *params, uint64_t s, uint64_t a, tb_tab_outcomes *to);
    /* How much weight state s has among the first states, >= 0; the kit divides by their sum. */
    double (*start)(const void *params, uint64_t s);
    /* What is observed in state s, below n_observations; NULL (as tb_tab_begin() leaves it): s. */
    uint64_t (*observe)(const void *params, uint64_t s);

    /* the kit's: as in tb_tabular */
    uint64_t n_outcomes;
    uint64_t *first;
    double *probability, *reward, *initial;
    uint32_t *next;
    int32_t *observation;
    uint8_t *terminated;
} tb_tab_model;

/* For prepare(): a model of so many states (at most 2^31) and actions. */
static inline void tb_tab_begin(void *params, uint64_t n_states, uint64_t n_actions,
                                void (*outcomes)(const void *, uint64_t, uint64_t,
                                                 tb_tab_outcomes *),
                                double (*start)(const void *, uint64_t))
{
    tb_tab_model *m = (tb_tab_model *)params;
    m->n_states = n_states;
    m->n_actions = n_actions;
    m->n_observations = n_states;
    m->outcomes = outcomes;
    m->start = start;
}

/* ---- the table ---- */

static inline uint64_t tb__tab_fill_outcomes(const void *params, tb_tab_outcomes *to)
{
    const tb_tab_model *m = (const tb_tab_model *)params;
    uint64_t s, a;
    for (s = 0; s < m->n_states; s++)
        for (a = 0; a < m->n_actions; a++) {
            if (to->probability)
                m->first[s * m->n_actions + a] = to->n;
            m->outcomes(params, s, a, to);
        }
    return to->n;
}

/* rho0: the weights over their sum */
static inline void tb__tab_fill_states(const void *params)
{
    const tb_tab_model *m = (const tb_tab_model *)params;
    double sum = 0;
    uint64_t s;
    for (s = 0; s < m->n_states; s++) {
        m->initial[s] = m->start(params, s);
        m->observation[s] = (int32_t)(m->observe ? m->observe(params, s) : s);
        sum += m->initial[s];
    }
    for (s = 0; s < m->n_states; s++)
        m->initial[s] /= sum;
}

/* tb_kit_def.tables: one array after another, the widest elements first */
static inline uint64_t tb__tab_tables(void *params, void *block)
{
    tb_tab_model *m = (tb_tab_model *)params;
    uint64_t pairs = m->n_states * m->n_actions;
    tb_tab_outcomes to = {0, NULL, NULL, NULL, NULL};
    if (!block)
        m->n_outcomes = tb__tab_fill_outcomes(params, &to);
    if (block) {
        m->first = (uint64_t *)block;
        m->probability = (double *)(void *)(m->first + pairs + 1);
        m->reward = m->probability + m->n_outcomes;
        m->initial = m->reward + m->n_outcomes;
        m->next = (uint32_t *)(void *)(m->initial + m->n_states);
        m->observation = (int32_t *)(void *)(m->next + m->n_outcomes);
        m->terminated = (uint8_t *)(m->observation + m->n_states);
        to.probability = m->probability;
        to.reward = m->reward;
        to.next = m->next;
        to.terminated = m->terminated;
        m->first[pairs] = tb__tab_fill_outcomes(params, &to);
        tb__tab_fill_states(params);
    }
    return 8 * (pairs + 1) + (8 + 8 + 4 + 1) * m->n_outcomes + (8 + 4) * m->n_states;
}

static inline int64_t tb__tab_categories(const void *params, uint32_t which)
{
    const tb_tab_model *m = (const tb_tab_model *)params;
    return (int64_t)(which == TB_SPACE_ACTION ? m->n_actions : m->n_observations);
}

/* ---- the environment ---- */

/* The state is the state's number, as a double because that is what the kit's snapshots and
 * state-vector/1 hold; exact below 2^53. */
typedef struct tb__tab_state {
    double s;
} tb__tab_state;

static inline int tb__tab_valid(const void *params, uint64_t i, double x)
{
    (void)i;
    return x >= 0 && x < (double)((const tb_tab_model *)params)->n_states && x == floor(x);
}

/* Index of the first of n probabilities whose running sum exceeds u in [0, 1); when rounding leaves
 * their sum below u, the last that is not 0. */
static inline uint64_t tb__tab_draw(const double *probability, uint64_t n, double u)
{
    uint64_t i, last = 0;
    double sum = 0;
    for (i = 0; i < n; i++) {
        sum += probability[i];
        if (sum > u)
            return i;
        if (probability[i] > 0)
            last = i;
    }
    return last;
}

static inline void tb__tab_reset(const void *params, void *state, tb_rng *rng)
{
    const tb_tab_model *m = (const tb_tab_model *)params;
    ((tb__tab_state *)state)->s = (double)tb__tab_draw(m->initial, m->n_states, tb_rng_f64(rng));
}

static inline double tb__tab_step(const void *params, void *state, const void *action, tb_rng *rng,
                                  uint32_t *flags)
{
    const tb_tab_model *m = (const tb_tab_model *)params;
    tb__tab_state *at = (tb__tab_state *)state;
    uint64_t pair = (uint64_t)at->s * m->n_actions + (uint64_t) * (const int32_t *)action;
    uint64_t first = m->first[pair], n = m->first[pair + 1] - first;
    uint64_t o = first + tb__tab_draw(m->probability + first, n, tb_rng_f64(rng));
    at->s = (double)m->next[o];
    if (m->terminated[o])
        *flags |= TB_TERMINATED;
    return m->reward[o];
}

static inline void tb__tab_observe(const void *params, const void *state, void *observation)
{
    const tb_tab_model *m = (const tb_tab_model *)params;
    *(int32_t *)observation = m->observation[(uint64_t)((const tb__tab_state *)state)->s];
}

/* ---- tabular/1 ---- */

static inline tb_status tb__tab_model(tb_env *env, tb_tabular *out)
{
    const tb_tab_model *m = (const tb_tab_model *)tb_kit_params(env);
    tb_tabular full;
    memset(&full, 0, sizeof full);
    full.struct_size = out->struct_size;
    full.n_states = m->n_states;
    full.n_actions = m->n_actions;
    full.n_outcomes = m->n_outcomes;
    full.first = m->first;
    full.next = m->next;
    full.probability = m->probability;
    full.reward = m->reward;
    full.terminated = m->terminated;
    full.start = m->initial;
    full.observation = m->observation;
    memcpy(out, &full, out->struct_size < sizeof full ? out->struct_size : sizeof full);
    return TB_OK;
}

static inline tb_status tb__tab_get(const tb_env *env, uint64_t *state)
{
    double s;
    tb_status status = tb__kit_vector_get(env, &s);
    if (status == TB_OK)
        *state = (uint64_t)s;
    return status;
}

static inline tb_status tb__tab_set(tb_env *env, uint64_t state)
{
    double s = (double)state;
    return tb__kit_vector_set(env, &s);
}

static inline const void *tb__tab_extension(const char *id)
{
    static const tb_env_tabular tabular = {sizeof(tb_env_tabular), 0, tb__tab_model, tb__tab_get,
                                           tb__tab_set};
    return strcmp(id, TB_EXT_ENV_TABULAR) == 0 ? &tabular : NULL;
}

static const char *const tb__tab_names[] = {"state", NULL};

/* The members of a tb_kit_def that the kit fills in. */
#define TB_TABULAR                                                                                 \
    .state_names = tb__tab_names, .state_bytes = sizeof(tb__tab_state),                            \
    .observation = TB_KIT_DISCRETE("state", 1), .action = TB_KIT_DISCRETE("action", 1),            \
    .tables = tb__tab_tables, .categories = tb__tab_categories, .reset = tb__tab_reset,            \
    .valid = tb__tab_valid, .step = tb__tab_step, .observe = tb__tab_observe,                      \
    .extension = tb__tab_extension

#ifdef __cplusplus
}
#endif
#endif
