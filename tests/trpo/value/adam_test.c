/* SPDX-License-Identifier: MIT */
#include "trpo/value/adam.h"

#include "tests/trpo/testing.h"

enum { n = 3, steps = 20 };

// Kingma & Ba 2015, algorithm 1, in extended precision and with powers instead of running products
static void reference(const double g[steps][n], int upto, double rate, const double *start,
                      long double *theta)
{
    for (size_t i = 0; i < n; i++) {
        long double m = 0, v = 0;
        theta[i] = start[i];
        for (int t = 1; t <= upto; t++) {
            m = 0.9L * m + 0.1L * g[t - 1][i];
            v = 0.999L * v + 0.001L * g[t - 1][i] * g[t - 1][i];
            long double m_hat = m / (1 - powl(0.9L, t)), v_hat = v / (1 - powl(0.999L, t));
            theta[i] -= rate * m_hat / (sqrtl(v_hat) + 1e-8L);
        }
    }
}

static void test_steps(void **state)
{
    (void)state;
    double g[steps][n], theta[n] = {1, -2, 0.5}, adam[2 * n + 1] = {0};
    const double start[n] = {1, -2, 0.5};
    long double expected[n];
    tb_rng rng = test_rng(1);
    test_fill(&rng, &g[0][0], steps * n, 1);
    for (int t = 0; t < steps; t++) {
        g[t][2] *= 1e-6; // where epsilon matters
        tb_adam_step(theta, g[t], adam, n, 0.01);
        reference(g, t + 1, 0.01, start, expected);
        for (size_t i = 0; i < n; i++)
            assert_near(theta[i], (double)expected[i], 1e-14);
    }
    assert_true(adam[2 * n] == steps);
}

// by hand: the first step is rate * sign(g) whatever the size of g, downhill
static void test_first_step(void **state)
{
    (void)state;
    double theta[n] = {0, 0, 0}, adam[2 * n + 1] = {0};
    const double g[n] = {5, -1e-3, 0};
    tb_adam_step(theta, g, adam, n, 0.1);
    assert_near(theta[0], -0.1, 1e-9);
    assert_near(theta[1], 0.1, 1e-5 * 0.1 * 1.1);
    assert_true(theta[2] == 0);
}

// by hand: gradients 1 then 3. m = 0.39, v = 0.009999; corrected 0.39 / 0.19 and 0.009999 /
// 0.001999
static void test_second_step(void **state)
{
    (void)state;
    double theta = 0, adam[3] = {0}, g = 1;
    tb_adam_step(&theta, &g, adam, 1, 1);
    double first = theta;
    g = 3;
    tb_adam_step(&theta, &g, adam, 1, 1);
    assert_near(adam[0], 0.39, 1e-15);
    assert_near(adam[1], 0.009999, 1e-15);
    assert_near(theta - first, -(0.39 / 0.19) / (sqrt(0.009999 / 0.001999) + 1e-8), 1e-12);
}

static void test_state_count(void **state)
{
    (void)state;
    assert_int_equal(tb_adam_state_count(10), 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_first_step),
        cmocka_unit_test(test_second_step),
        cmocka_unit_test(test_state_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
