/* SPDX-License-Identifier: MIT */
#include "trpo/dist/enumerate.h"

#include <math.h>

#include "tests/trpo/testing.h"

static const int64_t counts[] = {2, 3, 4};
static const tb_head categorical = {
    .api = &tb_head_categorical, .n = 5, .n_params = 5, .n_action = 1, .n_unif = 1};
static const tb_head multi = {.api = &tb_head_multi_categorical,
                              .n = 3,
                              .n_params = 9,
                              .n_action = 3,
                              .n_unif = 3,
                              .counts = counts};
static const tb_head coins = {
    .api = &tb_head_bernoulli, .n = 4, .n_params = 4, .n_action = 4, .n_unif = 4};
static const tb_head gaussian = {
    .api = &tb_head_gaussian, .n = 2, .n_params = 4, .n_const = 2, .n_action = 2, .n_unif = 2};

static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(tb_head_n_actions(&categorical, 100), 5);
    assert_int_equal(tb_head_n_actions(&multi, 100), 24);
    assert_int_equal(tb_head_n_actions(&coins, 100), 16);
    assert_int_equal(tb_head_n_actions(&gaussian, 100), 0);
    // more than can be counted
    assert_int_equal(tb_head_n_actions(&multi, 24), 24);
    assert_int_equal(tb_head_n_actions(&multi, 23), 24);
    tb_head many = coins;
    many.n = many.n_action = 4000;
    assert_int_equal(tb_head_n_actions(&many, 256), 257);
}

// every action once: all differ, and their probabilities sum to one
static void check_all(const tb_head *head)
{
    double y[9], a[24][4] = {{0}}, sum = 0;
    tb_rng rng = test_rng(3);
    test_fill(&rng, y, head->n_params, 2);
    size_t n = tb_head_n_actions(head, 100);
    for (size_t k = 0; k < n; k++) {
        tb_head_nth_action(head, k, a[k]);
        sum += exp(head->api->log_prob(head, y, a[k]));
        for (size_t l = 0; l < k; l++)
            assert_memory_not_equal(a[k], a[l], sizeof a[k]);
    }
    assert_near(sum, 1, 1e-14);
}

static void test_every_action_once(void **state)
{
    (void)state;
    check_all(&categorical);
    check_all(&multi);
    check_all(&coins);
    double a[3];
    tb_head_nth_action(&multi, 23, a);
    assert_true(a[0] == 1 && a[1] == 2 && a[2] == 3);
    tb_head_nth_action(&multi, 1, a);
    assert_true(a[0] == 0 && a[1] == 0 && a[2] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_every_action_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
