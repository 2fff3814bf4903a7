/* SPDX-License-Identifier: MIT
 *
 * The report of a results folder: tables, scores and learning curves (docs/report.md).
 *
 *   results folder --gather--> runs --analyse--> numbers --write--> report/ --gnuplot--> figures
 *
 * Everything but the PDF's creation date depends on the results and the options alone, to the byte.
 */
#ifndef HARNESS_REPORT_REPORT_H
#define HARNESS_REPORT_REPORT_H

#include <stdint.h>

#include "trpo/base/base.h"

typedef struct tb_report_options {
    int64_t resamples;       /* of each bootstrap interval in the tables, >= 1; default 50000 */
    int64_t curve_resamples; /* of each point of a learning curve's band, >= 1; default 2000 */
    double level;            /* of every interval, in (0, 1); default 0.95 */
    uint64_t seed;           /* of the bootstrap; default 0 */
    int32_t no_plot;         /* 1: do not call gnuplot; the scripts and data are still written */
    int32_t reserved;
    const char *filter; /* POSIX extended regular expression on the cells' labels; NULL = all */
} tb_report_options;

tb_report_options tb_report_default(void);

typedef enum tb_report_figures {
    TB_REPORT_FIGURES_DRAWN,
    TB_REPORT_FIGURES_NOT_ASKED,  /* options->no_plot */
    TB_REPORT_FIGURES_NO_GNUPLOT, /* not installed, or older than 5.4 */
    TB_REPORT_FIGURES_FAILED      /* gnuplot refused a script: its words are in figures_message */
} tb_report_figures;

/* What was found and written. */
typedef struct tb_report_summary {
    size_t n_ok, n_failed, n_missing; /* runs; damaged ones count as failed */
    size_t n_damaged;                 /* runs with a file that does not hold what it should */
    tb_error damage;                  /* the first of them: file, line, what is wrong */
    tb_report_figures figures;
    char figures_message[1024]; /* one line for a person, "" when drawn or not asked for */
} tb_report_summary;

/* Reads `results_dir` and writes results_dir/report/, replacing files of the same name. *summary
 * (may be NULL) is filled on TB_OK.
 *
 * Which runs: those of suite.resolved.json, and beside them every run on disk that belongs to one
 * of its cells with another seed (a suite that was started with more seeds before): such a run
 * counts when it is complete or has failed, and is never "missing".
 *
 * Failed and missing runs and missing figures are TB_OK: look at *summary. TB_E_IO: a file cannot
 * be read or written. TB_E_CORRUPT: suite.resolved.json or plugins.json is damaged, message with
 * file and line. TB_E_PARAM: an option is out of range or the filter leaves nothing. */
tb_status tb_report_write(const char *results_dir, const tb_report_options *options,
                          tb_report_summary *summary, tb_error *error);

#endif
