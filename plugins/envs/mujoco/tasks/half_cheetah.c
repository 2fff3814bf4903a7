/* SPDX-License-Identifier: MIT
 *
 * HalfCheetah: run forward.
 */
#include "../runner.h"

static const tb_mj_param rows[] = {
    TB_MJ_MODEL("half_cheetah.xml", 5),
    TB_MJ_F64(forward_reward_weight, 1.0, "Reward for each m/s forward."),
    TB_MJ_F64(ctrl_cost_weight, 0.1, "Cost of the sum of squared actions."),
    TB_MJ_NOISE(0.1),
    TB_MJ_EXCLUDE("the x coordinate"),
    TB_MJ_END};

static uint64_t fit(const tb_mj_view *v, char *err, uint64_t err_cap)
{
    return tb_mj_need(v, 2, 1, 1, err, err_cap) ? tb_mj_state_size(v, 1) : 0;
}

static void reward(const tb_mj_view *v, const double before[2], const float *action,
                   tb_mj_outcome *out)
{
    double speed = (v->d->qpos[0] - before[0]) / v->dt;
    double forward = v->p->forward_reward_weight * speed;
    float cost = tb_mj_action_cost(v, v->p->ctrl_cost_weight, action);
    out->reward = forward - (double)cost;
    out->term[0] = forward;
    out->term[1] = -(double)cost;
}

static void observe(const tb_mj_view *v, double *observation)
{
    tb_mj_put_state(v, 1, INFINITY, observation);
}

const tb_mj_task tb_mj_half_cheetah = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "mujoco/HalfCheetah-v5",
             .summary = "Run forward with two legs in a plane.",
             .reference = "Gymnasium 1.4.0 HalfCheetah-v5",
             .max_episode_steps = 1000,
             .reward_threshold = 4800,
             .return_random = -279,
             .return_ref = NAN},
    .params = rows,
    .term_names = {"reward_forward", "reward_ctrl"},
    .fit = fit,
    .reset = tb_mj_noise_normal,
    .position = tb_mj_root_position,
    .reward = reward,
    .observe = observe,
};
