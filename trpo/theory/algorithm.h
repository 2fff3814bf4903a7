/* SPDX-License-Identifier: MIT
 *
 * Algorithms on the exact model: one table. A new one is one new file with such a table and one row
 * in algorithm.c.
 *
 * *Rationale:* not the table of trpo/update/algorithm.h. That one changes a network's parameters
 * from a sampled batch; policy iteration has neither parameters nor samples, and the bounds are of
 * policies as tables. What the two can share they do: option rows, the line search.
 */
#ifndef TRPO_THEORY_ALGORITHM_H
#define TRPO_THEORY_ALGORITHM_H

#include "trpo/base/option.h"
#include "trpo/iteration.h"
#include "trpo/theory/bound.h"

/* What one step says about itself; NAN and 0 where it has no such figure. */
typedef struct tb_exact_step {
    double size;     /* what the algorithm calls its step: see its `step_name` */
    double promised; /* a lower bound of the new eta that the algorithm itself proves; NAN = none */
    int64_t trials;  /* of a line search */
    tb_update_end end;
} tb_exact_step;

typedef struct tb_exact_algorithm {
    const char *id; /* "monotonic" */
    const char *summary;
    const char *step_name;    /* "alpha": what tb_exact_step.size is */
    size_t config_size;       /* of the struct that `options` describes; 0 = none */
    const tb_option *options; /* ends with a row whose key is NULL */
    int monotonic;            /* 1: the theory says that eta never decreases */
    /* pi_new [S][A] from the evaluated policy; a step that is refused gives the old policy. work
     * [TB_EXACT_WORK * S * A]. *log comes cleared. */
    tb_status (*step)(const void *config, const tb_exact *at, double *pi_new, double *work,
                      tb_exact_step *log, tb_error *error);
} tb_exact_algorithm;

enum { TB_EXACT_WORK = 4 };

/* All algorithms, in the order of help texts; *n gets their number. */
const tb_exact_algorithm *const *tb_exact_algorithms(size_t *n);

/* The algorithm of this id, or NULL. */
const tb_exact_algorithm *tb_exact_algorithm_find(const char *id);

/* One iteration of a run. */
typedef struct tb_exact_record {
    double eta;         /* of the policy after this iteration */
    tb_bound bound;     /* of the step that led to it: measured from the policy before */
    tb_exact_step step; /* likewise. Record 0 has neither */
} tb_exact_record;

/* Runs `iterations` steps from pi0 [S][A]; records [iterations + 1], number 0 is pi0's. pi_end
 * [S][A] gets the last policy; may be NULL or pi0. TB_E_NOMEM and what tb_exact_evaluate and the
 * step return. */
tb_status tb_exact_run(const tb_mdp *mdp, const tb_exact_algorithm *algorithm, const void *config,
                       const double *pi0, size_t iterations, tb_exact_record *records,
                       double *pi_end, tb_error *error);

/* eta of the best policy, by policy iteration until no state's value grows any more (Howard 1960;
 * Puterman 1994, theorem 6.4.2). pi [S][A] gets that policy; may be NULL. */
tb_status tb_exact_optimum(const tb_mdp *mdp, double *pi, double *eta, tb_error *error);

#endif
