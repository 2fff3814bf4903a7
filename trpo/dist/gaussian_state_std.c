/* SPDX-License-Identifier: MIT
 *
 * Diagonal Gaussian whose log-std comes from the observation too: y = (mean[n], z[n]), log_std = c
 * + 10 tanh(z / 10), c = log_std_init. Everything is the Gaussian head's of one dimension, with the
 * chain rule for z.
 */
#include <math.h>

#include "trpo/dist/head.h"

static const double reach = 10;

static const tb_head one = {.api = &tb_head_gaussian, .n = 1};

// parameters of dimension i for the Gaussian head: (mean, log_std); returns d log_std / dz
static double dimension(const tb_head *head, const double *y, size_t i, double p[2])
{
    double t = tanh(y[head->n + i] / reach);
    p[0] = y[i];
    p[1] = head->log_std_init + reach * t;
    return 1 - t * t;
}

static void sample(const tb_head *head, const double *y, const double *u, double *a)
{
    double p[2];
    for (size_t i = 0; i < head->n; i++) {
        dimension(head, y, i, p);
        one.api->sample(&one, p, u + i, a + i);
    }
}

static void mode(const tb_head *head, const double *y, double *a)
{
    for (size_t i = 0; i < head->n; i++)
        a[i] = y[i];
}

static double log_prob(const tb_head *head, const double *y, const double *a)
{
    double sum = 0, p[2];
    for (size_t i = 0; i < head->n; i++) {
        dimension(head, y, i, p);
        sum += one.api->log_prob(&one, p, a + i);
    }
    return sum;
}

static void log_prob_grad(const tb_head *head, const double *y, const double *a, double *dy)
{
    double p[2], dp[2];
    for (size_t i = 0; i < head->n; i++) {
        double slope = dimension(head, y, i, p);
        one.api->log_prob_grad(&one, p, a + i, dp);
        dy[i] = dp[0];
        dy[head->n + i] = dp[1] * slope;
    }
}

static double kl(const tb_head *head, const double *y_old, const double *y_new)
{
    double sum = 0, p[2], q[2];
    for (size_t i = 0; i < head->n; i++) {
        dimension(head, y_old, i, p);
        dimension(head, y_new, i, q);
        sum += one.api->kl(&one, p, q);
    }
    return sum;
}

static void kl_grad(const tb_head *head, const double *y_old, const double *y_new, double *dy)
{
    double p[2], q[2], dq[2];
    for (size_t i = 0; i < head->n; i++) {
        dimension(head, y_old, i, p);
        double slope = dimension(head, y_new, i, q);
        one.api->kl_grad(&one, p, q, dq);
        dy[i] = dq[0];
        dy[head->n + i] = dq[1] * slope;
    }
}

static double entropy(const tb_head *head, const double *y)
{
    double sum = 0, p[2];
    for (size_t i = 0; i < head->n; i++) {
        dimension(head, y, i, p);
        sum += one.api->entropy(&one, p);
    }
    return sum;
}

static void entropy_grad(const tb_head *head, const double *y, double *dy)
{
    double p[2], dp[2];
    for (size_t i = 0; i < head->n; i++) {
        double slope = dimension(head, y, i, p);
        one.api->entropy_grad(&one, p, dp);
        dy[i] = dp[0];
        dy[head->n + i] = dp[1] * slope;
    }
}

// M = S' M_gaussian S with S = diag(1, d log_std / dz): the KL's gradient is 0 at equality, so the
// curvature of tanh adds nothing
static void fisher(const tb_head *head, const double *y, const double *v, double *mv)
{
    double p[2], mp[2];
    for (size_t i = 0; i < head->n; i++) {
        double slope = dimension(head, y, i, p);
        const double vp[2] = {v[i], v[head->n + i] * slope};
        one.api->fisher(&one, p, vp, mp);
        mv[i] = mp[0];
        mv[head->n + i] = mp[1] * slope;
    }
}

const tb_head_api tb_head_gaussian_state_std = {
    "gaussian-state-std", sample, mode, log_prob, log_prob_grad, kl, kl_grad, entropy,
    entropy_grad,         fisher, NULL,
};
