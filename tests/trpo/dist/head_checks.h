/* SPDX-License-Identifier: MIT
 *
 * What must hold for every distribution head, checked by finite differences, numeric integration
 * (continuous heads) or enumeration (discrete heads).
 */
#ifndef TESTS_TRPO_DIST_HEAD_CHECKS_H
#define TESTS_TRPO_DIST_HEAD_CHECKS_H

#include "tests/trpo/testing.h"
#include "trpo/dist/head.h"

enum { max_d = 16 };

/* ---- heads ---- */

/* The bounds of test_head's Box: different in every dimension. */
static const double test_low[] = {-2, 0.5, -1000, 3}, test_high[] = {1, 0.75, 1000, 4};

static inline tb_space test_space(uint32_t kind, size_t n, const int64_t *nvec)
{
    return (tb_space){.struct_size = sizeof(tb_space),
                      .kind = kind,
                      .dtype = kind == TB_SPACE_BOX ? TB_F64 : TB_I32,
                      .ndim = 1,
                      .shape = {n},
                      .count = n,
                      .low = kind == TB_SPACE_BOX ? test_low : NULL,
                      .high = kind == TB_SPACE_BOX ? test_high : NULL,
                      .nvec = nvec,
                      .n_leaves = 1,
                      .bytes = (kind == TB_SPACE_BOX ? 8 : 4) * n};
}

/* The head of a space with n entries; `api` is what it must be. */
static inline tb_head test_head(uint32_t kind, size_t n, const int64_t *nvec, int32_t distribution,
                                const tb_head_api *api)
{
    tb_space space = test_space(kind, n, nvec);
    tb_head head;
    tb_error error = {0};
    assert_ok(tb_head_for_space(&space, distribution, &head, &error), &error);
    assert_ptr_equal(head.api, api);
    return head;
}

static inline tb_head test_box_head(size_t n, int32_t distribution, const tb_head_api *api)
{
    return test_head(TB_SPACE_BOX, n, NULL, distribution, api);
}

/* n, D, constants, A, U */
static inline void assert_shape(const tb_head *head, size_t n, size_t d, size_t constants, size_t a,
                                size_t u)
{
    assert_int_equal(head->n, n);
    assert_int_equal(head->n_params, d);
    assert_int_equal(head->n_const, constants);
    assert_int_equal(head->n_action, a);
    assert_int_equal(head->n_unif, u);
}

/* ---- derivatives ---- */

// fourth-order central difference along parameter k of log_prob (with a), KL (with y_old) or
// entropy: error about 1e-12
static inline double head_slope(const tb_head *head, const double *y_old, const double *y,
                                const double *a, size_t k)
{
    const double h = 1e-3;
    double at[4], moved[max_d];
    for (int i = 0; i < 4; i++) {
        memcpy(moved, y, head->n_params * sizeof *y);
        moved[k] += h * (i < 2 ? i - 2 : i - 1); // -2h, -h, h, 2h
        at[i] = a != NULL       ? head->api->log_prob(head, moved, a)
                : y_old != NULL ? head->api->kl(head, y_old, moved)
                                : head->api->entropy(head, moved);
    }
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h);
}

static inline void check_log_prob_gradient(const tb_head *head, tb_rng *rng, double scale)
{
    double y[max_d], a[max_d], u[max_d], dy[max_d];
    for (int i = 0; i < 50; i++) {
        test_fill(rng, y, head->n_params, scale);
        for (size_t k = 0; k < head->n_unif; k++)
            u[k] = tb_rng_f64(rng);
        head->api->sample(head, y, u, a);
        head->api->log_prob_grad(head, y, a, dy);
        for (size_t k = 0; k < head->n_params; k++)
            assert_near(dy[k], head_slope(head, NULL, y, a, k), 1e-9);
    }
}

static inline void check_kl_gradient(const tb_head *head, tb_rng *rng, double scale)
{
    double y_old[max_d], y_new[max_d], dy[max_d];
    for (int i = 0; i < 50; i++) {
        test_fill(rng, y_old, head->n_params, scale);
        test_fill(rng, y_new, head->n_params, scale);
        head->api->kl_grad(head, y_old, y_new, dy);
        for (size_t k = 0; k < head->n_params; k++)
            assert_near(dy[k], head_slope(head, y_old, y_new, NULL, k), 1e-9 * (1 + fabs(dy[k])));
    }
}

static inline void check_entropy_gradient(const tb_head *head, tb_rng *rng, double scale)
{
    double y[max_d], dy[max_d];
    for (int i = 0; i < 50; i++) {
        test_fill(rng, y, head->n_params, scale);
        for (size_t k = 0; k < head->n_params; k++)
            dy[k] = NAN; // every entry is written
        head->api->entropy_grad(head, y, dy);
        for (size_t k = 0; k < head->n_params; k++)
            assert_near(dy[k], head_slope(head, NULL, y, NULL, k), 1e-9);
    }
}

// at equality KL and its gradient are exactly 0; elsewhere KL is positive, however small the step
static inline void check_kl_sign(const tb_head *head, tb_rng *rng, double scale)
{
    double y_old[max_d], y_new[max_d], dy[max_d];
    for (int i = 0; i < 200; i++) {
        test_fill(rng, y_old, head->n_params, scale);
        assert_true(head->api->kl(head, y_old, y_old) == 0);
        head->api->kl_grad(head, y_old, y_old, dy);
        for (size_t k = 0; k < head->n_params; k++)
            assert_true(dy[k] == 0);
        for (int e = 0; e >= -12; e--) {
            test_fill(rng, y_new, head->n_params, scale * pow(10, e));
            for (size_t k = 0; k < head->n_params; k++)
                y_new[k] += y_old[k];
            double kl = head->api->kl(head, y_old, y_new);
            if (!(kl >= 0)) {
                print_error("KL is %g after a step of 1e%d\n", kl, e);
                fail();
            }
            assert_true(e < -6 || kl > 0);
        }
    }
}

// M from products with unit vectors against second differences of KL(y || y'): symmetric, PSD
static inline void check_fisher(const tb_head *head, tb_rng *rng, double scale)
{
    const double h = 1e-4;
    size_t d = head->n_params;
    double y[max_d], v[max_d], m[max_d][max_d], mv[max_d], up[max_d], down[max_d];
    for (int i = 0; i < 30; i++) {
        test_fill(rng, y, d, scale);
        for (size_t k = 0; k < d; k++) {
            memset(v, 0, sizeof v);
            v[k] = 1;
            head->api->fisher(head, y, v, m[k]);
            // M's column k = d/dy'_k of the KL's gradient
            memcpy(v, y, d * sizeof *y);
            v[k] = y[k] + h;
            head->api->kl_grad(head, y, v, up);
            v[k] = y[k] - h;
            head->api->kl_grad(head, y, v, down);
            for (size_t j = 0; j < d; j++)
                assert_near(m[k][j], (up[j] - down[j]) / (2 * h), 1e-7 * (1 + fabs(m[k][j])));
            // and its diagonal from the KL itself
            double at_up, at_down;
            v[k] = y[k] + h;
            at_up = head->api->kl(head, y, v);
            v[k] = y[k] - h;
            at_down = head->api->kl(head, y, v);
            assert_near(m[k][k], (at_up + at_down) / (h * h), 1e-6 * (1 + m[k][k]));
        }
        for (size_t k = 0; k < d; k++)
            for (size_t j = 0; j < k; j++)
                assert_near(m[k][j], m[j][k], 1e-15);
        for (int trial = 0; trial < 20; trial++) {
            test_fill(rng, v, d, 1);
            head->api->fisher(head, y, v, mv);
            double vmv = 0, by_columns[max_d] = {0};
            for (size_t k = 0; k < d; k++)
                for (size_t j = 0; j < d; j++)
                    by_columns[j] += v[k] * m[k][j];
            for (size_t j = 0; j < d; j++) {
                vmv += v[j] * mv[j];
                assert_near(mv[j], by_columns[j], 1e-13 * (1 + fabs(mv[j])));
            }
            assert_true(vmv >= -1e-15);
        }
    }
}

/* All of the above; the scales are of the parameters. */
static inline void check_derivatives(const tb_head *head, uint64_t seed, double gradients,
                                     double sign, double metric)
{
    tb_rng rng = test_rng(seed);
    check_log_prob_gradient(head, &rng, gradients);
    check_kl_gradient(head, &rng, gradients);
    check_entropy_gradient(head, &rng, gradients);
    check_kl_sign(head, &rng, sign);
    check_fisher(head, &rng, metric);
}

/* ---- extremes ---- */

static inline void assert_all_finite(const char *what, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            fail_msg("%s has %g as entry %zu", what, x[i], i);
}

/* Every function at y, with y_new as another policy: finite numbers, and signs that hold. */
static inline void check_finite(const tb_head *head, const double *y, const double *y_new)
{
    double a[max_d], u[max_d], g[max_d], v[max_d], mv[max_d], value;
    const double ends[] = {0, 0x1p-53, 0.3, 0.5, 0.8, 1 - 0x1p-53};
    for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
        for (size_t i = 0; i < head->n_unif; i++)
            u[i] = ends[k];
        head->api->sample(head, y, u, a);
        assert_all_finite("sample", a, head->n_action);
        value = head->api->log_prob(head, y, a);
        assert_all_finite("log_prob", &value, 1);
        head->api->log_prob_grad(head, y, a, g);
        assert_all_finite("log_prob_grad", g, head->n_params);
        for (size_t i = 0; head->api->to_env != NULL && i < head->n; i++) {
            double e = head->api->to_env(head, i, a[i]);
            assert_true(e >= head->low[i] && e <= head->high[i]);
        }
    }
    head->api->mode(head, y, a);
    assert_all_finite("mode", a, head->n_action);
    value = head->api->entropy(head, y);
    assert_all_finite("entropy", &value, 1);
    head->api->entropy_grad(head, y, g);
    assert_all_finite("entropy_grad", g, head->n_params);
    value = head->api->kl(head, y, y_new);
    assert_all_finite("kl", &value, 1);
    assert_true(value >= 0);
    assert_true(head->api->kl(head, y, y) == 0);
    head->api->kl_grad(head, y, y_new, g);
    assert_all_finite("kl_grad", g, head->n_params);
    for (size_t i = 0; i < head->n_params; i++)
        v[i] = 1;
    head->api->fisher(head, y, v, mv);
    assert_all_finite("fisher", mv, head->n_params);
}

/* check_finite at every combination of `values` in two parameters of a head, against every other.
 */
static inline void check_extremes(const tb_head *head, const double *first, size_t n_first,
                                  const double *second, size_t n_second)
{
    assert_int_equal(head->n_params, 2);
    size_t n = n_first * n_second;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            const double y[] = {first[i / n_second], second[i % n_second]};
            const double y_new[] = {first[k / n_second], second[k % n_second]};
            check_finite(head, y, y_new);
        }
}

/* ---- continuous heads: y = (first kind [n], second kind [n]) ---- */

/* d action / d entry, by a fourth-order central difference */
static inline double head_jacobian(const tb_head *head, double a)
{
    const double h = 1e-3;
    if (head->api->to_env == NULL)
        return 1;
    double at[4];
    for (int i = 0; i < 4; i++)
        at[i] = head->api->to_env(head, 0, a + h * (i < 2 ? i - 2 : i - 1));
    return (at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * h);
}

/* What is integrated over the action: density, surprise, log ratio. */
typedef struct head_integrals {
    double density, entropy, kl;
} head_integrals;

/* Integrals over the action of a one-dimensional head from `low` to `high` (entries), by Simpson's
 * rule; `other` may be NULL. */
static inline head_integrals integrate_head(const tb_head *head, const double *y,
                                            const double *other, double low, double high)
{
    enum { n = 4000 };
    head_integrals sum = {0, 0, 0};
    double h = (high - low) / n;
    for (int i = 0; i <= n; i++) {
        double a = low + h * i, l = head->api->log_prob(head, y, &a);
        double weight = (i == 0 || i == n ? 1 : i % 2 == 1 ? 4 : 2) * h / 3;
        double mass = weight * exp(l) * head_jacobian(head, a);
        sum.density += mass;
        sum.entropy -= mass * l;
        if (other != NULL)
            sum.kl += mass * (l - head->api->log_prob(head, other, &a));
    }
    return sum;
}

/* Entries that hold all but 1e-16 of the mass, with a margin for other policies. */
static inline void head_range(const tb_head *head, const double *y, double *low, double *high)
{
    const double ends[] = {0, 1 - 0x1p-53};
    head->api->sample(head, y, &ends[0], low);
    head->api->sample(head, y, &ends[1], high);
    double margin = 0.3 * (*high - *low);
    *low -= margin;
    *high += margin;
}

/* Density, entropy and KL(old || new) of a one-dimensional head against their definitions. */
static inline void check_integrals(const tb_head *head, tb_rng *rng, double scale, double tolerance)
{
    for (int i = 0; i < 20; i++) {
        double y[2], other[2], low, high;
        test_fill(rng, y, 2, scale);
        test_fill(rng, other, 2, scale);
        head_range(head, y, &low, &high);
        head_integrals sum = integrate_head(head, y, other, low, high);
        assert_near(sum.density, 1, tolerance);
        assert_near(head->api->entropy(head, y), sum.entropy, tolerance * 10);
        double kl = head->api->kl(head, y, other);
        assert_near(kl, sum.kl, tolerance * 10 * (1 + kl));
    }
}

/* P(action <= sample(u)) = u, by integration. */
static inline void check_quantiles(const tb_head *head, tb_rng *rng, double scale, double tolerance)
{
    for (int i = 0; i < 20; i++) {
        double y[2], low, high, a, u = tb_rng_f64(rng);
        test_fill(rng, y, 2, scale);
        head_range(head, y, &low, &high);
        head->api->sample(head, y, &u, &a);
        assert_near(integrate_head(head, y, NULL, low, a).density, u, tolerance);
    }
}

/* Every uniform that the generator can give is a finite entry, and the entry rises with it. */
static inline void check_sample_rises(const tb_head *head, const double *y)
{
    const double u[] = {0,   0x1p-53, 0x1p-52, 1e-9, 0.075,         0.2,  0.45,        0.49999,
                        0.5, 0.50001, 0.6,     0.9,  0.925 - 1e-15, 0.99, 1 - 0x1p-52, 1 - 0x1p-53};
    double before = -INFINITY, env_before = -INFINITY;
    for (size_t i = 0; i < sizeof u / sizeof u[0]; i++) {
        double a;
        head->api->sample(head, y, &u[i], &a);
        assert_true(isfinite(a) && a > before);
        assert_true(isfinite(head->api->log_prob(head, y, &a)));
        before = a;
        if (head->api->to_env != NULL) {
            double e = head->api->to_env(head, 0, a);
            assert_true(e >= env_before && e >= head->low[0] && e <= head->high[0]);
            env_before = e;
        }
    }
}

/* Entry a is `share` of the way from low to high in every dimension; far entries are the bounds. */
static inline void check_to_env(const tb_head *head, double a, double share)
{
    for (size_t i = 0; i < head->n; i++) {
        double low = test_low[i], high = test_high[i];
        assert_near(head->api->to_env(head, i, a), low + share * (high - low), 1e-12);
        assert_true(head->api->to_env(head, i, -1e9) == low);
        assert_true(head->api->to_env(head, i, 1e9) == high);
    }
    assert_ptr_equal(head->low, test_low);
    assert_ptr_equal(head->high, test_high);
}

/* A head of three dimensions is three of one: y is dealt out as (first kind [n], second kind [n]).
 * The bounds are different in each. */
static inline void check_dimensions(const tb_head *head, tb_rng *rng, double scale)
{
    enum { n = 3 };
    double y[2 * n], y_new[2 * n], u[n], a[n], mode[n], v[2 * n], g[2 * n], kl_g[2 * n], mv[2 * n];
    double entropy_g[2 * n];
    assert_int_equal(head->n, n);
    for (size_t i = 0; i < n; i++)
        u[i] = tb_rng_f64(rng);
    test_fill(rng, y, 2 * n, scale);
    test_fill(rng, y_new, 2 * n, scale);
    test_fill(rng, v, 2 * n, 1);
    head->api->sample(head, y, u, a);
    head->api->mode(head, y, mode);
    head->api->log_prob_grad(head, y, a, g);
    head->api->kl_grad(head, y, y_new, kl_g);
    head->api->entropy_grad(head, y, entropy_g);
    head->api->fisher(head, y, v, mv);
    double log_prob = 0, kl = 0, entropy = 0;
    for (size_t i = 0; i < n; i++) {
        tb_head one = *head;
        one.n = one.n_action = one.n_unif = 1;
        one.n_params = 2;
        one.low = head->low != NULL ? head->low + i : NULL;
        one.high = head->high != NULL ? head->high + i : NULL;
        const double y1[] = {y[i], y[n + i]}, z1[] = {y_new[i], y_new[n + i]};
        const double v1[] = {v[i], v[n + i]};
        double out[2];
        log_prob += one.api->log_prob(&one, y1, a + i);
        kl += one.api->kl(&one, y1, z1);
        entropy += one.api->entropy(&one, y1);
        one.api->sample(&one, y1, u + i, out);
        assert_near(a[i], out[0], 0);
        one.api->mode(&one, y1, out);
        assert_near(mode[i], out[0], 0);
        if (head->api->to_env != NULL)
            assert_near(head->api->to_env(head, i, a[i]), one.api->to_env(&one, 0, a[i]), 0);
        one.api->log_prob_grad(&one, y1, a + i, out);
        assert_true(g[i] == out[0] && g[n + i] == out[1]);
        one.api->kl_grad(&one, y1, z1, out);
        assert_true(kl_g[i] == out[0] && kl_g[n + i] == out[1]);
        one.api->entropy_grad(&one, y1, out);
        assert_true(entropy_g[i] == out[0] && entropy_g[n + i] == out[1]);
        one.api->fisher(&one, y1, v1, out);
        assert_true(mv[i] == out[0] && mv[n + i] == out[1]);
    }
    // a mean instead of a sum would give a third
    assert_near(head->api->log_prob(head, y, a), log_prob, 1e-13 * (1 + fabs(log_prob)));
    assert_near(head->api->kl(head, y, y_new), kl, 1e-14 * (1 + kl));
    assert_near(head->api->entropy(head, y), entropy, 1e-13 * (1 + fabs(entropy)));
}

/* ---- discrete heads ---- */

/* The next of all actions of a head with counts[n] categories; 0 after the last. */
static inline int next_action(const int64_t *counts, size_t n, double *a)
{
    for (size_t i = 0; i < n; i++) {
        a[i] += 1;
        if (a[i] < (double)counts[i])
            return 1;
        a[i] = 0;
    }
    return 0;
}

/* Probabilities, entropy, KL(old || new) and mode by enumeration of all actions. */
static inline void check_enumeration(const tb_head *head, const int64_t *counts, tb_rng *rng,
                                     double scale)
{
    for (int i = 0; i < 50; i++) {
        double y[max_d], y_new[max_d], a[max_d] = {0}, best[max_d] = {0}, mode[max_d];
        double sum = 0, entropy = 0, kl = 0, highest = -INFINITY;
        test_fill(rng, y, head->n_params, scale);
        test_fill(rng, y_new, head->n_params, scale);
        do {
            double l = head->api->log_prob(head, y, a);
            sum += exp(l);
            entropy -= exp(l) * l;
            kl += exp(l) * (l - head->api->log_prob(head, y_new, a));
            if (l > highest) {
                highest = l;
                memcpy(best, a, sizeof best);
            }
        } while (next_action(counts, head->n_action, a));
        assert_near(sum, 1, 1e-13);
        assert_near(head->api->entropy(head, y), entropy, 1e-13);
        assert_near(head->api->kl(head, y, y_new), kl, 1e-12 * (1 + kl));
        head->api->mode(head, y, mode);
        for (size_t k = 0; k < head->n_action; k++)
            assert_near(mode[k], best[k], 0);
    }
}

/* Evenly spaced uniforms of one component: it rises with them and each category gets its share, up
 * to one point at each border; the other components do not see them. */
static inline void check_shares(const tb_head *head, const int64_t *counts, tb_rng *rng)
{
    enum { samples = 5000 };
    double y[max_d], u[max_d], a[max_d], fixed[max_d];
    test_fill(rng, y, head->n_params, 1.5);
    for (size_t k = 0; k < head->n_unif; k++)
        u[k] = tb_rng_f64(rng);
    head->api->sample(head, y, u, fixed);
    for (size_t c = 0; c < head->n_action; c++) {
        double own = u[c], before = 0;
        int seen[max_d] = {0};
        for (int i = 0; i < samples; i++) {
            u[c] = (double)i / samples;
            head->api->sample(head, y, u, a);
            assert_true(a[c] >= before && a[c] < (double)counts[c] && a[c] == floor(a[c]));
            before = a[c];
            seen[(int)a[c]]++;
            for (size_t k = 0; k < head->n_action; k++)
                assert_true(k == c || a[k] == fixed[k]);
        }
        u[c] = own;
        // the marginal from ratios of joint probabilities
        double p[max_d], sum = 0;
        memcpy(a, fixed, sizeof fixed);
        for (int k = 0; k < (int)counts[c]; k++) {
            a[c] = k;
            sum += p[k] = exp(head->api->log_prob(head, y, a));
        }
        for (int k = 0; k < (int)counts[c]; k++)
            assert_near(seen[k], p[k] / sum * samples, 1);
    }
}

#endif
