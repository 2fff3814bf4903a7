/* SPDX-License-Identifier: MIT */
#include "trpo/theory/penalty.h"

#include <math.h>
#include <string.h>

// largest u max c: beyond, 1 - x would be rounding
#define X_MAX (1 - 1e-15)
// what is possible stays possible: KL(p || q) is infinite at q = 0
#define LEAST_PROBABILITY 1e-300
enum { MOST_TRIALS = 200 };

// one state at one u
typedef struct row_at {
    double z_less_1; // Z - 1 = sum p x^2 / (1 - x)
    double kl;
    double kl_slope; // d KL / d log u
} row_at;

static row_at measure(const double *p, const double *c, size_t n, double u)
{
    // dKL/du = (sum p (x / (1 - x))^2 - (Z - 1)^2) / (Z u)
    double kl = 0, square = 0, z1 = 0;
    for (size_t a = 0; a < n; a++) {
        if (p[a] == 0)
            continue;
        double x = u * c[a], y = x / (1 - x);
        z1 += p[a] * x * y;
        square += p[a] * y * y;
        // sum p x = 0: adding it leaves only terms of second order
        kl += p[a] * (log1p(-x) + x);
    }
    return (row_at){z1, log1p(z1) + kl, (square - z1 * z1) / (1 + z1)};
}

// u below `high` at which the divergence is delta: Newton's method on log KL by log u, kept in a
// bracket
static double find_u(const double *p, const double *c, size_t n, double u, double high,
                     double delta)
{
    double low = 0;
    if (measure(p, c, n, high).kl <= delta)
        return high;
    u = fmin(u, 0.5 * high);
    for (int i = 0; i < MOST_TRIALS; i++) {
        row_at at = measure(p, c, n, u);
        if (fabs(at.kl - delta) <= 1e-13 * delta)
            break;
        *(at.kl < delta ? &low : &high) = u;
        double next = u * exp(log(delta / at.kl) * at.kl / at.kl_slope);
        // also when it is NaN
        if (!(next > low && next < high))
            next = 0.5 * (low + high);
        if (next == u || next <= low || next >= high)
            break;
        u = next;
    }
    return u;
}

// c_a = sum_b p_b (A_a - A_b): unlike A_a - sum p A it keeps its digits when one p is nearly 1.
// Returns sum p c^2; *largest = max c where p > 0
static double centre(const double *p, const double *advantage, size_t n, double *c, double *largest)
{
    double variance = 0;
    *largest = 0;
    for (size_t a = 0; a < n; a++) {
        c[a] = 0;
        for (size_t b = 0; b < n; b++)
            c[a] += p[b] * (advantage[a] - advantage[b]);
        variance += p[a] * c[a] * c[a];
        if (p[a] > 0)
            *largest = fmax(*largest, c[a]);
    }
    return variance;
}

double tb_penalty_row(const double *p, const double *advantage, size_t n, double delta, double *q)
{
    double *c = q, largest, variance = centre(p, advantage, n, c, &largest);
    if (!(variance > 0) || !(largest > 0)) {
        memcpy(q, p, n * sizeof *q);
        return 0;
    }
    // KL = u^2 variance / 2 for small u
    double u = find_u(p, c, n, sqrt(2 * delta / variance), X_MAX / largest, delta);
    double z = 1 + measure(p, c, n, u).z_less_1, sum = 0;
    for (size_t a = 0; a < n; a++) {
        q[a] = p[a] == 0 ? 0 : fmax(p[a] / ((1 - u * c[a]) * z), fmin(p[a], LEAST_PROBABILITY));
        sum += q[a];
    }
    // p and Z add up to 1 but for rounding
    for (size_t a = 0; a < n; a++)
        q[a] /= sum;
    return 1 / (u * z);
}

// sum_s rho(s) lambda_s(delta), and the policy
static double slope(const tb_exact *at, double delta, double *pi_new)
{
    size_t n = at->mdp->n_actions;
    double sum = 0;
    for (size_t s = 0; s < at->mdp->n_states; s++) {
        const double *p = at->pi + s * n;
        if (at->rho[s] > 0)
            sum += at->rho[s] * tb_penalty_row(p, at->advantage + s * n, n, delta, pi_new + s * n);
        else
            memcpy(pi_new + s * n, p, n * sizeof *p);
    }
    return sum;
}

static double greedy_where_visited(const tb_exact *at, double *pi_new)
{
    size_t n = at->mdp->n_actions;
    tb_greedy_policy(at, pi_new);
    for (size_t s = 0; s < at->mdp->n_states; s++)
        if (!(at->rho[s] > 0))
            memcpy(pi_new + s * n, at->pi + s * n, n * sizeof *pi_new);
    return INFINITY;
}

double tb_penalty_step(const tb_exact *at, double penalty, double *pi_new)
{
    if (penalty == 0)
        return greedy_where_visited(at, pi_new);
    // t = log delta. For small delta the slope is k / sqrt(delta), a line of slope -1/2
    const double least = log(1e-300), most = log(100);
    double low = least, high = most, t = log(1e-4), t_old = NAN, h_old = NAN;
    for (int i = 0; i < MOST_TRIALS; i++) {
        double h = log(slope(at, exp(t), pi_new) / penalty);
        // no visited state has an advantage left
        if (h == -INFINITY)
            return 0;
        *(h > 0 ? &low : &high) = t;
        double next = isnan(t_old) || h == h_old ? t + 2 * h : t - h * (t - t_old) / (h - h_old);
        if (!(next > low && next < high))
            next = fmin(fmax(t + 2 * h, 0.5 * (low + t)), 0.5 * (t + high));
        t_old = t;
        h_old = h;
        if (fabs(next - t) <= 1e-11 || high - low <= 1e-11)
            break;
        t = next;
    }
    return exp(t);
}
