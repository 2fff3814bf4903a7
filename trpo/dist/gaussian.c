/* SPDX-License-Identifier: MIT
 *
 * Diagonal Gaussian over n action dimensions: y = (mean[n], log_std[n]), s = exp(log_std).
 */
#include <math.h>

#include "trpo/dist/head.h"
#include "trpo/dist/scalar.h"

static const double half_log_2pi = 0.91893853320467274178;

static void sample(const tb_head *head, const double *y, const double *u, double *a)
{
    size_t n = head->n;
    for (size_t i = 0; i < n; i++)
        a[i] = y[i] + exp(y[n + i]) * tb_normal_of_uniform(u[i]);
}

static void mode(const tb_head *head, const double *y, double *a)
{
    for (size_t i = 0; i < head->n; i++)
        a[i] = y[i];
}

static double log_prob(const tb_head *head, const double *y, const double *a)
{
    size_t n = head->n;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double z = (a[i] - y[i]) * exp(-y[n + i]);
        sum += -0.5 * z * z - y[n + i] - half_log_2pi;
    }
    return sum;
}

// z = (a - mean) / s: d/d mean = z / s, d/d log_std = z^2 - 1
static void log_prob_grad(const tb_head *head, const double *y, const double *a, double *dy)
{
    size_t n = head->n;
    for (size_t i = 0; i < n; i++) {
        double inv_s = exp(-y[n + i]);
        double z = (a[i] - y[i]) * inv_s;
        dy[i] = z * inv_s;
        dy[n + i] = z * z - 1;
    }
}

// sum_i log(s_new / s_old) + (s_old^2 + (m_old - m_new)^2) / (2 s_new^2) - 1/2
static double kl(const tb_head *head, const double *y_old, const double *y_new)
{
    size_t n = head->n;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = y_new[n + i] - y_old[n + i];
        double z = (y_old[i] - y_new[i]) * exp(-y_new[n + i]);
        // expm1 keeps the small differences that a trust region lives on
        sum += d + 0.5 * (expm1(-2 * d) + z * z);
    }
    return sum;
}

static void kl_grad(const tb_head *head, const double *y_old, const double *y_new, double *dy)
{
    size_t n = head->n;
    for (size_t i = 0; i < n; i++) {
        double d = y_new[n + i] - y_old[n + i];
        double inv_s = exp(-y_new[n + i]);
        double z = (y_new[i] - y_old[i]) * inv_s;
        dy[i] = z * inv_s;
        dy[n + i] = -expm1(-2 * d) - z * z;
    }
}

static double entropy(const tb_head *head, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < head->n; i++)
        sum += y[head->n + i] + half_log_2pi + 0.5;
    return sum;
}

// 0 on the means, 1 on the log-stds
static void entropy_grad(const tb_head *head, const double *y, double *dy)
{
    (void)y;
    for (size_t i = 0; i < head->n; i++) {
        dy[i] = 0;
        dy[head->n + i] = 1;
    }
}

// M = diag(1 / s^2 on the means, 2 on the log-stds)
static void fisher(const tb_head *head, const double *y, const double *v, double *mv)
{
    size_t n = head->n;
    for (size_t i = 0; i < n; i++) {
        mv[i] = v[i] * exp(-2 * y[n + i]);
        mv[n + i] = 2 * v[n + i];
    }
}

const tb_head_api tb_head_gaussian = {
    "gaussian", sample,  mode,         log_prob, log_prob_grad, kl,
    kl_grad,    entropy, entropy_grad, fisher,   NULL,
};

double tb_normal_of_uniform(double u)
{
    int upper;
    double z = tb_normal_quantile(tb__tail(u, &upper));
    return upper ? -z : z;
}

static double ratio(const double *p, const double *q, double r)
{
    double a = p[7], b = q[7];
    for (int i = 6; i >= 0; i--) {
        a = a * r + p[i];
        b = b * r + q[i];
    }
    return a / b;
}

double tb_normal_quantile(double p)
{
    // rational approximations in three regions: |p - 1/2| <= 0.425, the near tails, the far tails
    static const double a[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                3.3430575583588128105e+4, 2.5090809287301226727e+3};
    static const double b[8] = {1.0,
                                4.2313330701600911252e+1,
                                6.8718700749205790830e+2,
                                5.3941960214247511077e+3,
                                2.1213794301586595867e+4,
                                3.9307895800092710610e+4,
                                2.8729085735721942674e+4,
                                5.2264952788528545610e+3};
    static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                5.76949722146069140550e0,  3.64784832476320460504e0,
                                1.27045825245236838258e0,  2.41780725177450611770e-1,
                                2.27238449892691845833e-2, 7.74545014278341407640e-4};
    static const double d[8] = {1.0,
                                2.05319162663775882187e0,
                                1.67638483018380384940e0,
                                6.89767334985100004550e-1,
                                1.48103976427480074590e-1,
                                1.51986665636164571966e-2,
                                5.47593808499534494600e-4,
                                1.05075007164441684324e-9};
    static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                1.78482653991729133580e0,  2.96560571828504891230e-1,
                                2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                2.71155556874348757815e-5, 2.01033439929228813265e-7};
    static const double f[8] = {1.0,
                                5.99832206555887937690e-1,
                                1.36929880922735805310e-1,
                                1.48753612908506148525e-2,
                                7.86869131145613259100e-4,
                                1.84631831751005468180e-5,
                                1.42151175831644588870e-7,
                                2.04426310338993978564e-15};
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio(a, b, 0.180625 - q * q);
    double r = sqrt(-log(q < 0 ? p : 1 - p));
    double x = r <= 5 ? ratio(c, d, r - 1.6) : ratio(e, f, r - 5);
    return q < 0 ? -x : x;
}
