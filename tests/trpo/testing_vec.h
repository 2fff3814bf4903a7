/* SPDX-License-Identifier: MIT
 *
 * vec/1 of the scripted environment: its lanes are scripted environments behind each other. A
 * definition offers it when its `vec` is &test_env_vec.
 */
#ifndef TESTS_TRPO_TESTING_VEC_H
#define TESTS_TRPO_TESTING_VEC_H

#include "tests/trpo/testing_env.h"

struct tb_vec {
    uint64_t n;
    const char *failure;
    size_t observation_bytes, action_bytes; // of a row
    tb_env *lane[];
};

static void test_vec_destroy(tb_vec *vec)
{
    for (uint64_t i = 0; i < vec->n; i++)
        test_env_destroy(vec->lane[i]);
    free(vec);
}

static tb_status test_vec_create(tb_env *prototype, uint64_t n, tb_vec **out)
{
    test_env_def *def = test_env_of(prototype)->def;
    if (def->fail_vec) {
        test_env_of(prototype)->failure = "the lanes were told to fail";
        return TB_E_NOMEM;
    }
    tb_vec *vec = calloc(1, sizeof *vec + n * sizeof vec->lane[0]);
    if (vec == NULL)
        return TB_E_NOMEM;
    vec->n = n;
    vec->failure = "";
    tb_space space;
    test_env_space(prototype, TB_SPACE_OBSERVATION, 0, &space);
    vec->observation_bytes = space.bytes;
    test_env_space(prototype, TB_SPACE_ACTION, 0, &space);
    vec->action_bytes = space.bytes;
    for (uint64_t i = 0; i < n; i++) {
        const tb_env_api *api;
        if (test_env_make(def, &api, &vec->lane[i], NULL) != TB_OK) {
            vec->n = i;
            test_vec_destroy(vec);
            return TB_E_NOMEM;
        }
    }
    *out = vec;
    return TB_OK;
}

// notes what lane i's call gave
static inline void test_vec_note(tb_vec *vec, uint64_t i, tb_status status, tb_status *slot,
                                 tb_status *first)
{
    *slot = status;
    if (status != TB_OK && *first == TB_OK) {
        *first = status;
        vec->failure = test_env_last_error(vec->lane[i]);
    }
}

static tb_status test_vec_reset(tb_vec *vec, const uint8_t *mask, const tb_key *keys,
                                void *observations, tb_status *statuses)
{
    tb_status first = TB_OK;
    for (uint64_t i = 0; i < vec->n; i++)
        if (mask == NULL || mask[i])
            test_vec_note(vec, i,
                          test_env_reset(vec->lane[i], &keys[i],
                                         (char *)observations + i * vec->observation_bytes),
                          &statuses[i], &first);
    return first;
}

static tb_status test_vec_step(tb_vec *vec, const uint8_t *mask, const void *actions,
                               void *observations, double *rewards, uint32_t *flags,
                               tb_status *statuses)
{
    tb_status first = TB_OK;
    for (uint64_t i = 0; i < vec->n; i++) {
        tb_step out = {.struct_size = sizeof out};
        if (mask != NULL && !mask[i])
            continue;
        tb_status status =
            test_env_step(vec->lane[i], (const char *)actions + i * vec->action_bytes,
                          (char *)observations + i * vec->observation_bytes, &out);
        rewards[i] = out.reward;
        flags[i] = out.flags;
        test_vec_note(vec, i, status, &statuses[i], &first);
    }
    return first;
}

static const char *test_vec_last_error(tb_vec *vec)
{
    return vec->failure;
}

static uint64_t test_vec_max_bytes(tb_vec *vec)
{
    (void)vec;
    return 0;
}

static tb_status test_vec_save(const tb_vec *vec, uint64_t lane, void *buf, uint64_t cap,
                               uint64_t *used)
{
    (void)vec, (void)lane, (void)buf, (void)cap, (void)used;
    return TB_E_UNSUPPORTED;
}

static tb_status test_vec_load(tb_vec *vec, uint64_t lane, const void *buf, uint64_t used)
{
    (void)vec, (void)lane, (void)buf, (void)used;
    return TB_E_UNSUPPORTED;
}

static tb_status test_vec_rekey(tb_vec *vec, uint64_t lane, const tb_key *key)
{
    (void)vec, (void)lane, (void)key;
    return TB_E_UNSUPPORTED;
}

static tb_status test_vec_observe(tb_vec *vec, uint64_t lane, void *observation)
{
    (void)vec, (void)lane, (void)observation;
    return TB_E_UNSUPPORTED;
}

static const tb_env_vec test_env_vec = {
    .struct_size = sizeof(tb_env_vec),
    .create = test_vec_create,
    .destroy = test_vec_destroy,
    .reset = test_vec_reset,
    .step = test_vec_step,
    .last_error = test_vec_last_error,
    .max_bytes = test_vec_max_bytes,
    .save = test_vec_save,
    .load = test_vec_load,
    .rekey = test_vec_rekey,
    .observe = test_vec_observe,
};

#endif
