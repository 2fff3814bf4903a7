/* SPDX-License-Identifier: MIT
 *
 * The conformance checker: does a plugin keep what the ABI's headers promise? A test is one
 * function and one row in the table of its family (library.c, environment.c, snapshot.c, vector.c,
 * tabular.c, render.c, policy.c); each runs in a process of its own with a time limit, because a
 * plugin under test may do anything.
 */
#ifndef HARNESS_CHECK_CHECK_H
#define HARNESS_CHECK_CHECK_H

#include <jansson.h>

#include "harness/plugin/loader.h"

typedef enum tb_check_outcome {
    TB_CHECK_PASS,
    TB_CHECK_WARN, /* allowed, but probably not meant */
    TB_CHECK_FAIL, /* breaks the ABI's contract; crash and time-out too */
    TB_CHECK_SKIP  /* does not apply */
} tb_check_outcome;

/* "pass", "warn", "fail", "skip". */
const char *tb_check_outcome_name(tb_check_outcome outcome);

/* One test being run. */
typedef struct tb_check {
    const char *path;  /* of the plugin */
    const char *id;    /* of the environment or policy under test; "" in the library family */
    tb_plugin *plugin; /* loaded; NULL in the library family, whose tests load it themselves */
    uint64_t seed;
    tb_check_outcome outcome;
    char reason[400];                 /* one line; "" for a plain pass */
    struct tb_check_resource *opened; /* what the runner frees after the test: fixture.h */
} tb_check;

/* Verdicts. The first failure stays; a failure outweighs a warning, a warning a skip. Without any
 * the test has passed. */
void tb_check_fail(tb_check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tb_check_warn(tb_check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tb_check_skip(tb_check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether `condition` holds; if not, the test has failed with this reason. */
#define TB_CHECK_THAT(c, condition, ...) ((condition) ? 1 : (tb_check_fail((c), __VA_ARGS__), 0))

typedef struct tb_check_test {
    const char *id;    /* "E4" */
    const char *title; /* "same key, same trajectory" */
    void (*run)(tb_check *c);
} tb_check_test;

typedef enum tb_check_scope {
    TB_CHECK_LIBRARY,
    TB_CHECK_ENVIRONMENTS, /* once for each environment */
    TB_CHECK_POLICIES      /* once for each policy */
} tb_check_scope;

typedef struct tb_check_family {
    tb_check_scope scope;
    const tb_check_test *tests;
    size_t n_tests;
} tb_check_family;

extern const tb_check_family tb_check_library, tb_check_environment, tb_check_snapshot,
    tb_check_vector, tb_check_tabular, tb_check_render, tb_check_policy;

/* All families, in the order in which they run. */
const tb_check_family *const *tb_check_families(size_t *n);

/* ---- running ---- */

typedef struct tb_check_options {
    const char *path; /* of the plugin */
    const char *only; /* POSIX extended regular expression on "E4 ns/Name-v1"; NULL = all */
    double timeout;   /* seconds a test may take */
    uint64_t seed;
    int in_process; /* run the tests in this process (for debuggers) */
} tb_check_options;

typedef struct tb_check_result {
    const tb_check_test *test;
    char *id; /* of the environment or policy; "" in the library family */
    tb_check_outcome outcome;
    char reason[400];
} tb_check_result;

typedef struct tb_check_report {
    tb_check_result *results;
    size_t n_results;
    size_t counts[4]; /* by tb_check_outcome */
} tb_check_report;

/* Runs every test of every subject. TB_OK whatever the outcomes; errors are a wrong `only` and what
 * keeps the checker itself from working. The report must be freed. */
tb_status tb_check_run(const tb_check_options *options, tb_check_report *report, tb_error *error);
void tb_check_report_finish(tb_check_report *report);

/* One line a test and a summary on standard output. */
void tb_check_report_print(const tb_check_options *options, const tb_check_report *report);
/* The report as an object (new reference). */
json_t *tb_check_report_json(const tb_check_options *options, const tb_check_report *report);

/* Runs test `test_id` on subject `id` in this process and gives its result as an object: the
 * child's side. TB_E_PARAM when there is no such test. */
tb_status tb_check_run_one(const tb_check_options *options, const char *test_id, const char *id,
                           tb_check_result *result, tb_error *error);

#endif
