/* SPDX-License-Identifier: MIT
 *
 * trpo-bench check PLUGIN.so: the conformance checker.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/check/check.h"
#include "harness/cli/command.h"
#include "harness/plugin/child.h"

enum { option_only = 256, option_timeout, option_in_process, option_seed, option_test, option_id };

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0, "Print one JSON object instead of a line a test", 0},
    {"only", option_only, "REGEX", 0,
     "Run only the tests whose \"<test> <id>\" matches, such as \"^E\" or \"E4 classic/\"", 0},
    {"timeout", option_timeout, "SECONDS", 0, "Time that one test may take (default 60)", 0},
    {"seed", option_seed, "N", 0, "Seed of the random keys and actions (default 1)", 0},
    {"in-process", option_in_process, NULL, 0,
     "Run the tests in this process (for a debugger; the first crash ends it)", 0},
    {"run-test", option_test, "TEST", OPTION_HIDDEN, "Run one test here and print its result", 0},
    {"id", option_id, "ID", OPTION_HIDDEN, "Its environment or policy", 0},
    {0},
};

typedef struct arguments {
    tb_check_options check;
    int json;
    const char *test, *id;
} arguments;

static double parse_seconds(struct argp_state *state, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    if (*end != '\0' || !(x > 0 && x <= 86400))
        argp_error(state, "--timeout must be a number of seconds above 0, not \"%s\"", text);
    return x;
}

static uint64_t parse_seed(struct argp_state *state, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long x = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || x > INT64_MAX)
        argp_error(state, "--seed must be an integer from 0 on, not \"%s\"", text);
    return x;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case 'j': a->json = 1; return 0;
    case option_only: a->check.only = value; return 0;
    case option_timeout: a->check.timeout = parse_seconds(state, value); return 0;
    case option_seed: a->check.seed = parse_seed(state, value); return 0;
    case option_in_process: a->check.in_process = 1; return 0;
    case option_test: a->test = value; return 0;
    case option_id: a->id = value; return 0;
    case ARGP_KEY_ARG:
        if (a->check.path != NULL)
            return ARGP_ERR_UNKNOWN;
        a->check.path = value;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which plugin? (trpo-bench list plugins)"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

// the child: one test, its result as JSON on the descriptor that plugin code cannot reach
static int run_one(const arguments *a)
{
    tb_error error = {0};
    tb_check_result result = {0};
    tb_child_die_with_parent();
    int fd = tb_child_take_stdout();
    tb_status status = tb_check_run_one(&a->check, a->test, a->id, &result, &error);
    if (fd < 0 || status != TB_OK)
        _exit(tb_cli_error(&error, TB_EXIT_USAGE));
    json_t *json = json_pack("{s:s, s:s}", "outcome", tb_check_outcome_name(result.outcome),
                             "reason", result.reason);
    int failed = json == NULL || json_dumpfd(json, fd, JSON_COMPACT) != 0;
    json_decref(json);
    _exit(failed ? TB_EXIT_IO : TB_EXIT_OK);
}

static int run(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        "PLUGIN.so",
        "Checks that a plugin keeps what the ABI promises: library, environments, snapshots and "
        "policies.\vExit codes: 0 nothing failed (warnings allowed); 1 some test failed; 2 usage.",
        NULL,
        NULL,
        NULL};
    arguments a = {.check = {.timeout = 60, .seed = 1}, .id = ""};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (a.test != NULL)
        return run_one(&a);
    tb_error error = {0};
    tb_check_report report;
    if (access(a.check.path, R_OK) != 0) {
        tb_fail(&error, TB_E_PARAM, "%s: %s", a.check.path, strerror(errno));
        return tb_cli_error(&error, TB_EXIT_USAGE);
    }
    tb_status status = tb_check_run(&a.check, &report, &error);
    if (status == TB_OK && a.json) {
        json_t *json = tb_check_report_json(&a.check, &report);
        json_dumpf(json, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(json);
    } else if (status == TB_OK) {
        tb_check_report_print(&a.check, &report);
    }
    int exit_code = report.counts[TB_CHECK_FAIL] > 0 ? TB_EXIT_FAILED_CELLS : TB_EXIT_OK;
    tb_check_report_finish(&report);
    return status == TB_OK ? exit_code : tb_cli_error(&error, tb_cli_exit_code(status));
}

const tb_command tb_command_check = {"check", "test that a plugin keeps the ABI's contract", run};
