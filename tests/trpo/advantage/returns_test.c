/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/returns.h"

#include "tests/trpo/advantage/testing_batch.h"
#include "trpo/advantage/gae.h"

// rewards one by one up to the first end or the lane's last row, and what is behind it
static double brute_force(size_t row, double gamma)
{
    double sum = 0, discount = 1;
    for (size_t i = row;; i++) {
        sum += discount * batch.reward[i];
        discount *= gamma;
        if (is_end(i) || (i + 1) % T == 0)
            return sum + discount * value_after(i);
    }
}

static void test_against_brute_force(void **state)
{
    (void)state;
    const double gammas[] = {0.99, 1, 0.5, 0};
    for (uint64_t seed = 0; seed < 10; seed++)
        for (size_t k = 0; k < 4; k++) {
            fill(seed);
            tb_returns(&batch, gammas[k]);
            for (size_t i = 0; i < N; i++) {
                double expected = brute_force(i, gammas[k]);
                assert_near(batch.target[i], expected, 1e-12);
                assert_near(batch.advantage[i], expected - batch.value[i], 1e-12);
            }
        }
}

// lambda = 1 makes the sum of temporal differences a return less the first value
static void test_is_gae_with_lambda_1(void **state)
{
    (void)state;
    fill(3);
    double target[N], advantage[N];
    tb_gae(&batch, 0.97, 1);
    memcpy(target, batch.target, sizeof target);
    memcpy(advantage, batch.advantage, sizeof advantage);
    tb_returns(&batch, 0.97);
    for (size_t i = 0; i < N; i++) {
        assert_near(batch.target[i], target[i], 1e-12);
        assert_near(batch.advantage[i], advantage[i], 1e-12);
    }
}

// by hand: rewards 1 2 4 8, gamma 1/2, V = 10; an end of each kind behind the second row
static void test_by_hand(void **state)
{
    (void)state;
    const struct {
        uint8_t flags;
        double behind;                        // of the second row
    } cases[] = {{0, 4 + 8 / 2.0 + 20 / 4.0}, // the lane goes on to its end, worth 20
                 {TB_ROW_TERMINATED, 0},
                 {TB_ROW_TRUNCATED, 6},
                 {TB_ROW_TERMINATED | TB_ROW_TRUNCATED, 0}};
    for (size_t c = 0; c < 4; c++) {
        tb_batch four = batch;
        four.lanes = 1;
        four.steps = four.n_rows = 4;
        for (size_t i = 0; i < 4; i++) {
            four.reward[i] = (double)(1 << i);
            four.value[i] = 10;
            four.flags[i] = i == 1 ? cases[c].flags : 0;
            four.final_value[i] = i == 1 ? 6 : 0;
        }
        four.next_value[0] = 20;
        tb_returns(&four, 0.5);
        assert_near(four.target[3], 8 + 10, 0);
        assert_near(four.target[2], 4 + 9, 0);
        assert_near(four.target[1], 2 + cases[c].behind / 2, 0);
        assert_near(four.target[0], 1 + four.target[1] / 2, 0);
        assert_near(four.advantage[0], four.target[0] - 10, 0);
    }
}

// with V = 0 everywhere: rewards-to-go, nothing behind any end
static void test_without_a_critic(void **state)
{
    (void)state;
    fill(2);
    memset(batch.value, 0, N * sizeof *batch.value);
    memset(batch.final_value, 0, N * sizeof *batch.final_value);
    memset(batch.next_value, 0, L * sizeof *batch.next_value);
    tb_returns(&batch, 0.9);
    for (size_t i = 0; i < N; i++) {
        assert_near(batch.advantage[i], brute_force(i, 0.9), 1e-13);
        assert_near(batch.advantage[i], batch.target[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_against_brute_force),
        TEST(test_is_gae_with_lambda_1),
        TEST(test_by_hand),
        TEST(test_without_a_critic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
