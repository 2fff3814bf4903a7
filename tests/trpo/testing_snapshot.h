/* SPDX-License-Identifier: MIT
 *
 * snapshot/1 of the scripted environment: its key and its step. A definition offers it when its
 * `snapshot` is &test_env_snapshot.
 */
#ifndef TESTS_TRPO_TESTING_SNAPSHOT_H
#define TESTS_TRPO_TESTING_SNAPSHOT_H

#include "tests/trpo/testing_env.h"

typedef struct test_env_state {
    tb_key key;
    uint64_t step;
} test_env_state;

static uint64_t test_env_max_bytes(tb_env *env)
{
    (void)env;
    return sizeof(test_env_state);
}

static tb_status test_env_save(const tb_env *env, void *buf, uint64_t cap, uint64_t *used)
{
    const test_env *e = (const test_env *)(const void *)env;
    test_env_state state = {e->key, e->step};
    if (cap < sizeof state)
        return TB_E_INVALID;
    memcpy(buf, &state, sizeof state);
    *used = sizeof state + e->def->snapshot_lies;
    return TB_OK;
}

static tb_status test_env_load(tb_env *env, const void *buf, uint64_t used)
{
    test_env *e = test_env_of(env);
    test_env_state state;
    if (used != sizeof state)
        return TB_E_CORRUPT;
    memcpy(&state, buf, sizeof state);
    e->key = state.key;
    if (e->def->fail_load_at > 0 && state.step == e->def->fail_load_at) {
        e->failure = "the load was told to fail";
        return TB_E_CORRUPT;
    }
    e->step = state.step;
    return TB_OK;
}

static tb_status test_env_rekey(tb_env *env, const tb_key *key)
{
    test_env_of(env)->key = *key;
    return TB_OK;
}

static tb_status test_env_observe_state(tb_env *env, void *observation)
{
    test_env_observe(test_env_of(env), observation);
    return TB_OK;
}

static const tb_env_snapshot test_env_snapshot = {
    .struct_size = sizeof(tb_env_snapshot),
    .scope = TB_SNAP_SAME_PROCESS,
    .max_bytes = test_env_max_bytes,
    .save = test_env_save,
    .load = test_env_load,
    .rekey = test_env_rekey,
    .observe = test_env_observe_state,
};

#endif
