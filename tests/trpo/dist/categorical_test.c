/* SPDX-License-Identifier: MIT */
#include "tests/trpo/dist/head_checks.h"

enum { n = 4 };

static tb_head head_of(size_t categories)
{
    const int64_t nvec = (int64_t)categories;
    return test_head(TB_SPACE_DISCRETE, 1, &nvec, TB_DISTRIBUTION_AUTO, &tb_head_categorical);
}

// softmax in extended precision, from the definition
static void softmax(const double *y, size_t k, long double *p)
{
    long double sum = 0, max = y[0];
    for (size_t i = 1; i < k; i++)
        max = (long double)y[i] > max ? (long double)y[i] : max;
    for (size_t i = 0; i < k; i++)
        sum += p[i] = expl((long double)y[i] - max);
    for (size_t i = 0; i < k; i++)
        p[i] /= sum;
}

static void test_shape(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    assert_shape(&head, n, n, 0, 1, 1);
}

static void test_log_prob(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    tb_rng rng = test_rng(1);
    for (int i = 0; i < 100; i++) {
        double y[n], sum = 0;
        long double p[n];
        test_fill(&rng, y, n, 5);
        softmax(y, n, p);
        for (size_t k = 0; k < n; k++) {
            double a = (double)k, log_p = head.api->log_prob(&head, y, &a);
            assert_near(log_p, (double)logl(p[k]), 1e-14);
            sum += exp(log_p);
        }
        assert_near(sum, 1, 1e-14);
    }
}

static void test_extreme_logits(void **state)
{
    (void)state;
    tb_head head = head_of(3);
    const double y[] = {1000, -1000, 999};
    double a = 1, dy[3];
    assert_near(head.api->log_prob(&head, y, &a), -2000 - log1p(exp(-1.0)), 1e-12);
    head.api->log_prob_grad(&head, y, &a, dy);
    assert_near(dy[1], 1, 1e-15);
    assert_near(dy[0] + dy[1] + dy[2], 0, 1e-13); // 1000 + log sum is rounded at 1e-13
    double p = 1 / (1 + exp(-1.0));
    assert_near(head.api->entropy(&head, y), -p * log(p) - (1 - p) * log(1 - p), 1e-13);
    // from a certain category to one that is all but impossible: large, not NaN or infinite
    const double here[] = {1000, -1000, -1000}, there[] = {-1000, 1000, -1000};
    assert_near(head.api->kl(&head, here, there), 2000, 1e-9);
    assert_true(head.api->kl(&head, here, here) == 0);
}

static void test_gradients(void **state)
{
    (void)state;
    tb_rng rng = test_rng(12);
    tb_head head = head_of(n);
    check_derivatives(&head, 2, 3, 3, 2);
    head = head_of(2);
    check_kl_sign(&head, &rng, 1);
    check_fisher(&head, &rng, 2);
}

static void test_kl_is_the_definition(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    tb_rng rng = test_rng(3);
    for (int i = 0; i < 100; i++) {
        double y_old[n], y_new[n];
        long double p[n], q[n], sum = 0;
        double scale = pow(10, tb_rng_uniform(&rng, -7, 0.7));
        test_fill(&rng, y_old, n, 3);
        test_fill(&rng, y_new, n, scale);
        for (size_t k = 0; k < n; k++)
            y_new[k] += y_old[k];
        softmax(y_old, n, p);
        softmax(y_new, n, q);
        // log(p/q) by log1p: exact enough for close distributions too
        for (size_t k = 0; k < n; k++)
            sum += -p[k] * log1pl((q[k] - p[k]) / p[k]) + (q[k] - p[k]);
        // d = log p/q is rounded at 1e-16, KL is d^2 / 2: no worse than that
        assert_close(head.api->kl(&head, y_old, y_new), (double)sum, 1e-13 + 1e-14 / scale);
    }
}

// p = (1/2, 1/2), q = (1/4, 3/4): KL(p||q) = ln(4/3)/2, KL(q||p) = ln(27/16)/4
static void test_kl_direction_is_old_to_new(void **state)
{
    (void)state;
    tb_head head = head_of(2);
    const double p[] = {0, 0}, q[] = {0, 1.0986122886681098};
    assert_near(head.api->kl(&head, p, q), 0.14384103622589045, 1e-15);
    assert_near(head.api->kl(&head, q, p), 0.13081203594113700, 1e-15);
}

static void test_kl_is_the_mean_log_ratio_of_samples(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    const double y_old[] = {0.3, -1, 0.7, 0}, y_new[] = {0.1, -0.5, 0.2, 0.4};
    double sum = 0, squares = 0;
    enum { samples = 100000 };
    tb_rng rng = test_rng(4);
    for (int i = 0; i < samples; i++) {
        double u = tb_rng_f64(&rng), a;
        head.api->sample(&head, y_old, &u, &a);
        double d = head.api->log_prob(&head, y_old, &a) - head.api->log_prob(&head, y_new, &a);
        sum += d;
        squares += d * d;
    }
    double mean = sum / samples, deviation = sqrt((squares / samples - mean * mean) / samples);
    assert_near(mean, head.api->kl(&head, y_old, y_new), 4 * deviation);
}

static void test_entropy(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    const double even[] = {7, 7, 7, 7};
    assert_near(head.api->entropy(&head, even), log(4), 1e-14);
    tb_rng rng = test_rng(5);
    double y[n];
    long double p[n], sum = 0;
    test_fill(&rng, y, n, 3);
    softmax(y, n, p);
    for (size_t k = 0; k < n; k++)
        sum -= p[k] * logl(p[k]);
    assert_near(head.api->entropy(&head, y), (double)sum, 1e-14);
}

// evenly spaced uniforms: each category gets its share, up to one point at each border
static void test_sample_frequencies(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    const double y[] = {0.5, -1, 2, 0};
    long double p[n];
    softmax(y, n, p);
    enum { samples = 10000 };
    int count[n] = {0};
    double before = 0;
    for (int i = 0; i < samples; i++) {
        double u = (double)i / samples, a;
        head.api->sample(&head, y, &u, &a);
        assert_true(a >= before); // monotone in u
        before = a;
        count[(int)a]++;
    }
    for (size_t k = 0; k < n; k++)
        assert_near(count[k], (double)(p[k] * samples), 1);
}

static void test_sample_at_the_ends(void **state)
{
    (void)state;
    tb_head head = head_of(3);
    const double first = 0, last = 1 - 0x1p-53;
    const struct {
        double y[3], low, high; // what u = 0 and u = 1 - 2^-53 must give
    } cases[] = {
        {{0, 0, 0}, 0, 2},
        {{1000, -1000, -1000}, 0, 0},
        {{-1000, 1000, -1000}, 1, 1},
        {{-1000, -1000, 1000}, 2, 2},
        {{-1000, 0, 0}, 1, 2}, // category 0 has probability 0: not even u = 0 draws it
        {{0, 0, -1000}, 0, 1}, // nor the rounded end
        {{0.1, 0.2, 0.3}, 0, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double a;
        head.api->sample(&head, cases[i].y, &first, &a);
        assert_near(a, cases[i].low, 0);
        head.api->sample(&head, cases[i].y, &last, &a);
        assert_near(a, cases[i].high, 0);
    }
}

static void test_many_categories_never_draw_the_impossible(void **state)
{
    (void)state;
    enum { k = 1000 };
    tb_head head = head_of(k);
    double y[k];
    for (size_t i = 0; i < k; i++)
        y[i] = i % 3 == 0 ? -1000 : 0.001 * (double)i;
    tb_rng rng = test_rng(6);
    for (int i = 0; i < 2000; i++) {
        double u = i < 2 ? (i == 0 ? 0 : 1 - 0x1p-53) : tb_rng_f64(&rng), a;
        head.api->sample(&head, y, &u, &a);
        assert_true(a >= 0 && a < k && (int)a % 3 != 0);
        assert_true(isfinite(head.api->log_prob(&head, y, &a)));
    }
}

static void test_mode(void **state)
{
    (void)state;
    tb_head head = head_of(3);
    const double y[] = {-5, 2, 1}, tie[] = {0, 3, 3};
    double a;
    head.api->mode(&head, y, &a);
    assert_near(a, 1, 0);
    head.api->mode(&head, tie, &a);
    assert_near(a, 1, 0);
}

static void test_one_category(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double y = -3, other = 2, u = 0.999, v = 1;
    double a, mv;
    head.api->sample(&head, &y, &u, &a);
    assert_near(a, 0, 0);
    assert_near(head.api->log_prob(&head, &y, &a), 0, 0);
    assert_near(head.api->entropy(&head, &y), 0, 0);
    assert_near(head.api->kl(&head, &y, &other), 0, 0);
    head.api->fisher(&head, &y, &v, &mv);
    assert_near(mv, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_log_prob),
        cmocka_unit_test(test_extreme_logits),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_kl_is_the_definition),
        cmocka_unit_test(test_kl_direction_is_old_to_new),
        cmocka_unit_test(test_kl_is_the_mean_log_ratio_of_samples),
        cmocka_unit_test(test_entropy),
        cmocka_unit_test(test_sample_frequencies),
        cmocka_unit_test(test_sample_at_the_ends),
        cmocka_unit_test(test_many_categories_never_draw_the_impossible),
        cmocka_unit_test(test_mode),
        cmocka_unit_test(test_one_category),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
