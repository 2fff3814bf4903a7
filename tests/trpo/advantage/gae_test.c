/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/gae.h"

#include "tests/trpo/advantage/testing_batch.h"

// sum over l of (gamma lambda)^l delta_{t+l}, up to the first end or the lane's last row
static double brute_force(size_t row, double gamma, double lambda)
{
    double sum = 0, weight = 1;
    for (size_t i = row;; i++) {
        sum += weight * (batch.reward[i] + gamma * value_after(i) - batch.value[i]);
        weight *= gamma * lambda;
        if (is_end(i) || (i + 1) % T == 0)
            return sum;
    }
}

// (1 - lambda) sum_k lambda^(k-1) A^(k), the mean of k-step advantages that GAE is by definition
static double mean_of_k_steps(size_t row, double gamma, double lambda)
{
    double sum = 0, rewards = 0, discount = 1, weight = 1 - lambda;
    for (size_t i = row;; i++) {
        rewards += discount * batch.reward[i];
        discount *= gamma;
        double k_step = rewards + discount * value_after(i) - batch.value[row];
        if (is_end(i) || (i + 1) % T == 0) // all longer ones are this one
            return sum + weight / (1 - lambda) * k_step;
        sum += weight * k_step;
        weight *= lambda;
    }
}

static void test_against_brute_force(void **state)
{
    (void)state;
    const double pairs[][2] = {{0.99, 0.95}, {0.9, 0}, {0.9, 1}, {1, 1}, {1, 0.5}, {0, 0.9}};
    for (uint64_t seed = 0; seed < 10; seed++)
        for (size_t k = 0; k < 6; k++) {
            fill(seed);
            tb_gae(&batch, pairs[k][0], pairs[k][1]);
            for (size_t i = 0; i < N; i++) {
                double expected = brute_force(i, pairs[k][0], pairs[k][1]);
                assert_near(batch.advantage[i], expected, 1e-12);
                assert_near(batch.target[i], expected + batch.value[i], 1e-12);
                if (pairs[k][1] < 1)
                    assert_near(expected, mean_of_k_steps(i, pairs[k][0], pairs[k][1]), 1e-12);
            }
        }
}

// one lane of four rows by hand: what each kind of end bootstraps from
static double first_advantage(uint8_t flags, double gamma, double lambda)
{
    tb_batch four = batch;
    four.lanes = 1;
    four.steps = four.n_rows = 4;
    for (size_t i = 0; i < 4; i++) {
        four.reward[i] = 1;
        four.value[i] = 10;
        four.flags[i] = 0;
        four.final_value[i] = 0;
    }
    four.flags[1] = flags;
    four.final_value[1] = 5;
    four.next_value[0] = 20;
    tb_gae(&four, gamma, lambda);
    // after the end everything is another episode, which ends at the end of the batch
    assert_near(four.advantage[3], 1 + gamma * 20 - 10, 1e-15);
    return four.advantage[1];
}

static void test_kinds_of_end(void **state)
{
    (void)state;
    const double gamma = 0.5, lambda = 0.5;
    assert_near(first_advantage(TB_ROW_TERMINATED, gamma, lambda), 1 - 10, 1e-15);
    assert_near(first_advantage(TB_ROW_TRUNCATED, gamma, lambda), 1 + 0.5 * 5 - 10, 1e-15);
    assert_near(first_advantage(TB_ROW_TERMINATED | TB_ROW_TRUNCATED, gamma, lambda), 1 - 10,
                1e-15);
    // no end: delta 1 + 5 - 10 = -4 for rows 1 and 2, then 1 + 10 - 10 = 1, each weighted by 1/4
    assert_near(first_advantage(0, gamma, lambda), -4 + 0.25 * (-4 + 0.25 * 1), 1e-15);
    assert_near(first_advantage(TB_ROW_START, gamma, lambda), -4 + 0.25 * (-4 + 0.25 * 1), 1e-15);
}

static void test_an_end_in_the_last_row_hides_the_next_episode(void **state)
{
    (void)state;
    fill(1);
    for (size_t lane = 0; lane < L; lane++) {
        batch.flags[lane * T + T - 1] = TB_ROW_TERMINATED;
        batch.next_value[lane] = NAN; // of a new episode: must not be read into this one
    }
    tb_gae(&batch, 0.99, 0.95);
    for (size_t i = 0; i < N; i++)
        assert_true(isfinite(batch.advantage[i]));
}

static void test_rewards_to_go(void **state)
{
    (void)state;
    fill(2);
    for (size_t i = 0; i < N; i++)
        batch.value[i] = batch.final_value[i] = 0;
    for (size_t lane = 0; lane < L; lane++)
        batch.next_value[lane] = 0;
    tb_gae(&batch, 0.9, 1);
    for (size_t i = 0; i < N; i++) {
        double sum = 0, discount = 1;
        for (size_t k = i;; k++) {
            sum += discount * batch.reward[k];
            discount *= 0.9;
            if (is_end(k) || (k + 1) % T == 0)
                break;
        }
        assert_near(batch.advantage[i], sum, 1e-13);
    }
}

static void test_lanes_do_not_leak(void **state)
{
    (void)state;
    fill(3);
    tb_gae(&batch, 0.99, 0.95);
    double lane1[T];
    memcpy(lane1, batch.advantage + T, sizeof lane1);
    for (size_t i = 2 * T; i < N; i++)
        batch.reward[i] = batch.value[i] = 1e9;
    batch.next_value[0] = batch.next_value[2] = -1e9;
    tb_gae(&batch, 0.99, 0.95);
    assert_memory_equal(lane1, batch.advantage + T, sizeof lane1);
}

static void test_normalize(void **state)
{
    (void)state;
    fill(4);
    tb_gae(&batch, 0.99, 0.95);
    double first = batch.advantage[0], second = batch.advantage[1], target = batch.target[0];
    tb_normalize_advantages(&batch);
    double mean = 0, squares = 0;
    for (size_t i = 0; i < N; i++)
        mean += batch.advantage[i] / N;
    for (size_t i = 0; i < N; i++)
        squares += batch.advantage[i] * batch.advantage[i] / N;
    assert_near(mean, 0, 1e-14);
    assert_near(squares, 1, 1e-7); // divided by the deviation + 1e-8, not by the variance
    // one scale for all, order kept, targets left alone
    assert_true((first < second) == (batch.advantage[0] < batch.advantage[1]));
    assert_true(batch.target[0] == target);
}

// mean 0 and deviation 1 are those of the weighted rows
static void test_normalize_weighted(void **state)
{
    (void)state;
    double weight[N];
    fill(4);
    tb_gae(&batch, 0.99, 0.95);
    for (size_t i = 0; i < N; i++)
        weight[i] = 2 * (double)i / (N - 1);
    batch.weight = weight;
    tb_normalize_advantages(&batch);
    batch.weight = NULL;
    double mean = 0, squares = 0;
    for (size_t i = 0; i < N; i++)
        mean += weight[i] * batch.advantage[i] / N;
    for (size_t i = 0; i < N; i++)
        squares += weight[i] * batch.advantage[i] * batch.advantage[i] / N;
    assert_near(mean, 0, 1e-14);
    assert_near(squares, 1, 1e-7);
}

static void test_normalize_constant(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        batch.advantage[i] = 3;
    tb_normalize_advantages(&batch);
    for (size_t i = 0; i < N; i++)
        assert_true(batch.advantage[i] == 0);
    tb_batch one = batch;
    one.n_rows = 1;
    one.advantage[0] = -7;
    tb_normalize_advantages(&one);
    assert_true(one.advantage[0] == 0);
}

// a constant that no double can average exactly is still a constant
static void test_normalize_large_constant(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        batch.advantage[i] = 1e9 / 3;
    tb_normalize_advantages(&batch);
    for (size_t i = 0; i < N; i++)
        assert_near(batch.advantage[i], 0, 1e-6);
}

static void test_explained_variance(void **state)
{
    (void)state;
    const double target[] = {1, 2, 3, 4}, shifted[] = {11, 12, 13, 14}, zero[] = {0, 0, 0, 0},
                 wrong[] = {4, 3, 2, 1}, half[] = {0.5, 1, 1.5, 2}, same[] = {7, 7, 7, 7};
    assert_near(tb_explained_variance(target, target, 4), 1, 1e-15);
    assert_near(tb_explained_variance(shifted, target, 4), 1, 1e-15); // a constant is no variance
    assert_near(tb_explained_variance(zero, target, 4), 0, 1e-15);
    assert_near(tb_explained_variance(half, target, 4), 0.75, 1e-15);
    assert_near(tb_explained_variance(wrong, target, 4), -3, 1e-15);
    assert_true(isnan(tb_explained_variance(target, same, 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_against_brute_force),
        TEST(test_kinds_of_end),
        TEST(test_an_end_in_the_last_row_hides_the_next_episode),
        TEST(test_rewards_to_go),
        TEST(test_lanes_do_not_leak),
        TEST(test_normalize),
        TEST(test_normalize_weighted),
        TEST(test_normalize_constant),
        TEST(test_normalize_large_constant),
        TEST(test_explained_variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
