/* SPDX-License-Identifier: MIT
 *
 * The results folder (docs/results.md): what is in it and how it is made.
 */
#ifndef HARNESS_STORE_RESULTS_H
#define HARNESS_STORE_RESULTS_H

#include "harness/suite/suite.h"

/* `<base>/<suite>-<hash8>`. Freed by the caller. */
char *tb_results_path(const char *base, const tb_suite *suite);

/* Writes suite.toml, suite.resolved.json and plugins.json into the folder, which the caller has
 * locked: running workers read them. TB_E_CORRUPT when it holds another suite or a damaged one. */
tb_status tb_results_prepare(const char *folder, const tb_suite *suite, const tb_catalog *catalog,
                             tb_error *error);

/* Makes the folder if need be and locks it: one process at a time writes into a results folder.
 * *lock gets a descriptor to close at the end, -1 on failure. TB_E_STATE when another process holds
 * it, with its number. */
tb_status tb_results_lock(const char *folder, int *lock, tb_error *error);

/* The suite that a results folder holds. */
tb_status tb_results_suite(const char *folder, tb_suite **out, tb_error *error);

/* 1 when the run is complete: run.json is there. */
int tb_run_is_complete(const char *run_folder);

/* The attempt record `run_folder`/attempts/<n>.json. `state`: "running", "ok", "failed", "crashed",
 * "timeout", "stopped". */
typedef struct tb_attempt {
    int number; /* from 1 */
    const char *state;
    const char *message;   /* "" for none; bytes that are no UTF-8 are written as "?" */
    int exit_code;         /* -1 = none */
    int signal;            /* 0 = none */
    double started, ended; /* seconds since 1970; ended 0 = not yet */
} tb_attempt;

tb_status tb_attempt_write(const char *run_folder, const tb_attempt *attempt, tb_error *error);

/* The number that the next attempt gets: one more than the largest there is. */
int tb_attempt_next(const char *run_folder);

/* Reads the state of attempt `number` into `state`; returns 0 when there is no such record. */
int tb_attempt_state(const char *run_folder, int number, char state[16], char message[512]);

/* Seconds since 1970. */
double tb_wall_clock(void);

#endif
