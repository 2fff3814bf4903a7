/* SPDX-License-Identifier: MIT
 *
 * Inside of harness/theory/: the files of one results folder.
 */
#ifndef HARNESS_THEORY_WRITE_H
#define HARNESS_THEORY_WRITE_H

#include "harness/report/grid.h"
#include "harness/theory/theory.h"

/* report/data/<figure>.<env>.tsv for each figure, and report/fig/<figure>.gp. */
tb_status tb__theory_figures(const tb_theory *theory, const char *dir, tb_error *error);

/* "courses", "minorisation", "tightness", "estimators": names of the figures; without estimators
 * the last one is left out. */
enum { TB__THEORY_FIGURES = 4 };
size_t tb__theory_n_figures(const tb_theory *theory);
extern const char *const tb__theory_figure_names[TB__THEORY_FIGURES];

/* report/data/<figure>.<env>.tsv; "/" in an environment's label becomes "__". Allocated. */
char *tb__theory_data_name(const tb_theory *theory, size_t figure, size_t env);

/* Quartiles over the processes of environment e of a figure that `value` gives for each of them;
 * those that are NAN do not count. All NAN when none does. */
typedef struct tb__quartiles {
    double low, middle, high; /* 25, 50, 75 % */
    double largest;
} tb__quartiles;
typedef double (*tb__process_value)(const tb_process *process, size_t i, size_t k);
tb__quartiles tb__theory_quartiles(const tb_theory *theory, size_t e, tb__process_value value,
                                   size_t i, size_t k);

/* ---- estimators: write_gradients.c ---- */

/* Of environment e, the seed's number and the estimator's. */
const tb_gradient_study *tb__theory_study(const tb_theory *theory, size_t e, size_t seed, size_t k);
/* estimators.csv, and the rows and the legend of the table. */
void tb__theory_put_studies(const tb_theory *theory, FILE *out);
void tb__theory_add_studies(const tb_theory *theory, tb__grid *grid);
void tb__theory_put_study_legend(const tb_theory *theory, FILE *out);
/* Data of the figure: batches, then of each estimator steps and root mean square error. */
void tb__theory_put_errors(const tb_theory *theory, size_t e, FILE *out);

/* Share (eta_i - eta_0) / (eta* - eta_0) of the gap between start and optimum that algorithm a has
 * closed after iteration i. NAN when there is no gap. */
double tb__share_closed(const tb_process *process, size_t a, size_t i);

#endif
