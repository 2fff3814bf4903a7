/* SPDX-License-Identifier: MIT */
#include "tests/env_plugin_checks.h"

static tb_env_case pendulum = {
    .id = "classic/Pendulum-v1",
    .trace = "Pendulum-v1.csv",
    .max_episode_steps = 200,
    .reward_threshold = NAN,
    .n_state = 2,
    .n_obs = 3,
    .reset_low = (const double[]){-3.14159265358979323846, -1},
    .reset_high = (const double[]){3.14159265358979323846, 1},
    .obs_low = (const double[]){-1, -1, -8},
    .obs_high = (const double[]){1, 1, 8},
    .action_bound = 2,
    .param = "g",
    .param_value = 9.81,
};

/* The cost counts the angle from upright on the shorter way round; the state is not wrapped. */
static void test_angle_of_the_cost(void **state)
{
    const double turn = 6.28318530717958647692;
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, NULL, 0);
    for (int k = -3; k <= 3; k++) {
        double s[2] = {1 + k * turn, 0};
        assert_int_equal(e.vector->set(e.env, s), TB_OK);
        double reward = tb_test_step(&e, (tb_test_action){.f32 = 0}).reward;
        assert_true(fabs(reward + 1) < 1e-14);
        assert_int_equal(e.vector->get(e.env, s), TB_OK);
        assert_true(fabs(s[0] - (1 + k * turn)) < 0.1);
    }
    tb_test_destroy(&e);
}

/* Torque and speed stop at their bounds; the price of torque is that of the bound. */
static void test_bounds_of_motion(void **state)
{
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, NULL, 0);
    double fast[2] = {0, 7.99}, s[2];
    assert_int_equal(e.vector->set(e.env, fast), TB_OK);
    tb_test_result a = tb_test_step(&e, (tb_test_action){.f32 = 2});
    assert_int_equal(e.vector->get(e.env, s), TB_OK);
    assert_true(s[1] == 8);
    assert_int_equal(e.vector->set(e.env, fast), TB_OK);
    tb_test_result b = tb_test_step(&e, (tb_test_action){.f32 = 50});
    tb_test_same(&a, &b);
    tb_test_destroy(&e);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {
        TB_ENV_TEST(test_angle_of_the_cost, &pendulum),
        TB_ENV_TEST(test_bounds_of_motion, &pendulum),
    };
    return tb_env_test_main(argc, argv, &pendulum, own, sizeof own / sizeof own[0]);
}
