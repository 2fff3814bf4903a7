/* SPDX-License-Identifier: MIT
 *
 * What the core's tests share: cmocka with its headers, comparisons that print both values, random
 * numbers. The little network and the scripted environment are in testing_map.h and testing_env.h.
 */
#ifndef TESTS_TRPO_TESTING_H
#define TESTS_TRPO_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <trpo-bench/rng.h>

#include "tests/harness/stats/assert_near.h"
#include "trpo/base/base.h"
#include "trpo/iteration.h"

/* Passes when `status` is TB_OK; prints the error's message otherwise. */
#define assert_ok(status, error) assert_ok_at(status, error, __FILE__, __LINE__)

static inline void assert_ok_at(tb_status status, const tb_error *error, const char *file, int line)
{
    if (status != TB_OK) {
        print_error("%s: %s\n", tb_status_name(status), error->message);
        _fail(file, line);
    }
}

/* Passes when the message holds `part`. */
#define assert_message(error, part) assert_message_at(error, part, __FILE__, __LINE__)

static inline void assert_message_at(const tb_error *error, const char *part, const char *file,
                                     int line)
{
    if (strstr(error->message, part) == NULL) {
        print_error("\"%s\" is not in the message \"%s\"\n", part, error->message);
        _fail(file, line);
    }
}

/* value within `relative` of expected */
#define assert_close(value, expected, relative)                                                    \
    assert_near(value, expected, (relative)*fabs((double)(expected)))

/* Every column has the same bits: NaN equals NaN, 0 does not equal -0. */
static inline void assert_same_log(const tb_iteration *a, const tb_iteration *b)
{
#define TEST_COLUMN(kind, name, meaning)                                                           \
    if (memcmp(&a->name, &b->name, sizeof a->name) != 0)                                           \
        fail_msg("%s differs: %.17g and %.17g", #name, (double)a->name, (double)b->name);
    TB_ITERATION_COLUMNS(TEST_COLUMN)
#undef TEST_COLUMN
}

static inline tb_rng test_rng(uint64_t n)
{
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{n, 0x7465737473}});
    return rng;
}

/* x [n] uniform in [-scale, scale) */
static inline void test_fill(tb_rng *rng, double *x, size_t n, double scale)
{
    for (size_t i = 0; i < n; i++)
        x[i] = tb_rng_uniform(rng, -scale, scale);
}

#endif
