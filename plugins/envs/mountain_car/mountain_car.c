/* SPDX-License-Identifier: MIT
 *
 * Mountain car (Moore 1990), as in Gymnasium 1.0.0 "MountainCar-v0".
 *
 * Every sum and product stands in Gymnasium's order: the states are equal to the last bit.
 */
#include <trpo-bench/env_kit.h>

typedef struct params {
    double min_position, max_position, max_speed, goal_position, goal_velocity, force, gravity;
} params;

static const tb_kit_param rows[] = {
    TB_KIT_F64(params, min_position, -1.2, -1e6, 1e6, "Position of the wall on the left."),
    TB_KIT_F64(params, max_position, 0.6, -1e6, 1e6, "Largest position."),
    TB_KIT_F64(params, max_speed, 0.07, 1e-9, 1e6, "Largest speed, positions per step."),
    TB_KIT_F64(params, goal_position, 0.5, -1e6, 1e6, "The episode terminates from here on."),
    TB_KIT_F64(params, goal_velocity, 0.0, -1e6, 1e6,
               "Smallest velocity at the goal, positions per step."),
    TB_KIT_F64(params, force, 0.001, 0, 1e6, "Acceleration by the engine, positions per step^2."),
    TB_KIT_F64(params, gravity, 0.0025, 0, 1e6,
               "Acceleration by the steepest slope, positions per step^2."),
    TB_KIT_END};

typedef struct state {
    double position, velocity; /* the valley's floor is at -pi / 6; positions per step */
} state;

static const char *const names[] = {"position", "velocity", NULL};

static tb_status prepare(void *params_, char *err, uint64_t err_cap)
{
    const params *p = params_;
    return tb_kit_need_less("min_position", p->min_position, "max_position", p->max_position, err,
                            err_cap);
}

static void bounds(const void *params_, uint32_t which, double *low, double *high)
{
    const params *p = params_;
    (void)which;
    low[0] = p->min_position;
    low[1] = -p->max_speed;
    high[0] = p->max_position;
    high[1] = p->max_speed;
}

static void reset(const void *params_, void *state_, tb_rng *rng)
{
    state *s = state_;
    (void)params_;
    s->position = tb_rng_uniform(rng, -0.6, -0.4);
    s->velocity = 0;
}

/* One step under the engine's `direction`; `cosine` is that of 3 * position. Returns whether the
 * goal is reached. Both step() and step_lanes() are made of this, so their bits are the same. */
static inline int advance(const params *p, double direction, double cosine, double *position,
                          double *velocity)
{
    double v = *velocity + (direction * p->force + cosine * -p->gravity), x;
    v = tb_kit_clip(v, -p->max_speed, p->max_speed);
    x = tb_kit_clip(*position + v, p->min_position, p->max_position);
    /* the wall on the left stops the car */
    if (x == p->min_position && v < 0)
        v = 0;
    *position = x;
    *velocity = v;
    return x >= p->goal_position && v >= p->goal_velocity;
}

static double step(const void *params_, void *state_, const void *action, tb_rng *rng,
                   uint32_t *flags)
{
    state *s = state_;
    int32_t direction = *(const int32_t *)action - 1; /* left, none, right */
    (void)rng;
    if (advance(params_, direction, cos(3 * s->position), &s->position, &s->velocity))
        *flags |= TB_TERMINATED;
    return -1;
}

static void step_lanes(const void *params_, uint64_t n, double *const *lanes, const void *actions,
                       double *rewards, uint32_t *flags)
{
    const params p = *(const params *)params_;
    const int32_t *action = actions;
    double *restrict position = lanes[0], *restrict velocity = lanes[1];
    double cosine[TB_KIT_LANES];
    uint64_t i;
    for (i = 0; i < n; i++)
        cosine[i] = cos(3 * position[i]);
    for (i = 0; i < n; i++) {
        int32_t direction = action[i] - 1;
        int there = advance(&p, direction, cosine[i], &position[i], &velocity[i]);
        flags[i] = there ? TB_TERMINATED : 0;
        rewards[i] = -1;
    }
}

static const tb_kit_def mountain_car = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .id = "classic/MountainCar-v0",
             .summary = "Rock a weak car out of a valley with three engine settings.",
             .reference = "Gymnasium 1.0.0 MountainCar-v0",
             .max_episode_steps = 200,
             .reward_threshold = -110,
             .return_random = -200,
             .return_ref = -105},
    .params = rows,
    .params_bytes = sizeof(params),
    .state_names = names,
    .state_bytes = sizeof(state),
    .observation = TB_KIT_BOX("observation", TB_F32, 2),
    .action = TB_KIT_DISCRETE("engine", 3),
    .prepare = prepare,
    .bounds = bounds,
    .reset = reset,
    .step = step,
    .step_lanes = step_lanes,
};
TB_KIT_PLUGIN(&mountain_car);
