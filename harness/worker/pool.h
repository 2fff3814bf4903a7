/* SPDX-License-Identifier: MIT
 *
 * Runs cells in worker processes, some at a time. A worker that crashes, hangs or fails costs its
 * own cell only.
 */
#ifndef HARNESS_WORKER_POOL_H
#define HARNESS_WORKER_POOL_H

#include <signal.h>

#include "harness/suite/suite.h"

/* What is known of a cell while it runs. */
typedef struct tb_slot {
    const tb_cell *cell;
    int attempt;
    double started;            /* monotonic seconds */
    uint64_t steps, steps_all; /* done and in all; 0 before the first message */
    uint64_t episodes;
    double recent_return; /* NaN before the first episode */
    /* below: the pool's own */
    long pid;
    int pidfd, pipe;
    int said_done, timed_out, terminated;
    double deadline;  /* monotonic seconds: next escalation, 0 = none */
    char words[1024]; /* why the worker says that it failed, "" = it has not said */
    char line[1152];
    size_t line_length;
} tb_slot;

typedef enum tb_cell_end {
    TB_CELL_OK,
    TB_CELL_FAILED,
    TB_CELL_CRASHED,
    TB_CELL_TIMEOUT,
    TB_CELL_STOPPED
} tb_cell_end;

const char *tb_cell_end_name(tb_cell_end end);

typedef struct tb_pool_def {
    const char *results;         /* results folder */
    const tb_cell *const *cells; /* in the order of starting; [n_cells] */
    size_t n_cells;
    int jobs;       /* workers at a time, >= 1 */
    int threads;    /* of each worker, >= 1 */
    double timeout; /* seconds a cell may take, 0 = no limit */
    const volatile sig_atomic_t
        *stop; /* number of the signal that asks to stop, 0 = go on; SIGINT and SIGTERM must be
                  blocked by the caller: the pool lets them in while it waits */
    /* Called from tb_pool_run; ctx first. Any may be NULL. */
    void *ctx;
    void (*on_start)(void *ctx, const tb_slot *slot);
    void (*on_progress)(void *ctx, const tb_slot *slots,
                        size_t n_slots); /* at most some times a second */
    void (*on_end)(void *ctx, const tb_slot *slot, tb_cell_end end, const char *message);
} tb_pool_def;

typedef struct tb_pool_result {
    size_t ok, failed, stopped; /* cells; crashes and time-outs count as failed */
} tb_pool_result;

/* TB_OK when every cell was tried or a signal stopped the pool (then *def->stop is set). A cell
 * whose worker cannot be started counts as failed; when no worker could be started at all that is
 * the error returned. A cell counts as done when its run.json is there, however its worker ended.
 */
tb_status tb_pool_run(const tb_pool_def *def, tb_pool_result *result, tb_error *error);

/* The command line that does by hand what the pool's worker of `cell` does; NULL-terminated, NULL
 * when out of memory, freed by tb_pool_free_command. */
char **tb_pool_command(const char *results, const tb_cell *cell);
void tb_pool_free_command(char **command);

#endif
