/* SPDX-License-Identifier: MIT
 *
 * A sampler over the scripted environment, with networks, for the tests of this folder.
 */
#ifndef TESTS_TRPO_SAMPLING_TESTING_SAMPLER_H
#define TESTS_TRPO_SAMPLING_TESTING_SAMPLER_H

#include "trpo/sampling/actor.h"

#include <omp.h>

#include "tests/trpo/testing.h"
#include "tests/trpo/testing_env.h"
#include "tests/trpo/testing_map.h"
#include "trpo/rng/streams.h"

enum { max_lanes = 11, max_steps = 40, observation_size = 2 };

typedef struct fixture {
    test_env_def def;
    tb_task task;
    const tb_env_api *probe_api;
    tb_env *probe;
    tb_net policy;
    tb_sampler sampler;
    tb_scaler scaler;
    tb_batch batch;
    tb_error error;
} fixture;

static inline tb_net make_net(uint32_t dtype, size_t n_out, size_t n_const, uint64_t seed)
{
    tb_map_spec spec = {.struct_size = sizeof spec,
                        .dtype = dtype,
                        .n_in = observation_size,
                        .n_out = n_out,
                        .n_const_out = n_const,
                        .out_gain = 1};
    const tb_key key = {{seed, 0}};
    tb_net net;
    tb_error error = {0};
    assert_ok(tb_net_init(&net, &test_map_api, test_map_abi(test_map_create(&spec, 4)), &spec, &key,
                          &error),
              &error);
    return net;
}

// everything but the sampler itself; the caller fills f->def and f->task.* before
static inline void prepare(fixture *f, uint32_t dtype)
{
    tb_task *task = &f->task;
    task->make = test_env_make;
    task->make_ctx = &f->def;
    task->seed = 42;
    assert_ok(test_env_make(&f->def, &f->probe_api, &f->probe, &f->error), &f->error);
    assert_ok(tb_features_init(&task->features, f->probe_api, f->probe, &f->error), &f->error);
    assert_int_equal(f->probe_api->space(f->probe, TB_SPACE_ACTION, 0, &task->action), TB_OK);
    task->action_bytes = task->action.bytes;
    assert_ok(tb_head_for_space(&task->action, TB_DISTRIBUTION_AUTO, &task->head, &f->error),
              &f->error);
    f->policy = make_net(dtype, task->head.n_params, task->head.n_const, 1);
    assert_ok(tb_scaler_init(&f->scaler, observation_size, &f->error), &f->error);
}

static inline tb_status start(fixture *f, size_t lanes)
{
    return tb_sampler_init(&f->sampler, &f->task, &f->policy, lanes, max_steps, &f->error);
}

static inline void init(fixture *f, uint32_t dtype, size_t lanes)
{
    prepare(f, dtype);
    assert_ok(start(f, lanes), &f->error);
    assert_ok(tb_batch_init(&f->batch, lanes * max_steps, lanes,
                            observation_size * tb_dtype_size(dtype), f->task.head.n_action,
                            f->task.head.n_params, &f->error),
              &f->error);
}

static inline void finish(fixture *f)
{
    tb_sampler_finish(&f->sampler);
    tb_batch_finish(&f->batch);
    tb_scaler_finish(&f->scaler);
    tb_net_finish(&f->policy);
    tb_features_finish(&f->task.features);
    test_env_destroy(f->probe);
}

static inline tb_status run(fixture *f, size_t steps)
{
    return tb_sampler_run(&f->sampler, &f->scaler, steps, &f->batch, &f->error);
}

static inline fixture fresh(test_env_def def)
{
    fixture f;
    memset(&f, 0, sizeof f);
    f.def = def;
    return f;
}

static inline double x_at(const fixture *f, size_t row, size_t i)
{
    return test_get(f->policy.dtype, f->batch.x, row * observation_size + i);
}

// the last batches, their episodes and statistics are equal to the bit (float networks)
static inline void assert_same_rollouts(const fixture *one, const fixture *other)
{
    const tb_batch *a = &one->batch, *b = &other->batch;
    size_t n = a->n_rows;
    assert_int_equal(n, b->n_rows);
    assert_memory_equal(a->x, b->x, n * observation_size * sizeof(float));
    assert_memory_equal(a->action, b->action, n * a->n_action * sizeof(double));
    assert_memory_equal(a->y_old, b->y_old, n * a->n_params * sizeof(double));
    assert_memory_equal(a->log_prob_old, b->log_prob_old, n * sizeof(double));
    assert_memory_equal(a->reward, b->reward, n * sizeof(double));
    assert_memory_equal(a->flags, b->flags, n);
    assert_memory_equal(a->time, b->time, n * sizeof(double));
    assert_memory_equal(a->final_value, b->final_value, n * sizeof(double));
    assert_int_equal(a->n_finals, b->n_finals);
    assert_memory_equal(a->final_x, b->final_x, a->n_finals * observation_size * sizeof(float));
    assert_memory_equal(a->final_time, b->final_time, a->n_finals * sizeof(double));
    assert_memory_equal(a->final_row, b->final_row, a->n_finals * sizeof *a->final_row);
    assert_int_equal(one->sampler.clipped_actions, other->sampler.clipped_actions);
    assert_int_equal(one->sampler.n_episodes, other->sampler.n_episodes);
    assert_memory_equal(one->sampler.episodes, other->sampler.episodes,
                        one->sampler.n_episodes * sizeof(tb_episode));
    for (size_t l = 0; l < a->lanes; l++)
        assert_memory_equal(one->sampler.lane_moments[l].m2, other->sampler.lane_moments[l].m2,
                            observation_size * sizeof(double));
}

// one row through a network alone
static inline void forward(const tb_net *net, const double *x, double *y)
{
    tb_net_lane lane;
    tb_error error = {0};
    assert_ok(tb_net_lane_init(&lane, net, 1, &error), &error);
    tb_to_native(net->dtype, x, lane.x, net->n_in);
    assert_ok(tb_net_lane_forward(&lane, 1, y, &error), &error);
    tb_net_lane_finish(&lane);
}

#endif
