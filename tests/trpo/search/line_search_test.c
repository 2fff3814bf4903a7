/* SPDX-License-Identifier: MIT */
#include "trpo/search/line_search.h"

#include "tests/trpo/testing.h"

enum { max_trials = 16 };

typedef struct script {
    tb_trial trials[max_trials];
    double fractions[max_trials]; // as asked for
    int64_t calls;
    int64_t fail_at; // from 1; 0 = never
} script;

static tb_status play(void *ctx, double fraction, tb_trial *out, tb_error *error)
{
    script *s = ctx;
    assert_true(s->calls < max_trials);
    s->fractions[s->calls] = fraction;
    *out = s->trials[s->calls++];
    return s->calls == s->fail_at ? tb_fail(error, TB_E_NUMERIC, "no trial") : TB_OK;
}

static const tb_line_search search = {
    .objective_old = 1, .expected = 0.2, .max_kl = 0.01, .shrink = 0.5, .max_steps = 4};

static tb_line_search_result run(script *s)
{
    tb_line_search_result result;
    tb_error error = {0};
    assert_ok(tb_line_search_run(&search, play, s, &result, &error), &error);
    assert_int_equal(result.steps, s->calls);
    return result;
}

static void test_both_conditions(void **state)
{
    (void)state;
    const struct {
        double objective, kl;
        tb_update_end end;
    } cases[] = {
        {1.1, 0.005, TB_UPDATE_ACCEPTED},
        {1.1, 0.01, TB_UPDATE_ACCEPTED}, // the bound itself is allowed
        {1.1, 0.0100001, TB_UPDATE_KL_EXCEEDED},
        {1.0, 0.005, TB_UPDATE_NO_IMPROVEMENT}, // no change is no improvement
        {0.9, 0.005, TB_UPDATE_NO_IMPROVEMENT},
        {0.9, 0.02, TB_UPDATE_KL_EXCEEDED},
        {1.1, 0, TB_UPDATE_ACCEPTED},
        {NAN, 0.005, TB_UPDATE_NON_FINITE},
        {1.1, NAN, TB_UPDATE_NON_FINITE},
        {INFINITY, 0.005, TB_UPDATE_NON_FINITE},
        {1.1, INFINITY, TB_UPDATE_NON_FINITE},
        {1.1, -INFINITY, TB_UPDATE_NON_FINITE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tb_trial trial = {cases[i].objective, cases[i].kl};
        assert_int_equal(tb_line_search_judge(&search, 1, &trial), cases[i].end);
    }
}

static void test_nan_in_what_is_compared_accepts_nothing(void **state)
{
    (void)state;
    tb_trial good = {1.1, 0.005};
    tb_line_search broken = search;
    broken.objective_old = NAN;
    assert_int_not_equal(tb_line_search_judge(&broken, 1, &good), TB_UPDATE_ACCEPTED);
    broken = search;
    broken.max_kl = NAN;
    assert_int_not_equal(tb_line_search_judge(&broken, 1, &good), TB_UPDATE_ACCEPTED);
    broken = search;
    broken.expected = NAN;
    assert_int_not_equal(tb_line_search_judge(&broken, 1, &good), TB_UPDATE_ACCEPTED);
}

// improvement / (fraction * expected) must exceed the ratio, not reach it
static void test_accept_ratio(void **state)
{
    (void)state;
    tb_line_search strict = search;
    strict.expected = 0.25;
    strict.accept_ratio = 0.5;
    const struct {
        double fraction, objective;
        tb_update_end end;
    } cases[] = {
        {1, 1.125, TB_UPDATE_NO_IMPROVEMENT},           {1, 1.125 + 1e-15, TB_UPDATE_ACCEPTED},
        {0.25, 1.03125, TB_UPDATE_NO_IMPROVEMENT},      {0.25, 1.03125 + 1e-15, TB_UPDATE_ACCEPTED},
        {1, 1.03125 + 1e-15, TB_UPDATE_NO_IMPROVEMENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tb_trial trial = {cases[i].objective, 0.005};
        assert_int_equal(tb_line_search_judge(&strict, cases[i].fraction, &trial), cases[i].end);
    }
    // the whole of what the first order promises is the most that can be asked for
    strict.accept_ratio = 1;
    tb_trial linear = {1.25, 0.005}, convex = {1.26, 0.005};
    assert_int_equal(tb_line_search_judge(&strict, 1, &linear), TB_UPDATE_NO_IMPROVEMENT);
    assert_int_equal(tb_line_search_judge(&strict, 1, &convex), TB_UPDATE_ACCEPTED);
}

// of the last trial, accepted or not, with its own fraction
static void test_ratio_is_told(void **state)
{
    (void)state;
    script accepted = {.trials = {{2, 0.04}, {1.05, 0.009}}};
    assert_near(run(&accepted).ratio, 0.05 / (0.5 * 0.2), 1e-14);
    script refused = {.trials = {{2, 0.04}, {2, 0.04}, {2, 0.04}, {0.99, 0.001}}};
    assert_near(run(&refused).ratio, -0.01 / (0.125 * 0.2), 1e-14);
}

static void test_full_step_first(void **state)
{
    (void)state;
    script s = {.trials = {{1.1, 0.005}}};
    tb_line_search_result result = run(&s);
    assert_int_equal(result.end, TB_UPDATE_ACCEPTED);
    assert_int_equal(result.steps, 1);
    assert_true(s.fractions[0] == 1);
    assert_true(result.fraction == 1);
}

// the first acceptable one is taken, though a later one is better
static void test_first_acceptable(void **state)
{
    (void)state;
    script s = {.trials = {{2, 0.04}, {NAN, 0}, {1.1, 0.009}, {5, 0.001}}};
    tb_line_search_result result = run(&s);
    assert_int_equal(result.end, TB_UPDATE_ACCEPTED);
    assert_int_equal(result.steps, 3);
    assert_true(s.fractions[0] == 1 && s.fractions[1] == 0.5 && s.fractions[2] == 0.25);
    assert_true(result.fraction == 0.25);
    assert_true(result.last.objective == 1.1 && result.last.kl == 0.009);
}

static void test_gives_up_after_max_steps(void **state)
{
    (void)state;
    script s = {.trials = {{2, 0.04}, {2, 0.03}, {2, 0.02}, {0.5, 0.009}, {1.1, 0.005}}};
    tb_line_search_result result = run(&s);
    assert_int_equal(result.steps, 4);
    assert_int_equal(result.end, TB_UPDATE_NO_IMPROVEMENT); // of the last trial
    assert_true(result.fraction == 0);
    assert_true(s.fractions[3] == 0.125);
    assert_true(result.last.objective == 0.5 && result.last.kl == 0.009);
}

static void test_end_tells_of_the_last_trial(void **state)
{
    (void)state;
    script kl = {.trials = {{0.5, 0}, {0.5, 0}, {0.5, 0}, {1.5, 1}}};
    assert_int_equal(run(&kl).end, TB_UPDATE_KL_EXCEEDED);
    script nan = {.trials = {{0.5, 0}, {0.5, 0}, {0.5, 0}, {NAN, NAN}}};
    assert_int_equal(run(&nan).end, TB_UPDATE_NON_FINITE);
}

static void test_failing_trial_is_handed_on(void **state)
{
    (void)state;
    script s = {.trials = {{2, 0.04}, {2, 0.03}}, .fail_at = 2};
    tb_line_search_result result;
    tb_error error = {0};
    assert_int_equal(tb_line_search_run(&search, play, &s, &result, &error), TB_E_NUMERIC);
    assert_string_equal(error.message, "no trial");
    assert_int_equal(s.calls, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_conditions),
        cmocka_unit_test(test_nan_in_what_is_compared_accepts_nothing),
        cmocka_unit_test(test_accept_ratio),
        cmocka_unit_test(test_ratio_is_told),
        cmocka_unit_test(test_full_step_first),
        cmocka_unit_test(test_first_acceptable),
        cmocka_unit_test(test_gives_up_after_max_steps),
        cmocka_unit_test(test_end_tells_of_the_last_trial),
        cmocka_unit_test(test_failing_trial_is_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
