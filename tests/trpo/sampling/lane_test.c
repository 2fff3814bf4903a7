/* SPDX-License-Identifier: MIT */
#include "tests/trpo/sampling/testing_sampler.h"
#include "trpo/net/gsde.h"

static void init_box(fixture *f, uint32_t dtype, double low, double high, int clip)
{
    test_env_def def = test_env_default;
    def.action_kind = TB_SPACE_BOX;
    def.action_dtype = dtype;
    def.n = 2;
    def.low = low;
    def.high = high;
    *f = fresh(def);
    f->task.clip_actions = clip;
    init(f, TB_F64, 1);
}

static double clipped(double a, double low, double high)
{
    return a < low ? low : a > high ? high : a;
}

static void test_clipping_is_outside_the_likelihood(void **state)
{
    (void)state;
    for (int clip = 0; clip < 2; clip++) {
        fixture f;
        init_box(&f, TB_F64, -0.5, 0.75, clip);
        assert_ok(run(&f, 40), &f.error);
        const test_env *e = test_env_of(f.def.instances[1]);
        uint64_t outside = 0;
        for (size_t t = 0; t < 40; t++) {
            const double *a = f.batch.action + 2 * t, *y = f.batch.y_old + 4 * t;
            for (size_t i = 0; i < 2; i++) {
                assert_near(e->actions[t][i], clip ? clipped(a[i], -0.5, 0.75) : a[i], 0);
                outside += a[i] < -0.5 || a[i] > 0.75;
            }
            assert_true(f.batch.log_prob_old[t] ==
                        f.task.head.api->log_prob(&f.task.head, y, a)); // of the unclipped one
        }
        assert_true(outside > 10);
        assert_int_equal(f.sampler.clipped_actions, outside);
        finish(&f);
    }
}

static void test_box_dtypes(void **state)
{
    (void)state;
    const uint32_t dtypes[] = {TB_F32, TB_I32, TB_U8};
    for (size_t k = 0; k < 3; k++) {
        double low = dtypes[k] == TB_U8 ? 0 : -2;
        fixture f;
        init_box(&f, dtypes[k], low, 2, 1);
        assert_ok(run(&f, 40), &f.error);
        const test_env *e = test_env_of(f.def.instances[1]);
        for (size_t t = 0; t < 40; t++)
            for (size_t i = 0; i < 2; i++) {
                double a = clipped(f.batch.action[2 * t + i], low, 2);
                assert_near(e->actions[t][i], dtypes[k] == TB_F32 ? (double)(float)a : rint(a), 0);
            }
        finish(&f);
    }
}

// without clipping, what does not fit into an integer type stays at the type's end
static void test_integers_saturate(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        fixture f;
        init_box(&f, k ? TB_U8 : TB_I32, 0, 1, 0);
        double theta[64];
        size_t n = f.policy.n_params;
        memcpy(theta, f.policy.theta, n * sizeof *theta);
        theta[n - 1] = theta[n - 2] = 40; // log standard deviation
        tb_net_set(&f.policy, theta);
        assert_ok(run(&f, 40), &f.error);
        const test_env *e = test_env_of(f.def.instances[1]);
        for (size_t t = 0; t < 40; t++)
            for (size_t i = 0; i < 2; i++)
                assert_near(e->actions[t][i],
                            f.batch.action[2 * t + i] < 0 ? (k ? 0 : INT32_MIN)
                                                          : (k ? UINT8_MAX : INT32_MAX),
                            0);
        finish(&f);
    }
}

static void test_discrete_start(void **state)
{
    (void)state;
    const struct {
        uint32_t dtype;
        int64_t start;
    } cases[] = {{TB_I32, 0}, {TB_I32, -7}, {TB_I32, 1000}};
    for (size_t k = 0; k < 3; k++) {
        test_env_def def = test_env_default;
        def.action_dtype = cases[k].dtype;
        def.start = cases[k].start;
        fixture f = fresh(def);
        init(&f, TB_F64, 1);
        assert_ok(run(&f, 40), &f.error);
        const test_env *e = test_env_of(f.def.instances[1]);
        int seen[3] = {0};
        for (size_t t = 0; t < 40; t++) {
            double a = f.batch.action[t];
            assert_true(a == 0 || a == 1 || a == 2); // the batch counts from 0
            seen[(int)a]++;
            assert_near(e->actions[t][0], a + (double)cases[k].start, 0);
        }
        assert_true(seen[0] && seen[1] && seen[2]);
        assert_int_equal(f.sampler.clipped_actions, 0);
        finish(&f);
    }
}

static void test_policy_that_is_not_finite(void **state)
{
    (void)state;
    fixture f;
    init_box(&f, TB_F64, -1, 1, 1);
    double theta[64];
    memcpy(theta, f.policy.theta, f.policy.n_params * sizeof *theta);
    theta[f.policy.n_params - 1] = 1000; // e^1000
    tb_net_set(&f.policy, theta);
    assert_int_equal(run(&f, 5), TB_E_NUMERIC);
    assert_message(&f.error, "the policy's action has");
    assert_message(&f.error, "entry 1 in step 1 of episode 0");
    finish(&f);
}

// ---- gSDE ----

enum { gsde_features = 4, gsde_eps = (gsde_features + 1) * 2, gsde_lanes = 11 };

static void init_gsde(fixture *f, uint64_t resample_steps)
{
    test_env_def def = test_env_default;
    def.action_kind = TB_SPACE_BOX;
    def.action_dtype = TB_F64;
    def.n = 2;
    def.terminate_at = 11;
    def.vary = 3;
    *f = fresh(def);
    f->task.gsde_resample_steps = resample_steps;
    prepare(f, TB_F64);
    // the policy of the fixture, again, with features
    tb_net_finish(&f->policy);
    tb_map_spec spec = {.struct_size = sizeof spec,
                        .dtype = TB_F64,
                        .n_in = observation_size,
                        .n_out = 2 + 2 * gsde_features,
                        .n_const_out = 2 * gsde_features,
                        .out_gain = 1};
    const tb_map_api *api;
    tb_map *map;
    const tb_key key = {{1, 0}};
    assert_ok(tb_gsde_create(&test_map_api, test_map_abi(test_map_create(&spec, gsde_features)),
                             &spec, &api, &map, &f->error),
              &f->error);
    spec.n_out = 4;
    assert_ok(tb_net_init(&f->policy, api, map, &spec, &key, &f->error), &f->error);
    f->task.head.n_features = gsde_features;
    assert_ok(start(f, gsde_lanes), &f->error);
    assert_ok(tb_batch_init(&f->batch, gsde_lanes * max_steps, gsde_lanes,
                            observation_size * sizeof(double), 2, 4, &f->error),
              &f->error);
}

// mean + noise of one observation, from a network lane of its own
static void gsde_action(const fixture *f, const double *x, const double *eps, double *a)
{
    tb_net_lane lane;
    tb_error error = {0};
    double y[4];
    assert_ok(tb_net_lane_init(&lane, &f->policy, 1, &error), &error);
    memcpy(lane.x, x, observation_size * sizeof *x);
    assert_ok(tb_net_lane_forward(&lane, 1, y, &error), &error);
    tb_gsde_noise(f->policy.map, lane.ws, 1, 0, eps, a);
    a[0] += y[0];
    a[1] += y[1];
    tb_net_lane_finish(&lane);
}

// every action from its definition, with the noise of the episode's own stream, drawn where it is
// said to be drawn and held in between; over two batches, so over the cut between them
static void test_gsde_noise_is_held_and_redrawn(void **state)
{
    (void)state;
    const uint64_t resample[] = {0, 1, 4};
    for (size_t k = 0; k < 3; k++) {
        fixture f;
        struct {
            tb_rng noise;
            uint64_t episode, length;
            double eps[gsde_eps];
        } twin[gsde_lanes];
        size_t redrawn = 0, ended = 0;
        init_gsde(&f, resample[k]);
        memset(twin, 0, sizeof twin);
        for (size_t batch = 0; batch < 2; batch++) {
            assert_ok(run(&f, 17), &f.error);
            for (size_t row = 0; row < gsde_lanes * 17; row++) {
                const size_t l = row / 17;
                const double *a = f.batch.action + row * 2, *x = f.batch.x;
                double expected[2];
                if (twin[l].length == 0)
                    tb_rng_init(&twin[l].noise,
                                tb_stream_key(42, TB_STREAM_ACTION, l, twin[l].episode));
                int draw = k == 0   ? twin[l].length == 0
                           : k == 1 ? 1
                                    : twin[l].length == 0 || twin[l].length == 4 ||
                                          twin[l].length == 8 || twin[l].length == 12;
                for (size_t i = 0; draw && i < gsde_eps; i++)
                    twin[l].eps[i] = tb_normal_of_uniform(tb_rng_f64(&twin[l].noise));
                redrawn += (size_t)draw;
                gsde_action(&f, x + row * observation_size, twin[l].eps, expected);
                assert_memory_equal(a, expected, sizeof expected);
                assert_true(f.batch.log_prob_old[row] ==
                            f.task.head.api->log_prob(&f.task.head, f.batch.y_old + row * 4, a));
                twin[l].length++;
                if (f.batch.flags[row] & (TB_ROW_TERMINATED | TB_ROW_TRUNCATED)) {
                    twin[l].episode++;
                    twin[l].length = 0;
                    ended++;
                }
            }
        }
        assert_true(ended >= 2 * gsde_lanes);
        assert_true(redrawn >= gsde_lanes + ended - gsde_lanes && redrawn <= 34 * gsde_lanes);
        finish(&f);
    }
}

// standard normals: mean, variance, fourth moment of what a uniform becomes
static void test_normal_of_uniform(void **state)
{
    (void)state;
    enum { n = 200000 };
    double m[5] = {0};
    tb_rng rng = test_rng(21);
    for (size_t i = 0; i < n; i++) {
        double x = tb_normal_of_uniform(tb_rng_f64(&rng));
        for (int p = 1; p < 5; p++)
            m[p] += pow(x, p) / n;
    }
    assert_near(m[1], 0, 4 * sqrt(1.0 / n));
    assert_near(m[2], 1, 4 * sqrt(2.0 / n));
    assert_near(m[3], 0, 4 * sqrt(15.0 / n));
    assert_near(m[4], 3, 4 * sqrt(96.0 / n));
    assert_true(isfinite(tb_normal_of_uniform(0)) && tb_normal_of_uniform(0) < -8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clipping_is_outside_the_likelihood),
        cmocka_unit_test(test_box_dtypes),
        cmocka_unit_test(test_integers_saturate),
        cmocka_unit_test(test_discrete_start),
        cmocka_unit_test(test_policy_that_is_not_finite),
        cmocka_unit_test(test_gsde_noise_is_held_and_redrawn),
        cmocka_unit_test(test_normal_of_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
