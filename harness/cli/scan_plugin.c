/* SPDX-License-Identifier: MIT
 *
 * trpo-bench scan-plugin FILE: loads one plugin and prints, as JSON, what it offers. Hidden: the
 * catalog runs it as a child, so that plugin code never runs in the parent.
 */
#include <stdio.h>
#include <unistd.h>

#include "harness/cli/command.h"
#include "harness/plugin/child.h"
#include "harness/plugin/scan.h"

static int run(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "Usage: trpo-bench scan-plugin FILE\n");
        return TB_EXIT_USAGE;
    }
    tb_child_die_with_parent();
    int fd = tb_child_take_stdout();
    json_t *answer = fd >= 0 ? tb_scan_plugin(argv[1]) : NULL;
    int failed = answer == NULL || json_dumpfd(answer, fd, JSON_COMPACT) != 0;
    json_decref(answer);
    // a plugin's exit handlers and destructors are none of the scan's business
    _exit(failed ? TB_EXIT_IO : TB_EXIT_OK);
}

const tb_command tb_command_scan_plugin = {"scan-plugin", NULL, run};
