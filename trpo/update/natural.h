/* SPDX-License-Identifier: MIT
 *
 * The natural-gradient direction that trpo and npg share.
 */
#ifndef TRPO_UPDATE_NATURAL_H
#define TRPO_UPDATE_NATURAL_H

#include "trpo/update/policy.h"

typedef struct tb_natural {
    double *g;   /* [P] gradient of the surrogate at the old parameters */
    double *old; /* [P] copy of the old parameters */
    double *x;   /* [P] (F + damping I)^-1 g, by conjugate gradients */
    double gx;   /* g'x */
    double xfx;  /* x'(F + damping I) x; > 0 */
    int usable;  /* 0: log->update_end says why there is no direction */
} tb_natural;

/* Evaluates the batch at the old parameters and solves F x = g; fills *log, and counts the update
 * as rejected when there is no direction to move along. g, x and old lie in
 * policy->scratch. */
tb_status tb_natural_direction(tb_policy *policy, const tb_batch *batch, double damping,
                               int64_t cg_iterations, double cg_tolerance, tb_natural *out,
                               tb_iteration *log, tb_error *error);

/* Sets theta = old + scale * x. */
void tb_natural_move(tb_policy *policy, const tb_natural *natural, double scale);

/* Options that every natural-gradient algorithm has, for its option table: `type` is its config
 * struct. */
// clang-format off
#define TB_NATURAL_OPTIONS(type)                                                                   \
    {"damping", TB_OPTION_F64, offsetof(type, damping), 0.1, 0, 1e6, NULL,                         \
     "Added to the Fisher matrix's diagonal: F + damping I."},                                     \
    {"cg_iterations", TB_OPTION_I64, offsetof(type, cg_iterations), 15, 1, 10000, NULL,            \
     "Most iterations of conjugate gradients (paper, appendix C)."},                               \
    {"cg_tolerance", TB_OPTION_F64, offsetof(type, cg_tolerance), 1e-5, 0, 1, NULL,                \
     "Conjugate gradients stop when the residual is below this fraction of the gradient's norm."}
// clang-format on

#endif
