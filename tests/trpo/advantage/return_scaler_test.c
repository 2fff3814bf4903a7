/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/return_scaler.h"

#include <math.h>

#include "tests/trpo/advantage/testing_batch.h"
#include "tests/trpo/testing_image.h"

static const double gamma_ = 0.9;

// every running return of a lane, from raw rewards; `running` goes on from batch to batch
static void append_returns(const double *reward, double *running, double *list, size_t *n)
{
    for (size_t i = 0; i < N; i++) {
        double *r = &running[i / T];
        *r = gamma_ * *r + reward[i];
        list[(*n)++] = *r;
        if (is_end(i))
            *r = 0;
    }
}

static double deviation(const double *list, size_t n)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        mean += list[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (list[i] - mean) * (list[i] - mean) / (double)n;
    return sqrt(squares);
}

static void test_rewards_are_divided_by_the_deviation_of_batches_before(void **state)
{
    (void)state;
    tb_return_scaler scaler;
    tb_error error = {0};
    assert_ok(tb_return_scaler_init(&scaler, L, &error), &error);
    double list[5 * N], running[L] = {0}, raw[N];
    size_t n = 0;
    for (uint64_t b = 0; b < 5; b++) {
        fill(b);
        for (size_t i = 0; i < N; i++) // a task whose rewards grow
            batch.reward[i] *= 10 * (double)(b + 1);
        memcpy(raw, batch.reward, sizeof raw);
        double before = deviation(list, n);
        append_returns(raw, running, list, &n);
        // the first batch has only itself
        double expected = b == 0 ? deviation(list, n) : before;
        tb_return_scaler_apply(&scaler, &batch, gamma_, 1000);
        for (size_t i = 0; i < N; i++)
            assert_near(batch.reward[i], raw[i] / (expected + 1e-8), 1e-12);
        assert_true(scaler.returns.count == (double)n);
    }
    tb_return_scaler_finish(&scaler);
}

static void test_clip(void **state)
{
    (void)state;
    tb_return_scaler scaler;
    tb_error error = {0};
    assert_ok(tb_return_scaler_init(&scaler, L, &error), &error);
    fill(1);
    tb_return_scaler_apply(&scaler, &batch, gamma_, 0.25);
    int low = 0, high = 0;
    for (size_t i = 0; i < N; i++) {
        assert_true(batch.reward[i] >= -0.25 && batch.reward[i] <= 0.25);
        low += batch.reward[i] == -0.25;
        high += batch.reward[i] == 0.25;
    }
    assert_true(low > 0 && high > 0 && low + high < N);
    tb_return_scaler_finish(&scaler);
}

// rewards that are always 0 stay 0
static void test_nothing_to_scale(void **state)
{
    (void)state;
    tb_return_scaler scaler;
    tb_error error = {0};
    assert_ok(tb_return_scaler_init(&scaler, L, &error), &error);
    for (int b = 0; b < 2; b++) {
        fill(1);
        memset(batch.reward, 0, N * sizeof *batch.reward);
        tb_return_scaler_apply(&scaler, &batch, gamma_, 10);
        for (size_t i = 0; i < N; i++)
            assert_true(batch.reward[i] == 0);
    }
    tb_return_scaler_finish(&scaler);
}

static void step(tb_return_scaler *scaler, uint64_t seed, double *reward)
{
    fill(seed);
    tb_return_scaler_apply(scaler, &batch, gamma_, 10);
    memcpy(reward, batch.reward, N * sizeof *reward);
}

static void visit(void *part, tb_state_visitor *visitor)
{
    tb_return_scaler_visit(part, visitor);
}

// a scaler that was saved and put into another continues to the bit, in the middle of episodes
static void test_restored_continues(void **state)
{
    (void)state;
    tb_return_scaler one, other;
    tb_error error = {0};
    double expected[N], reward[N];
    assert_ok(tb_return_scaler_init(&one, L, &error), &error);
    assert_ok(tb_return_scaler_init(&other, L, &error), &error);
    step(&one, 1, reward);
    step(&one, 2, reward);
    step(&other, 9, reward); // something else, which must not remain
    test_copy_state(visit, &one, &other);
    for (uint64_t seed = 3; seed < 6; seed++) {
        step(&one, seed, expected);
        step(&other, seed, reward);
        assert_memory_equal(expected, reward, sizeof expected);
    }
    tb_return_scaler_finish(&one);
    tb_return_scaler_finish(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rewards_are_divided_by_the_deviation_of_batches_before),
        TEST(test_clip),
        TEST(test_nothing_to_scale),
        TEST(test_restored_continues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
