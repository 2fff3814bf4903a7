/* SPDX-License-Identifier: MIT
 *
 * Linear least squares with a ridge: the w that makes sum (phi_i'w - y_i)^2 + ridge |w|^2 smallest.
 * Rows are turned into a triangular factor one by one (Givens rotations; Golub and Van Loan 2013,
 * section 6.5.3), so the condition number of the rows is never squared, as it is in the normal
 * equations. Always double, always in the order of the rows: the same bits every time.
 *
 * Legend: K length of w.
 */
#ifndef TRPO_LINALG_LEAST_SQUARES_H
#define TRPO_LINALG_LEAST_SQUARES_H

#include "trpo/base/base.h"

typedef struct tb_least_squares {
    size_t n;    /* K */
    double *r;   /* [K][K] upper triangle R with R'R = sum phi phi' + ridge I */
    double *rhs; /* [K] R w = rhs */
    double *row; /* [K] work */
    double ridge;
} tb_least_squares;

tb_status tb_least_squares_init(tb_least_squares *system, size_t n, tb_error *error);
void tb_least_squares_finish(tb_least_squares *system);

/* Forgets all rows; `ridge` >= 0. */
void tb_least_squares_clear(tb_least_squares *system, double ridge);

/* Adds the row phi [K] with y. */
void tb_least_squares_add(tb_least_squares *system, const double *phi, double y);

/* w [K] of the rows so far; 1 when there is one. Where rows and ridge leave a direction
 * undetermined to double precision, the ridge is grown by tens until they do not (system->ridge
 * says how far). 0, and w stays as it is, when rows were not finite. */
int tb_least_squares_solve(tb_least_squares *system, double *w);

#endif
