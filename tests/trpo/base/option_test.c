/* SPDX-License-Identifier: MIT */
#include "trpo/base/option.h"

#include <math.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

/* what a table describes, with a guard behind each member: a store of the wrong width breaks one */
typedef struct settings {
    int64_t count, guard_count;
    double rate, guard_rate;
    double free_rate;
    double at_least;
    int32_t on, guard_on;
    int32_t mode, guard_mode;
} settings;

static const tb_option table[] = {
    {"count", TB_OPTION_I64, offsetof(settings, count), 5, 1, 100, NULL, "a count"},
    {"rate", TB_OPTION_F64, offsetof(settings, rate), 0.25, 1e-12, 10, NULL, "a rate"},
    {"free_rate", TB_OPTION_F64, offsetof(settings, free_rate), -3, -INFINITY, INFINITY, NULL, "x"},
    {"at_least", TB_OPTION_F64, offsetof(settings, at_least), 2, 0.5, INFINITY, NULL, "y"},
    {"on", TB_OPTION_BOOL, offsetof(settings, on), 1, 0, 1, NULL, "a switch"},
    {"mode", TB_OPTION_ENUM, offsetof(settings, mode), 2, 0, 0, "mean|sum|max", "a choice"},
    {NULL, 0, 0, 0, 0, 0, NULL, NULL},
};

enum { guard = 0x47474747 };

static settings defaults(void)
{
    settings s;
    memset(&s, 0x47, sizeof s);
    tb_options_default(table, &s);
    return s;
}

static void assert_guards(const settings *s)
{
    assert_int_equal(s->guard_count, 0x4747474747474747);
    assert_memory_equal(&s->guard_rate, &s->guard_count, sizeof s->guard_rate);
    assert_int_equal(s->guard_on, guard);
    assert_int_equal(s->guard_mode, guard);
}

static tb_value number(double x)
{
    return (tb_value){.type = TB_VALUE_F64, .f64 = x};
}

static tb_value integer(int64_t i)
{
    return (tb_value){.type = TB_VALUE_I64, .i64 = i};
}

static tb_value boolean(int64_t b)
{
    return (tb_value){.type = TB_VALUE_BOOL, .i64 = b};
}

static tb_value string(const char *text)
{
    return (tb_value){.type = TB_VALUE_STRING, .string = text};
}

static void assert_set(settings *s, const char *key, tb_value value)
{
    tb_error error = {TB_OK, ""};
    tb_status status = tb_option_set(tb_option_find(table, key), s, &value, &error);
    if (status != TB_OK)
        fail_msg("%s was refused: %s", key, error.message);
    assert_guards(s);
}

/* The value is refused with this message, and nothing changes. */
static void assert_refused(const char *key, tb_value value, const char *message)
{
    settings s = defaults(), before = s;
    tb_error error = {TB_OK, ""};
    const tb_option *option = tb_option_find(table, key);
    assert_int_equal(tb_option_set(option, &s, &value, &error), TB_E_PARAM);
    assert_int_equal(error.status, TB_E_PARAM);
    assert_string_equal(error.message, message);
    assert_memory_equal(&s, &before, sizeof s);
    assert_int_equal(tb_option_set(option, &s, &value, NULL), TB_E_PARAM);
}

static void test_defaults(void **state)
{
    (void)state;
    settings s = defaults();
    assert_int_equal(s.count, 5);
    assert_true(s.rate == 0.25);
    assert_true(s.free_rate == -3);
    assert_true(s.at_least == 2);
    assert_int_equal(s.on, 1);
    assert_int_equal(s.mode, 2);
    assert_guards(&s);
}

static void test_find(void **state)
{
    (void)state;
    assert_ptr_equal(tb_option_find(table, "count"), &table[0]);
    assert_ptr_equal(tb_option_find(table, "mode"), &table[5]);
    assert_null(tb_option_find(table, "coun"));
    assert_null(tb_option_find(table, "counts"));
    assert_null(tb_option_find(table, ""));
    assert_null(tb_option_find(&table[6], "count"));
}

static void test_integers(void **state)
{
    (void)state;
    settings s = defaults();
    assert_set(&s, "count", integer(1));
    assert_int_equal(s.count, 1);
    assert_set(&s, "count", integer(100));
    assert_int_equal(s.count, 100);
    assert_refused("count", integer(0), "\"count\" must be an integer from 1 to 100, not 0");
    assert_refused("count", integer(101), "\"count\" must be an integer from 1 to 100, not 101");
    assert_refused("count", number(2), "\"count\" must be an integer, not the number 2");
    assert_refused("count", boolean(1), "\"count\" must be an integer, not the boolean true");
    assert_refused("count", string("7"), "\"count\" must be an integer, not the string \"7\"");
}

static void test_numbers(void **state)
{
    (void)state;
    settings s = defaults();
    assert_set(&s, "rate", number(1e-12));
    assert_true(s.rate == 1e-12);
    assert_set(&s, "rate", number(10));
    assert_true(s.rate == 10);
    // an integer is a number too
    assert_set(&s, "rate", integer(3));
    assert_true(s.rate == 3);
    assert_set(&s, "free_rate", number(-1e300));
    assert_true(s.free_rate == -1e300);
    assert_refused("rate", number(-0.01), "\"rate\" must be a number from 1e-12 to 10, not -0.01");
    assert_refused("rate", number(11), "\"rate\" must be a number from 1e-12 to 10, not 11");
    assert_refused("rate", integer(0), "\"rate\" must be a number from 1e-12 to 10, not 0");
    assert_refused("at_least", number(0.25),
                   "\"at_least\" must be a number of at least 0.5, not 0.25");
    assert_refused("rate", boolean(0), "\"rate\" must be a number, not the boolean false");
    assert_refused("rate", string("fast"), "\"rate\" must be a number, not the string \"fast\"");
}

static void test_numbers_are_finite(void **state)
{
    (void)state;
    assert_refused("free_rate", number(INFINITY), "\"free_rate\" must be finite, not inf");
    assert_refused("free_rate", number(-INFINITY), "\"free_rate\" must be finite, not -inf");
    assert_refused("free_rate", number(copysign(NAN, 1)), "\"free_rate\" must be finite, not nan");
    assert_refused("rate", number(copysign(NAN, 1)),
                   "\"rate\" must be a number from 1e-12 to 10, not nan");
    assert_refused("at_least", number(INFINITY),
                   "\"at_least\" must be a number of at least 0.5, not inf");
}

static void test_switches(void **state)
{
    (void)state;
    settings s = defaults();
    assert_set(&s, "on", boolean(0));
    assert_int_equal(s.on, 0);
    // any true value is stored as 1
    assert_set(&s, "on", boolean(256));
    assert_int_equal(s.on, 1);
    assert_refused("on", integer(1), "\"on\" must be true or false, not the integer 1");
    assert_refused("on", number(0.5), "\"on\" must be true or false, not the number 0.5");
    assert_refused("on", string("yes"), "\"on\" must be true or false, not the string \"yes\"");
}

static void test_choices(void **state)
{
    (void)state;
    static const char *const names[] = {"mean", "sum", "max"};
    settings s = defaults();
    for (int i = 0; i < 3; i++) {
        assert_set(&s, "mode", string(names[i]));
        assert_int_equal(s.mode, i);
    }
    assert_refused("mode", string("median"),
                   "\"mode\" must be one of mean|sum|max, not \"median\"");
    // neither a part of a choice nor the list itself is a choice
    assert_refused("mode", string("me"), "\"mode\" must be one of mean|sum|max, not \"me\"");
    assert_refused("mode", string("mean|sum"),
                   "\"mode\" must be one of mean|sum|max, not \"mean|sum\"");
    assert_refused("mode", string(""), "\"mode\" must be one of mean|sum|max, not \"\"");
    assert_refused("mode", integer(1), "\"mode\" must be a string, not the integer 1");
}

static void test_get_returns_what_was_set(void **state)
{
    (void)state;
    settings s = defaults();
    char buffer[64];
    tb_value value;
    assert_set(&s, "count", integer(42));
    tb_option_get(tb_option_find(table, "count"), &s, &value, buffer);
    assert_int_equal(value.type, TB_VALUE_I64);
    assert_int_equal(value.i64, 42);
    assert_set(&s, "rate", number(0.1));
    tb_option_get(tb_option_find(table, "rate"), &s, &value, buffer);
    assert_int_equal(value.type, TB_VALUE_F64);
    assert_true(value.f64 == 0.1);
    tb_option_get(tb_option_find(table, "on"), &s, &value, buffer);
    assert_int_equal(value.type, TB_VALUE_BOOL);
    assert_int_equal(value.i64, 1);
    tb_option_get(tb_option_find(table, "mode"), &s, &value, buffer);
    assert_int_equal(value.type, TB_VALUE_STRING);
    assert_ptr_equal(value.string, buffer);
    assert_string_equal(buffer, "max");
    assert_set(&s, "mode", string("sum"));
    tb_option_get(tb_option_find(table, "mode"), &s, &value, buffer);
    assert_string_equal(value.string, "sum");
}

static void test_choice(void **state)
{
    (void)state;
    const tb_option *mode = tb_option_find(table, "mode");
    char out[64];
    assert_int_equal(tb_option_choice(mode, 0, out), 1);
    assert_string_equal(out, "mean");
    assert_int_equal(tb_option_choice(mode, 2, out), 1);
    assert_string_equal(out, "max");
    assert_int_equal(tb_option_choice(mode, 3, out), 0);
    assert_int_equal(tb_option_choice(mode, 100, out), 0);
    // an option without choices has none
    assert_int_equal(tb_option_choice(tb_option_find(table, "rate"), 0, out), 0);
    const tb_option one = {.key = "one", .type = TB_OPTION_ENUM, .choices = "only"};
    assert_int_equal(tb_option_choice(&one, 0, out), 1);
    assert_string_equal(out, "only");
    assert_int_equal(tb_option_choice(&one, 1, out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_are_finite),
        cmocka_unit_test(test_switches),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_get_returns_what_was_set),
        cmocka_unit_test(test_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
