/* SPDX-License-Identifier: MIT
 *
 * n independent coins with logits y[n]: p = sigmoid(y) is the probability of 1. 1 - p is always
 * written sigmoid(-y), log p as -softplus(-y): neither cancels nor overflows.
 */
#include "trpo/dist/head.h"
#include "trpo/dist/scalar.h"

// inverse of the cumulative distribution: 0 below 1 - p
static void sample(const tb_head *head, const double *y, const double *u, double *a)
{
    for (size_t i = 0; i < head->n; i++)
        a[i] = u[i] >= tb__sigmoid(-y[i]);
}

static void mode(const tb_head *head, const double *y, double *a)
{
    for (size_t i = 0; i < head->n; i++)
        a[i] = y[i] > 0;
}

static double log_prob(const tb_head *head, const double *y, const double *a)
{
    double sum = 0;
    for (size_t i = 0; i < head->n; i++)
        sum -= tb__softplus(a[i] != 0 ? -y[i] : y[i]);
    return sum;
}

// d log p_a / dy = a - p
static void log_prob_grad(const tb_head *head, const double *y, const double *a, double *dy)
{
    for (size_t i = 0; i < head->n; i++)
        dy[i] = a[i] != 0 ? tb__sigmoid(-y[i]) : -tb__sigmoid(y[i]);
}

/* p d1 + (1 - p) d0 with d1 = log(p / q), d0 = log((1 - p) / (1 - q)), q new. With the step e of
 * the logit, d0 = log(1 + p (e^e - 1)) and d1 = log(1 + (1 - p) (e^-e - 1)). As p e^-d1 + (1 - p)
 * e^-d0 = 1, each term may have e^-d - 1 added: then none is negative, and small steps keep their
 * digits.
 */
static double kl_of_one(double y_old, double y_new)
{
    double p = tb__sigmoid(y_old), p0 = tb__sigmoid(-y_old), e = y_new - y_old;
    if (fabs(e) < 1) {
        double d1 = log1p(p0 * expm1(-e)), d0 = log1p(p * expm1(e));
        return p * (d1 + expm1(-d1)) + p0 * (d0 + expm1(-d0));
    }
    return p * (tb__softplus(-y_new) - tb__softplus(-y_old)) +
           p0 * (tb__softplus(y_new) - tb__softplus(y_old));
}

static double kl(const tb_head *head, const double *y_old, const double *y_new)
{
    double sum = 0;
    for (size_t i = 0; i < head->n; i++)
        sum += kl_of_one(y_old[i], y_new[i]);
    return sum;
}

// d KL / dy_new = q - p
static void kl_grad(const tb_head *head, const double *y_old, const double *y_new, double *dy)
{
    for (size_t i = 0; i < head->n; i++)
        dy[i] = tb__sigmoid(y_new[i]) - tb__sigmoid(y_old[i]);
}

static double entropy(const tb_head *head, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < head->n; i++)
        sum += tb__sigmoid(y[i]) * tb__softplus(-y[i]) + tb__sigmoid(-y[i]) * tb__softplus(y[i]);
    return sum;
}

// d H / dp = log((1 - p) / p) = -y, dp / dy = p (1 - p)
static void entropy_grad(const tb_head *head, const double *y, double *dy)
{
    for (size_t i = 0; i < head->n; i++)
        dy[i] = -y[i] * tb__sigmoid(y[i]) * tb__sigmoid(-y[i]);
}

// M = diag(p (1 - p))
static void fisher(const tb_head *head, const double *y, const double *v, double *mv)
{
    for (size_t i = 0; i < head->n; i++)
        mv[i] = tb__sigmoid(y[i]) * tb__sigmoid(-y[i]) * v[i];
}

const tb_head_api tb_head_bernoulli = {
    "bernoulli", sample,  mode,         log_prob, log_prob_grad, kl,
    kl_grad,     entropy, entropy_grad, fisher,   NULL,
};
