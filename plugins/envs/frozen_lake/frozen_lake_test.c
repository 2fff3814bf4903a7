/* SPDX-License-Identifier: MIT */
#include "tests/tabular_plugin_checks.h"

#define SMALL "tabular/FrozenLake-v1"
#define LARGE "tabular/FrozenLake8x8-v1"

static tb_test_value dry[] = {{"is_slippery", TB_PARAM_BOOL, 0, NULL, 0}};
static tb_test_value name_8x8[] = {{"map_name", TB_PARAM_STR, 0, "8x8", 0}};
static tb_test_value custom[] = {{"desc", TB_PARAM_STR, 0, "SFHFS/FFFGF/HFSFF", 0},
                                 {"success_rate", TB_PARAM_F64, 0.7, NULL, 0},
                                 {"goal_reward", TB_PARAM_F64, 5, NULL, 0},
                                 {"hole_reward", TB_PARAM_F64, -1, NULL, 0},
                                 {"frozen_reward", TB_PARAM_F64, -0.01, NULL, 0}};

static tb_tab_case small = {SMALL, "FrozenLake-v1.csv", NULL, 0, 16, 4};
static tb_tab_case large = {LARGE, "FrozenLake8x8-v1.csv", NULL, 0, 64, 4};
static tb_tab_case named = {SMALL, "FrozenLake8x8-v1.csv", name_8x8, 1, 64, 4};
static tb_tab_case small_dry = {SMALL, "FrozenLake-v1.dry.csv", dry, 1, 16, 4};
static tb_tab_case small_custom = {SMALL, "FrozenLake-v1.custom.csv", custom, 5, 15, 4};
static tb_tab_case trace = {SMALL, "FrozenLake-v1.dry.trace.csv", dry, 1, 16, 4};

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(tb_test_describe(SMALL)->max_episode_steps, 100);
    assert_int_equal(tb_test_describe(LARGE)->max_episode_steps, 200);
    assert_true(tb_test_describe(SMALL)->reward_threshold == 0.70);
    assert_true(tb_test_describe(LARGE)->reward_threshold == 0.85);
}

/* A map that is none is refused with a reason. */
static void test_wrong_maps(void **state)
{
    static const struct {
        const char *map, *reason;
    } rows[] = {{"SF/FX", "holds 'X'"},
                {"SFF/FG", "different length"},
                {"SF/FFG", "different length"},
                {"/SG", "different length"},
                {"FF/FG", "no start"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tb_test_value value = {"desc", TB_PARAM_STR, 0, rows[i].map, 0};
        tb_test_env e;
        char err[256];
        assert_int_equal(tb_test_try(SMALL, &value, 1, &e, err), TB_E_PARAM);
        if (!strstr(err, rows[i].reason))
            fail_msg("%s: \"%s\"", rows[i].map, err);
    }
}

/* The longest map that there is room for works, one letter more is refused. */
static void test_longest_map(void **state)
{
    char map[1100];
    tb_test_value value = {"desc", TB_PARAM_STR, 0, map, 0};
    tb_test_env e;
    char err[256];
    (void)state;
    memset(map, 'S', sizeof map);
    map[1087] = '\0';
    e = tb_test_create(SMALL, &value, 1);
    assert_int_equal(tb_tab_test_model(&e).n_states, 1087);
    tb_test_destroy(&e);
    map[1087] = 'S';
    map[1088] = '\0';
    assert_int_equal(tb_test_try(SMALL, &value, 1, &e, err), TB_E_PARAM);
    assert_non_null(strstr(err, "at most 1087 bytes, not 1088"));
}

/* Snapshots of one map are refused on another of the same size. */
static void test_snapshot_of_another_map(void **state)
{
    tb_test_value maps[2] = {{"desc", TB_PARAM_STR, 0, "SF/FG", 0},
                             {"desc", TB_PARAM_STR, 0, "SF/GF", 0}};
    tb_test_env a = tb_test_create(SMALL, &maps[0], 1), b = tb_test_create(SMALL, &maps[1], 1);
    unsigned char bytes[512];
    uint64_t used = 0;
    (void)state;
    tb_test_reset(&a, tb_test_key(1), NULL);
    assert_int_equal(a.snapshot->save(a.env, bytes, sizeof bytes, &used), TB_OK);
    assert_int_equal(a.snapshot->load(a.env, bytes, used), TB_OK);
    assert_int_equal(b.snapshot->load(b.env, bytes, used), TB_E_CORRUPT);
    assert_non_null(strstr(b.api->last_error(b.env), "other parameters"));
    tb_test_destroy(&a);
    tb_test_destroy(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TB_TAB_TEST(test_model, &small),
        TB_TAB_TEST(test_model, &large),
        TB_TAB_TEST(test_model, &named),
        TB_TAB_TEST(test_model, &small_dry),
        TB_TAB_TEST(test_model, &small_custom),
        TB_TAB_TEST(test_trace, &trace),
        TB_TAB_TEST(test_returns, &small),
        TB_TAB_TEST(test_returns, &large),
        cmocka_unit_test(test_conformance),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_wrong_maps),
        cmocka_unit_test(test_longest_map),
        cmocka_unit_test(test_snapshot_of_another_map),
    };
    return cmocka_run_group_tests_name("FrozenLake", tests, NULL, NULL);
}
