/* SPDX-License-Identifier: MIT
 *
 * A host for tests of environment plugins: loading, creating with parameters, acting. The plugin
 * is the file TB_TEST_PLUGIN or, where that is not defined, compiled into the test itself. The
 * checks that every environment must pass are in env_plugin_checks.h.
 */
#ifndef TESTS_ENV_PLUGIN_TESTING_H
#define TESTS_ENV_PLUGIN_TESTING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <trpo-bench/env.h>
#include <trpo-bench/rng.h>

enum { TB_TEST_MAX = 8 }; /* largest state, observation and action of these environments */

typedef struct tb_env_case {
    const char *id;    /* "classic/CartPole-v1" */
    const char *trace; /* "CartPole-v1.csv" */
    uint64_t max_episode_steps;
    double reward_threshold; /* NaN = none */
    uint64_t n_state, n_obs;
    const double *reset_low, *reset_high; /* [n_state], the uniform start state; equal = constant */
    const double *obs_low, *obs_high;     /* [n_obs] */
    int64_t n_actions;                    /* DISCRETE; 0 = BOX of one float in +-action_bound */
    double action_bound;
    const char *param; /* a parameter that changes the motion, and another value of it */
    double param_value;
} tb_env_case;

/* ---- parameters as a host would give them ---- */

typedef struct tb_test_value {
    const char *key;
    uint32_t type; /* TB_PARAM_I64, _F64, _BOOL or _STR */
    double number; /* I64, F64, BOOL */
    const char *string;
    int read;
} tb_test_value;

typedef struct tb_test_values {
    tb_test_value *values;
    size_t n;
} tb_test_values;

static inline tb_test_value *tb_test_lookup(void *ctx, const char *key)
{
    tb_test_values *all = ctx;
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->values[i].key, key) == 0) {
            all->values[i].read = 1;
            return &all->values[i];
        }
    return NULL;
}

static inline tb_status tb_test_get_i64(void *ctx, const char *key, int64_t *inout)
{
    const tb_test_value *value = tb_test_lookup(ctx, key);
    if (value && value->type != TB_PARAM_I64)
        return TB_E_PARAM;
    if (value)
        *inout = (int64_t)value->number;
    return TB_OK;
}

static inline tb_status tb_test_get_f64(void *ctx, const char *key, double *inout)
{
    const tb_test_value *value = tb_test_lookup(ctx, key);
    if (value && value->type != TB_PARAM_F64 && value->type != TB_PARAM_I64)
        return TB_E_PARAM;
    if (value)
        *inout = value->number;
    return TB_OK;
}

static inline tb_status tb_test_get_bool(void *ctx, const char *key, uint32_t *inout)
{
    const tb_test_value *value = tb_test_lookup(ctx, key);
    if (value && value->type != TB_PARAM_BOOL)
        return TB_E_PARAM;
    if (value)
        *inout = value->number != 0;
    return TB_OK;
}

static inline tb_status tb_test_get_str(void *ctx, const char *key, const char **inout)
{
    const tb_test_value *value = tb_test_lookup(ctx, key);
    if (value && value->type != TB_PARAM_STR)
        return TB_E_PARAM;
    if (value)
        *inout = value->string;
    return TB_OK;
}

/* ---- the plugin ---- */

static inline const tb_entry *tb_test_entry(void)
{
    static const tb_entry *entry;
    if (entry)
        return entry;
#ifdef TB_TEST_PLUGIN
    void *handle = dlopen(TB_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        fail_msg("%s", dlerror());
    const tb_entry *(*get)(void) = (const tb_entry *(*)(void))dlsym(handle, "tb_plugin_entry");
    assert_non_null(get);
    entry = get();
#else
    entry = tb_plugin_entry(); /* compiled into the test itself */
#endif
    return entry;
}

static inline const tb_env_factory *tb_test_factory(void)
{
    return tb_test_entry()->get_factory(TB_ENV_FACTORY);
}

static inline const tb_params_schema *tb_test_schema(void)
{
    return tb_test_entry()->get_factory(TB_PARAMS_SCHEMA);
}

static inline const tb_env_desc *tb_test_describe(const char *id)
{
    const tb_env_factory *factory = tb_test_factory();
    for (uint32_t i = 0; i < factory->count(); i++)
        if (strcmp(factory->describe(i)->id, id) == 0)
            return factory->describe(i);
    fail_msg("the plugin has no %s", id);
    return NULL;
}

/* An instance with everything a test calls on it. */
typedef struct tb_test_env {
    const tb_env_api *api;
    tb_env *env;
    const tb_env_snapshot *snapshot;
    const tb_env_state_vector *vector;
} tb_test_env;

/* create() with n parameters; on failure the reason is in err[256]. */
static inline tb_status tb_test_try(const char *id, tb_test_value *values, size_t n,
                                    tb_test_env *out, char err[256])
{
    tb_test_values all = {values, n};
    tb_params params = {.struct_size = sizeof params,
                        .ctx = &all,
                        .get_i64 = tb_test_get_i64,
                        .get_f64 = tb_test_get_f64,
                        .get_bool = tb_test_get_bool,
                        .get_str = tb_test_get_str};
    tb_host host = {.struct_size = sizeof host, .name = "test", .version = "0"};
    memset(out, 0, sizeof *out);
    err[0] = '\0';
    tb_status status =
        tb_test_factory()->create(&host, id, &params, &out->api, &out->env, err, 256);
    if (status != TB_OK) {
        assert_null(out->env);
        return status;
    }
    if (!out->api || !out->env) {
        fail_msg("create() of %s returned TB_OK and no instance", id);
        abort(); /* not reached */
    }
    out->snapshot = out->api->get_extension(out->env, TB_EXT_ENV_SNAPSHOT);
    out->vector = out->api->get_extension(out->env, TB_EXT_ENV_STATE_VECTOR);
    assert_non_null(out->snapshot);
    assert_non_null(out->vector);
    return TB_OK;
}

static inline tb_test_env tb_test_create(const char *id, tb_test_value *values, size_t n)
{
    char err[256];
    tb_test_env e;
    if (tb_test_try(id, values, n, &e, err) != TB_OK || !e.snapshot || !e.vector) {
        fail_msg("%s: %s", id, err);
        abort(); /* not reached */
    }
    return e;
}

static inline void tb_test_destroy(tb_test_env *e)
{
    e->api->destroy(e->env);
}

static inline tb_key tb_test_key(uint64_t i)
{
    tb_key root = {{UINT64_C(0x7472706f), UINT64_C(0x62656e63)}};
    return tb_key_child(root, i);
}

/* ---- acting ---- */

typedef union tb_test_action {
    int32_t i32;
    float f32;
} tb_test_action;

typedef struct tb_test_result { /* everything one step gives back */
    tb_status status;
    uint32_t flags;
    double reward;
    float obs[TB_TEST_MAX];
} tb_test_result;

/* Uniform over the action space. */
static inline tb_test_action tb_test_random_action(const tb_env_case *c, tb_rng *rng)
{
    tb_test_action action;
    if (c->n_actions)
        action.i32 = (int32_t)((double)c->n_actions * tb_rng_f64(rng));
    else
        action.f32 = (float)tb_rng_uniform(rng, -c->action_bound, c->action_bound);
    return action;
}

static inline tb_test_result tb_test_step(tb_test_env *e, tb_test_action action)
{
    tb_test_result r;
    tb_step out = {.struct_size = sizeof out};
    memset(&r, 0, sizeof r);
    r.status = e->api->step(e->env, &action, r.obs, &out);
    r.flags = out.flags;
    r.reward = out.reward;
    return r;
}

static inline void tb_test_reset(tb_test_env *e, tb_key key, float *obs)
{
    float ignored[TB_TEST_MAX];
    assert_int_equal(e->api->reset(e->env, &key, obs ? obs : ignored), TB_OK);
}

/* One random episode of at most `limit` steps; returns its length, adds up its rewards. */
static inline uint64_t tb_test_episode(const tb_env_case *c, tb_test_env *e, uint64_t number,
                                       uint64_t limit, double *total)
{
    tb_rng rng;
    tb_rng_init(&rng, tb_key_child(tb_test_key(number), 1));
    tb_test_reset(e, tb_test_key(number), NULL);
    for (uint64_t t = 0; t < limit; t++) {
        tb_test_result r = tb_test_step(e, tb_test_random_action(c, &rng));
        assert_int_equal(r.status, TB_OK);
        *total += r.reward;
        if (r.flags)
            return t + 1;
    }
    return limit;
}

static inline void tb_test_same(const tb_test_result *a, const tb_test_result *b)
{
    assert_memory_equal(a, b, sizeof *a);
}

/* ---- vec/1 ---- */

/* Plays lanes beside scalar instances of the same parameters, all bits compared: the checker does
 * so for the default ones. */
static inline void tb_test_lanes(const tb_env_case *c, tb_test_value *values, size_t n)
{
    enum { lanes = 67, steps = 300 };
    static tb_test_env twin[lanes];
    static tb_test_action action[lanes];
    static float obs[lanes * TB_TEST_MAX];
    static double reward[lanes];
    static uint32_t flags[lanes];
    static uint8_t mask[lanes];
    static tb_key key[lanes];
    tb_status status[lanes];
    uint64_t ended = 0;
    tb_rng rng;
    tb_vec *vec = NULL;
    for (int i = 0; i < lanes; i++) {
        twin[i] = tb_test_create(c->id, values, n);
        key[i] = tb_test_key((uint64_t)i);
        tb_test_reset(&twin[i], key[i], NULL);
    }
    const tb_env_vec *api = twin[0].api->get_extension(twin[0].env, TB_EXT_ENV_VEC);
    assert_non_null(api);
    assert_int_equal(api->create(twin[0].env, lanes, &vec), TB_OK);
    assert_int_equal(api->reset(vec, NULL, key, obs, status), TB_OK);
    tb_rng_init(&rng, tb_test_key(77));
    for (int t = 0; t < steps; t++) {
        int any = 0;
        for (int i = 0; i < lanes; i++)
            action[i] = tb_test_random_action(c, &rng);
        assert_int_equal(api->step(vec, NULL, action, obs, reward, flags, status), TB_OK);
        for (int i = 0; i < lanes; i++) {
            tb_test_result r = tb_test_step(&twin[i], action[i]);
            assert_int_equal(r.status, TB_OK);
            assert_memory_equal(&obs[(uint64_t)i * c->n_obs], r.obs, c->n_obs * sizeof(float));
            assert_memory_equal(&reward[i], &r.reward, sizeof(double));
            assert_int_equal(flags[i], r.flags);
            mask[i] = r.flags != 0;
            any |= mask[i];
            ended += mask[i];
            key[i] = tb_key_child(key[i], 1);
            if (mask[i])
                tb_test_reset(&twin[i], key[i], NULL);
        }
        if (any)
            assert_int_equal(api->reset(vec, mask, key, obs, status), TB_OK);
    }
    print_message("%d lanes, %d steps, %llu episodes ended\n", lanes, steps,
                  (unsigned long long)ended);
    api->destroy(vec);
    for (int i = 0; i < lanes; i++)
        tb_test_destroy(&twin[i]);
}

#endif
