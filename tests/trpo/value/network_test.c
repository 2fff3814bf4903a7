/* SPDX-License-Identifier: MIT */
#include "trpo/value/network.h"

#include <omp.h>

#include "tests/trpo/testing.h"
#include "tests/trpo/testing_map.h"
#include "trpo/advantage/gae.h"
#include "trpo/rng/streams.h"

enum { I = 2, max_rows = 300 };

static const double time_scale = 0.25;

typedef struct fixture {
    tb_critic critic;
    tb_learner_config config;
    tb_batch batch;
    tb_iteration log;
} fixture;

static fixture fresh(void)
{
    fixture f;
    memset(&f, 0, sizeof f);
    tb_options_default(tb_learner_options, &f.config);
    return f;
}

static tb_network_critic *network(const fixture *f)
{
    return f->critic.self;
}

// after the configuration is set
static void init(fixture *f, uint32_t dtype, int64_t minibatch, uint64_t seed)
{
    tb_error error = {0};
    f->config.critic_minibatch = minibatch;
    tb_map_spec spec = {.struct_size = sizeof spec,
                        .dtype = dtype,
                        .n_in = I + (size_t)f->config.critic_time_feature,
                        .n_out = 1,
                        .out_gain = 1};
    tb_critic_def def = {.config = &f->config,
                         .n_inputs = I,
                         .dtype = dtype,
                         .max_rows = max_rows,
                         .time_scale = time_scale,
                         .seed = seed,
                         .api = &test_map_api,
                         .map = test_map_abi(test_map_create(&spec, 8)),
                         .spec = &spec};
    assert_ok(tb_critic_init(&f->critic, &def, &error), &error);
    assert_ok(tb_batch_init(&f->batch, max_rows, 1, I * tb_dtype_size(dtype), 1, 1, &error),
              &error);
    tb_iteration_clear(&f->log);
}

static void finish(fixture *f)
{
    tb_critic_finish(&f->critic);
    tb_batch_finish(&f->batch);
}

// targets offset + size * (x0 - x1^2 / 2); values by the critic as it is
static void fill(fixture *f, size_t rows, double offset, double size)
{
    f->batch.lanes = 1;
    f->batch.steps = f->batch.n_rows = rows;
    tb_rng rng = test_rng(9);
    for (size_t i = 0; i < rows; i++) {
        double x[I];
        test_fill(&rng, x, I, 1.5);
        uint32_t dtype = network(f)->net.dtype;
        tb_to_native(dtype, x, (char *)f->batch.x + i * I * tb_dtype_size(dtype), I);
        f->batch.time[i] = (double)(i % 7);
        f->batch.target[i] = offset + size * (x[0] - x[1] * x[1] / 2);
    }
    tb_error error = {0};
    assert_ok(tb_critic_value(&f->critic, &f->batch, &error), &error);
}

// of the batch's rows, by the critic as it is now
static void values(fixture *f, double *out)
{
    tb_error error = {0};
    assert_ok(f->critic.kind->values(f->critic.self, f->batch.x, f->batch.time, f->batch.n_rows,
                                     out, &error),
              &error);
}

static void fit(fixture *f, uint64_t iteration)
{
    tb_error error = {0};
    assert_ok(tb_critic_fit(&f->critic, &f->batch, iteration, &f->log, &error), &error);
}

static void test_fits_a_simple_function(void **state)
{
    (void)state;
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        fixture f = fresh();
        f.config.critic_epochs = 300;
        f.config.critic_learning_rate = 0.01;
        init(&f, dtype, 32, 1);
        fill(&f, 256, 3, 2);
        fit(&f, 1);
        assert_true(f.log.critic_loss_after < 0.01 * f.log.critic_loss_before);
        assert_true(f.log.explained_variance_after > 0.99);
        assert_true(f.log.explained_variance_before < 0.9);
        // what the log says is what the critic gives now
        double out[max_rows], loss = 0;
        values(&f, out);
        for (size_t i = 0; i < 256; i++) {
            double d = (out[i] - f.batch.target[i]) / network(&f)->scale;
            loss += d * d / 256;
        }
        assert_close(f.log.critic_loss_after, loss, 1e-12);
        // and before: of the values that the batch came with
        double mean = 0, loss_before = 0;
        for (size_t i = 0; i < 256; i++) {
            double d = (f.batch.value[i] - f.batch.target[i]) / network(&f)->scale;
            mean += f.batch.value[i] / 256;
            loss_before += d * d / 256;
        }
        assert_near(f.log.value_mean, mean, 1e-13);
        assert_close(f.log.critic_loss_before, loss_before, 1e-12);
        assert_near(f.log.explained_variance_before,
                    tb_explained_variance(f.batch.value, f.batch.target, 256), 0);
        finish(&f);
    }
}

static void test_values_are_shifted_and_scaled_outputs(void **state)
{
    (void)state;
    fixture f = fresh();
    init(&f, TB_F64, 32, 2);
    fill(&f, 100, 50, 10);
    double raw[max_rows];
    memcpy(raw, f.batch.value, sizeof raw); // shift 0, scale 1 at the start: the network's outputs
    fit(&f, 1);
    double mean = 0, variance = 0;
    for (size_t i = 0; i < 100; i++)
        mean += f.batch.target[i] / 100;
    for (size_t i = 0; i < 100; i++)
        variance += (f.batch.target[i] - mean) * (f.batch.target[i] - mean) / 100;
    assert_close(network(&f)->shift, mean, 1e-12);
    assert_close(network(&f)->scale, sqrt(variance), 1e-8);
    // the same network under another shift and scale
    double now[max_rows], moved[max_rows];
    values(&f, now);
    double shift = network(&f)->shift, scale = network(&f)->scale;
    network(&f)->shift = 0;
    network(&f)->scale = 1;
    values(&f, moved);
    for (size_t i = 0; i < 100; i++)
        assert_near(now[i], shift + scale * moved[i], 1e-12);
    finish(&f);
}

// a task whose returns are a thousand times larger is the same task
static void test_fit_does_not_depend_on_the_returns_scale(void **state)
{
    (void)state;
    fixture small = fresh(), large = fresh();
    init(&small, TB_F64, 32, 3);
    init(&large, TB_F64, 32, 3);
    fill(&small, 200, 0.5, 1);
    fill(&large, 200, 512, 1024);
    fit(&small, 1);
    fit(&large, 1);
    assert_close(large.log.critic_loss_after, small.log.critic_loss_after, 1e-5);
    assert_close(large.log.explained_variance_after, small.log.explained_variance_after, 1e-5);
    finish(&small);
    finish(&large);
}

static void test_without_normalised_targets(void **state)
{
    (void)state;
    fixture f = fresh();
    f.config.critic_normalize_targets = 0;
    init(&f, TB_F64, 32, 3);
    fill(&f, 200, 3, 2);
    fit(&f, 1);
    assert_true(network(&f)->shift == 0 && network(&f)->scale == 1);
    assert_true(f.log.critic_loss_after < f.log.critic_loss_before);
    finish(&f);
}

static void same_bits_for_any_number_of_threads(int optimizer)
{
    int threads_before = omp_get_max_threads();
    for (int threads = 2; threads <= 4; threads++) {
        fixture one = fresh(), many = fresh();
        one.config.critic_optimizer = many.config.critic_optimizer = optimizer;
        init(&one, TB_F32, 0, 4); // the whole batch: several shards
        init(&many, TB_F32, 0, 4);
        omp_set_num_threads(1);
        fill(&one, max_rows, 1, 1);
        fit(&one, 1);
        omp_set_num_threads(threads);
        fill(&many, max_rows, 1, 1);
        fit(&many, 1);
        assert_memory_equal(network(&one)->net.theta, network(&many)->net.theta,
                            network(&one)->net.n_params * sizeof(double));
        assert_same_log(&one.log, &many.log);
        finish(&one);
        finish(&many);
    }
    omp_set_num_threads(threads_before);
}

static void test_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    same_bits_for_any_number_of_threads(TB_OPTIMIZER_ADAM);
    same_bits_for_any_number_of_threads(TB_OPTIMIZER_LBFGS);
}

static void fit_from(uint64_t seed, uint64_t iteration, double *theta)
{
    fixture f = fresh();
    init(&f, TB_F64, 32, seed);
    tb_net *net = &network(&f)->net;
    double start = 0.1; // the same parameters, so that only the order of rows can differ
    for (size_t i = 0; i < net->n_params; i++)
        net->theta[i] = start + 0.01 * (double)i;
    tb_net_set(net, net->theta);
    fill(&f, 100, 1, 1);
    fit(&f, iteration);
    memcpy(theta, net->theta, net->n_params * sizeof *theta);
    finish(&f);
}

static void test_order_is_a_function_of_seed_and_iteration(void **state)
{
    (void)state;
    double a[64] = {0}, b[64] = {0};
    fit_from(5, 1, a);
    fit_from(5, 1, b);
    assert_memory_equal(a, b, sizeof a);
    fit_from(5, 2, b);
    assert_memory_not_equal(a, b, sizeof a);
    fit_from(6, 1, b);
    assert_memory_not_equal(a, b, sizeof a);
}

// and of the epoch: rows must not meet in the same minibatches each time
static void test_every_epoch_has_an_order_of_its_own(void **state)
{
    (void)state;
    uint32_t order[2][100];
    for (int64_t epochs = 1; epochs <= 2; epochs++) {
        fixture f = fresh();
        f.config.critic_epochs = epochs;
        init(&f, TB_F64, 32, 5);
        fill(&f, 100, 1, 1);
        fit(&f, 1);
        memcpy(order[epochs - 1], network(&f)->order, sizeof order[0]);
        finish(&f);
    }
    assert_memory_not_equal(order[0], order[1], sizeof order[0]);
}

// one epoch of one whole-batch step: the remainder rows count, each row once
static void test_one_step_is_adam_on_the_mean_squared_error(void **state)
{
    (void)state;
    fixture f = fresh();
    f.config.critic_epochs = 1;
    f.config.critic_learning_rate = 0.01;
    f.config.critic_normalize_targets = 0;
    init(&f, TB_F64, 0, 7);
    tb_net *net = &network(&f)->net;
    fill(&f, 131, 0, 1);
    // Adam's first step is rate * g / (|g| + 1e-8): compare with central differences of the loss
    size_t p = net->n_params;
    double before[64], g[64];
    memcpy(before, net->theta, p * sizeof *before);
    for (size_t i = 0; i < p; i++) {
        double loss[2] = {0}, moved[64], out[max_rows];
        for (int side = 0; side < 2; side++) {
            memcpy(moved, before, p * sizeof *moved);
            moved[i] += side ? 1e-5 : -1e-5;
            tb_net_set(net, moved);
            values(&f, out);
            for (size_t k = 0; k < 131; k++)
                loss[side] += pow(out[k] - f.batch.target[k], 2) / 131;
        }
        g[i] = (loss[1] - loss[0]) / 2e-5;
    }
    tb_net_set(net, before);
    fit(&f, 1);
    for (size_t i = 0; i < p; i++) {
        assert_near(network(&f)->gradient[i], g[i], 1e-8);
        assert_near(net->theta[i], before[i] - 0.01 * g[i] / (fabs(g[i]) + 1e-8), 1e-6);
    }
    finish(&f);
}

// 100 rows in minibatches of 32: four Adam steps, the last of 4 rows
static void test_remainder(void **state)
{
    (void)state;
    fixture f = fresh();
    f.config.critic_epochs = 1;
    init(&f, TB_F64, 32, 8);
    fill(&f, 100, 0, 1);
    fit(&f, 1);
    assert_true(network(&f)->state[2 * network(&f)->net.n_params] == 4); // Adam's steps
    // every row was visited once
    int seen[100] = {0};
    for (size_t i = 0; i < 100; i++)
        seen[network(&f)->order[i]]++;
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    finish(&f);
}

static void test_divergence_is_an_error(void **state)
{
    (void)state;
    // float parameters that overflow
    fixture f = fresh();
    f.config.critic_epochs = 1;
    init(&f, TB_F32, 0, 9);
    fill(&f, 10, 0, 1);
    tb_net *net = &network(&f)->net;
    for (size_t i = 0; i < net->n_params; i++)
        net->theta[i] = 1e39;
    tb_net_set(net, net->theta);
    tb_error error = {0};
    assert_int_equal(tb_critic_fit(&f.critic, &f.batch, 12, &f.log, &error), TB_E_NUMERIC);
    assert_message(&error, "diverged in iteration 12");
    assert_message(&error, "critic_learning_rate");
    finish(&f);
}

static void test_constant_targets(void **state)
{
    (void)state;
    fixture f = fresh();
    init(&f, TB_F64, 32, 10);
    fill(&f, 64, 5, 0);
    fit(&f, 1);
    assert_true(isfinite(f.log.critic_loss_after));
    assert_true(isnan(f.log.explained_variance_after)); // nothing to explain
    finish(&f);
}

static void test_init_is_a_function_of_the_seed(void **state)
{
    (void)state;
    fixture a = fresh(), b = fresh(), c = fresh();
    init(&a, TB_F64, 32, 11);
    init(&b, TB_F64, 32, 11);
    init(&c, TB_F64, 32, 12);
    size_t bytes = network(&a)->net.n_params * sizeof(double);
    assert_memory_equal(network(&a)->net.theta, network(&b)->net.theta, bytes);
    assert_memory_not_equal(network(&a)->net.theta, network(&c)->net.theta, bytes);
    // trap 21: from a stream of its own, not the policy's
    const tb_key key = tb_stream_key(11, TB_STREAM_CRITIC_INIT, 0, 0);
    double expected[64];
    assert_int_equal(test_map_init(network(&a)->net.map, expected, &key), TB_OK);
    assert_memory_equal(network(&a)->net.theta, expected, bytes);
    finish(&a);
    finish(&b);
    finish(&c);
}

/* ---- L-BFGS ---- */

// a smooth function of two inputs is fitted far better in 60 steps than Adam's 300 epochs do
static void test_lbfgs_fits(void **state)
{
    (void)state;
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        fixture f = fresh();
        f.config.critic_optimizer = TB_OPTIMIZER_LBFGS;
        f.config.critic_lbfgs_iterations = 60;
        init(&f, dtype, 32, 1);
        fill(&f, 256, 3, 2);
        fit(&f, 1);
        assert_true(f.log.critic_loss_after < 0.002 * f.log.critic_loss_before);
        // a second fit goes on from there, on what is then another function
        double after_first = f.log.critic_loss_after;
        fill(&f, 256, 3, 2);
        fit(&f, 2);
        assert_true(f.log.critic_loss_after <= after_first * (1 + 1e-6));
        finish(&f);
    }
}

// the first step of a fit is down the gradient of the mean squared error, whatever was before
static void test_lbfgs_starts_down_the_gradient(void **state)
{
    (void)state;
    fixture f = fresh();
    f.config.critic_optimizer = TB_OPTIMIZER_LBFGS;
    f.config.critic_lbfgs_iterations = 1;
    f.config.critic_normalize_targets = 0;
    init(&f, TB_F64, 32, 7);
    tb_net *net = &network(&f)->net;
    size_t p = net->n_params;
    for (uint64_t iteration = 1; iteration <= 2; iteration++) {
        double before[64], after[64], g[64], along = 0, gg = 0, ss = 0;
        fill(&f, 131, 0, 1);
        memcpy(before, net->theta, p * sizeof *before);
        for (size_t i = 0; i < p; i++) {
            double loss[2] = {0}, moved[64], out[max_rows];
            for (int side = 0; side < 2; side++) {
                memcpy(moved, before, p * sizeof *moved);
                moved[i] += side ? 1e-5 : -1e-5;
                tb_net_set(net, moved);
                values(&f, out);
                for (size_t k = 0; k < 131; k++)
                    loss[side] += pow(out[k] - f.batch.target[k], 2) / 131;
            }
            g[i] = (loss[1] - loss[0]) / 2e-5;
        }
        tb_net_set(net, before);
        fit(&f, iteration);
        memcpy(after, net->theta, p * sizeof *after);
        for (size_t i = 0; i < p; i++) {
            along -= g[i] * (after[i] - before[i]);
            gg += g[i] * g[i];
            ss += (after[i] - before[i]) * (after[i] - before[i]);
        }
        assert_true(ss > 0);
        assert_near(along / sqrt(gg * ss), 1, 1e-9); // the angle between step and -g is 0
    }
    finish(&f);
}

// whatever the architecture cannot do ends the fit with its message
static void test_failures_of_the_network(void **state)
{
    (void)state;
    for (int optimizer = 0; optimizer < 2; optimizer++)
        for (int call = 0; call < 2; call++) {
            fixture f = fresh();
            tb_error error = {0};
            f.config.critic_optimizer = optimizer;
            init(&f, TB_F64, 32, 1);
            fill(&f, 100, 0, 1);
            test_map *map = (test_map *)(void *)network(&f)->net.map;
            *(call ? &map->fail_vjp : &map->fail_forward) = 1;
            assert_true(tb_critic_fit(&f.critic, &f.batch, 1, &f.log, &error) < 0);
            assert_message(&error, call ? "vjp failed" : "forward failed");
            assert_int_equal(tb_critic_value(&f.critic, &f.batch, &error) < 0, !call);
            finish(&f);
        }
}

/* ---- the time feature ---- */

// targets that only the time explains
static void test_time_feature(void **state)
{
    (void)state;
    double left[2];
    for (int with = 0; with < 2; with++) {
        fixture f = fresh();
        f.config.critic_time_feature = with;
        f.config.critic_epochs = 200;
        f.config.critic_learning_rate = 0.01;
        init(&f, TB_F32, 32, 1);
        fill(&f, 200, 0, 1);
        for (size_t i = 0; i < 200; i++)
            f.batch.target[i] = f.batch.time[i] - 3;
        fit(&f, 1);
        left[with] = 1 - f.log.explained_variance_after;
        finish(&f);
    }
    assert_true(left[1] < 0.01 && left[0] > 0.5);
}

// the network's inputs are the row's and, behind them, the time in its unit - also for finals
static void test_time_is_the_last_input(void **state)
{
    (void)state;
    fixture f = fresh();
    f.config.critic_time_feature = 1;
    init(&f, TB_F64, 32, 1);
    fill(&f, 3, 0, 1);
    f.batch.n_finals = 1;
    memcpy(f.batch.final_x, (const double *)f.batch.x + I, I * sizeof(double)); // row 1's, later
    f.batch.final_time[0] = 40;
    f.batch.final_row[0] = 3; // the end of lane 0
    tb_error error = {0};
    assert_ok(tb_critic_value(&f.critic, &f.batch, &error), &error);
    tb_net_lane lane;
    assert_ok(tb_net_lane_init(&lane, &network(&f)->net, 1, &error), &error);
    for (size_t i = 0; i < 4; i++) {
        size_t row = i < 3 ? i : 1;
        double time = i < 3 ? f.batch.time[i] : 40, y;
        double x[I + 1] = {((const double *)f.batch.x)[row * I],
                           ((const double *)f.batch.x)[row * I + 1], time * time_scale};
        memcpy(lane.x, x, sizeof x);
        assert_ok(tb_net_lane_forward(&lane, 1, &y, &error), &error);
        assert_near(i < 3 ? f.batch.value[i] : f.batch.next_value[0], y, 0);
    }
    tb_net_lane_finish(&lane);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fits_a_simple_function),
        cmocka_unit_test(test_values_are_shifted_and_scaled_outputs),
        cmocka_unit_test(test_fit_does_not_depend_on_the_returns_scale),
        cmocka_unit_test(test_without_normalised_targets),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_order_is_a_function_of_seed_and_iteration),
        cmocka_unit_test(test_every_epoch_has_an_order_of_its_own),
        cmocka_unit_test(test_one_step_is_adam_on_the_mean_squared_error),
        cmocka_unit_test(test_remainder),
        cmocka_unit_test(test_divergence_is_an_error),
        cmocka_unit_test(test_constant_targets),
        cmocka_unit_test(test_init_is_a_function_of_the_seed),
        cmocka_unit_test(test_lbfgs_fits),
        cmocka_unit_test(test_lbfgs_starts_down_the_gradient),
        cmocka_unit_test(test_failures_of_the_network),
        cmocka_unit_test(test_time_feature),
        cmocka_unit_test(test_time_is_the_last_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
