/* SPDX-License-Identifier: MIT */
#include "tests/trpo/dist/head_checks.h"

static const int64_t counts[] = {2, 2, 2};
enum { n = 3 };

static tb_head head_of(size_t coins)
{
    return test_head(TB_SPACE_MULTI_BINARY, coins, NULL, TB_DISTRIBUTION_AUTO, &tb_head_bernoulli);
}

static void test_shape(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    assert_shape(&head, n, n, 0, n, n);
}

// the product of p or 1 - p with p = 1 / (1 + e^-y)
static void test_log_prob(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    tb_rng rng = test_rng(1);
    for (int i = 0; i < 100; i++) {
        double y[n], a[n] = {0};
        test_fill(&rng, y, n, 5);
        do {
            long double product = 1;
            for (size_t k = 0; k < n; k++) {
                long double p = 1 / (1 + expl(-(long double)y[k]));
                product *= a[k] == 1 ? p : 1 - p;
            }
            assert_near(head.api->log_prob(&head, y, a), (double)logl(product), 1e-14);
        } while (next_action(counts, n, a));
    }
}

static void test_enumeration(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    tb_rng rng = test_rng(2);
    check_enumeration(&head, counts, &rng, 4);
    check_shares(&head, counts, &rng);
}

static void test_gradients(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    check_derivatives(&head, 3, 3, 3, 3);
}

// p = 1/2, q = 3/4: KL(p||q) = ln(4/3) / 2, KL(q||p) = ln(27/16) / 4
static void test_kl_direction_is_old_to_new(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double p = 0, q = 1.0986122886681098;
    assert_near(head.api->kl(&head, &p, &q), 0.14384103622589045, 1e-15);
    assert_near(head.api->kl(&head, &q, &p), 0.13081203594113700, 1e-15);
}

// a step e of the logit costs p (1 - p) e^2 / 2 + p (1 - p) (1 - 2p) e^3 / 6 + ...
static void test_small_steps_keep_their_kl(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    for (double y = -30; y <= 30; y += 7.5)
        for (int e = -4; e >= -8; e--) {
            double step = 0x1p-13 * pow(8, e + 4), y_new = y + step; // exact
            double p = 1 / (1 + exp(-y)), p0 = 1 / (1 + exp(y));
            double expected = p * p0 * step * step * (0.5 + (p0 - p) * step / 6);
            assert_close(head.api->kl(&head, &y, &y_new), expected, 1e-6);
        }
}

static void test_extremes(void **state)
{
    (void)state;
    tb_head head = head_of(2);
    const double logits[] = {-1000, -40, 0, 0.5, 40, 1000};
    check_extremes(&head, logits, 6, logits, 6);
    head = head_of(1);
    const double sure = 1000, never = -1000, zero = 0, one = 1;
    assert_near(head.api->log_prob(&head, &sure, &zero), -1000, 0);
    assert_near(head.api->log_prob(&head, &sure, &one), 0, 0);
    assert_near(head.api->log_prob(&head, &never, &one), -1000, 0);
    assert_near(head.api->kl(&head, &never, &sure), 1000, 0);
    assert_near(head.api->entropy(&head, &sure), 0, 0);
    // both tails keep their digits
    const double y = -50;
    assert_close(head.api->log_prob(&head, &y, &zero), -exp(-50), 1e-15);
}

static void test_sample_at_the_ends(void **state)
{
    (void)state;
    tb_head head = head_of(1);
    const double first = 0, last = 1 - 0x1p-53;
    const struct {
        double y, low, high; // what u = 0 and u = 1 - 2^-53 give
    } cases[] = {{0, 0, 1}, {-1000, 0, 0}, {1000, 1, 1}, {-30, 0, 1}, {30, 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double a;
        head.api->sample(&head, &cases[i].y, &first, &a);
        assert_near(a, cases[i].low, 0);
        head.api->sample(&head, &cases[i].y, &last, &a);
        assert_near(a, cases[i].high, 0);
    }
}

static void test_mode(void **state)
{
    (void)state;
    tb_head head = head_of(n);
    const double y[] = {-0.1, 0, 0.1};
    double a[n];
    head.api->mode(&head, y, a);
    assert_true(a[0] == 0 && a[1] == 0 && a[2] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_log_prob),
        cmocka_unit_test(test_enumeration),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_kl_direction_is_old_to_new),
        cmocka_unit_test(test_small_steps_keep_their_kl),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_sample_at_the_ends),
        cmocka_unit_test(test_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
