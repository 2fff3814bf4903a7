/* SPDX-License-Identifier: MIT */
#include "tests/trpo/dist/head_checks.h"

enum { n = 3 };

static const double pi = 3.14159265358979323846;

static tb_head head_of(size_t dimensions)
{
    return test_box_head(dimensions, TB_DISTRIBUTION_AUTO, &tb_head_gaussian);
}

static void test_shape(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    assert_shape(&head, n, 2 * n, n, n, n);
    head = test_box_head(n, TB_DISTRIBUTION_GAUSSIAN, &tb_head_gaussian); // by name too
    assert_shape(&head, n, 2 * n, n, n, n);
}

// the product of one-dimensional densities, each written with sigma
static void test_log_prob(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    tb_rng rng = test_rng(1);
    for (int i = 0; i < 100; i++) {
        double y[2 * n], a[n], density = 1;
        test_fill(&rng, y, 2 * n, 1);
        test_fill(&rng, a, n, 2);
        for (size_t k = 0; k < n; k++) {
            double sigma = exp(y[n + k]), z = (a[k] - y[k]) / sigma;
            density *= exp(-z * z / 2) / (sigma * sqrt(2 * pi));
        }
        assert_near(head.api->log_prob(&head, y, a), log(density), 1e-13);
    }
}

static void test_integrals(void **state)
{
    (void)state;
    tb_head one = head_of(1), three = head_of(3);
    tb_rng rng = test_rng(2);
    check_integrals(&one, &rng, 1, 1e-11);
    check_quantiles(&one, &rng, 1, 1e-10);
    check_dimensions(&three, &rng, 1);
}

static void test_gradients(void **state)
{
    (void)state;
    tb_rng rng = test_rng(13);
    tb_head head = head_of(n);
    check_derivatives(&head, 3, 0.5, 2, 1);
    head = head_of(1);
    check_kl_sign(&head, &rng, 2);
    check_fisher(&head, &rng, 1);
}

// N(0, 1) and N(0, 2^2): KL(1||2) = ln 2 + 1/8 - 1/2, KL(2||1) = -ln 2 + 2 - 1/2
static void test_kl_direction_is_old_to_new(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double one[] = {0, 0}, two[] = {0, 0.69314718055994531};
    assert_near(head.api->kl(&head, one, two), 0.31814718055994531, 1e-15);
    assert_near(head.api->kl(&head, two, one), 0.80685281944005469, 1e-15);
    // sigma_new = e^0.1 with the sign of log sigma turned gives -0.19
    const double wider[] = {0, 0.1};
    assert_near(head.api->kl(&head, one, wider), 0.009365376538990929, 1e-16);
}

static void test_small_steps_keep_their_kl(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    // log sigma moved by d: KL = d + (e^-2d - 1) / 2 = d^2 - 2 d^3 / 3 + ...; mean by m: m^2 / 2
    for (int e = -1; e >= -8; e--) {
        double d = pow(10, e), y[] = {0, 0}, s[] = {0, d}, m[] = {d, 0};
        // to the eighth order: enough from d = 0.1 on
        double expected = d * d * (1 - d * (2.0 / 3 - d * (1.0 / 3 - d * (2.0 / 15 - d * 2 / 45))));
        assert_close(head.api->kl(&head, y, s), expected, e == -1 ? 1e-6 : 1e-7);
        assert_close(head.api->kl(&head, y, m), d * d / 2, 1e-15);
    }
}

/* Quantiles of the standard normal distribution to 17 digits, by Newton's method on log erfc with
 * 60 digits (mpmath 1.4.1): far tails, both ends of a uniform's range, and both sides of the
 * borders of the three regions (0.075, 0.925, exp(-25)). */
static void test_normal_quantile(void **state)
{
    (void)state;
    static const struct {
        double p, x;
    } cases[] = {
        {0x0.0000000000001p-1022, -38.467405617144346251},
        {0x1.56e1fc2f8f359p-997, -37.047096299361199237},
        {0x1.87e92154ef7acp-665, -30.205594179579643063},
        {0x1.79ca10c924223p-67, -9.2623400897984075796},
        {0x1p-54, -8.2923610758135955382},
        {0x1p-53, -8.2095361516013868556},
        {0x1.19799812dea11p-40, -7.0344838253011319326},
        {0x1.e8a37a45fc321p-37, -6.6579046435011038061},
        {0x1.ec94ca210599ep-37, -6.6567230915181836356},
        {0x1.0624dd2f1a9fcp-10, -3.0902323061678135354},
        {0x1.47ae147ae147bp-6, -2.0537489106318230443},
        {0x1.3333333333333p-4, -1.4395314709384559349},
        {0x1.33334e0b25cdfp-4, -1.4395307645017296865},
        {0x1p-2, -0.67448975019608174320},
        {0x1.3333333333333p-2, -0.52440051270804081597},
        {0x1.fffff94a03595p-2, -2.5066282747031065135e-7},
        {0x1p-1, 0},
        {0x1.3333333333333p-1, 0.25334710313579974132},
        {0x1.6666666666666p-1, 0.52440051270804065631},
        {0x1.d999963e9b464p-1, 1.4395307645017295885},
        {0x1.d99999999999ap-1, 1.4395314709384562291},
        {0x1.dc28f5c28f5c3p-1, 1.4757910281791710990},
        {0x1.fae147ae147aep-1, 2.3263478740408407676},
        {0x1.fffffffffffffp-1, 8.2095361516013868556},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_close(tb_normal_quantile(cases[i].p), cases[i].x, 1e-15);
}

// against the C library's erfc, everywhere: Phi(quantile(p)) = p
static void test_normal_quantile_inverts_the_distribution(void **state)
{
    (void)state;
    tb_rng rng = test_rng(4);
    double before = -INFINITY;
    for (int i = 1; i < 4000; i++) {
        double p = i / 4000.0, x = tb_normal_quantile(p);
        assert_true(x > before);
        before = x;
        assert_close(erfc(-x / sqrt(2)) / 2, p, 4e-15);
    }
    for (int i = 0; i < 2000; i++) {
        double p = pow(10, tb_rng_uniform(&rng, -290, -1)), x = tb_normal_quantile(p);
        // erfc's relative error grows with x^2 times the error of x
        assert_close(erfc(-x / sqrt(2)) / 2, p, 4e-15 * (1 + x * x));
    }
}

static void test_sample_is_the_inverse_of_the_distribution(void **state)
{
    (void)state;
    tb_head head = head_of(2);
    const double y[] = {0.5, -2, log(0.3), log(4)};
    tb_rng rng = test_rng(5);
    for (int i = 0; i < 1000; i++) {
        double u[2] = {tb_rng_f64(&rng), tb_rng_f64(&rng)}, a[2];
        head.api->sample(&head, y, u, a);
        assert_near(erfc(-(a[0] - 0.5) / 0.3 / sqrt(2)) / 2, u[0], 1e-14);
        assert_near(erfc(-(a[1] + 2) / 4 / sqrt(2)) / 2, u[1], 1e-14);
    }
}

static void test_sample_at_the_ends(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double y[] = {0, 0}, u[] = {0, 1 - 0x1p-53};
    check_sample_rises(&head, y);
    // even between neighbours where the two tails meet
    const double middle[] = {0.5 - 0x1p-53, 0.5, 0.5 + 0x1p-53};
    double before = -INFINITY;
    for (size_t i = 0; i < 3; i++) {
        double a;
        head.api->sample(&head, y, &middle[i], &a);
        assert_true(a > before);
        before = a;
    }
    double low, high;
    head.api->sample(&head, y, &u[0], &low);
    head.api->sample(&head, y, &u[1], &high);
    assert_close(low, -8.2923610758135955382, 1e-15); // the quantile of 2^-54
    assert_true(high == -low);
}

static void test_sample_moments(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double y[] = {3, log(0.5)};
    enum { samples = 100000 };
    double sum = 0, squares = 0;
    for (int i = 0; i < samples; i++) {
        double u = (i + 0.5) / samples, a;
        head.api->sample(&head, y, &u, &a);
        sum += a;
        squares += (a - 3) * (a - 3);
    }
    assert_near(sum / samples, 3, 1e-10);
    assert_near(sqrt(squares / samples), 0.5, 1e-5);
}

static void test_mode(void **state)
{
    (void)state;
    tb_head head = head_of(2);
    const double y[] = {1.5, -2, 5, 7};
    double a[2];
    head.api->mode(&head, y, a);
    assert_true(a[0] == 1.5 && a[1] == -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_log_prob),
        cmocka_unit_test(test_integrals),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_kl_direction_is_old_to_new),
        cmocka_unit_test(test_small_steps_keep_their_kl),
        cmocka_unit_test(test_normal_quantile),
        cmocka_unit_test(test_normal_quantile_inverts_the_distribution),
        cmocka_unit_test(test_sample_is_the_inverse_of_the_distribution),
        cmocka_unit_test(test_sample_at_the_ends),
        cmocka_unit_test(test_sample_moments),
        cmocka_unit_test(test_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
