/* SPDX-License-Identifier: MIT
 *
 * The checker is checked: each plugin that is wrong in one way fails the test that is there for it,
 * and the healthy ones pass everything. This program runs its own children: called as `<test>
 * check ...` or `<test> scan-plugin ...` it does what trpo-bench does.
 */
#include "harness/check/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/check/elf.h"
#include "harness/cli/command.h"

#define BROKEN TB_TEST_BINARY_DIR "/broken/"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif

/* Seconds that a plugin which never returns is given; all that comes before must fit in. */
#if defined(THREAD_SANITIZER)
#define PATIENCE 10
#else
#define PATIENCE 1
#endif

static void run(const char *file, const char *only, double timeout, tb_check_report *report)
{
    char path[512];
    tb_error error = {0};
    snprintf(path, sizeof path, BROKEN "%s.so", file);
    tb_check_options options = {.path = path, .only = only, .timeout = timeout, .seed = 1};
    if (tb_check_run(&options, report, &error) != TB_OK)
        fail_msg("%s", error.message);
}

static void each_broken_plugin_fails_its_test(void **state)
{
    (void)state;
    static const struct {
        const char *file, *test;
        tb_check_outcome outcome;
        const char *reason; // a part of it
    } rows[] = {
        {"env-load-crash", "L1", TB_CHECK_FAIL, "crashed (signal 11, segmentation fault)"},
        {"env-load-hang", "L1", TB_CHECK_FAIL, "did not finish within"},
        {"env-load-exit", "L1", TB_CHECK_FAIL, "ended with exit code 3"},
        {"env-extra-symbol", "L2", TB_CHECK_FAIL, "tb_broken_extra"},
        {"env-calls-rand", "L3", TB_CHECK_FAIL, "calls \"rand\""},
        {"env-calls-exit", "L3", TB_CHECK_FAIL, "calls \"exit\""},
        {"env-load-locale", "L5", TB_CHECK_FAIL, "changed the locale"},
        {"env-load-mxcsr", "L5", TB_CHECK_FAIL, "floating-point control"},
        {"env-wrong-magic", "L6", TB_CHECK_FAIL, "not a trpo-bench plugin"},
        {"env-short-entry", "L6", TB_CHECK_FAIL, "struct_size is 16"},
        {"env-wrong-major", "L6", TB_CHECK_FAIL, "needed major version 1"},
        {"env-newer-host", "L6", TB_CHECK_FAIL, "update trpo-bench"},
        {"env-wrong-crc", "L6", TB_CHECK_FAIL, "ABI layout 0x12345678"},
        {"env-needs-cpu", "L6", TB_CHECK_FAIL, "processor features"},
        {"env-null-build", "L6", TB_CHECK_FAIL, "build is NULL"},
        {"env-no-factory", "L6", TB_CHECK_FAIL, "offers neither"},
        {"env-entry-moves", "L7", TB_CHECK_FAIL, "another pointer"},
        {"env-init-once", "L7", TB_CHECK_FAIL, "TB_E_STATE"},
        {"env-init-fails", "L7", TB_CHECK_FAIL, "TB_E_IO"},
        {"env-factory-prefix", "L8", TB_CHECK_FAIL, "tb.env-factory/10"},
        {"env-bad-id", "L10", TB_CHECK_FAIL, "ns/Name-vN"},
        {"env-no-summary", "L10", TB_CHECK_FAIL, "summary is empty"},
        {"env-null-slot", "L11", TB_CHECK_FAIL, "NULL at offset 24"},
        {"env-bad-space", "E1", TB_CHECK_FAIL, "low"},
        {"env-create-crash", "E1", TB_CHECK_FAIL, "crashed (signal 11"},
        {"env-reset-crash", "E2", TB_CHECK_FAIL, "crashed (signal 11"},
        {"env-reset-outside", "E2", TB_CHECK_FAIL, "outside its space"},
        {"env-nan-observation", "E2", TB_CHECK_FAIL, "observations are finite"},
        {"env-overflow", "E3", TB_CHECK_FAIL, "outside the observation buffer"},
        {"env-unseeded", "E4", TB_CHECK_FAIL, "differ from row 0"},
        {"env-step-crash", "E4", TB_CHECK_FAIL, "crashed (signal 11"},
        {"env-step-exit", "E4", TB_CHECK_FAIL, "ended with exit code 0"},
        {"env-step-hang", "E4", TB_CHECK_FAIL, "did not finish within"},
        {"env-step-sleep", "E4", TB_CHECK_FAIL, "did not finish within"},
        {"env-history", "E5", TB_CHECK_FAIL, "after 1 others"},
        {"env-shared-state", "E6", TB_CHECK_FAIL, "stepped in turn"},
        {"env-nan-reward", "E7", TB_CHECK_FAIL, "reward of step 3 is"},
        {"env-unknown-flag", "E7", TB_CHECK_FAIL, "unknown flags 0x8"},
        {"env-no-order", "E8", TB_CHECK_FAIL, "not TB_E_STATE"},
        {"env-auto-reset", "E9", TB_CHECK_FAIL, "resets by itself"},
        {"env-auto-reset-far", "E9", TB_CHECK_FAIL, "resets by itself"},
        {"env-accepts-nan", "E10", TB_CHECK_FAIL, "not TB_E_INVALID"},
        {"env-changed-by-refusal", "E10", TB_CHECK_FAIL, "refused action"},
        {"env-writes-action", "E11", TB_CHECK_FAIL, "writes into the action"},
        {"env-one-step", "E12", TB_CHECK_FAIL, "after one step"},
        {"env-wrong-default", "E13", TB_CHECK_FAIL, "create() uses another"},
        {"env-ignores-range", "E13", TB_CHECK_FAIL, "outside the schema's range"},
        {"env-hidden-param", "E13", TB_CHECK_FAIL, "\"secret\""},
        {"env-ignores-typos", "E13", TB_CHECK_FAIL, "unknown parameter is not refused"},
        {"env-prints", "E14", TB_CHECK_FAIL, "standard output"},
        {"env-mxcsr", "E14", TB_CHECK_FAIL, "floating-point control"},
        {"env-leaks", "E16", TB_CHECK_FAIL, "stay allocated"},
        {"env-snap-misses", "S2", TB_CHECK_FAIL, "the trajectories differ"},
        {"env-snap-shared", "S2", TB_CHECK_FAIL, "another history"},
        {"env-snap-writes", "S3", TB_CHECK_FAIL, "writes into the snapshot"},
        {"env-snap-unequal", "S4", TB_CHECK_FAIL, "differs from the bytes"},
        {"env-snap-overrun", "S5", TB_CHECK_FAIL, "not TB_E_INVALID"},
        {"env-snap-uninitialised", "S6", TB_CHECK_FAIL, "unwritten"},
        {"env-snap-garbage", "S7", TB_CHECK_FAIL, "not TB_E_CORRUPT"},
        {"env-snap-forgets-end", "S8", TB_CHECK_FAIL, "after loading an ended episode"},
        {"env-snap-observe", "S8", TB_CHECK_FAIL, "observe()"},
        {"env-snap-no-rekey", "S9", TB_CHECK_FAIL, "rekey() changes nothing"},
        {"env-snap-perturbs", "S10", TB_CHECK_FAIL, "save() and observe()"},
        {"env-vec-rounding", "V1", TB_CHECK_FAIL, "observation has other bits"},
        {"env-vec-tail", "V1", TB_CHECK_FAIL, "lane 64's reward is"},
        {"env-vec-flags", "V1", TB_CHECK_FAIL, "flags are 0, a scalar instance's 1"},
        {"env-vec-first-key", "V1", TB_CHECK_FAIL, "reset(): lane 1's observation"},
        {"env-vec-overrun", "V1", TB_CHECK_FAIL, "writes outside its buffers"},
        {"env-vec-writes-all", "V2", TB_CHECK_FAIL, "which is not in its mask"},
        {"env-vec-mask-is-one", "V2", TB_CHECK_FAIL, "step(): lane"},
        {"env-vec-moves-all", "V2", TB_CHECK_FAIL, "observation has other bits"},
        {"env-vec-stops", "V3", TB_CHECK_FAIL, "a scalar instance TB_E_STATE"},
        {"env-vec-last-status", "V3", TB_CHECK_FAIL, "its first lane that failed"},
        {"env-vec-silent", "V3", TB_CHECK_FAIL, "last_error() says nothing"},
        {"env-vec-restarts", "V3", TB_CHECK_FAIL, "step() gives TB_OK"},
        {"env-vec-own-bytes", "V4", TB_CHECK_FAIL, "differs from a scalar instance's"},
        {"env-vec-half-load", "V4", TB_CHECK_FAIL, "has other bits"},
        {"env-vec-no-rekey", "V4", TB_CHECK_FAIL, "has other bits"},
        {"env-vec-observes-first", "V4", TB_CHECK_FAIL, "observe() of lane"},
        {"env-vec-any-lane", "V4", TB_CHECK_FAIL, "save() of lane n gives TB_OK"},
        {"env-vec-scope", "V4", TB_CHECK_FAIL, "that of snapshot/1"},
        {"env-vec-allocates", "V5", TB_CHECK_FAIL, "more are allocated"},
        {"env-vec-leaks", "V6", TB_CHECK_FAIL, "stay allocated"},
        {"env-vec-no-lanes", "V6", TB_CHECK_FAIL, "create() of 0 lanes gives TB_OK"},
        {"tabular-null-array", "T1", TB_CHECK_FAIL, "has a NULL"},
        {"tabular-bad-order", "T1", TB_CHECK_FAIL, "outcomes of pair 1 are 2 to before 2"},
        {"tabular-bad-next", "T1", TB_CHECK_FAIL, "leads to state 5 of 5"},
        {"tabular-bad-sum", "T1", TB_CHECK_FAIL, "add up to 0.99"},
        {"tabular-bad-reward", "T1", TB_CHECK_FAIL, "has the reward inf"},
        {"tabular-bad-end", "T1", TB_CHECK_FAIL, "terminated is 2"},
        {"tabular-bad-start", "T1", TB_CHECK_FAIL, "the first state: the probabilities"},
        {"tabular-bad-view", "T1", TB_CHECK_FAIL, "state 4 is observed as 5 of 5"},
        {"tabular-bad-actions", "T1", TB_CHECK_FAIL, "has 1 actions, the space 2"},
        {"tabular-changes", "T2", TB_CHECK_FAIL, "change while it plays"},
        {"tabular-changes-later", "T2", TB_CHECK_FAIL, "gives something else later"},
        {"tabular-differs", "T2", TB_CHECK_FAIL, "two instances have different models"},
        {"tabular-wrong-next", "T3", TB_CHECK_FAIL, "the model does not list"},
        {"tabular-wrong-reward", "T3", TB_CHECK_FAIL, "with reward 10"},
        {"tabular-missed-end", "T3", TB_CHECK_FAIL, "and flags 1"},
        {"tabular-wrong-view", "T3", TB_CHECK_FAIL, "the model says 1"},
        {"tabular-wrong-start", "T3", TB_CHECK_FAIL, "begins in state 1"},
        {"tabular-other-choice", "T3", TB_CHECK_FAIL, "the model does not list"},
        {"tabular-wrong-probability", "T4", TB_CHECK_FAIL, "the model's probability is 0.7"},
        {"tabular-wrong-start-share", "T4", TB_CHECK_FAIL, "episodes began in state 0"},
        {"tabular-get-early", "T5", TB_CHECK_FAIL, "get() before reset()"},
        {"tabular-set-beyond", "T5", TB_CHECK_FAIL, "set(5) gives TB_OK"},
        {"tabular-set-nothing", "T5", TB_CHECK_FAIL, "get() gives 0 after set(1)"},
        {"env-render-absent", "R1", TB_CHECK_SKIP, "no paint here; install a paint box"},
        {"env-render-silent", "R1", TB_CHECK_FAIL, "does not say why"},
        {"env-render-no-size", "R1", TB_CHECK_FAIL, "size of 0 x 80"},
        {"env-render-any-size", "R1", TB_CHECK_FAIL, "0 x 16 pixels gives TB_OK"},
        {"env-render-partial", "R1", TB_CHECK_FAIL, "not every byte is written"},
        {"env-render-overrun", "R1", TB_CHECK_FAIL, "crashed (signal 11"},
        {"env-render-early", "R1", TB_CHECK_FAIL, "before reset() gives TB_OK"},
        {"env-render-leftover", "R2", TB_CHECK_FAIL, "something of before shows"},
        {"env-render-moves", "R3", TB_CHECK_FAIL, "pictures in between"},
        {"env-render-draws", "R3", TB_CHECK_FAIL, "pictures in between"},
        {"env-render-mxcsr", "R3", TB_CHECK_FAIL, "floating-point control"},
        {"policy-blocks-overlap", "P1", TB_CHECK_FAIL, "the one before ends"},
        {"policy-init-unseeded", "P2", TB_CHECK_FAIL, "same key gives other"},
        {"policy-init-nan", "P2", TB_CHECK_FAIL, "initial parameter 0"},
        {"policy-nan-forward", "P3", TB_CHECK_FAIL, "output 0 is"},
        {"policy-batch-dependent", "P3", TB_CHECK_FAIL, "has other bits"},
        {"policy-crash-forward", "P3", TB_CHECK_FAIL, "crashed (signal 6, aborted)"},
        {"policy-wrong-vjp", "P4", TB_CHECK_FAIL, "relative error"},
        {"policy-wrong-jvp", "P4", TB_CHECK_FAIL, "relative error"},
        {"policy-wrong-jvp", "P5", TB_CHECK_FAIL, "central differences"},
        {"policy-wrong-both", "P5", TB_CHECK_FAIL, "central differences"},
        {"policy-nonlinear-jvp", "P6", TB_CHECK_FAIL, "jvp() is not linear"},
        {"policy-wrong-vjp", "P7", TB_CHECK_FAIL, "not symmetric"},
        {"policy-modifies-theta", "P8", TB_CHECK_FAIL, "theta was modified"},
        {"policy-static-scratch", "P9", TB_CHECK_FAIL, "disturb each other"},
        {"policy-reads-workspace", "P10", TB_CHECK_FAIL, "held before"},
        {"policy-empty-batch", "P12", TB_CHECK_FAIL, "an empty batch writes"},
        {"policy-ignores-block", "P13", TB_CHECK_FAIL, "\"bias\""},
        {"policy-f32-differs", "P16", TB_CHECK_FAIL, "in float32"},
        {"policy-const-from-x", "P17", TB_CHECK_FAIL, "depends on x"},
        {"policy-features-absent", "P19", TB_CHECK_SKIP, "no features"},
        {"policy-features-null", "P19", TB_CHECK_FAIL, "is short or has NULL"},
        {"policy-features-none", "P19", TB_CHECK_FAIL, "n_features() is 0"},
        {"policy-features-of-outputs", "P19", TB_CHECK_FAIL, "with 3 outputs, 4 with 5"},
        {"policy-features-overrun", "P19", TB_CHECK_FAIL, "writes outside out"},
        {"policy-features-write-ws", "P19", TB_CHECK_FAIL, "writes into ws"},
        {"policy-features-of-batch", "P19", TB_CHECK_FAIL, "have other bits"},
        {"policy-features-of-jvp", "P19", TB_CHECK_FAIL, "changes the features"},
#if !defined(__SANITIZE_ADDRESS__) && !defined(THREAD_SANITIZER) // where that test is skipped
        {"env-big-data", "L4", TB_CHECK_WARN, "writable data"},
#endif
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tb_check_report report;
        char only[32];
        snprintf(only, sizeof only, "^%s ", rows[i].test);
        run(rows[i].file, only, strstr(rows[i].reason, "within") != NULL ? PATIENCE : 60, &report);
        if (report.n_results != 1)
            fail_msg("%s: %s ran %zu times", rows[i].file, rows[i].test, report.n_results);
        const tb_check_result *r = &report.results[0];
        // all of them in one run, for whoever changes a test
        if (r->outcome != rows[i].outcome || strstr(r->reason, rows[i].reason) == NULL) {
            print_error("%s: %s gives %s \"%s\", expected %s \"...%s...\"\n", rows[i].file,
                        rows[i].test, tb_check_outcome_name(r->outcome), r->reason,
                        tb_check_outcome_name(rows[i].outcome), rows[i].reason);
            failed++;
        }
        tb_check_report_finish(&report);
    }
    assert_int_equal(failed, 0);
}

static void healthy_plugins_pass_everything(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t n_skipped; // E15 without Box actions, V, T, R without vec/1, tabular/1, render/1
    } rows[] = {{"env-healthy", 15},        {"env-healthy-box", 14}, {"env-vec-healthy", 9},
                {"env-render-healthy", 12}, {"tabular-healthy", 4},  {"policy-healthy", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tb_check_report report;
        size_t skipped = rows[i].n_skipped;
        run(rows[i].file, NULL, 60, &report);
        assert_true(report.n_results > 20);
        for (size_t j = 0; j < report.n_results; j++) {
            const tb_check_result *r = &report.results[j];
            skipped += r->outcome == TB_CHECK_SKIP && strcmp(r->test->id, "L4") == 0;
            if (r->outcome != TB_CHECK_PASS && r->outcome != TB_CHECK_SKIP)
                fail_msg("%s: %s: %s", rows[i].file, r->test->id, r->reason);
        }
        assert_int_equal(report.counts[TB_CHECK_SKIP], skipped);
        assert_int_equal(report.counts[TB_CHECK_PASS], report.n_results - skipped);
        tb_check_report_finish(&report);
    }
}

static void a_plugin_that_cannot_be_loaded_is_only_a_library(void **state)
{
    (void)state;
    tb_check_report report;
    run("env-wrong-major", NULL, 60, &report);
    assert_int_equal(report.n_results, tb_check_library.n_tests);
    tb_check_report_finish(&report);
}

static void running_in_process_gives_the_same(void **state)
{
    (void)state;
    tb_check_options options = {
        .path = BROKEN "env-history.so", .only = "^E5", .timeout = 60, .seed = 1, .in_process = 1};
    tb_check_report report;
    assert_int_equal(tb_check_run(&options, &report, NULL), TB_OK);
    assert_int_equal(report.n_results, 1);
    assert_int_equal(report.results[0].outcome, TB_CHECK_FAIL);
    json_t *json = tb_check_report_json(&options, &report);
    const json_t *row = json_array_get(json_object_get(json, "results"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "test")), "E5");
    assert_string_equal(json_string_value(json_object_get(row, "subject")), "broken/history-v1");
    assert_string_equal(json_string_value(json_object_get(row, "outcome")), "fail");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "counts"), "fail")),
                     1);
    json_decref(json);
    tb_check_report_finish(&report);
}

static void a_wrong_expression_is_an_error(void **state)
{
    (void)state;
    tb_check_options options = {
        .path = BROKEN "env-healthy.so", .only = "(", .timeout = 60, .seed = 1};
    tb_check_report report;
    tb_error error = {0};
    assert_int_equal(tb_check_run(&options, &report, &error), TB_E_PARAM);
    assert_non_null(strstr(error.message, "\"(\" is no regular expression"));
}

static void test_ids_are_unique(void **state)
{
    (void)state;
    size_t n;
    const tb_check_family *const *families = tb_check_families(&n);
    for (size_t f = 0; f < n; f++)
        for (size_t t = 0; t < families[f]->n_tests; t++)
            for (size_t g = 0; g <= f; g++)
                for (size_t u = 0; u < (g == f ? t : families[g]->n_tests); u++)
                    assert_string_not_equal(families[f]->tests[t].id, families[g]->tests[u].id);
}

// the ELF reader meets truncated and foreign files
static void elf_files_are_read_or_refused(void **state)
{
    (void)state;
    tb_elf elf;
    tb_error error = {0};
    assert_int_equal(tb_elf_read(BROKEN "env-healthy.so", &elf, &error), TB_OK);
    int found = 0;
    for (size_t i = 0; i < elf.n_imports; i++)
        found |= strcmp(elf.imports[i], "calloc") == 0 ||
                 strcmp(elf.imports[i], "__interceptor_calloc") == 0;
    assert_true(found);
    tb_elf_finish(&elf);
    assert_int_equal(tb_elf_read(TB_TEST_SOURCE_DIR "/LICENSE", &elf, &error), TB_E_CORRUPT);
    assert_int_equal(tb_elf_read("/nonexistent", &elf, &error), TB_E_IO);

    // a shared object cut off at every kind of place
    char path[] = "/tmp/tb-elf-XXXXXX";
    int fd = mkstemp(path);
    FILE *in = fopen(BROKEN "env-healthy.so", "rb"), *out = fdopen(fd, "wb");
    assert_true(in != NULL && out != NULL);
    for (int i = 0; i < 4000; i++)
        fputc(fgetc(in), out);
    fclose(in);
    fclose(out);
    assert_int_equal(tb_elf_read(path, &elf, &error), TB_E_CORRUPT);
    remove(path);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "check") == 0)
        return tb_command_check.run(argc - 1, argv + 1);
    if (argc > 1)
        return tb_command_scan_plugin.run(argc - 1, argv + 1);
    // children must die of their signals, also when AddressSanitizer is there
    setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_plugins_pass_everything),
        cmocka_unit_test(each_broken_plugin_fails_its_test),
        cmocka_unit_test(a_plugin_that_cannot_be_loaded_is_only_a_library),
        cmocka_unit_test(running_in_process_gives_the_same),
        cmocka_unit_test(a_wrong_expression_is_an_error),
        cmocka_unit_test(test_ids_are_unique),
        cmocka_unit_test(elf_files_are_read_or_refused),
    };
    return cmocka_run_group_tests_name("conformance checker", tests, NULL, NULL);
}
