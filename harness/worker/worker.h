/* SPDX-License-Identifier: MIT
 *
 * One cell in one process: loads its plugins, trains, evaluates, writes its files, and commits
 * run.json at the end.
 */
#ifndef HARNESS_WORKER_WORKER_H
#define HARNESS_WORKER_WORKER_H

#include <stdio.h>

#include "harness/suite/suite.h"
#include "trpo/learner.h"

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

/* A cell with a learner that has not begun. Everything is borrowed for the length of the call. */
typedef struct tb_worker_cell {
    const char *folder; /* of the run */
    const tb_cell *cell;
    const tb_suite_env *env;
    const tb_suite_setting *setting;
    tb_learner *learner;
} tb_worker_cell;

/* Makes what tb_worker_probe makes and hands it to `work`, whose status is the result. The cell may
 * be complete already, and its seed need not be among those that the suite was last run with. */
tb_status tb_worker_visit(const tb_worker_def *def,
                          tb_status (*work)(void *ctx, const tb_worker_cell *cell, tb_error *error),
                          void *ctx, tb_error *error);

/* Trains a cell with vine sampling without writing anything, and says on `out`, one line each, what
 * common random numbers do for the first, a middle and the last policy (tb_vine_study):
 * tab-separated, with a header. The cell may be complete already. */
tb_status tb_worker_study(const tb_worker_def *def, FILE *out, tb_error *error);

#endif
