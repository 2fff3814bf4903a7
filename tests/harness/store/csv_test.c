/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/store/csv.h"

static const char *const wanted[] = {"step", "return"};

// reads `text` as a file; the error message's place is checked without the folder
static tb_status read_as_file(const char *text, size_t size, tb_csv *csv, tb_error *error)
{
    char path[] = "/tmp/trpo-bench-csv-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    close(fd);
    tb_status status = tb_csv_read(path, wanted, 2, csv, error);
    unlink(path);
    return status;
}

static void refused(const char *text, size_t size, const char *place, const char *words)
{
    tb_csv csv;
    tb_error error = {.message = ""};
    assert_int_equal(read_as_file(text, size, &csv, &error), TB_E_CORRUPT);
    assert_null(csv.values);
    const char *at = strstr(error.message, place);
    if (at == NULL || strstr(at, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\" and \"%s\"", error.message, place, words);
}

#define REFUSED(text, place, words) refused(text, sizeof text - 1, place, words)

static void columns_are_found_by_name(void **state)
{
    (void)state;
    const char text[] = "episode,return,note,step\r\n0,-1.5e2,x,10\r\n1,nan,,20\r\n2,inf,y,\r\n";
    tb_csv csv;
    assert_int_equal(read_as_file(text, sizeof text - 1, &csv, NULL), TB_OK);
    assert_int_equal(csv.n_rows, 3);
    assert_int_equal(csv.n_columns, 2);
    assert_true(csv.values[0] == 10 && csv.values[1] == -150);
    assert_true(csv.values[2] == 20 && isnan(csv.values[3]));
    assert_true(isnan(csv.values[4]) && csv.values[5] == INFINITY);
    tb_csv_finish(&csv);
    tb_csv_finish(&csv);
}

static void a_header_alone_has_no_rows(void **state)
{
    (void)state;
    tb_csv csv;
    assert_int_equal(read_as_file("step,return\n", 12, &csv, NULL), TB_OK);
    assert_int_equal(csv.n_rows, 0);
    tb_csv_finish(&csv);
}

static void many_rows(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    fputs("step,return\n", out);
    for (int i = 0; i < 5000; i++)
        fprintf(out, "%d,%.17g\n", i, i / 3.);
    fclose(out);
    tb_csv csv;
    assert_int_equal(read_as_file(text, size, &csv, NULL), TB_OK);
    assert_int_equal(csv.n_rows, 5000);
    for (int i = 0; i < 5000; i++) // to the last bit
        assert_true(csv.values[2 * i] == i && csv.values[2 * i + 1] == i / 3.);
    tb_csv_finish(&csv);
    free(text);
}

static void damage_is_named_with_its_line(void **state)
{
    (void)state;
    REFUSED("", ":1: ", "empty");
    REFUSED("step,reward\n1,2\n", ":1: ", "no column \"return\" in the header \"step,reward\"");
    REFUSED("step,return\n1,2\n3\n", ":3: ", "1 fields, but the header has 2");
    REFUSED("step,return\n1,2,3\n", ":2: ", "3 fields, but the header has 2");
    REFUSED("step,return\n1,2\n\n", ":3: ", "1 fields");
    REFUSED("step,return\n1,2x\n", ":2: ", "\"2x\" in column \"return\" is not a number");
    // 12.34 cut to 12.3 would be a wrong number
    REFUSED("step,return\n1,12.3", ":2: ", "cut off");
    REFUSED("step,return\n1,\0002\n", ":2: ", "NUL");
}

static void a_missing_file_is_an_io_error(void **state)
{
    (void)state;
    tb_csv csv;
    tb_error error;
    assert_int_equal(tb_csv_read("/nonexistent/evals.csv", wanted, 2, &csv, &error), TB_E_IO);
    assert_non_null(strstr(error.message, "/nonexistent/evals.csv: cannot be opened: No such"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(a_header_alone_has_no_rows),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(damage_is_named_with_its_line),
        cmocka_unit_test(a_missing_file_is_an_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
