/* SPDX-License-Identifier: MIT
 *
 * An estimator of the surrogate's gradient on one finite process: what it gave in many batches,
 * beside what it should have. docs/theory.md says what is shown and why.
 *
 * Legend: B batches, g a batch's gradient by the logits of the policy, E its exact expectation, T
 * the target: what the estimator is about. Norms are Euclidean, shares are of |T|.
 */
#ifndef HARNESS_THEORY_GRADIENT_H
#define HARNESS_THEORY_GRADIENT_H

#include "harness/plugin/loader.h"
#include "harness/suite/theory.h"

/* Means of 4^i batches. */
enum { TB_STUDY_BLOCKS = 6 };

/* A mean that lies further from its expectation, in standard errors, is no accident: in one
 * dimension the chance is below 1e-6, in more it is smaller. */
#define TB_STUDY_FAR 5.0

typedef struct tb_gradient_study {
    const tb_theory_env *env;
    int64_t seed;
    const tb_theory_estimator *estimator;
    double steps;         /* environment steps of a batch, mean */
    double cosine;        /* of T with the gradient of eta */
    double bias_expected; /* |E - T| / |T| */
    double bias;          /* |mean g - T| / |T| */
    double error;         /* standard error of the mean, (tr Cov(g) / B)^1/2 / |T| */
    double distance;      /* |mean g - E| in standard errors: about 1; not finite where no batch
                             differs from another */
    double variance;      /* tr Cov(g) / |T|^2 of batches of 1,000 environment steps */
    /* Root mean square of |mean of 4^i batches - E| / |T| over the disjoint blocks of them; NAN
     * with fewer than 4 blocks. At the Monte-Carlo rate it halves from one to the next. */
    double rms[TB_STUDY_BLOCKS];
    double rate; /* slope of log rms over log batches, from the first to the last: -1/2 */
    int is_far;  /* distance above TB_STUDY_FAR, where there is a gradient and an error */
    tb_status status;
    tb_error message;
} tb_gradient_study;

/* Fills everything behind `estimator`, with the policy that tb_process_measure() starts algorithms
 * from. A pure function of suite, seed and estimator; on any thread. */
void tb_gradient_study_measure(tb_gradient_study *estimate, const tb_theory_suite *suite,
                               const tb_plugin *plugin, const tb_mdp *mdp);

#endif
