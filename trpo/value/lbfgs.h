/* SPDX-License-Identifier: MIT
 *
 * Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5) for a smooth function that
 * is given with its gradient.
 */
#ifndef TRPO_VALUE_LBFGS_H
#define TRPO_VALUE_LBFGS_H

#include "trpo/base/base.h"

/* value = f(theta), gradient [n] at theta [n]. Either may come out NaN or infinite. */
typedef tb_status (*tb_lbfgs_function)(void *ctx, const double *theta, double *value,
                                       double *gradient, tb_error *error);

/* Memory of one minimisation. */
typedef struct tb_lbfgs {
    size_t n, history;       /* length of theta; pairs that are kept, m */
    size_t pairs, next;      /* pairs there are; the place of the next one */
    double *s, *y;           /* [m][n] steps and changes of the gradient */
    double *rho, *alpha;     /* [m] 1 / s'y, and of algorithm 7.4 */
    double *g, *g_old;       /* [n] gradients */
    double *old, *direction; /* [n] */
} tb_lbfgs;

tb_status tb_lbfgs_init(tb_lbfgs *lbfgs, size_t n, size_t history, tb_error *error);
void tb_lbfgs_finish(tb_lbfgs *lbfgs);

/* Moves theta [n] downhill by at most `iterations` steps, beginning without a history. A step
 * length is found by bisection (Lewis and Overton 2013, algorithm 2.6) so that it decreases f
 * enough (Armijo, 1e-4) and flattens the slope enough (0.9), which keeps s'y > 0. Ends early where
 * the gradient is 0 or not finite, where a step gains less than 1e-9 of f, and where no step length
 * is found. f never ends above where it began. Fails only as `f` does. */
tb_status tb_lbfgs_minimize(tb_lbfgs *lbfgs, tb_lbfgs_function f, void *ctx, double *theta,
                            int64_t iterations, tb_error *error);

#endif
