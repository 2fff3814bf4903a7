/* SPDX-License-Identifier: MIT */
#include "trpo/theory/snis.h"

#include <math.h>
#include <string.h>

#include "trpo/linalg/vec.h"

enum { MOST_ACTIONS = 64 };
#define MOST_WAYS 1e7

// ---- enumeration ----

static void set_probability(tb_draws *draws)
{
    // K! / prod count! as a product of binomial coefficients C(left, count)
    double p = 1;
    size_t left = draws->n_samples;
    for (size_t a = 0; a < draws->n_actions; a++)
        for (uint64_t i = 1; i <= draws->count[a]; i++, left--)
            p *= (double)left / (double)i * draws->q[a];
    draws->probability = p;
}

void tb_draws_first(tb_draws *draws, const double *q, size_t n_actions, size_t n_samples)
{
    *draws = (tb_draws){.n_actions = n_actions, .n_samples = n_samples, .q = q};
    draws->count[0] = n_samples;
    set_probability(draws);
}

int tb_draws_next(tb_draws *draws)
{
    // one of the last action before the end that has any goes to the next, and all of the end with
    // it
    size_t end = draws->n_actions - 1, a = end;
    while (a > 0 && draws->count[a - 1] == 0)
        a--;
    if (a == 0)
        return 0;
    uint64_t rest = draws->count[end];
    draws->count[end] = 0;
    draws->count[a - 1]--;
    draws->count[a] = rest + 1;
    set_probability(draws);
    return 1;
}

// ---- the estimator ----

static tb_status check(const tb_snis_def *def, tb_error *error)
{
    if (def->n_actions < 1 || def->n_actions > MOST_ACTIONS || def->n_samples < 1)
        return tb_fail(error, TB_E_PARAM,
                       "expectation over draws: 1 to %d actions and at least one draw are needed, "
                       "not %zu and %zu",
                       (int)MOST_ACTIONS, def->n_actions, def->n_samples);
    for (size_t a = 0; a < def->n_actions; a++)
        if (def->pi[a] > 0 && !(def->q[a] > 0))
            return tb_fail(error, TB_E_PARAM,
                           "action %zu has probability %g and is never proposed: no weight makes "
                           "up for that",
                           a, def->pi[a]);
    return TB_OK;
}

// C(K + n - 1, n - 1)
static double count_ways(size_t n, size_t k)
{
    double ways = 1;
    for (size_t i = 1; i < n; i++)
        ways *= (double)(k + i) / (double)i;
    return ways;
}

static double weight(const tb_snis_def *def, size_t a)
{
    return def->pi[a] > 0 ? def->pi[a] / def->q[a] : 0;
}

// adds one outcome of the draws to the first and second moments
static void add_outcome(const tb_snis_def *def, const tb_draws *draws, tb_snis *out)
{
    double total = 0, value = 0;
    for (size_t a = 0; a < def->n_actions; a++) {
        double w = (double)draws->count[a] * weight(def, a);
        total += w;
        value += w * def->value[a];
    }
    // only actions that pi never takes: nothing is estimated
    value = total > 0 ? value / total : 0;
    out->mean += draws->probability * value;
    out->variance += draws->probability * value * value;
    for (size_t a = 0; a < def->n_actions; a++) {
        double w = (double)draws->count[a] * weight(def, a);
        double g = total > 0 ? w * (def->value[a] - value) / total : 0;
        out->gradient[a] += draws->probability * g;
        if (out->gradient_variance != NULL)
            out->gradient_variance[a] += draws->probability * g * g;
    }
}

tb_status tb_snis_expectation(const tb_snis_def *def, tb_snis *out, tb_error *error)
{
    size_t n = def->n_actions;
    tb_status status = check(def, error);
    if (status != TB_OK)
        return status;
    if (count_ways(n, def->n_samples) > MOST_WAYS)
        return tb_fail(error, TB_E_PARAM,
                       "%zu draws from %zu actions have too many outcomes to enumerate (at most "
                       "10^7)",
                       def->n_samples, n);
    out->mean = out->variance = 0;
    memset(out->gradient, 0, n * sizeof *out->gradient);
    if (out->gradient_variance != NULL)
        memset(out->gradient_variance, 0, n * sizeof *out->gradient_variance);
    tb_draws draws;
    tb_draws_first(&draws, def->q, n, def->n_samples);
    do
        add_outcome(def, &draws, out);
    while (tb_draws_next(&draws));
    // E[x^2] - E[x]^2
    out->variance = fmax(out->variance - out->mean * out->mean, 0);
    if (out->gradient_variance != NULL)
        for (size_t a = 0; a < n; a++)
            out->gradient_variance[a] =
                fmax(out->gradient_variance[a] - out->gradient[a] * out->gradient[a], 0);
    return TB_OK;
}

tb_status tb_snis_first_order(const tb_snis_def *def, tb_snis *limit, tb_snis *slope,
                              tb_error *error)
{
    tb_status status = check(def, error);
    if (status != TB_OK)
        return status;
    size_t n = def->n_actions;
    double mu = tb_vec_dot(def->pi, def->value, n), b = 0, second = 0;
    for (size_t a = 0; a < n; a++) {
        // pi^2 / q
        double x = def->pi[a] * weight(def, a);
        second += x;
        b += x * (def->value[a] - mu);
    }
    limit->mean = mu;
    slope->mean = -b;
    for (size_t a = 0; a < n; a++) {
        // dmu = pi (Q - mu);   dB = 2 (pi^2/q (Q - mu) - pi B) - (sum pi^2/q) dmu
        double centred = def->value[a] - mu;
        limit->gradient[a] = def->pi[a] * centred;
        slope->gradient[a] =
            -(2 * def->pi[a] * (weight(def, a) * centred - b) - second * limit->gradient[a]);
    }
    return TB_OK;
}
