/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "tests/trpo/testing.h"
#include "trpo/value/critic.h"

enum { I = 2, K = 2 * I + 4, max_rows = 200 };

typedef struct fixture {
    tb_critic critic;
    tb_learner_config config;
    tb_batch batch;
    tb_iteration log;
    double x[max_rows][I];
} fixture;

static void init(fixture *f, uint32_t dtype, double ridge)
{
    tb_error error = {0};
    memset(f, 0, sizeof *f);
    tb_options_default(tb_learner_options, &f->config);
    const tb_value value = {.type = TB_VALUE_STRING, .string = "linear-features"};
    assert_ok(tb_option_set(tb_option_find(tb_learner_options, "critic_kind"), &f->config, &value,
                            &error),
              &error);
    f->config.critic_ridge = ridge;
    tb_critic_def def = {.config = &f->config, .n_inputs = I, .dtype = dtype, .max_rows = max_rows};
    assert_ok(tb_critic_init(&f->critic, &def, &error), &error);
    assert_string_equal(f->critic.kind->id, "linear-features");
    assert_ok(tb_batch_init(&f->batch, max_rows, 1, I * tb_dtype_size(dtype), 1, 1, &error),
              &error);
    f->batch.lanes = 1;
    f->batch.steps = f->batch.n_rows = max_rows;
    tb_rng rng = test_rng(3);
    for (size_t i = 0; i < max_rows; i++) {
        test_fill(&rng, f->x[i], I, 2);
        for (size_t k = 0; k < I; k++)
            f->x[i][k] = (double)(float)f->x[i][k];
        tb_to_native(dtype, f->x[i], (char *)f->batch.x + i * f->batch.x_row_bytes, I);
        f->batch.time[i] = (double)(i % 150);
    }
    tb_iteration_clear(&f->log);
}

static void finish(fixture *f)
{
    tb_critic_finish(&f->critic);
    tb_batch_finish(&f->batch);
}

static void fit(fixture *f)
{
    tb_error error = {0};
    assert_ok(tb_critic_value(&f->critic, &f->batch, &error), &error);
    assert_ok(tb_critic_fit(&f->critic, &f->batch, 1, &f->log, &error), &error);
    assert_ok(tb_critic_value(&f->critic, &f->batch, &error), &error);
}

// the features as they are written in the paper
static void features(const double *o, double t, double *phi)
{
    const double f[K] = {
        o[0], o[1], o[0] * o[0], o[1] * o[1], t / 100, pow(t / 100, 2), pow(t / 100, 3), 1};
    memcpy(phi, f, sizeof f);
}

// a function of the features is found, weight by weight, in both number types
static void test_weights(void **state)
{
    (void)state;
    const double wanted[K] = {1, -2, 3, -4, 5, -6, 7, -8};
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        fixture f;
        init(&f, dtype, 0);
        for (size_t i = 0; i < max_rows; i++) {
            double phi[K];
            features(f.x[i], f.batch.time[i], phi);
            f.batch.target[i] = 0;
            for (size_t k = 0; k < K; k++)
                f.batch.target[i] += wanted[k] * phi[k];
        }
        fit(&f);
        size_t n;
        const double *w = tb_critic_parameters(&f.critic, &n);
        assert_int_equal(n, K);
        for (size_t k = 0; k < K; k++)
            assert_near(w[k], wanted[k], 1e-9);
        for (size_t i = 0; i < max_rows; i++)
            assert_near(f.batch.value[i], f.batch.target[i], 1e-10);
        assert_near(f.log.explained_variance_before, 0, 0); // V = 0 before the first fit
        assert_near(f.log.explained_variance_after, 1, 1e-12);
        double squares = 0;
        for (size_t i = 0; i < max_rows; i++)
            squares += f.batch.target[i] * f.batch.target[i] / max_rows;
        assert_close(f.log.critic_loss_before, squares, 1e-12); // in the targets' own units
        finish(&f);
    }
}

// sum of squares + ridge |w|^2 is smallest: its gradient is 0
static void test_ridge(void **state)
{
    (void)state;
    const double ridges[] = {1e-5, 10};
    for (size_t r = 0; r < 2; r++) {
        fixture f;
        init(&f, TB_F64, ridges[r]);
        tb_rng rng = test_rng(5);
        test_fill(&rng, f.batch.target, max_rows, 20); // noise
        fit(&f);
        size_t n;
        const double *w = tb_critic_parameters(&f.critic, &n);
        for (size_t k = 0; k < K; k++) {
            double g = ridges[r] * w[k];
            for (size_t i = 0; i < max_rows; i++) {
                double phi[K];
                features(f.x[i], f.batch.time[i], phi);
                g += (f.batch.value[i] - f.batch.target[i]) * phi[k];
            }
            assert_near(g, 0, 1e-8);
        }
        finish(&f);
    }
}

// constant observations and times: features that say the same, without a ridge
static void test_singular(void **state)
{
    (void)state;
    fixture f;
    init(&f, TB_F64, 0);
    for (size_t i = 0; i < max_rows; i++) {
        ((double *)f.batch.x)[I * i] = ((double *)f.batch.x)[I * i + 1] = 2;
        f.batch.time[i] = 0;
        f.batch.target[i] = 5 + (i % 2 ? 1 : -1);
    }
    fit(&f);
    for (size_t i = 0; i < max_rows; i++)
        assert_near(f.batch.value[i], 5, 1e-6);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_ridge),
        cmocka_unit_test(test_singular),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
