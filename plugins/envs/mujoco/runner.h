/* SPDX-License-Identifier: MIT
 *
 * What the tasks that run, walk or swim have in common.
 */
#ifndef TB_MJ_RUNNER_H
#define TB_MJ_RUNNER_H

#include "task.h"

/* For fit(): whether the model has at least so many positions, velocities and actuators; else a
 * message. Tasks that read fixed places of qpos and qvel need no more than that. */
int tb_mj_need(const tb_mj_view *v, uint64_t nq, uint64_t nv, uint64_t nu, char *err,
               uint64_t err_cap);
/* The same for exact numbers. */
int tb_mj_need_exactly(const tb_mj_view *v, uint64_t nq, uint64_t nv, uint64_t nu, char *err,
                       uint64_t err_cap);

/* Number of values of tb_mj_put_state(). */
uint64_t tb_mj_state_size(const tb_mj_view *v, uint64_t n_excluded);
/* Positions but for the first n_excluded (which count only while the parameter excludes them), then
 * velocities limited to +-limit (INFINITY: not at all). Returns the place behind them. */
double *tb_mj_put_state(const tb_mj_view *v, uint64_t n_excluded, double limit, double *to);

/* Adds noise of scale p->reset_noise_scale to qpos and qvel: uniform in +-scale, or with velocities
 * of a normal distribution with that standard deviation. */
void tb_mj_noise_uniform(const tb_mj_view *v, tb_rng *rng);
void tb_mj_noise_normal(const tb_mj_view *v, tb_rng *rng);

/* position(): the first two coordinates. */
void tb_mj_root_position(const tb_mj_view *v, double xy[2]);

/* weight * sum of squares of the actions, in float32 as numpy 2 computes it. */
float tb_mj_action_cost(const tb_mj_view *v, double weight, const float *action);

/* Whether low < x < high. */
int tb_mj_within(double x, const double range[2]);

/* The outcome of a runner that may fall: forward + healthy - costs. */
void tb_mj_healthy_outcome(const tb_mj_view *v, double forward, int healthy, double costs,
                           tb_mj_outcome *out);

#endif
