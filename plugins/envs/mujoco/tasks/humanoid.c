/* SPDX-License-Identifier: MIT
 *
 * Humanoid: walk forward; HumanoidStandup: get up from the ground. One body, one observation.
 */
#include "../runner.h"
#include "../sums.h"

#define OBSERVATION_ROWS                                                                           \
    TB_MJ_EXCLUDE("the position in the plane"),                                                    \
        TB_MJ_BOOL(include_cinert_in_observation, 1,                                               \
                   "Whether the inertias of the bodies are observed."),                            \
        TB_MJ_BOOL(include_cvel_in_observation, 1,                                                 \
                   "Whether the velocities of the bodies are observed."),                          \
        TB_MJ_BOOL(include_qfrc_actuator_in_observation, 1,                                        \
                   "Whether the forces of the actuators are observed."),                           \
        TB_MJ_BOOL(include_cfrc_ext_in_observation, 1, "Whether contact forces are observed.")

static const tb_mj_param walking_rows[] = {
    TB_MJ_MODEL("humanoid.xml", 5),
    TB_MJ_F64(forward_reward_weight, 1.25, "Reward for each m/s forward."),
    TB_MJ_F64(ctrl_cost_weight, 0.1, "Cost of the sum of squared actions."),
    TB_MJ_F64(contact_cost_weight, 5e-07, "Cost of the sum of squared contact forces."),
    TB_MJ_RANGE(contact_cost_range, -INFINITY, 10.0, "[-inf, 10.0]",
                "What the cost of contact forces is limited to."),
    TB_MJ_F64(healthy_reward, 5.0, "Reward of a step after which the humanoid is healthy."),
    TB_MJ_BOOL(terminate_when_unhealthy, 1, "Whether the episode ends when it is not healthy."),
    TB_MJ_RANGE(healthy_z_range, 1.0, 2.0, "[1.0, 2.0]", "Healthy heights of the torso, m."),
    TB_MJ_NOISE(0.01),
    OBSERVATION_ROWS,
    TB_MJ_END};

static const tb_mj_param standing_rows[] = {
    TB_MJ_MODEL("humanoidstandup.xml", 5),
    TB_MJ_F64(uph_cost_weight, 1.0, "Has no influence, as in Gymnasium."),
    TB_MJ_F64(ctrl_cost_weight, 0.1, "Cost of the sum of squared actions."),
    TB_MJ_F64(impact_cost_weight, 5e-07, "Cost of the sum of squared contact forces."),
    TB_MJ_RANGE(impact_cost_range, -INFINITY, 10.0, "[-inf, 10.0]",
                "What the cost of contact forces is limited to."),
    TB_MJ_NOISE(0.01),
    OBSERVATION_ROWS,
    TB_MJ_END};

// the model's first joint is free: six velocities have no actuator
enum { n_root = 6 };

static uint64_t fit(const tb_mj_view *v, char *err, uint64_t err_cap)
{
    const tb_mj_params *p = v->p;
    uint64_t bodies = (uint64_t)v->m->nbody - 1, nv = (uint64_t)v->m->nv;
    if (!tb_mj_need(v, 7, n_root, 1, err, err_cap))
        return 0;
    return tb_mj_state_size(v, 2) + (p->include_cinert_in_observation ? 10 * bodies : 0) +
           (p->include_cvel_in_observation ? 6 * bodies : 0) +
           (p->include_qfrc_actuator_in_observation ? nv - n_root : 0) +
           (p->include_cfrc_ext_in_observation ? 6 * bodies : 0);
}

// x[first] to x[n - 1], if they are included
static double *put(double *to, uint32_t included, const double *x, uint64_t first, uint64_t n)
{
    for (uint64_t i = first; i < n && included; i++)
        *to++ = x[i];
    return to;
}

static void observe(const tb_mj_view *v, double *observation)
{
    const tb_mj_params *p = v->p;
    const mjData *d = v->d;
    uint64_t bodies = (uint64_t)v->m->nbody;
    double *to = tb_mj_put_state(v, 2, INFINITY, observation);
    to = put(to, p->include_cinert_in_observation, d->cinert, 10, 10 * bodies);
    to = put(to, p->include_cvel_in_observation, d->cvel, 6, 6 * bodies);
    to = put(to, p->include_qfrc_actuator_in_observation, d->qfrc_actuator, n_root,
             (uint64_t)v->m->nv);
    put(to, p->include_cfrc_ext_in_observation, d->cfrc_ext, 6, 6 * bodies);
}

// centre of mass of all bodies, as they were at the last substep's beginning
static void position(const tb_mj_view *v, double xy[2])
{
    uint64_t i, n = (uint64_t)v->m->nbody;
    double mass = 0, sum[2] = {0, 0}, part[8] = {0};
    for (i = 0; i < n; i++)
        for (int k = 0; k < 2; k++)
            sum[k] += v->m->body_mass[i] * v->d->xipos[3 * i + (uint64_t)k];
    // numpy's order of additions, for up to 128 bodies
    for (i = 0; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            part[k] += v->m->body_mass[i + (uint64_t)k];
    if (n >= 8)
        mass = ((part[0] + part[1]) + (part[2] + part[3])) +
               ((part[4] + part[5]) + (part[6] + part[7]));
    for (; i < n; i++)
        mass += v->m->body_mass[i];
    xy[0] = sum[0] / mass;
    xy[1] = sum[1] / mass;
}

static double impact(const tb_mj_view *v, double weight, const double range[2])
{
    double cost = weight * tb_mj_square_sum(v->d->cfrc_ext, 6 * (uint64_t)v->m->nbody);
    return tb_mj_clip(cost, range[0], range[1]);
}

static void walking(const tb_mj_view *v, const double before[2], const float *action,
                    tb_mj_outcome *out)
{
    double now[2];
    (void)action; // the cost is of what the simulation holds: float64
    position(v, now);
    double forward = v->p->forward_reward_weight * ((now[0] - before[0]) / v->dt);
    double cost = v->p->ctrl_cost_weight * tb_mj_square_sum(v->d->ctrl, (uint64_t)v->m->nu);
    double contact = impact(v, v->p->contact_cost_weight, v->p->contact_cost_range);
    int healthy = tb_mj_within(v->d->qpos[2], v->p->healthy_z_range);
    tb_mj_healthy_outcome(v, forward, healthy, cost + contact, out);
    out->term[0] = healthy ? v->p->healthy_reward : 0;
    out->term[1] = forward;
    out->term[2] = -cost;
    out->term[3] = -contact;
}

static void standing(const tb_mj_view *v, const double before[2], const float *action,
                     tb_mj_outcome *out)
{
    double up = v->d->qpos[2] / v->m->opt.timestep;
    double cost = v->p->ctrl_cost_weight * tb_mj_square_sum(v->d->ctrl, (uint64_t)v->m->nu);
    double contact = impact(v, v->p->impact_cost_weight, v->p->impact_cost_range);
    (void)before, (void)action;
    out->reward = ((up - cost) - contact) + 1;
    out->term[0] = up;
    out->term[1] = -cost;
    out->term[2] = -contact;
}

const tb_mj_task tb_mj_humanoid = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "mujoco/Humanoid-v5",
             .summary = "Walk forward on two legs in space without falling.",
             .reference = "Gymnasium 1.4.0 Humanoid-v5",
             .max_episode_steps = 1000,
             .reward_threshold = NAN,
             .return_random = 107,
             .return_ref = NAN},
    .params = walking_rows,
    .term_names = {"reward_survive", "reward_forward", "reward_ctrl", "reward_contact"},
    .shown = {TB_MJ_CINERT, TB_MJ_CVEL, TB_MJ_QFRC_ACTUATOR, TB_MJ_CFRC_EXT},
    .has_contact_forces = 1,
    .carries_position = 1,
    .fit = fit,
    .reset = tb_mj_noise_uniform,
    .position = position,
    .reward = walking,
    .observe = observe,
};

const tb_mj_task tb_mj_humanoid_standup = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "mujoco/HumanoidStandup-v5",
             .summary = "Get up from the ground.",
             .reference = "Gymnasium 1.4.0 HumanoidStandup-v5",
             .max_episode_steps = 1000,
             .reward_threshold = NAN,
             .return_random = 33700,
             .return_ref = NAN},
    .params = standing_rows,
    .term_names = {"reward_linup", "reward_quadctrl", "reward_impact"},
    .shown = {TB_MJ_CINERT, TB_MJ_CVEL, TB_MJ_QFRC_ACTUATOR, TB_MJ_CFRC_EXT},
    .has_contact_forces = 1,
    .fit = fit,
    .reset = tb_mj_noise_uniform,
    .reward = standing,
    .observe = observe,
};
