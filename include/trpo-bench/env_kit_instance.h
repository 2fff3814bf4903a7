/* SPDX-License-Identifier: MIT
 *
 * Environment kit: the instance, its spaces, reset() and step(). Overview: env_kit.h.
 */
#ifndef TRPO_BENCH_ENV_KIT_INSTANCE_H
#define TRPO_BENCH_ENV_KIT_INSTANCE_H

#include <stdlib.h>
#include <string.h>

#include "env_kit_def.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the instance ---- */

#define TB__KIT_FRESH UINT64_C(0)   /* never reset */
#define TB__KIT_RUNNING UINT64_C(1) /* step() works */
#define TB__KIT_ENDED UINT64_C(2)   /* terminated or truncated */
#define TB__KIT_LOST UINT64_C(3)    /* the state left the finite numbers */

#define TB__KIT_ERROR_CAP 256u

/* The blocks that the pointers name lie behind the struct, in the same allocation. */
struct tb_env {
    const tb_kit_def *def;
    uint64_t phase;       /* TB__KIT_* */
    uint64_t n_state;     /* doubles at the start of the state */
    uint64_t state_bytes; /* rounded up to a multiple of 8 */
    uint64_t id_hash;
    uint64_t params_hash;
    tb_rng rng;
    void *params;
    void *state;
    void *tables;          /* of tables(), a block of its own; NULL = none */
    double *low[2];        /* by `which`; NULL unless a BOX */
    double *high[2];       /* likewise */
    tb_kit_space space[2]; /* likewise: the definition's, with the categories in force */
    char *error;           /* TB__KIT_ERROR_CAP bytes. A pointer, so that save() and get() can write
                              their reason although the instance is const to them */
};

static inline tb_status tb__kit_state_error(const tb_env *env, const char *call)
{
    static const char *const why[] = {
        "before the first reset(): call reset() first",
        "while the episode runs",
        "after the end of the episode: call reset() or load() first",
        "after the state became non-finite: call reset() or load() first",
    };
    return tb_kit_text(env->error, TB__KIT_ERROR_CAP, TB_E_STATE, "%s() called %s", call,
                       why[env->phase]);
}

/* Whether there is a state to look at. */
static inline int tb__kit_has_state(const tb_env *env)
{
    return env->phase == TB__KIT_RUNNING || env->phase == TB__KIT_ENDED;
}

/* The parameter struct, for the functions of an extension. */
static inline const void *tb_kit_params(const tb_env *env)
{
    return env->params;
}

static inline uint64_t tb__kit_round8(uint64_t bytes)
{
    return (bytes + 7) & ~UINT64_C(7);
}

static inline uint64_t tb__kit_n_state(const tb_kit_def *def)
{
    uint64_t n = 0;
    while (def->state_names && def->state_names[n])
        n++;
    return n;
}

static inline int tb__kit_all_finite(const double *x, uint64_t n)
{
    uint64_t i;
    for (i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return 0;
    return 1;
}

/* ---- spaces ---- */

static inline const tb_kit_space *tb__kit_space_of(const tb_kit_def *def, uint32_t which)
{
    return which == TB_SPACE_ACTION ? &def->action : &def->observation;
}

static inline uint64_t tb__kit_count(const tb_kit_space *space)
{
    uint64_t count = 1;
    uint32_t i;
    for (i = 0; i < space->ndim; i++)
        count *= space->shape[i];
    return count;
}

static inline uint64_t tb__kit_element_bytes(uint32_t dtype)
{
    return dtype == TB_F64 ? 8 : dtype == TB_U8 ? 1 : 4;
}

/* Bounds of one BOX, once, at create. */
static inline void tb__kit_set_bounds(tb_env *env, uint32_t which)
{
    const tb_kit_space *space = &env->space[which];
    uint64_t i, count = tb__kit_count(space);
    double *low = env->low[which], *high = env->high[which];
    for (i = 0; i < count; i++) {
        low[i] = -INFINITY;
        high[i] = INFINITY;
    }
    if (env->def->bounds)
        env->def->bounds(env->params, which, low, high);
    for (i = 0; i < count && space->dtype == TB_F32; i++) {
        low[i] = (double)(float)low[i];
        high[i] = (double)(float)high[i];
    }
}

static inline tb_status tb__kit_space(tb_env *env, uint32_t which, uint32_t leaf, tb_space *out)
{
    const tb_kit_space *space;
    tb_space full;
    if (which > TB_SPACE_ACTION || leaf != 0)
        return tb_kit_text(env->error, TB__KIT_ERROR_CAP, TB_E_INVALID,
                           "space %u has no leaf %u: there are spaces 0 (observation) and 1 "
                           "(action) with one leaf each",
                           (unsigned)which, (unsigned)leaf);
    space = &env->space[which];
    memset(&full, 0, sizeof full);
    full.struct_size = out->struct_size;
    full.kind = space->kind;
    full.dtype = space->dtype;
    full.ndim = space->ndim;
    memcpy(full.shape, space->shape, sizeof space->shape);
    full.count = tb__kit_count(space);
    full.low = env->low[which];
    full.high = env->high[which];
    if (space->kind == TB_SPACE_DISCRETE)
        full.nvec = &space->n;
    else if (space->kind == TB_SPACE_MULTI_DISCRETE)
        full.nvec = space->nvec;
    full.name = space->name;
    full.n_leaves = 1;
    full.bytes = full.count * tb__kit_element_bytes(space->dtype);
    memcpy(out, &full, out->struct_size < sizeof full ? out->struct_size : sizeof full);
    return TB_OK;
}

/* Index of the first number that is NaN or infinite, or `count`. */
static inline uint64_t tb__kit_first_bad(const void *data, uint32_t dtype, uint64_t count)
{
    const double *f64 = (const double *)data;
    const float *f32 = (const float *)data;
    uint64_t i = 0;
    if (dtype == TB_F64)
        while (i < count && isfinite(f64[i]))
            i++;
    else if (dtype == TB_F32)
        while (i < count && isfinite(f32[i]))
            i++;
    else
        i = count;
    return i;
}

static inline tb_status tb__kit_check_action(const tb_env *env, const void *action)
{
    const tb_kit_space *space = &env->space[TB_SPACE_ACTION];
    uint64_t i, count = tb__kit_count(space);
    if (space->kind == TB_SPACE_BOX) {
        i = tb__kit_first_bad(action, space->dtype, count);
        if (i == count)
            return TB_OK;
        return tb_kit_text(env->error, TB__KIT_ERROR_CAP, TB_E_INVALID,
                           "action[%llu] is not finite", (unsigned long long)i);
    }
    for (i = 0; i < count; i++) {
        int64_t n = space->kind == TB_SPACE_DISCRETE         ? space->n
                    : space->kind == TB_SPACE_MULTI_DISCRETE ? space->nvec[i]
                                                             : 2;
        int64_t a = space->dtype == TB_U8 ? (int64_t)((const uint8_t *)action)[i]
                                          : (int64_t)((const int32_t *)action)[i];
        if (a < 0 || a >= n)
            return tb_kit_text(env->error, TB__KIT_ERROR_CAP, TB_E_INVALID,
                               "action[%llu] is %lld, expected 0 to %lld", (unsigned long long)i,
                               (long long)a, (long long)(n - 1));
    }
    return TB_OK;
}

/* Lays the instance out: struct, parameters, state, bounds, error text, in one zeroed block. */
static inline tb_env *tb__kit_allocate(const tb_kit_def *def)
{
    uint64_t params_bytes = tb__kit_round8(def->params_bytes);
    uint64_t state_bytes = tb__kit_round8(def->state_bytes);
    uint64_t bound_bytes[2];
    unsigned char *at;
    tb_env *env;
    uint32_t which;
    for (which = 0; which < 2; which++) {
        const tb_kit_space *space = tb__kit_space_of(def, which);
        bound_bytes[which] = space->kind == TB_SPACE_BOX ? 8 * tb__kit_count(space) : 0;
    }
    env =
        (tb_env *)calloc(1, (size_t)(sizeof(tb_env) + params_bytes + state_bytes +
                                     2 * bound_bytes[0] + 2 * bound_bytes[1] + TB__KIT_ERROR_CAP));
    if (!env)
        return NULL;
    at = (unsigned char *)(env + 1);
    env->params = at;
    at += params_bytes;
    env->state = at;
    at += state_bytes;
    for (which = 0; which < 2; which++) {
        env->low[which] = bound_bytes[which] ? (double *)(void *)at : NULL;
        at += bound_bytes[which];
        env->high[which] = bound_bytes[which] ? (double *)(void *)at : NULL;
        at += bound_bytes[which];
    }
    env->error = (char *)at;
    env->def = def;
    env->space[TB_SPACE_OBSERVATION] = def->observation;
    env->space[TB_SPACE_ACTION] = def->action;
    env->n_state = tb__kit_n_state(def);
    env->state_bytes = state_bytes;
    return env;
}

/* What follows from the parameters' values, once, at create: tables, categories, bounds. */
static inline tb_status tb__kit_derive(tb_env *env)
{
    const tb_kit_def *def = env->def;
    uint32_t which;
    if (def->tables) {
        uint64_t bytes = def->tables(env->params, NULL);
        env->tables = calloc(1, (size_t)bytes);
        if (!env->tables)
            return TB_E_NOMEM;
        def->tables(env->params, env->tables);
    }
    for (which = 0; which < 2; which++) {
        if (def->categories && env->space[which].kind == TB_SPACE_DISCRETE)
            env->space[which].n = def->categories(env->params, which);
        if (env->low[which])
            tb__kit_set_bounds(env, which);
    }
    return TB_OK;
}

/* ---- tb_env_api ---- */

static inline void tb__kit_destroy(tb_env *env)
{
    if (env)
        free(env->tables);
    free(env);
}

static inline const char *tb__kit_last_error(tb_env *env)
{
    return env->error;
}

/* The definition's observe(), or the state's doubles. */
static inline void tb__kit_write_observation(const tb_env *env, void *obs_out)
{
    const double *x = (const double *)env->state;
    uint64_t i;
    if (env->def->observe)
        env->def->observe(env->params, env->state, obs_out);
    else if (env->def->observation.dtype == TB_F64)
        memcpy(obs_out, x, (size_t)(8 * env->n_state));
    else
        for (i = 0; i < env->n_state; i++)
            ((float *)obs_out)[i] = (float)x[i];
}

/* Writes the observation; the end of every call that makes a new state. */
static inline tb_status tb__kit_show(tb_env *env, void *obs_out, double reward, const char *call)
{
    const tb_kit_space *space = &env->space[TB_SPACE_OBSERVATION];
    int fine = tb__kit_all_finite((const double *)env->state, env->n_state) && isfinite(reward);
    if (fine) {
        tb__kit_write_observation(env, obs_out);
        if (space->kind == TB_SPACE_BOX) {
            uint64_t count = tb__kit_count(space);
            fine = tb__kit_first_bad(obs_out, space->dtype, count) == count;
        }
    }
    if (fine)
        return TB_OK;
    env->phase = TB__KIT_LOST;
    return tb_kit_text(env->error, TB__KIT_ERROR_CAP, TB_E_NUMERIC,
                       "%s() left the finite numbers (state, reward or observation): the episode "
                       "is lost, call reset() or load()",
                       call);
}

static inline tb_status tb__kit_reset(tb_env *env, const tb_key *key, void *obs_out)
{
    memset(env->state, 0, (size_t)env->state_bytes);
    tb_rng_init(&env->rng, *key);
    env->def->reset(env->params, env->state, &env->rng);
    env->phase = TB__KIT_RUNNING;
    return tb__kit_show(env, obs_out, 0, "reset");
}

static inline tb_status tb__kit_step(tb_env *env, const void *action, void *obs_out, tb_step *out)
{
    uint32_t flags = 0;
    double reward;
    tb_status status;
    if (env->phase != TB__KIT_RUNNING)
        return tb__kit_state_error(env, "step");
    status = tb__kit_check_action(env, action);
    if (status != TB_OK)
        return status;
    reward = env->def->step(env->params, env->state, action, &env->rng, &flags);
    if (flags)
        env->phase = TB__KIT_ENDED;
    status = tb__kit_show(env, obs_out, reward, "step");
    if (status != TB_OK)
        return status;
    out->flags = flags;
    out->reward = reward;
    return TB_OK;
}

#ifdef __cplusplus
}
#endif
#endif
