/* SPDX-License-Identifier: MIT */
#include "tests/trpo/dist/head_checks.h"

static const int64_t counts[] = {2, 1, 4, 3};
enum { n = 4, d = 10 };

static tb_head head_of(void)
{
    return test_head(TB_SPACE_MULTI_DISCRETE, n, counts, TB_DISTRIBUTION_AUTO,
                     &tb_head_multi_categorical);
}

static void test_shape(void **state)
{
    (void)state;
    tb_head head = head_of();
    assert_shape(&head, n, d, 0, n, n);
    assert_ptr_equal(head.counts, counts);
}

// the product of softmaxes, from the definition
static void test_log_prob(void **state)
{
    (void)state;
    tb_head head = head_of();
    tb_rng rng = test_rng(1);
    for (int i = 0; i < 50; i++) {
        double y[d], a[n] = {0};
        test_fill(&rng, y, d, 4);
        do {
            long double product = 1;
            for (size_t c = 0, at = 0; c < n; at += (size_t)counts[c++]) {
                long double sum = 0;
                for (size_t k = 0; k < (size_t)counts[c]; k++)
                    sum += expl((long double)y[at + k]);
                product *= expl((long double)y[at + (size_t)a[c]]) / sum;
            }
            assert_near(head.api->log_prob(&head, y, a), (double)logl(product), 1e-14 * 20);
        } while (next_action(counts, n, a));
    }
}

static void test_enumeration(void **state)
{
    (void)state;
    tb_head head = head_of();
    tb_rng rng = test_rng(2);
    check_enumeration(&head, counts, &rng, 3);
    check_shares(&head, counts, &rng);
}

static void test_gradients(void **state)
{
    (void)state;
    tb_head head = head_of();
    check_derivatives(&head, 3, 2, 2, 2);
}

// p = (1/2, 1/2), q = (1/4, 3/4) in two components: KL(p||q) = ln(4/3), KL(q||p) = ln(27/16) / 2
static void test_kl_direction_is_old_to_new(void **state)
{
    (void)state;
    const int64_t two[] = {2, 2};
    tb_head head = test_head(TB_SPACE_MULTI_DISCRETE, 2, two, TB_DISTRIBUTION_AUTO,
                             &tb_head_multi_categorical);
    const double p[4] = {0}, q[] = {0, 1.0986122886681098, 1.0986122886681098, 0};
    assert_near(head.api->kl(&head, p, q), 0.28768207245178090, 1e-15);
    assert_near(head.api->kl(&head, q, p), 0.26162407188227400, 1e-15);
}

static void test_extremes(void **state)
{
    (void)state;
    const int64_t two[] = {2};
    tb_head head = test_head(TB_SPACE_MULTI_DISCRETE, 1, two, TB_DISTRIBUTION_AUTO,
                             &tb_head_multi_categorical);
    const double logits[] = {-1000, -1, 0, 30, 1000};
    check_extremes(&head, logits, 5, logits, 5);
}

// a category without probability is never drawn, not even at the ends of the uniform
static void test_the_impossible_is_not_drawn(void **state)
{
    (void)state;
    tb_head head = head_of();
    const double y[d] = {-1000, 0, 0, 0, -1000, 0, -1000, -1000, -1000, 0};
    const double ends[] = {0, 0.5, 1 - 0x1p-53};
    for (size_t k = 0; k < 3; k++) {
        const double u[n] = {ends[k], ends[k], ends[k], ends[k]};
        double a[n];
        head.api->sample(&head, y, u, a);
        assert_true(a[0] == 1 && a[1] == 0 && (a[2] == 0 || a[2] == 2) && a[3] == 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_log_prob),
        cmocka_unit_test(test_enumeration),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_kl_direction_is_old_to_new),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_the_impossible_is_not_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
