/* SPDX-License-Identifier: MIT
 *
 * Walker2d: walk forward on two legs.
 */
#include "../runner.h"

static const tb_mj_param rows[] = {
    TB_MJ_MODEL("walker2d_v5.xml", 4),
    TB_MJ_F64(forward_reward_weight, 1.0, "Reward for each m/s forward."),
    TB_MJ_F64(ctrl_cost_weight, 0.001, "Cost of the sum of squared actions."),
    TB_MJ_F64(healthy_reward, 1.0, "Reward of a step after which the walker is healthy."),
    TB_MJ_BOOL(terminate_when_unhealthy, 1, "Whether the episode ends when it is not healthy."),
    TB_MJ_RANGE(healthy_z_range, 0.8, 2.0, "[0.8, 2.0]", "Healthy heights of the torso, m."),
    TB_MJ_RANGE(healthy_angle_range, -1.0, 1.0, "[-1.0, 1.0]", "Healthy tilts of the torso, rad."),
    TB_MJ_NOISE(0.005),
    TB_MJ_EXCLUDE("the x coordinate"),
    TB_MJ_END};

static uint64_t fit(const tb_mj_view *v, char *err, uint64_t err_cap)
{
    return tb_mj_need(v, 3, 1, 1, err, err_cap) ? tb_mj_state_size(v, 1) : 0;
}

static void reward(const tb_mj_view *v, const double before[2], const float *action,
                   tb_mj_outcome *out)
{
    double speed = (v->d->qpos[0] - before[0]) / v->dt;
    double forward = v->p->forward_reward_weight * speed;
    float cost = tb_mj_action_cost(v, v->p->ctrl_cost_weight, action);
    int healthy = tb_mj_within(v->d->qpos[1], v->p->healthy_z_range) &&
                  tb_mj_within(v->d->qpos[2], v->p->healthy_angle_range);
    tb_mj_healthy_outcome(v, forward, healthy, (double)cost, out);
    out->term[0] = forward;
    out->term[1] = -(double)cost;
    out->term[2] = healthy ? v->p->healthy_reward : 0;
}

static void observe(const tb_mj_view *v, double *observation)
{
    tb_mj_put_state(v, 1, 10, observation);
}

const tb_mj_task tb_mj_walker2d = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "mujoco/Walker2d-v5",
             .summary = "Walk forward on two legs in a plane without falling.",
             .reference = "Gymnasium 1.4.0 Walker2d-v5",
             .max_episode_steps = 1000,
             .reward_threshold = NAN,
             .return_random = 2.8,
             .return_ref = NAN},
    .params = rows,
    .term_names = {"reward_forward", "reward_ctrl", "reward_survive"},
    .fit = fit,
    .reset = tb_mj_noise_uniform,
    .position = tb_mj_root_position,
    .reward = reward,
    .observe = observe,
};
