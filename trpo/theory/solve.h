/* SPDX-License-Identifier: MIT
 *
 * Dense linear systems in double: LU factorisation with partial pivoting (Golub & Van Loan, "Matrix
 * computations", 4th ed., algorithm 3.4.1). The order of every sum is fixed, so the same input
 * gives the same bits on every machine.
 *
 * *Rationale:* not LAPACK, whose kernels, and with them the last bits, depend on the CPU it finds
 * (docs/adr/0012). The tests compare with it.
 */
#ifndef TRPO_THEORY_SOLVE_H
#define TRPO_THEORY_SOLVE_H

#include "trpo/base/base.h"

/* Overwrites a [n][n] (rows) with L below and U on and above the diagonal, P A = L U, L with a unit
 * diagonal; row i was swapped with row pivot[i] >= i [n]. TB_E_NUMERIC when A is singular or not
 * finite; then `a` is spoilt. */
tb_status tb_lu_factor(double *a, size_t *pivot, size_t n, tb_error *error);

/* x [n] = A^-1 x, from tb_lu_factor's result. */
void tb_lu_solve(const double *lu, const size_t *pivot, size_t n, double *x);

/* x [n] = A'^-1 x. */
void tb_lu_solve_transposed(const double *lu, const size_t *pivot, size_t n, double *x);

#endif
