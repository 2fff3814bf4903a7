/* SPDX-License-Identifier: MIT */
#include "harness/plugin/params.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct fixture {
    tb_param_reader reader;
    json_t *object;
} fixture;

static fixture *begin(const char *json)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->object = json_loads(json, 0, NULL);
    assert_non_null(f->object);
    assert_int_equal(tb_param_reader_init(&f->reader, f->object, NULL), TB_OK);
    return f;
}

static void end(fixture *f)
{
    tb_param_reader_finish(&f->reader);
    json_decref(f->object);
    free(f);
}

static void absent_keys_leave_the_default(void **state)
{
    (void)state;
    fixture *f = begin("{}");
    const tb_params *p = &f->reader.params;
    int64_t i = 3;
    double x = INFINITY, xs[2] = {1, 2};
    uint32_t b = 1;
    const char *s = "tanh";
    uint64_t n = 2;
    assert_int_equal(p->get_i64(p->ctx, "i", &i), TB_OK);
    assert_int_equal(p->get_f64(p->ctx, "x", &x), TB_OK);
    assert_int_equal(p->get_bool(p->ctx, "b", &b), TB_OK);
    assert_int_equal(p->get_str(p->ctx, "s", &s), TB_OK);
    assert_int_equal(p->get_f64_array(p->ctx, "xs", xs, 2, &n), TB_OK);
    assert_true(i == 3 && isinf(x) && b == 1 && strcmp(s, "tanh") == 0 && n == 2);
    assert_int_equal(tb_param_reader_check(&f->reader, NULL), TB_OK);
    json_t *effective = tb_param_reader_effective(&f->reader);
    char *text = json_dumps(effective, JSON_SORT_KEYS | JSON_COMPACT);
    assert_string_equal(text, "{\"b\":true,\"i\":3,\"s\":\"tanh\",\"x\":\"inf\",\"xs\":[1.0,2.0]}");
    free(text);
    json_decref(effective);
    end(f);
}

static void present_keys_are_read(void **state)
{
    (void)state;
    fixture *f = begin("{\"i\": -4, \"x\": 2, \"b\": false, \"s\": \"relu\", \"xs\": [5, 0.5, 1], "
                       "\"is\": []}");
    const tb_params *p = &f->reader.params;
    int64_t i = 3, is[1] = {1};
    double x = 0, xs[3] = {0};
    uint32_t b = 1;
    const char *s = NULL;
    uint64_t n = 0, n_is = 1;
    assert_int_equal(p->get_i64(p->ctx, "i", &i), TB_OK);
    assert_int_equal(p->get_f64(p->ctx, "x", &x), TB_OK);
    assert_int_equal(p->get_bool(p->ctx, "b", &b), TB_OK);
    assert_int_equal(p->get_str(p->ctx, "s", &s), TB_OK);
    assert_int_equal(p->get_f64_array(p->ctx, "xs", xs, 3, &n), TB_OK);
    assert_int_equal(p->get_i64_array(p->ctx, "is", is, 1, &n_is), TB_OK);
    assert_true(i == -4 && x == 2 && b == 0 && strcmp(s, "relu") == 0);
    assert_true(n == 3 && xs[0] == 5 && xs[1] == 0.5 && xs[2] == 1 && n_is == 0);
    assert_int_equal(tb_param_reader_check(&f->reader, NULL), TB_OK);
    end(f);
}

static void wrong_types_are_refused_and_remembered(void **state)
{
    (void)state;
    fixture *f = begin("{\"i\": 1.5, \"b\": 1, \"xs\": [1, \"a\"], \"is\": [1, 2, 3]}");
    const tb_params *p = &f->reader.params;
    int64_t i = 3, is[2] = {7, 8};
    double xs[2] = {0.25, 0.5};
    uint32_t b = 1;
    uint64_t n = 2, n_is = 2;
    tb_error error = {0};
    assert_int_equal(p->get_i64(p->ctx, "i", &i), TB_E_PARAM);
    assert_int_equal(p->get_bool(p->ctx, "b", &b), TB_E_PARAM);
    assert_int_equal(p->get_f64_array(p->ctx, "xs", xs, 2, &n), TB_E_PARAM);
    assert_int_equal(p->get_i64_array(p->ctx, "is", is, 2, &n_is), TB_E_PARAM);
    // nothing was changed
    assert_true(i == 3 && b == 1 && xs[0] == 0.25 && is[0] == 7 && n_is == 2);
    // the first failure is the message, although the plugin went on
    assert_int_equal(tb_param_reader_check(&f->reader, &error), TB_E_PARAM);
    assert_string_equal(error.message, "\"i\" must be an integer, not 1.5");
    end(f);
}

static void an_array_longer_than_its_buffer_is_refused(void **state)
{
    (void)state;
    fixture *f = begin("{\"xs\": [1, 2, 3]}");
    const tb_params *p = &f->reader.params;
    double xs[3] = {0};
    uint64_t n = 0;
    tb_error error = {0};
    assert_int_equal(p->get_f64_array(p->ctx, "xs", xs, 2, &n), TB_E_PARAM);
    assert_true(xs[0] == 0);
    tb_param_reader_check(&f->reader, &error);
    assert_string_equal(error.message,
                        "\"xs\" must be an array of at most 2 values, not [1, 2, 3]");
    end(f);
}

static void unread_keys_name_the_nearest_read_one(void **state)
{
    (void)state;
    fixture *f = begin("{\"gravty\": 1, \"mass\": 2, \"zzzzzz\": 3}");
    const tb_params *p = &f->reader.params;
    double x = 0;
    tb_error error = {0};
    p->get_f64(p->ctx, "gravity", &x);
    p->get_f64(p->ctx, "mass", &x);
    assert_int_equal(tb_param_reader_check(&f->reader, &error), TB_E_PARAM);
    assert_string_equal(error.message,
                        "unknown parameters \"gravty\" (did you mean \"gravity\"?), \"zzzzzz\"");
    end(f);
}

static void parameters_must_be_a_table(void **state)
{
    (void)state;
    json_t *array = json_array();
    tb_param_reader reader;
    assert_int_equal(tb_param_reader_init(&reader, array, NULL), TB_E_PARAM);
    json_decref(array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_keys_leave_the_default),
        cmocka_unit_test(present_keys_are_read),
        cmocka_unit_test(wrong_types_are_refused_and_remembered),
        cmocka_unit_test(an_array_longer_than_its_buffer_is_refused),
        cmocka_unit_test(unread_keys_name_the_nearest_read_one),
        cmocka_unit_test(parameters_must_be_a_table),
    };
    return cmocka_run_group_tests_name("plugin parameters", tests, NULL, NULL);
}
