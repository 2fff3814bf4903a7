/* SPDX-License-Identifier: MIT
 *
 * Reacher: bring the fingertip of an arm of two links to a target in the plane.
 */
#include <stdio.h>

#include "../runner.h"
#include "../sums.h"

static const tb_mj_param rows[] = {
    TB_MJ_MODEL("reacher.xml", 2),
    TB_MJ_F64(reward_dist_weight, 1.0, "Cost of each m between fingertip and target."),
    TB_MJ_F64(reward_control_weight, 1.0, "Cost of the sum of squared actions."), TB_MJ_END};

// from the model's names; -1 = it has no such body
static const double *place(const tb_mj_view *v, const char *body)
{
    return v->d->xpos + 3 * mj_name2id(v->m, mjOBJ_BODY, body);
}

static uint64_t fit(const tb_mj_view *v, char *err, uint64_t err_cap)
{
    if (!tb_mj_need_exactly(v, 4, 4, 2, err, err_cap))
        return 0;
    if (mj_name2id(v->m, mjOBJ_BODY, "fingertip") >= 0 &&
        mj_name2id(v->m, mjOBJ_BODY, "target") >= 0)
        return 10;
    if (err_cap > 0)
        snprintf(err, (size_t)err_cap, "it has no bodies \"fingertip\" and \"target\"");
    return 0;
}

static void reset(const tb_mj_view *v, tb_rng *rng)
{
    double *q = v->d->qpos, *u = v->d->qvel, goal[2];
    for (int i = 0; i < 4; i++)
        q[i] += tb_rng_uniform(rng, -0.1, 0.1);
    // the target: uniform in a disc
    do {
        goal[0] = tb_rng_uniform(rng, -0.2, 0.2);
        goal[1] = tb_rng_uniform(rng, -0.2, 0.2);
    } while (!(sqrt(goal[0] * goal[0] + goal[1] * goal[1]) < 0.2));
    q[2] = goal[0];
    q[3] = goal[1];
    for (int i = 0; i < 2; i++)
        u[i] += tb_rng_uniform(rng, -0.005, 0.005);
    u[2] = u[3] = 0;
}

static void reward(const tb_mj_view *v, const double before[2], const float *action,
                   tb_mj_outcome *out)
{
    double far = tb_mj_distance(place(v, "fingertip"), place(v, "target"));
    (void)before;
    out->term[0] = -far * v->p->reward_dist_weight;
    out->term[1] = -(double)tb_mj_action_cost(v, v->p->reward_control_weight, action);
    out->reward = out->term[0] + out->term[1];
}

static void observe(const tb_mj_view *v, double *o)
{
    const double *q = v->d->qpos, *tip = place(v, "fingertip"), *target = place(v, "target");
    o[0] = cos(q[0]);
    o[1] = cos(q[1]);
    o[2] = sin(q[0]);
    o[3] = sin(q[1]);
    o[4] = q[2];
    o[5] = q[3];
    o[6] = v->d->qvel[0];
    o[7] = v->d->qvel[1];
    o[8] = tip[0] - target[0];
    o[9] = tip[1] - target[1];
}

const tb_mj_task tb_mj_reacher = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "mujoco/Reacher-v5",
             .summary = "Bring the fingertip of an arm of two links to a target.",
             .reference = "Gymnasium 1.4.0 Reacher-v5",
             .max_episode_steps = 50,
             .reward_threshold = -3.75,
             .return_random = -42.3,
             .return_ref = NAN},
    .params = rows,
    .term_names = {"reward_dist", "reward_ctrl"},
    .shown = {TB_MJ_XPOS},
    .fit = fit,
    .reset = reset,
    .reward = reward,
    .observe = observe,
};
