/* SPDX-License-Identifier: MIT
 *
 * A finite Markov decision process with known dynamics: what exact values, visitation and bounds
 * are computed from (paper, section 2). "Paper" in this folder is Schulman et al. 2015, arXiv
 * 1502.05477.
 *
 * Legend of this folder: S states, A actions, s state, a action, P(s'|s,a) transition probability,
 * r(s,a) expected reward, rho0 distribution of the first state, gamma discount, pi [S][A] a policy
 * as a table of probabilities, V, Q, A(s,a) its values and advantages, eta its expected discounted
 * return. Arrays are rows of states unless they say otherwise.
 *
 * Where an outcome ends the episode nothing follows: the rows of P sum to 1 less the probability of
 * an end. That is the paper's process with one absorbing state more, of reward 0, in which all
 * policies are alike: every theorem holds.
 */
#ifndef TRPO_THEORY_MDP_H
#define TRPO_THEORY_MDP_H

#include <trpo-bench/env.h>

#include "trpo/base/base.h"

/* Read only. */
typedef struct tb_mdp {
    size_t n_states, n_actions;
    double gamma;
    double reward_low, reward_high; /* of the outcomes that can happen, and 0: nothing is earned
                                       after an end */
    double *start;                  /* [S] rho0 */
    double *reward;                 /* [S][A] r(s,a), ends included */
    size_t *first;                  /* [S * A + 1]: transitions of each pair, ends left out */
    size_t *next;                   /* [transitions] s' */
    double *probability;            /* [transitions] P(s'|s,a) > 0 */
} tb_mdp;

/* The process of a model (tb.env.tabular/1, or arrays of one's own; `observation` is not read: a
 * policy sees the state itself) with 0 <= gamma < 1. Checks and copies. TB_E_PARAM says which pair
 * or state is wrong, TB_E_NOMEM. Probabilities may miss 1 by 1e-9. On failure *out is NULL. */
tb_status tb_mdp_create(const tb_tabular *model, double gamma, tb_mdp **out, tb_error *error);
void tb_mdp_destroy(tb_mdp *mdp); /* takes NULL */

#endif
