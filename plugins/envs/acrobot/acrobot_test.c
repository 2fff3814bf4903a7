/* SPDX-License-Identifier: MIT */
#include "tests/env_plugin_checks.h"

static tb_env_case acrobot = {
    .id = "classic/Acrobot-v1",
    .trace = "Acrobot-v1.csv",
    .max_episode_steps = 500,
    .reward_threshold = -100,
    .n_state = 4,
    .n_obs = 6,
    .reset_low = (const double[]){-0.1f, -0.1f, -0.1f, -0.1f},
    .reset_high = (const double[]){0.1f, 0.1f, 0.1f, 0.1f},
    .obs_low = (const double[]){-1, -1, -1, -1, -12.566371, -28.274334},
    .obs_high = (const double[]){1, 1, 1, 1, 12.566371, 28.274334},
    .n_actions = 3,
    .param = "gravity",
    .param_value = 1.6,
};

/* A set angle may be as large as a double: the step ends, and ends inside [-pi, pi]. */
static void test_huge_angles(void **state)
{
    static const double angles[] = {3.2, -3.2, 9999, -10001, 1e9, -1e17, 1e300};
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, NULL, 0);
    for (size_t i = 0; i < sizeof angles / sizeof angles[0]; i++) {
        double s[4] = {angles[i], -angles[i], 0, 0};
        assert_int_equal(e.vector->set(e.env, s), TB_OK);
        assert_int_equal(tb_test_step(&e, (tb_test_action){.i32 = 1}).status, TB_OK);
        assert_int_equal(e.vector->get(e.env, s), TB_OK);
        assert_true(fabs(s[0]) <= 3.1415926535897932 && fabs(s[1]) <= 3.1415926535897932);
    }
    tb_test_destroy(&e);
}

/* Gymnasium's start states are float32 numbers. */
static void test_start_is_float(void **state)
{
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, NULL, 0);
    double s[4];
    for (uint64_t k = 0; k < 10; k++) {
        tb_test_reset(&e, tb_test_key(k), NULL);
        assert_int_equal(e.vector->get(e.env, s), TB_OK);
        for (int i = 0; i < 4; i++)
            assert_true(s[i] == (double)(float)s[i]);
    }
    tb_test_destroy(&e);
}

/* Angular velocities beyond every finite product: the episode is lost and says so. */
static void test_non_finite(void **state)
{
    tb_test_env e = tb_test_create(((tb_env_case *)*state)->id, NULL, 0);
    double s[4] = {0.3, 0.3, 1e200, 1e200};
    assert_int_equal(e.vector->set(e.env, s), TB_OK);
    assert_int_equal(tb_test_step(&e, (tb_test_action){.i32 = 1}).status, TB_E_NUMERIC);
    assert_non_null(strstr(e.api->last_error(e.env), "finite"));
    assert_int_equal(tb_test_step(&e, (tb_test_action){.i32 = 1}).status, TB_E_STATE);
    tb_test_reset(&e, tb_test_key(1), NULL);
    assert_int_equal(tb_test_step(&e, (tb_test_action){.i32 = 1}).status, TB_OK);
    tb_test_destroy(&e);
}

/* The paper's equations lack one term, which is zero while the upper link does not move. */
static void test_nips_equations(void **state)
{
    const tb_env_case *c = *state;
    tb_test_value value = {"book_or_nips", TB_PARAM_STR, 0, "nips", 0};
    tb_test_env book = tb_test_create(c->id, NULL, 0), nips = tb_test_create(c->id, &value, 1);
    double moving[4] = {0.5, 0.5, 2, 0}, a[4] = {0}, b[4] = {0};
    assert_int_equal(book.vector->set(book.env, moving), TB_OK);
    assert_int_equal(nips.vector->set(nips.env, moving), TB_OK);
    tb_test_step(&book, (tb_test_action){.i32 = 1});
    tb_test_step(&nips, (tb_test_action){.i32 = 1});
    assert_int_equal(book.vector->get(book.env, a), TB_OK);
    assert_int_equal(nips.vector->get(nips.env, b), TB_OK);
    assert_true(b[3] > a[3]); /* the book's term slows the lower link here */
    tb_test_destroy(&book);
    tb_test_destroy(&nips);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest own[] = {
        TB_ENV_TEST(test_huge_angles, &acrobot),
        TB_ENV_TEST(test_start_is_float, &acrobot),
        TB_ENV_TEST(test_non_finite, &acrobot),
        TB_ENV_TEST(test_nips_equations, &acrobot),
    };
    return tb_env_test_main(argc, argv, &acrobot, own, sizeof own / sizeof own[0]);
}
