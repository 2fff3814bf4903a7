/* SPDX-License-Identifier: MIT
 *
 * Cart and pole (Barto, Sutton and Anderson 1983), as in Gymnasium 1.0.0 "CartPole-v1".
 *
 * Every sum and product stands in Gymnasium's order: the states are equal to the last bit.
 */
#include <trpo-bench/env_kit.h>

enum { EULER, SEMI_IMPLICIT_EULER };

typedef struct params {
    double gravity, masscart, masspole, length, force_mag, tau;
    double theta_threshold_radians, x_threshold;
    uint32_t kinematics_integrator; /* EULER or SEMI_IMPLICIT_EULER */
    uint32_t sutton_barto_reward;
    /* derived */
    double total_mass, polemass_length;
} params;

static const tb_kit_param rows[] = {
    TB_KIT_F64(params, gravity, 9.8, 0, 1000, "Gravitational acceleration, m/s^2."),
    TB_KIT_F64(params, masscart, 1.0, 1e-6, 1e6, "Mass of the cart, kg."),
    TB_KIT_F64(params, masspole, 0.1, 1e-6, 1e6, "Mass of the pole, kg."),
    TB_KIT_F64(params, length, 0.5, 1e-6, 1e6, "Half the length of the pole, m."),
    TB_KIT_F64(params, force_mag, 10.0, 0, 1e6, "Force of a push, N."),
    TB_KIT_F64(params, tau, 0.02, 1e-6, 10, "Time between two states, s."),
    TB_KIT_F64(params, theta_threshold_radians, 0.20943951023931953, 1e-6, 1000,
               "The episode terminates beyond this angle of the pole, rad (default: 12 degrees)."),
    TB_KIT_F64(params, x_threshold, 2.4, 1e-6, 1e6,
               "The episode terminates beyond this position of the cart, m."),
    TB_KIT_CHOICE(params, kinematics_integrator, "euler", "euler|semi-implicit euler",
                  "How positions follow from accelerations."),
    TB_KIT_BOOL(params, sutton_barto_reward, 0,
                "Reward 0 a step and -1 for falling, instead of 1 a step."),
    TB_KIT_END};

typedef struct state {
    double x, x_dot, theta, theta_dot; /* m, m/s, rad from upright, rad/s */
} state;

static const char *const names[] = {"x", "x_dot", "theta", "theta_dot", NULL};

static tb_status prepare(void *params_, char *err, uint64_t err_cap)
{
    params *p = params_;
    (void)err, (void)err_cap;
    p->total_mass = p->masspole + p->masscart;
    p->polemass_length = p->masspole * p->length;
    return TB_OK;
}

static void bounds(const void *params_, uint32_t which, double *low, double *high)
{
    const params *p = params_;
    (void)which;
    /* twice the thresholds: the observation that ends an episode is still inside */
    high[0] = p->x_threshold * 2;
    high[2] = p->theta_threshold_radians * 2;
    low[0] = -high[0];
    low[2] = -high[2];
}

static void reset(const void *params_, void *state_, tb_rng *rng)
{
    state *s = state_;
    (void)params_;
    s->x = tb_rng_uniform(rng, -0.05, 0.05);
    s->x_dot = tb_rng_uniform(rng, -0.05, 0.05);
    s->theta = tb_rng_uniform(rng, -0.05, 0.05);
    s->theta_dot = tb_rng_uniform(rng, -0.05, 0.05);
}

/* Florian 2007, "Correct equations for the dynamics of the cart-pole system", eq. 23 and 24,
 * without friction; then one step of the integrator, in place. Both step() and step_lanes() are
 * made of this, so their bits are the same. */
static inline void advance(const params *p, uint32_t integrator, double force, double sintheta,
                           double costheta, double *x, double *x_dot, double *theta,
                           double *theta_dot)
{
    double temp =
        (force + p->polemass_length * (*theta_dot * *theta_dot) * sintheta) / p->total_mass;
    double theta_acc =
        (p->gravity * sintheta - costheta * temp) /
        (p->length * (4.0 / 3.0 - p->masspole * (costheta * costheta) / p->total_mass));
    double x_acc = temp - p->polemass_length * theta_acc * costheta / p->total_mass;
    if (integrator == EULER) {
        *x = *x + p->tau * *x_dot;
        *x_dot = *x_dot + p->tau * x_acc;
        *theta = *theta + p->tau * *theta_dot;
        *theta_dot = *theta_dot + p->tau * theta_acc;
    } else {
        *x_dot = *x_dot + p->tau * x_acc;
        *x = *x + p->tau * *x_dot;
        *theta_dot = *theta_dot + p->tau * theta_acc;
        *theta = *theta + p->tau * *theta_dot;
    }
}

static inline uint32_t fallen(const params *p, double x, double theta)
{
    const int out = (x < -p->x_threshold) | (x > p->x_threshold) |
                    (theta < -p->theta_threshold_radians) | (theta > p->theta_threshold_radians);
    return out ? TB_TERMINATED : 0;
}

static double step(const void *params_, void *state_, const void *action, tb_rng *rng,
                   uint32_t *flags)
{
    const params *p = params_;
    state *s = state_;
    (void)rng;
    advance(p, p->kinematics_integrator,
            *(const int32_t *)action == 1 ? p->force_mag : -p->force_mag, sin(s->theta),
            cos(s->theta), &s->x, &s->x_dot, &s->theta, &s->theta_dot);
    *flags |= fallen(p, s->x, s->theta);
    if (p->sutton_barto_reward)
        return *flags ? -1 : 0;
    return 1;
}

/* The loop over lanes, inlined once for each integrator: without a branch it vectorises. */
__attribute__((always_inline)) static inline void advance_lanes(const params *p,
                                                                uint32_t integrator, uint64_t n,
                                                                double *const *lanes,
                                                                const int32_t *action)
{
    double *restrict x = lanes[0], *restrict x_dot = lanes[1];
    double *restrict theta = lanes[2], *restrict theta_dot = lanes[3];
    double sintheta[TB_KIT_LANES], costheta[TB_KIT_LANES];
    const params fixed = *p;
    uint64_t i;
    /* libm's, as in step() */
    for (i = 0; i < n; i++) {
        sintheta[i] = sin(theta[i]);
        costheta[i] = cos(theta[i]);
    }
    for (i = 0; i < n; i++)
        advance(&fixed, integrator, action[i] == 1 ? fixed.force_mag : -fixed.force_mag,
                sintheta[i], costheta[i], &x[i], &x_dot[i], &theta[i], &theta_dot[i]);
}

static void step_lanes(const void *params_, uint64_t n, double *const *lanes, const void *actions,
                       double *rewards, uint32_t *flags)
{
    const params *p = params_;
    const double *x = lanes[0], *theta = lanes[2];
    uint64_t i;
    if (p->kinematics_integrator == EULER)
        advance_lanes(p, EULER, n, lanes, actions);
    else
        advance_lanes(p, SEMI_IMPLICIT_EULER, n, lanes, actions);
    for (i = 0; i < n; i++)
        flags[i] = fallen(p, x[i], theta[i]);
    for (i = 0; i < n; i++)
        rewards[i] = p->sutton_barto_reward ? (flags[i] ? -1 : 0) : 1;
}

static const tb_kit_def cartpole = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "classic/CartPole-v1",
             .summary = "Balance a pole on a cart by pushing the cart left or right.",
             .reference = "Gymnasium 1.0.0 CartPole-v1",
             .max_episode_steps = 500,
             .reward_threshold = 475,
             .return_random = 22.4,
             .return_ref = 500},
    .params = rows,
    .params_bytes = sizeof(params),
    .state_names = names,
    .state_bytes = sizeof(state),
    .observation = TB_KIT_BOX("observation", TB_F32, 4),
    .action = TB_KIT_DISCRETE("push", 2),
    .prepare = prepare,
    .bounds = bounds,
    .reset = reset,
    .step = step,
    .step_lanes = step_lanes,
};
TB_KIT_PLUGIN(&cartpole);
