/* SPDX-License-Identifier: MIT */
#include "harness/report/report.h"

#include <stdlib.h>

#include "harness/report/write.h"

static tb_status make_folders(const char *dir, tb_error *error)
{
    static const char *const names[] = {"report", "report/data", "report/fig"};
    tb_status status = TB_OK;
    for (size_t i = 0; status == TB_OK && i < sizeof names / sizeof names[0]; i++)
        status = tb__make_folder(dir, names[i], error);
    return status;
}

static tb_status make_curves(const tb__report *report, tb__curve *curves, tb_error *error)
{
    tb_status status = TB_OK;
    for (size_t g = 0; status == TB_OK && g < report->n_groups; g++)
        status = tb__curve_make(report, &report->groups[g], &curves[g], error);
    return status;
}

static tb_status write_all(const tb__report *report, const tb__tables *tables,
                           const tb__curve *curves, tb_error *error)
{
    tb_status status = make_folders(report->dir, error);
    if (status == TB_OK)
        status = tb__write_scores(report, error);
    if (status == TB_OK)
        status = tb__write_tables(report, tables, error);
    if (status == TB_OK)
        status = tb__write_captions(report, tables, curves, error);
    for (size_t g = 0; status == TB_OK && g < report->n_groups; g++)
        status = tb__write_curve_data(report, &curves[g], error);
    if (status == TB_OK)
        status = tb__write_figures(report, curves, error);
    return status;
}

tb_status tb_report_write(const char *results_dir, const tb_report_options *options,
                          tb_report_summary *summary, tb_error *error)
{
    tb__report report;
    tb__tables tables = {.rows = NULL};
    tb_status status = tb__report_gather(results_dir, options, &report, error);
    if (status != TB_OK)
        return status;
    // everything is computed before the first file is touched
    tb__curve *curves = tb_alloc(report.n_groups, sizeof *curves);
    if (curves == NULL)
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the learning curves");
    if (status == TB_OK)
        status = tb__tables_make(&report, &tables, error);
    if (status == TB_OK)
        status = make_curves(&report, curves, error);
    if (status == TB_OK)
        status = write_all(&report, &tables, curves, error);
    if (status == TB_OK)
        status = tb__draw_figures(&report, error);
    if (status == TB_OK && summary != NULL)
        *summary = report.summary;
    for (size_t g = 0; curves != NULL && g < report.n_groups; g++)
        tb__curve_finish(&curves[g]);
    free(curves);
    tb__tables_finish(&tables);
    tb__report_finish(&report);
    return status;
}
