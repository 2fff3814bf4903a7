/* SPDX-License-Identifier: MIT
 *
 * The policy pi_theta(a | s): a network and a head, and the quantities that every algorithm needs
 * of a batch.
 */
#ifndef TRPO_UPDATE_POLICY_H
#define TRPO_UPDATE_POLICY_H

#include "trpo/dist/head.h"
#include "trpo/iteration.h"
#include "trpo/net/net.h"
#include "trpo/sampling/batch.h"

/* Which of the two KL an update is measured by; the order of the option "kl_direction". Their
 * second derivatives at the old parameters, the Fisher matrix, are the same. */
enum { TB_KL_OLD_NEW, TB_KL_NEW_OLD };

/* What an update maximises: surrogate + entropy_coefficient * mean entropy. All zero: the surrogate
 * alone, measured by KL(old || new). Part of every algorithm's config. */
typedef struct tb_objective {
    double entropy_coefficient; /* >= 0 */
    int32_t kl_direction;       /* TB_KL_* */
    int32_t reserved;
} tb_objective;

typedef struct tb_policy {
    tb_net net;
    tb_head head;
    tb_net_batch *rows;
    tb_objective objective;
    uint64_t seed;          /* of the run */
    size_t max_rows;        /* of a batch */
    size_t n_rows;          /* of the last forward: all of the batch, or what was drawn of it */
    double fisher_fraction; /* (0, 1] share of the batch's rows that Fisher products use */
    void *fisher_x;         /* [share][I] inputs of these rows; NULL when they are all */
    double *fisher_weight;  /* [share] their weights */
    const double *weight;   /* [n_rows] of the last forward's rows; NULL = each has 1 */
    double weight_sum;      /* of them */
    double *y;              /* [n_rows][D] outputs of the last forward */
    double *log_prob;       /* [N][K] of the last evaluation */
    size_t max_draws;       /* actions a row that log_prob holds */
    double *shard_sums;     /* [shards][4] partial sums, added in order */
    double *shard_dy;       /* [shards][D] gradient of the entropy of one row */
    double *scratch;        /* [5 P] for algorithms: gradient, direction, work */
    /* Wall-clock seconds that updates spent in conjugate gradients and in the line search since
     * the caller set them to 0: for timing.csv, no part of any result. */
    double cg_s, line_search_s;
} tb_policy;

/* Takes the map over. `head` tells the outputs. */
tb_status tb_policy_init(tb_policy *policy, const tb_map_api *api, tb_map *map,
                         const tb_map_spec *spec, const tb_head *head, size_t max_rows,
                         uint64_t seed, tb_error *error);
void tb_policy_finish(tb_policy *policy);

/* Makes room for batches of up to `max_draws` actions a row; 1 after tb_policy_init. */
tb_status tb_policy_reserve_draws(tb_policy *policy, size_t max_draws, tb_error *error);

/* Says what to maximise and on what share of a batch Fisher products are made, and allocates what
 * that needs: before the first update, when it is not the surrogate alone and all. */
tb_status tb_policy_prepare(tb_policy *policy, const tb_objective *objective,
                            double fisher_fraction, tb_error *error);

/* Means over a whole batch, at the parameters in force. */
typedef struct tb_surrogate {
    double surrogate; /* mean of ratio * advantage (paper, eq. 14); of batches with several actions
                         a row: trpo/update/draws.h */
    double objective; /* surrogate + entropy_coefficient * entropy */
    double kl;        /* mean KL in policy->objective's direction, summed over action dimensions */
    double entropy;   /* mean */
    double ratio_error; /* largest |ratio - 1| */
} tb_surrogate;

/* Runs the network on the batch and leaves its activations for the products below. Entries may be
 * NaN or infinite. */
tb_status tb_policy_evaluate(tb_policy *policy, const tb_batch *batch, tb_surrogate *out,
                             tb_error *error);

/* The objective of these means. */
double tb_policy_objective(const tb_policy *policy, double surrogate, double entropy);

/* g [P] = gradient of the objective at the parameters of the last tb_policy_evaluate. */
tb_status tb_policy_gradient(tb_policy *policy, const tb_batch *batch, double *g, tb_error *error);

/* Draws policy->fisher_fraction of the batch's rows, at least one, for the products below: from
 * here to the next tb_policy_evaluate they are of these rows alone. Without replacement, every
 * choice equally likely, a pure function of (seed, iteration). Does nothing when all rows are to be
 * used. */
tb_status tb_policy_draw_fisher_rows(tb_policy *policy, const tb_batch *batch, uint64_t iteration,
                                     tb_error *error);

/* fv [P] = F v + damping v with F = J' M J / N, the Fisher matrix at the parameters of the last
 * forward, over its N rows (paper, appendix C); with the
 * batch's weights W it is J' W M J / sum W. */
tb_status tb_policy_fisher(tb_policy *policy, double damping, const double *v, double *fv,
                           tb_error *error);

/* Evaluates at the parameters that sampled the batch, fills *log's "before" part, and checks what
 * must hold there: ratio 1, KL 0. A deviation beyond rounding is an error (a policy architecture
 * that is not batch-invariant). */
tb_status tb_policy_evaluate_old(tb_policy *policy, const tb_batch *batch, tb_iteration *log,
                                 tb_error *error);

/* For algorithms without a line search: measures the parameters in force, and puts `old` [P] back
 * when they, the objective or the KL are not finite; fills the rest of *log, whose
 * surrogate_expected the caller has filled. */
tb_status tb_policy_keep_finite_step(tb_policy *policy, const tb_batch *batch, const double *old,
                                     tb_iteration *log, tb_error *error);

/* The option of every algorithm that tb_objective describes, for its table: `type` is its config
 * struct, with a member `objective`. */
// clang-format off
#define TB_OBJECTIVE_OPTIONS(type)                                                                 \
    {"entropy_coefficient", TB_OPTION_F64, offsetof(type, objective.entropy_coefficient), 0, 0,    \
     1e6, NULL, "Weight of the mean entropy beside the surrogate in what is maximised."}
// clang-format on

#endif
