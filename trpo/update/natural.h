/* SPDX-License-Identifier: MIT
 *
 * The natural-gradient direction that trpo and npg share.
 */
#ifndef TRPO_UPDATE_NATURAL_H
#define TRPO_UPDATE_NATURAL_H

#include "trpo/update/policy.h"

enum { TB_DAMPING_ABSOLUTE, TB_DAMPING_RELATIVE };

/* How F x = g is solved: options that every natural-gradient algorithm has. */
typedef struct tb_natural_config {
    double damping;         /* >= 0 */
    double cg_tolerance;    /* relative to |g| */
    double fisher_fraction; /* (0, 1] share of the batch's states that Fisher products use */
    int64_t cg_iterations;  /* >= 1 */
    int32_t damping_mode;   /* TB_DAMPING_*: damping, or damping * g'Fg / g'g, is added to F */
    int32_t reserved;
} tb_natural_config;

typedef struct tb_natural {
    double *g;   /* [P] gradient of the objective at the old parameters */
    double *old; /* [P] copy of the old parameters */
    double *x;   /* [P] (F + damping I)^-1 g, by conjugate gradients */
    double gx;   /* g'x */
    double xfx;  /* x'(F + damping I) x; > 0 */
    int usable;  /* 0: log->update_end says why there is no direction */
} tb_natural;

/* Evaluates the batch at the old parameters and solves F x = g; fills *log, and counts the update
 * as rejected when there is no direction to move along. g, x and old lie in
 * policy->scratch. */
tb_status tb_natural_direction(tb_policy *policy, const tb_batch *batch,
                               const tb_natural_config *config, tb_natural *out, tb_iteration *log,
                               tb_error *error);

/* Sets theta = old + scale * x. */
void tb_natural_move(tb_policy *policy, const tb_natural *natural, double scale);

/* The rows of tb_natural_config for an option table: `type` is the algorithm's config struct, with
 * a member `natural`. */
// clang-format off
#define TB_NATURAL_OPTIONS(type)                                                                   \
    {"damping", TB_OPTION_F64, offsetof(type, natural.damping), 0.1, 0, 1e6, NULL,                 \
     "Added to the Fisher matrix's diagonal: F + damping I."},                                     \
    {"damping_mode", TB_OPTION_ENUM, offsetof(type, natural.damping_mode), TB_DAMPING_ABSOLUTE,    \
     0, 0, "absolute|relative",                                                                    \
     "What damping counts: absolute adds it as it is; relative multiplies it by g'Fg / g'g, the "  \
     "curvature along the gradient."},                                                             \
    {"fisher_fraction", TB_OPTION_F64, offsetof(type, natural.fisher_fraction), 1, 1e-9, 1, NULL,  \
     "Share of the batch's states, drawn anew each iteration, that Fisher products use; at least " \
     "one. All else is of the whole batch (paper, appendix C)."},                                  \
    {"cg_iterations", TB_OPTION_I64, offsetof(type, natural.cg_iterations), 15, 1, 10000, NULL,    \
     "Most iterations of conjugate gradients (paper, appendix C)."},                               \
    {"cg_tolerance", TB_OPTION_F64, offsetof(type, natural.cg_tolerance), 1e-5, 0, 1, NULL,        \
     "Conjugate gradients stop when the residual is below this fraction of the gradient's norm."}
// clang-format on

#endif
