/* SPDX-License-Identifier: MIT
 *
 * Pusher: push a cylinder to a goal with an arm of seven joints.
 */
#include <stdio.h>

#include "../runner.h"
#include "../sums.h"

static const tb_mj_param rows[] = {
    TB_MJ_MODEL("pusher_v5.xml", 5),
    TB_MJ_F64(reward_near_weight, 0.5, "Cost of each m between the arm's tip and the cylinder."),
    TB_MJ_F64(reward_dist_weight, 1.0, "Cost of each m between cylinder and goal."),
    TB_MJ_F64(reward_control_weight, 0.1, "Cost of the sum of squared actions."), TB_MJ_END};

static const char *const bodies[] = {"tips_arm", "object", "goal"};

static const double *place(const tb_mj_view *v, int i)
{
    return v->d->xpos + 3 * mj_name2id(v->m, mjOBJ_BODY, bodies[i]);
}

static uint64_t fit(const tb_mj_view *v, char *err, uint64_t err_cap)
{
    if (!tb_mj_need(v, 11, 11, 1, err, err_cap))
        return 0;
    for (int i = 0; i < 3; i++)
        if (mj_name2id(v->m, mjOBJ_BODY, bodies[i]) < 0) {
            if (err_cap > 0)
                snprintf(err, (size_t)err_cap, "it has no body \"%s\"", bodies[i]);
            return 0;
        }
    return 23;
}

static void reset(const tb_mj_view *v, tb_rng *rng)
{
    uint64_t nq = (uint64_t)v->m->nq, nv = (uint64_t)v->m->nv;
    double *q = v->d->qpos, *u = v->d->qvel, x, y;
    // the cylinder: uniform in a rectangle, but not near the goal
    do {
        x = tb_rng_uniform(rng, -0.3, 0);
        y = tb_rng_uniform(rng, -0.2, 0.2);
    } while (!(sqrt(x * x + y * y) > 0.17));
    q[nq - 4] = x;
    q[nq - 3] = y;
    q[nq - 2] = q[nq - 1] = 0;
    for (uint64_t i = 0; i < nv; i++)
        u[i] = i + 4 < nv ? u[i] + tb_rng_uniform(rng, -0.005, 0.005) : 0;
}

static void reward(const tb_mj_view *v, const double before[2], const float *action,
                   tb_mj_outcome *out)
{
    const double *tip = place(v, 0), *object = place(v, 1), *goal = place(v, 2);
    (void)before;
    out->term[0] = -tb_mj_distance(object, goal) * v->p->reward_dist_weight;
    out->term[1] = -(double)tb_mj_action_cost(v, v->p->reward_control_weight, action);
    out->term[2] = -tb_mj_distance(object, tip) * v->p->reward_near_weight;
    out->reward = (out->term[0] + out->term[1]) + out->term[2];
}

static void observe(const tb_mj_view *v, double *o)
{
    for (int i = 0; i < 7; i++) {
        o[i] = v->d->qpos[i];
        o[7 + i] = v->d->qvel[i];
    }
    for (int i = 0; i < 9; i++)
        o[14 + i] = place(v, i / 3)[i % 3];
}

const tb_mj_task tb_mj_pusher = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "mujoco/Pusher-v5",
             .summary = "Push a cylinder to a goal with an arm of seven joints.",
             .reference = "Gymnasium 1.4.0 Pusher-v5",
             .max_episode_steps = 100,
             .reward_threshold = 0,
             .return_random = -149,
             .return_ref = NAN},
    .params = rows,
    .term_names = {"reward_dist", "reward_ctrl", "reward_near"},
    .shown = {TB_MJ_XPOS},
    .fit = fit,
    .reset = reset,
    .reward = reward,
    .observe = observe,
    .camera_distance = 4,
};
