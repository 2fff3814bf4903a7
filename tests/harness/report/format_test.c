/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/report/figure.h"
#include "harness/report/format.h"
#include "harness/report/grid.h"

static void digits_follow_the_uncertainty(void **state)
{
    (void)state;
    assert_int_equal(tb__decimals(45), 0);
    assert_int_equal(tb__decimals(1234), 0);
    assert_int_equal(tb__decimals(4.5), 1);
    assert_int_equal(tb__decimals(1), 1);
    assert_int_equal(tb__decimals(0.99), 2);
    assert_int_equal(tb__decimals(0.032), 3);
    assert_int_equal(tb__decimals(1e-30), 6);
    assert_int_equal(tb__decimals(0), -1);
    assert_int_equal(tb__decimals(NAN), -1);
    assert_int_equal(tb__decimals(INFINITY), -1);
}

static void number_is(double value, int decimals, const char *expected)
{
    char text[TB__NUMBER_SIZE];
    tb__format_number(text, value, decimals);
    assert_string_equal(text, expected);
}

static void numbers(void **state)
{
    (void)state;
    number_is(489.26, 1, "489.3");
    number_is(489.26, 0, "489");
    number_is(-0.04, 1, "0.0"); // not -0.0
    number_is(-0.0, -1, "0");
    number_is(0.1 + 0.2, -1, "0.3");
    number_is(-123456789, 2, "-1.235e+08");
    number_is(NAN, 1, "nan");
    number_is(-NAN, 1, "nan");
    number_is(-INFINITY, 1, "-inf");
    number_is(1.7976931348623157e308, 6, "1.798e+308");
}

static void steps_and_counts(void **state)
{
    (void)state;
    const double steps[] = {0, 500, 2500, 100000, 1000000, 1250000};
    const char *const expected[] = {"0", "500", "2.5k", "100k", "1M", "1.25M"};
    char text[TB__NUMBER_SIZE];
    for (size_t i = 0; i < 6; i++) {
        tb__format_steps(text, steps[i]);
        assert_string_equal(text, expected[i]);
    }
    const int64_t counts[] = {7, 999, 1000, 50000, 1234567};
    const char *const grouped[] = {"7", "999", "1,000", "50,000", "1,234,567"};
    for (size_t i = 0; i < 5; i++) {
        tb__format_count(text, counts[i]);
        assert_string_equal(text, grouped[i]);
    }
}

static void puts_as(void (*put)(FILE *, const char *), const char *text, const char *expected)
{
    char *written = NULL;
    size_t size;
    FILE *out = open_memstream(&written, &size);
    put(out, text);
    fclose(out);
    assert_string_equal(written, expected);
    free(written);
}

static void words_are_escaped(void **state)
{
    (void)state;
    puts_as(tb__put_csv, "plain", "plain");
    puts_as(tb__put_csv, "a,\"b\"\nc", "\"a,\"\"b\"\" c\"");
    puts_as(tb__put_markdown, "a|b*c`d<e\\f\ng_h", "a\\|b\\*c\\`d\\<e\\\\f g_h");
    puts_as(tb__put_latex, "50%_of #1 & $x {y} ~z^ \\q",
            "50\\%\\_of \\#1 \\& \\$x \\{y\\} \\textasciitilde{}z\\textasciicircum{} "
            "\\textbackslash{}q");
    puts_as(tb__put_latex, "a<b>c|d\"e",
            "a\\textless{}b\\textgreater{}c\\textbar{}d\\textquotedbl{}e");
    puts_as(tb__put_gnuplot, "it's `a` \"b\" \\n\n_{x}", "'it''s `a` \"b\" \\n _{x}'");
}

static void tables_line_up(void **state)
{
    (void)state;
    static const tb__grid_column columns[] = {{"Name", 0}, {"Value", 1}};
    tb__grid grid;
    tb__grid_init(&grid, columns, 2);
    const char *const cells[] = {"a_b", "-1", "a_b", "10.5", "\xC3\xA4|", "-"};
    for (size_t i = 0; i < 6; i++)
        tb__grid_add(&grid, cells[i]);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    tb__grid_markdown(&grid, out);
    tb__grid_latex(&grid, out);
    fclose(out);
    assert_string_equal(text,
                        "| Name | Value |\n"
                        "| ---- |------:|\n"
                        "| a_b  |    -1 |\n"
                        "| a_b  |  10.5 |\n"
                        "| \xC3\xA4\\|  |     - |\n"
                        "\\begin{tabular}{@{}lr@{}}\n\\toprule\nName & Value \\\\\n\\midrule\n"
                        "a\\_b & $-$1 \\\\\n"
                        " & 10.5 \\\\\n"
                        "\\addlinespace\n"
                        "\xC3\xA4\\textbar{} & - \\\\\n"
                        "\\bottomrule\n\\end{tabular}\n");
    assert_false(grid.failed);
    free(text);
    tb__grid_finish(&grid);
}

static void steps_between_tics_are_round(void **state)
{
    (void)state;
    assert_true(tb__nice_step(100000, 4) == 25000);
    assert_true(tb__nice_step(50000, 4) == 20000);
    assert_true(tb__nice_step(50000, 2) == 25000);
    assert_true(tb__nice_step(1e6, 4) == 250000);
    assert_true(tb__nice_step(600, 6) == 100);
    assert_true(tb__nice_step(0.97, 6) == 0.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_follow_the_uncertainty),
        cmocka_unit_test(numbers),
        cmocka_unit_test(steps_and_counts),
        cmocka_unit_test(words_are_escaped),
        cmocka_unit_test(tables_line_up),
        cmocka_unit_test(steps_between_tics_are_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
