/* SPDX-License-Identifier: MIT
 *
 * Categorical distribution over n categories given logits y[n]: p = softmax(y).
 */
#include <math.h>

#include "trpo/dist/head.h"

// log sum exp(y), safe for large logits; *max gets the largest logit
static double log_sum_exp(const double *y, size_t n, double *max)
{
    double m = y[0];
    for (size_t i = 1; i < n; i++)
        if (y[i] > m)
            m = y[i];
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += exp(y[i] - m);
    *max = m;
    return m + log(sum);
}

static void sample(const tb_head *head, const double *y, const double *u, double *a)
{
    // inverse of the cumulative distribution
    double max, lse = log_sum_exp(y, head->n, &max);
    double left = u[0];
    size_t last = 0;
    for (size_t i = 0; i < head->n; i++) {
        double p = exp(y[i] - lse);
        if (p > 0)
            last = i;
        left -= p;
        if (left < 0) {
            a[0] = (double)i;
            return;
        }
    }
    // u above the rounded sum of probabilities: the last category that can occur
    a[0] = (double)last;
}

static void mode(const tb_head *head, const double *y, double *a)
{
    size_t best = 0;
    for (size_t i = 1; i < head->n; i++)
        if (y[i] > y[best])
            best = i;
    a[0] = (double)best;
}

static double log_prob(const tb_head *head, const double *y, const double *a)
{
    double max, lse = log_sum_exp(y, head->n, &max);
    return y[(size_t)a[0]] - lse;
}

// d log p_a / dy_i = [i = a] - p_i
static void log_prob_grad(const tb_head *head, const double *y, const double *a, double *dy)
{
    double max, lse = log_sum_exp(y, head->n, &max);
    for (size_t i = 0; i < head->n; i++)
        dy[i] = (i == (size_t)a[0]) - exp(y[i] - lse);
}

// sum_i p_i d_i with d = log p - log q, p old, q new. Written as sum_i (p_i d_i + q_i - p_i), which
// is the same (p and q both sum to 1) but has no negative term, and p_i (d_i + expm1(-d_i)) keeps
// the small differences that a trust region lives on
static double kl(const tb_head *head, const double *y_old, const double *y_new)
{
    double max, lse_old = log_sum_exp(y_old, head->n, &max),
                lse_new = log_sum_exp(y_new, head->n, &max);
    double sum = 0;
    for (size_t i = 0; i < head->n; i++) {
        double log_p = y_old[i] - lse_old, log_q = y_new[i] - lse_new;
        double p = exp(log_p), d = log_p - log_q;
        sum += fabs(d) < 1 ? p * (d + expm1(-d)) : p * d + (exp(log_q) - p);
    }
    return sum;
}

// d KL / dy_new = q - p
static void kl_grad(const tb_head *head, const double *y_old, const double *y_new, double *dy)
{
    double max, lse_old = log_sum_exp(y_old, head->n, &max),
                lse_new = log_sum_exp(y_new, head->n, &max);
    for (size_t i = 0; i < head->n; i++)
        dy[i] = exp(y_new[i] - lse_new) - exp(y_old[i] - lse_old);
}

static double entropy(const tb_head *head, const double *y)
{
    double max, lse = log_sum_exp(y, head->n, &max);
    double sum = 0;
    for (size_t i = 0; i < head->n; i++) {
        double log_p = y[i] - lse;
        sum -= exp(log_p) * log_p;
    }
    return sum;
}

// d H / dy_i = -p_i (log p_i + H): sum_k -(log p_k + 1) dp_k / dy_i with dp_k / dy_i = p_k ([k = i]
// - p_i)
static void entropy_grad(const tb_head *head, const double *y, double *dy)
{
    double max, lse = log_sum_exp(y, head->n, &max), h = entropy(head, y);
    for (size_t i = 0; i < head->n; i++) {
        double log_p = y[i] - lse;
        dy[i] = -exp(log_p) * (log_p + h);
    }
}

// M = diag(p) - p p'
static void fisher(const tb_head *head, const double *y, const double *v, double *mv)
{
    double max, lse = log_sum_exp(y, head->n, &max);
    double mean = 0;
    for (size_t i = 0; i < head->n; i++)
        mean += exp(y[i] - lse) * v[i];
    for (size_t i = 0; i < head->n; i++)
        mv[i] = exp(y[i] - lse) * (v[i] - mean);
}

const tb_head_api tb_head_categorical = {
    "categorical", sample,  mode,         log_prob, log_prob_grad, kl,
    kl_grad,       entropy, entropy_grad, fisher,   NULL,
};
