/* SPDX-License-Identifier: MIT
 *
 * trpo-bench run-cell RESULTS CELL: what `run` starts for each cell; works by hand too.
 */
#include <argp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/cli/command.h"
#include "harness/plugin/child.h"
#include "harness/worker/worker.h"

static volatile int stop;
static int probe, study;

static void ask_to_stop(int signal)
{
    (void)signal;
    stop = 1;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    tb_worker_def *def = state->input;
    switch (key) {
    case 'a': def->attempt = atoi(argument); break;
    case 'p': def->progress_fd = atoi(argument); break;
    case 'b': probe = 1; break;
    case 's': study = 1; break;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            def->results = argument;
        else if (state->arg_num == 1)
            def->cell_path = argument;
        else
            argp_usage(state);
        break;
    case ARGP_KEY_END:
        if (state->arg_num < 2)
            argp_usage(state);
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

// says on standard output why the cell cannot be run; nothing when it can
static int run_probe(const tb_worker_def *def)
{
    tb_child_die_with_parent();
    int fd = tb_child_take_stdout();
    tb_error error = {0};
    tb_status status = tb_worker_probe(def, &error);
    if (status != TB_OK && dprintf(fd, "%s", error.message) < 0)
        return TB_EXIT_IO;
    return status == TB_OK ? TB_EXIT_OK : tb_cli_exit_code(status);
}

static int run_study(const tb_worker_def *def)
{
    tb_error error = {0};
    tb_status status = tb_worker_study(def, stdout, &error);
    return status == TB_OK ? TB_EXIT_OK : tb_cli_error(&error, tb_cli_exit_code(status));
}

static int run(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"attempt", 'a', "N", 0, "number of this attempt (default: the next)", 0},
        {"progress-fd", 'p', "FD", 0, "write progress lines to this descriptor", 0},
        {"probe", 'b', NULL, 0, "only see whether the cell could start; write nothing", 0},
        {"study-vine", 's', NULL, 0,
         "train it, write nothing, and say what common random numbers do for the first, a middle "
         "and the last policy",
         0},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "RESULTS CELL",
        "Runs one cell of a results folder, for example runs/classic__CartPole-v1/mlp/trpo/s0003.",
        NULL,
        NULL,
        NULL};
    tb_worker_def def = {.progress_fd = -1, .stop = &stop};
    if (argp_parse(&argp, argc, argv, 0, NULL, &def) != 0)
        return TB_EXIT_USAGE;
    if (probe)
        return run_probe(&def);
    if (study)
        return run_study(&def);
    struct sigaction action = {.sa_handler = ask_to_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (def.progress_fd >= 0) {
        tb_child_die_with_parent();
        fcntl(def.progress_fd, F_SETFL, O_NONBLOCK);
    }
    tb_error error = {0};
    int code = tb_worker_run(&def, &error);
    if (code != TB_EXIT_OK)
        tb_cli_error(&error, code);
    return code;
}

const tb_command tb_command_run_cell = {"run-cell", NULL, run};
