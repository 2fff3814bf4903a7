/* SPDX-License-Identifier: MIT
 *
 * An environment with tabular/1 that is right (BROKEN=healthy) and, compiled with another
 * -DBROKEN=<kind>, tells a model that is wrong in exactly one way. README.md says how it is used.
 *
 * Five places in a row; the last one is the goal. A step goes the way it is meant to with
 * probability 3/4, else the other way; the ends of the row hold.
 */
#include <trpo-bench/tabular_kit.h>

enum {
    healthy,
    // T1
    null_array,
    bad_order,
    bad_next,
    bad_sum,
    bad_reward,
    bad_end,
    bad_start,
    bad_view,
    bad_actions,
    // T2
    changes,
    changes_later,
    differs,
    // T3
    wrong_next,
    wrong_reward,
    missed_end,
    wrong_view,
    wrong_start,
    other_choice,
    // T4
    wrong_probability,
    wrong_start_share,
    // T5
    get_early,
    set_beyond,
    set_nothing
};

// enumerators and not macros, so that each dead branch still compiles
#define IS(kind) (BROKEN == (kind))

enum { N_STATES = 5, N_ACTIONS = 2, N_OUTCOMES = 2 * N_STATES * N_ACTIONS };

// what is told: a copy of the kit's arrays, changed
typedef struct told {
    uint64_t first[N_STATES * N_ACTIONS + 1];
    double probability[N_OUTCOMES], reward[N_OUTCOMES], start[N_STATES];
    uint32_t next[N_OUTCOMES];
    int32_t observation[N_STATES];
    uint8_t terminated[N_OUTCOMES];
} told;

typedef struct params {
    tb_tab_model model;
    told told;
    uint32_t still; // a choice: whether the wind that changes directions is still
    uint32_t asked; // how often model() was called
} params;

static const tb_kit_param rows[] = {
    TB_KIT_CHOICE(params, still, "windy", "windy|still", "Whether steps go astray."), TB_KIT_END};

static void outcomes(const void *params_, uint64_t s, uint64_t a, tb_tab_outcomes *to)
{
    const params *p = params_;
    uint64_t left = s > 0 ? s - 1 : 0, right = s + 1 < N_STATES ? s + 1 : s;
    double astray = p->still ? 0 : 0.25;
    tb_tab_add(to, a == 0 ? 1 - astray : astray, left, -1, 0);
    tb_tab_add(to, a == 1 ? 1 - astray : astray, right, s == 3 ? 10 : -1, s == 3);
}

static double start(const void *params_, uint64_t s)
{
    (void)params_;
    return s == 0 ? 3 : s == 1;
}

static tb_status prepare(void *params_, char *err, uint64_t err_cap)
{
    (void)err;
    (void)err_cap;
    tb_tab_begin(params_, N_STATES, N_ACTIONS, outcomes, start);
    return TB_OK;
}

// ---- what is told ----

static void spoil(told *t, const params *p)
{
    enum { onward = 4 * 3 + 3 }; // from state 3 to the goal with action 1
    if (IS(bad_order))
        t->first[2] = t->first[1];
    if (IS(bad_next))
        t->next[3] = N_STATES;
    if (IS(bad_sum))
        t->probability[2] -= 0.01;
    if (IS(bad_reward))
        t->reward[2] = INFINITY;
    if (IS(bad_end))
        t->terminated[2] = 2;
    if (IS(bad_start))
        t->start[0] = 0.5;
    if (IS(bad_view))
        t->observation[4] = N_STATES;
    if (IS(wrong_next))
        t->next[2] = 4;
    if (IS(wrong_reward))
        t->reward[onward] = 9;
    if (IS(missed_end))
        t->terminated[onward] = 0;
    if (IS(wrong_view)) {
        t->observation[0] = 1;
        t->observation[1] = 0;
    }
    if (IS(wrong_start)) {
        t->start[1] = 0;
        t->start[2] = 0.25;
    }
    if (IS(other_choice) && p->still)
        t->next[onward] = 3;
    if (IS(wrong_probability) && !p->still) {
        t->probability[0] = 0.7;
        t->probability[1] = 0.3;
    }
    if (IS(wrong_start_share)) {
        t->start[0] = 0.8;
        t->start[1] = 0.2;
    }
}

static uint64_t tables(void *params_, void *block)
{
    static uint32_t n_made;
    params *p = params_;
    told *t = &p->told;
    uint64_t bytes = tb__tab_tables(p, block);
    if (block == NULL)
        return bytes;
    memcpy(t->first, p->model.first, sizeof t->first);
    memcpy(t->next, p->model.next, sizeof t->next);
    memcpy(t->probability, p->model.probability, sizeof t->probability);
    memcpy(t->reward, p->model.reward, sizeof t->reward);
    memcpy(t->start, p->model.initial, sizeof t->start);
    memcpy(t->observation, p->model.observation, sizeof t->observation);
    memcpy(t->terminated, p->model.terminated, sizeof t->terminated);
    spoil(t, p);
    if (IS(differs))
        t->reward[0] = ++n_made;
    return bytes;
}

static double step(const void *params_, void *state, const void *action, tb_rng *rng,
                   uint32_t *flags)
{
    params *p = (params *)(uintptr_t)params_;
    if (IS(changes))
        p->told.reward[0] -= 1;
    return tb__tab_step(p, state, action, rng, flags);
}

static tb_status model(tb_env *env, tb_tabular *out)
{
    params *p = (params *)(uintptr_t)tb_kit_params(env);
    const told *t = &p->told;
    tb_tabular m = {.struct_size = sizeof m};
    tb__tab_model(env, &m);
    if (IS(changes_later) && p->asked++ > 0)
        p->told.reward[0] -= 1;
    m.first = t->first;
    m.next = IS(null_array) ? NULL : t->next;
    m.probability = t->probability;
    m.reward = t->reward;
    m.start = t->start;
    m.observation = t->observation;
    m.terminated = t->terminated;
    if (IS(bad_actions)) {
        m.n_actions = 1;
        m.n_states = N_STATES * N_ACTIONS;
    }
    *out = m;
    return TB_OK;
}

static tb_status get(const tb_env *env, uint64_t *state)
{
    if (IS(get_early) && env->phase == TB__KIT_FRESH) {
        *state = 0;
        return TB_OK;
    }
    return tb__tab_get(env, state);
}

static tb_status set(tb_env *env, uint64_t state)
{
    if (IS(set_beyond) && state >= N_STATES)
        return TB_OK;
    if (IS(set_nothing) && state < N_STATES)
        return tb__tab_set(env, 0);
    return tb__tab_set(env, state);
}

static const void *extension(const char *id)
{
    static const tb_env_tabular tabular = {sizeof tabular, 0, model, get, set};
    return strcmp(id, TB_EXT_ENV_TABULAR) == 0 ? &tabular : NULL;
}

static const tb_kit_def row = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "broken/tabular-" TB_BROKEN_NAME "-v1",
             .summary = "Five places in a row, for tests of the checker.",
             .max_episode_steps = 100,
             .reward_threshold = NAN,
             .return_random = NAN,
             .return_ref = NAN},
    .params = rows,
    .params_bytes = sizeof(params),
    .prepare = prepare,
    .state_names = tb__tab_names,
    .state_bytes = sizeof(tb__tab_state),
    .observation = TB_KIT_DISCRETE("state", 1),
    .action = TB_KIT_DISCRETE("action", 1),
    .tables = tables,
    .categories = tb__tab_categories,
    .reset = tb__tab_reset,
    .valid = tb__tab_valid,
    .step = step,
    .observe = tb__tab_observe,
    .extension = extension,
};
TB_KIT_PLUGIN(&row);
