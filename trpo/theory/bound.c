/* SPDX-License-Identifier: MIT */
#include "trpo/theory/bound.h"

#include <math.h>

#include "trpo/linalg/vec.h"

double tb_total_variation(const double *p, const double *q, size_t n)
{
    double sum = 0;
    for (size_t a = 0; a < n; a++)
        sum += fabs(p[a] - q[a]);
    return 0.5 * sum;
}

// sum p log(p / q) as sum of p log(p / q) - p + q: no term is negative, so near p = q, where the
// divergence is of second order, nothing of first order cancels between terms
double tb_kl_divergence(const double *p, const double *q, size_t n)
{
    double sum = 0;
    for (size_t a = 0; a < n; a++) {
        if (p[a] == 0) {
            sum += q[a];
            continue;
        }
        if (q[a] == 0)
            return INFINITY;
        double x = (q[a] - p[a]) / p[a];
        // x - log(1 + x) loses its digits for small x: there its series, elsewhere 1 + x = q / p
        double term =
            fabs(x) < 1e-3
                ? x * x * (1.0 / 2 - x * (1.0 / 3 - x * (1.0 / 4 - x * (1.0 / 5 - x / 6))))
                : x - log(q[a] / p[a]);
        sum += p[a] * term;
    }
    return sum;
}

double tb_bound_penalty(const tb_exact *old)
{
    double gamma = old->mdp->gamma;
    return 4 * old->advantage_max * gamma / ((1 - gamma) * (1 - gamma));
}

void tb_bound_measure(const tb_exact *old, const double *pi_new, tb_bound *out)
{
    size_t n = old->mdp->n_actions;
    double gain = 0, kl_sum = 0;
    *out = (tb_bound){.penalty = tb_bound_penalty(old)};
    for (size_t s = 0; s < old->mdp->n_states; s++) {
        const double *p = old->pi + s * n, *q = pi_new + s * n;
        double kl = tb_kl_divergence(p, q, n);
        // Abar(s) = sum_a pi~(a|s) A(s,a)
        double shift = tb_vec_dot(q, old->advantage + s * n, n);
        gain += old->rho[s] * shift;
        // 0 * infinity: a state that is never visited
        if (old->rho[s] > 0)
            kl_sum += old->rho[s] * kl;
        out->tv_max = fmax(out->tv_max, tb_total_variation(p, q, n));
        out->kl_max = fmax(out->kl_max, kl);
        out->shift_max = fmax(out->shift_max, fabs(shift));
    }
    out->surrogate = old->eta + gain;
    out->kl_mean = kl_sum / old->rho_sum;
    out->lower_tv = out->surrogate - out->penalty * out->tv_max * out->tv_max;
    // 0 * infinity again: gamma = 0 needs no penalty
    out->lower_kl = out->surrogate - (out->penalty > 0 ? out->penalty * out->kl_max : 0);
}
