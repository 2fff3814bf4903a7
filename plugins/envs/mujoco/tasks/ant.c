/* SPDX-License-Identifier: MIT
 *
 * Ant: run forward on four legs.
 */
#include <stdio.h>

#include "../runner.h"
#include "../sums.h"

static const tb_mj_param rows[] = {
    TB_MJ_MODEL("ant.xml", 5),
    TB_MJ_F64(forward_reward_weight, 1.0, "Reward for each m/s forward."),
    TB_MJ_F64(ctrl_cost_weight, 0.5, "Cost of the sum of squared actions."),
    TB_MJ_F64(contact_cost_weight, 0.0005, "Cost of the sum of squared limited contact forces."),
    TB_MJ_F64(healthy_reward, 1.0, "Reward of a step after which the ant is healthy."),
    TB_MJ_ROW(main_body, "1", TB_PARAM_I64, 0, 1, 0, 0, 1e6,
              "Number of the body whose velocity is rewarded."),
    TB_MJ_BOOL(terminate_when_unhealthy, 1, "Whether the episode ends when it is not healthy."),
    TB_MJ_RANGE(healthy_z_range, 0.2, 1.0, "[0.2, 1.0]", "Healthy heights of the torso, m."),
    TB_MJ_RANGE(contact_force_range, -1.0, 1.0, "[-1.0, 1.0]",
                "What contact forces are limited to, in the observation and in their cost."),
    TB_MJ_NOISE(0.1),
    TB_MJ_EXCLUDE("the position in the plane"),
    TB_MJ_BOOL(include_cfrc_ext_in_observation, 1, "Whether contact forces are observed."),
    TB_MJ_END};

static uint64_t n_forces(const tb_mj_view *v)
{
    return v->p->include_cfrc_ext_in_observation ? 6 * ((uint64_t)v->m->nbody - 1) : 0;
}

static uint64_t fit(const tb_mj_view *v, char *err, uint64_t err_cap)
{
    if (!tb_mj_need(v, 3, 1, 1, err, err_cap))
        return 0;
    if (v->p->main_body >= (int64_t)v->m->nbody) {
        if (err_cap > 0)
            snprintf(err, (size_t)err_cap, "it has %lld bodies, main_body is %lld",
                     (long long)v->m->nbody, (long long)v->p->main_body);
        return 0;
    }
    return tb_mj_state_size(v, 2) + n_forces(v);
}

// of the body, whose place is that of the last substep's beginning
static void position(const tb_mj_view *v, double xy[2])
{
    xy[0] = v->d->xpos[3 * v->p->main_body];
    xy[1] = v->d->xpos[3 * v->p->main_body + 1];
}

static int is_healthy(const tb_mj_view *v)
{
    const double *range = v->p->healthy_z_range;
    int finite = 1;
    for (uint64_t i = 0; i < (uint64_t)v->m->nq; i++)
        finite &= isfinite(v->d->qpos[i]) != 0;
    for (uint64_t i = 0; i < (uint64_t)v->m->nv; i++)
        finite &= isfinite(v->d->qvel[i]) != 0;
    return finite && range[0] <= v->d->qpos[2] && v->d->qpos[2] <= range[1];
}

static void reward(const tb_mj_view *v, const double before[2], const float *action,
                   tb_mj_outcome *out)
{
    const double *range = v->p->contact_force_range;
    double now[2];
    position(v, now);
    double forward = (now[0] - before[0]) / v->dt * v->p->forward_reward_weight;
    float cost = tb_mj_action_cost(v, v->p->ctrl_cost_weight, action);
    double contact =
        v->p->contact_cost_weight *
        tb_mj_clipped_square_sum(v->d->cfrc_ext, 6 * (uint64_t)v->m->nbody, range[0], range[1]);
    int healthy = is_healthy(v);
    tb_mj_healthy_outcome(v, forward, healthy, (double)cost + contact, out);
    out->term[0] = forward;
    out->term[1] = -(double)cost;
    out->term[2] = -contact;
    out->term[3] = healthy ? v->p->healthy_reward : 0;
}

static void observe(const tb_mj_view *v, double *observation)
{
    const double *range = v->p->contact_force_range;
    double *to = tb_mj_put_state(v, 2, INFINITY, observation);
    for (uint64_t i = 0; i < n_forces(v); i++)
        to[i] = tb_mj_clip(v->d->cfrc_ext[6 + i], range[0], range[1]);
}

const tb_mj_task tb_mj_ant = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "mujoco/Ant-v5",
             .summary = "Run forward on four legs.",
             .reference = "Gymnasium 1.4.0 Ant-v5",
             .max_episode_steps = 1000,
             .reward_threshold = 6000,
             .return_random = NAN,
             .return_ref = NAN},
    .params = rows,
    .term_names = {"reward_forward", "reward_ctrl", "reward_contact", "reward_survive"},
    .shown = {TB_MJ_CFRC_EXT},
    .has_contact_forces = 1,
    .carries_position = 1,
    .fit = fit,
    .reset = tb_mj_noise_normal,
    .position = position,
    .reward = reward,
    .observe = observe,
};
