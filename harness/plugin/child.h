/* SPDX-License-Identifier: MIT
 *
 * Running this program again as a child, with a time limit, and reading what it prints: how plugin
 * code is kept out of the parent.
 */
#ifndef HARNESS_PLUGIN_CHILD_H
#define HARNESS_PLUGIN_CHILD_H

#include "trpo/base/base.h"

typedef enum tb_child_end { TB_CHILD_EXITED, TB_CHILD_SIGNALLED, TB_CHILD_TIMED_OUT } tb_child_end;

typedef struct tb_child_result {
    tb_child_end end;
    int code;            /* exit code, or number of the signal */
    char *out;           /* standard output, NUL-terminated, at most 16 MiB; freed by finish */
    size_t out_size;     /* bytes without the NUL */
    char complaint[256]; /* last non-empty line of standard error, "" if none */
} tb_child_result;

/* Path of this program: TRPO_BENCH_PROGRAM when that is set (for programs that link the harness
 * without being trpo-bench), else /proc/self/exe. Static. */
const char *tb_program_path(void);

/* Writes the folder that holds this program (links resolved) into `buffer`. */
tb_status tb_program_folder(char *buffer, size_t size, tb_error *error);

/* Runs `argv` (argv[0] is the file, no PATH look-up; NULL-terminated) with an empty standard input
 * and kills it after `timeout` seconds. TB_OK whenever the child was started, however it ended;
 * then *result must be finished. The child gets default signal dispositions. */
tb_status tb_child_run(const char *const *argv, double timeout, tb_child_result *result,
                       tb_error *error);
void tb_child_finish(tb_child_result *result);

/* How it ended: "crashed (signal 11, segmentation fault)", "did not finish within 10 s", "ended
 * with exit code 3". Returns `buffer`. */
const char *tb_child_describe(const tb_child_result *result, double timeout, char *buffer,
                              size_t size);

/* To be called first in a child's command: it dies with its parent. */
void tb_child_die_with_parent(void);

/* Moves standard output away: what plugin code prints from now on goes to standard error. Returns a
 * descriptor of the old standard output (closed on exec), or -1. */
int tb_child_take_stdout(void);

#endif
