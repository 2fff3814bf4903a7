/* SPDX-License-Identifier: MIT */
#include "tests/trpo/update/testing_update.h"

static void init(update_fixture *f, const tb_head *head, uint32_t dtype, size_t rows, uint64_t seed)
{
    update_init(f, head, dtype, rows, seed);
    update_choose(f, "npg");
}

// theta - old = step_size * (F + damping)^-1 g, F and the solution dense
static void test_step_is_the_dense_solution(void **state)
{
    (void)state;
    const tb_head *const heads[] = {&update_categorical, &update_gaussian};
    for (size_t h = 0; h < 2; h++)
        for (uint64_t seed = 1; seed < 4; seed++) {
            update_fixture f;
            tb_error error = {0};
            tb_surrogate at;
            double g[update_max_params], x[update_max_params];
            init(&f, heads[h], TB_F64, 150, seed);
            update_set(&f, "step_size", 0.05);
            update_set(&f, "damping", 0.01);
            update_set(&f, "cg_iterations", 300);
            update_set(&f, "cg_tolerance", 1e-13);
            size_t n = f.policy.net.n_params;
            double *F = tb_alloc(n * n, sizeof *F);
            assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
            assert_ok(tb_policy_gradient(&f.policy, &f.batch, g, &error), &error);
            dense_fisher(&f, F);
            dense_solve(F, 0.01, g, x, n);
            update_run(&f);
            assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
            double expected = 0, tolerance = 1e-9 * dense_norm(x, NULL, n);
            for (size_t i = 0; i < n; i++) {
                assert_near(f.policy.net.theta[i] - f.before[i], 0.05 * x[i], tolerance);
                expected += 0.05 * g[i] * x[i];
            }
            assert_close(f.log.surrogate_expected, expected, 1e-8);
            assert_close(f.log.step_norm, 0.05 * dense_norm(x, NULL, n), 1e-8);
            assert_true(f.log.step_fraction == 1);
            assert_true(f.log.surrogate_after > f.log.surrogate_before);
            assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
            assert_true(at.kl == f.log.kl && at.surrogate == f.log.surrogate_after);
            free(F);
            update_finish(&f);
        }
}

// the entropy is climbed where there are no advantages, by the fixed step along F^-1 of its
// gradient
static void test_entropy_bonus_alone(void **state)
{
    (void)state;
    update_fixture f;
    tb_error error = {0};
    tb_surrogate at;
    double g[update_max_params], x[update_max_params];
    init(&f, &update_categorical, TB_F64, 150, 8);
    update_set(&f, "entropy_coefficient", 0.5);
    update_set(&f, "step_size", 0.05);
    update_set(&f, "cg_iterations", 300);
    update_set(&f, "cg_tolerance", 1e-13);
    memset(f.batch.advantage, 0, 150 * sizeof(double));
    size_t n = f.policy.net.n_params;
    double *F = tb_alloc(n * n, sizeof *F);
    const tb_objective objective = {.entropy_coefficient = 0.5};
    assert_ok(tb_policy_prepare(&f.policy, &objective, 1, &error), &error);
    assert_ok(tb_policy_evaluate(&f.policy, &f.batch, &at, &error), &error);
    assert_ok(tb_policy_gradient(&f.policy, &f.batch, g, &error), &error);
    dense_fisher(&f, F);
    dense_solve(F, 0.1, g, x, n);
    update_run(&f);
    assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
    for (size_t i = 0; i < n; i++)
        assert_near(f.policy.net.theta[i] - f.before[i], 0.05 * x[i],
                    1e-9 * dense_norm(x, NULL, n));
    assert_true(f.log.entropy_after > f.log.entropy);
    assert_true(f.log.surrogate_after == 0);
    assert_close(f.log.improvement_ratio,
                 0.5 * (f.log.entropy_after - f.log.entropy) / f.log.surrogate_expected, 1e-9);
    assert_near(f.log.improvement_ratio, 1, 0.1); // a small step
    free(F);
    update_finish(&f);
}

// both options of the natural gradient reach the solver
static void test_fisher_options(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_gaussian, TB_F32, 150, 9);
    update_set(&f, "fisher_fraction", 0.1);
    update_set(&f, "damping_mode", TB_DAMPING_RELATIVE);
    update_run(&f);
    assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
    assert_int_equal(f.log.fisher_rows, 15);
    assert_true(f.log.damping > 0 && fabs(f.log.damping - 0.1) > 1e-3);
    update_finish(&f);
}

// no trust region: a step that a line search would refuse is taken
static void test_fixed_step_is_always_taken(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_categorical, TB_F64, 100, 5);
    update_set(&f, "step_size", 50);
    update_run(&f);
    assert_int_equal(f.log.update_end, TB_UPDATE_ACCEPTED);
    assert_true(f.log.kl > 0.1);
    update_finish(&f);
}

static void test_step_that_is_not_finite_is_taken_back(void **state)
{
    (void)state;
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        update_fixture f;
        init(&f, &update_gaussian, dtype, 300, 6);
        f.map->skew_forward = (int64_t)tb_net_shards(300) + 1;
        f.map->skew_after_tries = NAN;
        update_run(&f);
        assert_rejected(&f, TB_UPDATE_NON_FINITE);
        update_finish(&f);
    }
    // float parameters that overflow
    update_fixture f;
    init(&f, &update_gaussian, TB_F32, 100, 6);
    update_set(&f, "step_size", 1e6);
    for (size_t i = 0; i < 100; i++)
        f.batch.advantage[i] *= 1e34;
    update_run(&f);
    assert_rejected(&f, TB_UPDATE_NON_FINITE);
    update_finish(&f);
}

static void test_bad_and_zero_advantages(void **state)
{
    (void)state;
    update_fixture f;
    init(&f, &update_gaussian, TB_F64, 100, 7);
    f.batch.advantage[99] = NAN;
    update_run(&f);
    assert_rejected(&f, TB_UPDATE_NON_FINITE);
    update_finish(&f);
    init(&f, &update_gaussian, TB_F64, 100, 7);
    memset(f.batch.advantage, 0, 100 * sizeof(double));
    update_run(&f);
    assert_rejected(&f, TB_UPDATE_ZERO_GRADIENT);
    update_finish(&f);
}

static void fixture_of_failures(update_fixture *f)
{
    init(f, &update_categorical, TB_F64, 60, 10);
}

static void test_every_failing_call_is_an_error(void **state)
{
    (void)state;
    check_every_failure(fixture_of_failures);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_is_the_dense_solution),
        cmocka_unit_test(test_entropy_bonus_alone),
        cmocka_unit_test(test_fisher_options),
        cmocka_unit_test(test_fixed_step_is_always_taken),
        cmocka_unit_test(test_step_that_is_not_finite_is_taken_back),
        cmocka_unit_test(test_bad_and_zero_advantages),
        cmocka_unit_test(test_every_failing_call_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
