/* SPDX-License-Identifier: MIT */
#include "trpo/search/cg.h"

#include "tests/trpo/testing.h"

enum { n = 6 };

typedef struct matrix {
    double a[n][n];
    int nan_at;  // product (from 1) that returns NaN; 0 = none
    int fail_at; // product that fails
    int calls;
} matrix;

static void multiply(const matrix *m, const double *v, double *fv)
{
    for (size_t i = 0; i < n; i++) {
        fv[i] = 0;
        for (size_t k = 0; k < n; k++)
            fv[i] += m->a[i][k] * v[k];
    }
}

static tb_status product(void *ctx, const double *v, double *fv, tb_error *error)
{
    matrix *m = ctx;
    if (++m->calls == m->fail_at)
        return tb_fail(error, TB_E_NUMERIC, "no product");
    multiply(m, v, fv);
    if (m->calls == m->nan_at)
        fv[2] = NAN;
    return TB_OK;
}

// B'B + I/2: symmetric, positive definite
static matrix definite(uint64_t seed)
{
    matrix m = {0};
    double b[n][n];
    tb_rng rng = test_rng(seed);
    test_fill(&rng, &b[0][0], n * n, 1);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            m.a[i][j] = i == j ? 0.5 : 0;
            for (size_t k = 0; k < n; k++)
                m.a[i][j] += b[k][i] * b[k][j];
        }
    return m;
}

static double norm(const double *v)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i] * v[i];
    return sqrt(sum);
}

// |b - F x| / |b| by a product of its own
static double true_residual(const matrix *m, const double *b, const double *x)
{
    double r[n];
    multiply(m, x, r);
    for (size_t i = 0; i < n; i++)
        r[i] = b[i] - r[i];
    return norm(r) / norm(b);
}

static tb_cg_result solve(matrix *m, const double *b, double *x, int64_t iterations,
                          double tolerance)
{
    double work[3 * n];
    tb_cg_result result;
    tb_error error = {0};
    // x must not need to be cleared by the caller
    for (size_t i = 0; i < n; i++)
        x[i] = NAN;
    tb_status status =
        tb_cg_solve(product, m, b, x, work, n, iterations, tolerance, &result, &error);
    assert_ok(status, &error);
    return result;
}

// the trap where p and r share memory leaves a residual of order 1 here
static void test_solves_exactly_in_n_steps(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        matrix m = definite(seed);
        double b[n], x[n];
        tb_rng rng = test_rng(100 + seed);
        test_fill(&rng, b, n, 1);
        tb_cg_result result = solve(&m, b, x, n, 1e-10);
        assert_int_equal(result.end, TB_CG_CONVERGED);
        assert_true(result.iterations <= n);
        assert_int_equal(result.iterations, m.calls);
        assert_true(true_residual(&m, b, x) < 1e-10);
    }
}

static void test_rhs_is_left_alone(void **state)
{
    (void)state;
    matrix m = definite(1);
    double b[n] = {1, 2, 3, 4, 5, 6}, copy[n], x[n];
    memcpy(copy, b, sizeof b);
    solve(&m, b, x, 4, 1e-10);
    assert_memory_equal(b, copy, sizeof b);
}

static void test_residual_is_the_true_one(void **state)
{
    (void)state;
    matrix m = definite(2);
    double b[n] = {1, -2, 3, 1, 0, 2}, x[n], before = 10;
    for (int64_t iterations = 1; iterations <= 4; iterations++) {
        tb_cg_result result = solve(&m, b, x, iterations, 0);
        assert_int_equal(result.end, TB_CG_MAX_ITERATIONS);
        assert_int_equal(result.iterations, iterations);
        assert_close(result.residual, true_residual(&m, b, x), 1e-10);
        assert_true(result.residual != before);
        before = result.residual;
    }
}

// an absolute tolerance would stop at once for a small b and never for a large one
static void test_tolerance_is_relative(void **state)
{
    (void)state;
    double b[n] = {3, -1, 2, 0.5, 1, -2}, scaled[n], x[n], y[n];
    matrix m = definite(3);
    tb_cg_result result = solve(&m, b, x, 100, 0.05);
    assert_int_equal(result.end, TB_CG_CONVERGED);
    assert_true(result.residual <= 0.05);
    assert_in_range(result.iterations, 2, n - 1);
    // powers of two: every number scales exactly
    for (int e = -200; e <= 200; e += 100) {
        for (size_t i = 0; i < n; i++)
            scaled[i] = ldexp(b[i], e);
        tb_cg_result other = solve(&m, scaled, y, 100, 0.05);
        assert_int_equal(other.end, TB_CG_CONVERGED);
        assert_int_equal(other.iterations, result.iterations);
        assert_true(other.residual == result.residual);
        for (size_t i = 0; i < n; i++)
            assert_true(y[i] == ldexp(x[i], e));
    }
}

static void test_stops_at_the_first_iterate_within_tolerance(void **state)
{
    (void)state;
    double b[n] = {3, -1, 2, 0.5, 1, -2}, x[n];
    matrix m = definite(3);
    tb_cg_result result = solve(&m, b, x, 100, 0.05);
    tb_cg_result before = solve(&m, b, x, result.iterations - 1, 0.05);
    assert_int_equal(before.end, TB_CG_MAX_ITERATIONS);
    assert_true(before.residual > 0.05);
}

static void test_zero_rhs(void **state)
{
    (void)state;
    matrix m = definite(4);
    double b[n] = {0}, x[n];
    tb_cg_result result = solve(&m, b, x, 10, 1e-10);
    assert_int_equal(result.end, TB_CG_ZERO_RHS);
    assert_int_equal(m.calls, 0);
    assert_true(result.residual == 0);
    for (size_t i = 0; i < n; i++)
        assert_true(x[i] == 0);
}

static void test_identity_takes_one_step(void **state)
{
    (void)state;
    matrix m = {0};
    for (size_t i = 0; i < n; i++)
        m.a[i][i] = 1;
    double b[n] = {1, 2, 3, 4, 5, 6}, x[n];
    tb_cg_result result = solve(&m, b, x, 10, 1e-10);
    assert_int_equal(result.iterations, 1);
    assert_memory_equal(x, b, sizeof b);
}

// curvature 0 and below: the iterate before stays
static void test_negative_curvature(void **state)
{
    (void)state;
    matrix m = {0};
    for (size_t i = 0; i < n; i++)
        m.a[i][i] = -1;
    double b[n] = {1, 0, 0, 0, 0, 0}, x[n];
    tb_cg_result result = solve(&m, b, x, 10, 1e-10);
    assert_int_equal(result.end, TB_CG_NEGATIVE_CURVATURE);
    assert_int_equal(result.iterations, 1);
    assert_true(norm(x) == 0);

    memset(m.a, 0, sizeof m.a);
    result = solve(&m, b, x, 10, 1e-10);
    assert_int_equal(result.end, TB_CG_NEGATIVE_CURVATURE);
    assert_true(norm(x) == 0);

    // positive along b, negative along the second direction
    m.a[0][0] = 2;
    m.a[1][1] = -1;
    double mixed[n] = {1, 0.5, 0, 0, 0, 0}, first[n];
    result = solve(&m, mixed, x, 10, 1e-10);
    assert_int_equal(result.end, TB_CG_NEGATIVE_CURVATURE);
    assert_int_equal(result.iterations, 2);
    solve(&m, mixed, first, 1, 1e-10);
    assert_memory_equal(x, first, sizeof x);
    assert_close(result.residual, true_residual(&m, mixed, x), 1e-12);
}

static void test_nan_in_a_product(void **state)
{
    (void)state;
    double b[n] = {1, 2, 3, 4, 5, 6}, x[n], two[n];
    matrix m = definite(5);
    solve(&m, b, two, 2, 0);
    m.calls = 0;
    m.nan_at = 3;
    tb_cg_result result = solve(&m, b, x, 10, 0);
    assert_int_equal(result.end, TB_CG_NON_FINITE);
    assert_int_equal(result.iterations, 3);
    assert_memory_equal(x, two, sizeof x);
}

static void test_nan_and_infinity_in_the_rhs(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < 3; k++) {
        matrix m = definite(6);
        double b[n] = {1, bad[k], 0, 0, 0, 0}, x[n];
        tb_cg_result result = solve(&m, b, x, 10, 1e-10);
        assert_int_equal(result.end, TB_CG_NON_FINITE);
        assert_int_equal(m.calls, 0);
        assert_true(norm(x) == 0);
    }
}

static void test_failing_product_is_handed_on(void **state)
{
    (void)state;
    matrix m = definite(7);
    m.fail_at = 2;
    double b[n] = {1, 2, 3, 4, 5, 6}, x[n], work[3 * n];
    tb_cg_result result;
    tb_error error = {0};
    assert_int_equal(tb_cg_solve(product, &m, b, x, work, n, 10, 0, &result, &error), TB_E_NUMERIC);
    assert_string_equal(error.message, "no product");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_solves_exactly_in_n_steps),
        cmocka_unit_test(test_rhs_is_left_alone),
        cmocka_unit_test(test_residual_is_the_true_one),
        cmocka_unit_test(test_tolerance_is_relative),
        cmocka_unit_test(test_stops_at_the_first_iterate_within_tolerance),
        cmocka_unit_test(test_zero_rhs),
        cmocka_unit_test(test_identity_takes_one_step),
        cmocka_unit_test(test_negative_curvature),
        cmocka_unit_test(test_nan_in_a_product),
        cmocka_unit_test(test_nan_and_infinity_in_the_rhs),
        cmocka_unit_test(test_failing_product_is_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
