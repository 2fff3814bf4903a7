/* SPDX-License-Identifier: MIT */
#include "tests/trpo/update/testing_update.h"
#include "trpo/value/adam.h"

static void init(update_fixture *f, const tb_head *head, uint32_t dtype, size_t rows, uint64_t seed)
{
    update_init(f, head, dtype, rows, seed);
    update_choose(f, "vpg");
}

// three updates on fresh batches against Adam on -g by hand: uphill, with moments that live on
static void check_adam(double entropy_coefficient)
{
    update_fixture f;
    const tb_objective objective = {.entropy_coefficient = entropy_coefficient};
    tb_error error = {0};
    tb_surrogate at;
    double g[update_max_params], theta[update_max_params], adam[2 * update_max_params + 1] = {0};
    init(&f, &update_gaussian, TB_F64, 200, 1);
    update_set(&f, "learning_rate", 0.003);
    update_set(&f, "entropy_coefficient", entropy_coefficient);
    assert_ok(tb_policy_prepare(&f.policy, &objective, 1, &error), &error);
    size_t n = f.policy.net.n_params;
    memcpy(theta, f.before, sizeof theta);
    for (uint64_t step = 0; step < 3; step++) {
        update_sample(&f, 200, 50 + step);
        assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
        assert_ok(tb_policy_gradient(&f.policy, &f.batch, g, &error), &error);
        double old[update_max_params], expected = 0;
        memcpy(old, theta, sizeof old);
        for (size_t i = 0; i < n; i++)
            g[i] = -g[i];
        tb_adam_step(theta, g, adam, n, 0.003);
        for (size_t i = 0; i < n; i++)
            expected -= g[i] * (theta[i] - old[i]);
        update_run(&f);
        assert_memory_equal(f.policy.net.theta, theta, n * sizeof *theta);
        assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
        assert_close(f.log.step_norm, dense_norm(theta, old, n), 1e-12);
        assert_close(f.log.surrogate_expected, expected, 1e-12);
        assert_close(f.log.gradient_norm, dense_norm(g, NULL, n), 1e-14);
        assert_true(f.log.kl > 0);
        double improvement = f.log.surrogate_after - f.log.surrogate_before +
                             entropy_coefficient * (f.log.entropy_after - f.log.entropy);
        assert_close(f.log.improvement_ratio, improvement / expected, 1e-9);
        if (step == 0)
            assert_true(improvement > 0);
        assert_true(isnan(f.log.damping) && f.log.fisher_rows == 0);
    }
    update_finish(&f);
}

static void test_equals_adam(void **state)
{
    (void)state;
    check_adam(0);
}

static void test_entropy_bonus_equals_adam(void **state)
{
    (void)state;
    check_adam(0.5);
}

static void test_rate_of_zero_moves_nothing(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_categorical, TB_F32, 100, 2);
    update_set(&f, "learning_rate", 0);
    update_run(&f);
    assert_parameters_kept(&f);
    assert_true(f.log.kl == 0);
    assert_int_equal(f.log.updates_rejected, 0);
    update_finish(&f);
}

// Adam's moments would never recover from a NaN
static void test_bad_advantages_do_not_reach_adam(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_categorical, TB_F64, 300, 3);
    update_run(&f);
    size_t n = f.policy.net.n_params, bytes = tb_adam_state_count(n) * sizeof(double);
    double *copy = tb_alloc(bytes, 1);
    memcpy(copy, f.state, bytes);
    memcpy(f.before, f.policy.net.theta, n * sizeof(double));
    update_sample(&f, 300, 4);
    f.batch.advantage[5] = NAN;
    update_run(&f);
    assert_rejected(&f, TB_UPDATE_NON_FINITE);
    assert_memory_equal(copy, f.state, bytes);
    free(copy);
    update_finish(&f);
}

static void test_step_that_is_not_finite_is_taken_back(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_gaussian, TB_F64, 300, 5);
    f.map->skew_forward = (int64_t)tb_net_shards(300) + 1;
    f.map->skew_after_tries = INFINITY;
    update_run(&f);
    assert_rejected(&f, TB_UPDATE_NON_FINITE);
    update_finish(&f);
}

static void fixture_of_failures(update_fixture *f)
{
    init(f, &update_gaussian, TB_F64, 60, 6);
}

static void test_every_failing_call_is_an_error(void **state)
{
    (void)state;
    check_every_failure(fixture_of_failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_adam),
        cmocka_unit_test(test_entropy_bonus_equals_adam),
        cmocka_unit_test(test_rate_of_zero_moves_nothing),
        cmocka_unit_test(test_bad_advantages_do_not_reach_adam),
        cmocka_unit_test(test_step_that_is_not_finite_is_taken_back),
        cmocka_unit_test(test_every_failing_call_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
