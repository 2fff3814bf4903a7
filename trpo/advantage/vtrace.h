/* SPDX-License-Identifier: MIT */
#ifndef TRPO_ADVANTAGE_VTRACE_H
#define TRPO_ADVANTAGE_VTRACE_H

#include "trpo/sampling/batch.h"

/* V-trace (Espeholt et al. 2018, arXiv 1802.01561, eq. 1) with the ratios w_t = pi(a_t | s_t) /
 * mu(a_t | s_t) of the policy to the one that sampled, [N]; NULL: all 1.
 *   rho_t = min(rho_bar, w_t),  c_t = min(c_bar, w_t)
 *   delta_t = rho_t (r_t + gamma V(s_t+1) - V(s_t))
 *   v_t = V(s_t) + delta_t + gamma c_t (v_t+1 - V(s_t+1))
 * Fills batch->target with v_t and batch->advantage with rho_t (r_t + gamma v_t+1 - V(s_t)), the
 * weight of the paper's policy gradient (its section 4.2). The recursion is cut at every end, where
 * v_t+1 = V(s_t+1) is as in tb_gae(). Needs 0 < c_bar <= rho_bar. */
void tb_vtrace(tb_batch *batch, const double *ratio, double gamma, double rho_bar, double c_bar);

#endif
