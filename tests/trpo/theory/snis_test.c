/* SPDX-License-Identifier: MIT */
#include "trpo/theory/snis.h"

#include "tests/trpo/theory/testing_mdp.h"
#include "trpo/linalg/vec.h"

enum { max_n = 5 };

typedef struct problem {
    size_t n;
    double pi[max_n], q[max_n], value[max_n];
} problem;

static problem make(uint64_t seed, size_t actions, double distance)
{
    problem x = {.n = actions};
    tb_rng rng = test_rng(seed);
    for (size_t a = 0; a < actions; a++) {
        double theta = tb_rng_uniform(&rng, -1, 1);
        x.pi[a] = exp(theta);
        x.q[a] = exp(theta + tb_rng_uniform(&rng, -distance, distance));
        x.value[a] = tb_rng_uniform(&rng, -2, 3);
    }
    mdp_normalise(x.pi, actions);
    mdp_normalise(x.q, actions);
    return x;
}

static tb_snis_def define(const problem *x, size_t k)
{
    return (tb_snis_def){x->n, k, x->pi, x->q, x->value};
}

// L and dL/dtheta of one tuple, from the definition of the quotient and the product rule
static double estimate(const problem *x, const size_t *tuple, size_t k, double *gradient)
{
    double top = 0, bottom = 0, d_top[max_n] = {0}, d_bottom[max_n] = {0};
    for (size_t i = 0; i < k; i++) {
        size_t a = tuple[i];
        double w = x->pi[a] / x->q[a];
        top += w * x->value[a];
        bottom += w;
        for (size_t b = 0; b < x->n; b++) {
            double dw = w * ((a == b) - x->pi[b]);
            d_top[b] += dw * x->value[a];
            d_bottom[b] += dw;
        }
    }
    for (size_t b = 0; b < x->n; b++)
        gradient[b] = (d_top[b] * bottom - top * d_bottom[b]) / (bottom * bottom);
    return top / bottom;
}

// all n^K ordered tuples
static void test_equals_the_sum_over_tuples(void **state)
{
    (void)state;
    for (size_t k = 1; k <= 5; k++) {
        problem x = make(k, 4, 1);
        double mean = 0, square = 0, g[max_n], g_mean[max_n] = {0}, g_square[max_n] = {0};
        size_t tuples = (size_t)pow(4, (double)k);
        for (size_t t = 0; t < tuples; t++) {
            size_t tuple[5];
            double probability = 1;
            for (size_t i = 0, rest = t; i < k; i++, rest /= 4) {
                tuple[i] = rest % 4;
                probability *= x.q[tuple[i]];
            }
            double value = estimate(&x, tuple, k, g);
            mean += probability * value;
            square += probability * value * value;
            for (size_t b = 0; b < 4; b++) {
                g_mean[b] += probability * g[b];
                g_square[b] += probability * g[b] * g[b];
            }
        }
        double gradient[max_n], variance[max_n];
        tb_snis out = {.gradient = gradient, .gradient_variance = variance};
        tb_snis_def def = define(&x, k);
        assert_int_equal(tb_snis_expectation(&def, &out, NULL), TB_OK);
        assert_near(out.mean, mean, 1e-13);
        assert_near(out.variance, square - mean * mean, 1e-12);
        for (size_t b = 0; b < 4; b++) {
            assert_near(gradient[b], g_mean[b], 1e-13);
            assert_near(variance[b], g_square[b] - g_mean[b] * g_mean[b], 1e-12);
        }
    }
}

// q = pi: the value is unbiased, the gradient is (K - 1) / K of the exact one
static void test_own_policy(void **state)
{
    (void)state;
    for (size_t k = 1; k <= 20; k++) {
        problem x = make(k + 10, 4, 0);
        double gradient[max_n], mu = tb_vec_dot(x.pi, x.value, 4);
        tb_snis out = {.gradient = gradient};
        tb_snis_def def = define(&x, k);
        assert_int_equal(tb_snis_expectation(&def, &out, NULL), TB_OK);
        assert_near(out.mean, mu, 1e-12);
        for (size_t b = 0; b < 4; b++)
            assert_near(gradient[b], (double)(k - 1) / (double)k * x.pi[b] * (x.value[b] - mu),
                        1e-13);
    }
}

// q != pi: the gradient of the expectation is the expectation of the gradient
static void test_gradient_is_that_of_the_mean(void **state)
{
    (void)state;
    problem x = make(3, 3, 1.5);
    double gradient[max_n], other[max_n], h = 1e-5;
    tb_snis out = {.gradient = gradient}, moved = {.gradient = other};
    tb_snis_def def = define(&x, 6);
    assert_int_equal(tb_snis_expectation(&def, &out, NULL), TB_OK);
    for (size_t b = 0; b < 3; b++) {
        double mean[2];
        for (int k = 0; k < 2; k++) {
            problem y = x;
            y.pi[b] *= exp(k == 0 ? -h : h);
            mdp_normalise(y.pi, 3);
            tb_snis_def at = define(&y, 6);
            assert_int_equal(tb_snis_expectation(&at, &moved, NULL), TB_OK);
            mean[k] = moved.mean;
        }
        assert_near(gradient[b], (mean[1] - mean[0]) / (2 * h), 1e-9);
    }
}

// limit + slope / K: what is left falls with K^-2
static void test_first_order(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        problem x = make(seed, 3, 1);
        double g[max_n], g_limit[max_n], g_slope[max_n], rest[2] = {0}, bias = 0;
        tb_snis out = {.gradient = g}, limit = {.gradient = g_limit}, slope = {.gradient = g_slope};
        for (int i = 0; i < 2; i++) {
            size_t k = i == 0 ? 60 : 240;
            tb_snis_def def = define(&x, k);
            assert_int_equal(tb_snis_expectation(&def, &out, NULL), TB_OK);
            assert_int_equal(tb_snis_first_order(&def, &limit, &slope, NULL), TB_OK);
            rest[i] = fabs(out.mean - limit.mean - slope.mean / (double)k);
            bias = fabs(out.mean - limit.mean);
            for (size_t b = 0; b < 3; b++) {
                rest[i] = fmax(rest[i], fabs(g[b] - g_limit[b] - g_slope[b] / (double)k));
                bias = fmax(bias, fabs(g[b] - g_limit[b]));
            }
        }
        double ratio = rest[0] / rest[1];
        if (!(ratio > 12 && ratio < 20))
            fail_msg("the rest falls by %g from K = 60 to 240, not by 16", ratio);
        assert_true(rest[1] < 0.1 * bias);
    }
}

// plain weights over K with the mean of the K values as baseline: (K - 1) / K whatever q is, since
// a weighted score has mean 0 and an action's own value is one of the K in its baseline
static void test_mean_baseline(void **state)
{
    (void)state;
    for (size_t k = 1; k <= 8; k++) {
        problem x = make(k + 40, 4, 1);
        double mu = tb_vec_dot(x.pi, x.value, 4), sum[max_n] = {0};
        tb_draws draws;
        tb_draws_first(&draws, x.q, 4, k);
        do {
            double mean = 0, weighted[max_n], all = 0;
            for (size_t a = 0; a < 4; a++)
                mean += (double)draws.count[a] * x.value[a] / (double)k;
            for (size_t a = 0; a < 4; a++)
                all += weighted[a] =
                    (double)draws.count[a] / (double)k * x.pi[a] / x.q[a] * (x.value[a] - mean);
            for (size_t b = 0; b < 4; b++)
                sum[b] += draws.probability * (weighted[b] - x.pi[b] * all);
        } while (tb_draws_next(&draws));
        for (size_t b = 0; b < 4; b++)
            assert_near(sum[b], (double)(k - 1) / (double)k * x.pi[b] * (x.value[b] - mu), 1e-13);
    }
}

// counts add up, their probabilities to 1, and there are C(K + n - 1, n - 1) of them
static void test_draws(void **state)
{
    (void)state;
    const double q[] = {0.1, 0.2, 0.3, 0.4};
    tb_draws draws;
    tb_draws_first(&draws, q, 4, 7);
    size_t ways = 0;
    double sum = 0, mean[4] = {0};
    do {
        uint64_t total = 0;
        for (size_t a = 0; a < 4; a++) {
            total += draws.count[a];
            mean[a] += draws.probability * (double)draws.count[a];
        }
        assert_int_equal(total, 7);
        sum += draws.probability;
        ways++;
    } while (tb_draws_next(&draws));
    assert_int_equal(ways, 120);
    assert_near(sum, 1, 1e-14);
    for (size_t a = 0; a < 4; a++)
        assert_near(mean[a], 7 * q[a], 1e-13);
    tb_draws_first(&draws, q, 1, 3);
    assert_int_equal(tb_draws_next(&draws), 0);
}

static void test_refusals(void **state)
{
    (void)state;
    problem x = make(1, 4, 1);
    double g[max_n];
    tb_snis out = {.gradient = g};
    tb_error error = {0};
    tb_snis_def def = define(&x, 0);
    assert_int_equal(tb_snis_expectation(&def, &out, &error), TB_E_PARAM);
    def = define(&x, 100000);
    assert_int_equal(tb_snis_expectation(&def, &out, &error), TB_E_PARAM);
    assert_message(&error, "too many");
    x.q[2] = 0;
    def = define(&x, 3);
    assert_int_equal(tb_snis_expectation(&def, &out, &error), TB_E_PARAM);
    assert_message(&error, "action 2");
    assert_int_equal(tb_snis_first_order(&def, &out, &out, &error), TB_E_PARAM);
    // an action that neither takes, or only the proposal
    x.pi[2] = 0;
    mdp_normalise(x.pi, 4);
    assert_int_equal(tb_snis_expectation(&def, &out, &error), TB_OK);
    x.q[2] = 0.5;
    mdp_normalise(x.q, 4);
    assert_int_equal(tb_snis_expectation(&def, &out, &error), TB_OK);
    assert_true(isfinite(out.mean));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_sum_over_tuples),
        cmocka_unit_test(test_own_policy),
        cmocka_unit_test(test_gradient_is_that_of_the_mean),
        cmocka_unit_test(test_first_order),
        cmocka_unit_test(test_mean_baseline),
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
