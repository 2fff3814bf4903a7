/* SPDX-License-Identifier: MIT
 *
 * InvertedDoublePendulum: balance two poles, one upon the other, on a cart.
 */
#include <stdio.h>

#include "../runner.h"
#include "../sums.h"

static const tb_mj_param rows[] = {
    TB_MJ_MODEL("inverted_double_pendulum.xml", 5),
    TB_MJ_F64(healthy_reward, 10.0, "Reward of a step after which the poles stand."),
    TB_MJ_NOISE(0.1), TB_MJ_END};

static uint64_t fit(const tb_mj_view *v, char *err, uint64_t err_cap)
{
    if (!tb_mj_need_exactly(v, 3, 3, 1, err, err_cap))
        return 0;
    if (v->m->nsite > 0)
        return 9;
    if (err_cap > 0)
        snprintf(err, (size_t)err_cap, "it has no site, which is to mark the tip of the poles");
    return 0;
}

static void reward(const tb_mj_view *v, const double before[2], const float *action,
                   tb_mj_outcome *out)
{
    double x = v->d->site_xpos[0], y = v->d->site_xpos[2];
    double distance = 0.01 * tb_mj_pow2(x) + tb_mj_pow2(y - 2);
    double velocity = 0.001 * tb_mj_pow2(v->d->qvel[1]) + 0.005 * tb_mj_pow2(v->d->qvel[2]);
    double alive = y <= 1 ? 0 : v->p->healthy_reward;
    (void)before, (void)action;
    out->reward = alive - distance - velocity;
    out->term[0] = alive;
    out->term[1] = -distance;
    out->term[2] = -velocity;
    out->flags = y <= 1 ? TB_TERMINATED : 0;
}

static void observe(const tb_mj_view *v, double *o)
{
    const double *q = v->d->qpos;
    o[0] = q[0];
    o[1] = sin(q[1]);
    o[2] = sin(q[2]);
    o[3] = cos(q[1]);
    o[4] = cos(q[2]);
    for (int i = 0; i < 3; i++)
        o[5 + i] = tb_mj_clip(v->d->qvel[i], -10, 10);
    o[8] = tb_mj_clip(v->d->qfrc_constraint[0], -10, 10);
}

const tb_mj_task tb_mj_inverted_double_pendulum = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "mujoco/InvertedDoublePendulum-v5",
             .summary = "Balance two poles, one upon the other, on a cart.",
             .reference = "Gymnasium 1.4.0 InvertedDoublePendulum-v5",
             .max_episode_steps = 1000,
             .reward_threshold = 9100,
             .return_random = 46,
             .return_ref = NAN},
    .params = rows,
    .term_names = {"reward_survive", "distance_penalty", "velocity_penalty"},
    .shown = {TB_MJ_QFRC_CONSTRAINT},
    .fit = fit,
    .reset = tb_mj_noise_normal,
    .reward = reward,
    .observe = observe,
    .camera_distance = 4.1225,
};
