/* SPDX-License-Identifier: MIT */
#include "trpo/iteration.h"

#include "tests/trpo/testing_docs.h"

static void test_clear(void **state)
{
    (void)state;
    tb_iteration log;
    memset(&log, 0x5a, sizeof log);
    tb_iteration_clear(&log);
#define CHECK_I(name) assert_int_equal(log.name, 0);
#define CHECK_F(name) assert_true(isnan(log.name));
#define CHECK_E(name) assert_int_equal(log.name, TB_UPDATE_NONE);
#define CHECK(kind, name, meaning) CHECK_##kind(name)
    TB_ITERATION_COLUMNS(CHECK)
}

static void test_end_names(void **state)
{
    (void)state;
    for (int i = 0; i < TB_UPDATE_END_COUNT; i++) {
        const char *name = tb_update_end_name((tb_update_end)i);
        assert_non_null(name);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(name, tb_update_end_name((tb_update_end)k));
    }
    assert_string_equal(tb_update_end_name(TB_UPDATE_ACCEPTED), "accepted");
    assert_string_equal(tb_update_end_name(TB_UPDATE_BAD_CURVATURE), "bad_curvature");
}

static void describe_column(test_text *out, const char *name, const char *kind, const char *meaning)
{
    test_print(out, "| `%s` | %s | ", name, kind);
    for (const char *c = meaning; *c != '\0'; c++)
        test_print(out, *c == '|' ? "\\%c" : "%c", *c); // a bar would end the cell
    test_print(out, " |\n");
}

static void test_every_column_is_documented(void **state)
{
    (void)state;
    static test_text text;
    test_print(&text, "| column | kind | meaning |\n|---|---|---|\n");
#define KIND_I "count"
#define KIND_F "number"
#define KIND_E "word"
#define DESCRIBE(kind, name, meaning) describe_column(&text, #name, KIND_##kind, meaning);
    TB_ITERATION_COLUMNS(DESCRIBE)
    test_print(&text, "\n"); // nothing follows
    assert_documented("progress.md", &text);
}

// the words of update_end, in the order of the enum
static void test_every_end_is_documented(void **state)
{
    (void)state;
    static test_text text;
    for (int i = 0; i < TB_UPDATE_END_COUNT; i++) {
        text.n = 0;
        test_print(&text, "\n| `%s` | ", tb_update_end_name((tb_update_end)i));
        assert_documented("progress.md", &text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_end_names),
        cmocka_unit_test(test_every_column_is_documented),
        cmocka_unit_test(test_every_end_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
