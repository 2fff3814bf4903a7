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

typedef struct tb_policy {
    tb_net net;
    tb_head head;
    tb_net_batch *rows;
    double *y;          /* [N][D] outputs of the last evaluation */
    double *log_prob;   /* [N] of the last evaluation */
    double *shard_sums; /* [shards][4] partial sums, added in order */
    double *scratch;    /* [5 P] for algorithms: gradient, direction, work */
} tb_policy;

/* Takes the map over. `head` tells the outputs. */
tb_status tb_policy_init(tb_policy *policy, const tb_map_api *api, tb_map *map,
                         const tb_map_spec *spec, const tb_head *head, size_t max_rows,
                         uint64_t seed, tb_error *error);
void tb_policy_finish(tb_policy *policy);

/* Means over a whole batch, at the parameters in force. */
typedef struct tb_surrogate {
    double surrogate;   /* mean of ratio * advantage (paper, eq. 14) */
    double kl;          /* mean of KL(old || new), summed over action dimensions */
    double entropy;     /* mean */
    double ratio_error; /* largest |ratio - 1| */
} tb_surrogate;

/* Runs the network on the batch and leaves its activations for the products below. Entries may be
 * NaN or infinite. */
tb_status tb_policy_evaluate(tb_policy *policy, const tb_batch *batch, tb_surrogate *out,
                             tb_error *error);

/* g [P] = gradient of the surrogate at the parameters of the last tb_policy_evaluate. */
tb_status tb_policy_gradient(tb_policy *policy, const tb_batch *batch, double *g, tb_error *error);

/* fv [P] = F v + damping v with F = J' M J / N, the Fisher matrix at the parameters of the last
 * tb_policy_evaluate (paper, appendix C). */
tb_status tb_policy_fisher(tb_policy *policy, const tb_batch *batch, double damping,
                           const double *v, double *fv, tb_error *error);

/* Evaluates at the parameters that sampled the batch, fills *log's "before" part, and checks what
 * must hold there: ratio 1, KL 0. A deviation beyond rounding is an error (a policy architecture
 * that is not batch-invariant). */
tb_status tb_policy_evaluate_old(tb_policy *policy, const tb_batch *batch, tb_iteration *log,
                                 tb_error *error);

/* For algorithms without a line search: measures the parameters in force, and puts `old` [P] back
 * when they, the surrogate or the KL are not finite; fills the rest of *log. */
tb_status tb_policy_keep_finite_step(tb_policy *policy, const tb_batch *batch, const double *old,
                                     tb_iteration *log, tb_error *error);

#endif
