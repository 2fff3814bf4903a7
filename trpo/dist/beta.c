/* SPDX-License-Identifier: MIT
 *
 * Beta distributions on the bounds of n action dimensions: x = (action - low) / (high - low) ~
 * Beta(alpha, beta), alpha = 1 + softplus(y[i]), beta = 1 + softplus(y[n + i]). Entries are
 * log-odds t = log(x / (1 - x)): x = 1 - 1e-20 has digits there.
 *
 * Legend: s = alpha + beta, psi digamma, psi' trigamma; primes of parameters: new.
 */
#include <math.h>

#include "trpo/dist/head.h"
#include "trpo/dist/scalar.h"
#include "trpo/dist/special.h"

typedef struct shape {
    double alpha, beta;
} shape;

static shape shape_of(const tb_head *head, const double *y, size_t i)
{
    return (shape){1 + tb__softplus(y[i]), 1 + tb__softplus(y[head->n + i])};
}

static void sample(const tb_head *head, const double *y, const double *u, double *a)
{
    for (size_t i = 0; i < head->n; i++) {
        shape s = shape_of(head, y, i);
        int upper;
        double p = tb__tail(u[i], &upper);
        a[i] = upper ? -tb_beta_quantile(s.beta, s.alpha, p) : tb_beta_quantile(s.alpha, s.beta, p);
    }
}

// log softplus(y), also where softplus underflows
static double log_softplus(double y)
{
    return y < -36 ? y : log(tb__softplus(y));
}

// x = (alpha - 1) / (alpha + beta - 2)
static void mode(const tb_head *head, const double *y, double *a)
{
    for (size_t i = 0; i < head->n; i++)
        a[i] = log_softplus(y[i]) - log_softplus(y[head->n + i]);
}

static double log_width(const tb_head *head, size_t i)
{
    return log(head->high[i] - head->low[i]);
}

// (alpha - 1) log x + (beta - 1) log(1 - x) - log B - log(high - low)
static double log_prob(const tb_head *head, const double *y, const double *a)
{
    size_t n = head->n;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        shape s = shape_of(head, y, i);
        sum -= tb__softplus(y[i]) * tb__softplus(-a[i]) +
               tb__softplus(y[n + i]) * tb__softplus(a[i]) + tb_log_beta(s.alpha, s.beta) +
               log_width(head, i);
    }
    return sum;
}

// d/d alpha = log x - psi(alpha) + psi(s), d/d beta = log(1 - x) - psi(beta) + psi(s)
static void log_prob_grad(const tb_head *head, const double *y, const double *a, double *dy)
{
    size_t n = head->n;
    for (size_t i = 0; i < n; i++) {
        shape s = shape_of(head, y, i);
        double both = tb_digamma(s.alpha + s.beta);
        dy[i] = (both - tb_digamma(s.alpha) - tb__softplus(-a[i])) * tb__sigmoid(y[i]);
        dy[n + i] = (both - tb_digamma(s.beta) - tb__softplus(a[i])) * tb__sigmoid(y[n + i]);
    }
}

/* mv = H v, H = diag(psi'(alpha), psi'(beta)) - psi'(s) 11': the Hessian of log B. With psi'(z) =
 * 1/z + r(z) the leading parts are (beta v_a - alpha v_b) (1/alpha, -1/beta) / s, free of
 * cancellation. */
static void hessian(shape p, double va, double vb, double *ma, double *mb)
{
    double s = p.alpha + p.beta, cross = (p.beta * va - p.alpha * vb) / s;
    double r = tb_trigamma_excess(s) * (va + vb);
    *ma = cross / p.alpha + (tb_trigamma_excess(p.alpha) * va - r);
    *mb = -cross / p.beta + (tb_trigamma_excess(p.beta) * vb - r);
}

/* KL is the Bregman divergence of log B: with d = (alpha' - alpha, beta' - beta), KL = integral
 * over x in [0, 1] of (1 - x) d'H(p + x d) d. For steps that leave alpha and beta within a quarter
 * of their values a Gauss-Legendre rule of 6 points has a relative error of 1e-13 and no
 * cancellation. */
static double kl_near(shape p, double da, double db)
{
    static const double node[3] = {0.2386191860831969, 0.6612093864662645, 0.9324695142031521};
    static const double weight[3] = {0.4679139345726910, 0.3607615730481386, 0.1713244923791704};
    double sum = 0;
    for (int k = 0; k < 6; k++) {
        double x = 0.5 * (1 + (k < 3 ? node[k] : -node[k - 3])), ma, mb;
        hessian((shape){p.alpha + x * da, p.beta + x * db}, da, db, &ma, &mb);
        sum += 0.5 * weight[k % 3] * (1 - x) * (da * ma + db * mb);
    }
    return sum;
}

// log B' - log B - d' grad log B
static double kl_far(shape p, shape q)
{
    double da = q.alpha - p.alpha, db = q.beta - p.beta;
    return tb_log_beta(q.alpha, q.beta) - tb_log_beta(p.alpha, p.beta) - da * tb_digamma(p.alpha) -
           db * tb_digamma(p.beta) + (da + db) * tb_digamma(p.alpha + p.beta);
}

static double kl(const tb_head *head, const double *y_old, const double *y_new)
{
    double sum = 0;
    for (size_t i = 0; i < head->n; i++) {
        shape p = shape_of(head, y_old, i), q = shape_of(head, y_new, i);
        double da = q.alpha - p.alpha, db = q.beta - p.beta;
        int near = fabs(da) <= 0.25 * p.alpha && fabs(db) <= 0.25 * p.beta;
        sum += near ? kl_near(p, da, db) : kl_far(p, q);
    }
    return sum;
}

// d KL / d alpha' = psi(alpha') - psi(alpha) - (psi(s') - psi(s)), the same for beta'
static void kl_grad(const tb_head *head, const double *y_old, const double *y_new, double *dy)
{
    size_t n = head->n;
    for (size_t i = 0; i < n; i++) {
        shape p = shape_of(head, y_old, i), q = shape_of(head, y_new, i);
        double both = tb_digamma(q.alpha + q.beta) - tb_digamma(p.alpha + p.beta);
        dy[i] = (tb_digamma(q.alpha) - tb_digamma(p.alpha) - both) * tb__sigmoid(y_new[i]);
        dy[n + i] = (tb_digamma(q.beta) - tb_digamma(p.beta) - both) * tb__sigmoid(y_new[n + i]);
    }
}

// log B - (alpha - 1) psi(alpha) - (beta - 1) psi(beta) + (s - 2) psi(s) + log(high - low)
static double entropy(const tb_head *head, const double *y)
{
    size_t n = head->n;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        shape s = shape_of(head, y, i);
        double both = tb_digamma(s.alpha + s.beta);
        sum += tb_log_beta(s.alpha, s.beta) + tb__softplus(y[i]) * (both - tb_digamma(s.alpha)) +
               tb__softplus(y[n + i]) * (both - tb_digamma(s.beta)) + log_width(head, i);
    }
    return sum;
}

/* d H / d alpha = (s - 2) psi'(s) - (alpha - 1) psi'(alpha), the same for beta. With psi'(z) = 1/z
 * + r(z) the leading parts are 1 - 2/s - 1 + 1/alpha = (beta - alpha) / (alpha s), free of
 * cancellation. */
static void entropy_grad(const tb_head *head, const double *y, double *dy)
{
    size_t n = head->n;
    for (size_t i = 0; i < n; i++) {
        double a = tb__softplus(y[i]), b = tb__softplus(y[n + i]);
        shape p = shape_of(head, y, i);
        double s = p.alpha + p.beta, both = (a + b) * tb_trigamma_excess(s);
        dy[i] = ((p.beta - p.alpha) / (p.alpha * s) + both - a * tb_trigamma_excess(p.alpha)) *
                tb__sigmoid(y[i]);
        dy[n + i] = ((p.alpha - p.beta) / (p.beta * s) + both - b * tb_trigamma_excess(p.beta)) *
                    tb__sigmoid(y[n + i]);
    }
}

// M = S H S with S = diag(sigmoid(y)), the derivatives of alpha and beta
static void fisher(const tb_head *head, const double *y, const double *v, double *mv)
{
    size_t n = head->n;
    for (size_t i = 0; i < n; i++) {
        double sa = tb__sigmoid(y[i]), sb = tb__sigmoid(y[n + i]), ma, mb;
        hessian(shape_of(head, y, i), sa * v[i], sb * v[n + i], &ma, &mb);
        mv[i] = sa * ma;
        mv[n + i] = sb * mb;
    }
}

static double to_env(const tb_head *head, size_t i, double a)
{
    double low = head->low[i], high = head->high[i];
    // rounding may pass the upper bound
    return fmin(low + (high - low) * tb__sigmoid(a), high);
}

const tb_head_api tb_head_beta = {
    "beta",  sample,  mode,         log_prob, log_prob_grad, kl,
    kl_grad, entropy, entropy_grad, fisher,   to_env,
};
