/* SPDX-License-Identifier: MIT */
#include "tests/trpo/dist/head_checks.h"
#include "trpo/dist/special.h"

static tb_head head_of(size_t n)
{
    return test_box_head(n, TB_DISTRIBUTION_BETA, &tb_head_beta);
}

// y with 1 + softplus(y) = alpha
static double parameter(double alpha)
{
    return log(expm1(alpha - 1));
}

static void test_shape(void **state)
{
    (void)state;
    tb_head head = head_of(3);
    assert_shape(&head, 3, 6, 0, 3, 3);
}

static void test_to_env(void **state)
{
    (void)state;
    tb_head head = head_of(4);
    check_to_env(&head, log(0.25 / 0.75), 0.25);
}

// x^(alpha - 1) (1 - x)^(beta - 1) Gamma(alpha + beta) / Gamma(alpha) / Gamma(beta), over the width
static void test_log_prob(void **state)
{
    (void)state;
    tb_head head = head_of(2);
    tb_rng rng = test_rng(1);
    for (int i = 0; i < 100; i++) {
        double y[4], a[2];
        long double density = 1;
        test_fill(&rng, y, 4, 3);
        test_fill(&rng, a, 2, 3);
        for (size_t k = 0; k < 2; k++) {
            long double alpha = 1 + logl(1 + expl((long double)y[k]));
            long double beta = 1 + logl(1 + expl((long double)y[2 + k]));
            long double x = 1 / (1 + expl(-(long double)a[k]));
            density *= powl(x, alpha - 1) * powl(1 - x, beta - 1) * tgammal(alpha + beta) /
                       tgammal(alpha) / tgammal(beta) / (long double)(test_high[k] - test_low[k]);
        }
        assert_near(head.api->log_prob(&head, y, a), (double)logl(density), 1e-13);
    }
}

static void test_integrals(void **state)
{
    (void)state;
    tb_rng rng = test_rng(2);
    tb_head head = head_of(1);
    check_integrals(&head, &rng, 2, 1e-9);
    check_quantiles(&head, &rng, 2, 1e-9);
    check_integrals(&head, &rng, 40, 1e-9); // alpha up to 41
    check_quantiles(&head, &rng, 40, 1e-9);
    head = head_of(3);
    check_dimensions(&head, &rng, 2);
}

static void test_gradients(void **state)
{
    (void)state;
    tb_rng rng = test_rng(13);
    tb_head head = head_of(2);
    check_derivatives(&head, 3, 2, 2, 1);
    check_kl_sign(&head, &rng, 30);
    check_fisher(&head, &rng, 5);
}

/* Beta(2, 5) and Beta(3, 2), by quadrature with 30 digits (mpmath): the wrong direction, or alpha
 * and beta swapped, are far off. */
static void test_kl_direction_is_old_to_new(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double p[] = {parameter(2), parameter(5)}, q[] = {parameter(3), parameter(2)};
    assert_near(head.api->kl(&head, p, q), 1.2662907318741551, 1e-13);
    assert_near(head.api->kl(&head, q, p), 1.7503759347925116, 1e-13);
}

/* Near and far steps are computed in different ways: values by the closed form with 60 digits
 * (mpmath), on both sides of the border (a quarter of alpha or beta) and for small steps. */
static void test_kl_of_close_and_far_policies(void **state)
{
    (void)state;
    static const struct {
        double y_old[2], y_new[2], kl;
    } cases[] = {
        {{0.0, 0.0}, {0.25, -0.125}, 0.0073999911661351995},
        {{0.5, -1.0}, {0.5009765625, -1.0009765625}, 1.3851973689996103e-7},
        {{1.0, 2.0}, {1.0000009536743164, 2.0}, 8.1904555118012024e-14},
        {{1.0, 2.0}, {1.0, 1.9999990463256836}, 6.1579127413505933e-14},
        {{0.0, 0.0}, {0.75, 0.0}, 0.038643049910629016},
        {{0.0, 0.0}, {0.8125, 0.5}, 0.020586251025051464},
        {{20.0, 30.0}, {25.0, 37.0}, 0.01279102881689607},
        {{20.0, 30.0}, {25.5, 37.0}, 0.020080227305405411},
        {{1000.0, 1000.0}, {1100.0, 1100.0}, 0.0023415043103095183},
        {{1000.0, 1000.0}, {1500.0, 1500.0}, 0.047205001464165679},
        {{10000.0, 10000.0}, {10001.0, 9999.0}, 9.9995000333308335e-5},
        {{-5.0, 4.0}, {4.0, -5.0}, 8.3291417510905202},
    };
    tb_head head = head_of(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        // a step is known to the last digit of y, no better
        assert_close(head.api->kl(&head, cases[i].y_old, cases[i].y_new), cases[i].kl, 1e-9);
}

static void test_extremes(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double y[] = {-1000, -30, 0, 3, 1000, 10000};
    check_extremes(&head, y, 6, y, 6);
    // -1000 is alpha = beta = 1: the uniform distribution
    const double uniform[] = {-1000, -1000};
    double a, u = 0.3;
    assert_near(head.api->entropy(&head, uniform), log(3), 1e-15);
    head.api->sample(&head, uniform, &u, &a);
    assert_near(head.api->to_env(&head, 0, a), -2 + 3 * 0.3, 1e-14);
}

static void test_sampling(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double y[][2] = {{0, 0},     {-1000, -1000}, {5, -5},       {-5, 5},        {1000, -1000},
                           {300, 200}, {1e4, 1e4},     {-1000, 1000}, {-0.3, 0.0001}, {2, 1}};
    for (size_t i = 0; i < sizeof y / sizeof y[0]; i++)
        check_sample_rises(&head, y[i]);
    // alpha = beta: the ends of the uniform are as far out on either side
    const double ends[] = {0, 1 - 0x1p-53};
    double low, high;
    head.api->sample(&head, y[0], &ends[0], &low);
    head.api->sample(&head, y[0], &ends[1], &high);
    assert_true(high == -low);
    // the two tails meet
    for (size_t i = 0; i < sizeof y / sizeof y[0]; i++) {
        const double middle[] = {0.5 - 0x1p-53, 0.5};
        double a, b;
        head.api->sample(&head, y[i], &middle[0], &a);
        head.api->sample(&head, y[i], &middle[1], &b);
        assert_near(a, b, 1e-14 * (1 + fabs(a)));
    }
}

// the point of highest density, found on a grid of x
static void test_mode(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double y[][2] = {{0, 0}, {2, -1}, {-1, 3}, {0.5, 4}};
    for (size_t i = 0; i < sizeof y / sizeof y[0]; i++) {
        double best = 0, highest = -INFINITY, a;
        for (int k = 1; k < 10000; k++) {
            double x = k / 10000.0, t = log(x / (1 - x)), l = head.api->log_prob(&head, y[i], &t);
            best = l > highest ? x : best;
            highest = fmax(highest, l);
        }
        head.api->mode(&head, y[i], &a);
        assert_near(1 / (1 + exp(-a)), best, 1e-4);
    }
    // where softplus underflows the ratio of the two is still known
    const double tiny[] = {-1000, -1001};
    double a;
    head.api->mode(&head, tiny, &a);
    assert_near(a, 1, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_to_env),
        cmocka_unit_test(test_log_prob),
        cmocka_unit_test(test_integrals),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_kl_direction_is_old_to_new),
        cmocka_unit_test(test_kl_of_close_and_far_policies),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
