/* SPDX-License-Identifier: MIT */
#include "tests/env_plugin_checks.h"

static tb_env_case cartpole = {
    .id = "classic/CartPole-v1",
    .trace = "CartPole-v1.csv",
    .max_episode_steps = 500,
    .reward_threshold = 475,
    .n_state = 4,
    .n_obs = 4,
    .reset_low = (const double[]){-0.05, -0.05, -0.05, -0.05},
    .reset_high = (const double[]){0.05, 0.05, 0.05, 0.05},
    .obs_low = (const double[]){-4.8, -INFINITY, -0.41887903, -INFINITY},
    .obs_high = (const double[]){4.8, INFINITY, 0.41887903, INFINITY},
    .n_actions = 2,
    .param = "gravity",
    .param_value = 1.6,
};

/* Just inside and just outside of each threshold. */
static void test_thresholds(void **state)
{
    static const struct {
        double s[4];
        uint32_t flags;
    } cases[] = {{{2.4, 0, 0, 0}, 0},     {{2.3999, 0.01, 0, 0}, TB_TERMINATED},
                 {{-2.4, 0, 0, 0}, 0},    {{-2.3999, -0.01, 0, 0}, TB_TERMINATED},
                 {{0, 0, 0.2094, 0}, 0},  {{0, 0, 0.2094, 0.01}, TB_TERMINATED},
                 {{0, 0, -0.2094, 0}, 0}, {{0, 0, -0.2094, -0.01}, TB_TERMINATED}};
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, NULL, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(e.vector->set(e.env, cases[i].s), TB_OK);
        assert_int_equal(tb_test_step(&e, (tb_test_action){.i32 = 1}).flags, cases[i].flags);
    }
    tb_test_destroy(&e);
}

/* 0 a step and -1 for falling, instead of 1 a step. */
static void test_sutton_barto_reward(void **state)
{
    tb_test_value value = {"sutton_barto_reward", TB_PARAM_BOOL, 1, NULL, 0};
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, &value, 1);
    double falling[4] = {0, 0, 0.2, 2};
    tb_test_reset(&e, tb_test_key(1), NULL);
    assert_true(tb_test_step(&e, (tb_test_action){.i32 = 0}).reward == 0);
    assert_int_equal(e.vector->set(e.env, falling), TB_OK);
    assert_true(tb_test_step(&e, (tb_test_action){.i32 = 0}).reward == -1);
    tb_test_destroy(&e);
}

/* The semi-implicit integrator moves with the new velocities. */
static void test_semi_implicit_euler(void **state)
{
    tb_test_value value = {"kinematics_integrator", TB_PARAM_STR, 0, "semi-implicit euler", 0};
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, &value, 1);
    double s[4] = {0}, zero[4] = {0};
    assert_int_equal(e.vector->set(e.env, zero), TB_OK);
    tb_test_step(&e, (tb_test_action){.i32 = 1});
    assert_int_equal(e.vector->get(e.env, s), TB_OK);
    assert_true(s[1] > 0 && s[0] == 0.02 * s[1]);
    assert_true(s[3] < 0 && s[2] == 0.02 * s[3]);
    tb_test_destroy(&e);
}

/* step_lanes() follows the same options as step(). */
static void test_lanes_with_options(void **state)
{
    tb_test_value values[] = {{"kinematics_integrator", TB_PARAM_STR, 0, "semi-implicit euler", 0},
                              {"sutton_barto_reward", TB_PARAM_BOOL, 1, NULL, 0},
                              {"force_mag", TB_PARAM_F64, 7.5, NULL, 0}};
    for (size_t first = 0; first < 3; first++)
        for (size_t n = 1; first + n <= 3; n++)
            tb_test_lanes(*state, values + first, n);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {
        TB_ENV_TEST(test_thresholds, &cartpole),
        TB_ENV_TEST(test_sutton_barto_reward, &cartpole),
        TB_ENV_TEST(test_semi_implicit_euler, &cartpole),
        TB_ENV_TEST(test_lanes_with_options, &cartpole),
    };
    return tb_env_test_main(argc, argv, &cartpole, own, sizeof own / sizeof own[0]);
}
