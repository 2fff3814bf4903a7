/* SPDX-License-Identifier: MIT
 *
 * trpo-bench report: exit codes.
 */
#include "tests/harness/report/synthetic.h"

#include <fcntl.h>

#include "harness/cli/command.h"

static const synthetic_def one_cell = {
    .envs = {"a/One-v0"}, .policies = {"mlp"}, .algorithms = {"trpo"}, .seeds = "[0, 1, 2]"};

static int run_quietly(const char *dir, char *option)
{
    fflush(NULL);
    int out = dup(1), err = dup(2), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, 1);
    dup2(null, 2);
    char *argv[] = {(char *)"trpo-bench report", (char *)dir, option, NULL};
    int code = tb_command_report.run(option != NULL ? 3 : 2, argv);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    close(null);
    return code;
}

static char no_plot[] = "--no-plot", draw[] = "--reps=500", nothing[] = "--filter=nothing";

static void exit_codes(void **state)
{
    (void)state;
    synthetic s;
    synthetic_init(&s, &one_cell);
    for (int seed = 0; seed < 2; seed++)
        synthetic_ok(&s, 0, 0, 0, seed, seed);
    assert_int_equal(run_quietly(s.dir, no_plot), TB_EXIT_FAILED_CELLS); // one is missing
    synthetic_ok(&s, 0, 0, 0, 2, 7);
    assert_int_equal(run_quietly(s.dir, no_plot), TB_EXIT_OK);
    assert_int_equal(run_quietly(s.dir, nothing), TB_EXIT_USAGE);
    // no gnuplot is no failure, one that fails is
    setenv("TRPO_BENCH_GNUPLOT", "/nonexistent/gnuplot", 1);
    assert_int_equal(run_quietly(s.dir, draw), TB_EXIT_OK);
    char *program = text_of("%s/a-program", s.dir);
    write_text(s.dir, "a-program",
               "#!/bin/sh\n"
               "[ \"$1\" = --version ] && echo gnuplot 6.0 && exit 0\n"
               "exit 1\n");
    assert_int_equal(chmod(program, 0755), 0);
    setenv("TRPO_BENCH_GNUPLOT", program, 1);
    free(program);
    assert_int_equal(run_quietly(s.dir, draw), TB_EXIT_IO);
    unsetenv("TRPO_BENCH_GNUPLOT");
    synthetic_ok_with(&s, 0, 0, 0, 1, "step,episode,return\n1,2\n");
    assert_int_equal(run_quietly(s.dir, no_plot), TB_EXIT_MISMATCH);
    assert_true(exists(&s, "report/table.md")); // written all the same
    write_text(s.dir, "suite.resolved.json", "{");
    assert_int_equal(run_quietly(s.dir, no_plot), TB_EXIT_MISMATCH);
    synthetic_finish(&s);
    assert_int_equal(run_quietly("/nonexistent/results", no_plot), TB_EXIT_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(exit_codes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
