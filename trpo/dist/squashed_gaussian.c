/* SPDX-License-Identifier: MIT
 *
 * Diagonal Gaussian u, squashed into the bounds: action = low + w (tanh(u) + 1) / 2, w = high -
 * low. Entries are u. What does not see the bijection is the Gaussian head's.
 */
#include <math.h>

#include "trpo/dist/head.h"

// deviations of u below this are narrow
static const double narrow = 1.5;

static const double log_2 = 0.69314718055994530942, sqrt_2_pi = 2.50662827463100050242;

static void sample(const tb_head *head, const double *y, const double *u, double *a)
{
    tb_head_gaussian.sample(head, y, u, a);
}

static void mode(const tb_head *head, const double *y, double *a)
{
    tb_head_gaussian.mode(head, y, a);
}

// log(w / 2)
static double log_half_width(const tb_head *head, size_t i)
{
    return log(0.5 * (head->high[i] - head->low[i]));
}

// log cosh(u) = |u| + log(1 + e^(-2|u|)) - log 2. d action / du = w / 2 / cosh(u)^2
static double log_cosh(double u)
{
    return fabs(u) + log1p(exp(-2 * fabs(u))) - log_2;
}

static double log_prob(const tb_head *head, const double *y, const double *a)
{
    double sum = tb_head_gaussian.log_prob(head, y, a);
    for (size_t i = 0; i < head->n; i++)
        sum += 2 * log_cosh(a[i]) - log_half_width(head, i);
    return sum;
}

static void log_prob_grad(const tb_head *head, const double *y, const double *a, double *dy)
{
    tb_head_gaussian.log_prob_grad(head, y, a, dy);
}

static double kl(const tb_head *head, const double *y_old, const double *y_new)
{
    return tb_head_gaussian.kl(head, y_old, y_new);
}

static void kl_grad(const tb_head *head, const double *y_old, const double *y_new, double *dy)
{
    tb_head_gaussian.kl_grad(head, y_old, y_new, dy);
}

/* E log cosh(u), u ~ N(m, s^2), for small s: trapezoids in (u - m) / s. The integrand is analytic
 * but for poles at distance pi/2 of the real line, so the error falls as exp(-pi^2 / (step s)):
 * 2e-10 at s = 1.5. */
static double mean_log_cosh_narrow(double m, double s)
{
    enum { half = 25 }; // up to 7.5 deviations
    const double step = 0.3;
    // weight of point k: exp(-(k step)^2 / 2), by its ratio to the one before
    double weight = 1, ratio = exp(-0.5 * step * step), shrink = ratio * ratio;
    double sum = log_cosh(m);
    for (int k = 1; k <= half; k++) {
        weight *= ratio;
        ratio *= shrink;
        sum += weight * (log_cosh(m + s * step * k) + log_cosh(m - s * step * k));
    }
    return sum * step / sqrt_2_pi;
}

enum { wide_nodes = 12 };
static const double wide_rule[wide_nodes][2] = {
    /* node, weight: see mean_log_cosh_wide */
    {0.06081092754073950978, 0.09877356639877632644},
    {0.3180727067608046594, 0.1520446634599167328},
    {0.7757612902961305116, 0.1072587398925678643},
    {1.437601915274715233, 0.04216062180668211942},
    {2.318812604272929052, 0.009610097875345939879},
    {3.440141540149723859, 0.001283554918733578605},
    {4.827850688814667103, 0.00009814756322130383419},
    {6.519863600265524052, 4.043455328366965123e-6},
    {8.575051244127997767, 8.069059918935109616e-8},
    {11.09202729069803698, 6.494033656120544199e-10},
    {14.26036376648625249, 1.48142756689001098e-12},
    {18.56586079214572351, 3.943309142809939126e-16},
};

/* The same for s >= 1.5, where tanh is a jump on the Gaussian's scale: E |u| in closed form; and
 * log(1 + e^(-2|u|)) is short compared with the Gaussian's density, so a Gauss rule with the former
 * as its weight on [0, inf) (12 nodes; moments k! eta(k + 2) / 2^(k + 1); made with 80 digits by
 * mpmath) integrates the latter: error 2e-10 at s = 1.5. */
static double mean_log_cosh_wide(double m, double s)
{
    double z = m / s, sum = 0;
    for (size_t k = 0; k < wide_nodes; k++) {
        double up = (wide_rule[k][0] - m) / s, down = (wide_rule[k][0] + m) / s;
        sum += wide_rule[k][1] * (exp(-0.5 * up * up) + exp(-0.5 * down * down));
    }
    double mean_abs = s * (2 / sqrt_2_pi) * exp(-0.5 * z * z) + m * erf(z * M_SQRT1_2);
    return mean_abs + sum / (s * sqrt_2_pi) - log_2;
}

// H(action) = H(u) + E log(d action / du)
static double entropy(const tb_head *head, const double *y)
{
    double sum = tb_head_gaussian.entropy(head, y);
    for (size_t i = 0; i < head->n; i++) {
        double s = exp(y[head->n + i]);
        sum += log_half_width(head, i) -
               2 * (s < narrow ? mean_log_cosh_narrow(y[i], s) : mean_log_cosh_wide(y[i], s));
    }
    return sum;
}

/* d/dm = E tanh(u) and d/d log s = E tanh(u) (u - m), by the rule of mean_log_cosh_narrow: tanh has
 * the same poles. */
static void mean_log_cosh_grad_narrow(double m, double s, double *by_mean, double *by_log_std)
{
    enum { half = 25 };
    const double step = 0.3;
    double weight = 1, ratio = exp(-0.5 * step * step), shrink = ratio * ratio;
    double mean = tanh(m), log_std = 0;
    for (int k = 1; k <= half; k++) {
        weight *= ratio;
        ratio *= shrink;
        double z = step * k, up = tanh(m + s * z), down = tanh(m - s * z);
        mean += weight * (up + down);
        log_std += weight * s * z * (up - down);
    }
    *by_mean = mean * step / sqrt_2_pi;
    *by_log_std = log_std * step / sqrt_2_pi;
}

/* The same for s >= 1.5: the derivatives of mean_log_cosh_wide, d E|u| / dm = erf(z / sqrt 2). */
static void mean_log_cosh_grad_wide(double m, double s, double *by_mean, double *by_log_std)
{
    double z = m / s, mean = 0, log_std = 0;
    for (size_t k = 0; k < wide_nodes; k++) {
        double up = (wide_rule[k][0] - m) / s, down = (wide_rule[k][0] + m) / s;
        double f_up = exp(-0.5 * up * up), f_down = exp(-0.5 * down * down);
        mean += wide_rule[k][1] * (up * f_up - down * f_down);
        log_std += wide_rule[k][1] * ((up * up - 1) * f_up + (down * down - 1) * f_down);
    }
    *by_mean = erf(z * M_SQRT1_2) + mean / (s * s * sqrt_2_pi);
    *by_log_std = s * (2 / sqrt_2_pi) * exp(-0.5 * z * z) + log_std / (s * sqrt_2_pi);
}

// d H(action) / d(mean, log_std) = (0, 1) - 2 d E log cosh(u) / d(mean, log_std)
static void entropy_grad(const tb_head *head, const double *y, double *dy)
{
    size_t n = head->n;
    tb_head_gaussian.entropy_grad(head, y, dy);
    for (size_t i = 0; i < n; i++) {
        double s = exp(y[n + i]), by_mean, by_log_std;
        if (s < narrow)
            mean_log_cosh_grad_narrow(y[i], s, &by_mean, &by_log_std);
        else
            mean_log_cosh_grad_wide(y[i], s, &by_mean, &by_log_std);
        dy[i] -= 2 * by_mean;
        dy[n + i] -= 2 * by_log_std;
    }
}

static void fisher(const tb_head *head, const double *y, const double *v, double *mv)
{
    tb_head_gaussian.fisher(head, y, v, mv);
}

static double to_env(const tb_head *head, size_t i, double a)
{
    double low = head->low[i], high = head->high[i];
    // rounding may pass the upper bound
    return fmin(low + (high - low) * (0.5 * (tanh(a) + 1)), high);
}

const tb_head_api tb_head_squashed_gaussian = {
    "squashed-gaussian", sample, mode,   log_prob, log_prob_grad, kl, kl_grad, entropy,
    entropy_grad,        fisher, to_env,
};
