/* SPDX-License-Identifier: MIT */
#include "trpo/value/adam.h"

#include <math.h>

void tb_adam_step(double *theta, const double *g, double *state, size_t n, double rate)
{
    const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double *m = state, *v = state + n, *t = state + 2 * n;
    *t += 1;
    double correct1 = 1 / (1 - pow(beta1, *t)), correct2 = 1 / (1 - pow(beta2, *t));
    for (size_t i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        theta[i] -= rate * (m[i] * correct1) / (sqrt(v[i] * correct2) + epsilon);
    }
}
