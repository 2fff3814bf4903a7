/* SPDX-License-Identifier: MIT */
#include "harness/report/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/write.h"
#include "harness/stats/sample.h"

double tb__nice_step(double span, int n)
{
    static const double steps[] = {1, 2, 2.5, 5, 10};
    double least = span / n, power = pow(10, floor(log10(least)));
    for (size_t i = 0; i < 4; i++)
        if (steps[i] * power >= least * (1 - 1e-9))
            return steps[i] * power;
    return 10 * power;
}

size_t tb__series_of(const tb__figure *figure, size_t policy, size_t algorithm)
{
    size_t i = 0;
    while (i < figure->n_series &&
           (figure->series[i].policy != policy || figure->series[i].algorithm != algorithm))
        i++;
    return i;
}

static int compare_series(const void *a, const void *b)
{
    const tb__series *x = a, *y = b;
    if (x->policy != y->policy)
        return x->policy < y->policy ? -1 : 1;
    return (x->algorithm > y->algorithm) - (x->algorithm < y->algorithm);
}

static int make_series(const tb__report *report, tb__figure *figure)
{
    figure->series = tb_alloc(report->n_groups, sizeof *figure->series);
    if (figure->series == NULL)
        return 0;
    for (size_t g = 0; g < report->n_groups; g++) {
        const tb__group *group = &report->groups[g];
        if (tb__series_of(figure, group->policy, group->algorithm) < figure->n_series)
            continue;
        tb__series *series = &figure->series[figure->n_series++];
        *series = (tb__series){group->policy, group->algorithm,
                               tb__series_title(report, group->policy, group->algorithm)};
        if (series->title == NULL)
            return 0;
    }
    qsort(figure->series, figure->n_series, sizeof figure->series[0], compare_series);
    return 1;
}

// what follows the first "/", when no other environment of the report is called the same then
static const char *short_title(const tb__report *report, size_t env)
{
    const char *label = report->suite->envs[env].label, *slash = strchr(label, '/');
    if (slash == NULL || slash[1] == '\0')
        return label;
    for (size_t other = 0; other < report->suite->n_envs; other++) {
        const char *theirs = report->suite->envs[other].label, *cut = strchr(theirs, '/');
        if (other != env && strcmp(cut != NULL ? cut + 1 : theirs, slash + 1) == 0)
            return label;
    }
    return slash + 1;
}

// a range that grows with what it is shown
typedef struct range {
    double low, high; // low > high: empty
} range;

static void include(range *r, double value)
{
    if (!isfinite(value))
        return;
    r->low = value < r->low ? value : r->low;
    r->high = value > r->high ? value : r->high;
}

static size_t count_values(const tb__panel *panel)
{
    size_t n = 0;
    for (size_t c = 0; c < panel->n_curves; c++)
        n += panel->curves[c].n_points * panel->curves[c].n_runs;
    return n;
}

// single runs count up to their 1st and 99th percentile: one run that fell off a cliff must not
// flatten all others; its line leaves the panel
static int include_runs(const tb__panel *panel, range *r)
{
    double *values = tb_alloc(count_values(panel), sizeof *values);
    if (values == NULL)
        return 0;
    size_t n = 0;
    for (size_t c = 0; c < panel->n_curves; c++)
        for (size_t i = 0; i < panel->curves[c].n_points * panel->curves[c].n_runs; i++)
            if (isfinite(panel->curves[c].values[i]))
                values[n++] = panel->curves[c].values[i];
    include(r, tb_stats_percentile(values, n, 1));
    include(r, tb_stats_percentile(values, n, 99));
    free(values);
    return 1;
}

// two to four steps that end at x_max when there are such, for a tic at the end of the axis
static double even_step(double x_max)
{
    for (int n = 4; n >= 2; n--) {
        double step = tb__nice_step(x_max, n), steps = x_max / step;
        if (fabs(steps - round(steps)) < 1e-9)
            return step;
    }
    return tb__nice_step(x_max, 4);
}

static int find_ranges(const tb__report *report, tb__panel *panel)
{
    range y = {INFINITY, -INFINITY};
    panel->x_max = 0;
    for (size_t c = 0; c < panel->n_curves; c++) {
        const tb__curve *curve = &panel->curves[c];
        for (size_t p = 0; p < curve->n_points; p++) {
            include(&y, curve->estimates[p].point);
            include(&y, curve->estimates[p].low);
            include(&y, curve->estimates[p].high);
            panel->x_max = fmax(panel->x_max, curve->steps[p]);
        }
    }
    if (!include_runs(panel, &y))
        return 0;
    panel->has_data = y.low <= y.high;
    if (!panel->has_data)
        y = (range){0, 1};
    if (!(panel->x_max > 0))
        panel->x_max = fmax(1, (double)report->suite->envs[panel->env].run.steps);
    // the threshold belongs in the picture unless it would make everything else a flat line
    const double threshold = report->scales[panel->env].reward_threshold;
    range with = y;
    include(&with, threshold);
    const int fits = y.low == y.high || with.high - with.low <= 20 * (y.high - y.low);
    panel->threshold = panel->has_data && fits ? threshold : NAN;
    y = panel->has_data && fits ? with : y;
    // all values equal: gnuplot refuses an empty range
    double pad = y.high > y.low ? 0.05 * (y.high - y.low) : fmax(0.5, 0.05 * fabs(y.low));
    panel->y_low = y.low - pad;
    panel->y_high = y.high + pad;
    panel->y_tic = panel->has_data ? tb__nice_step(panel->y_high - panel->y_low, 6) : 2;
    panel->x_tic = even_step(panel->x_max);
    return 1;
}

static int make_panels(const tb__report *report, const tb__curve *curves, tb__figure *figure)
{
    figure->panels = tb_alloc(report->n_groups, sizeof *figure->panels);
    if (figure->panels == NULL)
        return 0;
    for (size_t g = 0; g < report->n_groups;) {
        tb__panel *panel = &figure->panels[figure->n_panels++];
        const size_t env = report->groups[g].env;
        *panel = (tb__panel){.env = env,
                             .name = report->groups[g].env_name,
                             .title = short_title(report, env),
                             .curves = &curves[g]};
        for (; g < report->n_groups && report->groups[g].env == env; g++)
            panel->n_curves++;
        if (!find_ranges(report, panel))
            return 0;
    }
    return 1;
}

tb_status tb__figure_make(const tb__report *report, const tb__curve *curves, tb__figure *out,
                          tb_error *error)
{
    *out = (tb__figure){.n_series = 0};
    if (make_series(report, out) && make_panels(report, curves, out))
        return TB_OK;
    tb__figure_finish(out);
    return tb_fail(error, TB_E_NOMEM, "out of memory for the figures");
}

void tb__figure_finish(tb__figure *figure)
{
    for (size_t i = 0; i < figure->n_series; i++)
        free(figure->series[i].title);
    free(figure->series);
    free(figure->panels);
    *figure = (tb__figure){.n_series = 0};
}
