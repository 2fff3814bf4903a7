/* SPDX-License-Identifier: MIT
 *
 * The files of report/. Every function writes below <results folder>/report and returns TB_E_IO
 * with the path, TB_E_NOMEM, or TB_OK.
 */
#ifndef HARNESS_REPORT_WRITE_H
#define HARNESS_REPORT_WRITE_H

#include "harness/report/analysis.h"
#include "harness/report/format.h"

/* report/scores.csv: one row a run. */
tb_status tb__write_scores(const tb__report *report, tb_error *error);

/* report/table.csv, table.md, table.tex. */
tb_status tb__write_tables(const tb__report *report, const tb__tables *tables, tb_error *error);

/* The section of table.md that shows report->published, when it knows any row; 0 when out of
 * memory. */
int tb__published_put(const tb__report *report, const tb__tables *tables, FILE *out);

/* report/captions.md: what the tables and figures show, in sentences for a paper. */
tb_status tb__write_captions(const tb__report *report, const tb__tables *tables,
                             const tb__curve *curves, tb_error *error);

/* report/data/<env>.<policy>.<algorithm>.tsv: the points of one line of a figure. */
tb_status tb__write_curve_data(const tb__report *report, const tb__curve *curve, tb_error *error);

/* report/fig/curves.gp with a panel for each environment, and report/fig/<env>.gp. `curves` has one
 * entry for each group. */
tb_status tb__write_figures(const tb__report *report, const tb__curve *curves, tb_error *error);

/* Runs gnuplot over the scripts that tb__write_figures wrote; fills report->summary.figures and
 * figures_message. The program is TRPO_BENCH_GNUPLOT in the environment, else "gnuplot". */
tb_status tb__draw_figures(tb__report *report, tb_error *error);

/* Runs gnuplot over folder/<name>.gp for each of n names, after removing what was drawn before;
 * fills the figures and figures_message of *summary. */
void tb__draw_scripts(const char *folder, const char *const *names, size_t n, int no_plot,
                      tb_report_summary *summary);

/* Sentences that tables and captions share, as plain text. */
void tb__say_interval(const tb__report *report, int64_t resamples, FILE *out); /* "95 % ..." */
void tb__say_source(const tb__report *report, FILE *out);                      /* suite, hash */

void tb__say_curves(const tb__report *report, const tb__curve *curves, FILE *out);

/* "trpo", "trpo (mlp)": how a policy and algorithm are called where the environment is clear;
 * the policy is left out when the suite has one only. Allocated. */
char *tb__series_title(const tb__report *report, size_t policy, size_t algorithm);

#endif
