/* SPDX-License-Identifier: MIT
 *
 * The figures of a theory suite, a panel for each environment: data and gnuplot scripts.
 * Lengths are in inches of the printed figure.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/data.h"
#include "harness/report/format.h"
#include "harness/report/page.h"
#include "harness/stats/sample.h"
#include "harness/theory/write.h"

enum { COURSES, MINORISATION, TIGHTNESS, ESTIMATORS };
const char *const tb__theory_figure_names[TB__THEORY_FIGURES] = {"courses", "minorisation",
                                                                 "tightness", "estimators"};

size_t tb__theory_n_figures(const tb_theory *theory)
{
    return theory->n_studies > 0 ? TB__THEORY_FIGURES : ESTIMATORS;
}

enum { n_bounds = 3 };
static const char *const bound_titles[n_bounds] = {"mixture (eq. 6)", "total variation (eq. 8)",
                                                   "KL (eq. 9)"};

char *tb__theory_data_name(const tb_theory *theory, size_t figure, size_t env)
{
    const char *label = theory->suite->envs[env].label;
    char *name = tb__text("%s.", tb__theory_figure_names[figure]);
    for (const char *c = label; name != NULL && *c != '\0'; c++) {
        char *longer = *c == '/' ? tb__text("%s__", name) : tb__text("%s%c", name, *c);
        free(name);
        name = longer;
    }
    char *whole = name != NULL ? tb__text("%s.tsv", name) : NULL;
    free(name);
    return whole;
}

// ---- data ----

// a gap below this is rounding
#define LEAST_GAP 1e-9

static double share_of_gap(const tb_process *process, size_t a, double difference)
{
    double gap = process->optimum - process->courses[a].eta[0];
    return gap > LEAST_GAP ? difference / gap : NAN;
}

double tb__share_closed(const tb_process *process, size_t a, size_t i)
{
    const double *eta = process->courses[a].eta;
    return share_of_gap(process, a, eta[i] - eta[0]);
}

// what iteration i gained, and what it had promised to gain at least
static double share_gained(const tb_process *process, size_t a, size_t i)
{
    const double *eta = process->courses[a].eta;
    return share_of_gap(process, a, eta[i] - eta[i - 1]);
}

static double share_promised(const tb_process *process, size_t a, size_t i)
{
    const tb_course *course = &process->courses[a];
    return share_of_gap(process, a, course->promised[i] - course->eta[i - 1]);
}

static double share_used(const tb_process *process, size_t bound, size_t i)
{
    const tb_tightness *t = &process->steps[i];
    return bound == 0 ? t->of_mixture : bound == 1 ? t->of_tv : t->of_kl;
}

tb__quartiles tb__theory_quartiles(const tb_theory *theory, size_t e, tb__process_value value,
                                   size_t i, size_t k)
{
    size_t n = theory->suite->n_seeds, kept = 0;
    tb__quartiles out = {NAN, NAN, NAN, NAN};
    double *x = tb_alloc(n, sizeof *x);
    for (size_t s = 0; x != NULL && s < n; s++) {
        double v = value(&theory->processes[e * n + s], i, k);
        if (!isnan(v))
            x[kept++] = v;
    }
    if (kept > 0) {
        tb_stats_sort(x, kept);
        out.largest = x[kept - 1];
        out.low = tb_stats_percentile(x, kept, 25);
        out.middle = tb_stats_percentile(x, kept, 50);
        out.high = tb_stats_percentile(x, kept, 75);
    }
    free(x);
    return out;
}

static void put_columns(FILE *out, const tb__quartiles *q)
{
    const double values[] = {q->low, q->middle, q->high};
    for (size_t i = 0; i < 3; i++) {
        fputc('\t', out);
        tb__put_number(out, isfinite(values[i]) ? values[i] : NAN);
    }
}

// a column's name: "trpo q1" to "trpo q3"
static void put_names(const char *name, FILE *out)
{
    for (int q = 1; q <= 3; q++)
        fprintf(out, "\t%s q%d", name, q);
}

// iteration, then of each algorithm low, middle and high of what is closed
static void put_courses(const tb_theory *theory, size_t e, FILE *out)
{
    const tb_theory_suite *suite = theory->suite;
    fputs("iteration", out);
    for (size_t a = 0; a < suite->n_algorithms; a++)
        put_names(suite->algorithms[a].label, out);
    fputc('\n', out);
    for (size_t i = 1; i <= (size_t)suite->config.iterations; i++) {
        fprintf(out, "%zu", i);
        for (size_t a = 0; a < suite->n_algorithms; a++) {
            tb__quartiles closed = tb__theory_quartiles(theory, e, tb__share_closed, a, i);
            put_columns(out, &closed);
        }
        fputc('\n', out);
    }
}

// iteration, then of each algorithm the same of what is gained and of what was promised
static void put_gains(const tb_theory *theory, size_t e, FILE *out)
{
    const tb_theory_suite *suite = theory->suite;
    fputs("iteration", out);
    for (size_t a = 0; a < suite->n_algorithms; a++) {
        put_names(suite->algorithms[a].label, out);
        put_names("promised", out);
    }
    fputc('\n', out);
    for (size_t i = 1; i <= (size_t)suite->config.iterations; i++) {
        fprintf(out, "%zu", i);
        for (size_t a = 0; a < suite->n_algorithms; a++) {
            tb__quartiles gained = tb__theory_quartiles(theory, e, share_gained, a, i),
                          promised = tb__theory_quartiles(theory, e, share_promised, a, i);
            put_columns(out, &gained);
            put_columns(out, &promised);
        }
        fputc('\n', out);
    }
}

// alpha, then of each bound low, middle, high of what is used up, and the largest
static void put_steps(const tb_theory *theory, size_t e, FILE *out)
{
    fputs("alpha", out);
    for (size_t b = 0; b < n_bounds; b++)
        fprintf(out, "\t%s q1\t%s q2\t%s q3\t%s max", bound_titles[b], bound_titles[b],
                bound_titles[b], bound_titles[b]);
    fputc('\n', out);
    for (size_t i = 0; i < TB_THEORY_STEPS; i++) {
        tb__put_number(out, theory->processes[0].steps[i].alpha);
        for (size_t b = 0; b < n_bounds; b++) {
            tb__quartiles used = tb__theory_quartiles(theory, e, share_used, b, i);
            put_columns(out, &used);
            fputc('\t', out);
            tb__put_number(out, isfinite(used.largest) ? used.largest : NAN);
        }
        fputc('\n', out);
    }
}

static tb_status write_data(const tb_theory *theory, const char *dir, size_t figure, size_t e,
                            tb_error *error)
{
    tb__output output;
    tb_status status = tb__output_open(&output, error);
    if (status != TB_OK)
        return status;
    if (figure == COURSES)
        put_courses(theory, e, output.file);
    else if (figure == MINORISATION)
        put_gains(theory, e, output.file);
    else if (figure == ESTIMATORS)
        tb__theory_put_errors(theory, e, output.file);
    else
        put_steps(theory, e, output.file);
    char *data = tb__theory_data_name(theory, figure, e);
    char *name = data != NULL ? tb__text("report/data/%s", data) : NULL;
    if (name == NULL)
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the figures' data");
    status = tb__output_commit(&output, status, dir, name, error);
    free(name);
    free(data);
    return status;
}

// ---- scripts ----

typedef struct layout {
    size_t columns, rows, entries;
    double width, height, panel_w, panel_h, left, top, gap_x, gap_y, bottom, entry_w;
    size_t legend_columns;
} layout;

// about a letter of 8 pt
#define LETTER 0.060
#define LEGEND_ROW 0.17

static const char *title_of(const tb_theory *theory, size_t figure, size_t i)
{
    return figure == TIGHTNESS    ? bound_titles[i]
           : figure == ESTIMATORS ? theory->suite->estimators[i].label
                                  : theory->suite->algorithms[i].label;
}

static layout lay_out(const tb_theory *theory, size_t figure)
{
    size_t n = theory->suite->n_envs, longest = 0;
    layout l = {.left = 0.70, .top = 0.24, .gap_x = 0.60, .gap_y = 0.62};
    l.columns = n <= 1 ? 1 : n <= 3 ? n : n == 4 ? 2 : 3;
    l.rows = (n + l.columns - 1) / l.columns;
    l.entries = figure == TIGHTNESS    ? n_bounds
                : figure == ESTIMATORS ? theory->suite->n_estimators
                                       : theory->suite->n_algorithms;
    for (size_t i = 0; i < l.entries; i++)
        longest = strlen(title_of(theory, figure, i)) > longest
                      ? strlen(title_of(theory, figure, i))
                      : longest;
    // text width of a one-column page; half of it for a single panel
    l.width = l.columns == 1 ? 3.25 : l.columns == 2 ? 5.5 : 6.75;
    l.panel_w = (l.width - l.left - 0.17 - l.gap_x * (double)(l.columns - 1)) / (double)l.columns;
    l.panel_h = fmin(0.74 * l.panel_w, 1.75);
    l.entry_w = 0.55 + LETTER * (double)longest;
    size_t fit = (size_t)fmax(1, floor((l.width - 0.1) / l.entry_w));
    l.legend_columns = fit < l.entries ? fit : l.entries;
    if (l.legend_columns < 1)
        l.legend_columns = 1;
    size_t rows = (l.entries + l.legend_columns - 1) / l.legend_columns;
    l.bottom = 0.48 + LEGEND_ROW * (double)rows;
    l.height = l.top + l.panel_h * (double)l.rows + l.gap_y * (double)(l.rows - 1) + l.bottom;
    return l;
}

static void put_iterations(const tb_theory *theory, FILE *out)
{
    int64_t n = theory->suite->config.iterations;
    fprintf(out, "  set logscale x; set xrange [1:%lld]; set format x \"%%g\"\n",
            (long long)(n > 1 ? n : 2));
}

static void put_courses_plot(const tb_theory *theory, const char *path, FILE *out)
{
    put_iterations(theory, out);
    fputs("  unset logscale y; set yrange [-0.05:1.05]; set format y \"%g\"\n  plot ", out);
    // bands, then lines
    for (size_t layer = 0; layer < 2; layer++)
        for (size_t a = 0; a < theory->suite->n_algorithms; a++) {
            size_t column = 2 + 3 * a;
            fputs(layer + a > 0 ? ", \\\n       " : "", out);
            tb__put_gnuplot(out, path);
            if (layer == 0)
                fprintf(out, " skip 1 using 1:%zu:%zu with filledcurves lc rgb \"#%s\"", column,
                        column + 2, tb__page_colour(a));
            else
                fprintf(out, " skip 1 using 1:%zu with lines lt %zu", column + 1, a + 1);
        }
    fputc('\n', out);
}

// what is below is rounding of eta
static void put_gains_plot(const tb_theory *theory, const char *path, FILE *out)
{
    put_iterations(theory, out);
    fputs("  set logscale y; set yrange [1e-8:2]; set format y \"10^{%T}\"\n  plot ", out);
    for (size_t layer = 0; layer < 2; layer++)
        for (size_t a = 0; a < theory->suite->n_algorithms; a++) {
            size_t column = 2 + 6 * a;
            fputs(layer + a > 0 ? ", \\\n       " : "", out);
            tb__put_gnuplot(out, path);
            if (layer == 0)
                fprintf(out, " skip 1 using 1:%zu with lines lt %zu", column + 1, a + 1);
            else
                fprintf(out, " skip 1 using 1:%zu with lines lw 0.8 dt solid lc rgb \"#%s\"",
                        column + 4, tb__page_colour(a));
        }
    fputc('\n', out);
}

static void put_steps_plot(const char *path, FILE *out)
{
    fputs("  set logscale xy; set xrange [1e-4:1]; set yrange [1e-6:2]\n"
          "  set format x \"10^{%T}\"; set format y \"10^{%T}\"\n  plot 1 with lines @threshold",
          out);
    for (int layer = 0; layer < 2; layer++)
        for (size_t b = 0; b < n_bounds; b++) {
            size_t column = 2 + 4 * b;
            fputs(", \\\n       ", out);
            tb__put_gnuplot(out, path);
            if (layer == 0)
                fprintf(out, " skip 1 using 1:%zu:%zu with filledcurves lc rgb \"#%s\"", column,
                        column + 3, tb__page_colour(b));
            else
                fprintf(out, " skip 1 using 1:%zu with lines lt %zu", column + 1, b + 1);
        }
    fputc('\n', out);
}

static void put_errors_plot(const tb_theory *theory, const char *path, FILE *out)
{
    fputs("  set logscale xy; set autoscale x; set autoscale y\n"
          "  set format x \"10^{%T}\"; set format y \"10^{%T}\"\n  plot ",
          out);
    for (size_t k = 0; k < theory->suite->n_estimators; k++) {
        fputs(k > 0 ? ", \\\n       " : "", out);
        tb__put_gnuplot(out, path);
        fprintf(out, " skip 1 using %zu:%zu with lines lt %zu", 2 + 2 * k, 3 + 2 * k, k + 1);
    }
    fputc('\n', out);
}

static const char *const y_labels[TB__THEORY_FIGURES] = {
    "share of the gap closed", "gained by one iteration", "share of the penalty needed",
    "error of the gradient"};

static void put_panel(const tb_theory *theory, size_t figure, const layout *l, size_t e, FILE *out)
{
    size_t column = e % l->columns, row = e / l->columns;
    double x = l->left + (double)column * (l->panel_w + l->gap_x);
    double y = l->height - l->top - l->panel_h - (double)row * (l->panel_h + l->gap_y);
    fprintf(out,
            "  set lmargin at screen %.5f; set rmargin at screen %.5f\n"
            "  set bmargin at screen %.5f; set tmargin at screen %.5f\n  set title ",
            x / l->width, (x + l->panel_w) / l->width, y / l->height, (y + l->panel_h) / l->height);
    tb__put_gnuplot(out, theory->suite->envs[e].label);
    fprintf(out, " noenhanced offset 0,-0.7 font sprintf(\",%%.2f\", 8.0 * pt)\n");
    fprintf(out, "  set xlabel \"%s\" offset 0,0.6\n",
            e + l->columns < theory->suite->n_envs ? ""
            : figure == TIGHTNESS                  ? "step size {/Symbol a}"
            : figure == ESTIMATORS                 ? "simulator steps"
                                                   : "iteration");
    if (column == 0)
        fprintf(out, "  set label 2 \"%s\" at screen %.5f,%.5f center rotate by 90\n",
                y_labels[figure], 0.10 / l->width, (y + l->panel_h / 2) / l->height);
    char *data = tb__theory_data_name(theory, figure, e);
    char *path = data != NULL ? tb__text("../data/%s", data) : NULL;
    if (path != NULL && figure == COURSES)
        put_courses_plot(theory, path, out);
    else if (path != NULL && figure == MINORISATION)
        put_gains_plot(theory, path, out);
    else if (path != NULL && figure == ESTIMATORS)
        put_errors_plot(theory, path, out);
    else if (path != NULL)
        put_steps_plot(path, out);
    free(path);
    free(data);
    fputs("  unset label\n\n", out);
}

static void put_legend(const tb_theory *theory, size_t figure, const layout *l, FILE *out)
{
    double x = (l->width - l->entry_w * (double)l->legend_columns + 0.15) / 2;
    double y = l->bottom - 0.42 - LEGEND_ROW / 2;
    fputs("  unset title; unset xlabel; unset tics; unset border; unset grid; unset logscale\n"
          "  set xrange [0:1]; set yrange [0:1]\n",
          out);
    for (size_t i = 0; i < l->entries; i++) {
        const size_t column = i % l->legend_columns, row = i / l->legend_columns;
        double left = (x + (double)column * l->entry_w) / l->width;
        double height = (y - (double)row * LEGEND_ROW) / l->height;
        fprintf(out,
                "  set arrow %zu from screen %.5f,%.5f to screen %.5f,%.5f nohead lt %zu\n"
                "  set label %zu ",
                i + 1, left, height, left + 0.30 / l->width, height, i + 1, i + 1);
        tb__put_gnuplot(out, title_of(theory, figure, i));
        fprintf(out, " at screen %.5f,%.5f left noenhanced textcolor rgb \"#202020\"\n",
                left + 0.36 / l->width, height);
    }
    fputs("  plot NaN\n  unset arrow; unset label\n", out);
}

static const char *const captions[TB__THEORY_FIGURES] = {
    "# Share (eta_i - eta_0) / (eta* - eta_0) of the gap between the first policy and the best one "
    "that is closed after i\n"
    "# iterations. Lines: median over processes; bands: quartiles.\n",
    "# Minorisation: share of the gap eta* - eta_0 that iteration i gains (thick), and the lower "
    "bound of it that the algorithm\n"
    "# proves before it moves (thin, same colour). Medians over processes.\n",
    "# Share |eta - L| / penalty of each bound's penalty that is needed, for mixtures of a random "
    "policy with the greedy\n"
    "# one. Lines: median over processes; bands: lower quartile to largest. The grey line at 1 is "
    "the theorem.\n",
    "# Root mean square distance of the mean of 1, 4, 16, ... batches from the estimator's exact "
    "expectation, over the length of the\n"
    "# target, against the simulator steps that they took. Slope -1/2 is the Monte-Carlo rate.\n"};

static tb_status write_script(const tb_theory *theory, const char *dir, size_t figure,
                              tb_error *error)
{
    tb__output output;
    tb_status status = tb__output_open(&output, error);
    if (status != TB_OK)
        return status;
    const char *name = tb__theory_figure_names[figure];
    layout l = lay_out(theory, figure);
    fprintf(output.file, "%s#\n# Draw again: cd report/fig && gnuplot %s.gp\n\n", captions[figure],
            name);
    tb__page_theme(l.entries, output.file);
    tb__page_begin(l.width, l.height, name, output.file);
    for (size_t e = 0; e < theory->suite->n_envs; e++)
        put_panel(theory, figure, &l, e, output.file);
    put_legend(theory, figure, &l, output.file);
    tb__page_end(output.file);
    char *path = tb__text("report/fig/%s.gp", name);
    if (path == NULL)
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the figures");
    status = tb__output_commit(&output, status, dir, path, error);
    free(path);
    return status;
}

tb_status tb__theory_figures(const tb_theory *theory, const char *dir, tb_error *error)
{
    tb_status status = TB_OK;
    for (size_t f = 0; f < tb__theory_n_figures(theory) && status == TB_OK; f++) {
        for (size_t e = 0; e < theory->suite->n_envs && status == TB_OK; e++)
            status = write_data(theory, dir, f, e, error);
        if (status == TB_OK)
            status = write_script(theory, dir, f, error);
    }
    return status;
}
