/* SPDX-License-Identifier: MIT
 *
 * A subcommand is one file with one `const tb_command` and one row in command.c.
 */
#ifndef HARNESS_CLI_COMMAND_H
#define HARNESS_CLI_COMMAND_H

#include "trpo/base/base.h"

/* Exit codes of the program (DESIGN: every cell done, some failed, nothing ran, ...). */
enum {
    TB_EXIT_OK = 0,
    TB_EXIT_FAILED_CELLS = 1, /* some cell failed; the report is still written */
    TB_EXIT_USAGE = 2,        /* usage, suite or plugin error: nothing ran */
    TB_EXIT_MISMATCH = 3,     /* data mismatch: hash, schema, replay */
    TB_EXIT_REGRESSION = 4,   /* compare --gate */
    TB_EXIT_IO = 74,
    TB_EXIT_AGAIN = 75, /* stopped with a checkpoint: run me again */
    TB_EXIT_INT = 130,
    TB_EXIT_TERM = 143
};

typedef struct tb_command {
    const char *name; /* "replay" */
    const char
        *summary; /* one line of `trpo-bench --help`; NULL = hidden (used by the program itself) */
    /* argv[0] is "trpo-bench <name>"; parses with argp, returns an exit code. */
    int (*run)(int argc, char **argv);
} tb_command;

const tb_command *const *tb_commands(size_t *n);

/* Prints "trpo-bench: <message>" to standard error and returns `exit_code`. */
int tb_cli_error(const tb_error *error, int exit_code);

/* The exit code that fits a status: TB_E_IO 74, everything else 2. */
int tb_cli_exit_code(tb_status status);

/* Looks for a misspelt long option before argp does: 1 when there is none, else 0, and the nearest
 * option was printed to standard error. `options` ends with a zeroed entry, as for argp. */
struct argp_option;
int tb_cli_check_options(const struct argp_option *options, int argc, char **argv);

extern const tb_command tb_command_run, tb_command_list, tb_command_report, tb_command_check,
    tb_command_replay, tb_command_theory, tb_command_watch, tb_command_run_cell,
    tb_command_scan_plugin;

#endif
