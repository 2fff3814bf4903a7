/* SPDX-License-Identifier: MIT
 *
 * A point in the plane must reach the origin through gusts of wind. Copy this file to start an
 * environment of your own: three functions of physics, then ten lines that describe them. The
 * observation is the state; where it is not, add observe() (env_kit_def.h).
 *
 *   x' = clip(x + speed * a_x + wind * u, -1, 1)    u uniform in [-1, 1), likewise y
 *   reward = -distance to the origin after the step
 */
#include <trpo-bench/env_kit.h>

/* what a suite may set: `params = { wind = 0.1 }` */
typedef struct params {
    double speed, wind, goal_radius;
} params;

static const tb_kit_param rows[] = {
    TB_KIT_F64(params, speed, 0.1, 0, 1, "Distance along an axis that an action of 1 moves."),
    TB_KIT_F64(params, wind, 0.05, 0, 1, "Largest distance along an axis that a gust moves."),
    TB_KIT_F64(params, goal_radius, 0.1, 1e-3, 1, "The episode terminates this near the origin."),
    TB_KIT_END};

/* everything the next step reads; begins with doubles, named for `trpo-bench replay` */
typedef struct state {
    double x, y;
} state;

static const char *const names[] = {"x", "y", NULL};

static void bounds(const void *params_, uint32_t which, double *low, double *high)
{
    int i;
    (void)params_, (void)which; /* the same for observation and action */
    for (i = 0; i < 2; i++) {
        low[i] = -1;
        high[i] = 1;
    }
}

/* all randomness comes from `rng`: the same key gives the same episode */
static void reset(const void *params_, void *state_, tb_rng *rng)
{
    state *s = state_;
    (void)params_;
    s->x = tb_rng_uniform(rng, -1, 1);
    s->y = tb_rng_uniform(rng, -1, 1);
}

static double step(const void *params_, void *state_, const void *action, tb_rng *rng,
                   uint32_t *flags)
{
    const params *p = params_;
    state *s = state_;
    const float *a = action;
    double distance;
    /* draw always: the wind's setting must not shift the stream */
    double gust_x = tb_rng_uniform(rng, -1, 1), gust_y = tb_rng_uniform(rng, -1, 1);
    /* the host clips actions unless the suite says otherwise; this makes it a rule */
    double a_x = tb_kit_clip((double)a[0], -1, 1), a_y = tb_kit_clip((double)a[1], -1, 1);
    s->x = tb_kit_clip(s->x + p->speed * a_x + p->wind * gust_x, -1, 1);
    s->y = tb_kit_clip(s->y + p->speed * a_y + p->wind * gust_y, -1, 1);
    distance = sqrt(s->x * s->x + s->y * s->y);
    if (distance < p->goal_radius)
        *flags |= TB_TERMINATED;
    return -distance;
}

static const tb_kit_def point = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "example/Point-v0",
             .summary = "Reach the origin of the plane through gusts of wind.",
             .max_episode_steps = 100, /* the host's: never count steps yourself */
             .reward_threshold = -4,
             .return_random = -74.4,
             .return_ref = -2.4},
    .params = rows,
    .params_bytes = sizeof(params),
    .state_names = names,
    .state_bytes = sizeof(state),
    .observation = TB_KIT_BOX("position", TB_F32, 2),
    .action = TB_KIT_BOX("velocity", TB_F32, 2),
    .bounds = bounds,
    .reset = reset,
    .step = step,
};
TB_KIT_PLUGIN(&point);
