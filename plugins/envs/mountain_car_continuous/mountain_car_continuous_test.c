/* SPDX-License-Identifier: MIT */
#include "tests/env_plugin_checks.h"

static tb_env_case mountain_car_continuous = {
    .id = "classic/MountainCarContinuous-v0",
    .trace = "MountainCarContinuous-v0.csv",
    .max_episode_steps = 999,
    .reward_threshold = 90,
    .n_state = 2,
    .n_obs = 2,
    .reset_low = (const double[]){-0.6, 0},
    .reset_high = (const double[]){-0.4, 0},
    .obs_low = (const double[]){-1.2, -0.07},
    .obs_high = (const double[]){0.6, 0.07},
    .action_bound = 1,
    .param = "gravity",
    .param_value = 0.001,
};

/* An action outside its bounds pushes like the bound and costs what was asked for. */
static void test_action_outside_bounds(void **state)
{
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, NULL, 0);
    double start[2] = {-0.5, 0}, s[2], t[2];
    assert_int_equal(e.vector->set(e.env, start), TB_OK);
    assert_true(tb_test_step(&e, (tb_test_action){.f32 = 1}).reward == -0.1);
    assert_int_equal(e.vector->get(e.env, s), TB_OK);
    assert_int_equal(e.vector->set(e.env, start), TB_OK);
    assert_true(tb_test_step(&e, (tb_test_action){.f32 = 3}).reward == -0.9);
    assert_int_equal(e.vector->get(e.env, t), TB_OK);
    assert_memory_equal(s, t, sizeof s);
    tb_test_destroy(&e);
}

/* 100 for the goal, less the action's price. */
static void test_goal(void **state)
{
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, NULL, 0);
    double goal[2] = {0.44, 0.03};
    assert_int_equal(e.vector->set(e.env, goal), TB_OK);
    tb_test_result r = tb_test_step(&e, (tb_test_action){.f32 = 0});
    assert_int_equal(r.flags, TB_TERMINATED);
    assert_true(r.reward == 100);
    tb_test_destroy(&e);
}

static void test_ranges_in_order(void **state)
{
    tb_test_value position = {"max_position", TB_PARAM_F64, -1.2, NULL, 0};
    tb_test_value action = {"max_action", TB_PARAM_F64, -2, NULL, 0};
    tb_test_param_refused(((tb_env_case *)*state)->id, position);
    tb_test_param_refused(((tb_env_case *)*state)->id, action);
}

/* step_lanes() where a strong engine reaches the wall and a near goal. */
static void test_lanes_to_goal_and_wall(void **state)
{
    tb_test_value values[] = {{"goal_position", TB_PARAM_F64, -0.3, NULL, 0},
                              {"power", TB_PARAM_F64, 0.01, NULL, 0},
                              {"min_position", TB_PARAM_F64, -0.7, NULL, 0}};
    tb_test_lanes(*state, values, 2);
    tb_test_lanes(*state, values + 1, 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {
        TB_ENV_TEST(test_action_outside_bounds, &mountain_car_continuous),
        TB_ENV_TEST(test_goal, &mountain_car_continuous),
        TB_ENV_TEST(test_ranges_in_order, &mountain_car_continuous),
        TB_ENV_TEST(test_lanes_to_goal_and_wall, &mountain_car_continuous),
    };
    return tb_env_test_main(argc, argv, &mountain_car_continuous, own, sizeof own / sizeof own[0]);
}
