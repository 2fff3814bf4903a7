/* SPDX-License-Identifier: MIT */
#include "harness/plugin/child.h"

#include <stdio.h>

#include "tests/trpo/testing.h"

static const char *const print_environment[] = {"/usr/bin/env", NULL};

// children know how deep they are
static void test_depth(void **state)
{
    (void)state;
    const char *const given[] = {NULL, "0", "3"}, *const seen[] = {"=1\n", "=1\n", "=4\n"};
    for (size_t i = 0; i < 3; i++) {
        tb_child_result child;
        tb_error error = {0};
        char line[64];
        (void)snprintf(line, sizeof line, "TRPO_BENCH_DEPTH%s", seen[i]);
        unsetenv("TRPO_BENCH_DEPTH");
        if (given[i] != NULL)
            setenv("TRPO_BENCH_DEPTH", given[i], 1);
        assert_ok(tb_child_run(print_environment, 10, &child, &error), &error);
        assert_int_equal(child.end, TB_CHILD_EXITED);
        assert_int_equal(child.code, 0);
        assert_non_null(strstr(child.out, line));
        // everything else is passed on
        assert_non_null(strstr(child.out, "PATH="));
        tb_child_finish(&child);
    }
}

// a program that starts itself for ever stops
static void test_too_deep(void **state)
{
    (void)state;
    tb_child_result child;
    tb_error error = {0};
    setenv("TRPO_BENCH_DEPTH", "4", 1);
    assert_int_equal(tb_child_run(print_environment, 10, &child, &error), TB_E_STATE);
    assert_message(&error, "TRPO_BENCH_PROGRAM");
    unsetenv("TRPO_BENCH_DEPTH");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
