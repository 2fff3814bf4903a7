/* SPDX-License-Identifier: MIT
 *
 * The numbers of a learning curve. The bootstrap draws the same runs at every point (same seed,
 * same number of runs), so whole curves are resampled; the band is pointwise.
 */
#include <math.h>
#include <stdlib.h>

#include "harness/report/analysis.h"
#include "harness/stats/sample.h"

static size_t count_complete(const tb__group *group, size_t *n_evals)
{
    size_t n = 0;
    *n_evals = 0;
    for (size_t r = 0; r < group->n_runs; r++) {
        if (group->runs[r].state != TB__RUN_OK)
            continue;
        *n_evals += group->runs[r].n_evals;
        n++;
    }
    return n;
}

// every step at which some run evaluated, ascending and once each
static void merge_steps(tb__curve *curve)
{
    size_t n = 0;
    for (size_t r = 0; r < curve->n_runs; r++)
        for (size_t i = 0; i < curve->runs[r]->n_evals; i++)
            curve->steps[n++] = curve->runs[r]->evals[i].step;
    tb_stats_sort(curve->steps, n);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || curve->steps[i] != curve->steps[curve->n_points - 1])
            curve->steps[curve->n_points++] = curve->steps[i];
}

// values[n_points][n_runs]: both lists of steps ascend
static void spread_values(tb__curve *curve)
{
    for (size_t r = 0; r < curve->n_runs; r++) {
        const tb__run *run = curve->runs[r];
        size_t i = 0;
        for (size_t p = 0; p < curve->n_points; p++) {
            double *value = &curve->values[p * curve->n_runs + r];
            int evaluated = i < run->n_evals && run->evals[i].step == curve->steps[p];
            *value = evaluated ? run->evals[i++].mean_return : NAN;
            if (evaluated && !isfinite(*value))
                curve->n_not_finite++;
        }
    }
}

static tb_status estimate_point(const tb__report *report, tb__curve *curve, size_t p,
                                double *values, tb_error *error)
{
    size_t n = 0;
    for (size_t r = 0; r < curve->n_runs; r++)
        if (isfinite(curve->values[p * curve->n_runs + r]))
            values[n++] = curve->values[p * curve->n_runs + r];
    curve->counts[p] = n;
    const size_t start[] = {0, n};
    const tb_scores scores = {values, start, 1};
    if (n < TB__MIN_RUNS)
        return tb_bootstrap_point(&scores, tb_scores_iqm, &curve->estimates[p], error);
    const tb_bootstrap_def def = {.resamples = (size_t)report->options.curve_resamples,
                                  .level = report->options.level,
                                  .seed = report->options.seed};
    return tb_bootstrap_interval(&scores, tb_scores_iqm, &def, &curve->estimates[p], error);
}

static int allocate(tb__curve *curve, size_t n_evals)
{
    // n_evals bounds the number of points
    curve->runs = tb_alloc(curve->n_runs, sizeof *curve->runs);
    curve->steps = tb_alloc(n_evals, sizeof *curve->steps);
    return curve->runs != NULL && curve->steps != NULL;
}

static int allocate_points(tb__curve *curve)
{
    curve->values = tb_alloc(curve->n_points, curve->n_runs * sizeof *curve->values);
    curve->estimates = tb_alloc(curve->n_points, sizeof *curve->estimates);
    curve->counts = tb_alloc(curve->n_points, sizeof *curve->counts);
    return curve->values != NULL && curve->estimates != NULL && curve->counts != NULL;
}

tb_status tb__curve_make(const tb__report *report, const tb__group *group, tb__curve *out,
                         tb_error *error)
{
    size_t n_evals, n = 0;
    *out = (tb__curve){.group = group, .n_runs = count_complete(group, &n_evals)};
    double *values = tb_alloc(out->n_runs, sizeof *values);
    tb_status status = TB_OK;
    if (values == NULL || !allocate(out, n_evals)) {
        status = tb_fail(error, TB_E_NOMEM, "out of memory for a learning curve");
        goto done;
    }
    for (size_t r = 0; r < group->n_runs; r++)
        if (group->runs[r].state == TB__RUN_OK)
            out->runs[n++] = &group->runs[r];
    merge_steps(out);
    if (!allocate_points(out)) {
        status = tb_fail(error, TB_E_NOMEM, "out of memory for a learning curve");
        goto done;
    }
    spread_values(out);
    for (size_t p = 0; status == TB_OK && p < out->n_points; p++)
        status = estimate_point(report, out, p, values, error);
done:
    free(values);
    if (status != TB_OK)
        tb__curve_finish(out);
    return status;
}

void tb__curve_finish(tb__curve *curve)
{
    free(curve->runs);
    free(curve->steps);
    free(curve->values);
    free(curve->estimates);
    free(curve->counts);
    *curve = (tb__curve){.group = NULL};
}
