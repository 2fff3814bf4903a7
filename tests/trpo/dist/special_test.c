/* SPDX-License-Identifier: MIT */
#include "trpo/dist/special.h"

#include "tests/trpo/testing.h"

/* Reference values with 18 digits and more: mpmath 1.3.0, 60 digits; the quantiles by bisection of
 * the logarithm of its hypergeometric series. */

static void test_digamma_and_trigamma(void **state)
{
    (void)state;
    static const struct {
        double z, digamma, excess;
    } cases[] = {
        {1.0, -0.57721566490153286061, 0.64493406684822643647},
        {1.0000001, -0.57721550040813810031, 0.64493392643686819227},
        {1.4616321449683622, -9.2412655217294275168e-17, 0.28350557366055167257},
        {2.5, 0.70315664064524318723, 0.090357756100234864973},
        {5.75, 1.6597303710679365795, 0.015994368460991898134},
        {9.99999, 2.2517515374028118385, 0.0051663461800514488323},
        {10.0, 2.2517525890667211076, 0.0051663356816857461222},
        {10.5, 2.3030010342976863753, 0.0046788608210314951087},
        {100.25, 4.6026712432747125591, 0.000049916353983715313438},
        {10001.0, 9.2103903711428494036, 4.9991667666563343332e-9},
        {1e8, 18.420680738952365464, 5.0000000166666666667e-17},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_near(tb_digamma(cases[i].z), cases[i].digamma, 4e-15 * (1 + fabs(cases[i].digamma)));
        assert_close(tb_trigamma_excess(cases[i].z), cases[i].excess, 1e-13);
    }
}

// psi(z + 1) = psi(z) + 1/z and 2 psi(2z) = psi(z) + psi(z + 1/2) + 2 log 2, with derivatives
static void test_gamma_identities(void **state)
{
    (void)state;
    for (double z = 1; z < 40; z += 0.173) {
        assert_near(tb_digamma(z + 1) - tb_digamma(z), 1 / z, 1e-14);
        assert_near(2 * tb_digamma(2 * z), tb_digamma(z) + tb_digamma(z + 0.5) + 2 * log(2), 4e-14);
        assert_near(tb_trigamma_excess(z + 1) + 1 / (z + 1),
                    tb_trigamma_excess(z) + 1 / z - 1 / (z * z), 1e-14);
        double h = 1e-3;
        assert_near((tb_digamma(z + 1 + h) - tb_digamma(z + 1 - h)) / (2 * h),
                    tb_trigamma_excess(z + 1) + 1 / (z + 1), 1e-6);
    }
}

static void test_log_beta(void **state)
{
    (void)state;
    static const struct {
        double alpha, beta, log_beta;
    } cases[] = {
        {1.0, 1.0, 0.0},
        {1.0, 7.5, -2.0149030205422647566},
        {1.25, 3.0, -1.5195815833122393275},
        {9.5, 10.5, -13.70992554699846192},
        {2.0, 10000.0, -18.42078073895269878},
        {10000.0, 10000.0, -13866.28325676140964},
        {10001.0, 1.0, -9.2104403669765160444},
        {30000000.0, 2.5, -42.75708704109315315},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double tolerance = 1e-14 * (1 + fabs(cases[i].log_beta));
        assert_near(tb_log_beta(cases[i].alpha, cases[i].beta), cases[i].log_beta, tolerance);
        assert_near(tb_log_beta(cases[i].beta, cases[i].alpha), cases[i].log_beta, tolerance);
    }
    // against the C library, across the border where the series takes over
    for (double a = 1; a < 14; a += 0.37)
        for (double b = 1; b < 14; b += 0.41)
            assert_near(tb_log_beta(a, b),
                        (double)(lgammal((long double)a) + lgammal((long double)b) -
                                 lgammal((long double)a + (long double)b)),
                        3e-14);
}

static const struct {
    double alpha, beta, p, t;
} quantiles[] = {
    {1.0, 1.0, 0x1p-54, -37.4299477502370467},
    {1.0, 1.0, 1e-6, -13.8155095579637741},
    {1.0, 1.0, 0.3, -0.847297860387203667},
    {1.0, 1.0, 0.5, 0},
    {1.6931471805599454, 1.6931471805599454, 0x1p-54, -22.5470630031474589},
    {1.6931471805599454, 1.6931471805599454, 1e-6, -8.59976446744944517},
    {1.6931471805599454, 1.6931471805599454, 0.01, -3.10518025569061083},
    {1.6931471805599454, 1.6931471805599454, 0.3, -0.617419192894764883},
    {1.0, 50.0, 0x1p-54, -41.3419707556651927},
    {1.0, 50.0, 0.01, -8.51207172716270351},
    {1.0, 50.0, 0.5, -4.2715964466668031},
    {50.0, 1.0, 0x1p-54, -0.107989529780192134},
    {50.0, 1.0, 0.01, 2.33843824286974469},
    {50.0, 1.0, 0.3, 3.71433235946402716},
    {50.0, 1.0, 0.5, 4.2715964466668031},
    {3.5, 2.25, 0x1p-54, -11.2051413317491633},
    {3.5, 2.25, 1e-6, -4.44324495765323273},
    {3.5, 2.25, 0.3, 0.0345760868236776546},
    {3.5, 2.25, 0.5, 0.498364746193460826},
    {400.0, 30.0, 0x1p-54, 1.29687061933303129},
    {400.0, 30.0, 1e-6, 1.79692124902154588},
    {400.0, 30.0, 0.3, 2.50229031631068799},
    {400.0, 30.0, 0.5, 2.60058372533808781},
    {10001.0, 10001.0, 0x1p-54, -0.117300896131122777},
    {10001.0, 10001.0, 0.01, -0.0328990352568072614},
    {10001.0, 10001.0, 0.5, 0},
    {10001.0, 1.0, 0x1p-54, 5.58609734710380857},
    {10001.0, 1.0, 0.3, 9.02475341488933757},
    {10001.0, 1.0, 0.5, 9.57691863346439301},
    {1.0, 10001.0, 0x1p-54, -46.6403881172135627},
    {1.0, 10001.0, 0.5, -9.57691863346439301},
    {1.0000001, 2.0, 0x1p-54, -38.1230911684878717},
    {1.0000001, 2.0, 0.3, -1.63358387358500325},

};

static void test_quantile(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        assert_near(tb_beta_quantile(quantiles[i].alpha, quantiles[i].beta, quantiles[i].p),
                    quantiles[i].t, 2e-14 * (1 + fabs(quantiles[i].t)));
}

static void test_log_cdf(void **state)
{
    (void)state;
    static const struct {
        double alpha, beta, t, log_cdf;
    } cases[] = {
        {2.0, 3.0, -800.0, -1598.20824053077194},
        {10001.0, 10001.0, -2.0, -8682.0826108508905},
        {10001.0, 10001.0, 0.05, -0.000203536417871543321},
        {10001.0, 10001.0, -0.05, -8.49976737797571175},
        {5.0, 1.5, 40.0, -7.90138275852693814e-26},
        {5.0, 1.5, -3.0, -14.2672520979480233},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_close(tb_beta_log_cdf(cases[i].alpha, cases[i].beta, cases[i].t, NULL),
                     cases[i].log_cdf, 1e-11);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        assert_near(
            exp(tb_beta_log_cdf(quantiles[i].alpha, quantiles[i].beta, quantiles[i].t, NULL)),
            quantiles[i].p, 2e-12 * quantiles[i].p);
}

// and the slope, on both sides of where the other tail is used
static void test_log_cdf_slope(void **state)
{
    (void)state;
    const double h = 1e-3;
    for (double t = -6; t <= 6; t += 0.25) {
        double at[4], slope;
        for (int i = 0; i < 4; i++)
            at[i] = tb_beta_log_cdf(2.5, 1.75, t + h * (i < 2 ? i - 2 : i - 1), NULL);
        tb_beta_log_cdf(2.5, 1.75, t, &slope);
        assert_near(slope, (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h), 1e-11);
    }
}

// I_x(a, b) + I_(1-x)(b, a) = 1; Beta(a, 1) has the distribution x^a
static void test_cdf_identities(void **state)
{
    (void)state;
    tb_rng rng = test_rng(1);
    for (int i = 0; i < 500; i++) {
        double a = 1 + exp(tb_rng_uniform(&rng, -8, 6)), b = 1 + exp(tb_rng_uniform(&rng, -8, 6));
        double t = log(a / b) + tb_rng_uniform(&rng, -3, 3) / sqrt(fmin(a, b));
        double lower = exp(tb_beta_log_cdf(a, b, t, NULL)),
               upper = exp(tb_beta_log_cdf(b, a, -t, NULL));
        assert_near(lower + upper, 1, 2e-13);
        assert_near(tb_beta_log_cdf(a, 1, t, NULL), -a * log1p(exp(-t)), 1e-13 * (1 + a));
        double p = 0.5 * tb_rng_f64(&rng) + 1e-9;
        assert_close(exp(tb_beta_log_cdf(a, b, tb_beta_quantile(a, b, p), NULL)), p, 1e-12);
    }
}

static void test_nan_comes_back(void **state)
{
    (void)state;
    assert_true(isnan(tb_beta_quantile(NAN, 2, 0.25)));
    assert_true(isnan(tb_beta_log_cdf(2, NAN, 0, NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digamma_and_trigamma),
        cmocka_unit_test(test_gamma_identities),
        cmocka_unit_test(test_log_beta),
        cmocka_unit_test(test_quantile),
        cmocka_unit_test(test_log_cdf),
        cmocka_unit_test(test_log_cdf_slope),
        cmocka_unit_test(test_cdf_identities),
        cmocka_unit_test(test_nan_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
