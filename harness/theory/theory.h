/* SPDX-License-Identifier: MIT
 *
 * A theory suite from start to end: processes, measurements, files.
 *
 *   DIR/theory.toml        the suite as it was read
 *   DIR/theory.json        the resolved suite, counts, SHA-256 of each data file, result_hash
 *   DIR/report/table.md    the two tables below
 *   DIR/report/proof.csv   one row an environment: lemma 1, theorem 1, lemma 2
 *   DIR/report/algorithms.csv  one row an environment and algorithm
 *   DIR/report/triples.csv     one row a pair of random policies
 *   DIR/report/steps.csv       one row a mixture: how tight the bounds are
 *   DIR/report/courses.csv     one row a process and algorithm
 *   DIR/report/estimators.csv  one row a process and estimator; with [[estimator]] only
 *   DIR/report/data/, DIR/report/fig/{courses,minorisation,tightness,estimators}.{gp,svg,pdf,png}
 */
#ifndef HARNESS_THEORY_THEORY_H
#define HARNESS_THEORY_THEORY_H

#include "harness/report/report.h"
#include "harness/theory/experiment.h"
#include "harness/theory/gradient.h"

typedef struct tb_theory {
    const tb_theory_suite *suite;
    tb_process *processes; /* [n_envs][n_seeds] */
    size_t n_processes;
    tb_gradient_study *studies; /* [n_envs][seeds][n_estimators], of the first seeds */
    size_t n_studies, n_study_seeds;
    /* over all processes */
    size_t n_triples, n_lemma, n_theorem, n_coupling, n_monotone, n_biased;
    char result_hash[65]; /* over every data file; independent of threads */
    tb_report_summary figures;
} tb_theory;

/* Creates every process (plugins are loaded into this program) and measures it, on the threads of
 * OpenMP. TB_E_PARAM: an environment that does not tell its model (tabular/1), or too large a one.
 * On failure *out is finished. */
tb_status tb_theory_measure(const tb_theory_suite *suite, tb_theory *out, tb_error *error);

/* Writes everything below `dir`, which it makes, and fills result_hash and figures. TB_E_IO. */
tb_status tb_theory_write(tb_theory *theory, const char *dir, int no_plot, tb_error *error);

/* Statements that are violated, in all. */
size_t tb_theory_violations(const tb_theory *theory);

void tb_theory_finish(tb_theory *theory);

#endif
