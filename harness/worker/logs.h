/* SPDX-License-Identifier: MIT
 *
 * The files of one run (docs/results.md): progress.csv, episodes.csv, evals.csv, timing.csv,
 * episodes.monitor.csv the
 * parameters, and what is done to observations.
 */
#ifndef HARNESS_WORKER_LOGS_H
#define HARNESS_WORKER_LOGS_H

#include "harness/store/file.h"
#include "trpo/iteration.h"
#include "trpo/net/features.h"
#include "trpo/sampling/actor.h"

typedef struct tb_run_logs {
    const char *folder;
    tb_writer progress, episodes, monitor, evals, timing;
    double started; /* wall clock, seconds since 1970 */
} tb_run_logs;

/* Opens every file anew and writes the headers. `folder` outlives the logs. */
tb_status tb_run_logs_open(tb_run_logs *logs, const char *folder, const char *env_id,
                           tb_error *error);
tb_status tb_run_logs_close(tb_run_logs *logs, tb_error *error);

tb_status tb_run_logs_iteration(tb_run_logs *logs, const tb_iteration *log, const tb_timing *timing,
                                double eval_s, const tb_episode *episodes, size_t n_episodes,
                                tb_error *error);
/* `threshold`: the task's reward threshold, NaN = none. */
tb_status tb_run_logs_evaluation(tb_run_logs *logs, const tb_episode *episodes, size_t n,
                                 double threshold, tb_error *error);

/* Writes [n] little-endian doubles to folder/name. */
tb_status tb_run_write_parameters(const char *folder, const char *name, const double *theta,
                                  size_t n, tb_error *error);
/* The way back; *theta [*n] is freed by the caller. TB_E_CORRUPT when the size is no multiple of 8.
 */
tb_status tb_run_read_parameters(const char *folder, const char *name, double **theta, size_t *n,
                                 tb_error *error);

/* Writes folder/observations.csv: what the policy's observations go through before they reach the
 * network. */
tb_status tb_run_write_scaler(const char *folder, const tb_scaler *scaler, tb_error *error);
/* The way back; *out is finished by the caller, also after a failure. TB_DISCARD when there is no
 * such file: the run is older than it. */
tb_status tb_run_read_scaler(const char *folder, tb_scaler *out, tb_error *error);

#endif
