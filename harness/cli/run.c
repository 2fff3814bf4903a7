/* SPDX-License-Identifier: MIT
 *
 * trpo-bench [run] SUITE.toml: suite -> plan -> workers -> report.
 */
#include <argp.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/cli/command.h"
#include "harness/cli/progress.h"
#include "harness/plugin/child.h"
#include "harness/report/report.h"
#include "harness/store/file.h"
#include "harness/store/results.h"
#include "harness/worker/pool.h"

enum { max_lists = 64 };

// seconds that a cell may take to be made
static const double probe_timeout = 60;
enum {
    OPTION_SET = 256,
    OPTION_PLUGIN_DIR,
    OPTION_SEEDS,
    OPTION_FILTER,
    OPTION_DRY_RUN,
    OPTION_TIMEOUT,
    OPTION_NO_REPORT,
    OPTION_PROGRESS,
    OPTION_THREADS
};

typedef struct tb_run_args {
    const char *suite, *seeds, *filter, *output;
    const char *set[max_lists], *plugin_dirs[max_lists];
    size_t n_set, n_plugin_dirs;
    int jobs, threads; /* 0 = choose */
    int dry_run, no_report;
    double timeout;
    tb_progress_style progress;
} tb_run_args;

static volatile sig_atomic_t stop_signal;

static void remember_signal(int signal)
{
    stop_signal = signal;
}

static int positive(const char *text, struct argp_state *state, const char *name)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value < 1 || value > 4096)
        argp_error(state, "%s takes a whole number from 1 to 4096, not \"%s\"", name, text);
    return (int)value;
}

static void add(const char **list, size_t *n, const char *value, struct argp_state *state)
{
    if (*n == max_lists)
        argp_error(state, "at most %d of these options", max_lists);
    list[(*n)++] = value;
}

static tb_progress_style style_of(const char *text, struct argp_state *state)
{
    static const char *const names[] = {"auto", "full", "plain", "none"};
    for (size_t i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0)
            return (tb_progress_style)i;
    argp_error(state, "--progress takes auto, full, plain or none, not \"%s\"", text);
    return TB_PROGRESS_AUTO;
}

static error_t parse_value(int key, char *argument, struct argp_state *state)
{
    tb_run_args *args = state->input;
    char *end;
    switch (key) {
    case 'j': args->jobs = positive(argument, state, "-j"); break;
    case OPTION_THREADS: args->threads = positive(argument, state, "--threads"); break;
    case OPTION_TIMEOUT:
        args->timeout = strtod(argument, &end);
        if (*argument == '\0' || *end != '\0' || !(args->timeout > 0) || !isfinite(args->timeout))
            argp_error(state, "--timeout takes seconds above 0, not \"%s\"", argument);
        break;
    case OPTION_PROGRESS: args->progress = style_of(argument, state); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    tb_run_args *args = state->input;
    switch (key) {
    case 'o':
        if (argument[0] == '\0')
            argp_error(state, "-o takes a folder, not an empty text");
        args->output = argument;
        break;
    case 'q': args->progress = TB_PROGRESS_NONE; break;
    case OPTION_SEEDS: args->seeds = argument; break;
    case OPTION_FILTER: args->filter = argument; break;
    case OPTION_SET: add(args->set, &args->n_set, argument, state); break;
    case OPTION_PLUGIN_DIR: add(args->plugin_dirs, &args->n_plugin_dirs, argument, state); break;
    case OPTION_DRY_RUN: args->dry_run = 1; break;
    case OPTION_NO_REPORT: args->no_report = 1; break;
    case ARGP_KEY_ARG:
        if (args->suite != NULL)
            argp_error(state, "one suite at a time: \"%s\" and \"%s\"", args->suite, argument);
        args->suite = argument;
        break;
    case ARGP_KEY_END:
        if (args->suite == NULL)
            argp_error(state, "no suite given; try suites/smoke.toml");
        break;
    default: return parse_value(key, argument, state);
    }
    return 0;
}

static const struct argp_option options[] = {
    {"output", 'o', "DIR", 0, "results go to DIR/<suite>-<hash> (default: results)", 0},
    {"jobs", 'j', "N", 0, "cells at a time (default: number of cores)", 0},
    {"threads", OPTION_THREADS, "N", 0,
     "threads of each cell (default: cores divided by jobs); never changes a result", 0},
    {"seeds", OPTION_SEEDS, "LIST", 0,
     "instead of the suite's: a count (10), a range (0-9), a list (0,3,5-7)", 0},
    {"filter", OPTION_FILTER, "REGEX", 0,
     "only cells whose label matches, for example 'CartPole.* trpo'", 0},
    {"set", OPTION_SET, "KEY=VALUE", 0,
     "override an option everywhere, for example max_kl=0.02; makes another suite", 0},
    {"plugin-dir", OPTION_PLUGIN_DIR, "PATH", 0, "look for plugins here too (a folder or a file)",
     0},
    {"timeout", OPTION_TIMEOUT, "SECONDS", 0, "stop a cell that takes longer; it counts as failed",
     0},
    {"dry-run", OPTION_DRY_RUN, NULL, 0,
     "show what would run, with each command line; write nothing", 0},
    {"no-report", OPTION_NO_REPORT, NULL, 0,
     "run only; `trpo-bench report` writes tables and figures later", 0},
    {"progress", OPTION_PROGRESS, "STYLE", 0, "auto, full, plain or none", 0},
    {"quiet", 'q', NULL, 0, "the same as --progress=none", 0},
    {0},
};

/* Everything between the arguments and the first worker. */
typedef struct tb_session {
    tb_catalog *catalog;
    tb_suite *suite;
    tb_plan plan;
    char *results;
    int lock;
    const tb_cell **todo;
    size_t n_todo, n_done;
} tb_session;

static tb_status make_catalog(const tb_run_args *args, tb_catalog **out, tb_error *error)
{
    char **named = NULL;
    size_t n_named = 0;
    tb_status status = tb_suite_plugin_paths(args->suite, &named, &n_named, error);
    if (status != TB_OK)
        return status;
    const char **paths = calloc(n_named + args->n_plugin_dirs + 1, sizeof *paths);
    if (paths == NULL) {
        tb_suite_free_paths(named, n_named);
        return tb_fail(error, TB_E_NOMEM, "no memory for the plugin paths");
    }
    for (size_t i = 0; i < n_named; i++)
        paths[i] = named[i];
    for (size_t i = 0; i < args->n_plugin_dirs; i++)
        paths[n_named + i] = args->plugin_dirs[i];
    status = tb_catalog_make(paths, n_named + args->n_plugin_dirs, out, error);
    free(paths);
    tb_suite_free_paths(named, n_named);
    return status;
}

static tb_status plan_session(const tb_run_args *args, tb_session *session, tb_error *error)
{
    tb_status status = make_catalog(args, &session->catalog, error);
    if (status != TB_OK)
        return status;
    for (size_t i = 0; i < session->catalog->n_refusals; i++)
        fprintf(stderr, "trpo-bench: plugin left out: %s\n", session->catalog->refusals[i]);
    tb_suite_overrides overrides = {.seeds = args->seeds, .set = args->set, .n_set = args->n_set};
    status = tb_suite_load(args->suite, session->catalog, &overrides, &session->suite, error);
    if (status == TB_OK)
        status = tb_plan_make(session->suite, args->filter, &session->plan, error);
    if (status != TB_OK)
        return status;
    session->results = tb_results_path(args->output, session->suite);
    session->todo = calloc(session->plan.n_cells, sizeof *session->todo);
    if (session->results == NULL || session->todo == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for the plan");
    return TB_OK;
}

static tb_status find_missing(tb_session *session, tb_error *error)
{
    for (size_t i = 0; i < session->plan.n_cells; i++) {
        char *folder = tb_format("%s/%s", session->results, session->plan.cells[i].path);
        if (folder == NULL)
            return tb_fail(error, TB_E_NOMEM, "no memory for a path");
        if (tb_run_is_complete(folder))
            session->n_done++;
        else
            session->todo[session->n_todo++] = &session->plan.cells[i];
        free(folder);
    }
    return TB_OK;
}

static void finish_session(tb_session *session)
{
    if (session->lock >= 0)
        close(session->lock);
    free(session->todo);
    free(session->results);
    tb_plan_free(&session->plan);
    tb_suite_free(session->suite);
    tb_catalog_free(session->catalog);
}

// as a shell takes it back
static void put_word(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, stdout);
        return;
    }
    putchar('\'');
    for (; *word != '\0'; word++)
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    putchar('\'');
}

static int show_plan(tb_session *session, tb_error *error)
{
    tb_status status = find_missing(session, error);
    if (status != TB_OK)
        return tb_cli_error(error, tb_cli_exit_code(status));
    printf("%s: %zu cells (%zu environments x %zu policies x %zu algorithms x %zu seeds), %zu "
           "done, %zu to run\n",
           session->suite->name, session->plan.n_cells, session->suite->n_envs,
           session->suite->n_policies, session->suite->n_algorithms, session->suite->n_seeds,
           session->n_done, session->n_todo);
    printf("results: %s\n", session->results);
    for (size_t i = 0; i < session->n_todo; i++) {
        char **command = tb_pool_command(session->results, session->todo[i]);
        for (size_t k = 0; command != NULL && command[k] != NULL; k++) {
            fputs(k > 0 ? " " : "", stdout);
            put_word(command[k]);
        }
        putchar('\n');
        tb_pool_free_command(command);
    }
    return TB_EXIT_OK;
}

static int number_of_cores(void)
{
    // those this process may use: taskset and batch systems give a part of a machine
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 4096 ? 4096 : (int)n;
}

static void catch_signals(void)
{
    // blocked but for the moments when the pool waits: no signal is lost between two looks
    struct sigaction action = {.sa_handler = remember_signal};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void release_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static tb_status run_cells(const tb_run_args *args, const tb_session *session,
                           tb_pool_result *result, tb_error *error)
{
    int cores = number_of_cores();
    int jobs = args->jobs > 0 ? args->jobs : cores;
    if ((size_t)jobs > session->n_todo)
        jobs = (int)session->n_todo;
    if (jobs == 0) {
        *result = (tb_pool_result){0};
        return TB_OK;
    }
    tb_progress progress;
    tb_progress_begin(&progress, args->progress, session->suite, session->todo, session->n_todo);
    progress.stop = &stop_signal;
    tb_pool_def def = {
        .results = session->results,
        .cells = session->todo,
        .n_cells = session->n_todo,
        .jobs = jobs,
        .threads = args->threads > 0  ? args->threads
                   : cores / jobs > 1 ? cores / jobs
                                      : 1,
        .timeout = args->timeout,
        .stop = &stop_signal,
        .ctx = &progress,
        .on_start = tb_progress_on_start,
        .on_progress = tb_progress_on_progress,
        .on_end = tb_progress_on_end,
    };
    catch_signals();
    tb_status status = tb_pool_run(&def, result, error);
    release_signals();
    tb_progress_end(&progress);
    return status;
}

static int write_report(const tb_session *session, tb_error *error)
{
    tb_report_options report_options = tb_report_default();
    tb_report_summary summary;
    tb_status status = tb_report_write(session->results, &report_options, &summary, error);
    if (status != TB_OK)
        return tb_cli_error(error,
                            status == TB_E_CORRUPT ? TB_EXIT_MISMATCH : tb_cli_exit_code(status));
    if (summary.figures_message[0] != '\0')
        fprintf(stderr, "trpo-bench: %s\n", summary.figures_message);
    char *path = tb_format("%s/report/table.md", session->results), *text = NULL;
    if (path != NULL && tb_read_file(path, &text, NULL, NULL) == TB_OK)
        fputs(text, stdout);
    free(text);
    free(path);
    fflush(stdout);
    // as `report` does: no gnuplot is the user's choice, one that fails is an error
    if (summary.n_damaged == 0)
        return summary.figures == TB_REPORT_FIGURES_FAILED ? TB_EXIT_IO : TB_EXIT_OK;
    fprintf(stderr,
            "trpo-bench: %zu damaged run%s, counted as failed: %s; delete the folder of such a run "
            "and start again\n",
            summary.n_damaged, summary.n_damaged == 1 ? "" : "s", summary.damage.message);
    return TB_EXIT_MISMATCH;
}

// whether a cell's environment must be asked before anything runs: vine needs snapshots
static int needs_probe(const tb_session *session, const tb_cell *cell)
{
    const tb_suite *suite = session->suite;
    return suite->settings[cell->env * suite->n_algorithms + cell->algorithm].learner.sampling ==
           TB_SAMPLING_VINE;
}

static int same_but_for_the_seed(const tb_cell *a, const tb_cell *b)
{
    return a->env == b->env && a->policy == b->policy && a->algorithm == b->algorithm;
}

// a child that crashes or hangs is left to the cell itself, which records it
static tb_status probe_cell(const tb_session *session, const tb_cell *cell, tb_error *error)
{
    const char *argv[] = {tb_program_path(), "run-cell", "--probe",
                          session->results,  cell->path, NULL};
    tb_child_result child;
    tb_status status = tb_child_run(argv, probe_timeout, &child, error);
    if (status != TB_OK)
        return status;
    if (child.end == TB_CHILD_EXITED && child.code != 0 && child.out_size > 0)
        status = tb_fail(error, TB_E_PARAM, "%s cannot run: %s", cell->label, child.out);
    tb_child_finish(&child);
    return status;
}

static tb_status probe_cells(const tb_session *session, tb_error *error)
{
    tb_status status = TB_OK;
    for (size_t i = 0; i < session->n_todo && status == TB_OK; i++) {
        const tb_cell *cell = session->todo[i];
        int seen = !needs_probe(session, cell);
        for (size_t k = 0; k < i && !seen; k++)
            seen = same_but_for_the_seed(session->todo[k], cell);
        if (!seen)
            status = probe_cell(session, cell, error);
    }
    return status;
}

static int run_session(const tb_run_args *args, tb_session *session, tb_error *error)
{
    // first of all the lock: another program's workers may be reading what is written next
    tb_status status = tb_results_lock(session->results, &session->lock, error);
    if (status == TB_OK)
        status = tb_results_prepare(session->results, session->suite, session->catalog, error);
    if (status == TB_OK)
        status = find_missing(session, error);
    if (status == TB_OK)
        status = probe_cells(session, error);
    if (status != TB_OK)
        return tb_cli_error(error,
                            status == TB_E_CORRUPT ? TB_EXIT_MISMATCH : tb_cli_exit_code(status));
    if (args->progress != TB_PROGRESS_NONE)
        fprintf(stderr, "%s: %zu cells, %zu done, %zu to run -> %s\n", session->suite->name,
                session->plan.n_cells, session->n_done, session->n_todo, session->results);

    tb_pool_result result;
    status = run_cells(args, session, &result, error);
    if (status != TB_OK)
        return tb_cli_error(error, tb_cli_exit_code(status));
    if (stop_signal != 0) {
        fprintf(stderr,
                "trpo-bench: stopped by %s; %zu of %zu cells are done, the same command goes on "
                "with the rest\n",
                stop_signal == SIGINT ? "SIGINT" : "SIGTERM", session->n_done + result.ok,
                session->plan.n_cells);
        return 128 + stop_signal;
    }
    int code = args->no_report ? TB_EXIT_OK : write_report(session, error);
    if (result.failed > 0 || result.stopped > 0)
        fprintf(stderr,
                "trpo-bench: %zu of %zu cells failed; %s/runs/*/*/*/*/log.txt and attempts/ tell "
                "why; the same "
                "command tries them again\n",
                result.failed + result.stopped, session->plan.n_cells, session->results);
    if (args->progress != TB_PROGRESS_NONE)
        fprintf(stderr, "results: %s\n", session->results);
    return code != TB_EXIT_OK                   ? code
           : result.failed + result.stopped > 0 ? TB_EXIT_FAILED_CELLS
                                                : TB_EXIT_OK;
}

static int run(int argc, char **argv)
{
    static const struct argp argp = {options,
                                     parse,
                                     "SUITE.toml",
                                     "Runs every cell of a suite that is not done yet, each in a "
                                     "process of its own, and writes the report."
                                     "\vA second start continues: finished cells are never run "
                                     "again. Exit codes: 0 every cell done; 1 some cell "
                                     "failed (the report is still written); 2 usage, suite or "
                                     "plugin error, nothing ran; 3 the results folder holds "
                                     "damaged files or another suite; 74 input/output error, or "
                                     "gnuplot failed; "
                                     "130, 143 stopped by SIGINT, SIGTERM.",
                                     NULL,
                                     NULL,
                                     NULL};
    tb_run_args args = {.output = "results"};
    if (!tb_cli_check_options(options, argc, argv))
        return TB_EXIT_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &args) != 0)
        return TB_EXIT_USAGE;
    tb_session session = {.lock = -1};
    tb_error error = {0};
    tb_status status = plan_session(&args, &session, &error);
    int code = status != TB_OK ? tb_cli_error(&error, tb_cli_exit_code(status))
               : args.dry_run  ? show_plan(&session, &error)
                               : run_session(&args, &session, &error);
    finish_session(&session);
    return code;
}

const tb_command tb_command_run = {"run", "run a suite and write its report (the default)", run};
