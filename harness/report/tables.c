/* SPDX-License-Identifier: MIT
 *
 * The numbers of the tables.
 */
#include <math.h>
#include <stdlib.h>

#include "harness/report/analysis.h"
#include "harness/stats/sample.h"

static const tb_estimate none = {NAN, NAN, NAN};

static void count_runs(const tb__group *group, tb__row *row)
{
    for (size_t r = 0; r < group->n_runs; r++) {
        row->n_ok += group->runs[r].state == TB__RUN_OK;
        row->n_failed += group->runs[r].state == TB__RUN_FAILED;
        row->n_missing += group->runs[r].state == TB__RUN_MISSING;
    }
}

// the scores of the complete runs behind *n
static void append_scores(const tb__group *group, int normalised, double *values, size_t *n)
{
    for (size_t r = 0; r < group->n_runs; r++)
        if (group->runs[r].state == TB__RUN_OK)
            values[(*n)++] = normalised ? group->runs[r].normalised : group->runs[r].raw;
}

static tb_status estimate(const tb__report *report, const tb_scores *scores, int interval,
                          tb_statistic statistic, tb_estimate *out, tb_error *error)
{
    if (!interval)
        return tb_bootstrap_point(scores, statistic, out, error);
    const tb_bootstrap_def def = {.resamples = (size_t)report->options.resamples,
                                  .level = report->options.level,
                                  .seed = report->options.seed};
    return tb_bootstrap_interval(scores, statistic, &def, out, error);
}

static tb_status make_row(const tb__report *report, const tb__group *group, tb__row *row,
                          tb_error *error)
{
    *row = (tb__row){.group = group,
                     .policy = group->policy,
                     .algorithm = group->algorithm,
                     .sd = NAN,
                     .mean = none,
                     .median = none,
                     .iqm = none,
                     .gap = none};
    count_runs(group, row);
    if (row->n_ok == 0)
        return TB_OK;
    double *values = tb_alloc(row->n_ok, sizeof *values);
    if (values == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory for a table");
    size_t n = 0;
    append_scores(group, 0, values, &n);
    const size_t start[] = {0, n};
    const tb_scores scores = {values, start, 1};
    const int interval = n >= TB__MIN_RUNS;
    row->sd = tb_stats_sd(values, n);
    tb_status status = estimate(report, &scores, interval, tb_scores_mean, &row->mean, error);
    if (status == TB_OK)
        status = estimate(report, &scores, interval, tb_scores_run_median, &row->median, error);
    if (status == TB_OK)
        status = estimate(report, &scores, interval, tb_scores_iqm, &row->iqm, error);
    free(values);
    return status;
}

// number of environments in the report; 0 unless the scale of each is known
static size_t count_normalised_envs(const tb__report *report)
{
    size_t n = 0, last = SIZE_MAX;
    for (size_t g = 0; g < report->n_groups; g++) {
        size_t env = report->groups[g].env;
        const tb__scale *scale = &report->scales[env];
        double span = scale->return_ref - scale->return_random;
        if (!isfinite(span) || span == 0)
            return 0;
        n += env != last;
        last = env;
    }
    return n;
}

// puts the runs of one (policy, algorithm) on every environment together: values and start[M + 1].
// Returns the fewest runs of an environment
static size_t stratify(const tb__report *report, tb__row *row, double *values, size_t *start,
                       size_t *n_tasks)
{
    size_t fewest = SIZE_MAX, n = 0;
    *n_tasks = 0;
    start[0] = 0;
    for (size_t g = 0; g < report->n_groups; g++) {
        const tb__group *group = &report->groups[g];
        if (group->policy != row->policy || group->algorithm != row->algorithm)
            continue;
        count_runs(group, row);
        append_scores(group, 1, values, &n);
        size_t runs = n - start[*n_tasks];
        fewest = runs < fewest ? runs : fewest;
        start[++*n_tasks] = n;
    }
    return *n_tasks > 0 ? fewest : 0;
}

// a row over all environments; without a run on one of them there is no such number
static tb_status make_all_row(const tb__report *report, size_t n_envs, tb__row *row,
                              tb_error *error)
{
    double *values = tb_alloc(report->summary.n_ok, sizeof *values);
    size_t *start = tb_alloc(n_envs + 1, sizeof *start), n_tasks;
    tb_status status = TB_OK;
    if (values == NULL || start == NULL) {
        status = tb_fail(error, TB_E_NOMEM, "out of memory for a table");
        goto done;
    }
    const size_t fewest = stratify(report, row, values, start, &n_tasks);
    if (fewest == 0 || n_tasks != n_envs)
        goto done;
    const tb_scores scores = {values, start, n_tasks};
    const struct {
        tb_statistic statistic;
        tb_estimate *out;
    } parts[] = {{tb_scores_mean, &row->mean},
                 {tb_scores_median, &row->median},
                 {tb_scores_iqm, &row->iqm},
                 {tb_scores_optimality_gap, &row->gap}};
    for (size_t i = 0; status == TB_OK && i < 4; i++)
        status = estimate(report, &scores, fewest >= TB__MIN_RUNS, parts[i].statistic, parts[i].out,
                          error);
done:
    free(start);
    free(values);
    return status;
}

static int is_in_report(const tb__report *report, size_t policy, size_t algorithm)
{
    for (size_t g = 0; g < report->n_groups; g++)
        if (report->groups[g].policy == policy && report->groups[g].algorithm == algorithm)
            return 1;
    return 0;
}

static tb_status make_all_rows(const tb__report *report, tb__tables *out, tb_error *error)
{
    out->n_envs = count_normalised_envs(report);
    if (out->n_envs == 0)
        return TB_OK;
    out->all = tb_alloc(report->n_groups, sizeof *out->all);
    if (out->all == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory for a table");
    for (size_t p = 0; p < report->suite->n_policies; p++) {
        for (size_t a = 0; a < report->suite->n_algorithms; a++) {
            if (!is_in_report(report, p, a))
                continue;
            tb__row *row = &out->all[out->n_all++];
            *row = (tb__row){.policy = p,
                             .algorithm = a,
                             .sd = NAN,
                             .mean = none,
                             .median = none,
                             .iqm = none,
                             .gap = none};
            tb_status status = make_all_row(report, out->n_envs, row, error);
            if (status != TB_OK)
                return status;
        }
    }
    return TB_OK;
}

tb_status tb__tables_make(const tb__report *report, tb__tables *out, tb_error *error)
{
    *out = (tb__tables){.n_rows = report->n_groups};
    out->rows = tb_alloc(report->n_groups, sizeof *out->rows);
    tb_status status =
        out->rows != NULL ? TB_OK : tb_fail(error, TB_E_NOMEM, "out of memory for a table");
    for (size_t g = 0; status == TB_OK && g < report->n_groups; g++) {
        tb__row *row = &out->rows[g];
        status = make_row(report, &report->groups[g], row, error);
        out->ragged |= row->n_ok != out->rows[0].n_ok;
        out->few |= row->n_ok > 0 && row->n_ok < TB__MIN_RUNS;
    }
    if (status == TB_OK)
        status = make_all_rows(report, out, error);
    if (status != TB_OK)
        tb__tables_finish(out);
    return status;
}

void tb__tables_finish(tb__tables *tables)
{
    free(tables->rows);
    free(tables->all);
    *tables = (tb__tables){.rows = NULL};
}
