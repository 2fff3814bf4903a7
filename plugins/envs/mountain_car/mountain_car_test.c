/* SPDX-License-Identifier: MIT */
#include "tests/env_plugin_checks.h"

static tb_env_case mountain_car = {
    .id = "classic/MountainCar-v0",
    .trace = "MountainCar-v0.csv",
    .max_episode_steps = 200,
    .reward_threshold = -110,
    .n_state = 2,
    .n_obs = 2,
    .reset_low = (const double[]){-0.6, 0},
    .reset_high = (const double[]){-0.4, 0},
    .obs_low = (const double[]){-1.2, -0.07},
    .obs_high = (const double[]){0.6, 0.07},
    .n_actions = 3,
    .param = "force",
    .param_value = 0.002,
};

/* The wall on the left stops the car; the goal asks for its velocity. */
static void test_wall_and_goal(void **state)
{
    const tb_env_case *c = *state;
    tb_test_value value = {"goal_velocity", TB_PARAM_F64, 0.05, NULL, 0};
    tb_test_env e = tb_test_create(c->id, NULL, 0), fast = tb_test_create(c->id, &value, 1);
    double wall[2] = {-1.19, -0.07}, goal[2] = {0.49, 0.03}, s[2];
    assert_int_equal(e.vector->set(e.env, wall), TB_OK);
    assert_int_equal(tb_test_step(&e, (tb_test_action){.i32 = 0}).flags, 0);
    assert_int_equal(e.vector->get(e.env, s), TB_OK);
    assert_true(s[0] == -1.2 && s[1] == 0);
    assert_int_equal(e.vector->set(e.env, goal), TB_OK);
    assert_int_equal(tb_test_step(&e, (tb_test_action){.i32 = 2}).flags, TB_TERMINATED);
    assert_int_equal(fast.vector->set(fast.env, goal), TB_OK);
    assert_int_equal(tb_test_step(&fast, (tb_test_action){.i32 = 2}).flags, 0);
    tb_test_destroy(&e);
    tb_test_destroy(&fast);
}

static void test_positions_in_order(void **state)
{
    tb_test_value value = {"min_position", TB_PARAM_F64, 0.7, NULL, 0};
    tb_test_param_refused(((tb_env_case *)*state)->id, value);
}

/* step_lanes() where a strong engine reaches the wall and a near goal. */
static void test_lanes_to_goal_and_wall(void **state)
{
    tb_test_value values[] = {{"goal_position", TB_PARAM_F64, -0.3, NULL, 0},
                              {"force", TB_PARAM_F64, 0.005, NULL, 0},
                              {"min_position", TB_PARAM_F64, -0.7, NULL, 0}};
    tb_test_lanes(*state, values, 2);
    tb_test_lanes(*state, values + 1, 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {
        TB_ENV_TEST(test_wall_and_goal, &mountain_car),
        TB_ENV_TEST(test_positions_in_order, &mountain_car),
        TB_ENV_TEST(test_lanes_to_goal_and_wall, &mountain_car),
    };
    return tb_env_test_main(argc, argv, &mountain_car, own, sizeof own / sizeof own[0]);
}
