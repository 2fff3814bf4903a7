/* SPDX-License-Identifier: MIT
 *
 * State from one part to another of its kind, by way of an image.
 */
#ifndef TESTS_TRPO_TESTING_IMAGE_H
#define TESTS_TRPO_TESTING_IMAGE_H

#include "tests/trpo/testing.h"
#include "trpo/base/state.h"

typedef void (*test_visit)(void *part, tb_state_visitor *visitor);

/* `to` becomes what `from` is; both were made alike. */
static inline void test_copy_state(test_visit visit, void *from, void *to)
{
    tb_error error = {0};
    size_t size = 0;
    tb_state_image image;
    tb_state_visitor visitor = tb_state_counter(&size);
    visit(from, &visitor);
    assert_ok(tb_state_image_init(&image, size, &error), &error);
    visitor = tb_state_saver(&image);
    visit(from, &visitor);
    assert_int_equal(visitor.status, TB_OK);
    assert_int_equal(image.at, size);
    visitor = tb_state_loader(&image);
    visit(to, &visitor);
    assert_int_equal(visitor.status, TB_OK);
    tb_state_image_finish(&image);
}

#endif
