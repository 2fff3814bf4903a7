/* SPDX-License-Identifier: MIT
 *
 * What the self-normalised estimator of one rollout state estimates at a finite number of actions
 * (paper, section 5.2, eq. 16): exact expectation, by enumeration, and its first-order part. The
 * derivation is in docs/theory.md.
 *
 * K actions a_k are drawn independently from q. With w(a) = pi(a) / q(a),
 *
 *   L = sum_k w(a_k) Q(a_k) / sum_k w(a_k).
 *
 * Its expectation is not mu = sum_a pi(a) Q(a) unless q = pi, and the gradient of an estimate by
 * the logits theta of pi = softmax(theta), dL/dtheta_b = sum over a_k = b of w (Q - L) / sum_k w,
 * does not have the expectation dmu/dtheta_b = pi(b) (Q(b) - mu): at q = pi it is (K - 1) / K of
 * it.
 *
 * Q may be an estimate: L is linear in it, so only its expectation given the actions counts, and
 * noise that the K branches share changes no expectation.
 */
#ifndef TRPO_THEORY_SNIS_H
#define TRPO_THEORY_SNIS_H

#include "trpo/base/base.h"

typedef struct tb_snis_def {
    size_t n_actions;    /* n, 1 to 64 */
    size_t n_samples;    /* K >= 1 */
    const double *pi;    /* [n] the policy whose surrogate is estimated */
    const double *q;     /* [n] the proposal; > 0 wherever pi is */
    const double *value; /* [n] Q */
} tb_snis_def;

/* Results; each gradient [n], the caller's memory. */
typedef struct tb_snis {
    double mean, variance;     /* of L */
    double *gradient;          /* E[dL/dtheta] = dE[L]/dtheta */
    double *gradient_variance; /* of each component; NULL = not wanted */
} tb_snis;

/* E and Var over all K-tuples of actions, as sums over the C(K + n - 1, n - 1) ways to count them.
 * TB_E_PARAM when there are more than 10^7, or q is 0 where pi is not. */
tb_status tb_snis_expectation(const tb_snis_def *def, tb_snis *out, tb_error *error);

/* The limit K -> infinity and the coefficient of 1/K (delta method):
 *   E[L] = mu - B / K + O(1/K^2),   B = sum_a pi(a)^2 / q(a) (Q(a) - mu),
 *   E[dL/dtheta] = dmu/dtheta - dB/dtheta / K + O(1/K^2).
 * At q = pi: B = 0, dB/dtheta = dmu/dtheta, and there is no remainder. limit and slope (-B,
 * -dB/dtheta [n]); the variances are not filled. TB_E_PARAM as above. */
tb_status tb_snis_first_order(const tb_snis_def *def, tb_snis *limit, tb_snis *slope,
                              tb_error *error);

/* ---- the enumeration, for expectations of other estimators ---- */

/* All ways to count K draws from q: count[a] of action a. */
typedef struct tb_draws {
    size_t n_actions, n_samples;
    const double *q;
    uint64_t count[64];
    double probability; /* K! / prod count! * prod q^count */
} tb_draws;

/* The first way, and the next one: 0 when there is none. */
void tb_draws_first(tb_draws *draws, const double *q, size_t n_actions, size_t n_samples);
int tb_draws_next(tb_draws *draws);

#endif
