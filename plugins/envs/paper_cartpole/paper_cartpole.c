/* SPDX-License-Identifier: MIT
 *
 * The cart-pole of Barto, Sutton and Anderson 1983 (appendix), with friction, driven by a
 * continuous force: what the TRPO paper's first task is (arXiv 1502.05477, section 8.1: a linear
 * policy of six parameters, which are four weights, a bias and a standard deviation).
 */
#include <trpo-bench/env_kit.h>

typedef struct params {
    double gravity, cart_mass, pole_mass, half_length, cart_friction, pole_friction;
    double max_force, dt, x_limit, theta_limit, alive_reward, reset_noise_scale;
} params;

static const tb_kit_param rows[] = {
    TB_KIT_F64(params, gravity, 9.8, 0, 1000, "Gravitational acceleration, m/s^2."),
    TB_KIT_F64(params, cart_mass, 1.0, 1e-6, 1e6, "Mass of the cart, kg."),
    TB_KIT_F64(params, pole_mass, 0.1, 1e-6, 1e6, "Mass of the pole, kg."),
    TB_KIT_F64(params, half_length, 0.5, 1e-6, 1e6, "Half of the pole's length, m."),
    TB_KIT_F64(params, cart_friction, 0.0005, 0, 1e6, "Friction of the cart on its track, N."),
    TB_KIT_F64(params, pole_friction, 0.000002, 0, 1e6, "Friction of the pole's hinge, N m s."),
    TB_KIT_F64(params, max_force, 10.0, 1e-6, 1e6, "Bound of the force, N."),
    TB_KIT_F64(params, dt, 0.02, 1e-6, 1, "Time between two states, s."),
    TB_KIT_F64(params, x_limit, 2.4, 1e-6, 1e6, "Distance from the centre that ends it, m."),
    TB_KIT_F64(params, theta_limit, 0.20943951, 1e-6, 1e6, "Tilt that ends it, rad (12 degrees)."),
    TB_KIT_F64(params, alive_reward, 10.0, -1e6, 1e6, "Reward of a step after which it stands."),
    TB_KIT_F64(params, reset_noise_scale, 0.05, 0, 1, "Half the width of the start states."),
    TB_KIT_END};

typedef struct state {
    double x, x_dot, theta, theta_dot; /* m, m/s, rad from upright, rad/s */
} state;

static const char *const names[] = {"x", "x_dot", "theta", "theta_dot", NULL};

static void bounds(const void *params_, uint32_t which, double *low, double *high)
{
    const params *p = params_;
    if (which == TB_SPACE_ACTION) {
        low[0] = -p->max_force;
        high[0] = p->max_force;
    }
}

static void reset(const void *params_, void *state_, tb_rng *rng)
{
    const params *p = params_;
    state *s = state_;
    double *x[] = {&s->x, &s->x_dot, &s->theta, &s->theta_dot};
    for (int i = 0; i < 4; i++)
        *x[i] = tb_rng_uniform(rng, -p->reset_noise_scale, p->reset_noise_scale);
}

static double sign(double x)
{
    return x > 0 ? 1 : x < 0 ? -1 : 0;
}

/* M = both masses, m = the pole's, l = half its length, F = force, f = friction of the cart:
 *   theta'' = (g sin + cos (f - F - m l theta'^2 sin) / M - hinge) / (l (4/3 - m cos^2 / M))
 *   x''     = (F + m l (theta'^2 sin - theta'' cos) - f) / M
 * and Euler's method with the velocities from before. */
static double step(const void *params_, void *state_, const void *action, tb_rng *rng,
                   uint32_t *flags)
{
    const params *p = params_;
    state *s = state_;
    double force = tb_kit_clip((double)*(const float *)action, -p->max_force, p->max_force);
    double mass = p->cart_mass + p->pole_mass, ml = p->pole_mass * p->half_length;
    double c = cos(s->theta), sn = sin(s->theta), whirl = ml * s->theta_dot * s->theta_dot;
    double friction = p->cart_friction * sign(s->x_dot);
    double hinge = p->pole_friction * s->theta_dot / ml;
    double theta_acc = (p->gravity * sn + c * (friction - force - whirl * sn) / mass - hinge) /
                       (p->half_length * (4.0 / 3.0 - p->pole_mass * c * c / mass));
    double x_acc = (force + whirl * sn - ml * theta_acc * c - friction) / mass;
    (void)rng;
    s->x += p->dt * s->x_dot;
    s->x_dot += p->dt * x_acc;
    s->theta += p->dt * s->theta_dot;
    s->theta_dot += p->dt * theta_acc;
    if (fabs(s->x) <= p->x_limit && fabs(s->theta) <= p->theta_limit)
        return p->alive_reward;
    *flags = TB_TERMINATED;
    return 0;
}

static const tb_kit_def cartpole = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "paper/CartPole-v0",
             .summary = "Balance a pole on a cart with a continuous force, as in the TRPO paper.",
             .reference = "Barto, Sutton and Anderson 1983",
             .max_episode_steps = 1000,
             .reward_threshold = NAN,
             .return_random = NAN,
             .return_ref = 10000},
    .params = rows,
    .params_bytes = sizeof(params),
    .state_names = names,
    .state_bytes = sizeof(state),
    .observation = TB_KIT_BOX("observation", TB_F64, 4),
    .action = TB_KIT_BOX("force", TB_F32, 1),
    .bounds = bounds,
    .reset = reset,
    .step = step,
};
TB_KIT_PLUGIN(&cartpole);
