/* SPDX-License-Identifier: MIT */
#include "tests/policy_plugin_testing.h"

static void library_and_schema(void **state)
{
    (void)state;
    check_library("mlp");
    check_schema("mlp");
}

static void properties(void **state)
{
    (void)state;
    const test_option odd[] = {ARRAY("hidden", 3, 33, 1, 70), OPTION_END};
    const test_option none[] = {ARRAY("hidden", 0, 0), OPTION_END};
    const test_option relu[] = {ARRAY("hidden", 2, 16, 24), STRING("activation", "relu"),
                                OPTION_END};
    check_map("mlp", 4, 2, 0, NULL, 1);
    check_map("mlp", 17, 12, 6, NULL, 1);
    check_map("mlp", 5, 3, 1, odd, 1);
    check_map("mlp", 3, 1, 0, none, 1);
    check_map("mlp", 11, 6, 3, relu, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(library_and_schema),
        cmocka_unit_test(properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
