/* SPDX-License-Identifier: MIT
 *
 * assert_near(value, expected, tolerance): cmocka's own float assertion rounds to float.
 */
#ifndef TESTS_HARNESS_STATS_ASSERT_NEAR_H
#define TESTS_HARNESS_STATS_ASSERT_NEAR_H

#include <math.h>

#define assert_near(value, expected, tolerance)                                                    \
    assert_near_at(value, expected, tolerance, #value, __FILE__, __LINE__)

static inline void assert_near_at(double value, double expected, double tolerance, const char *what,
                                  const char *file, int line)
{
    if (!(fabs(value - expected) <= tolerance)) {
        print_error("%s is %.17g, expected %.17g +- %g\n", what, value, expected, tolerance);
        _fail(file, line);
    }
}

#endif
