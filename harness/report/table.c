/* SPDX-License-Identifier: MIT
 *
 * scores.csv, table.csv, table.md, table.tex.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/grid.h"
#include "harness/report/write.h"

static const char *env_of(const tb__report *report, const tb__group *group)
{
    return group != NULL ? report->suite->envs[group->env].label : "(all)";
}

static void put_cell(FILE *out, const char *text)
{
    tb__put_csv(out, text);
    fputc(',', out);
}

static void put_names(const tb__report *report, const tb__group *group, size_t policy,
                      size_t algorithm, FILE *out)
{
    put_cell(out, report->suite->name);
    put_cell(out, env_of(report, group));
    put_cell(out, report->suite->policies[policy].label);
    put_cell(out, report->suite->algorithms[algorithm].label);
}

static const char *state_name(tb__run_state state)
{
    return state == TB__RUN_OK ? "ok" : state == TB__RUN_FAILED ? "failed" : "missing";
}

static void put_score(const tb__report *report, const tb__group *group, const tb__run *run,
                      FILE *out)
{
    put_names(report, group, group->policy, group->algorithm, out);
    fprintf(out, "%lld,", (long long)run->seed);
    tb__put_number(out, run->n_evals > 0 ? run->evals[run->n_evals - 1].step : NAN);
    fputs(",final,", out);
    tb__put_number(out, run->raw);
    fputc(',', out);
    tb__put_number(out, run->normalised);
    fprintf(out, ",%s\n", state_name(run->state));
}

tb_status tb__write_scores(const tb__report *report, tb_error *error)
{
    tb__output output;
    tb_status status = tb__output_open(&output, error);
    if (status != TB_OK)
        return status;
    fputs("suite,env,policy,algorithm,seed,step,metric,raw,normalised,state\n", output.file);
    for (size_t g = 0; g < report->n_groups; g++)
        for (size_t r = 0; r < report->groups[g].n_runs; r++)
            put_score(report, &report->groups[g], &report->groups[g].runs[r], output.file);
    return tb__output_commit(&output, TB_OK, report->dir, "report/scores.csv", error);
}

static void put_estimate(FILE *out, const tb_estimate *estimate)
{
    const double parts[] = {estimate->point, estimate->low, estimate->high};
    for (size_t i = 0; i < 3; i++) {
        fputc(',', out);
        tb__put_number(out, parts[i]);
    }
}

static void put_csv_row(const tb__report *report, const tb__row *row, FILE *out)
{
    put_names(report, row->group, row->policy, row->algorithm, out);
    fprintf(out, "%s,%zu,%zu,%zu", row->group != NULL ? "raw" : "normalised", row->n_ok,
            row->n_failed, row->n_missing);
    put_estimate(out, &row->mean);
    fputc(',', out);
    tb__put_number(out, row->sd);
    put_estimate(out, &row->median);
    put_estimate(out, &row->iqm);
    put_estimate(out, &row->gap);
    fprintf(out, ",%.10g,%lld\n", report->options.level, (long long)report->options.resamples);
}

static tb_status write_csv(const tb__report *report, const tb__tables *tables, tb_error *error)
{
    tb__output output;
    tb_status status = tb__output_open(&output, error);
    if (status != TB_OK)
        return status;
    fputs("suite,env,policy,algorithm,score,n_runs,n_failed,n_missing,mean,mean_low,mean_high,sd,"
          "median,median_low,median_high,iqm,iqm_low,iqm_high,optimality_gap,optimality_gap_low,"
          "optimality_gap_high,level,resamples\n",
          output.file);
    for (size_t i = 0; i < tables->n_rows; i++)
        put_csv_row(report, &tables->rows[i], output.file);
    for (size_t i = 0; i < tables->n_all; i++)
        put_csv_row(report, &tables->all[i], output.file);
    return tb__output_commit(&output, TB_OK, report->dir, "report/table.csv", error);
}

// decimals from the interval's half width, else from the spread of the runs
static int decimals_of(const tb_estimate *estimate, double sd)
{
    int decimals = tb__decimals((estimate->high - estimate->low) / 2);
    return decimals >= 0 ? decimals : tb__decimals(sd);
}

static void add_number(tb__grid *grid, double value, int decimals)
{
    char text[TB__NUMBER_SIZE];
    tb__format_number(text, value, decimals);
    tb__grid_add(grid, isnan(value) ? "-" : text);
}

static void add_count(tb__grid *grid, size_t count)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", count);
    tb__grid_add(grid, text);
}

static void add_interval(tb__grid *grid, const tb__row *row, const tb_estimate *estimate,
                         int decimals)
{
    char low[TB__NUMBER_SIZE], high[TB__NUMBER_SIZE], text[2 * TB__NUMBER_SIZE + 8];
    tb__format_number(low, estimate->low, decimals);
    tb__format_number(high, estimate->high, decimals);
    snprintf(text, sizeof text, "[%s, %s]", low, high);
    if (!isnan(estimate->low))
        tb__grid_add(grid, text);
    else
        tb__grid_add(grid, row->n_ok > 0 && !isnan(estimate->point) ? "too few runs" : "-");
}

static void add_names(const tb__report *report, const tb__row *row, tb__grid *grid)
{
    tb__grid_add(grid, report->suite->policies[row->policy].label);
    tb__grid_add(grid, report->suite->algorithms[row->algorithm].label);
}

static void add_counts(const tb__row *row, tb__grid *grid)
{
    add_count(grid, row->n_ok);
    add_count(grid, row->n_failed);
    add_count(grid, row->n_missing);
}

static void fill_rows(const tb__report *report, const tb__tables *tables, tb__grid *grid)
{
    for (size_t i = 0; i < tables->n_rows; i++) {
        const tb__row *row = &tables->rows[i];
        const int decimals = decimals_of(&row->iqm, row->sd);
        tb__grid_add(grid, env_of(report, row->group));
        add_names(report, row, grid);
        add_number(grid, row->mean.point, decimals);
        add_number(grid, row->sd, decimals);
        add_number(grid, row->iqm.point, decimals);
        add_interval(grid, row, &row->iqm, decimals);
        add_counts(row, grid);
    }
}

static void fill_all(const tb__report *report, const tb__tables *tables, tb__grid *grid)
{
    for (size_t i = 0; i < tables->n_all; i++) {
        const tb__row *row = &tables->all[i];
        const tb_estimate *const parts[] = {&row->iqm, &row->mean, &row->median, &row->gap};
        add_names(report, row, grid);
        for (size_t p = 0; p < 4; p++) {
            // normalised scores have a known scale: without an interval three decimals
            int decimals = decimals_of(parts[p], 0.01);
            add_number(grid, parts[p]->point, decimals);
            add_interval(grid, row, parts[p], decimals);
        }
        add_counts(row, grid);
    }
}

// the two tables, each environment on its own and all together, with the titles they borrow
typedef struct grids {
    char interval[32];
    tb__grid_column row_columns[10], all_columns[13];
    tb__grid rows, all;
} grids;

static void make_grids(const tb__report *report, const tb__tables *tables, grids *g)
{
    const char *interval = g->interval;
    snprintf(g->interval, sizeof g->interval, "%g %% interval", 100 * report->options.level);
    const tb__grid_column row_columns[] = {
        {"Environment", 0}, {"Policy", 0}, {"Algorithm", 0}, {"Mean", 1},   {"SD", 1},
        {"IQM", 1},         {interval, 1}, {"Runs", 1},      {"Failed", 1}, {"Missing", 1}};
    const tb__grid_column all_columns[] = {
        {"Policy", 0}, {"Algorithm", 0}, {"IQM", 1},    {interval, 1},   {"Mean", 1},
        {interval, 1}, {"Median", 1},    {interval, 1}, {"Opt. gap", 1}, {interval, 1},
        {"Runs", 1},   {"Failed", 1},    {"Missing", 1}};
    memcpy(g->row_columns, row_columns, sizeof row_columns);
    memcpy(g->all_columns, all_columns, sizeof all_columns);
    tb__grid_init(&g->rows, g->row_columns, sizeof row_columns / sizeof row_columns[0]);
    tb__grid_init(&g->all, g->all_columns, sizeof all_columns / sizeof all_columns[0]);
    fill_rows(report, tables, &g->rows);
    fill_all(report, tables, &g->all);
}

static void say_rows(const tb__report *report, const tb__tables *tables, FILE *out)
{
    fputs("Return of the final evaluation (mean over its episodes), statistics over the complete "
          "runs of each row. SD: standard deviation between runs. IQM: interquartile mean, with "
          "its ",
          out);
    tb__say_interval(report, report->options.resamples, out);
    fputc('.', out);
    if (tables->few)
        fprintf(out, " No interval is given for fewer than %d runs.", TB__MIN_RUNS);
    if (tables->ragged)
        fputs(" The rows have different numbers of complete runs.", out);
    if (report->summary.n_failed > 0)
        fputs(" Failed runs are counted but have no score: the statistics are of the runs that "
              "survived.",
              out);
}

static void say_all(const tb__report *report, const tb__tables *tables, FILE *out)
{
    fprintf(out,
            "Normalised score (0: random policy, 1: reference return) over %zu environment%s, "
            "runs stratified by environment. IQM: of all runs; mean and median: over "
            "environments, of the mean over runs; optimality gap: shortfall from 1, lower is "
            "better. Intervals: ",
            tables->n_envs, tables->n_envs == 1 ? "" : "s");
    tb__say_interval(report, report->options.resamples, out);
    fputs(". A dash: no complete run on some environment.", out);
}

static int same_reason(const tb__run *a, const tb__run *b)
{
    return a->state == b->state && a->reason != NULL && b->reason != NULL &&
           strcmp(a->reason, b->reason) == 0;
}

// "- env policy algorithm, seeds 3, 5: reason", one line for each reason in a group
static void list_group(const tb__report *report, const tb__group *group, tb__run_state state,
                       FILE *out)
{
    const tb_suite *suite = report->suite;
    for (size_t r = 0; r < group->n_runs; r++) {
        const tb__run *run = &group->runs[r];
        int told = run->state != state;
        for (size_t before = 0; !told && before < r; before++)
            told = same_reason(&group->runs[before], run);
        if (told)
            continue;
        fputs("- ", out);
        tb__put_markdown(out, suite->envs[group->env].label);
        fputc(' ', out);
        tb__put_markdown(out, suite->policies[group->policy].label);
        fputc(' ', out);
        tb__put_markdown(out, suite->algorithms[group->algorithm].label);
        size_t n = 0;
        for (size_t other = r; other < group->n_runs; other++)
            if (same_reason(&group->runs[other], run))
                fprintf(out, "%s%lld", n++ == 0 ? ", seed " : ", ",
                        (long long)group->runs[other].seed);
        fputs(": ", out);
        tb__put_markdown(out, run->reason);
        fputc('\n', out);
    }
}

static void list_runs(const tb__report *report, tb__run_state state, size_t n, const char *title,
                      FILE *out)
{
    if (n == 0)
        return;
    fprintf(out, "\n%s (%zu):\n\n", title, n);
    for (size_t g = 0; g < report->n_groups; g++)
        list_group(report, &report->groups[g], state, out);
}

static int put_markdown(const tb__report *report, const tb__tables *tables, const grids *g,
                        FILE *out)
{
    fputs("# Results: ", out);
    tb__put_markdown(out, report->suite->name);
    fputs("\n\n", out);
    tb__grid_markdown(&g->rows, out);
    fputc('\n', out);
    say_rows(report, tables, out);
    fputc('\n', out);
    list_runs(report, TB__RUN_FAILED, report->summary.n_failed, "Failed runs", out);
    list_runs(report, TB__RUN_MISSING, report->summary.n_missing, "Missing runs", out);
    if (g->all.n_rows > 0) {
        fputs("\n## All environments\n\n", out);
        tb__grid_markdown(&g->all, out);
        fputc('\n', out);
        say_all(report, tables, out);
        fputc('\n', out);
    }
    int complete = tb__published_put(report, tables, out);
    fputc('\n', out);
    tb__say_source(report, out);
    fputc('\n', out);
    return complete;
}

// one table environment; `say` writes the caption as plain text
static void put_latex_table(const tb__report *report, const tb__tables *tables,
                            const tb__grid *grid, const char *label, const char *size,
                            void (*say)(const tb__report *, const tb__tables *, FILE *), FILE *out)
{
    char *caption = NULL;
    size_t length;
    FILE *text = open_memstream(&caption, &length);
    if (text != NULL) {
        say(report, tables, text);
        fclose(text);
    }
    fputs("\\begin{table}[t]\n\\centering\n\\caption{", out);
    tb__put_latex(out, caption != NULL ? caption : "");
    fprintf(out, "}\n\\label{tab:%s-%s}\n%s\\setlength{\\tabcolsep}{4pt}\n", report->suite->name,
            label, size);
    tb__grid_latex(grid, out);
    fputs("\\end{table}\n", out);
    free(caption);
}

static int put_latex(const tb__report *report, const tb__tables *tables, const grids *g, FILE *out)
{
    fputs("% ", out);
    tb__say_source(report, out);
    fputs("\n% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}\n", out);
    put_latex_table(report, tables, &g->rows, "returns", "\\small\n", say_rows, out);
    if (g->all.n_rows > 0) {
        fputc('\n', out);
        put_latex_table(report, tables, &g->all, "normalised", "\\footnotesize\n", say_all, out);
    }
    return 1;
}

// returns 0 when out of memory
typedef int table_writer(const tb__report *report, const tb__tables *tables, const grids *g,
                         FILE *out);

static tb_status write_with(table_writer *writer, const char *name, const tb__report *report,
                            const tb__tables *tables, const grids *g, tb_error *error)
{
    tb__output output;
    tb_status status = tb__output_open(&output, error);
    if (status != TB_OK)
        return status;
    if (!writer(report, tables, g, output.file))
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the tables");
    return tb__output_commit(&output, status, report->dir, name, error);
}

tb_status tb__write_tables(const tb__report *report, const tb__tables *tables, tb_error *error)
{
    grids g;
    make_grids(report, tables, &g);
    tb_status status = TB_OK;
    if (g.rows.failed || g.all.failed)
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the tables");
    if (status == TB_OK)
        status = write_csv(report, tables, error);
    if (status == TB_OK)
        status = write_with(put_markdown, "report/table.md", report, tables, &g, error);
    if (status == TB_OK)
        status = write_with(put_latex, "report/table.tex", report, tables, &g, error);
    tb__grid_finish(&g.rows);
    tb__grid_finish(&g.all);
    return status;
}
