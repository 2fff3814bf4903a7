/* SPDX-License-Identifier: MIT
 *
 * The actions of a head that has finitely many: categorical, multi-categorical, Bernoulli.
 */
#ifndef TRPO_DIST_ENUMERATE_H
#define TRPO_DIST_ENUMERATE_H

#include "trpo/dist/head.h"

/* Number of different actions; 0 when they are infinitely many, `limit` + 1 when there are more
 * than `limit`. */
size_t tb_head_n_actions(const tb_head *head, size_t limit);

/* a [A] = action number k, 0 <= k < tb_head_n_actions(); the last entry counts fastest. */
void tb_head_nth_action(const tb_head *head, size_t k, double *a);

#endif
