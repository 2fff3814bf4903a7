/* SPDX-License-Identifier: MIT
 *
 * A learner over the scripted environment and the little network, for the tests of this folder.
 */
#ifndef TESTS_TRPO_TESTING_LEARNER_H
#define TESTS_TRPO_TESTING_LEARNER_H

#include "trpo/learner.h"

#include "tests/trpo/testing.h"
#include "tests/trpo/testing_env.h"
#include "tests/trpo/testing_map.h"

typedef struct setting {
    test_env_def env;
    size_t hidden;
    int fail_map;    // 1 the policy's, 2 the critic's
    int no_features; // maps do not offer them
    tb_learner_def def;
    unsigned char config[256];
} setting;

static inline tb_status make_env(void *ctx, const tb_env_api **api, tb_env **env, tb_error *error)
{
    setting *s = ctx;
    return test_env_make(&s->env, api, env, error);
}

static inline tb_status make_map(void *ctx, int critic, const tb_map_spec *spec,
                                 const tb_map_api **api, tb_map **map, tb_error *error)
{
    const setting *s = ctx;
    if (s->fail_map == 1 + critic)
        return tb_fail(error, TB_E_PARAM, "no map number %d", critic);
    assert_int_equal(spec->struct_size, sizeof *spec);
    int time = critic && s->def.learner.critic_time_feature;
    assert_int_equal(spec->n_in, 2 + time);
    assert_int_equal(spec->in_ndim, time ? 0 : 1);
    assert_true(time ? spec->in_shape == NULL : spec->in_shape[0] == 2);
    if (critic)
        assert_true(spec->n_out == 1 && spec->n_const_out == 0 && spec->out_gain == 1);
    test_map *made = test_map_create(spec, s->hidden);
    if (s->no_features)
        made->features.features = NULL;
    *api = &test_map_api;
    *map = test_map_abi(made);
    return TB_OK;
}

// a small run: four lanes, episodes of 3 to 7 steps
static inline void init(setting *s, const char *algorithm)
{
    memset(s, 0, sizeof *s);
    s->env = test_env_default;
    s->env.terminate_at = 3;
    s->env.vary = 4;
    s->hidden = 4;
    s->def = (tb_learner_def){
        .make_env = make_env, .make_map = make_map, .ctx = s, .max_episode_steps = 6, .seed = 1};
    tb_options_default(tb_run_options, &s->def.run);
    tb_options_default(tb_learner_options, &s->def.learner);
    s->def.algorithm = tb_algorithm_find(algorithm);
    s->def.algorithm_config = s->config;
    tb_options_default(s->def.algorithm->options, s->config);
    s->def.run.steps = 1000;
    s->def.learner.lanes = 4;
    s->def.learner.batch_steps = 240;
    s->def.learner.critic_minibatch = 64;
    s->def.learner.critic_epochs = 2;
}

/* A number option of the algorithm, or the number of a choice. */
static inline void set_option(setting *s, const char *key, double value)
{
    const tb_option *option = tb_option_find(s->def.algorithm->options, key);
    assert_non_null(option);
    char *at = (char *)s->config + option->offset;
    if (option->type == TB_OPTION_F64)
        *(double *)(void *)at = value;
    else
        *(int32_t *)(void *)at = (int32_t)value;
}

static inline tb_learner *create(setting *s)
{
    tb_learner *learner;
    tb_error error = {0};
    s->env.n_instances = 0;
    assert_ok(tb_learner_create(&s->def, &learner, &error), &error);
    return learner;
}

static inline void iterate(tb_learner *learner, tb_iteration *log)
{
    tb_error error = {0};
    assert_ok(tb_learner_iterate(learner, log, NULL, &error), &error);
}

// mean reward of a step: in the last batch, and in the evaluation at the end
static inline void learn(setting *s, double *training, double *final)
{
    tb_learner *learner = create(s);
    tb_error error = {0};
    tb_episode out[20];
    tb_iteration log;
    while (!tb_learner_done(learner))
        iterate(learner, &log);
    *training = log.reward_mean;
    assert_ok(tb_learner_evaluate(learner, 1, 20, out, &error), &error);
    *final = 0;
    for (size_t i = 0; i < 20; i++)
        *final += out[i].reward_sum / (double)out[i].length / 20;
    tb_learner_destroy(learner);
}

#endif
