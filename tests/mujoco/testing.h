/* SPDX-License-Identifier: MIT
 *
 * A host for the tests of the MuJoCo plugin: instances of any size.
 */
#ifndef TESTS_MUJOCO_TESTING_H
#define TESTS_MUJOCO_TESTING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <trpo-bench/env.h>
#include <trpo-bench/rng.h>

#include "harness/plugin/loader.h"
#include "plugins/envs/mujoco/terms.h"

/* An instance with everything a test calls on it. */
typedef struct instance {
    tb_plugin *plugin;
    const tb_env_api *api;
    tb_env *env;
    const tb_env_snapshot *snapshot;
    const tb_env_state_vector *vector;
    size_t n_obs, n_actions, n_vector;
    const double *low, *high; /* [n_actions] */
    double *obs;              /* [n_obs] of the last call */
    float *action;            /* [n_actions] */
    int has_ended;
} instance;

static inline double *tb_test_doubles(size_t n)
{
    double *x = calloc(n > 0 ? n : 1, sizeof *x);
    assert_non_null(x);
    return x;
}

static inline tb_plugin *tb_test_plugin(void)
{
    static tb_plugin *plugin;
    tb_error error = {0};
    if (plugin == NULL && tb_plugin_load(TB_TEST_PLUGIN, &plugin, &error) != TB_OK)
        fail_msg("%s", error.message);
    return plugin;
}

static inline uint32_t tb_test_n_tasks(void)
{
    return tb_test_plugin()->envs->count();
}

static inline const char *tb_test_task(uint32_t i)
{
    return tb_test_plugin()->envs->describe(i)->id;
}

static inline int tb_test_has_key(const char *id, const char *key)
{
    const tb_params_schema *schema = tb_test_plugin()->schema;
    for (uint32_t i = 0; i < schema->count(id); i++) {
        tb_param_info info = {.struct_size = sizeof info};
        assert_int_equal(schema->get(id, i, &info), TB_OK);
        if (strcmp(info.key, key) == 0)
            return 1;
    }
    return 0;
}

/* Creates and destroys; the reason of a failure is in `message`. */
static inline tb_status tb_test_try(const char *id, const json_t *params, char message[1024])
{
    const tb_env_api *api;
    tb_env *env;
    tb_error error = {0};
    tb_status status = tb_plugin_create_env(tb_test_plugin(), id, params, &api, &env, NULL, &error);
    snprintf(message, 1024, "%s", error.message);
    if (status == TB_OK)
        api->destroy(env);
    return status;
}

static inline instance tb_test_make(const char *id, const json_t *params)
{
    instance e = {.plugin = tb_test_plugin()};
    tb_error error = {0};
    tb_space space = {.struct_size = sizeof space};
    if (tb_plugin_create_env(e.plugin, id, params, &e.api, &e.env, NULL, &error) != TB_OK)
        fail_msg("%s", error.message);
    e.snapshot = e.api->get_extension(e.env, TB_EXT_ENV_SNAPSHOT);
    e.vector = e.api->get_extension(e.env, TB_EXT_ENV_STATE_VECTOR);
    assert_true(e.snapshot != NULL && e.vector != NULL);
    assert_int_equal(e.api->space(e.env, TB_SPACE_OBSERVATION, 0, &space), TB_OK);
    assert_int_equal(space.dtype, TB_F64);
    e.n_obs = space.count;
    assert_int_equal(e.api->space(e.env, TB_SPACE_ACTION, 0, &space), TB_OK);
    assert_int_equal(space.dtype, TB_F32);
    e.n_actions = space.count;
    e.low = space.low;
    e.high = space.high;
    e.n_vector = e.vector->count(e.env);
    e.obs = tb_test_doubles(e.n_obs);
    e.action = calloc(e.n_actions, sizeof *e.action);
    assert_non_null(e.action);
    return e;
}

static inline void tb_test_unmake(instance *e)
{
    e->api->destroy(e->env);
    free(e->obs);
    free(e->action);
}

/* Uniform over the bounds times `scale`. */
static inline void tb_test_act(instance *e, tb_rng *rng, double scale)
{
    for (size_t i = 0; i < e->n_actions; i++)
        e->action[i] = (float)(scale * tb_rng_uniform(rng, e->low[i], e->high[i]));
}

static inline void tb_test_start(instance *e, uint64_t episode)
{
    tb_key key = tb_key_child((tb_key){{7, 11}}, episode);
    assert_int_equal(e->api->reset(e->env, &key, e->obs), TB_OK);
    e->has_ended = 0;
}

/* At most `steps` random steps of a new episode; the sum of its rewards. */
static inline double tb_test_play(instance *e, uint64_t episode, tb_rng *rng, int steps)
{
    double total = 0;
    tb_test_start(e, episode);
    for (int t = 0; t < steps && !e->has_ended; t++) {
        tb_step out = {.struct_size = sizeof out};
        tb_test_act(e, rng, 1);
        assert_int_equal(e->api->step(e->env, e->action, e->obs, &out), TB_OK);
        e->has_ended = out.flags != 0;
        total += out.reward;
    }
    return total;
}

static inline int tb_test_random_returns(uint64_t episodes)
{
    for (uint32_t k = 0; k < tb_test_n_tasks(); k++) {
        instance e = tb_test_make(tb_test_task(k), NULL);
        uint64_t limit = e.plugin->envs->describe(k)->max_episode_steps;
        double sum = 0, square = 0, n = (double)episodes;
        tb_rng rng;
        tb_rng_init(&rng, (tb_key){{3, k}});
        for (uint64_t i = 0; i < episodes; i++) {
            double total = tb_test_play(&e, 100000 + i, &rng, (int)limit);
            sum += total;
            square += total * total;
        }
        printf("%s: mean return of the random policy %.6g, standard error %.3g\n", tb_test_task(k),
               sum / n, sqrt(fmax(square / n - sum / n * (sum / n), 0) / n));
        tb_test_unmake(&e);
    }
    return 0;
}

#endif
