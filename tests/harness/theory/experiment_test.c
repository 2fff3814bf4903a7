/* SPDX-License-Identifier: MIT */
#include "harness/theory/experiment.h"

#include "tests/trpo/testing_docs.h"
#include "tests/trpo/theory/testing_mdp.h"

enum { n_algorithms = 2, iterations = 5, triples = 6 };

typedef struct fixture {
    tb_theory_suite suite;
    tb_theory_algorithm algorithms[n_algorithms];
    tb_theory_env env;
    unsigned char configs[n_algorithms][64];
    tb_process process;
} fixture;

static void set_up(fixture *f, double tolerance)
{
    static const char *const ids[] = {"monotonic", "npg"};
    *f = (fixture){.env = {.label = (char *)"test"}};
    f->suite.config =
        (tb_theory_config){.triples = triples, .iterations = iterations, .tolerance = tolerance};
    f->suite.algorithms = f->algorithms;
    f->suite.n_algorithms = n_algorithms;
    for (size_t a = 0; a < n_algorithms; a++) {
        f->algorithms[a].algorithm = tb_exact_algorithm_find(ids[a]);
        f->algorithms[a].config = f->configs[a];
        tb_options_default(f->algorithms[a].algorithm->options, f->configs[a]);
    }
    f->process = (tb_process){
        .env = &f->env, .seed = 7, .mdp = mdp_random(7, 8, 3, 3, 0.9, 0.1), .status = TB_E_STATE};
    tb_error error = {0};
    assert_ok(tb_process_prepare(&f->process, &f->suite, &error), &error);
    tb_process_measure(&f->process, &f->suite);
    assert_ok(f->process.status, &f->process.error);
}

static void test_everything_holds(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 1e-10);
    const tb_process *p = &f.process;
    assert_int_equal(p->n_lemma + p->n_theorem + p->n_coupling + p->n_monotone, 0);
    double nearest = 1;
    for (size_t i = 0; i < triples; i++) {
        const tb_triple *t = &p->triples[i];
        assert_true(fabs(t->lemma_error) < 1e-12);
        assert_true(t->eta_new > t->bound.lower_tv && t->bound.lower_tv > t->bound.lower_kl);
        assert_true(t->bound.shift_max < t->shift_bound);
        assert_true(t->eta < p->optimum && t->eta_new < p->optimum);
        nearest = fmin(nearest, t->bound.tv_max);
    }
    // some pairs are far apart, some near
    assert_true(p->triples[0].bound.tv_max > 0.1 && nearest < 0.1);
    tb_process_finish(&f.process, n_algorithms);
}

// the gap |eta - L| is of second order in alpha: the share of the penalty tends to a constant
static void test_tightness(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 1e-10);
    const tb_tightness *t = f.process.steps;
    for (size_t i = 0; i < TB_THEORY_STEPS; i++) {
        assert_close(t[i].alpha, pow(10, -4 + (double)i / 4), 1e-12);
        assert_true(t[i].of_mixture > 0 && t[i].of_mixture < 1);
        assert_true(t[i].of_tv > 0 && t[i].of_tv < 1);
        // at 1 the greedy policy leaves actions out, and the KL is infinite
        assert_true(i + 1 == TB_THEORY_STEPS ? isnan(t[i].of_kl) : t[i].of_kl < t[i].of_tv);
        assert_true(t[i].gain > 0);
    }
    assert_close(t[1].of_mixture, t[0].of_mixture, 1e-2);
    assert_close(t[1].of_kl, t[0].of_kl, 1e-2);
    assert_close(t[0].gain, t[0].surrogate_gain, 1e-2);
    tb_process_finish(&f.process, n_algorithms);
}

static void test_courses(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 1e-10);
    const tb_course *monotonic = &f.process.courses[0], *npg = &f.process.courses[1];
    assert_near(monotonic->eta[0], npg->eta[0], 0);
    double least_change = INFINITY, least_margin = INFINITY;
    for (size_t i = 1; i <= iterations; i++) {
        least_change = fmin(least_change, monotonic->eta[i] - monotonic->eta[i - 1]);
        least_margin = fmin(least_margin, monotonic->eta[i] - monotonic->promised[i]);
        assert_true(monotonic->promised[i] > monotonic->eta[i - 1]);
        assert_true(isnan(npg->promised[i]));
    }
    assert_near(monotonic->least_change, least_change, 0);
    assert_near(monotonic->least_margin, least_margin, 0);
    assert_true(least_margin > 0);
    assert_true(npg->least_margin == INFINITY);
    tb_process_finish(&f.process, n_algorithms);
}

// a function of the seed alone
static void test_repeats(void **state)
{
    (void)state;
    fixture f, g;
    set_up(&f, 1e-10);
    set_up(&g, 1e-10);
    assert_memory_equal(f.process.triples, g.process.triples, triples * sizeof(tb_triple));
    assert_memory_equal(f.process.courses[1].eta, g.process.courses[1].eta,
                        (iterations + 1) * sizeof(double));
    g.process.seed = 8;
    tb_process_measure(&g.process, &g.suite);
    assert_true(f.process.triples[0].eta != g.process.triples[0].eta);
    tb_process_finish(&f.process, n_algorithms);
    tb_process_finish(&g.process, n_algorithms);
}

// without any allowance rounding shows: what is counted is what is measured
static void test_violations_are_counted(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 0);
    size_t n = 0;
    for (size_t i = 0; i < triples; i++)
        n += f.process.triples[i].lemma_error != 0;
    assert_int_equal(f.process.n_lemma, n);
    assert_true(n > 0);
    tb_process_finish(&f.process, n_algorithms);
}

// goes to the worst action everywhere, and promises improvement
static tb_status worsen(const void *config, const tb_exact *at, double *pi_new, double *work,
                        tb_exact_step *log, tb_error *error)
{
    (void)config;
    (void)work;
    (void)error;
    size_t n = at->mdp->n_actions;
    for (size_t s = 0; s < at->mdp->n_states; s++) {
        size_t worst = 0;
        for (size_t a = 1; a < n; a++)
            if (at->q[s * n + a] < at->q[s * n + worst])
                worst = a;
        for (size_t a = 0; a < n; a++)
            pi_new[s * n + a] = 0.5 * at->pi[s * n + a] + 0.5 * (a == worst);
    }
    log->promised = at->eta;
    return TB_OK;
}

static void test_broken_promises_are_counted(void **state)
{
    (void)state;
    static const tb_option none[] = {{NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL}};
    for (int promises = 0; promises < 2; promises++) {
        const tb_exact_algorithm liar = {
            .id = "liar", .options = none, .monotonic = promises, .step = worsen};
        fixture f;
        set_up(&f, 1e-10);
        f.algorithms[1].algorithm = &liar;
        tb_process_measure(&f.process, &f.suite);
        const tb_course *course = &f.process.courses[1];
        assert_int_equal(f.process.status, TB_OK);
        assert_int_equal(course->n_worse, iterations);
        assert_int_equal(course->n_broken, iterations);
        assert_true(course->least_change < 0 && course->least_margin < 0);
        assert_int_equal(f.process.n_monotone, promises ? 2 * iterations : iterations);
        tb_process_finish(&f.process, n_algorithms);
    }
}

static void test_failures_are_told(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 1e-10);
    f.process.mdp->reward[3] = NAN;
    tb_process_measure(&f.process, &f.suite);
    size_t n = f.process.n_lemma + f.process.n_theorem + f.process.n_monotone;
    // either an error or violations: a NaN never counts as a proof
    assert_true(f.process.status != TB_OK || n > 0);
    tb_process_finish(&f.process, n_algorithms);
}

static void test_options_are_documented(void **state)
{
    (void)state;
    static test_text text;
    size_t n;
    const tb_exact_algorithm *const *all = tb_exact_algorithms(&n);
    for (size_t i = 0; i < n; i++) {
        text.n = 0;
        test_print(&text, "### `%s`\n\n%s.\n\n", all[i]->id, all[i]->summary);
        if (all[i]->options->key != NULL)
            test_describe_options(all[i]->options, &text);
        assert_documented("theory.md", &text);
    }
    text.n = 0;
    test_describe_options(tb_theory_options, &text);
    assert_documented("theory.md", &text);
    text.n = 0;
    test_describe_options(tb_theory_env_options, &text);
    assert_documented("theory.md", &text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_holds),
        cmocka_unit_test(test_tightness),
        cmocka_unit_test(test_courses),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_violations_are_counted),
        cmocka_unit_test(test_broken_promises_are_counted),
        cmocka_unit_test(test_failures_are_told),
        cmocka_unit_test(test_options_are_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
