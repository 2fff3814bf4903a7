/* SPDX-License-Identifier: MIT */
#include "tests/trpo/dist/head_checks.h"

static const double pi = 3.14159265358979323846;

static tb_head head_of(size_t n, double log_std_init)
{
    tb_head head =
        test_box_head(n, TB_DISTRIBUTION_GAUSSIAN_STATE_STD, &tb_head_gaussian_state_std);
    head.log_std_init = log_std_init;
    return head;
}

static void test_shape(void **state)
{
    (void)state;
    tb_head head =
        test_box_head(3, TB_DISTRIBUTION_GAUSSIAN_STATE_STD, &tb_head_gaussian_state_std);
    assert_shape(&head, 3, 6, 0, 3, 3);
    assert_near(head.log_std_init, 0, 0);
}

static void test_log_prob(void **state)
{
    (void)state;
    tb_rng rng = test_rng(1);
    for (int i = 0; i < 100; i++) {
        double init = tb_rng_uniform(&rng, -2, 2), y[2], a = tb_rng_uniform(&rng, -2, 2);
        tb_head head = head_of(1, init);
        test_fill(&rng, y, 2, 3);
        double sigma = exp(init + 10 * tanh(y[1] / 10)), z = (a - y[0]) / sigma;
        assert_near(head.api->log_prob(&head, y, &a), log(1 / (sigma * sqrt(2 * pi))) - z * z / 2,
                    1e-13 * (1 + z * z));
    }
}

// z = 0 is log_std_init with slope 1, and +-infinity 10 away from it
static void test_the_log_std_is_bounded(void **state)
{
    (void)state;
    tb_head head = head_of(1, -0.7), plain = test_box_head(1, 0, &tb_head_gaussian);
    const double z[] = {0, 1e-6, -1000, 1000, 1e300};
    const double log_std[] = {-0.7, -0.7 + 1e-6, -10.7, 9.3, 9.3};
    for (size_t i = 0; i < 5; i++) {
        const double y[] = {0, z[i]}, p[] = {0, log_std[i]};
        assert_near(head.api->entropy(&head, y), plain.api->entropy(&plain, p), 1e-14);
    }
}

static void test_integrals(void **state)
{
    (void)state;
    tb_rng rng = test_rng(2);
    tb_head head = head_of(1, 0.5);
    check_integrals(&head, &rng, 1, 1e-11);
    check_quantiles(&head, &rng, 1, 1e-10);
    head = head_of(3, -1);
    check_dimensions(&head, &rng, 2);
}

static void test_gradients(void **state)
{
    (void)state;
    tb_rng rng = test_rng(13);
    tb_head head = head_of(2, 0.2);
    check_derivatives(&head, 3, 0.5, 2, 1);
    // where tanh is bent: z about 8, sigma about its start
    for (int i = 0; i < 20; i++) {
        double y[] = {tb_rng_uniform(&rng, -1, 1), tb_rng_uniform(&rng, 6, 9)};
        double a = tb_rng_uniform(&rng, -1, 1), dy[2], old[] = {y[0] + 0.1, y[1] - 0.2};
        head = head_of(1, -10 * tanh(0.75));
        head.api->log_prob_grad(&head, y, &a, dy);
        for (size_t k = 0; k < 2; k++)
            assert_near(dy[k], head_slope(&head, NULL, y, &a, k), 1e-9);
        head.api->kl_grad(&head, old, y, dy);
        for (size_t k = 0; k < 2; k++)
            assert_near(dy[k], head_slope(&head, old, y, NULL, k), 1e-9);
        head.api->entropy_grad(&head, y, dy);
        for (size_t k = 0; k < 2; k++)
            assert_near(dy[k], head_slope(&head, NULL, y, NULL, k), 1e-9);
    }
}

static void test_extremes(void **state)
{
    (void)state;
    const double means[] = {-1000, 0, 1000}, z[] = {-1000, -20, 0, 20, 1000};
    for (double init = -20; init <= 20; init += 20) {
        tb_head head = head_of(1, init);
        check_extremes(&head, means, 3, z, 5);
    }
}

static void test_sampling(void **state)
{
    (void)state;
    tb_head head = head_of(1, 0);
    const double y[] = {0, -1};
    double a, u = 0.5 + 0x1.5p-2; // 0.828125
    check_sample_rises(&head, y);
    head.api->sample(&head, y, &u, &a);
    assert_near(erfc(-a / exp(10 * tanh(-0.1)) / sqrt(2)) / 2, u, 1e-14);
    head.api->mode(&head, y, &a);
    assert_near(a, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_log_prob),
        cmocka_unit_test(test_the_log_std_is_bounded),
        cmocka_unit_test(test_integrals),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_sampling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
