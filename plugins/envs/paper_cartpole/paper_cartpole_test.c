/* SPDX-License-Identifier: MIT
 *
 * The equations against what they must conserve; ends and rewards. The rest: `trpo-bench check`.
 */
#include "tests/env_plugin_testing.h"

static const double g = 9.8, cart = 1, pole = 0.1, l = 0.5;

typedef struct result {
    double state[4], reward;
    uint32_t flags;
} result;

// one step from a state with n parameters and a force
static result step_from(const double start[4], float force, tb_test_value *values, size_t n)
{
    tb_test_env e = tb_test_create("paper/CartPole-v0", values, n);
    tb_step out = {.struct_size = sizeof out};
    double obs[4];
    result r;
    assert_int_equal(e.vector->set(e.env, start), TB_OK);
    assert_int_equal(e.api->step(e.env, &force, obs, &out), TB_OK);
    assert_int_equal(e.vector->get(e.env, r.state), TB_OK);
    assert_memory_equal(obs, r.state, sizeof obs);
    r.reward = out.reward;
    r.flags = out.flags;
    tb_test_destroy(&e);
    return r;
}

// kinetic energy of the cart and of a thin rod of length 2 l, and the rod's potential energy
static double energy(const double s[4])
{
    double vx = s[1] + l * s[3] * cos(s[2]), vy = -l * s[3] * sin(s[2]);
    double turning = pole * l * l / 3 * s[3] * s[3] / 2;
    return cart * s[1] * s[1] / 2 + pole * (vx * vx + vy * vy) / 2 + turning +
           pole * g * l * cos(s[2]);
}

static double momentum(const double s[4])
{
    return (cart + pole) * s[1] + pole * l * s[3] * cos(s[2]);
}

// rates of change over a step so short that they are exact to 1e-4
static void test_conservation(void **unused)
{
    enum { dt, cart_friction, pole_friction };
    const double states[][4] = {{0.1, 0.7, 0.1, -0.5}, {-0.4, -1.2, -0.15, 1.5}, {1, 0.3, 0.05, 3}};
    tb_test_value values[] = {{"dt", TB_PARAM_F64, 1e-6, NULL, 0},
                              {"cart_friction", TB_PARAM_F64, 0, NULL, 0},
                              {"pole_friction", TB_PARAM_F64, 0, NULL, 0}};
    const float force = 7;
    (void)unused;
    for (int i = 0; i < 3; i++) {
        const double *s = states[i];
        double h = values[dt].number;
        values[cart_friction].number = values[pole_friction].number = 0;
        result free_run = step_from(s, 0, values, 3), pushed = step_from(s, force, values, 3);
        assert_true(fabs(energy(free_run.state) - energy(s)) / h < 1e-4);
        assert_true(fabs(momentum(free_run.state) - momentum(s)) / h < 1e-4);
        // a force does work on the cart and adds momentum
        assert_true(fabs((energy(pushed.state) - energy(s)) / h - (double)force * s[1]) < 1e-3);
        assert_true(fabs((momentum(pushed.state) - momentum(s)) / h - (double)force) < 1e-3);
        // friction takes energy: of the cart mu |x'|, of the hinge mu theta'^2
        values[cart_friction].number = 0.3;
        result rubbed = step_from(s, 0, values, 3);
        assert_true(fabs((energy(rubbed.state) - energy(s)) / h + 0.3 * fabs(s[1])) < 1e-3);
        values[cart_friction].number = 0;
        values[pole_friction].number = 0.02;
        rubbed = step_from(s, 0, values, 3);
        assert_true(fabs((energy(rubbed.state) - energy(s)) / h + 0.02 * s[3] * s[3]) < 1e-3);
    }
}

static void test_ends_and_rewards(void **unused)
{
    const double degree = 3.14159265358979323846 / 180;
    const double inside[4] = {2.39, 0, 11.9 * degree, 0}, right[4] = {2.39, 1, 0, 0},
                 tilted[4] = {0, 0, -11.9 * degree, -1}, still[4] = {0, 0, 0, 0};
    (void)unused;
    result r = step_from(inside, 0, NULL, 0);
    assert_true(r.flags == 0 && r.reward == 10);
    r = step_from(right, 0, NULL, 0);
    assert_true(r.flags == TB_TERMINATED && r.reward == 0);
    r = step_from(tilted, 0, NULL, 0);
    assert_true(r.flags == TB_TERMINATED && r.reward == 0);
    // the force stops at its bound
    result bounded = step_from(still, 10, NULL, 0), beyond = step_from(still, 50, NULL, 0);
    assert_memory_equal(bounded.state, beyond.state, sizeof bounded.state);
    assert_true(bounded.state[1] > 0.19 && bounded.state[3] < -0.28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conservation),
        cmocka_unit_test(test_ends_and_rewards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
