/* SPDX-License-Identifier: MIT */
#ifndef TRPO_VALUE_ADAM_H
#define TRPO_VALUE_ADAM_H

#include <stddef.h>

/* One step of Adam (Kingma & Ba 2015, algorithm 1; beta 0.9 and 0.999, epsilon 1e-8): theta -= rate
 * * m / (sqrt(v) + eps) with bias-corrected moments of the gradient g. theta, g [n]; state [2 n +
 * 1]: m, v and the number of steps, all 0 at the start. Descends; negate g to ascend. */
void tb_adam_step(double *theta, const double *g, double *state, size_t n, double rate);

static inline size_t tb_adam_state_count(size_t n)
{
    return 2 * n + 1;
}

#endif
