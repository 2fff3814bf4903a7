/* SPDX-License-Identifier: MIT
 *
 * The naive twin of a dense network's kernels: one loop per index, in the order that the shipped
 * policies promise (bias, then inputs in order; gradients over rows in order), so that results are
 * equal to the last bit, but for tanh, which is libm's here. Numbers travel as double and are
 * rounded to the map's type after each operation.
 */
#ifndef TESTS_POLICY_PLUGIN_REFERENCE_H
#define TESTS_POLICY_PLUGIN_REFERENCE_H

#include "tests/policy_plugin_testing.h"

#define REFERENCE_LAYERS 8

typedef struct reference {
    const test_map *m;
    const evaluation *e;
    int fused;        /* multiply-adds round once */
    char activation;  /* first letter */
    uint64_t n_dense; /* layers */
    uint64_t width[REFERENCE_LAYERS + 1];
    uint64_t weight[REFERENCE_LAYERS]; /* offsets; the bias follows */
    double *h[REFERENCE_LAYERS + 1];   /* [B][width] */
    double *y, *jv, *g;
} reference;

static double rounded(const reference *r, double value)
{
    return r->m->spec.dtype == TB_F64 ? value : (double)(float)value;
}

/* a b + c in the map's type. */
static double multiply_add(const reference *r, double a, double b, double c)
{
    if (r->m->spec.dtype == TB_F64)
        return r->fused ? fma(a, b, c) : a * b + c;
    const float fa = (float)a, fb = (float)b, fc = (float)c;
    const float product = fa * fb;
    return r->fused ? fmaf(fa, fb, fc) : product + fc;
}

static double act(const reference *r, double z)
{
    return r->activation == 't' ? rounded(r, tanh(z)) : r->activation == 'r' && z < 0 ? 0 : z;
}

/* act'(z) d, from h = act(z). */
static double act_derivative(const reference *r, double h, double d)
{
    if (r->activation == 't')
        return rounded(r, multiply_add(r, -h, h, 1) * d);
    return r->activation == 'r' && !(h > 0) ? 0 : d;
}

static double *zeros(uint64_t n)
{
    double *p = calloc(n + 1, sizeof *p);
    assert_non_null(p);
    return p;
}

/* out[b][j] = bias[j] + h[b] W[:, j] (+ dh[b] V[:, j]); `first` and `second` hold the matrices. */
static double *affine(const reference *r, uint64_t l, const double *h, const void *first,
                      const double *dh, const void *second)
{
    const uint64_t k_n = r->width[l], n = r->width[l + 1], w = r->weight[l];
    double *out = zeros(r->e->batch * n);
    for (uint64_t b = 0; b < r->e->batch; b++)
        for (uint64_t j = 0; j < n; j++) {
            double sum = get(r->m, first, w + k_n * n + j);
            for (uint64_t k = 0; k < k_n; k++)
                sum = multiply_add(r, h[b * k_n + k], get(r->m, first, w + k * n + j), sum);
            for (uint64_t k = 0; dh && k < k_n; k++)
                sum = multiply_add(r, dh[b * k_n + k], get(r->m, second, w + k * n + j), sum);
            out[b * n + j] = sum;
        }
    return out;
}

/* [B][O] from the dense outputs and the constants at the end of `theta`. */
static double *with_constants(const reference *r, const double *dense, const void *theta)
{
    const uint64_t o = r->m->n_out, n = r->width[r->n_dense];
    double *out = zeros(r->e->batch * o);
    for (uint64_t b = 0; b < r->e->batch; b++)
        for (uint64_t i = 0; i < o; i++)
            out[b * o + i] =
                dense && i < n ? dense[b * n + i] : get(r->m, theta, r->m->n_params - o + i);
    return out;
}

static void reference_forward(reference *r)
{
    for (uint64_t i = 0; i < r->e->batch * r->width[0]; i++)
        r->h[0][i] = get(r->m, r->e->x, i);
    for (uint64_t l = 0; l < r->n_dense; l++) {
        r->h[l + 1] = affine(r, l, r->h[l], r->e->theta, NULL, NULL);
        for (uint64_t i = 0; l + 1 < r->n_dense && i < r->e->batch * r->width[l + 1]; i++)
            r->h[l + 1][i] = act(r, r->h[l + 1][i]);
    }
    r->y = with_constants(r, r->h[r->n_dense], r->e->theta);
}

static void reference_jvp(reference *r)
{
    double *dh = NULL;
    for (uint64_t l = 0; l < r->n_dense; l++) {
        double *dz = affine(r, l, r->h[l], r->e->v, dh, r->e->theta);
        for (uint64_t i = 0; l + 1 < r->n_dense && i < r->e->batch * r->width[l + 1]; i++)
            dz[i] = act_derivative(r, r->h[l + 1][i], dz[i]);
        free(dh);
        dh = dz;
    }
    r->jv = with_constants(r, dh, r->e->v);
    free(dh);
}

/* Gradient of layer l into g; returns dz of the layer below (NULL for l = 0). */
static double *backward(reference *r, uint64_t l, const double *dz)
{
    const uint64_t k_n = r->width[l], n = r->width[l + 1], w = r->weight[l];
    double *below = l > 0 ? zeros(r->e->batch * k_n) : NULL;
    for (uint64_t b = 0; b < r->e->batch; b++)
        for (uint64_t j = 0; j < n; j++) {
            const double d = dz[b * n + j];
            for (uint64_t k = 0; k < k_n; k++) {
                double *g = &r->g[w + k * n + j];
                *g = multiply_add(r, r->h[l][b * k_n + k], d, *g);
                if (below)
                    below[b * k_n + k] = multiply_add(r, d, get(r->m, r->e->theta, w + k * n + j),
                                                      below[b * k_n + k]);
            }
            r->g[w + k_n * n + j] = rounded(r, r->g[w + k_n * n + j] + d);
        }
    for (uint64_t i = 0; below && i < r->e->batch * k_n; i++)
        below[i] = act_derivative(r, r->h[l][i], below[i]);
    return below;
}

static void reference_vjp(reference *r)
{
    const uint64_t o = r->m->n_out, n = r->width[r->n_dense];
    double *dz = zeros(r->e->batch * n);
    r->g = zeros(r->m->n_params);
    for (uint64_t b = 0; b < r->e->batch; b++)
        for (uint64_t i = 0; i < o; i++) {
            const double w = get(r->m, r->e->w, b * o + i);
            if (i < n)
                dz[b * n + i] = w;
            else
                r->g[r->m->n_params - o + i] = rounded(r, r->g[r->m->n_params - o + i] + w);
        }
    for (uint64_t l = r->n_dense; l-- > 0;) {
        double *below = backward(r, l, dz);
        free(dz);
        dz = below;
    }
    free(dz);
}

/* All of it for the arguments of `e`; finish with reference_finish(). */
static reference reference_make(const test_map *m, const evaluation *e, const test_option *hidden,
                                char activation, int fused)
{
    reference r = {.m = m, .e = e, .fused = fused, .activation = activation};
    uint64_t offset = 0;
    r.n_dense = hidden->n + 1;
    r.width[0] = m->n_in;
    for (uint64_t l = 0; l < hidden->n; l++)
        r.width[l + 1] = (uint64_t)hidden->array[l];
    r.width[r.n_dense] = m->n_out - m->spec.n_const_out;
    for (uint64_t l = 0; l < r.n_dense; l++) {
        r.weight[l] = offset;
        offset += (r.width[l] + 1) * r.width[l + 1];
    }
    assert_int_equal(offset + m->spec.n_const_out, m->n_params);
    r.h[0] = zeros(e->batch * r.width[0]);
    reference_forward(&r);
    reference_jvp(&r);
    reference_vjp(&r);
    return r;
}

static void reference_finish(reference *r)
{
    for (uint64_t l = 0; l <= r->n_dense; l++)
        free(r->h[l]);
    free(r->y);
    free(r->jv);
    free(r->g);
}

static UNUSED_OK void assert_close(const test_map *m, const void *found, const double *expected,
                                   uint64_t n, double limit)
{
    double largest = 1e-300, error = 0;
    for (uint64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(expected[i]));
        error = fmax(error, fabs(get(m, found, i) - expected[i]));
    }
    assert_at_most(error / largest, limit);
}

/* Equal to the last bit for limit 0. */
static void assert_matches(const test_map *m, const void *found, const double *expected, uint64_t n,
                           double limit, const char *what)
{
    void *copy = buffer(m, n);
    if (limit > 0) {
        assert_close(m, found, expected, n, limit);
        return;
    }
    for (uint64_t i = 0; i < n; i++)
        set(m, copy, i, expected[i]);
    assert_same_bits(m, found, copy, n, what);
}

/* y, jv and g of `e` against the twin; `limit` is relative to the largest element, 0 means equal to
 * the last bit. */
static UNUSED_OK void check_reference(const test_map *m, const evaluation *e,
                                      const test_option *hidden, char activation, int fused,
                                      double limit)
{
    reference r = reference_make(m, e, hidden, activation, fused);
    assert_matches(m, e->y, r.y, e->batch * m->n_out, limit, "y");
    assert_matches(m, e->jv, r.jv, e->batch * m->n_out, limit, "jv");
    assert_matches(m, e->g, r.g, m->n_params, limit, "g");
    reference_finish(&r);
}

#endif
