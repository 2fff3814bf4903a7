/* SPDX-License-Identifier: MIT */
#include "trpo/theory/solve.h"

#include "tests/trpo/testing.h"

// LAPACK as the oracle: column-major, so it sees A'
void dgesv_(const int *n, const int *n_rhs, double *a, const int *lda, int *pivot, double *b,
            const int *ldb, int *info);

enum { n_max = 60 };

// the solution of A x = b (transposed: A' x = b) by LAPACK
static void oracle(const double *a, const double *b, int n, int transposed, double *x)
{
    static double copy[n_max * n_max];
    int pivot[n_max], one = 1, info;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            copy[i * n + j] = transposed ? a[i * n + j] : a[j * n + i];
    memcpy(x, b, (size_t)n * sizeof *x);
    dgesv_(&n, &one, copy, &n, pivot, x, &n, &info);
    assert_int_equal(info, 0);
}

static void solve(const double *a, const double *b, size_t n, int transposed, double *x)
{
    static double lu[n_max * n_max];
    size_t pivot[n_max];
    tb_error error = {0};
    memcpy(lu, a, n * n * sizeof *lu);
    memcpy(x, b, n * sizeof *x);
    assert_ok(tb_lu_factor(lu, pivot, n, &error), &error);
    if (transposed)
        tb_lu_solve_transposed(lu, pivot, n, x);
    else
        tb_lu_solve(lu, pivot, n, x);
}

static void test_equals_lapack(void **state)
{
    (void)state;
    static double a[n_max * n_max];
    double b[n_max], x[n_max], expected[n_max];
    for (size_t n = 1; n <= n_max; n++)
        for (int transposed = 0; transposed < 2; transposed++) {
            tb_rng rng = test_rng(n);
            test_fill(&rng, a, n * n, 1);
            test_fill(&rng, b, n, 1);
            // rows in disorder: the largest entries far from the diagonal
            for (size_t i = 0; i < n; i++)
                a[i * n + (i * 7 + 3) % n] += 4;
            solve(a, b, n, transposed, x);
            oracle(a, b, (int)n, transposed, expected);
            for (size_t i = 0; i < n; i++)
                assert_near(x[i], expected[i], 1e-11);
        }
}

// without row exchanges: division by 0, and by 1e-20 in the second one
static void test_pivots(void **state)
{
    (void)state;
    const double zero[] = {0, 1, 1, 0}, tiny[] = {1e-20, 1, 1, 1}, b[] = {1, 2};
    double x[2];
    solve(zero, b, 2, 0, x);
    assert_near(x[0], 2, 0);
    assert_near(x[1], 1, 0);
    for (int transposed = 0; transposed < 2; transposed++) {
        solve(tiny, b, 2, transposed, x);
        assert_near(x[0], 1, 1e-15);
        assert_near(x[1], 1, 1e-15);
    }
}

static void test_singular_is_an_error(void **state)
{
    (void)state;
    double a[] = {1, 2, 2, 4}, b[] = {1, NAN, 2, 4};
    size_t pivot[2];
    tb_error error = {0};
    assert_int_equal(tb_lu_factor(a, pivot, 2, &error), TB_E_NUMERIC);
    assert_message(&error, "singular");
    assert_int_equal(tb_lu_factor(b, pivot, 2, &error), TB_E_NUMERIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_lapack),
        cmocka_unit_test(test_pivots),
        cmocka_unit_test(test_singular_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
