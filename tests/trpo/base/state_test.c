/* SPDX-License-Identifier: MIT */
#include "trpo/base/state.h"

#include <math.h>

#include "tests/trpo/testing_image.h"

typedef struct part {
    double numbers[3];
    uint8_t byte;
    int64_t count;
} part;

static void visit(void *of, tb_state_visitor *visitor)
{
    part *p = of;
    tb_state_visit(visitor, "part", "numbers", p->numbers, sizeof p->numbers);
    tb_state_visit(visitor, "part", "byte", &p->byte, sizeof p->byte);
    tb_state_visit(visitor, "part", "count", &p->count, sizeof p->count);
}

static void test_image(void **state)
{
    (void)state;
    part a = {{1, NAN, -0.0}, 200, -5}, b = {{9, 9, 9}, 9, 9};
    test_copy_state(visit, &a, &b);
    assert_memory_equal(a.numbers, b.numbers, sizeof a.numbers);
    assert_true(b.byte == 200 && b.count == -5);
    size_t size = 0;
    tb_state_visitor counter = tb_state_counter(&size);
    visit(&a, &counter);
    assert_int_equal(size, 3 * 8 + 1 + 8);
}

// an image is what the part was, however the part goes on; it can be loaded again and again
static void test_image_is_a_copy(void **state)
{
    (void)state;
    part a = {{1, 2, 3}, 4, 5};
    tb_error error = {0};
    tb_state_image image;
    assert_ok(tb_state_image_init(&image, 33, &error), &error);
    for (int again = 0; again < 2; again++) {
        tb_state_visitor saver = tb_state_saver(&image);
        if (again == 0)
            visit(&a, &saver);
        a.numbers[1] = a.byte = 0;
        a.count = 7;
        tb_state_visitor loader = tb_state_loader(&image);
        visit(&a, &loader);
        assert_true(a.numbers[1] == 2 && a.byte == 4 && a.count == 5);
    }
    tb_state_image_finish(&image);
}

static tb_status refuse_byte(void *ctx, const char *part_name, const char *name, void *data,
                             size_t bytes, tb_error *error)
{
    (void)data;
    int *calls = ctx;
    assert_string_equal(part_name, "part");
    ++*calls;
    return bytes == 1 ? tb_fail(error, TB_E_CORRUPT, "%s has another size", name) : TB_OK;
}

static void test_the_first_failure_stays(void **state)
{
    (void)state;
    part a = {{0}, 0, 0};
    tb_error error = {0};
    int calls = 0;
    tb_state_visitor visitor = {.fn = refuse_byte, .ctx = &calls, .error = &error};
    visit(&a, &visitor);
    assert_int_equal(visitor.status, TB_E_CORRUPT);
    assert_int_equal(calls, 2); // not the third
    assert_message(&error, "byte has another size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_image_is_a_copy),
        cmocka_unit_test(test_the_first_failure_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
