/* SPDX-License-Identifier: MIT */
#include "tests/trpo/dist/head_checks.h"

static const double pi = 3.14159265358979323846;

static tb_head head_of(size_t n)
{
    return test_box_head(n, TB_DISTRIBUTION_SQUASHED_GAUSSIAN, &tb_head_squashed_gaussian);
}

static void test_shape(void **state)
{
    (void)state;
    tb_head head = head_of(3);
    assert_shape(&head, 3, 6, 3, 3, 3);
}

// action = low + (high - low) (tanh(u) + 1) / 2, each dimension with its own bounds
static void test_to_env(void **state)
{
    (void)state;
    tb_head head = head_of(4);
    check_to_env(&head, 0, 0.5);
    check_to_env(&head, 0.7, (tanh(0.7) + 1) / 2);
}

// change of variables, written in the action: u = atanh(2 (a - low) / (high - low) - 1)
static void test_log_prob(void **state)
{
    (void)state;
    tb_head head = head_of(2);
    tb_rng rng = test_rng(1);
    for (int i = 0; i < 100; i++) {
        double y[4], u[2], density = 1;
        test_fill(&rng, y, 4, 1);
        test_fill(&rng, u, 2, 2);
        for (size_t k = 0; k < 2; k++) {
            double half = (test_high[k] - test_low[k]) / 2;
            double x = (head.api->to_env(&head, k, u[k]) - test_low[k]) / half - 1;
            double sigma = exp(y[2 + k]), z = (atanh(x) - y[k]) / sigma;
            density *= exp(-z * z / 2) / (sigma * sqrt(2 * pi)) / (half * (1 - x * x));
        }
        assert_near(head.api->log_prob(&head, y, u), log(density),
                    1e-11 * (1 + fabs(log(density))));
    }
}

// at the bounds the action has no digits left, the entry has
static void test_likelihoods_at_the_bounds(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double y[] = {30, 0}, u = 31;
    assert_true(head.api->to_env(&head, 0, u) == test_high[0]);
    // log N(1) - log(w / 2) - log(1 - tanh^2(31)), the last log(4 e^-62) to 27 digits
    double expected = -0.5 - 0.5 * log(2 * pi) - log(1.5) - log(4) + 62;
    assert_near(head.api->log_prob(&head, y, &u), expected, 1e-13);
}

static void test_integrals(void **state)
{
    (void)state;
    tb_rng rng = test_rng(2);
    tb_head head = head_of(1);
    check_integrals(&head, &rng, 1, 1e-9);
    check_quantiles(&head, &rng, 1, 1e-9);
    head = head_of(3);
    check_dimensions(&head, &rng, 1);
}

/* E log cosh(u) to 17 digits by mpmath's quadrature, for both ways it is computed and both sides of
 * their border at sigma = 1.5. */
static void test_entropy(void **state)
{
    (void)state;
    static const struct {
        double mean, sigma, log_cosh;
    } cases[] = {
        {0.0, 0.01, 4.9997500333262523e-5},   {0.0, 0.5, 0.11291200278749448},
        {1.5, 0.5, 0.88187880043934828},      {0.0, 1.0, 0.37456720749143797},
        {0.5, 1.25, 0.59755957197038001},     {0.0, 1.4999999, 0.70093079369591198},
        {2.0, 1.4999999, 1.5290868988130136}, {-0.7, 1.4999999, 0.81195033395874727},
        {0.0, 1.5, 0.70093086259865433},      {2.0, 1.5, 1.529086934102243},
        {-0.7, 1.5, 0.81195039740991495},     {6.0, 1.5, 5.3073316275631675},
        {0.0, 3.0, 1.8066480234031598},       {-4.0, 3.0, 3.6071425778159658},
        {1.0, 50.0, 39.215619709447573},      {0.0, 1000.0, 797.19174173908483},
    };
    tb_head head = head_of(1), plain = test_box_head(1, 0, &tb_head_gaussian);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double y[] = {cases[i].mean, log(cases[i].sigma)};
        // w = 3
        double expected = plain.api->entropy(&plain, y) + log(1.5) - 2 * cases[i].log_cosh;
        assert_near(head.api->entropy(&head, y), expected, 1e-9);
    }
}

/* E tanh(u) and E tanh(u) (u - mean) to 17 digits by mpmath's quadrature: minus half of what the
 * entropy's gradient has beyond the Gaussian's (0, 1). */
static void test_entropy_gradient(void **state)
{
    (void)state;
    static const struct {
        double mean, sigma, by_mean, by_log_std;
    } cases[] = {
        {0.0, 0.01, 0, 9.999000199943354e-5},
        {0.3, 0.01, 0.2912859580097014, 9.1506875416315304e-5},
        {1.5, 0.5, 0.86135228399142846, 0.059821864078413161},
        {0.5, 1.25, 0.25739640239363848, 0.77515464898748464},
        {0.7, 1.4999999, 0.31292327237505243, 0.95176743949310902},
        {2.0, 1.4999999, 0.74874366629154235, 0.52933838312423088},
        {-0.7, 1.4999999, -0.31292327237505243, 0.95176743949310902},
        {2.0, 1.5, 0.7487436428323436, 0.52933846310567991},
        {-0.7, 1.5, -0.31292325744360651, 0.95176752645396324},
        {6.0, 1.5, 0.99910885468452467, 0.0036182319858924122},
        {0.0, 3.0, 0, 2.2934996280591931},
        {-4.0, 3.0, -0.79835990372922087, 1.0133891916221468},
        {1.0, 50.0, 0.015954003929721492, 39.879693855060769},
        {0.0, 1000.0, 0, 797.88423268627484},
    };
    tb_head head = head_of(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const double y[] = {cases[i].mean, log(cases[i].sigma)};
        double dy[2];
        head.api->entropy_grad(&head, y, dy);
        assert_near(dy[0], -2 * cases[i].by_mean, 1e-8);
        assert_near(dy[1], 1 - 2 * cases[i].by_log_std, 1e-8);
    }
}

// of tanh(u) with u ~ N(0, 1e-4^2) hardly anything is bent: the Gaussian's, scaled
static void test_narrow_is_gaussian(void **state)
{
    (void)state;
    tb_head head = head_of(1), plain = test_box_head(1, 0, &tb_head_gaussian);
    const double y[] = {0, log(1e-4)};
    assert_near(head.api->entropy(&head, y), plain.api->entropy(&plain, y) + log(1.5), 2e-8);
}

static void test_gradients(void **state)
{
    (void)state;
    tb_head head = head_of(2);
    check_derivatives(&head, 3, 0.5, 2, 1);
}

static void test_extremes(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double means[] = {-1000, 0, 1000}, log_std[] = {-20, 0, 20};
    check_extremes(&head, means, 3, log_std, 3);
}

static void test_sampling(void **state)
{
    (void)state;
    tb_head head = head_of(1), plain = test_box_head(1, 0, &tb_head_gaussian);
    const double y[] = {0.4, -0.3}, wide[] = {0, 3};
    double a, b, u = 0.83;
    check_sample_rises(&head, y);
    check_sample_rises(&head, wide);
    head.api->sample(&head, y, &u, &a);
    plain.api->sample(&plain, y, &u, &b);
    assert_near(a, b, 0);
}

// half of the actions lie on either side of the mode
static void test_mode_is_the_median(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double y[] = {0.8, 0.5};
    double a, low, high;
    head.api->mode(&head, y, &a);
    assert_near(a, 0.8, 0);
    head_range(&head, y, &low, &high);
    assert_near(integrate_head(&head, y, NULL, low, a).density, 0.5, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_to_env),
        cmocka_unit_test(test_log_prob),
        cmocka_unit_test(test_likelihoods_at_the_bounds),
        cmocka_unit_test(test_integrals),
        cmocka_unit_test(test_entropy),
        cmocka_unit_test(test_entropy_gradient),
        cmocka_unit_test(test_narrow_is_gaussian),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_mode_is_the_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
