/* SPDX-License-Identifier: MIT
 *
 * The locomotion tasks of Schulman et al. 2015 (arXiv 1502.05477, section 8.1 and appendix D): the
 * whole state is observed, speed is rewarded, effort costs 1e-5 times its square, staying up gives
 * 1, and the walker's feet pay for striking the ground.
 *
 * The paper's models were not published; these are Gymnasium's, with its heights and tilts. Nor is
 * the price of striking the ground: it is that of Schulman et al. 2016 (arXiv 1506.02438, section
 * 6.2), 1e-5 times the squared contact forces.
 */
#include "../runner.h"
#include "../sums.h"

#define COSTS                                                                                      \
    TB_MJ_F64(forward_reward_weight, 1.0, "Reward for each m/s forward."),                         \
        TB_MJ_F64(ctrl_cost_weight, 1e-05, "Cost of the sum of squared actions.")

static const tb_mj_param swimmer_rows[] = {TB_MJ_MODEL("swimmer.xml", 4), COSTS, TB_MJ_NOISE(0.1),
                                           TB_MJ_END};

static const tb_mj_param hopper_rows[] = {
    TB_MJ_MODEL("hopper.xml", 4),
    COSTS,
    TB_MJ_F64(healthy_reward, 1.0, "Reward of a step after which the hopper stands."),
    TB_MJ_RANGE(healthy_z_range, 0.7, INFINITY, "[0.7, inf]", "Heights of a torso that stands, m."),
    TB_MJ_RANGE(healthy_angle_range, -0.2, 0.2, "[-0.2, 0.2]",
                "Tilts of a torso that stands, rad."),
    TB_MJ_NOISE(0.005),
    TB_MJ_END};

static const tb_mj_param walker_rows[] = {
    TB_MJ_MODEL("walker2d_v5.xml", 4),
    COSTS,
    TB_MJ_F64(impact_cost_weight, 1e-05, "Cost of the sum of squared contact forces."),
    TB_MJ_F64(healthy_reward, 1.0, "Reward of a step after which the walker stands."),
    TB_MJ_RANGE(healthy_z_range, 0.8, 2.0, "[0.8, 2.0]", "Heights of a torso that stands, m."),
    TB_MJ_RANGE(healthy_angle_range, -1.0, 1.0, "[-1.0, 1.0]",
                "Tilts of a torso that stands, rad."),
    TB_MJ_NOISE(0.005),
    TB_MJ_END};

static uint64_t fit(const tb_mj_view *v, char *err, uint64_t err_cap)
{
    return tb_mj_need(v, 3, 1, 1, err, err_cap) ? tb_mj_state_size(v, 0) : 0;
}

// forward speed and effort, into out->term[0] and [1]
static void move(const tb_mj_view *v, const double before[2], const float *action,
                 tb_mj_outcome *out)
{
    double effort = 0;
    for (uint64_t i = 0; i < (uint64_t)v->m->nu; i++)
        effort += (double)action[i] * (double)action[i];
    out->term[0] = v->p->forward_reward_weight * ((v->d->qpos[0] - before[0]) / v->dt);
    out->term[1] = -v->p->ctrl_cost_weight * effort;
    out->reward = out->term[0] + out->term[1];
}

static void swim(const tb_mj_view *v, const double before[2], const float *action,
                 tb_mj_outcome *out)
{
    move(v, before, action, out);
}

static void hop(const tb_mj_view *v, const double before[2], const float *action,
                tb_mj_outcome *out)
{
    int stands = tb_mj_within(v->d->qpos[1], v->p->healthy_z_range) &&
                 tb_mj_within(v->d->qpos[2], v->p->healthy_angle_range);
    move(v, before, action, out);
    out->term[2] = stands ? v->p->healthy_reward : 0;
    out->reward += out->term[2];
    out->flags = stands ? 0 : TB_TERMINATED;
}

static void walk(const tb_mj_view *v, const double before[2], const float *action,
                 tb_mj_outcome *out)
{
    hop(v, before, action, out);
    out->term[3] =
        -v->p->impact_cost_weight * tb_mj_square_sum(v->d->cfrc_ext, 6 * (uint64_t)v->m->nbody);
    out->reward += out->term[3];
}

static void observe(const tb_mj_view *v, double *observation)
{
    tb_mj_put_state(v, 0, INFINITY, observation);
}

const tb_mj_task tb_mj_paper_swimmer = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "paper/Swimmer-v0",
             .summary = "Swim forward, as in the TRPO paper.",
             .max_episode_steps = 1000,
             .reward_threshold = NAN,
             .return_random = NAN,
             .return_ref = NAN},
    .params = swimmer_rows,
    .term_names = {"reward_forward", "reward_ctrl"},
    .fit = fit,
    .reset = tb_mj_noise_uniform,
    .position = tb_mj_root_position,
    .reward = swim,
    .observe = observe,
};

const tb_mj_task tb_mj_paper_hopper = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "paper/Hopper-v0",
             .summary = "Hop forward on one leg, as in the TRPO paper.",
             .max_episode_steps = 1000,
             .reward_threshold = NAN,
             .return_random = NAN,
             .return_ref = NAN},
    .params = hopper_rows,
    .term_names = {"reward_forward", "reward_ctrl", "reward_survive"},
    .fit = fit,
    .reset = tb_mj_noise_uniform,
    .position = tb_mj_root_position,
    .reward = hop,
    .observe = observe,
};

const tb_mj_task tb_mj_paper_walker2d = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "paper/Walker2d-v0",
             .summary = "Walk forward on two legs without stamping, as in the TRPO paper.",
             .max_episode_steps = 1000,
             .reward_threshold = NAN,
             .return_random = NAN,
             .return_ref = NAN},
    .params = walker_rows,
    .term_names = {"reward_forward", "reward_ctrl", "reward_survive", "reward_impact"},
    .has_contact_forces = 1,
    .fit = fit,
    .reset = tb_mj_noise_uniform,
    .position = tb_mj_root_position,
    .reward = walk,
    .observe = observe,
};
