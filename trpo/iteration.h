/* SPDX-License-Identifier: MIT
 *
 * The log record of one iteration. One list of columns makes the struct, progress.csv's header and
 * docs/progress.md.
 */
#ifndef TRPO_ITERATION_H
#define TRPO_ITERATION_H

#include <stdint.h>

/* How the update ended. */
typedef enum tb_update_end {
    TB_UPDATE_NONE,           /* no update was tried */
    TB_UPDATE_ACCEPTED,       /* step taken (npg, vpg: always, unless it is not finite) */
    TB_UPDATE_NO_IMPROVEMENT, /* last tried step did not improve the objective (enough) */
    TB_UPDATE_KL_EXCEEDED,    /* last tried step left the trust region */
    TB_UPDATE_NON_FINITE,     /* gradient, direction or last tried step held NaN or infinity */
    TB_UPDATE_ZERO_GRADIENT,  /* nothing to improve */
    TB_UPDATE_BAD_CURVATURE,  /* x'Fx <= 0 */
    TB_UPDATE_END_COUNT
} tb_update_end;

/* "accepted", "kl_exceeded", ... */
const char *tb_update_end_name(tb_update_end end);

/* X(kind, name, meaning): kind I = count (int64_t), F = number (double; NaN = does not apply), E =
 * tb_update_end. */
#define TB_ITERATION_COLUMNS(X)                                                                    \
    X(I, iteration, "Iterations done, from 1")                                                     \
    X(I, step, "Environment steps done over all lanes")                                            \
    X(I, episodes, "Training episodes ended so far")                                               \
    X(I, batch_episodes, "Training episodes that ended in this batch")                             \
    X(F, return_mean, "Mean raw return of the episodes that ended in this batch")                  \
    X(F, return_min, "Smallest of them")                                                           \
    X(F, return_max, "Largest of them")                                                            \
    X(F, length_mean, "Their mean length, steps")                                                  \
    X(F, reward_mean, "Mean raw reward of a step of the batch")                                    \
    X(F, clipped_actions, "Share of action entries that lay outside their bounds")                 \
    X(I, branch_steps, "Environment steps of this iteration's vine branches; 0 with single-path")  \
    X(F, q_deviation,                                                                              \
      "Vine: root mean square of Q less the mean of its state, before they are scaled")            \
    X(F, surrogate_before,                                                                         \
      "Surrogate L at the old parameters: the mean advantage (paper, eq. 14)")                     \
    X(F, surrogate_after, "Surrogate L at the parameters that were kept")                          \
    X(F, surrogate_expected,                                                                       \
      "First-order prediction of the objective's improvement by the full step, g's")               \
    X(F, improvement_ratio,                                                                        \
      "Improvement of the objective over its first-order prediction, of the last step tried")      \
    X(F, kl,                                                                                       \
      "Mean KL, in kl_direction, at the parameters that were kept: 0 after a rejected step")       \
    X(F, kl_tried, "Mean KL of the last step that was tried")                                      \
    X(F, entropy, "Mean entropy of the old policy")                                                \
    X(F, entropy_after, "Mean entropy of the policy that was kept")                                \
    X(F, ratio_error,                                                                              \
      "Largest |pi(a|s) / pi_old(a|s) - 1| at the old parameters: 0 but for rounding")             \
    X(F, gradient_norm, "Euclidean norm of the objective's gradient g")                            \
    X(F, step_norm, "Euclidean norm of the change of parameters that was kept")                    \
    X(F, damping, "Number added to the Fisher matrix's diagonal")                                  \
    X(I, fisher_rows, "States of the batch that Fisher products used")                             \
    X(I, cg_iterations, "Conjugate-gradient iterations (Fisher products)")                         \
    X(F, cg_residual, "|g - Fx| / |g| when conjugate gradients ended")                             \
    X(I, line_search_steps, "Step lengths that the line search tried")                             \
    X(F, step_fraction, "Fraction of the full step that was kept; 0 after a rejected update")      \
    X(E, update_end, "Why the update ended")                                                       \
    X(F, critic_loss_before,                                                                       \
      "Mean squared error of the critic's network before its fit (its own units)")                 \
    X(F, critic_loss_after, "The same after the fit")                                              \
    X(F, explained_variance_before,                                                                \
      "Share of the value targets' variance that the critic explained before its fit")             \
    X(F, explained_variance_after, "The same after the fit")                                       \
    X(F, value_mean, "Mean value of the batch's states before the fit")                            \
    X(I, critic_rolled_back, "Fits of the critic so far that were undone")                         \
    X(I, updates_rejected, "Updates so far that kept the old parameters")                          \
    X(I, negative_curvature, "Updates so far in which conjugate gradients met p'Fp <= 0")          \
    X(I, non_finite, "Updates so far in which a NaN or infinity was met")

typedef struct tb_iteration {
#define TB_COLUMN_I(name) int64_t name;
#define TB_COLUMN_F(name) double name;
#define TB_COLUMN_E(name) tb_update_end name;
#define TB_COLUMN(kind, name, meaning) TB_COLUMN_##kind(name)
    TB_ITERATION_COLUMNS(TB_COLUMN)
#undef TB_COLUMN
#undef TB_COLUMN_I
#undef TB_COLUMN_F
#undef TB_COLUMN_E
} tb_iteration;

/* Counts 0, numbers NaN, update_end NONE. */
void tb_iteration_clear(tb_iteration *log);

/* Wall-clock seconds of the phases of one iteration; no part of any result. */
typedef struct tb_timing {
    double sample_s, advantage_s, update_s, critic_s;
    double cg_s, line_search_s; /* parts of update_s; 0 where an algorithm has no such part */
} tb_timing;

#endif
