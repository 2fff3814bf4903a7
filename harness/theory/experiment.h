/* SPDX-License-Identifier: MIT
 *
 * What `trpo-bench theory` measures on one finite process: the theorems of the paper as numbers.
 * docs/theory.md says what is shown and why.
 */
#ifndef HARNESS_THEORY_EXPERIMENT_H
#define HARNESS_THEORY_EXPERIMENT_H

#include "harness/suite/theory.h"

/* Mixtures with the greedy policy, alpha = 10^(-4 + i / 4). */
enum { TB_THEORY_STEPS = 17 };

/* Two random policies. */
typedef struct tb_triple {
    double eta, eta_new;
    double lemma_error; /* eta_new less the right-hand side of eq. 2 */
    double shift_bound; /* 2 alpha epsilon, lemma 2's bound of bound.shift_max */
    tb_bound bound;
} tb_triple;

/* One mixture: how much of each bound's penalty is used up, |eta_new - L| / penalty; 1 is tight,
 * NAN where the penalty is 0 or infinite. */
typedef struct tb_tightness {
    double alpha;
    double gain, surrogate_gain;     /* eta_new - eta, L - eta */
    double of_mixture, of_tv, of_kl; /* eq. 6, 8, 9 */
} tb_tightness;

/* One algorithm on one process, from the policy that the seed draws. */
typedef struct tb_course {
    double *eta;      /* [iterations + 1] */
    double *promised; /* [iterations + 1]; number 0 is NAN, others NAN where nothing is promised */
    double least_change; /* min over iterations of eta_i+1 - eta_i */
    double least_margin; /* min of eta_i+1 - promised; INFINITY where nothing is */
    size_t n_worse;      /* iterations in which eta fell by more than the tolerance */
    size_t n_broken;     /* iterations below the promise or below theorem 1's bound */
} tb_course;

typedef struct tb_process {
    const tb_theory_env *env;
    int64_t seed;
    tb_mdp *mdp;        /* owned */
    double optimum;     /* eta of the best policy */
    tb_triple *triples; /* [config.triples] */
    tb_tightness steps[TB_THEORY_STEPS];
    tb_course *courses;                    /* [n_algorithms] */
    size_t n_lemma, n_theorem, n_coupling; /* triples and mixtures that violate lemma 1, theorem 1
                                              in either form, and lemma 2 */
    size_t n_monotone; /* iterations of algorithms that promise it in which eta fell, or that ended
                          below their promise */
    tb_status status;
    tb_error error;
} tb_process;

/* Allocates the arrays; process->mdp and what comes before it are set. TB_E_NOMEM. */
tb_status tb_process_prepare(tb_process *process, const tb_theory_suite *suite, tb_error *error);
/* Fills everything from `optimum` on. Failures are in status and error. A pure function of suite
 * and seed, so processes can be measured on any thread. */
void tb_process_measure(tb_process *process, const tb_theory_suite *suite);
/* pi [S][A] = the policy that algorithms start from. */
void tb_process_start(const tb_mdp *mdp, int64_t seed, double *pi);
void tb_process_finish(tb_process *process, size_t n_algorithms); /* takes a zeroed one */

#endif
