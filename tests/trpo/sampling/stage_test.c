/* SPDX-License-Identifier: MIT */
#include "trpo/sampling/stage.h"

#include "tests/trpo/sampling/testing_sampler.h"
#include "tests/trpo/testing_vec.h"

static test_env_def with_vec(test_env_def def)
{
    def.vec = &test_env_vec;
    return def;
}

/* The same rollouts, bit for bit, from vec/1 and from scalar instances. */
static void compare(test_env_def def, size_t lanes, uint64_t max_episode_steps)
{
    fixture scalar = fresh(def), vec = fresh(with_vec(def));
    scalar.task.max_episode_steps = vec.task.max_episode_steps = max_episode_steps;
    init(&scalar, TB_F32, lanes);
    init(&vec, TB_F32, lanes);
    // one environment a lane and the probe; the prototypes of the groups come on top
    assert_int_equal(scalar.def.n_instances, lanes + 1);
    assert_int_equal(vec.def.n_instances, lanes + 1 + (lanes + 7) / 8);
    const size_t steps[] = {13, 1, 33};
    for (size_t b = 0; b < 3; b++) {
        assert_ok(run(&scalar, steps[b]), &scalar.error);
        assert_ok(run(&vec, steps[b]), &vec.error);
        assert_same_rollouts(&scalar, &vec);
    }
    finish(&scalar);
    finish(&vec);
}

static void test_vec_and_scalar_give_the_same_bits(void **state)
{
    (void)state;
    const size_t lanes[] = {1, 3, 8, max_lanes};
    for (size_t l = 0; l < 4; l++) {
        test_env_def def = test_env_default;
        def.vary = 3;
        def.slope = 0.25;
        compare(def, lanes[l], 0);
        compare(def, lanes[l], 4);
        def.terminate_at = 0;
        def.truncate_at = 4;
        compare(def, lanes[l], 0);
        // rows of 8 bytes and of 24: strides that are no multiple of 64
        def.observation_dtype = TB_F32;
        def.action_kind = TB_SPACE_BOX;
        def.action_dtype = TB_F64;
        def.n = 3;
        compare(def, lanes[l], 6);
        def.action_dtype = TB_U8;
        def.low = 0;
        compare(def, lanes[l], 6);
    }
}

/* The message names the first lane's failure in the same words. */
static void test_failures_are_told_alike(void **state)
{
    (void)state;
    test_env_def failing[4];
    for (size_t k = 0; k < 4; k++) {
        failing[k] = test_env_default;
        failing[k].vary = 3; // the lanes fail in different episodes
    }
    failing[0].fail_step_at = 7;
    failing[1].nan_reward_at = 6;
    failing[2].nan_observation_at = 7;
    failing[3].fail_reset_episode = 3;
    for (size_t k = 0; k < 4; k++) {
        fixture scalar = fresh(failing[k]), vec = fresh(with_vec(failing[k]));
        init(&scalar, TB_F64, max_lanes);
        init(&vec, TB_F64, max_lanes);
        assert_int_equal(run(&scalar, 40), TB_E_NUMERIC);
        assert_int_equal(run(&vec, 40), TB_E_NUMERIC);
        assert_string_equal(scalar.error.message, vec.error.message);
        finish(&scalar);
        finish(&vec);
    }
}

static void test_lanes_that_cannot_be_made(void **state)
{
    (void)state;
    test_env_def def = with_vec(test_env_default);
    def.fail_vec = 1;
    fixture f = fresh(def);
    prepare(&f, TB_F64);
    assert_int_equal(start(&f, 3), TB_E_NOMEM);
    assert_message(&f.error, "cannot make 3 lanes (TB_E_NOMEM): the lanes were told to fail");
    finish(&f);
}

/* A table of an older minor version, too short for what the sampler calls, is not used. */
static void test_short_table(void **state)
{
    (void)state;
    tb_env_vec table = test_env_vec;
    table.struct_size = (uint32_t)offsetof(tb_env_vec, observe);
    test_env_def def = test_env_default;
    def.vec = &table;
    fixture f = fresh(def);
    init(&f, TB_F64, 3);
    assert_int_equal(f.def.n_instances, 4);
    assert_ok(run(&f, 5), &f.error);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vec_and_scalar_give_the_same_bits),
        cmocka_unit_test(test_failures_are_told_alike),
        cmocka_unit_test(test_lanes_that_cannot_be_made),
        cmocka_unit_test(test_short_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
