/* SPDX-License-Identifier: MIT
 *
 * Exponential backtracking: the first of 1, shrink, shrink^2, ... that is acceptable (paper,
 * appendix C).
 */
#ifndef TRPO_SEARCH_LINE_SEARCH_H
#define TRPO_SEARCH_LINE_SEARCH_H

#include "trpo/base/base.h"
#include "trpo/iteration.h"

/* What a step length gives, measured on the full batch. `objective` is what is maximised: the
 * surrogate, or more (trpo/update/policy.h). */
typedef struct tb_trial {
    double objective, kl;
} tb_trial;

/* Moves to old + fraction * step and measures. */
typedef tb_status (*tb_trial_fn)(void *ctx, double fraction, tb_trial *out, tb_error *error);

typedef struct tb_line_search {
    double objective_old; /* must be exceeded */
    double expected;      /* first-order prediction of the full step's improvement; > 0 */
    double accept_ratio;  /* >= 0; improvement / (fraction * expected) must exceed this */
    double max_kl;        /* must not be exceeded */
    double shrink;        /* in (0, 1) */
    int64_t max_steps;
} tb_line_search;

typedef struct tb_line_search_result {
    tb_update_end end; /* ACCEPTED, or why the last trial was refused */
    int64_t steps;     /* trials */
    double fraction;   /* of the accepted trial, else 0 */
    tb_trial last;     /* the last trial's figures */
    double ratio;      /* its improvement / (its fraction * expected) */
} tb_line_search_result;

/* Whether the trial of a fraction is acceptable; NaN never is. */
tb_update_end tb_line_search_judge(const tb_line_search *search, double fraction,
                                   const tb_trial *trial);

/* Tries. When nothing is acceptable the caller puts the old parameters back. */
tb_status tb_line_search_run(const tb_line_search *search, tb_trial_fn trial, void *ctx,
                             tb_line_search_result *result, tb_error *error);

#endif
