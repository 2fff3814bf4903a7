/* SPDX-License-Identifier: MIT
 *
 * Acrobot: a double pendulum with a motor at its elbow (Sutton 1996), as in Gymnasium 1.0.0
 * "Acrobot-v1".
 *
 * Every sum and product stands in Gymnasium's order, and squares that it takes with Python's **
 * go through pow(): the states are equal to the last bit.
 */
#include <trpo-bench/env_kit.h>

#define PI 3.14159265358979323846

enum { BOOK, NIPS };

typedef struct params {
    double link_length_1, link_mass_1, link_mass_2, link_com_pos_1, link_com_pos_2, link_moi;
    double gravity, dt, max_vel_1, max_vel_2;
    uint32_t book_or_nips; /* BOOK or NIPS */
    uint32_t reserved0;
    /* derived: squares */
    double lc1_2, l1_2, lc2_2;
} params;

static const tb_kit_param rows[] = {
    TB_KIT_F64(params, link_length_1, 1.0, 1e-6, 1e6, "Length of the upper link, m."),
    TB_KIT_F64(params, link_mass_1, 1.0, 1e-6, 1e6, "Mass of the upper link, kg."),
    TB_KIT_F64(params, link_mass_2, 1.0, 1e-6, 1e6, "Mass of the lower link, kg."),
    TB_KIT_F64(params, link_com_pos_1, 0.5, 1e-6, 1e6,
               "Distance of the upper link's centre of mass from its joint, m."),
    TB_KIT_F64(params, link_com_pos_2, 0.5, 1e-6, 1e6,
               "Distance of the lower link's centre of mass from its joint, m."),
    TB_KIT_F64(params, link_moi, 1.0, 1e-6, 1e6, "Moment of inertia of each link, kg m^2."),
    TB_KIT_F64(params, gravity, 9.8, 0, 1000, "Gravitational acceleration, m/s^2."),
    TB_KIT_F64(params, dt, 0.2, 1e-6, 10, "Time between two states, s: one Runge-Kutta step."),
    TB_KIT_F64(params, max_vel_1, 12.566370614359172, 1e-6, 1000,
               "Bound of the first angular velocity, rad/s (default: 4 pi)."),
    TB_KIT_F64(params, max_vel_2, 28.274333882308138, 1e-6, 1000,
               "Bound of the second angular velocity, rad/s (default: 9 pi)."),
    TB_KIT_CHOICE(params, book_or_nips, "book", "book|nips",
                  "Equations of Sutton and Barto's book, or of the 1996 paper (fewer terms)."),
    TB_KIT_END};

typedef struct state {
    double theta1, theta2;   /* rad; 0 hangs down; theta2 is relative to the upper link */
    double dtheta1, dtheta2; /* rad/s */
} state;

static const char *const names[] = {"theta1", "theta2", "dtheta1", "dtheta2", NULL};

static tb_status prepare(void *params_, char *err, uint64_t err_cap)
{
    params *p = params_;
    (void)err, (void)err_cap;
    p->lc1_2 = tb_kit_pow2(p->link_com_pos_1);
    p->l1_2 = tb_kit_pow2(p->link_length_1);
    p->lc2_2 = tb_kit_pow2(p->link_com_pos_2);
    return TB_OK;
}

static void bounds(const void *params_, uint32_t which, double *low, double *high)
{
    const params *p = params_;
    int i;
    (void)which;
    for (i = 0; i < 4; i++)
        high[i] = 1;
    high[4] = p->max_vel_1;
    high[5] = p->max_vel_2;
    for (i = 0; i < 6; i++)
        low[i] = -high[i];
}

/* Gymnasium rounds the start state to float32. */
static void reset(const void *params_, void *state_, tb_rng *rng)
{
    state *s = state_;
    (void)params_;
    s->theta1 = (double)(float)tb_rng_uniform(rng, -0.1, 0.1);
    s->theta2 = (double)(float)tb_rng_uniform(rng, -0.1, 0.1);
    s->dtheta1 = (double)(float)tb_rng_uniform(rng, -0.1, 0.1);
    s->dtheta2 = (double)(float)tb_rng_uniform(rng, -0.1, 0.1);
}

/* dy[4] = d/dt of y[4] = (theta1, theta2, dtheta1, dtheta2) under a torque at the elbow. Sutton and
 * Barto, "Reinforcement Learning", section 11.3 of the first edition (the Acrobot's equations). */
static void derivative(const params *p, double torque, const double y[4], double dy[4])
{
    double m1 = p->link_mass_1, m2 = p->link_mass_2, l1 = p->link_length_1;
    double lc1 = p->link_com_pos_1, lc2 = p->link_com_pos_2, i1 = p->link_moi, i2 = p->link_moi;
    double g = p->gravity;
    double theta1 = y[0], theta2 = y[1], dtheta1 = y[2], dtheta2 = y[3];
    double d1 = m1 * p->lc1_2 + m2 * (p->l1_2 + p->lc2_2 + 2 * l1 * lc2 * cos(theta2)) + i1 + i2;
    double d2 = m2 * (p->lc2_2 + l1 * lc2 * cos(theta2)) + i2;
    double phi2 = m2 * lc2 * g * cos(theta1 + theta2 - PI / 2.0);
    double phi1 = -m2 * l1 * lc2 * tb_kit_pow2(dtheta2) * sin(theta2) -
                  2 * m2 * l1 * lc2 * dtheta2 * dtheta1 * sin(theta2) +
                  (m1 * lc1 + m2 * l1) * g * cos(theta1 - PI / 2) + phi2;
    double numerator = torque + d2 / d1 * phi1;
    if (p->book_or_nips == BOOK)
        numerator = numerator - m2 * l1 * lc2 * tb_kit_pow2(dtheta1) * sin(theta2);
    numerator = numerator - phi2;
    dy[0] = dtheta1;
    dy[1] = dtheta2;
    dy[3] = numerator / (m2 * p->lc2_2 + i2 - tb_kit_pow2(d2) / d1);
    dy[2] = -(d2 * dy[3] + phi1) / d1;
}

/* One step of the classical fourth-order Runge-Kutta method, in place. */
static void runge_kutta(const params *p, double torque, double y[4])
{
    double k1[4], k2[4], k3[4], k4[4], at[4];
    double dt = p->dt, half = p->dt / 2.0;
    int i;
    derivative(p, torque, y, k1);
    for (i = 0; i < 4; i++)
        at[i] = y[i] + half * k1[i];
    derivative(p, torque, at, k2);
    for (i = 0; i < 4; i++)
        at[i] = y[i] + half * k2[i];
    derivative(p, torque, at, k3);
    for (i = 0; i < 4; i++)
        at[i] = y[i] + dt * k3[i];
    derivative(p, torque, at, k4);
    for (i = 0; i < 4; i++)
        y[i] = y[i] + dt / 6.0 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
}

/* The angle in [-pi, pi], by whole turns. Gymnasium subtracts turn after turn, which never ends for
 * angles so large that a turn is lost in rounding; those take the remainder instead. */
static double wrap(double angle)
{
    if (!(fabs(angle) < 1e4))
        angle = fmod(angle, PI - -PI);
    while (angle > PI)
        angle = angle - (PI - -PI);
    while (angle < -PI)
        angle = angle + (PI - -PI);
    return angle;
}

static double step(const void *params_, void *state_, const void *action, tb_rng *rng,
                   uint32_t *flags)
{
    const params *p = params_;
    state *s = state_;
    double y[4] = {s->theta1, s->theta2, s->dtheta1, s->dtheta2};
    (void)rng;
    runge_kutta(p, (double)(*(const int32_t *)action - 1), y);
    s->theta1 = wrap(y[0]);
    s->theta2 = wrap(y[1]);
    s->dtheta1 = tb_kit_clip(y[2], -p->max_vel_1, p->max_vel_1);
    s->dtheta2 = tb_kit_clip(y[3], -p->max_vel_2, p->max_vel_2);
    if (-cos(s->theta1) - cos(s->theta2 + s->theta1) > 1.0)
        *flags |= TB_TERMINATED;
    return *flags ? 0 : -1;
}

static void observe(const void *params_, const void *state_, void *observation)
{
    const state *s = state_;
    float *o = observation;
    (void)params_;
    o[0] = (float)cos(s->theta1);
    o[1] = (float)sin(s->theta1);
    o[2] = (float)cos(s->theta2);
    o[3] = (float)sin(s->theta2);
    o[4] = (float)s->dtheta1;
    o[5] = (float)s->dtheta2;
}

static const tb_kit_def acrobot = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "classic/Acrobot-v1",
             .summary =
                 "Swing the tip of a double pendulum above a line with a motor at its elbow.",
             .reference = "Gymnasium 1.0.0 Acrobot-v1",
             .max_episode_steps = 500,
             .reward_threshold = -100,
             .return_random = -498.8,
             .return_ref = -80},
    .params = rows,
    .params_bytes = sizeof(params),
    .state_names = names,
    .state_bytes = sizeof(state),
    .observation = TB_KIT_BOX("observation", TB_F32, 6),
    .action = TB_KIT_DISCRETE("torque", 3),
    .prepare = prepare,
    .bounds = bounds,
    .reset = reset,
    .step = step,
    .observe = observe,
};
TB_KIT_PLUGIN(&acrobot);
