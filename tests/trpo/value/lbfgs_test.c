/* SPDX-License-Identifier: MIT */
#include "trpo/value/lbfgs.h"

#include <math.h>

#include "tests/trpo/testing.h"

enum { max_n = 12, max_calls = 400 };

// a function to minimise, and what it was asked
typedef struct problem {
    double (*f)(const struct problem *p, const double *x, double *g);
    size_t n;
    double curvature[max_n]; // of the quadratic
    int fail_at;             // call, from 1; 0 = never
    int calls;
    double x[max_calls][max_n], value[max_calls], g[max_calls][max_n];
} problem;

static tb_status evaluate(void *ctx, const double *theta, double *value, double *gradient,
                          tb_error *error)
{
    problem *p = ctx;
    *value = p->f(p, theta, gradient);
    assert_true(p->calls < max_calls);
    memcpy(p->x[p->calls], theta, p->n * sizeof *theta);
    memcpy(p->g[p->calls], gradient, p->n * sizeof *theta);
    p->value[p->calls++] = *value;
    return p->calls == p->fail_at ? tb_fail(error, TB_E_STATE, "told to fail") : TB_OK;
}

// sum curvature (x - i)^2 / 2
static double quadratic(const problem *p, const double *x, double *g)
{
    double sum = 0;
    for (size_t i = 0; i < p->n; i++) {
        double d = x[i] - (double)i;
        g[i] = p->curvature[i] * d;
        sum += p->curvature[i] * d * d / 2;
    }
    return sum;
}

// Rosenbrock's valley: 0 at (1, 1)
static double rosenbrock(const problem *p, const double *x, double *g)
{
    (void)p;
    double a = 1 - x[0], b = x[1] - x[0] * x[0];
    g[0] = -2 * a - 400 * x[0] * b;
    g[1] = 200 * b;
    return a * a + 100 * b * b;
}

// log cosh: where a full first step would be far too long, and NaN beyond |x| = 3
static double walled(const problem *p, const double *x, double *g)
{
    (void)p;
    g[0] = fabs(x[0]) > 3 ? NAN : 100 * tanh(x[0]);
    return fabs(x[0]) > 3 ? NAN : 100 * log(cosh(x[0]));
}

// its gradient tells it to climb: no step length can help
static double liar(const problem *p, const double *x, double *g)
{
    (void)p;
    g[0] = -2 * x[0];
    return x[0] * x[0];
}

// falls for ever: there is no step that flattens it
static double slide(const problem *p, const double *x, double *g)
{
    (void)p;
    g[0] = -1;
    return -x[0];
}

static tb_status minimize(problem *p, size_t history, int64_t iterations, double *theta,
                          tb_error *error)
{
    tb_lbfgs lbfgs;
    assert_ok(tb_lbfgs_init(&lbfgs, p->n, history, error), error);
    p->calls = 0;
    tb_status status = tb_lbfgs_minimize(&lbfgs, evaluate, p, theta, iterations, error);
    tb_lbfgs_finish(&lbfgs);
    return status;
}

static void test_rosenbrock(void **state)
{
    (void)state;
    const size_t histories[] = {1, 2, 10};
    const int most[] = {300, 120, 70};
    for (size_t h = 0; h < 3; h++) {
        static problem p;
        p = (problem){.f = rosenbrock, .n = 2};
        double x[2] = {-1.2, 1};
        tb_error error = {0};
        assert_ok(minimize(&p, histories[h], 100, x, &error), &error);
        assert_near(x[0], 1, 1e-4);
        assert_near(x[1], 1, 1e-4);
        // gradient descent would need thousands
        assert_true(p.calls < most[h]);
    }
}

// curvatures from 1 to 2048: gradient descent would need some ten thousand steps
static void test_quadratic(void **state)
{
    (void)state;
    static problem p;
    p = (problem){.f = quadratic, .n = max_n};
    double x[max_n] = {0};
    for (size_t i = 0; i < max_n; i++) {
        p.curvature[i] = exp2((double)i);
        x[i] = -3;
    }
    tb_error error = {0};
    assert_ok(minimize(&p, max_n, 120, x, &error), &error);
    for (size_t i = 0; i < max_n; i++)
        assert_near(x[i], (double)i, 1e-2);
    assert_true(p.calls < 150);
}

// the first two directions against the formulas: -g, then BFGS with H_0 = s'y / y'y
// (eq. 7.20, 6.17)
static void test_directions(void **state)
{
    (void)state;
    static problem p;
    p = (problem){.f = quadratic, .n = 2, .curvature = {1, 5}};
    double x[2] = {2, 3};
    tb_error error = {0};
    assert_ok(minimize(&p, 5, 1, x, &error), &error);
    int first = p.calls - 1; // the point after one iteration
    const double *g0 = p.g[0], *x0 = p.x[0];
    double length = hypot(g0[0], g0[1]);
    // the first trial goes a distance of 1, whatever the size of g
    assert_near(p.x[1][0], x0[0] - g0[0] / length, 1e-14);
    assert_near(p.x[1][1], x0[1] - g0[1] / length, 1e-14);
    double s[2], y[2], g1[2] = {p.g[first][0], p.g[first][1]};
    double x1[2] = {p.x[first][0], p.x[first][1]};
    for (int i = 0; i < 2; i++) {
        s[i] = x1[i] - x0[i];
        y[i] = g1[i] - g0[i];
    }
    x[0] = 2;
    x[1] = 3;
    assert_ok(minimize(&p, 5, 2, x, &error), &error);
    double sy = s[0] * y[0] + s[1] * y[1], yy = y[0] * y[0] + y[1] * y[1];
    double rho = 1 / sy, h0 = sy / yy;
    // H = (I - rho s y') H_0 (I - rho y s') + rho s s'
    double sg = s[0] * g1[0] + s[1] * g1[1], q[2], yq = 0;
    for (int i = 0; i < 2; i++)
        q[i] = h0 * (g1[i] - rho * sg * y[i]);
    for (int i = 0; i < 2; i++)
        yq += y[i] * q[i];
    for (int i = 0; i < 2; i++) {
        double direction = -(q[i] - rho * yq * s[i] + rho * sg * s[i]);
        assert_near(p.x[first + 1][i], x1[i] + direction, 1e-12); // a full step is tried first
    }
}

// a history of m is the newest m pairs: the same as a longer one until it is full, then not
static void test_history(void **state)
{
    (void)state;
    static problem a, b;
    tb_error error = {0};
    for (int64_t iterations = 1; iterations <= 6; iterations++) {
        double x[max_n], z[max_n];
        a = b = (problem){.f = quadratic, .n = max_n};
        for (size_t i = 0; i < max_n; i++) {
            a.curvature[i] = b.curvature[i] = 1 + (double)(i * i);
            x[i] = z[i] = -2;
        }
        assert_ok(minimize(&a, 3, iterations, x, &error), &error);
        assert_ok(minimize(&b, 10, iterations, z, &error), &error);
        // iteration k uses k - 1 pairs
        if (iterations <= 4)
            assert_memory_equal(x, z, sizeof x);
        else
            assert_memory_not_equal(x, z, sizeof x);
    }
}

// both conditions hold at every point that is kept, so s'y > 0
static void test_steps_descend(void **state)
{
    (void)state;
    static problem p;
    tb_error error = {0};
    double last = INFINITY, before[2] = {-1.2, 1}, g_before[2];
    rosenbrock(NULL, before, g_before);
    for (int64_t k = 1; k < 20; k++) {
        p = (problem){.f = rosenbrock, .n = 2};
        double x[2] = {-1.2, 1}, g[2];
        assert_ok(minimize(&p, 5, k, x, &error), &error);
        double value = rosenbrock(NULL, x, g), slope = 0, flat = 0;
        for (int i = 0; i < 2; i++) {
            slope += g_before[i] * (x[i] - before[i]);
            flat += g[i] * (x[i] - before[i]);
        }
        assert_true(value < last);
        assert_true(isinf(last) || value <= last + 1e-4 * slope);
        assert_true(flat >= 0.9 * slope);
        memcpy(before, x, sizeof before);
        memcpy(g_before, g, sizeof g);
        last = value;
    }
}

static void test_walls(void **state)
{
    (void)state;
    static problem p;
    p = (problem){.f = walled, .n = 1};
    double x[1] = {2.9};
    tb_error error = {0};
    assert_ok(minimize(&p, 5, 50, x, &error), &error);
    assert_near(x[0], 0, 1e-3);
}

// where there is nothing to gain, theta stays as it was to the last bit
static void test_nothing_to_gain(void **state)
{
    (void)state;
    static problem p;
    tb_error error = {0};
    double x[1] = {0.3};
    p = (problem){.f = liar, .n = 1};
    assert_ok(minimize(&p, 5, 50, x, &error), &error);
    assert_near(x[0], 0.3, 0);
    x[0] = 4; // NaN from the start
    p = (problem){.f = walled, .n = 1};
    assert_ok(minimize(&p, 5, 50, x, &error), &error);
    assert_near(x[0], 4, 0);
    assert_int_equal(p.calls, 1);
    x[0] = 0; // the minimum
    p = (problem){.f = walled, .n = 1};
    assert_ok(minimize(&p, 5, 50, x, &error), &error);
    assert_near(x[0], 0, 0);
    assert_int_equal(p.calls, 1);
    x[0] = 1; // no iterations
    p = (problem){.f = walled, .n = 1};
    assert_ok(minimize(&p, 5, 0, x, &error), &error);
    assert_near(x[0], 1, 0);
}

// a function without a floor: the longest step that was tried is kept, and the search ends
static void test_no_floor(void **state)
{
    (void)state;
    static problem p;
    p = (problem){.f = slide, .n = 1};
    double x[1] = {0};
    tb_error error = {0};
    assert_ok(minimize(&p, 5, 50, x, &error), &error);
    assert_near(x[0], exp2(29), 0);
}

static void test_failures_of_the_function(void **state)
{
    (void)state;
    for (int call = 1; call < 5; call++) {
        static problem p;
        p = (problem){.f = rosenbrock, .n = 2, .fail_at = call};
        double x[2] = {-1.2, 1};
        tb_error error = {0};
        assert_int_equal(minimize(&p, 5, 50, x, &error), TB_E_STATE);
        assert_int_equal(p.calls, call);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rosenbrock),
        cmocka_unit_test(test_quadratic),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_steps_descend),
        cmocka_unit_test(test_walls),
        cmocka_unit_test(test_nothing_to_gain),
        cmocka_unit_test(test_no_floor),
        cmocka_unit_test(test_failures_of_the_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
