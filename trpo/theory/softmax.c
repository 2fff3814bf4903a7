/* SPDX-License-Identifier: MIT */
#include "trpo/theory/softmax.h"

#include <math.h>

#include "trpo/linalg/vec.h"

void tb_softmax_policy(const tb_mdp *mdp, const double *theta, double *pi)
{
    size_t n = mdp->n_actions;
    for (size_t s = 0; s < mdp->n_states; s++) {
        const double *t = theta + s * n;
        double *p = pi + s * n, largest = t[0], sum = 0;
        for (size_t a = 1; a < n; a++)
            largest = fmax(largest, t[a]);
        for (size_t a = 0; a < n; a++)
            sum += p[a] = exp(t[a] - largest);
        for (size_t a = 0; a < n; a++)
            p[a] /= sum;
    }
}

void tb_softmax_parameters(const tb_mdp *mdp, const double *pi, double *theta)
{
    for (size_t pair = 0; pair < mdp->n_states * mdp->n_actions; pair++)
        theta[pair] = log(pi[pair]);
}

void tb_softmax_gradient(const tb_exact *at, const double *weight, double *g)
{
    size_t n = at->mdp->n_actions;
    for (size_t pair = 0; pair < at->mdp->n_states * n; pair++)
        g[pair] = weight[pair / n] * at->pi[pair] * at->advantage[pair];
}

void tb_softmax_fisher(const tb_exact *at, double *fisher)
{
    size_t n = at->mdp->n_actions;
    for (size_t s = 0; s < at->mdp->n_states; s++) {
        const double *p = at->pi + s * n;
        double d = at->rho[s] / at->rho_sum;
        for (size_t a = 0; a < n; a++)
            for (size_t b = 0; b < n; b++)
                *fisher++ = d * ((a == b ? p[a] : 0) - p[a] * p[b]);
    }
}

void tb_softmax_fisher_product(const tb_exact *at, double damping, const double *v, double *fv)
{
    size_t n = at->mdp->n_actions;
    for (size_t s = 0; s < at->mdp->n_states; s++) {
        const double *p = at->pi + s * n, *in = v + s * n;
        double *out = fv + s * n, d = at->rho[s] / at->rho_sum;
        // d (p v - p (p'v)) + damping v
        double mean = tb_vec_dot(p, in, n);
        for (size_t a = 0; a < n; a++)
            out[a] = d * p[a] * (in[a] - mean) + damping * in[a];
    }
}

// Block of one state: D - d p p' with D = diag(d p + damping). By Sherman & Morrison
//   x = D^-1 g + D^-1 p d (p' D^-1 g) / (1 - d p' D^-1 p),
// and 1 - d p' D^-1 p = damping sum_a p / (d p + damping), because sum_a p = 1.
static void solve_block(double d, const double *p, double damping, const double *g, double *x,
                        size_t n)
{
    double along = 0, rest = 0;
    for (size_t a = 0; a < n; a++) {
        double diagonal = d * p[a] + damping;
        x[a] = diagonal > 0 ? g[a] / diagonal : 0;
        along += p[a] * x[a];
        rest += diagonal > 0 ? p[a] / diagonal : 0;
    }
    if (damping == 0)
        return;
    double scale = d * along / (damping * rest);
    for (size_t a = 0; a < n; a++)
        x[a] += scale * p[a] / (d * p[a] + damping);
}

void tb_softmax_natural(const tb_exact *at, double damping, const double *g, double *x)
{
    size_t n = at->mdp->n_actions;
    for (size_t s = 0; s < at->mdp->n_states; s++)
        solve_block(at->rho[s] / at->rho_sum, at->pi + s * n, damping, g + s * n, x + s * n, n);
}
