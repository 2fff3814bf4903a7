/* SPDX-License-Identifier: MIT
 *
 * InvertedPendulum: balance a pole on a cart.
 */
#include "../runner.h"

static const tb_mj_param rows[] = {TB_MJ_MODEL("inverted_pendulum.xml", 2), TB_MJ_NOISE(0.01),
                                   TB_MJ_END};

static uint64_t fit(const tb_mj_view *v, char *err, uint64_t err_cap)
{
    return tb_mj_need_exactly(v, 2, 2, 1, err, err_cap) ? 4 : 0;
}

static void reward(const tb_mj_view *v, const double before[2], const float *action,
                   tb_mj_outcome *out)
{
    int fallen = fabs(v->d->qpos[1]) > 0.2;
    (void)before, (void)action;
    out->reward = out->term[0] = fallen ? 0 : 1;
    out->flags = fallen ? TB_TERMINATED : 0;
}

static void observe(const tb_mj_view *v, double *observation)
{
    tb_mj_put_state(v, 0, INFINITY, observation);
}

const tb_mj_task tb_mj_inverted_pendulum = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "mujoco/InvertedPendulum-v5",
             .summary = "Balance a pole on a cart.",
             .reference = "Gymnasium 1.4.0 InvertedPendulum-v5",
             .max_episode_steps = 1000,
             .reward_threshold = 950,
             .return_random = 5.4,
             .return_ref = NAN},
    .params = rows,
    .term_names = {"reward_survive"},
    .fit = fit,
    .reset = tb_mj_noise_uniform,
    .reward = reward,
    .observe = observe,
    .camera_distance = 2.04,
};
