/* SPDX-License-Identifier: MIT */
#include "harness/check/check.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check/fixture.h"
#include "harness/plugin/child.h"
#include "harness/plugin/scan.h"

// the order of the report
static const tb_check_family *const families[] = {
    &tb_check_library, &tb_check_environment, &tb_check_snapshot, &tb_check_vector,
    &tb_check_tabular, &tb_check_render,      &tb_check_policy,
};

const tb_check_family *const *tb_check_families(size_t *n)
{
    *n = sizeof families / sizeof families[0];
    return families;
}

const char *tb_check_outcome_name(tb_check_outcome outcome)
{
    static const char *const names[] = {"pass", "warn", "fail", "skip"};
    return names[outcome];
}

// ---- verdicts ----

// how much an outcome weighs against another
static int weight(tb_check_outcome outcome)
{
    static const int weights[] = {
        [TB_CHECK_PASS] = 0, [TB_CHECK_SKIP] = 1, [TB_CHECK_WARN] = 2, [TB_CHECK_FAIL] = 3};
    return weights[outcome];
}

static void judge(tb_check *c, tb_check_outcome outcome, const char *format, va_list args)
{
    if (weight(outcome) <= weight(c->outcome))
        return;
    c->outcome = outcome;
    vsnprintf(c->reason, sizeof c->reason, format, args);
}

void tb_check_fail(tb_check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    judge(c, TB_CHECK_FAIL, format, args);
    va_end(args);
}

void tb_check_warn(tb_check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    judge(c, TB_CHECK_WARN, format, args);
    va_end(args);
}

void tb_check_skip(tb_check *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    judge(c, TB_CHECK_SKIP, format, args);
    va_end(args);
}

// ---- one test, in this process ----

static const tb_check_test *find_test(const char *id, tb_check_scope *scope)
{
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
        for (size_t j = 0; j < families[i]->n_tests; j++)
            if (strcmp(families[i]->tests[j].id, id) == 0) {
                *scope = families[i]->scope;
                return &families[i]->tests[j];
            }
    return NULL;
}

tb_status tb_check_run_one(const tb_check_options *options, const char *test_id, const char *id,
                           tb_check_result *result, tb_error *error)
{
    tb_check_scope scope;
    const tb_check_test *test = find_test(test_id, &scope);
    if (test == NULL)
        return tb_fail(error, TB_E_PARAM, "no test \"%s\"", test_id);
    tb_check c = {.path = options->path, .id = id, .seed = options->seed};
    tb_error why;
    if (scope != TB_CHECK_LIBRARY && tb_plugin_load(options->path, &c.plugin, &why) != TB_OK)
        tb_check_fail(&c, "%s", why.message);
    else
        test->run(&c);
    tb_check_close_all(&c);
    tb_plugin_release(c.plugin, 0);
    result->test = test;
    result->outcome = c.outcome;
    memcpy(result->reason, c.reason, sizeof result->reason);
    return TB_OK;
}

// ---- one test, in a child ----

static int parse_outcome(const char *name, tb_check_outcome *outcome)
{
    for (int i = TB_CHECK_PASS; i <= TB_CHECK_SKIP; i++)
        if (name != NULL && strcmp(name, tb_check_outcome_name((tb_check_outcome)i)) == 0) {
            *outcome = (tb_check_outcome)i;
            return 1;
        }
    return 0;
}

// what the child printed, or how it came to grief
static void read_child(const tb_child_result *child, double timeout, tb_check_result *result)
{
    json_t *answer = json_loadb(child->out, child->out_size, 0, NULL);
    const char *outcome = json_string_value(json_object_get(answer, "outcome"));
    const char *reason = json_string_value(json_object_get(answer, "reason"));
    char how[128];
    if (child->end == TB_CHILD_EXITED && parse_outcome(outcome, &result->outcome)) {
        snprintf(result->reason, sizeof result->reason, "%s", reason != NULL ? reason : "");
    } else {
        result->outcome = TB_CHECK_FAIL;
        snprintf(result->reason, sizeof result->reason, "%s%s%s",
                 tb_child_describe(child, timeout, how, sizeof how),
                 child->complaint[0] != '\0' ? ": " : "", child->complaint);
    }
    json_decref(answer);
}

static tb_status run_in_child(const tb_check_options *options, const char *id,
                              tb_check_result *result, tb_error *error)
{
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)options->seed);
    const char *argv[] = {tb_program_path(), "check", "--run-test", result->test->id, "--id", id,
                          "--seed",          seed,    "--",         options->path,    NULL};
    tb_child_result child;
    tb_status status = tb_child_run(argv, options->timeout, &child, error);
    if (status != TB_OK)
        return status;
    read_child(&child, options->timeout, result);
    tb_child_finish(&child);
    return TB_OK;
}

// ---- all tests ----

static tb_status run_test(const tb_check_options *options, const regex_t *only,
                          const tb_check_test *test, const char *id, tb_check_report *report,
                          tb_error *error)
{
    char label[512];
    snprintf(label, sizeof label, "%s %s", test->id, id);
    if (only != NULL && regexec(only, label, 0, NULL, 0) != 0)
        return TB_OK;
    tb_check_result *grown =
        realloc(report->results, (report->n_results + 1) * sizeof *report->results);
    if (grown == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    report->results = grown;
    tb_check_result *result = &report->results[report->n_results++];
    *result = (tb_check_result){.test = test, .id = strdup(id)};
    tb_status status = options->in_process ? tb_check_run_one(options, test->id, id, result, error)
                                           : run_in_child(options, id, result, error);
    report->counts[result->outcome]++;
    return status;
}

static tb_status run_family(const tb_check_options *options, const regex_t *only,
                            const tb_check_family *family, const tb_catalog_entry *entries,
                            size_t n_entries, tb_check_report *report, tb_error *error)
{
    tb_status status = TB_OK;
    if (family->scope == TB_CHECK_LIBRARY)
        for (size_t j = 0; j < family->n_tests && status == TB_OK; j++)
            status = run_test(options, only, &family->tests[j], "", report, error);
    tb_catalog_kind kind =
        family->scope == TB_CHECK_ENVIRONMENTS ? TB_CATALOG_ENV : TB_CATALOG_POLICY;
    if (family->scope != TB_CHECK_LIBRARY)
        for (size_t i = 0; i < n_entries; i++)
            for (size_t j = 0; j < family->n_tests && status == TB_OK; j++)
                if (entries[i].kind == kind)
                    status =
                        run_test(options, only, &family->tests[j], entries[i].id, report, error);
    return status;
}

// what the plugin offers, from a child; nothing when it cannot be loaded (the library tests say
// why)
static tb_status scan(const tb_check_options *options, tb_catalog_entry **entries, size_t *n,
                      tb_error *error)
{
    const char *argv[] = {tb_program_path(), "scan-plugin", options->path, NULL};
    tb_child_result child;
    tb_status status = tb_child_run(argv, options->timeout, &child, error);
    if (status != TB_OK)
        return status;
    if (child.end == TB_CHILD_EXITED && child.code == 0)
        tb_scan_parse(child.out, child.out_size, entries, n, NULL);
    tb_child_finish(&child);
    return TB_OK;
}

tb_status tb_check_run(const tb_check_options *options, tb_check_report *report, tb_error *error)
{
    *report = (tb_check_report){0};
    regex_t only;
    if (options->only != NULL && regcomp(&only, options->only, REG_EXTENDED | REG_NOSUB) != 0)
        return tb_fail(error, TB_E_PARAM, "--only: \"%s\" is no regular expression", options->only);
    tb_catalog_entry *entries = NULL;
    size_t n = 0;
    tb_status status = scan(options, &entries, &n, error);
    for (size_t i = 0; i < sizeof families / sizeof families[0] && status == TB_OK; i++)
        status = run_family(options, options->only != NULL ? &only : NULL, families[i], entries, n,
                            report, error);
    for (size_t i = 0; i < n; i++)
        tb_catalog_entry_finish(&entries[i]);
    free(entries);
    if (options->only != NULL)
        regfree(&only);
    return status;
}

void tb_check_report_finish(tb_check_report *report)
{
    for (size_t i = 0; i < report->n_results; i++)
        free(report->results[i].id);
    free(report->results);
    *report = (tb_check_report){0};
}

// ---- output ----

void tb_check_report_print(const tb_check_options *options, const tb_check_report *report)
{
    for (size_t i = 0; i < report->n_results; i++) {
        const tb_check_result *r = &report->results[i];
        printf("%-4s  %-4s %-28s %-44s %s\n", tb_check_outcome_name(r->outcome), r->test->id, r->id,
               r->test->title, r->reason);
    }
    printf("%s: %zu passed, %zu warnings, %zu failed, %zu skipped (seed %llu)\n", options->path,
           report->counts[TB_CHECK_PASS], report->counts[TB_CHECK_WARN],
           report->counts[TB_CHECK_FAIL], report->counts[TB_CHECK_SKIP],
           (unsigned long long)options->seed);
}

json_t *tb_check_report_json(const tb_check_options *options, const tb_check_report *report)
{
    json_t *results = json_array(), *counts = json_object();
    for (size_t i = 0; i < report->n_results; i++) {
        const tb_check_result *r = &report->results[i];
        json_array_append_new(results,
                              json_pack("{s:s, s:s, s:s, s:s, s:s}", "test", r->test->id, "title",
                                        r->test->title, "subject", r->id, "outcome",
                                        tb_check_outcome_name(r->outcome), "reason", r->reason));
    }
    for (int i = TB_CHECK_PASS; i <= TB_CHECK_SKIP; i++)
        json_object_set_new(counts, tb_check_outcome_name((tb_check_outcome)i),
                            json_integer((json_int_t)report->counts[i]));
    return json_pack("{s:s, s:I, s:o, s:o}", "plugin", options->path, "seed",
                     (json_int_t)options->seed, "counts", counts, "results", results);
}
