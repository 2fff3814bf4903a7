/* SPDX-License-Identifier: MIT */
#include "trpo/update/draws.h"

#include <math.h>

#include "tests/trpo/testing.h"

enum { n_rows = 7, max_draws = 5, max_params = 4 };

typedef struct fixture {
    const tb_head *head;
    tb_batch batch;
    double y_old[n_rows * max_params], y[n_rows * max_params];
    double action[n_rows * max_draws * 2], log_old[n_rows * max_draws], log_q[n_rows * max_draws],
        q[n_rows * max_draws];
} fixture;

static const tb_head categorical = {
    .api = &tb_head_categorical, .n = 4, .n_params = 4, .n_action = 1, .n_unif = 1};
static const tb_head gaussian = {
    .api = &tb_head_gaussian, .n = 2, .n_params = 4, .n_const = 2, .n_action = 2, .n_unif = 2};

// K actions of pi_old at each row, with Q of any size; the proposal differs from pi_old
static void init(fixture *f, const tb_head *head, size_t n_draws, int self_normalized)
{
    *f = (fixture){.head = head};
    tb_rng rng = test_rng(n_draws);
    test_fill(&rng, f->y_old, n_rows * head->n_params, 0.7);
    test_fill(&rng, f->q, n_rows * n_draws, 5);
    for (size_t i = 0; i < n_rows * head->n_params; i++)
        f->y[i] = f->y_old[i] + tb_rng_uniform(&rng, -0.3, 0.3);
    for (size_t i = 0; i < n_rows * n_draws; i++) {
        double u[2] = {tb_rng_f64(&rng), tb_rng_f64(&rng)};
        const double *y = f->y_old + i / n_draws * head->n_params;
        head->api->sample(head, y, u, f->action + i * head->n_action);
        f->log_old[i] = head->api->log_prob(head, y, f->action + i * head->n_action);
        f->log_q[i] = f->log_old[i] + tb_rng_uniform(&rng, -0.5, 0.5);
    }
    f->batch = (tb_batch){.n_rows = n_rows,
                          .n_draws = n_draws,
                          .draw_weight = 1 / (double)n_draws,
                          .self_normalized = self_normalized,
                          .action = f->action,
                          .log_prob_old = f->log_old,
                          .log_proposal = f->log_q,
                          .advantage = f->q};
}

static double value(const fixture *f, size_t i, const double *y)
{
    double log_prob[max_draws], ratio_error = 0;
    return tb_draws_value(f->head, &f->batch, i, y, log_prob, &ratio_error);
}

// both forms against their definitions
static void test_definitions(void **state)
{
    (void)state;
    const tb_head *const heads[] = {&categorical, &gaussian};
    for (size_t h = 0; h < 2; h++)
        for (int self_normalized = 0; self_normalized < 2; self_normalized++) {
            fixture f;
            init(&f, heads[h], 5, self_normalized);
            for (size_t i = 0; i < n_rows; i++) {
                const double *y = f.y + i * 4;
                double sum = 0, weighted = 0, log_prob[5], largest = 0, ratio_error = 0;
                for (size_t k = 0; k < 5; k++) {
                    size_t at = i * 5 + k;
                    const double *a = f.action + at * heads[h]->n_action;
                    double p = exp(heads[h]->api->log_prob(heads[h], y, a));
                    sum += p / exp(f.log_q[at]);
                    weighted += p / exp(f.log_q[at]) * f.q[at];
                    largest = fmax(largest, fabs(p / exp(f.log_old[at]) - 1));
                }
                double got = tb_draws_value(heads[h], &f.batch, i, y, log_prob, &ratio_error);
                assert_near(got, self_normalized ? weighted / sum : weighted / 5, 1e-13);
                assert_near(ratio_error, largest, 1e-13);
            }
        }
}

static void test_gradient_by_finite_differences(void **state)
{
    (void)state;
    const tb_head *const heads[] = {&categorical, &gaussian};
    for (size_t h = 0; h < 2; h++)
        for (int self_normalized = 0; self_normalized < 2; self_normalized++) {
            fixture f;
            double weight[n_rows];
            init(&f, heads[h], 5, self_normalized);
            for (size_t i = 0; i < n_rows; i++)
                weight[i] = 2 * (double)i / (n_rows - 1);
            f.batch.weight = h == 0 ? weight : NULL;
            for (size_t i = 0; i < n_rows; i++) {
                double y[4], w[4], dy[4], log_prob[5], ratio_error = 0;
                memcpy(y, f.y + i * 4, sizeof y);
                tb_draws_value(heads[h], &f.batch, i, y, log_prob, &ratio_error);
                tb_draws_gradient(heads[h], &f.batch, i, y, log_prob, dy, w);
                for (size_t j = 0; j < 4; j++) {
                    const double step = 1e-5;
                    double at = y[j];
                    y[j] = at + step;
                    double up = value(&f, i, y);
                    y[j] = at - step;
                    double down = value(&f, i, y);
                    y[j] = at;
                    assert_near(w[j],
                                tb_batch_weight(&f.batch, i) * (up - down) / (2 * step) / n_rows,
                                1e-9);
                }
            }
        }
}

// every action once with q = 1: the expectation of Q under the policy, and its exact gradient
static void test_exhaustive_is_the_expectation(void **state)
{
    (void)state;
    fixture f;
    init(&f, &categorical, 4, 0);
    f.batch.draw_weight = 1;
    for (size_t i = 0; i < n_rows; i++) {
        double p[4], total = 0, expected = 0, w[4], dy[4], log_prob[4], ratio_error = 0;
        const double *y = f.y + i * 4;
        for (size_t k = 0; k < 4; k++) {
            f.action[i * 4 + k] = (double)k;
            f.log_q[i * 4 + k] = 0;
            total += exp(y[k]);
        }
        for (size_t k = 0; k < 4; k++) {
            p[k] = exp(y[k]) / total;
            expected += p[k] * f.q[i * 4 + k];
        }
        double got = tb_draws_value(&categorical, &f.batch, i, y, log_prob, &ratio_error);
        assert_near(got, expected, 1e-13);
        tb_draws_gradient(&categorical, &f.batch, i, y, log_prob, dy, w);
        // softmax: d/dy_k sum p Q = p_k (Q_k - sum p Q)
        for (size_t k = 0; k < 4; k++)
            assert_near(w[k], p[k] * (f.q[i * 4 + k] - expected) / n_rows, 1e-13);
    }
}

// what every action's Q has in common moves no parameter, however large it is
static void test_self_normalised_is_free_of_baselines(void **state)
{
    (void)state;
    fixture f;
    init(&f, &gaussian, 5, 1);
    for (size_t i = 0; i < n_rows; i++) {
        double w[4], shifted[4], dy[4], log_prob[5], ratio_error = 0;
        tb_draws_value(&gaussian, &f.batch, i, f.y + i * 4, log_prob, &ratio_error);
        tb_draws_gradient(&gaussian, &f.batch, i, f.y + i * 4, log_prob, dy, w);
        for (size_t k = 0; k < 5; k++)
            f.q[i * 5 + k] += 1000;
        tb_draws_gradient(&gaussian, &f.batch, i, f.y + i * 4, log_prob, dy, shifted);
        for (size_t j = 0; j < 4; j++)
            assert_near(shifted[j], w[j], 1e-11);
    }
}

// a narrow policy and a proposal that knows nothing of it: weights that are all below any number
// still have ratios
static void test_unlikely_actions(void **state)
{
    (void)state;
    fixture f;
    init(&f, &gaussian, 2, 1);
    double y[4] = {0, 0, log(0.01), log(0.01)}, log_prob[2], dy[4], w[4], ratio_error = 0;
    // 50 deviations away, and a little more: log w = -1250 and -1250 - log 3
    f.action[0] = f.action[2] = 0.5;
    f.action[1] = 0;
    f.action[3] = 0.01 * sqrt(2 * log(3));
    f.log_q[0] = f.log_q[1] = 0;
    f.q[0] = 8;
    f.q[1] = 4;
    double got = tb_draws_value(&gaussian, &f.batch, 0, y, log_prob, &ratio_error);
    assert_true(log_prob[0] < -1000 && exp(log_prob[0]) == 0);
    assert_near(got, (3 * 8.0 + 4) / 4, 1e-9);
    tb_draws_gradient(&gaussian, &f.batch, 0, y, log_prob, dy, w);
    // sum w_k / sum w (Q_k - L) a / sigma^2: of the second entry only the second action is not 0
    assert_near(w[0], 0, 1e-9);
    assert_near(w[1], 0.25 * (4 - 7) * f.action[3] * 1e4 / n_rows, 1e-9);
}

// a NaN in any action's likelihood reaches the check at the old parameters
static void test_nan_is_not_lost(void **state)
{
    (void)state;
    fixture f;
    init(&f, &categorical, 3, 1);
    f.log_old[1] = NAN;
    double log_prob[3], ratio_error = 0;
    tb_draws_value(&categorical, &f.batch, 0, f.y, log_prob, &ratio_error);
    assert_true(isnan(ratio_error));
    tb_draws_value(&categorical, &f.batch, 1, f.y + 4, log_prob, &ratio_error);
    assert_true(isnan(ratio_error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_gradient_by_finite_differences),
        cmocka_unit_test(test_exhaustive_is_the_expectation),
        cmocka_unit_test(test_self_normalised_is_free_of_baselines),
        cmocka_unit_test(test_unlikely_actions),
        cmocka_unit_test(test_nan_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
