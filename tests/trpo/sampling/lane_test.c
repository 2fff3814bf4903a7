/* SPDX-License-Identifier: MIT */
#include "tests/trpo/sampling/testing_sampler.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clipping_is_outside_the_likelihood),
        cmocka_unit_test(test_box_dtypes),
        cmocka_unit_test(test_integers_saturate),
        cmocka_unit_test(test_discrete_start),
        cmocka_unit_test(test_policy_that_is_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
