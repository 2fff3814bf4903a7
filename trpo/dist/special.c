/* SPDX-License-Identifier: MIT */
#include "trpo/dist/special.h"

#include <math.h>
#include <stddef.h>

#include "trpo/dist/head.h"
#include "trpo/dist/scalar.h"

// from here on the asymptotic series are exact to rounding
static const double asymptotic = 10;

// c[0] + c[1] x + ... + c[n-1] x^(n-1)
static double polynomial(const double *c, size_t n, double x)
{
    double sum = 0;
    while (n-- > 0)
        sum = sum * x + c[n];
    return sum;
}

// log Gamma(z) - ((z - 1/2) log z - z + log(2 pi) / 2): the remainder of Stirling's formula
static double stirling_remainder(double z)
{
    static const double c[] = {1.0 / 12,   -1.0 / 360,        1.0 / 1260, -1.0 / 1680,
                               1.0 / 1188, -691.0 / 360360.0, 1.0 / 156};
    static const double half_log_2pi = 0.91893853320467274178;
    if (z >= asymptotic)
        return polynomial(c, 7, 1 / (z * z)) / z;
    int sign; // lgamma itself would write a global
    return lgamma_r(z, &sign) - ((z - 0.5) * log(z) - z + half_log_2pi);
}

double tb_digamma(double z)
{
    // psi(z) = log z - 1 / 2z - sum of B_2k / (2k z^2k)
    static const double c[] = {1.0 / 12,  -1.0 / 120,       1.0 / 252, -1.0 / 240,
                               1.0 / 132, -691.0 / 32760.0, 1.0 / 12};
    // psi(z) = psi(z + 1) - 1 / z
    double shift = 0;
    for (; z < asymptotic; z += 1)
        shift += 1 / z;
    double w = 1 / (z * z);
    return log(z) - 0.5 / z - w * polynomial(c, 7, w) - shift;
}

double tb_trigamma_excess(double z)
{
    // psi'(z) = 1 / z + 1 / 2z^2 + sum of B_2k / z^(2k + 1)
    static const double c[] = {1.0 / 6,  -1.0 / 30,       1.0 / 42, -1.0 / 30,
                               5.0 / 66, -691.0 / 2730.0, 7.0 / 6};
    // psi'(z) = psi'(z + 1) + 1 / z^2
    double shift = 0, first = z;
    for (; z < asymptotic; z += 1)
        shift += 1 / (z * z);
    double w = 1 / (z * z);
    double excess = w * (0.5 + polynomial(c, 7, w) / z);
    return z == first ? excess : excess + (1 / z - 1 / first) + shift;
}

// the three Stirling formulas in one: their large parts cancel before anything is rounded
double tb_log_beta(double alpha, double beta)
{
    static const double half_log_2pi = 0.91893853320467274178;
    double s = alpha + beta;
    return half_log_2pi - (alpha - 0.5) * log1p(beta / alpha) - (beta - 0.5) * log1p(alpha / beta) -
           0.5 * log(s) + stirling_remainder(alpha) + stirling_remainder(beta) -
           stirling_remainder(s);
}

/* I_x(a, b) = x^a (1 - x)^b / (a B(a, b)) * f, with the continued fraction f = 1 / (1 + d_1 / (1 +
 * d_2 / ...)) (DLMF 8.17.22), by the modified method of Lentz. Fast for x < (a + 1) / (a + b + 2):
 * some sqrt(max(a, b)) terms at worst. */
static double continued_fraction(double a, double b, double x)
{
    enum { most = 20000 };
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m < most; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double factor = 1;
        for (int k = 0; k < 2; k++) {
            double term = k == 0 ? even : odd;
            d = 1 + term * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + term / c;
            c = fabs(c) < tiny ? tiny : c;
            factor = c * d;
            f *= factor;
        }
        if (!(fabs(factor - 1) > 2e-16)) // or NaN
            break;
    }
    return f;
}

// log_b: log B(alpha, beta). The density of t is x^alpha (1 - x)^beta / B, because dx/dt = x (1 -
// x)
static double log_cdf(double alpha, double beta, double log_b, double t, double *slope)
{
    double log_density = -alpha * tb__softplus(-t) - beta * tb__softplus(t) - log_b;
    double x = tb__sigmoid(t);
    if (x < (alpha + 1) / (alpha + beta + 2)) {
        double f = continued_fraction(alpha, beta, x) / alpha;
        *slope = 1 / f;
        return log_density + log(f);
    }
    // the other tail is the one that converges
    double upper = exp(log_density) * continued_fraction(beta, alpha, tb__sigmoid(-t)) / beta;
    *slope = exp(log_density) / (1 - upper);
    return log1p(-upper);
}

double tb_beta_log_cdf(double alpha, double beta, double t, double *slope)
{
    double unused;
    return log_cdf(alpha, beta, tb_log_beta(alpha, beta), t, slope != NULL ? slope : &unused);
}

/* Newton's method on log P(t) = log p. The density of t is log-concave, so log P is concave and
 * rising: from the left of the root Newton's method rises to it, from the right one step brings it
 * to the left. No bracket is needed. */
double tb_beta_quantile(double alpha, double beta, double p)
{
    double log_b = tb_log_beta(alpha, beta), log_p = log(p);
    // start: the normal distribution with the mean and the variance of t
    double deviation =
        sqrt(tb_trigamma_excess(alpha) + 1 / alpha + tb_trigamma_excess(beta) + 1 / beta);
    double t = tb_digamma(alpha) - tb_digamma(beta) + deviation * tb_normal_quantile(p);
    for (int i = 0; i < 100; i++) {
        double slope, step = (log_p - log_cdf(alpha, beta, log_b, t, &slope)) / slope;
        t += step;
        // the error is of the order of step^2 / deviation by now
        if (!(fabs(step) > 1e-8 * deviation)) // or NaN
            break;
    }
    return t;
}
