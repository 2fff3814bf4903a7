/* SPDX-License-Identifier: MIT */
#include "tests/tabular_plugin_checks.h"

#define PLAIN "tabular/CliffWalking-v1"
#define SLIPPERY "tabular/CliffWalkingSlippery-v1"

static tb_test_value slips[] = {{"is_slippery", TB_PARAM_BOOL, 1, NULL, 0}};

static tb_tab_case plain = {PLAIN, "CliffWalking-v1.csv", NULL, 0, 48, 4};
static tb_tab_case slippery = {SLIPPERY, "CliffWalkingSlippery-v1.csv", NULL, 0, 48, 4};
static tb_tab_case plain_slippery = {PLAIN, "CliffWalkingSlippery-v1.csv", slips, 1, 48, 4};
static tb_tab_case trace = {PLAIN, "CliffWalking-v1.trace.csv", NULL, 0, 48, 4};

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(tb_test_describe(PLAIN)->max_episode_steps, 0);
    assert_int_equal(tb_test_describe(SLIPPERY)->max_episode_steps, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TB_TAB_TEST(test_model, &plain),          TB_TAB_TEST(test_model, &slippery),
        TB_TAB_TEST(test_model, &plain_slippery), TB_TAB_TEST(test_trace, &trace),
        TB_TAB_TEST(test_returns, &plain),        TB_TAB_TEST(test_returns, &slippery),
        cmocka_unit_test(test_conformance),       cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("CliffWalking", tests, NULL, NULL);
}
