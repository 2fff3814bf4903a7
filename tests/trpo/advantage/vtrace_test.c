/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/vtrace.h"

#include <math.h>

#include "tests/trpo/advantage/testing_batch.h"
#include "trpo/advantage/gae.h"
#include "trpo/advantage/returns.h"

static double ratio[N];

// ratios from 1/8 to 8
static void fill_ratios(uint64_t seed)
{
    tb_rng rng = test_rng(1000 + seed);
    for (size_t i = 0; i < N; i++)
        ratio[i] = exp2(tb_rng_uniform(&rng, -3, 3));
}

// Espeholt et al. 2018, eq. 1, as it is written: a sum over t of products of c
static double brute_force(size_t s, double gamma, double rho_bar, double c_bar)
{
    double v = batch.value[s], discount = 1, product = 1;
    for (size_t t = s;; t++) {
        double rho = ratio[t] < rho_bar ? ratio[t] : rho_bar;
        v += discount * product * rho * (batch.reward[t] + gamma * value_after(t) - batch.value[t]);
        if (is_end(t) || (t + 1) % T == 0)
            return v;
        product *= ratio[t] < c_bar ? ratio[t] : c_bar;
        discount *= gamma;
    }
}

// v of what came next
static double target_after(size_t row, double gamma, double rho_bar, double c_bar)
{
    return is_end(row) || (row + 1) % T == 0 ? value_after(row)
                                             : brute_force(row + 1, gamma, rho_bar, c_bar);
}

static void test_against_brute_force(void **state)
{
    (void)state;
    const double bars[][2] = {{1, 1}, {2, 0.5}, {4, 4}, {0.25, 0.25}, {100, 1}};
    for (uint64_t seed = 0; seed < 10; seed++)
        for (size_t k = 0; k < 5; k++) {
            double rho_bar = bars[k][0], c_bar = bars[k][1], gamma = seed % 2 ? 0.9 : 1;
            fill(seed);
            fill_ratios(seed);
            tb_vtrace(&batch, ratio, gamma, rho_bar, c_bar);
            for (size_t i = 0; i < N; i++) {
                double v = brute_force(i, gamma, rho_bar, c_bar);
                // products of ratios reach 4^T
                assert_near(batch.target[i], v, 1e-11 * (1 + fabs(v)));
                double rho = ratio[i] < rho_bar ? ratio[i] : rho_bar;
                double q = batch.reward[i] + gamma * target_after(i, gamma, rho_bar, c_bar);
                assert_near(batch.advantage[i], rho * (q - batch.value[i]), 1e-11 * (1 + fabs(q)));
            }
        }
}

// by hand: V = 10, 20, 30, rewards 1, 2, 4, gamma 1/2, behind them 8; ratios 4, 1/2, 2; bars 2, 1
static void test_by_hand(void **state)
{
    (void)state;
    tb_batch three = batch;
    three.lanes = 1;
    three.steps = three.n_rows = 3;
    const double w[] = {4, 0.5, 2};
    for (size_t i = 0; i < 3; i++) {
        three.value[i] = 10 * (double)(i + 1);
        three.reward[i] = (double)(1 << i);
        three.flags[i] = 0;
    }
    three.next_value[0] = 8;
    tb_vtrace(&three, w, 0.5, 2, 1);
    // delta_2 = 2 (4 + 4 - 30) = -44, v_2 = 30 - 44
    assert_near(three.target[2], -14, 0);
    assert_near(three.advantage[2], -44, 0);
    // delta_1 = 1/2 (2 + 15 - 20) = -1.5, c_1 = 1/2: v_1 = 20 - 1.5 + 1/2 1/2 (-44)
    assert_near(three.target[1], 7.5, 0);
    assert_near(three.advantage[1], 0.5 * (2 - 7 - 20), 0);
    // delta_0 = 2 (1 + 10 - 10) = 2, c_0 = 1: v_0 = 10 + 2 + 1/2 (7.5 - 20)
    assert_near(three.target[0], 5.75, 0);
    assert_near(three.advantage[0], 2 * (1 + 3.75 - 10), 0);
    // a termination and a truncation behind the second row
    three.flags[1] = TB_ROW_TERMINATED;
    tb_vtrace(&three, w, 0.5, 2, 1);
    assert_near(three.target[1], 20 + 0.5 * (2 - 20), 0);
    three.flags[1] = TB_ROW_TRUNCATED;
    three.final_value[1] = 6;
    tb_vtrace(&three, w, 0.5, 2, 1);
    assert_near(three.target[1], 20 + 0.5 * (2 + 3 - 20), 0);
}

// on-policy, with bars of 1 or more, v_t is the return with the critic behind it (paper, remark 1)
static void test_on_policy_is_the_return(void **state)
{
    (void)state;
    fill(5);
    tb_returns(&batch, 0.9);
    double target[N], advantage[N];
    memcpy(target, batch.target, sizeof target);
    memcpy(advantage, batch.advantage, sizeof advantage);
    for (int bar = 1; bar <= 2; bar++) {
        tb_vtrace(&batch, NULL, 0.9, bar, 1);
        for (size_t i = 0; i < N; i++) {
            assert_near(batch.target[i], target[i], 1e-12);
            assert_near(batch.advantage[i], advantage[i], 1e-12);
        }
    }
    // and a c_bar below 1 is GAE's lambda, as far as targets go
    tb_gae(&batch, 0.9, 0.7);
    memcpy(target, batch.target, sizeof target);
    tb_vtrace(&batch, NULL, 0.9, 1, 0.7);
    for (size_t i = 0; i < N; i++)
        assert_near(batch.target[i], target[i], 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_against_brute_force),
        TEST(test_by_hand),
        TEST(test_on_policy_is_the_return),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
