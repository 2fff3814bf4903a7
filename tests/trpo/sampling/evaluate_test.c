/* SPDX-License-Identifier: MIT */
#include "tests/trpo/sampling/testing_sampler.h"

static void test_evaluate(void **state)
{
    (void)state;
    int threads_before = omp_get_max_threads();
    for (int threads = 1; threads <= 4; threads++) {
        omp_set_num_threads(threads);
        test_env_def def = test_env_default;
        def.vary = 3;
        def.slope = 0.5;
        fixture f = fresh(def);
        init(&f, TB_F64, 1);
        // trap 20: the policy knows scaled observations only
        f.scaler.shift[0] = 0.5;
        f.scaler.scale[0] = 6;
        f.scaler.shift[1] = 2;
        f.scaler.scale[1] = 0.5;
        size_t scaling_matters = 0;
        tb_lane lanes[3];
        tb_net_lane nets[3];
        for (size_t i = 0; i < 3; i++) {
            assert_ok(tb_lane_init(&lanes[i], &f.task, &f.error), &f.error);
            assert_ok(tb_net_lane_init(&nets[i], &f.policy, 1, &f.error), &f.error);
        }
        tb_episode out[10];
        assert_ok(
            tb_evaluate(&f.task, lanes, nets, 3, &f.scaler, TB_STREAM_EVAL, 77, 10, out, &f.error),
            &f.error);
        for (size_t k = 0; k < 10; k++) {
            // the mode of the policy at each state
            tb_key key = tb_stream_key(42, TB_STREAM_EVAL, 0, k);
            uint64_t length = test_env_length(&def, &key, def.terminate_at);
            double sum = 0;
            for (uint64_t t = 0; t < length; t++) {
                double x[observation_size] = {test_env_tag(&key), (double)t}, y[3], a, unscaled;
                forward(&f.policy, x, y);
                f.task.head.api->mode(&f.task.head, y, &unscaled);
                tb_scaler_apply(&f.scaler, x);
                forward(&f.policy, x, y);
                f.task.head.api->mode(&f.task.head, y, &a);
                scaling_matters += a != unscaled;
                sum += 0.5 * (double)(t + 1) + (a == 1);
            }
            assert_int_equal(out[k].index, k);
            assert_int_equal(out[k].lane, 0);
            assert_int_equal(out[k].step, 77);
            assert_int_equal(out[k].length, length);
            assert_near(out[k].reward_sum, sum, 0);
        }
        assert_true(scaling_matters > 0);
        // of many failures the first lane's is told
        f.def.fail_step_at = 2;
        assert_int_equal(
            tb_evaluate(&f.task, lanes, nets, 3, &f.scaler, TB_STREAM_EVAL, 77, 10, out, &f.error),
            TB_E_NUMERIC);
        assert_message(&f.error, "in step 2 of its episode 0");
        for (size_t i = 0; i < 3; i++) {
            tb_lane_finish(&lanes[i]);
            tb_net_lane_finish(&nets[i]);
        }
        finish(&f);
    }
    omp_set_num_threads(threads_before);
}

// the actions of one uniform episode; [*n][2]
static const test_env *play_uniformly(fixture *f, test_env_def def, uint64_t *n)
{
    const tb_play uniform = {.actions = TB_PLAY_UNIFORM};
    tb_episode out;
    tb_lane lane;
    *f = fresh(def);
    prepare(f, TB_F64);
    assert_ok(tb_lane_init(&lane, &f->task, &f->error), &f->error);
    const test_env *e = test_env_of(lane.env);
    // no network is asked
    assert_ok(tb_play_episode(&f->task, &lane, NULL, NULL, TB_STREAM_EVAL_FINAL, 0, 3, &uniform,
                              &out, &f->error),
              &f->error);
    *n = out.length;
    assert_int_equal(out.index, 3);
    static test_env kept;
    kept = *e;
    tb_lane_finish(&lane);
    finish(f);
    return &kept;
}

static void test_uniform_actions(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind, dtype;
        double low, high; // of the space; in [low, high) or, of integers, low to high
        double mean;
    } rows[] = {{TB_SPACE_BOX, TB_F64, -2, 6, 2},
                {TB_SPACE_BOX, TB_F64, -INFINITY, INFINITY, 0},
                {TB_SPACE_DISCRETE, TB_I32, 0, 2, 1},
                {TB_SPACE_MULTI_BINARY, TB_U8, 0, 1, 0.5}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        test_env_def def = test_env_default;
        def.action_kind = rows[k].kind;
        def.action_dtype = rows[k].dtype;
        def.low = rows[k].low;
        def.high = rows[k].high;
        def.n = 3;
        def.start = 0;
        def.terminate_at = 200;
        def.vary = 0;
        fixture f;
        uint64_t n;
        const test_env *e = play_uniformly(&f, def, &n);
        assert_int_equal(n, 200);
        double sum = 0, least = INFINITY, most = -INFINITY;
        n = n < test_env_records ? n : test_env_records;
        for (uint64_t t = 0; t < n; t++) {
            sum += e->actions[t][0];
            least = fmin(least, e->actions[t][0]);
            most = fmax(most, e->actions[t][0]);
        }
        assert_true(least >= rows[k].low && most <= rows[k].high);
        assert_true(most > least);
        assert_near(sum / (double)n, rows[k].mean, isfinite(rows[k].high) ? 1 : 0.5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluate),
        cmocka_unit_test(test_uniform_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
