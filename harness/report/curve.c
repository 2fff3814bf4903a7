/* SPDX-License-Identifier: MIT
 *
 * The numbers of a learning curve. The bootstrap draws the same runs at every point (same seed,
 * same number of runs), so whole curves are resampled; the band is pointwise.
 */
#include <math.h>
#include <stdlib.h>

#include "harness/report/analysis.h"

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

/* One evaluation of one run. */
typedef struct entry {
    double place; // which evaluation of the schedule it is
    double step, value;
    size_t run;
} entry;

static int compare_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return (x->run > y->run) - (x->run < y->run);
}

// a run evaluates when it has passed a multiple of eval_every, and at its end; how far behind the
// multiple that is depends on the run where iterations have no fixed length (vine sampling)
static double place_of(const tb_run_config *config, const tb__run *run, size_t i)
{
    double every = (double)config->eval_every, steps = (double)config->steps;
    double step = run->evals[i].step;
    if (every <= 0)
        return 0;
    return i + 1 == run->n_evals && step > steps - every ? steps / every : floor(step / every);
}

static size_t list_entries(const tb__report *report, const tb__curve *curve, entry *out)
{
    const tb_run_config *config = &report->suite->envs[curve->group->env].run;
    size_t n = 0;
    for (size_t r = 0; r < curve->n_runs; r++)
        for (size_t i = 0; i < curve->runs[r]->n_evals; i++)
            out[n++] = (entry){.place = place_of(config, curve->runs[r], i),
                               .step = curve->runs[r]->evals[i].step,
                               .value = curve->runs[r]->evals[i].mean_return,
                               .run = r};
    qsort(out, n, sizeof *out, compare_entries);
    return n;
}

// entries [i, end) are of one step; returns end
static size_t same_step(const entry *entries, size_t i, size_t n)
{
    size_t end = i + 1;
    while (end < n && entries[end].step == entries[i].step &&
           entries[end].place == entries[i].place)
        end++;
    return end;
}

// whether some run of entries [i, end) is among those of [first, i) already
static int meets_again(const entry *entries, size_t first, size_t i, size_t end)
{
    for (size_t k = i; k < end; k++)
        for (size_t j = first; j < i; j++)
            if (entries[j].run == entries[k].run)
                return 1;
    return 0;
}

/* One point of a curve: evaluations of one place of the schedule, one of each run at most. */
typedef struct point {
    size_t begin, end; // entries
    double step;       // their mean
} point;

static double mean_step(const entry *entries, size_t begin, size_t end)
{
    double least = entries[begin].step, more = 0;
    for (size_t i = begin; i < end; i++)
        more += (entries[i].step - least) / (double)(end - begin);
    return least + more;
}

static int compare_points(const void *a, const void *b)
{
    const point *x = a, *y = b;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

// points in the order of their steps; equal steps are one point. Returns their number
static size_t find_points(const entry *entries, size_t n, point *points)
{
    size_t n_points = 0;
    for (size_t i = 0; i < n;) {
        size_t end = same_step(entries, i, n);
        point *last = n_points > 0 ? &points[n_points - 1] : NULL;
        if (last == NULL || entries[i].place != entries[last->begin].place ||
            meets_again(entries, last->begin, i, end))
            points[n_points++] = (point){.begin = i};
        points[n_points - 1].end = end;
        i = end;
    }
    for (size_t p = 0; p < n_points; p++)
        points[p].step = mean_step(entries, points[p].begin, points[p].end);
    // where a run ends early, its last evaluation may lie before another's last but one
    qsort(points, n_points, sizeof *points, compare_points);
    return n_points;
}

// steps [n_points]; values [n_points][n_runs]
static void spread_values(tb__curve *curve, const entry *entries, const point *points)
{
    for (size_t i = 0; i < curve->n_points * curve->n_runs; i++)
        curve->values[i] = NAN;
    for (size_t p = 0; p < curve->n_points; p++) {
        curve->steps[p] = points[p].step;
        for (size_t i = points[p].begin; i < points[p].end; i++) {
            curve->values[p * curve->n_runs + entries[i].run] = entries[i].value;
            curve->n_not_finite += isfinite(entries[i].value) ? 0 : 1;
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

static int allocate_points(tb__curve *curve)
{
    curve->steps = tb_alloc(curve->n_points, sizeof *curve->steps);
    curve->values = tb_alloc(curve->n_points, curve->n_runs * sizeof *curve->values);
    curve->estimates = tb_alloc(curve->n_points, sizeof *curve->estimates);
    curve->counts = tb_alloc(curve->n_points, sizeof *curve->counts);
    return curve->steps != NULL && curve->values != NULL && curve->estimates != NULL &&
           curve->counts != NULL;
}

tb_status tb__curve_make(const tb__report *report, const tb__group *group, tb__curve *out,
                         tb_error *error)
{
    size_t n_evals, n = 0;
    *out = (tb__curve){.group = group, .n_runs = count_complete(group, &n_evals)};
    out->runs = tb_alloc(out->n_runs, sizeof *out->runs);
    double *values = tb_alloc(out->n_runs, sizeof *values);
    entry *entries = tb_alloc(n_evals, sizeof *entries);
    point *points = tb_alloc(n_evals, sizeof *points); // there are no more points than entries
    tb_status status = TB_OK;
    if (out->runs == NULL || values == NULL || entries == NULL || points == NULL) {
        status = tb_fail(error, TB_E_NOMEM, "out of memory for a learning curve");
        goto done;
    }
    for (size_t r = 0; r < group->n_runs; r++)
        if (group->runs[r].state == TB__RUN_OK)
            out->runs[n++] = &group->runs[r];
    out->n_points = find_points(entries, list_entries(report, out, entries), points);
    if (!allocate_points(out)) {
        status = tb_fail(error, TB_E_NOMEM, "out of memory for a learning curve");
        goto done;
    }
    spread_values(out, entries, points);
    for (size_t p = 0; status == TB_OK && p < out->n_points; p++)
        status = estimate_point(report, out, p, values, error);
done:
    free(points);
    free(entries);
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
