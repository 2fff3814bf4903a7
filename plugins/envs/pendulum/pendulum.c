/* SPDX-License-Identifier: MIT
 *
 * Pendulum swing-up, as in Gymnasium 1.0.0 "Pendulum-v1" under numpy 1 (a float32 action times a
 * Python number is float64).
 *
 * Every sum and product stands in Gymnasium's order, and squares that it takes with Python's **
 * go through pow(): states and rewards are equal to the last bit.
 */
#include <trpo-bench/env_kit.h>

#define PI 3.14159265358979323846

typedef struct params {
    double g, m, l, dt, max_speed, max_torque;
} params;

static const tb_kit_param rows[] = {
    TB_KIT_F64(params, g, 10.0, 0, 1000, "Gravitational acceleration, m/s^2."),
    TB_KIT_F64(params, m, 1.0, 1e-6, 1e6, "Mass of the pendulum, kg."),
    TB_KIT_F64(params, l, 1.0, 1e-6, 1e6, "Length of the pendulum, m."),
    TB_KIT_F64(params, dt, 0.05, 1e-6, 10, "Time between two states, s."),
    TB_KIT_F64(params, max_speed, 8.0, 1e-6, 1e6, "Bound of the angular velocity, rad/s."),
    TB_KIT_F64(params, max_torque, 2.0, 1e-6, 1e6, "Bound of the torque, N m."),
    TB_KIT_END};

typedef struct state {
    double theta, theta_dot; /* rad from upright, not wrapped; rad/s */
} state;

static const char *const names[] = {"theta", "theta_dot", NULL};

static void bounds(const void *params_, uint32_t which, double *low, double *high)
{
    const params *p = params_;
    if (which == TB_SPACE_ACTION) {
        low[0] = -p->max_torque;
        high[0] = p->max_torque;
        return;
    }
    low[0] = low[1] = -1;
    high[0] = high[1] = 1;
    low[2] = -p->max_speed;
    high[2] = p->max_speed;
}

static void reset(const void *params_, void *state_, tb_rng *rng)
{
    state *s = state_;
    (void)params_;
    s->theta = tb_rng_uniform(rng, -PI, PI);
    s->theta_dot = tb_rng_uniform(rng, -1, 1);
}

/* (angle + pi) modulo 2 pi - pi, with Python's modulo: the remainder has the divisor's sign. */
static double normalise(double angle)
{
    double rest = fmod(angle + PI, 2 * PI);
    if (rest < 0)
        rest += 2 * PI;
    return rest - PI;
}

static double step(const void *params_, void *state_, const void *action, tb_rng *rng,
                   uint32_t *flags)
{
    const params *p = params_;
    state *s = state_;
    double u = tb_kit_clip((double)*(const float *)action, -p->max_torque, p->max_torque);
    double cost =
        tb_kit_pow2(normalise(s->theta)) + 0.1 * tb_kit_pow2(s->theta_dot) + 0.001 * tb_kit_pow2(u);
    double speed =
        s->theta_dot +
        (3 * p->g / (2 * p->l) * sin(s->theta) + 3.0 / (p->m * tb_kit_pow2(p->l)) * u) * p->dt;
    (void)rng, (void)flags;
    s->theta_dot = tb_kit_clip(speed, -p->max_speed, p->max_speed);
    s->theta = s->theta + s->theta_dot * p->dt;
    return -cost;
}

static void observe(const void *params_, const void *state_, void *observation)
{
    const state *s = state_;
    float *o = observation;
    (void)params_;
    o[0] = (float)cos(s->theta);
    o[1] = (float)sin(s->theta);
    o[2] = (float)s->theta_dot;
}

static const tb_kit_def pendulum = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "classic/Pendulum-v1",
             .summary = "Swing a pendulum up and hold it there with a torque that is too weak.",
             .reference = "Gymnasium 1.0.0 Pendulum-v1",
             .max_episode_steps = 200,
             .reward_threshold = NAN,
             .return_random = -1228,
             .return_ref = -170},
    .params = rows,
    .params_bytes = sizeof(params),
    .state_names = names,
    .state_bytes = sizeof(state),
    .observation = TB_KIT_BOX("observation", TB_F32, 3),
    .action = TB_KIT_BOX("torque", TB_F32, 1),
    .bounds = bounds,
    .reset = reset,
    .step = step,
    .observe = observe,
};
TB_KIT_PLUGIN(&pendulum);
