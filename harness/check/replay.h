/* SPDX-License-Identifier: MIT
 *
 * Replaying a recorded trace: does an environment do exactly what its reference did?
 *
 * The trace is a CSV file with a header line `kind,episode,t,action...,s0..,obs0..,reward,
 * terminated,truncated` (columns term_... may follow; they are not looked at). A row of kind R is
 * the start of an episode (state and observation); a row of kind S is the state AFTER `action` was
 * applied to the state of the row before, with what step() gave. The action is one column `action`
 * or the columns action0, action1, ... Actions are passed as they are recorded, never clipped.
 */
#ifndef HARNESS_CHECK_REPLAY_H
#define HARNESS_CHECK_REPLAY_H

#include <jansson.h>

#include "trpo/base/base.h"

typedef struct tb_replay_options {
    const char *plugin;   /* path of the plugin file */
    const char *id;       /* of the environment; it must offer state-vector/1 */
    const json_t *params; /* its parameters; NULL = none */
    const char *trace;    /* path of the CSV file */
    double tolerance;     /* largest absolute deviation of a state or an observation; default 0 */
    double reward_tolerance;    /* largest deviation of a reward relative to max(1, |reward|) */
    uint64_t max_episode_steps; /* the host's time limit, steps; 0 = the environment's own */
} tb_replay_options;

/* The largest deviation of one column. Rewards: relative to max(1, |recorded|). */
typedef struct tb_replay_column {
    char *name;       /* "s0", "obs0", "reward", "terminated", "truncated" */
    double deviation; /* 0 = equal everywhere; a NaN counts as infinite */
    double tolerance; /* what is allowed */
    size_t line;      /* of the file, where the largest one is; 0 when there is none */
} tb_replay_column;

typedef struct tb_replay_report {
    tb_replay_column *columns;
    size_t n_columns;
    size_t n_resets, n_steps; /* rows of kind R and S */
    int within;               /* every deviation is within its tolerance */
} tb_replay_report;

/* Replays the whole trace. Errors: a malformed file (`file:line: what`), an environment that does
 * not fit it or refuses a step. The report must be finished after TB_OK. */
tb_status tb_replay(const tb_replay_options *options, tb_replay_report *report, tb_error *error);
void tb_replay_report_finish(tb_replay_report *report);

#endif
