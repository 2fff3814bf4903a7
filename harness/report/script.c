/* SPDX-License-Identifier: MIT
 *
 * Writes the data and the gnuplot scripts of the learning curves. A script uses paths relative to
 * its own folder, so that `cd report/fig && gnuplot curves.gp` draws it again anywhere.
 *
 * Lengths are in inches of the printed figure; gnuplot wants fractions of the page.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/figure.h"
#include "harness/report/page.h"
#include "harness/report/write.h"

// where everything stands on the page
typedef struct layout {
    double width, height;           // of the page
    double panel_w, panel_h;        // of the area inside the axes
    double left, right, top;        // margins of the page
    double gap_x, gap_y;            // between panels: tics and titles
    double bottom;                  // below the last row: tics, label, legend strip
    size_t columns, rows;           //
    int in_slot;                    // the legend stands in the free place of the last row
    size_t entries, legend_columns; // of the legend
    double entry_w;
} layout;

// about a letter of 8 pt, a line of the legend, its sample of the line
#define LETTER 0.060
#define LEGEND_ROW 0.17
#define LEGEND_LINE 0.30
#define LABELS_BELOW 0.38 // tics and label of the x axis

static int has_threshold(const tb__panel *panels, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isnan(panels[i].threshold))
            return 1;
    return 0;
}

static const char threshold_title[] = "reward threshold";

// in the free place of the last row when it fits, else in a strip below everything
static void lay_out_legend(layout *l, const tb__figure *figure, const tb__panel *panels,
                           size_t n_panels)
{
    size_t longest = 0;
    for (size_t i = 0; i < figure->n_series; i++) {
        size_t n = strlen(figure->series[i].title);
        longest = n > longest ? n : longest;
    }
    const int threshold = has_threshold(panels, n_panels);
    if (threshold && longest < sizeof threshold_title - 1)
        longest = sizeof threshold_title - 1;
    l->entries = figure->n_series + (size_t)threshold;
    l->entry_w = LEGEND_LINE + 0.25 + LETTER * (double)longest;
    const int free_slot = l->rows * l->columns > n_panels && l->columns > 1;
    l->in_slot = free_slot && LEGEND_ROW * (double)l->entries <= l->panel_h &&
                 l->entry_w <= l->panel_w + l->gap_x;
    const size_t fit = (size_t)((l->width - 0.1) / l->entry_w);
    l->legend_columns = fit < l->entries ? fit : l->entries;
    if (l->in_slot || l->legend_columns < 1) // nothing fits, or there is nothing
        l->legend_columns = 1;
}

static size_t columns_for(size_t n)
{
    return n <= 3 ? n : n == 4 ? 2 : 3;
}

static layout lay_out(const tb__figure *figure, const tb__panel *panels, size_t n_panels)
{
    layout l = {.left = 0.62, .right = 0.17, .top = 0.24, .gap_x = 0.50, .gap_y = 0.52};
    l.columns = columns_for(n_panels);
    l.rows = (n_panels + l.columns - 1) / l.columns;
    // text width of a one-column page; half of it for a single panel
    l.width = l.columns == 1 ? 3.25 : l.columns == 2 ? 5.5 : 6.75;
    const double between = l.gap_x * (double)(l.columns - 1);
    l.panel_w = (l.width - l.left - l.right - between) / (double)l.columns;
    l.panel_h = fmin(0.74 * l.panel_w, 1.75);
    lay_out_legend(&l, figure, panels, n_panels);
    const size_t rows = (l.entries + l.legend_columns - 1) / l.legend_columns;
    l.bottom = LABELS_BELOW + (l.in_slot ? 0 : LEGEND_ROW * (double)rows + 0.10);
    l.height = l.top + l.panel_h * (double)l.rows + l.gap_y * (double)(l.rows - 1) + l.bottom;
    return l;
}

static void put_margins(FILE *out, const layout *l, double left, double right, double bottom,
                        double top)
{
    fprintf(out,
            "  set lmargin at screen %.5f; set rmargin at screen %.5f\n"
            "  set bmargin at screen %.5f; set tmargin at screen %.5f\n",
            left / l->width, right / l->width, bottom / l->height, top / l->height);
}

// lower left corner of the place of panel i
static void place(const layout *l, size_t i, double *x, double *y)
{
    const size_t column = i % l->columns, row = i / l->columns;
    *x = l->left + (double)column * (l->panel_w + l->gap_x);
    *y = l->height - l->top - l->panel_h - (double)row * (l->panel_h + l->gap_y);
}

// the data file of a curve, relative to report/
static char *data_name(const tb__curve *curve)
{
    const tb__group *group = curve->group;
    return tb__text("data/%s.%s.%s.tsv", group->env_name, group->policy_name,
                    group->algorithm_name);
}

static void put_field(FILE *out, double value)
{
    fputc('\t', out);
    // what is not finite is a gap in the figure
    tb__put_number(out, isfinite(value) ? value : NAN);
}

tb_status tb__write_curve_data(const tb__report *report, const tb__curve *curve, tb_error *error)
{
    tb__output output;
    tb_status status = tb__output_open(&output, error);
    if (status != TB_OK)
        return status;
    FILE *out = output.file;
    fputs("step\truns\tiqm\tlow\thigh", out);
    for (size_t r = 0; r < curve->n_runs; r++)
        fprintf(out, "\ts%04lld", (long long)curve->runs[r]->seed);
    fputc('\n', out);
    for (size_t p = 0; p < curve->n_points; p++) {
        tb__put_number(out, curve->steps[p]);
        fprintf(out, "\t%zu", curve->counts[p]);
        put_field(out, curve->estimates[p].point);
        put_field(out, curve->estimates[p].low);
        put_field(out, curve->estimates[p].high);
        for (size_t r = 0; r < curve->n_runs; r++)
            put_field(out, curve->values[p * curve->n_runs + r]);
        fputc('\n', out);
    }
    char *data = data_name(curve), *name = data != NULL ? tb__text("report/%s", data) : NULL;
    if (name == NULL)
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the figures' data");
    status = tb__output_commit(&output, status, report->dir, name, error);
    free(name);
    free(data);
    return status;
}

// the caption as comment, 96 columns wide
static void put_header(const tb__report *report, const tb__curve *curves, const char *name,
                       FILE *out)
{
    char *caption = NULL;
    size_t size;
    FILE *text = open_memstream(&caption, &size);
    if (text != NULL) {
        tb__say_curves(report, curves, text);
        fclose(text);
    }
    size_t column = 0;
    for (const char *word = caption != NULL ? caption : ""; *word != '\0';) {
        size_t n = strcspn(word, " \n");
        if (column == 0 || column + 1 + n > 96) {
            fputs(column == 0 ? "#" : "\n#", out);
            column = 1;
        }
        fprintf(out, " %.*s", (int)n, word);
        column += n + 1;
        word += n + strspn(word + n, " \n");
    }
    free(caption);
    fprintf(out, "\n#\n# Draw again: cd report/fig && gnuplot %s.gp\n\n", name);
}

static void put_x_tics(const tb__panel *panel, FILE *out)
{
    char label[TB__NUMBER_SIZE];
    fputs("  set xtics (", out);
    for (int i = 0; i * panel->x_tic <= panel->x_max * 1.001; i++) {
        tb__format_steps(label, i * panel->x_tic);
        fprintf(out, "%s\"%s\" %.17g", i > 0 ? ", " : "", label, i * panel->x_tic);
    }
    fputs(")\n", out);
}

// names its data once for each way to draw it: single runs, then bands, then lines
static void put_plots(const tb__figure *figure, const tb__panel *panel, FILE *out)
{
    if (!panel->has_data) {
        fputs("  set label 1 \"no data\" at graph 0.5,0.5 center textcolor rgb \"#8C8C8C\"\n"
              "  plot NaN\n",
              out);
        return;
    }
    fputs("  plot ", out);
    if (!isnan(panel->threshold))
        fprintf(out, "%.17g with lines @threshold, \\\n       ", panel->threshold);
    const char *separator = "";
    for (int layer = 0; layer < 3; layer++) {
        for (size_t c = 0; c < panel->n_curves; c++) {
            const tb__curve *curve = &panel->curves[c];
            const size_t series =
                tb__series_of(figure, curve->group->policy, curve->group->algorithm);
            if (curve->n_points == 0 || (layer == 1 && curve->n_runs < TB__MIN_RUNS))
                continue;
            char *data = data_name(curve), *path = tb__text("../%s", data != NULL ? data : "");
            fputs(separator, out);
            if (layer == 0)
                fprintf(out, "for [i=6:%zu] ", 5 + curve->n_runs);
            tb__put_gnuplot(out, path != NULL ? path : "");
            if (layer == 0)
                fprintf(out, " skip 1 using 1:i with lines lw 0.45 dt solid lc rgb \"#C4%s\"",
                        tb__page_colour(series));
            else if (layer == 1)
                fprintf(out, " skip 1 using 1:4:5 with filledcurves lc rgb \"#%s\"",
                        tb__page_colour(series));
            else
                fprintf(out, " skip 1 using 1:3 with lines lt %zu", series + 1);
            separator = ", \\\n       ";
            free(path);
            free(data);
        }
    }
    fputs("\n", out);
}

static void put_panel(const tb__figure *figure, const tb__panel *panel, const layout *l, size_t i,
                      size_t n_panels, FILE *out)
{
    double x, y;
    place(l, i, &x, &y);
    put_margins(out, l, x, x + l->panel_w, y, y + l->panel_h);
    // a long name gets a smaller letter: about 0.6 em each, 8 pt at most
    const double room = l->panel_w + 0.8 * l->gap_x, letters = (double)strlen(panel->title);
    const double size = fmax(4, fmin(8, room * 72 / (0.6 * letters)));
    fputs("  set title ", out);
    tb__put_gnuplot(out, panel->title);
    fprintf(out, " noenhanced offset 0,-0.7 font sprintf(\",%%.2f\", %.1f * pt)\n", size);
    fprintf(out, "  set xrange [0:%.10g]; set yrange [%.10g:%.10g]; set ytics %.10g\n",
            panel->x_max, panel->y_low, panel->y_high, panel->y_tic);
    put_x_tics(panel, out);
    // labels on the outer panels only
    fprintf(out, "  set xlabel \"%s\" offset 0,0.6\n",
            i + l->columns >= n_panels ? "environment steps" : "");
    // at a fixed place: gnuplot would put it where the numbers' width, as it guesses it, ends
    if (i % l->columns == 0)
        fprintf(out,
                "  set label 2 \"evaluation return\" at screen %.5f,%.5f center rotate by 90\n",
                0.10 / l->width, (y + l->panel_h / 2) / l->height);
    put_plots(figure, panel, out);
    fputs("  unset label\n\n", out);
}

// drawn by hand rather than with gnuplot's key: that one moves lines around when it is short of
// room. Entry i: row i / columns, from the upper left corner (x, y)
static void put_legend(const tb__figure *figure, const layout *l, size_t n_panels, FILE *out)
{
    double x, y;
    place(l, n_panels, &x, &y);
    y += l->panel_h - LEGEND_ROW / 2;
    if (!l->in_slot) {
        x = (l->width - l->entry_w * (double)l->legend_columns + 0.15) / 2;
        y = l->bottom - LABELS_BELOW - 0.04 - LEGEND_ROW / 2;
    }
    fputs("  unset title; unset xlabel; unset tics; unset border; unset grid\n"
          "  set xrange [0:1]; set yrange [0:1]\n",
          out);
    for (size_t i = 0; i < l->entries; i++) {
        const size_t column = i % l->legend_columns, row = i / l->legend_columns;
        const double left = (x + (double)column * l->entry_w) / l->width;
        const double line = LEGEND_LINE / l->width, gap = 0.06 / l->width;
        const double height = (y - (double)row * LEGEND_ROW) / l->height;
        fprintf(out, "  set arrow %zu from screen %.5f,%.5f to screen %.5f,%.5f nohead ", i + 1,
                left, height, left + line, height);
        if (i < figure->n_series)
            fprintf(out, "lt %zu\n", i + 1);
        else
            fputs("@threshold\n", out);
        fprintf(out, "  set label %zu ", i + 1);
        tb__put_gnuplot(out, i < figure->n_series ? figure->series[i].title : threshold_title);
        fprintf(out, " at screen %.5f,%.5f left noenhanced textcolor rgb \"#202020\"\n",
                left + line + gap, height);
    }
    fputs("  plot NaN\n  unset arrow; unset label\n", out);
}

static tb_status write_script(const tb__report *report, const tb__curve *curves,
                              const tb__figure *figure, const tb__panel *panels, size_t n_panels,
                              const char *name, tb_error *error)
{
    tb__output output;
    tb_status status = tb__output_open(&output, error);
    if (status != TB_OK)
        return status;
    const layout l = lay_out(figure, panels, n_panels);
    put_header(report, curves, name, output.file);
    tb__page_theme(figure->n_series, output.file);
    tb__page_begin(l.width, l.height, name, output.file);
    for (size_t i = 0; i < n_panels; i++)
        put_panel(figure, &panels[i], &l, i, n_panels, output.file);
    put_legend(figure, &l, n_panels, output.file);
    tb__page_end(output.file);
    char *path = tb__text("report/fig/%s.gp", name);
    if (path == NULL)
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the figures");
    status = tb__output_commit(&output, status, report->dir, path, error);
    free(path);
    return status;
}

tb_status tb__write_figures(const tb__report *report, const tb__curve *curves, tb_error *error)
{
    tb__figure figure;
    tb_status status = tb__figure_make(report, curves, &figure, error);
    if (status != TB_OK)
        return status;
    status = write_script(report, curves, &figure, figure.panels, figure.n_panels, "curves", error);
    for (size_t i = 0; status == TB_OK && i < figure.n_panels; i++)
        status = write_script(report, curves, &figure, &figure.panels[i], 1, figure.panels[i].name,
                              error);
    tb__figure_finish(&figure);
    return status;
}
