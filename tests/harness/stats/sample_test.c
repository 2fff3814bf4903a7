/* SPDX-License-Identifier: MIT
 *
 * Reference values: NumPy 1.24 (percentile) and SciPy 1.10 (trim_mean), as documented in
 * docs/report.md.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/stats/sample.h"
#include "tests/harness/stats/assert_near.h"

#define NEAR(value, expected) assert_near(value, expected, 1e-12 * (1 + fabs((double)(expected))))

static void iqm_cuts_whole_values(void **state)
{
    (void)state;
    // the squares 0, 1, 4, ... (n-1)^2: pins k = floor(n / 4) and no fractional weights
    const double expected[] = {0,  .5,   5. / 3, 2.5,      14. / 3, 7.5,
                               11, 13.5, 18,     139. / 6, 29,      199. / 6};
    for (size_t n = 1; n <= 12; n++) {
        double x[12];
        for (size_t i = 0; i < n; i++) // given in falling order: it has to sort
            x[i] = (double)((n - 1 - i) * (n - 1 - i));
        NEAR(tb_stats_iqm(x, n), expected[n - 1]);
    }
}

static void iqm_ignores_infinite_tails_but_never_nan(void **state)
{
    (void)state;
    double tails[] = {3, -INFINITY, 1, 2, INFINITY, 2, 2, 2};
    NEAR(tb_stats_iqm(tails, 8), 2);
    double nan_first[] = {NAN, 1, 2, 3, 4, 5, 6, 7};
    assert_true(isnan(tb_stats_iqm(nan_first, 8)));
    double nan_last[] = {1, 2, 3, 4, 5, 6, 7, NAN};
    assert_true(isnan(tb_stats_iqm(nan_last, 8)));
}

static void percentile_is_linear(void **state)
{
    (void)state;
    const double q[] = {0, 2.5, 25, 40, 50, 97.5, 100};
    const double expected[] = {15, 15.5, 20, 29, 35, 49, 50};
    for (size_t i = 0; i < 7; i++) {
        double x[] = {50, 15, 40, 20, 35};
        NEAR(tb_stats_percentile(x, 5, q[i]), expected[i]);
    }
    double x[] = {1, 2};
    assert_true(isnan(tb_stats_percentile(x, 2, 101)));
    assert_true(isnan(tb_stats_percentile(x, 2, -1)));
    assert_true(isnan(tb_stats_percentile(x, 2, NAN)));
}

static void percentile_of_infinities_is_not_nan(void **state)
{
    (void)state;
    double x[] = {INFINITY, INFINITY, INFINITY};
    assert_true(isinf(tb_stats_percentile(x, 3, 30)));
    double y[] = {-INFINITY, 0, 1};
    assert_true(tb_stats_percentile(y, 3, 10) == -INFINITY);
}

// selection against a full sort, over sizes and kinds of ties
static void percentile_equals_sorted_definition(void **state)
{
    (void)state;
    uint32_t random = 1;
    for (size_t n = 1; n < 400; n += 7) {
        for (uint32_t kinds = 1; kinds <= 1000; kinds *= 10) {
            double x[400] = {0}, sorted[400];
            for (size_t i = 0; i < n; i++) {
                random = random * 1664525u + 1013904223u;
                x[i] = (double)(random >> 8) / 1e4;
                x[i] = kinds < 1000 ? (double)((random >> 8) % kinds) : x[i];
            }
            memcpy(sorted, x, sizeof sorted);
            tb_stats_sort(sorted, n);
            for (size_t i = 1; i < n; i++)
                assert_true(sorted[i - 1] <= sorted[i]);
            for (double q = 0; q <= 100; q += 12.5) {
                double place = q / 100 * (double)(n - 1);
                size_t k = (size_t)place, next = k + 1 < n ? k + 1 : k;
                double expected = sorted[k] + (place - (double)k) * (sorted[next] - sorted[k]);
                NEAR(tb_stats_percentile(x, n, q), expected);
            }
        }
    }
}

static void mean_sd_median(void **state)
{
    (void)state;
    double x[] = {2, 4, 4, 4, 5, 5, 7, 9};
    NEAR(tb_stats_mean(x, 8), 5);
    NEAR(tb_stats_sd(x, 8), sqrt(32. / 7)); // divisor n - 1, not n
    NEAR(tb_stats_median(x, 8), 4.5);
    double odd[] = {9, 1, 5};
    NEAR(tb_stats_median(odd, 3), 5);
    // a large mean must not cancel the spread away
    double shifted[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    assert_near(tb_stats_sd(shifted, 4), sqrt(30), 1e-9);
    double nan[] = {1, NAN, 2};
    assert_true(isnan(tb_stats_mean(nan, 3)));
    assert_true(isnan(tb_stats_sd(nan, 3)));
    assert_true(isnan(tb_stats_median(nan, 3)));
}

static void optimality_gap_caps_at_gamma(void **state)
{
    (void)state;
    const double x[] = {0.5, 2, 1, -1};
    NEAR(tb_stats_optimality_gap(x, 4, 1), 1 - (0.5 + 1 + 1 - 1) / 4);
    NEAR(tb_stats_optimality_gap(x, 4, 2), 2 - 2.5 / 4);
    const double nan[] = {NAN, 2};
    assert_true(isnan(tb_stats_optimality_gap(nan, 2, 1)));
}

static void empty_samples_are_nan(void **state)
{
    (void)state;
    double x[1] = {1};
    assert_true(isnan(tb_stats_mean(x, 0)));
    assert_true(isnan(tb_stats_median(x, 0)));
    assert_true(isnan(tb_stats_iqm(x, 0)));
    assert_true(isnan(tb_stats_percentile(x, 0, 50)));
    assert_true(isnan(tb_stats_optimality_gap(x, 0, 1)));
    assert_true(isnan(tb_stats_sd(x, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iqm_cuts_whole_values),
        cmocka_unit_test(iqm_ignores_infinite_tails_but_never_nan),
        cmocka_unit_test(percentile_is_linear),
        cmocka_unit_test(percentile_of_infinities_is_not_nan),
        cmocka_unit_test(percentile_equals_sorted_definition),
        cmocka_unit_test(mean_sd_median),
        cmocka_unit_test(optimality_gap_caps_at_gamma),
        cmocka_unit_test(empty_samples_are_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
