/* SPDX-License-Identifier: MIT */
#include "tests/tabular_plugin_checks.h"

#define V3 "tabular/Taxi-v3"
#define V4 "tabular/Taxi-v4"

static tb_test_value rainy[] = {{"is_rainy", TB_PARAM_BOOL, 1, NULL, 0}};
static tb_test_value fickle[] = {{"is_rainy", TB_PARAM_BOOL, 1, NULL, 0},
                                 {"fickle_passenger", TB_PARAM_BOOL, 1, NULL, 0},
                                 {"rainy_probability", TB_PARAM_F64, 0.7, NULL, 0}};

static tb_tab_case v3 = {V3, "Taxi-v3.csv", NULL, 0, 500, 6};
static tb_tab_case v3_rainy = {V3, "Taxi-v3.rainy.csv", rainy, 1, 500, 6};
static tb_tab_case v4 = {V4, "Taxi-v4.csv", NULL, 0, 500, 6};
static tb_tab_case v4_rainy = {V4, "Taxi-v4.rainy.csv", rainy, 1, 500, 6};
static tb_tab_case v4_fickle = {V4, "Taxi-v4.fickle.csv", fickle, 3, 1000, 6};
static tb_tab_case v4_trace = {V4, "Taxi-v4.trace.csv", NULL, 0, 500, 6};
static tb_tab_case v3_trace = {V3, "Taxi-v4.trace.csv", NULL, 0, 500, 6};

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(tb_test_describe(V3)->max_episode_steps, 200);
    assert_int_equal(tb_test_describe(V4)->max_episode_steps, 200);
    assert_true(tb_test_describe(V4)->reward_threshold == 8);
}

/* Of the 1000 states of a fickle passenger 500 can be told apart; the share of undecided ones at
 * the start is the key's; who has decided, or is not in the taxi, is as a firm passenger is. */
static void test_fickle_states(void **state)
{
    tb_test_value values[] = {{"fickle_passenger", TB_PARAM_BOOL, 1, NULL, 0},
                              {"fickle_probability", TB_PARAM_F64, 0.25, NULL, 0}};
    tb_test_env e = tb_test_create(V4, values, 2), firm = tb_test_create(V4, NULL, 0);
    tb_tabular m = tb_tab_test_model(&e), f = tb_tab_test_model(&firm);
    double undecided = 0;
    (void)state;
    for (uint64_t s = 0; s < 1000; s++) {
        assert_int_equal(m.observation[s], s % 500);
        assert_true(fabs(m.start[s] - (s < 500 ? 0.75 : 0.25) * f.start[s % 500]) < 1e-15);
        undecided += s < 500 ? 0 : m.start[s];
        for (uint64_t a = 0; a < 6 && (s < 500 || s / 4 % 5 != 4); a++) {
            uint64_t o = m.first[6 * s + a], of = f.first[6 * (s % 500) + a];
            assert_int_equal(m.first[6 * s + a + 1], o + 1);
            assert_int_equal(m.next[o], f.next[of] + (s < 500 ? 0 : 500));
            assert_true(m.reward[o] == f.reward[of] && m.terminated[o] == f.terminated[of]);
        }
    }
    assert_true(fabs(undecided - 0.25) < 1e-12);
    tb_test_destroy(&e);
    tb_test_destroy(&firm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TB_TAB_TEST(test_model, &v3),        TB_TAB_TEST(test_model, &v3_rainy),
        TB_TAB_TEST(test_model, &v4),        TB_TAB_TEST(test_model, &v4_rainy),
        TB_TAB_TEST(test_model, &v4_fickle), TB_TAB_TEST(test_trace, &v4_trace),
        TB_TAB_TEST(test_trace, &v3_trace),  TB_TAB_TEST(test_returns, &v3),
        TB_TAB_TEST(test_returns, &v4),      cmocka_unit_test(test_fickle_states),
        cmocka_unit_test(test_conformance),  cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("Taxi", tests, NULL, NULL);
}
