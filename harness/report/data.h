/* SPDX-License-Identifier: MIT
 *
 * What a report is made of: the runs of a results folder, read once, in suite order.
 */
#ifndef HARNESS_REPORT_DATA_H
#define HARNESS_REPORT_DATA_H

#include "harness/report/report.h"
#include "harness/suite/suite.h"

typedef enum tb__run_state { TB__RUN_OK, TB__RUN_FAILED, TB__RUN_MISSING } tb__run_state;

/* One evaluation of a run. */
typedef struct tb__eval {
    double step;        /* environment steps of training before it */
    double mean_return; /* over its episodes; NaN or infinite when an episode's return is */
} tb__eval;

typedef struct tb__run {
    int64_t seed;
    tb__run_state state;
    char *reason;    /* why it is not ok; NULL when ok */
    char *path;      /* "runs/.../s0003" */
    tb__eval *evals; /* [n_evals] ascending steps; empty unless evals.csv was read */
    size_t n_evals;
    double raw;        /* mean return of the final evaluation; NaN = none */
    double normalised; /* (raw - random) / (ref - random); NaN = unknown */
} tb__run;

/* One environment x policy x algorithm: a row of the table, a line of a figure. */
typedef struct tb__group {
    size_t env, policy, algorithm; /* indices into the suite */
    char *env_name;                /* file-name forms: "classic__CartPole-v1", "mlp", "trpo" */
    char *policy_name, *algorithm_name;
    tb__run *runs; /* [n_runs] ascending seeds */
    size_t n_runs;
} tb__group;

/* What plugins.json knows about an environment of the suite; NaN = unknown. */
typedef struct tb__scale {
    double return_random, return_ref, reward_threshold;
} tb__scale;

typedef struct tb__report {
    const char *dir; /* the results folder, as given */
    tb_report_options options;
    tb_suite *suite;
    tb__scale *scales; /* [suite->n_envs] */
    tb__group *groups; /* [n_groups] env-major, then policy, then algorithm: suite order */
    size_t n_groups;
    json_t *published; /* published.json; NULL without it */
    tb_report_summary summary;
} tb__report;

/* Reads everything; nothing is written. Errors as tb_report_write. On failure *out is finished. */
tb_status tb__report_gather(const char *dir, const tb_report_options *options, tb__report *out,
                            tb_error *error);
void tb__report_finish(tb__report *report); /* takes a zeroed struct */

/* Reads run->path below `dir` and fills state, reason, evaluations and raw score. `cell_id` is what
 * run.json must say. A damaged file makes the run failed and fills *damage (status TB_OK before);
 * only TB_E_NOMEM is returned. */
tb_status tb__run_read(const char *dir, const char *cell_id, tb__run *run, tb_error *damage,
                       tb_error *error);

/* Reads a whole JSON file: TB_E_IO when it cannot be opened, TB_E_CORRUPT with file, line and
 * column when it is not JSON. New reference in *out. */
tb_status tb__json_read(const char *path, json_t **out, tb_error *error);

/* published.json of `dir` in *out, a new reference; NULL when there is none. */
tb_status tb__published_read(const char *dir, json_t **out, tb_error *error);

/* Allocated text; NULL when out of memory. */
char *tb__text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
