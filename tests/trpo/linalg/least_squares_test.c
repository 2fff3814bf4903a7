/* SPDX-License-Identifier: MIT */
#include "trpo/linalg/least_squares.h"

#include <math.h>

#include "tests/trpo/testing.h"

enum { max_n = 8, rows = 50 };

static double phi[rows][max_n], y[rows];

static void fill(uint64_t seed)
{
    tb_rng rng = test_rng(seed);
    test_fill(&rng, &phi[0][0], rows * max_n, 2);
    test_fill(&rng, y, rows, 5);
}

static tb_least_squares fresh(size_t n)
{
    tb_least_squares system;
    tb_error error = {0};
    assert_ok(tb_least_squares_init(&system, n, &error), &error);
    return system;
}

static void solve(tb_least_squares *system, double ridge, double *w)
{
    tb_least_squares_clear(system, ridge);
    for (size_t i = 0; i < rows; i++)
        tb_least_squares_add(system, phi[i], y[i]);
    assert_int_equal(tb_least_squares_solve(system, w), 1);
}

// d/dw of sum (phi'w - y)^2 + ridge |w|^2, halved
static double gradient(size_t n, double ridge, const double *w, size_t k)
{
    long double g = (long double)ridge * w[k];
    for (size_t i = 0; i < rows; i++) {
        long double residual = -(long double)y[i];
        for (size_t j = 0; j < n; j++)
            residual += (long double)phi[i][j] * w[j];
        g += residual * phi[i][k];
    }
    return (double)g;
}

// where the gradient of the sum is 0, as the definition says
static void test_gradient_is_zero(void **state)
{
    (void)state;
    const double ridges[] = {0, 1e-5, 0.5, 100};
    for (size_t n = 1; n <= max_n; n++)
        for (size_t r = 0; r < 4; r++) {
            double w[max_n];
            tb_least_squares system = fresh(n);
            for (uint64_t seed = 0; seed < 3; seed++) { // cleared each time
                fill(seed);
                solve(&system, ridges[r], w);
                for (size_t k = 0; k < n; k++)
                    assert_near(gradient(n, ridges[r], w, k), 0, 1e-10);
                assert_true(system.ridge == ridges[r]);
            }
            tb_least_squares_finish(&system);
        }
}

// by hand: y = 1 + 2 t through (0, 1), (1, 3), (2, 5); and two points with ridge 1
static void test_by_hand(void **state)
{
    (void)state;
    tb_least_squares system = fresh(2);
    double w[2];
    tb_least_squares_clear(&system, 0);
    for (int t = 0; t < 3; t++)
        tb_least_squares_add(&system, (const double[]){1, t}, 1 + 2 * t);
    assert_int_equal(tb_least_squares_solve(&system, w), 1);
    assert_near(w[0], 1, 1e-14);
    assert_near(w[1], 2, 1e-14);
    tb_least_squares_finish(&system);
    system = fresh(1);
    tb_least_squares_clear(&system, 1);
    tb_least_squares_add(&system, (const double[]){1}, 2);
    tb_least_squares_add(&system, (const double[]){2}, 4);
    assert_int_equal(tb_least_squares_solve(&system, w), 1);
    assert_near(w[0], 10.0 / 6, 1e-15); // (2 + 8) / (1 + 4 + 1)
    tb_least_squares_finish(&system);
}

// polynomials up to t^7 on [0, 1]: the normal equations have a condition number of 1e20
static void test_ill_conditioned(void **state)
{
    (void)state;
    double w[max_n];
    const double wanted[max_n] = {1, -2, 3, -4, 5, -6, 7, -8};
    for (size_t i = 0; i < rows; i++) {
        double t = (double)i / (rows - 1), power = 1;
        y[i] = 0;
        for (size_t k = 0; k < max_n; k++) {
            phi[i][k] = power;
            y[i] += wanted[k] * power;
            power *= t / 8; // t^7 / 2^21 beside 1
        }
    }
    tb_least_squares system = fresh(max_n);
    solve(&system, 0, w);
    for (size_t k = 0; k < max_n; k++)
        assert_near(w[k], wanted[k], 1e-3 * fabs(wanted[k]));
    tb_least_squares_finish(&system);
}

// the same feature twice: the ridge grows, and both share the weight
static void test_singular(void **state)
{
    (void)state;
    double w[3];
    fill(4);
    for (size_t i = 0; i < rows; i++) {
        phi[i][1] = phi[i][0];
        phi[i][2] = 0; // never there
        y[i] = 6 * phi[i][0];
    }
    tb_least_squares system = fresh(3);
    solve(&system, 0, w);
    assert_true(system.ridge > 0 && system.ridge < 1e-9);
    assert_near(w[0], 3, 1e-3);
    assert_near(w[1], 3, 1e-3);
    assert_near(w[0] + w[1], 6, 1e-9);
    assert_near(w[2], 0, 0);
    // no rows at all
    tb_least_squares_clear(&system, 0);
    assert_int_equal(tb_least_squares_solve(&system, w), 1);
    assert_true(w[0] == 0 && w[1] == 0 && w[2] == 0);
    tb_least_squares_finish(&system);
}

// numbers whose squares underflow, twice the same feature: the ridge that tells them apart is found
static void test_tiny(void **state)
{
    (void)state;
    double w[2];
    tb_least_squares system = fresh(2);
    for (double scale = 1e-150; scale > 0; scale *= 1e-30) {
        tb_least_squares_clear(&system, 0);
        for (int i = 0; i < 3; i++)
            tb_least_squares_add(&system, (const double[]){scale, scale}, scale);
        assert_int_equal(tb_least_squares_solve(&system, w), 1);
        assert_true(system.ridge > 0);
        assert_true(fabs(w[0] + w[1]) <= 1 + 1e-9);
    }
    tb_least_squares_finish(&system);
}

static void test_not_finite(void **state)
{
    (void)state;
    const double bad[] = {NAN, INFINITY};
    for (int i = 0; i < 4; i++) {
        tb_least_squares system = fresh(2);
        double w[2] = {7, 8};
        tb_least_squares_clear(&system, 1);
        tb_least_squares_add(&system, (const double[]){1, i < 2 ? bad[i] : 2},
                             i < 2 ? 3 : bad[i - 2]);
        assert_int_equal(tb_least_squares_solve(&system, w), 0);
        assert_true(w[0] == 7 && w[1] == 8);
        tb_least_squares_finish(&system);
    }
}

static void test_too_large(void **state)
{
    (void)state;
    tb_least_squares system;
    tb_error error = {0};
    assert_int_equal(tb_least_squares_init(&system, SIZE_MAX / 16, &error), TB_E_NOMEM);
    assert_message(&error, "no memory for a linear fit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient_is_zero),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_ill_conditioned),
        cmocka_unit_test(test_singular),
        cmocka_unit_test(test_tiny),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
