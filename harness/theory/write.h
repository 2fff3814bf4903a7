/* SPDX-License-Identifier: MIT
 *
 * Inside of harness/theory/: the files of one results folder.
 */
#ifndef HARNESS_THEORY_WRITE_H
#define HARNESS_THEORY_WRITE_H

#include "harness/theory/theory.h"

/* report/data/<figure>.<env>.tsv for each figure, and report/fig/<figure>.gp. */
tb_status tb__theory_figures(const tb_theory *theory, const char *dir, tb_error *error);

/* "courses", "minorisation", "tightness": names of the figures. */
enum { TB__THEORY_FIGURES = 3 };
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

/* Share (eta_i - eta_0) / (eta* - eta_0) of the gap between start and optimum that algorithm a has
 * closed after iteration i. NAN when there is no gap. */
double tb__share_closed(const tb_process *process, size_t a, size_t i);

#endif
