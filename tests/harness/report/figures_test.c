/* SPDX-License-Identifier: MIT
 *
 * Figures: what gnuplot makes of the scripts, and what happens without it.
 */
#include "tests/harness/report/synthetic.h"

#include <omp.h>

static const synthetic_def two_by_two = {.envs = {"a/One-v0", "a/Two-v0"},
                                         .policies = {"mlp"},
                                         .algorithms = {"trpo", "vpg"},
                                         .seeds = "4"};

static void fill(const synthetic *s, double spread)
{
    for (size_t env = 0; env < 2; env++)
        for (size_t algorithm = 0; algorithm < 2; algorithm++)
            for (int seed = 0; seed < 4; seed++)
                synthetic_ok(s, env, 0, algorithm, seed,
                             10 + spread * (seed + 3 * (double)(env + algorithm)));
}

static tb_report_summary report(const synthetic *s)
{
    tb_report_summary summary;
    tb_error error = {.message = ""};
    tb_report_options options = tb_report_default();
    options.resamples = 1000;
    options.curve_resamples = 500;
    if (tb_report_write(s->dir, &options, &summary, &error) != TB_OK)
        fail_msg("%s", error.message);
    return summary;
}

// a program of this name for the report instead of gnuplot
static void use_program(const synthetic *s, const char *script)
{
    char *path = text_of("%s/a-program", s->dir);
    write_text(s->dir, "a-program", script);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(setenv("TRPO_BENCH_GNUPLOT", path, 1), 0);
    free(path);
}

static int forget_program(void **state)
{
    (void)state;
    return unsetenv("TRPO_BENCH_GNUPLOT");
}

static const char *const pictures[] = {"curves", "a__One-v0", "a__Two-v0"};

static int has_picture(const synthetic *s, const char *name, const char *kind)
{
    char *file = text_of("report/fig/%s.%s", name, kind);
    int found = exists(s, file);
    free(file);
    return found;
}

static void drawn(const synthetic *s)
{
    tb_report_summary summary = report(s);
    if (summary.figures != TB_REPORT_FIGURES_DRAWN)
        fail_msg("%s", summary.figures_message);
    assert_string_equal(summary.figures_message, "");
    for (size_t i = 0; i < 3; i++) {
        assert_true(has_picture(s, pictures[i], "svg"));
        assert_true(has_picture(s, pictures[i], "pdf"));
        assert_true(has_picture(s, pictures[i], "png"));
    }
}

static size_t count(const char *text, const char *words)
{
    size_t n = 0;
    for (; (text = strstr(text, words)) != NULL; text += strlen(words))
        n++;
    return n;
}

static size_t count_in(const synthetic *s, const char *name, const char *words)
{
    char *text = read_text(s->dir, name);
    assert_non_null(text);
    size_t n = count(text, words);
    free(text);
    return n;
}

static void every_series_is_named_once(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_by_two);
    fill(&s, 1);
    write_text(s.dir, "plugins.json", "{\"env:a/One-v0\": {\"reward_threshold\": 30}}");
    drawn(&s);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", ">trpo<"), 1);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", ">vpg<"), 1);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", ">One-v0<"), 1);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", ">environment steps<"), 2);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", ">evaluation return<"), 1);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", ">reward threshold<"), 1);
    assert_int_equal(count_in(&s, "report/fig/a__Two-v0.svg", ">reward threshold<"), 0);
    // the caption is the script's header: statistic, interval, resamples, seed, hash
    char *hash = text_of("hash %.8s", s.suite->hash);
    assert_int_equal(count_in(&s, "report/captions.md", hash), 2);
    assert_int_equal(count_in(&s, "report/captions.md", "(500 resamples, seed 0)"), 1);
    free(hash);
    synthetic_finish(&s);
}

static void degenerate_results_are_drawn(void **state)
{
    (void)state;
    synthetic s;
    // all values equal
    synthetic_init(&s, &two_by_two);
    fill(&s, 0);
    drawn(&s);
    synthetic_finish(&s);
    // one run, one evaluation, at step 0
    synthetic_init(&s, &two_by_two);
    synthetic_ok_with(&s, 0, 0, 1, 2, "step,episode,return,length,success\n0,0,5,1,\n");
    drawn(&s);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", ">no data<"), 1);
    synthetic_finish(&s);
    // nothing at all
    synthetic_init(&s, &two_by_two);
    drawn(&s);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", ">no data<"), 2);
    synthetic_finish(&s);
    // huge, and not finite under way
    synthetic_init(&s, &two_by_two);
    for (int seed = 0; seed < 4; seed++)
        synthetic_ok_with(&s, 0, 0, 0, seed,
                          "step,episode,return,length,success\n"
                          "5,0,nan,1,\n10,0,-inf,1,\n15,0,-1e300,1,\n20,0,1e300,1,\n");
    drawn(&s);
    synthetic_finish(&s);
}

static void awkward_names_are_drawn(void **state)
{
    (void)state;
    synthetic s;
    const synthetic_def def = {.envs = {"odd/It's_50%_#1^{x}@y \\n", "odd/`touch here` $HOME"},
                               .policies = {"mlp", "linear"},
                               .algorithms = {"trpo"},
                               .seeds = "4"};
    synthetic_init(&s, &def);
    for (int seed = 0; seed < 4; seed++)
        synthetic_ok(&s, 0, 0, 0, seed, seed);
    assert_int_equal(report(&s).figures, TB_REPORT_FIGURES_DRAWN);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", "It's_50%_#1^{x}@y \\n<"), 1);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", "`touch here` $HOME<"), 1);
    assert_int_equal(count_in(&s, "report/fig/curves.svg", ">trpo (linear)<"), 1);
    synthetic_finish(&s);
}

static const char *const repeatable[] = {
    "scores.csv",
    "table.csv",
    "table.md",
    "table.tex",
    "captions.md",
    "data/a__One-v0.mlp.trpo.tsv",
    "fig/curves.gp",
    "fig/curves.svg",
    "fig/a__One-v0.gp",
    "fig/a__One-v0.svg",
    "data/a__Two-v0.mlp.vpg.tsv",
};
enum { n_repeatable = sizeof repeatable / sizeof repeatable[0] };

static void reports_repeat_to_the_byte(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_by_two);
    fill(&s, 1.7);
    const int threads = omp_get_max_threads();
    char *before[n_repeatable];
    omp_set_num_threads(1);
    drawn(&s);
    for (size_t i = 0; i < n_repeatable; i++) {
        char *name = text_of("report/%s", repeatable[i]);
        before[i] = read_text(s.dir, name);
        assert_non_null(before[i]);
        free(name);
    }
    omp_set_num_threads(3);
    drawn(&s);
    omp_set_num_threads(threads);
    for (size_t i = 0; i < n_repeatable; i++) {
        char *name = text_of("report/%s", repeatable[i]), *after = read_text(s.dir, name);
        assert_string_equal(before[i], after);
        free(name);
        free(after);
        free(before[i]);
    }
    synthetic_finish(&s);
}

static void a_report_that_moved_draws_itself(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_by_two);
    fill(&s, 1);
    drawn(&s);
    char *svg = read_text(s.dir, "report/fig/curves.svg");
    char *command = text_of("mv '%s/report' '%s/moved' && cd '%s/moved/fig' && "
                            "rm curves.svg && gnuplot -d curves.gp",
                            s.dir, s.dir, s.dir);
    assert_int_equal(system(command), 0);
    char *again = read_text(s.dir, "moved/fig/curves.svg");
    assert_string_equal(svg, again);
    free(again);
    free(command);
    free(svg);
    synthetic_finish(&s);
}

static void scripts_but_no_pictures(const synthetic *s)
{
    for (size_t i = 0; i < 3; i++) {
        assert_true(has_picture(s, pictures[i], "gp"));
        assert_false(has_picture(s, pictures[i], "svg"));
    }
    assert_true(exists(s, "report/table.md"));
    assert_true(exists(s, "report/data/a__One-v0.mlp.trpo.tsv"));
}

static void without_gnuplot_the_rest_is_written(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_by_two);
    fill(&s, 1);
    drawn(&s);
    setenv("TRPO_BENCH_GNUPLOT", "/nonexistent/gnuplot", 1);
    tb_report_summary summary = report(&s);
    assert_int_equal(summary.figures, TB_REPORT_FIGURES_NO_GNUPLOT);
    assert_non_null(strstr(summary.figures_message, "\"/nonexistent/gnuplot\" is not there"));
    assert_non_null(strstr(summary.figures_message, "install gnuplot 5.4"));
    scripts_but_no_pictures(&s); // the older pictures would contradict the new tables
    synthetic_finish(&s);
}

static void an_old_gnuplot_is_not_called(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_by_two);
    fill(&s, 1);
    use_program(&s, "#!/bin/sh\necho gnuplot 5.2 patchlevel 8\n");
    tb_report_summary summary = report(&s);
    assert_int_equal(summary.figures, TB_REPORT_FIGURES_NO_GNUPLOT);
    assert_non_null(strstr(summary.figures_message, "is version 5.2, 5.4 or newer is needed"));
    scripts_but_no_pictures(&s);
    synthetic_finish(&s);
}

static void what_gnuplot_says_is_shown(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &two_by_two);
    fill(&s, 1);
    use_program(&s, "#!/bin/sh\n"
                    "[ \"$1\" = --version ] && { echo gnuplot 6.0 patchlevel 0; exit 0; }\n"
                    "echo 'line 3: unknown terminal' >&2\nexit 1\n");
    tb_report_summary summary = report(&s);
    assert_int_equal(summary.figures, TB_REPORT_FIGURES_FAILED);
    assert_non_null(strstr(summary.figures_message, "report/fig/curves.gp (exit code 1): line 3: "
                                                    "unknown terminal"));
    scripts_but_no_pictures(&s);
    // a program that says it succeeded but drew nothing did not succeed
    use_program(&s, "#!/bin/sh\n[ \"$1\" = --version ] && echo gnuplot 6.0 patchlevel 0\nexit 0\n");
    summary = report(&s);
    assert_int_equal(summary.figures, TB_REPORT_FIGURES_FAILED);
    assert_non_null(strstr(summary.figures_message, "a picture is missing"));
    synthetic_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_series_is_named_once),
        cmocka_unit_test(degenerate_results_are_drawn),
        cmocka_unit_test(awkward_names_are_drawn),
        cmocka_unit_test(reports_repeat_to_the_byte),
        cmocka_unit_test(a_report_that_moved_draws_itself),
        cmocka_unit_test_teardown(without_gnuplot_the_rest_is_written, forget_program),
        cmocka_unit_test_teardown(an_old_gnuplot_is_not_called, forget_program),
        cmocka_unit_test_teardown(what_gnuplot_says_is_shown, forget_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
