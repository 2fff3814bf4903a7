/* SPDX-License-Identifier: MIT */
#include "harness/cli/command.h"

#include <stdio.h>

// the order of the help text
static const tb_command *const commands[] = {
    &tb_command_run,    &tb_command_report,   &tb_command_list,        &tb_command_check,
    &tb_command_replay, &tb_command_run_cell, &tb_command_scan_plugin,
};

const tb_command *const *tb_commands(size_t *n)
{
    *n = sizeof commands / sizeof commands[0];
    return commands;
}

int tb_cli_error(const tb_error *error, int exit_code)
{
    fprintf(stderr, "trpo-bench: %s\n", error->message);
    return exit_code;
}

int tb_cli_exit_code(tb_status status)
{
    return status == TB_E_IO ? TB_EXIT_IO : TB_EXIT_USAGE;
}
