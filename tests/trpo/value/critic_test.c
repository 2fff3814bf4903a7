/* SPDX-License-Identifier: MIT */
#include "trpo/value/critic.h"

#include <math.h>

#include "tests/trpo/testing.h"
#include "tests/trpo/testing_image.h"
#include "tests/trpo/testing_map.h"
#include "trpo/advantage/gae.h"

enum { I = 2, max_rows = 120 };

static const char *const kinds[] = {"network", "linear-features", "none"};

typedef struct fixture {
    tb_critic critic;
    tb_learner_config config;
    tb_batch batch;
    tb_iteration log;
} fixture;

static fixture fresh(int kind)
{
    fixture f;
    memset(&f, 0, sizeof f);
    tb_options_default(tb_learner_options, &f.config);
    f.config.critic_kind = kind;
    f.config.critic_minibatch = 32;
    return f;
}

static void init(fixture *f)
{
    tb_error error = {0};
    tb_map_spec spec = {
        .struct_size = sizeof spec, .dtype = TB_F64, .n_in = I, .n_out = 1, .out_gain = 1};
    tb_critic_def def = {
        .config = &f->config, .n_inputs = I, .dtype = TB_F64, .max_rows = max_rows, .seed = 1};
    if (tb_critic_kind_of(&f->config)->needs_map) {
        def.api = &test_map_api;
        def.map = test_map_abi(test_map_create(&spec, 4));
        def.spec = &spec;
    }
    assert_ok(tb_critic_init(&f->critic, &def, &error), &error);
    assert_ok(tb_batch_init(&f->batch, max_rows, 1, I * sizeof(double), 1, 1, &error), &error);
    tb_iteration_clear(&f->log);
}

static void finish(fixture *f)
{
    tb_critic_finish(&f->critic);
    tb_batch_finish(&f->batch);
}

// a batch of `seed`: inputs, times and targets 3 + x0 - x1^2, and the critic's values
static void fill(fixture *f, uint64_t seed)
{
    tb_error error = {0};
    tb_rng rng = test_rng(seed);
    f->batch.lanes = 1;
    f->batch.steps = f->batch.n_rows = max_rows;
    f->batch.n_finals = 1;
    for (size_t i = 0; i < max_rows; i++) {
        double *x = (double *)f->batch.x + I * i;
        test_fill(&rng, x, I, 1.5);
        f->batch.time[i] = (double)(i % 20);
        f->batch.target[i] = 3 + x[0] - x[1] * x[1];
    }
    test_fill(&rng, f->batch.final_x, I, 1.5);
    f->batch.final_time[0] = 7;
    f->batch.final_row[0] = max_rows;
    assert_ok(tb_critic_value(&f->critic, &f->batch, &error), &error);
}

static void fit(fixture *f, uint64_t iteration)
{
    tb_error error = {0};
    assert_ok(tb_critic_fit(&f->critic, &f->batch, iteration, &f->log, &error), &error);
}

static void copy_parameters(const fixture *f, double *to, size_t *n)
{
    const double *theta = tb_critic_parameters(&f->critic, n);
    assert_true(*n <= 64);
    memcpy(to, theta, *n * sizeof *theta);
}

// the order of the option's choices is the order of the table
static void test_kinds(void **state)
{
    (void)state;
    tb_learner_config config;
    tb_options_default(tb_learner_options, &config);
    assert_string_equal(tb_critic_kind_of(&config)->id, "network");
    for (int i = 0; i < 3; i++) {
        tb_error error = {0};
        const tb_value value = {.type = TB_VALUE_STRING, .string = kinds[i]};
        assert_ok(tb_option_set(tb_option_find(tb_learner_options, "critic_kind"), &config, &value,
                                &error),
                  &error);
        assert_string_equal(tb_critic_kind_of(&config)->id, kinds[i]);
        assert_int_equal(tb_critic_kind_of(&config)->needs_map, i == 0);
    }
}

// every final observation is valued like a row that is the same, however many there are
static void test_values_of_finals(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        fixture f = fresh(kind);
        init(&f);
        fill(&f, 1);
        fit(&f, 1);
        // as if every row had been truncated: more of them than rows
        f.batch.n_finals = max_rows + 1;
        for (size_t k = 0; k <= max_rows; k++) {
            size_t like = k < max_rows ? (k * 7) % max_rows : 5;
            memcpy((double *)f.batch.final_x + I * k, (double *)f.batch.x + I * like,
                   I * sizeof(double));
            f.batch.final_time[k] = f.batch.time[like];
            f.batch.final_row[k] = k;
        }
        tb_error error = {0};
        assert_ok(tb_critic_value(&f.critic, &f.batch, &error), &error);
        for (size_t k = 0; k < max_rows; k++)
            assert_near(f.batch.final_value[k], f.batch.value[(k * 7) % max_rows], 0);
        assert_near(f.batch.next_value[0], f.batch.value[5], 0);
        assert_true(kind == 2 || f.batch.value[5] != 0);
        finish(&f);
    }
}

// none: nothing is worth anything, also behind a time limit; there is nothing to fit or to keep
static void test_none(void **state)
{
    (void)state;
    fixture f = fresh(2);
    f.config.critic_rollback = 1;
    init(&f);
    f.batch.next_value[0] = 9;
    for (size_t i = 0; i < max_rows; i++)
        f.batch.value[i] = 9;
    for (uint64_t k = 1; k <= 2; k++) {
        fill(&f, k);
        fit(&f, k);
        for (size_t i = 0; i < max_rows; i++)
            assert_near(f.batch.value[i], 0, 0);
        assert_near(f.batch.next_value[0], 0, 0);
        assert_true(f.log.explained_variance_before == 0 && f.log.explained_variance_after == 0);
        assert_near(f.log.critic_loss_before, f.log.critic_loss_after, 0);
        assert_true(f.log.value_mean == 0);
    }
    assert_int_equal(f.log.critic_rolled_back, 0);
    size_t n = 1;
    assert_non_null(tb_critic_parameters(&f.critic, &n));
    assert_int_equal(n, 0);
    finish(&f);
}

/* ---- roll-back ---- */

// everything that decides what the critic will do from here: two fits later, to the bit
static void go_on(fixture *f, double *theta, size_t *n, tb_iteration *log)
{
    for (uint64_t k = 10; k < 12; k++) {
        fill(f, k);
        fit(f, k);
    }
    copy_parameters(f, theta, n);
    *log = f->log;
}

// good fits are kept, with and without
static void test_a_good_fit_is_kept(void **state)
{
    (void)state;
    double a[64], b[64];
    for (int kind = 0; kind < 2; kind++) {
        size_t n;
        for (int rollback = 0; rollback < 2; rollback++) {
            fixture f = fresh(kind);
            f.config.critic_rollback = rollback;
            init(&f);
            fill(&f, 1);
            fit(&f, 1);
            assert_true(f.log.critic_loss_after < f.log.critic_loss_before);
            assert_int_equal(f.log.critic_rolled_back, 0);
            copy_parameters(&f, rollback ? b : a, &n);
            finish(&f);
        }
        assert_memory_equal(a, b, n * sizeof *a);
    }
}

// a learning rate far too high: the fit is undone, and the critic goes on as if it had not been
static void test_a_bad_fit_is_undone(void **state)
{
    (void)state;
    double undone[64], never[64], theta[64];
    tb_iteration logs[2];
    size_t n;
    for (int bad = 0; bad < 2; bad++) {
        fixture f = fresh(0);
        f.config.critic_rollback = 1;
        f.config.critic_learning_rate = 3;
        f.config.critic_epochs = 1;
        init(&f);
        fill(&f, 1);
        copy_parameters(&f, theta, &n);
        if (bad) {
            // the values of a critic that knows everything: no fit can be better
            memcpy(f.batch.value, f.batch.target, max_rows * sizeof(double));
            fit(&f, 1);
            assert_int_equal(f.log.critic_rolled_back, 1);
            assert_true(f.log.critic_loss_after == 0 && f.log.critic_loss_before == 0);
            assert_true(f.log.explained_variance_after == 1);
            copy_parameters(&f, undone, &n);
            assert_memory_equal(undone, theta, n * sizeof *theta);
            f.log.critic_rolled_back = 0;
        }
        go_on(&f, bad ? undone : never, &n, &logs[bad]);
        finish(&f);
    }
    assert_memory_equal(undone, never, n * sizeof *undone);
    assert_same_log(&logs[0], &logs[1]);
}

static void test_without_rollback_a_bad_fit_stays(void **state)
{
    (void)state;
    fixture f = fresh(0);
    f.config.critic_learning_rate = 3;
    f.config.critic_epochs = 1;
    init(&f);
    fill(&f, 1);
    memcpy(f.batch.value, f.batch.target, max_rows * sizeof(double));
    fit(&f, 1);
    assert_true(f.log.critic_loss_after > f.log.critic_loss_before);
    assert_int_equal(f.log.critic_rolled_back, 0);
    finish(&f);
}

// a fit that ends in NaN is undone too, and is no error then
static void test_divergence(void **state)
{
    (void)state;
    for (int rollback = 0; rollback < 2; rollback++) {
        fixture f = fresh(0);
        f.config.critic_rollback = rollback;
        f.config.critic_learning_rate = INFINITY;
        init(&f);
        fill(&f, 1);
        double before[64], after[64];
        size_t n;
        tb_error error = {0};
        copy_parameters(&f, before, &n);
        tb_status status = tb_critic_fit(&f.critic, &f.batch, 4, &f.log, &error);
        if (rollback) {
            assert_ok(status, &error);
            copy_parameters(&f, after, &n);
            assert_memory_equal(before, after, n * sizeof *before);
            assert_int_equal(f.log.critic_rolled_back, 1);
            assert_true(isfinite(f.log.critic_loss_after));
        } else {
            assert_int_equal(status, TB_E_NUMERIC);
            assert_message(&error, "diverged in iteration 4");
            assert_message(&error, "critic_rollback");
        }
        finish(&f);
    }
}

// there is nothing to go back to when the targets themselves are not finite
static void test_targets_that_are_not_finite(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++)
        for (int rollback = 0; rollback < 2; rollback++) {
            fixture f = fresh(kind);
            f.config.critic_rollback = rollback;
            init(&f);
            fill(&f, 1);
            f.batch.target[3] = INFINITY;
            tb_error error = {0};
            assert_int_equal(tb_critic_fit(&f.critic, &f.batch, 12, &f.log, &error), TB_E_NUMERIC);
            assert_message(&error, "not finite in iteration 12");
            finish(&f);
        }
}

/* ---- state ---- */

static void visit(void *part, tb_state_visitor *visitor)
{
    tb_critic_visit(part, visitor);
}

// put into another critic, which had learned something else: from here on both do the same
static void test_restored_continues(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++)
        for (int optimizer = 0; optimizer < 2; optimizer++) {
            fixture a = fresh(kind), b = fresh(kind);
            double expected[64], theta[64];
            tb_iteration log_a, log_b;
            size_t n;
            a.config.critic_optimizer = b.config.critic_optimizer = optimizer;
            init(&a);
            init(&b);
            for (uint64_t k = 1; k <= 3; k++) {
                fill(&a, k);
                fit(&a, k);
            }
            fill(&b, 77);
            for (size_t i = 0; i < max_rows; i++)
                b.batch.target[i] *= -50;
            fit(&b, 77);
            test_copy_state(visit, &a.critic, &b.critic);
            go_on(&a, expected, &n, &log_a);
            go_on(&b, theta, &n, &log_b);
            assert_memory_equal(expected, theta, n * sizeof *theta);
            assert_same_log(&log_a, &log_b);
            finish(&a);
            finish(&b);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_values_of_finals),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_a_good_fit_is_kept),
        cmocka_unit_test(test_a_bad_fit_is_undone),
        cmocka_unit_test(test_without_rollback_a_bad_fit_stays),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_targets_that_are_not_finite),
        cmocka_unit_test(test_restored_continues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
