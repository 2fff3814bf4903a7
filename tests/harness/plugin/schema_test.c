/* SPDX-License-Identifier: MIT */
#include "harness/plugin/catalog.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static tb_catalog_param params[] = {
    {.key = "gravity", .type = TB_PARAM_F64, .low = 0, .high = INFINITY},
    {.key = "steps", .type = TB_PARAM_I64, .low = 1, .high = 9},
    {.key = "strict", .type = TB_PARAM_BOOL, .low = -INFINITY, .high = INFINITY},
    {.key = "activation", .type = TB_PARAM_STR, .choices = "tanh|relu|identity"},
    {.key = "hidden", .type = TB_PARAM_I64_ARRAY, .low = 1, .high = 4096},
};
static const tb_catalog_entry entry = {.id = "a/B-v1",
                                       .has_schema = 1,
                                       .params = params,
                                       .n_params = sizeof params / sizeof params[0]};

static void check(const char *json, const char *expected_key, const char *expected)
{
    json_t *object = json_loads(json, 0, NULL);
    const char *bad_key = NULL;
    tb_error error = {0};
    assert_non_null(object);
    tb_status status = tb_catalog_check_params(&entry, object, &bad_key, &error);
    assert_int_equal(status, expected == NULL ? TB_OK : TB_E_PARAM);
    if (expected != NULL) {
        assert_string_equal(bad_key, expected_key);
        assert_string_equal(error.message, expected);
    }
    json_decref(object);
}

static void good_tables_pass(void **state)
{
    (void)state;
    check("{}", NULL, NULL);
    check("{\"gravity\": 9.8, \"steps\": 9, \"strict\": true, \"activation\": \"identity\", "
          "\"hidden\": [64, 1]}",
          NULL, NULL);
    check("{\"gravity\": 0, \"hidden\": []}", NULL, NULL);
}

static void each_mistake_is_named(void **state)
{
    (void)state;
    check("{\"gravty\": 1}", "gravty",
          "unknown parameter \"gravty\" of a/B-v1; did you mean \"gravity\"?");
    check("{\"gravity\": -1}", "gravity",
          "parameter \"gravity\" of a/B-v1 must be a number, at least 0, not -1");
    check("{\"steps\": 10}", "steps",
          "parameter \"steps\" of a/B-v1 must be an integer from 1 to 9, not 10");
    check("{\"steps\": 2.0}", "steps",
          "parameter \"steps\" of a/B-v1 must be an integer from 1 to 9, not 2.0");
    check("{\"strict\": 1}", "strict",
          "parameter \"strict\" of a/B-v1 must be true or false, not 1");
    check("{\"activation\": \"tan\"}", "activation",
          "parameter \"activation\" of a/B-v1 must be one of tanh|relu|identity, not \"tan\"");
    check("{\"hidden\": 64}", "hidden",
          "parameter \"hidden\" of a/B-v1 must be an array of integers from 1 to 4096, not 64");
    check("{\"hidden\": [64, 0]}", "hidden",
          "parameter \"hidden\" of a/B-v1 must be an array of integers from 1 to 4096, not [64, "
          "0]");
}

static void without_a_schema_nothing_is_checked(void **state)
{
    (void)state;
    tb_catalog_entry other = entry;
    json_t *object = json_loads("{\"anything\": 1}", 0, NULL);
    other.has_schema = 0;
    assert_int_equal(tb_catalog_check_params(&other, object, NULL, NULL), TB_OK);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_tables_pass),
        cmocka_unit_test(each_mistake_is_named),
        cmocka_unit_test(without_a_schema_nothing_is_checked),
    };
    return cmocka_run_group_tests_name("parameter schemas", tests, NULL, NULL);
}
