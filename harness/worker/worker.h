/* SPDX-License-Identifier: MIT
 *
 * One cell in one process: loads its plugins, trains, evaluates, writes its files, and commits
 * run.json at the end.
 */
#ifndef HARNESS_WORKER_WORKER_H
#define HARNESS_WORKER_WORKER_H

#include <stdio.h>

#include "trpo/base/base.h"

typedef struct tb_worker_def {
    const char *results;      /* results folder */
    const char *cell_path;    /* "runs/classic__CartPole-v1/mlp/trpo/s0003" */
    int attempt;              /* number of this attempt, from 1; 0 = choose the next */
    int progress_fd;          /* where progress lines go, -1 = nowhere */
    const volatile int *stop; /* set by a signal handler: stop at the next safe point */
} tb_worker_def;

/* Returns an exit code: 0 done; 1 the cell failed (the attempt's record and *error say why); 75
 * stopped; 2 when there is no such cell or it is complete already; 74 input/output. Progress lines:
 * "steps <done> <of> <episodes> <mean return of the last episodes or nan>" and, at the very end,
 * "done" or "failed <message>". */
int tb_worker_run(const tb_worker_def *def, tb_error *error);

/* Makes everything that the cell needs before its first step, writes nothing and throws it away:
 * what cannot work is told before anything runs. */
tb_status tb_worker_probe(const tb_worker_def *def, tb_error *error);

/* Trains a cell with vine sampling without writing anything, and says on `out`, one line each, what
 * common random numbers do for the first, a middle and the last policy (tb_vine_study):
 * tab-separated, with a header. The cell may be complete already. */
tb_status tb_worker_study(const tb_worker_def *def, FILE *out, tb_error *error);

#endif
