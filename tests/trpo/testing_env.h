/* SPDX-License-Identifier: MIT
 *
 * A scripted environment inside the test. Its observation is (a number of the episode's key, steps
 * done in the episode); its reward and its end follow the definition below, and it keeps a record
 * of what it was asked.
 */
#ifndef TESTS_TRPO_TESTING_ENV_H
#define TESTS_TRPO_TESTING_ENV_H

#include <math.h>
#include <string.h>
#include <trpo-bench/env.h>
#include <trpo-bench/rng.h>

#include "trpo/base/base.h"

enum { test_env_instances = 64, test_env_records = 256 };

struct tb_env;

typedef struct test_env_def {
    uint32_t action_kind, action_dtype; // any TB_SPACE_*
    uint64_t n;    // categories, or entries (at most 4); MultiDiscrete entry i has i + 2 categories
    int64_t start; // of the categories
    double low, high;           // of the Box, every dimension
    uint32_t observation_dtype; // TB_F64 or TB_F32

    // episode of key k ends in step at + k modulo (vary + 1); 0 = never
    uint64_t terminate_at, truncate_at, both_at, vary;
    // reward = slope * step + (Box: -sum (a - good)^2; others: 1 for each entry that is `good`)
    double slope, good;
    // what goes wrong, in every episode, in this step (from 1; the observation of reset is 0)
    uint64_t fail_step_at, nan_reward_at;
    int64_t nan_observation_at;  // -1 = never
    uint64_t fail_reset_episode; // from 1; 0 = never

    // noise * (a number of the episode's key and the step) is added to the reward
    double noise;

    const struct tb_env_snapshot *snapshot; // snapshot/1 (testing_snapshot.h), or NULL
    uint64_t snapshot_lies;                 // bytes that save says it wrote beyond what it promised
    uint64_t fail_load_at; // step of the saved state whose load fails half-way; 0 = never

    const struct tb_env_vec *vec; // what the environment offers as vec/1 (testing_vec.h), or NULL
    int fail_vec;                 // whether its lanes cannot be made

    struct tb_env *instances[test_env_instances]; // in the order of creation
    size_t n_instances;
} test_env_def;

typedef struct test_env {
    test_env_def *def;
    tb_key key;
    uint64_t step;
    uint64_t n_resets;
    tb_key keys[test_env_records]; // of resets
    uint64_t n_steps;
    double actions[test_env_records][4]; // as received
    double low[4], high[4];
    int64_t nvec[4], start[4];
    const char *failure;
} test_env;

static const test_env_def test_env_default = {
    .action_kind = TB_SPACE_DISCRETE,
    .action_dtype = TB_I32,
    .n = 3,
    .low = -1,
    .high = 1,
    .observation_dtype = TB_F64,
    .terminate_at = 5,
    .good = 1,
    .nan_observation_at = -1,
};

/* The first entry of all observations of the episode of this key. */
static inline double test_env_tag(const tb_key *key)
{
    return tb_unit_f64(key->w[0]);
}

/* The step in which an episode of this key ends when its kind of end has `at`. */
static inline uint64_t test_env_length(const test_env_def *def, const tb_key *key, uint64_t at)
{
    return at + key->w[1] % (def->vary + 1);
}

static inline test_env *test_env_of(const tb_env *env)
{
    return (test_env *)(uintptr_t)env;
}

static inline uint64_t test_env_dtype_size(uint32_t dtype)
{
    return dtype == TB_F64 ? 8 : dtype == TB_U8 ? 1 : 4;
}

static void test_env_destroy(tb_env *env)
{
    free(env);
}

static tb_status test_env_space(tb_env *env, uint32_t which, uint32_t leaf, tb_space *out)
{
    test_env *e = test_env_of(env);
    const test_env_def *def = e->def;
    if (leaf != 0)
        return TB_E_INVALID;
    *out =
        (tb_space){.struct_size = sizeof *out, .kind = TB_SPACE_BOX, .name = "leaf", .n_leaves = 1};
    if (which == TB_SPACE_OBSERVATION) {
        static const double low[2] = {-INFINITY, -INFINITY}, high[2] = {INFINITY, INFINITY};
        out->low = low;
        out->high = high;
        out->dtype = def->observation_dtype;
        out->count = 2;
    } else {
        out->kind = def->action_kind;
        out->dtype = def->action_dtype;
        out->count = def->action_kind == TB_SPACE_DISCRETE ? 1 : def->n;
        int box = def->action_kind == TB_SPACE_BOX,
            coins = def->action_kind == TB_SPACE_MULTI_BINARY;
        out->low = box ? e->low : NULL;
        out->high = box ? e->high : NULL;
        out->nvec = !box && !coins ? e->nvec : NULL;
        out->start = !box && !coins && def->start != 0 ? e->start : NULL;
    }
    out->ndim = out->count > 1 ? 1 : 0;
    out->shape[0] = out->count > 1 ? out->count : 0;
    out->bytes = out->count * test_env_dtype_size(out->dtype);
    return TB_OK;
}

static inline void test_env_observe(const test_env *e, void *observation)
{
    double entries[2] = {test_env_tag(&e->key), (double)e->step};
    if ((int64_t)e->step == e->def->nan_observation_at)
        entries[1] = NAN;
    for (int i = 0; i < 2; i++)
        if (e->def->observation_dtype == TB_F64)
            ((double *)observation)[i] = entries[i];
        else
            ((float *)observation)[i] = (float)entries[i];
}

static tb_status test_env_reset(tb_env *env, const tb_key *key, void *observation)
{
    test_env *e = test_env_of(env);
    if (e->n_resets < test_env_records)
        e->keys[e->n_resets] = *key;
    e->n_resets++;
    if (e->n_resets == e->def->fail_reset_episode) {
        e->failure = "the reset was told to fail";
        return TB_E_NUMERIC;
    }
    e->key = *key;
    e->step = 0;
    test_env_observe(e, observation);
    return TB_OK;
}

static inline double test_env_action(const test_env *e, const void *action, size_t i)
{
    switch (e->def->action_dtype) {
    case TB_F64: return ((const double *)action)[i];
    case TB_F32: return (double)((const float *)action)[i];
    case TB_I32: return (double)((const int32_t *)action)[i];
    default: return (double)((const uint8_t *)action)[i];
    }
}

static tb_status test_env_step(tb_env *env, const void *action, void *observation, tb_step *out)
{
    test_env *e = test_env_of(env);
    const test_env_def *def = e->def;
    if (e->step + 1 == def->fail_step_at) {
        e->failure = "the step was told to fail";
        return TB_E_NUMERIC;
    }
    e->step++;
    out->reward = def->slope * (double)e->step;
    size_t entries = def->action_kind == TB_SPACE_DISCRETE ? 1 : def->n;
    for (size_t i = 0; i < entries; i++) {
        double a = test_env_action(e, action, i);
        if (e->n_steps < test_env_records)
            e->actions[e->n_steps][i] = a;
        if (def->action_kind == TB_SPACE_BOX)
            out->reward -= (a - def->good) * (a - def->good);
        else
            out->reward += a == def->good;
    }
    e->n_steps++;
    if (def->noise != 0) {
        const tb_key stream = tb_key_child(e->key, e->step);
        out->reward += def->noise * tb_unit_f64(stream.w[0]);
    }
    if (e->step == def->nan_reward_at)
        out->reward = NAN;
    out->flags = 0;
    if (def->terminate_at && e->step == test_env_length(def, &e->key, def->terminate_at))
        out->flags |= TB_TERMINATED;
    if (def->truncate_at && e->step == test_env_length(def, &e->key, def->truncate_at))
        out->flags |= TB_TRUNCATED;
    if (def->both_at && e->step == test_env_length(def, &e->key, def->both_at))
        out->flags |= TB_TERMINATED | TB_TRUNCATED;
    test_env_observe(e, observation);
    return TB_OK;
}

static const char *test_env_last_error(tb_env *env)
{
    const test_env *e = test_env_of(env);
    return e->failure != NULL ? e->failure : "";
}

static const void *test_env_extension(tb_env *env, const char *id)
{
    if (strcmp(id, TB_EXT_ENV_SNAPSHOT) == 0)
        return test_env_of(env)->def->snapshot;
    return strcmp(id, TB_EXT_ENV_VEC) == 0 ? test_env_of(env)->def->vec : NULL;
}

static const tb_env_api test_env_api = {
    .struct_size = sizeof(tb_env_api),
    .destroy = test_env_destroy,
    .space = test_env_space,
    .reset = test_env_reset,
    .step = test_env_step,
    .last_error = test_env_last_error,
    .get_extension = test_env_extension,
};

/* A tb_env_maker; ctx is the test_env_def. */
static inline tb_status test_env_make(void *ctx, const tb_env_api **api, tb_env **env,
                                      tb_error *error)
{
    test_env_def *def = ctx;
    test_env *e = calloc(1, sizeof *e);
    if (e == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for an environment");
    *e = (test_env){.def = def};
    for (int i = 0; i < 4; i++) {
        e->nvec[i] = def->action_kind == TB_SPACE_DISCRETE ? (int64_t)def->n : i + 2;
        e->start[i] = def->start;
        e->low[i] = def->low;
        e->high[i] = def->high;
    }
    *api = &test_env_api;
    *env = (tb_env *)(void *)e;
    if (def->n_instances < test_env_instances)
        def->instances[def->n_instances] = *env;
    def->n_instances++;
    return TB_OK;
}

#endif
