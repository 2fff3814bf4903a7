/* SPDX-License-Identifier: MIT
 *
 * Reference values: point values of tables A to D with the field's Python implementation of Agarwal
 * et al. 2021; those of E by listing all 3^6 resamples.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "harness/stats/bootstrap.h"
#include "harness/stats/sample.h"
#include "tests/harness/stats/assert_near.h"

#define NEAR(value, expected) assert_near(value, expected, 1e-9)

// tables are written as in the papers, runs x tasks, and stored task by task
typedef struct table {
    double values[80];
    size_t start[17];
    tb_scores scores;
} table;

static void fill(table *t, const double *by_run, size_t n_runs, size_t n_tasks)
{
    for (size_t m = 0; m < n_tasks; m++)
        for (size_t n = 0; n < n_runs; n++)
            t->values[m * n_runs + n] = by_run[n * n_tasks + m];
    for (size_t m = 0; m <= n_tasks; m++)
        t->start[m] = m * n_runs;
    t->scores = (tb_scores){t->values, t->start, n_tasks};
}

static const double table_c[] = {.10, .95, -.20, .35, 1.20, .05, .20, .80,
                                 .00, .55, 1.10, .40, .25,  .70, -.05};
static const double table_d[] = {.15, .60, .10, .30, .95, .05, .05, .90, .30, .20, .85, .00};
static const double table_e[] = {.1, .9, .4, .5, .8, 1.3};

static double point(const table *t, tb_statistic statistic)
{
    tb_estimate estimate;
    assert_int_equal(tb_bootstrap_point(&t->scores, statistic, &estimate, NULL), TB_OK);
    assert_true(isnan(estimate.low) && isnan(estimate.high));
    return estimate.point;
}

static void check_points(const double *by_run, size_t n_runs, size_t n_tasks, double mean,
                         double median, double iqm, double gap)
{
    table t;
    fill(&t, by_run, n_runs, n_tasks);
    NEAR(point(&t, tb_scores_mean), mean);
    NEAR(point(&t, tb_scores_median), median);
    NEAR(point(&t, tb_scores_iqm), iqm);
    NEAR(point(&t, tb_scores_optimality_gap), gap);
}

static void points_equal_the_reference(void **state)
{
    (void)state;
    const double x[] = {1, 2, 2, 2, 1, 1, 2, 1}, y[] = {1, 1, 2, 2, 3, 3};
    check_points(x, 4, 2, 1.5, 1.5, 1.5, 0);
    check_points(y, 3, 2, 2, 2, 2, 0);
    double arange[80];
    for (size_t i = 0; i < 80; i++)
        arange[i] = (double)i;
    check_points(arange, 5, 16, 39.5, 39.5, 39.5, 0.0125);
    check_points(table_c, 5, 3, .4266666666666667, .29, .37777777777777777, .5933333333333334);
    check_points(table_d, 4, 3, .37083333333333335, .175, .275, .6291666666666667);
    check_points(table_e, 3, 2, .66666666666666667, .66666666666666667, .65, .38333333333333333);
}

// F(0.5) of the score distribution: another statistic can be plugged in
static double above_half(double *values, const size_t *start, size_t n_tasks)
{
    size_t count = 0;
    for (size_t i = 0; i < start[n_tasks]; i++)
        count += values[i] > 0.5;
    return (double)count / (double)start[n_tasks];
}

static void interval_is(const table *t, tb_statistic statistic, uint64_t seed, size_t resamples,
                        double low, double high)
{
    tb_bootstrap_def def = tb_bootstrap_default();
    def.seed = seed;
    def.resamples = resamples;
    tb_estimate estimate;
    assert_int_equal(tb_bootstrap_interval(&t->scores, statistic, &def, &estimate, NULL), TB_OK);
    NEAR(estimate.low, low);
    NEAR(estimate.high, high);
}

// E's quantiles lie inside flat steps of the exact distribution: any correct bootstrap hits them
static void interval_of_e_is_exact(void **state)
{
    (void)state;
    table t;
    fill(&t, table_e, 3, 2);
    for (uint64_t seed = 0; seed < 6; seed++) {
        interval_is(&t, tb_scores_mean, seed, 20000, .41666666666666667, .91666666666666667);
        interval_is(&t, tb_scores_iqm, seed, 20000, .375, .95);
        interval_is(&t, tb_scores_optimality_gap, seed, 20000, .18333333333333333,
                    .58333333333333333);
        interval_is(&t, above_half, seed, 20000, .16666666666666667, .83333333333333333);
    }
}

static void moments(const table *t, tb_statistic statistic, double mean, double sd)
{
    enum { n = 50000 };
    double *out = tb_alloc(n, sizeof *out);
    tb_bootstrap_def def = tb_bootstrap_default();
    assert_int_equal(def.resamples, n);
    assert_int_equal(tb_bootstrap_resample(&t->scores, statistic, &def, out, NULL), TB_OK);
    // five standard errors of a mean and of a standard deviation
    assert_near(tb_stats_mean(out, n), mean, 5 * sd / sqrt(n));
    assert_near(tb_stats_sd(out, n), sd, 5 * sd / sqrt(2. * n));
    free(out);
}

static void distribution_of_e_has_the_exact_moments(void **state)
{
    (void)state;
    table t;
    fill(&t, table_e, 3, 2);
    moments(&t, tb_scores_mean, .66666666666666667, .1254621088);
    moments(&t, tb_scores_iqm, .6574074074, .1499199604);
    moments(&t, tb_scores_optimality_gap, .38333333333333333, .1036375450);
    moments(&t, above_half, .5, .1924500897);
}

static void in_range(const table *t, tb_statistic statistic, uint64_t seed, double low0,
                     double low1, double high0, double high1)
{
    tb_bootstrap_def def = tb_bootstrap_default();
    def.seed = seed;
    tb_estimate e;
    assert_int_equal(tb_bootstrap_interval(&t->scores, statistic, &def, &e, NULL), TB_OK);
    // the reference gives these to four digits
    const double slack = 5e-5;
    assert_true(e.low >= low0 - slack && e.low <= low1 + slack);
    assert_true(e.high >= high0 - slack && e.high <= high1 + slack);
}

static void intervals_of_c_lie_in_the_reference_ranges(void **state)
{
    (void)state;
    table t;
    fill(&t, table_c, 5, 3);
    for (uint64_t seed = 0; seed < 4; seed++) {
        in_range(&t, tb_scores_median, seed, .170, .170, .430, .430);
        in_range(&t, tb_scores_iqm, seed, .2778, .2833, .4944, .5000);
        in_range(&t, tb_scores_mean, seed, .340, .340, .520, .520);
        in_range(&t, tb_scores_optimality_gap, seed, .510, .510, .670, .6733);
        in_range(&t, above_half, seed, .3333, .3333, .5333, .5333);
    }
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    enum { n = 5000 };
    table t;
    fill(&t, table_c, 5, 3);
    tb_bootstrap_def def = tb_bootstrap_default();
    def.resamples = n;
    def.seed = 7;
    double *one = tb_alloc(n, sizeof *one), *many = tb_alloc(n, sizeof *many);
    const int before = omp_get_max_threads();
    omp_set_num_threads(1);
    assert_int_equal(tb_bootstrap_resample(&t.scores, tb_scores_iqm, &def, one, NULL), TB_OK);
    for (int threads = 2; threads <= 5; threads++) {
        omp_set_num_threads(threads);
        assert_int_equal(tb_bootstrap_resample(&t.scores, tb_scores_iqm, &def, many, NULL), TB_OK);
        assert_memory_equal(one, many, n * sizeof *one);
    }
    omp_set_num_threads(before);
    // more resamples continue the same stream, another seed does not
    def.resamples = 100;
    assert_int_equal(tb_bootstrap_resample(&t.scores, tb_scores_iqm, &def, many, NULL), TB_OK);
    assert_memory_equal(one, many, 100 * sizeof *one);
    def.seed = 8;
    assert_int_equal(tb_bootstrap_resample(&t.scores, tb_scores_iqm, &def, many, NULL), TB_OK);
    assert_memory_not_equal(one, many, 100 * sizeof *one);
    free(one);
    free(many);
}

// the 4-way packing of indices must not skip or repeat runs: every run of every task is drawn
// equally often, whatever the number of runs
static double encode(double *values, const size_t *start, size_t n_tasks)
{
    (void)start;
    (void)n_tasks;
    return values[0] + 10 * values[1] + 100 * values[2] + 1000 * values[3] + 10000 * values[4];
}

static void ragged_tasks_are_drawn_from_their_own_runs(void **state)
{
    (void)state;
    enum { n = 40000 };
    const double values[] = {1, 2, 7, 8, 9};
    const size_t start[] = {0, 2, 5};
    const tb_scores scores = {values, start, 2};
    tb_bootstrap_def def = tb_bootstrap_default();
    def.resamples = n;
    double *out = tb_alloc(n, sizeof *out);
    assert_int_equal(tb_bootstrap_resample(&scores, encode, &def, out, NULL), TB_OK);
    size_t seen[5][10] = {{0}};
    for (size_t b = 0; b < n; b++) {
        size_t code = (size_t)out[b];
        for (size_t i = 0; i < 5; i++, code /= 10)
            seen[i][code % 10]++;
    }
    for (size_t i = 0; i < 5; i++) {
        const size_t first = i < 2 ? 1 : 7, kinds = i < 2 ? 2 : 3;
        size_t total = 0;
        for (size_t k = first; k < first + kinds; k++) {
            // five standard deviations of a binomial count
            double p = 1. / (double)kinds;
            assert_near((double)seen[i][k], n * p, 5 * sqrt(n * p * (1 - p)));
            total += seen[i][k];
        }
        assert_int_equal(total, n);
    }
    free(out);
}

static void mean_weighs_tasks_not_runs(void **state)
{
    (void)state;
    double values[] = {1, 1, 1, 5};
    const size_t start[] = {0, 3, 4};
    NEAR(tb_scores_mean(values, start, 2), 3);
    double again[] = {1, 1, 1, 5};
    NEAR(tb_scores_run_median(again, start, 2), 1);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    table t;
    fill(&t, table_e, 3, 2);
    tb_error error;
    tb_estimate e;
    tb_bootstrap_def def = tb_bootstrap_default();
    def.resamples = 0;
    assert_int_equal(tb_bootstrap_interval(&t.scores, tb_scores_iqm, &def, &e, &error), TB_E_PARAM);
    def = tb_bootstrap_default();
    const double levels[] = {0, 1, -1, NAN};
    for (size_t i = 0; i < 4; i++) {
        def.level = levels[i];
        assert_int_equal(tb_bootstrap_interval(&t.scores, tb_scores_iqm, &def, &e, &error),
                         TB_E_PARAM);
    }
    def = tb_bootstrap_default();
    const size_t with_hole[] = {0, 3, 3, 6};
    const tb_scores hole = {t.values, with_hole, 3};
    assert_int_equal(tb_bootstrap_interval(&hole, tb_scores_iqm, &def, &e, &error), TB_E_PARAM);
    assert_non_null(strstr(error.message, "task 1 has 0 runs"));
    assert_int_equal(tb_bootstrap_point(&hole, tb_scores_mean, &e, &error), TB_OK);
    assert_true(isnan(e.point));
}

static void nan_scores_give_nan_ends(void **state)
{
    (void)state;
    table t;
    fill(&t, table_e, 3, 2);
    t.values[2] = NAN;
    tb_bootstrap_def def = tb_bootstrap_default();
    def.resamples = 1000;
    tb_estimate e;
    assert_int_equal(tb_bootstrap_interval(&t.scores, tb_scores_iqm, &def, &e, NULL), TB_OK);
    assert_true(isnan(e.point) && isnan(e.low) && isnan(e.high));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_equal_the_reference),
        cmocka_unit_test(interval_of_e_is_exact),
        cmocka_unit_test(distribution_of_e_has_the_exact_moments),
        cmocka_unit_test(intervals_of_c_lie_in_the_reference_ranges),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(ragged_tasks_are_drawn_from_their_own_runs),
        cmocka_unit_test(mean_weighs_tasks_not_runs),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(nan_scores_give_nan_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
