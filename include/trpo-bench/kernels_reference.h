/* SPDX-License-Identifier: MIT
 *
 * The functions of kernels.h as plain loops: what a plugin falls back to in a host that offers
 * none, and what a host's kernels are tested against. To the last bit the same as every set of
 * kernels with fused = 1, on every CPU; slower by a factor of a hundred.
 *
 *     const tb_kernels *k = tb_kernels_of_host(host);
 *
 * Numbers travel as double and are rounded to the element type after each operation, which for
 * +, -, *, / gives what float arithmetic gives (a double has more than twice a float's digits);
 * multiply-adds are fma and fmaf of C99. Legend and contract: kernels.h.
 *
 * This header compiles alone as C99 to C17 and C++11 to C++20.
 */
#ifndef TRPO_BENCH_KERNELS_REFERENCE_H
#define TRPO_BENCH_KERNELS_REFERENCE_H

#include <math.h>

#include "kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- elements ---- */

static inline double tb_kernels_ref_get(uint32_t dtype, const void *p, uint64_t i)
{
    return dtype == TB_F64 ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static inline void tb_kernels_ref_set(uint32_t dtype, void *p, uint64_t i, double value)
{
    if (dtype == TB_F64)
        ((double *)p)[i] = value;
    else
        ((float *)p)[i] = (float)value;
}

static inline double tb_kernels_ref_round(uint32_t dtype, double value)
{
    return dtype == TB_F64 ? value : (double)(float)value;
}

/* a b + c, rounded once */
static inline double tb_kernels_ref_fma(uint32_t dtype, double a, double b, double c)
{
    return dtype == TB_F64 ? fma(a, b, c) : (double)fmaf((float)a, (float)b, (float)c);
}

/* ---- tanh, exp, log ---- */

/* x = n ln 2 + r, n = round(x / ln 2): *p = e^r - 1 = r + r^2 q(r), returns n. */
static inline double tb_kernels_ref_reduce(uint32_t dtype, double x, double *p)
{
    /* q interpolates (e^r - 1 - r) / r^2 in the Chebyshev nodes of |r| <= 0.35 */
    static const float q32[6] = {0.50000000142765899f,  0.16666666682523656f,
                                 0.041666456904062642f, 0.0083333100347068676f,
                                 0.001393453165508802f, 0.00019891969905683137f};
    static const double q64[11] = {0.5,
                                   0.16666666666666671,
                                   0.041666666666666671,
                                   0.0083333333333255512,
                                   0.0013888888888883332,
                                   0.00019841269876840357,
                                   2.480158732699005e-05,
                                   2.7557252863367322e-06,
                                   2.7557271831536131e-07,
                                   2.5106262550879078e-08,
                                   2.0915433598076003e-09};
    const int wide = dtype == TB_F64;
    /* adding 1.5 2^23 or 1.5 2^52 rounds to an integer */
    const double magic = wide ? 6755399441055744.0 : 12582912.0;
    const double inverse = tb_kernels_ref_round(dtype, 1.44269504088896340736);
    const double rounded = tb_kernels_ref_fma(dtype, x, inverse, magic), n = rounded - magic;
    double r, q;
    int i = wide ? 10 : 5;
    r = tb_kernels_ref_fma(dtype, n, wide ? -0.693145751953125 : -0.693359375, x);
    r = tb_kernels_ref_fma(dtype, n,
                           wide ? -1.42860682030941723212e-6 : (double)2.12194440054690583e-4f, r);
    q = wide ? q64[i] : (double)q32[i];
    while (i-- > 0)
        q = tb_kernels_ref_fma(dtype, q, r, wide ? q64[i] : (double)q32[i]);
    *p = tb_kernels_ref_fma(dtype, tb_kernels_ref_round(dtype, r * r), q, r);
    return n;
}

/* tanh |x| = t / (t + 2), t = e^y - 1, y = 2 |x| */
static inline double tb_kernels_ref_tanh(uint32_t dtype, double x)
{
    const double limit = dtype == TB_F64 ? 19.5 : 9.5, size = fabs(x);
    double p, n, t, power;
    if (isnan(x))
        return x;
    n = tb_kernels_ref_reduce(dtype, 2 * (limit < size ? limit : size), &p);
    power = ldexp(1, (int)n);
    t = tb_kernels_ref_fma(dtype, power, p, tb_kernels_ref_round(dtype, power - 1));
    return copysign(tb_kernels_ref_round(dtype, t / tb_kernels_ref_round(dtype, t + 2)), x);
}

/* e^x = 2^n (1 + p); 2^n is applied in two factors, because it may be no normal number */
static inline double tb_kernels_ref_exp(uint32_t dtype, double x)
{
    const double low = dtype == TB_F64 ? -746.5 : -104.5, high = dtype == TB_F64 ? 710 : 89;
    double p, n, half, first;
    if (isnan(x))
        return x;
    n = tb_kernels_ref_reduce(dtype, x < low ? low : x > high ? high : x, &p);
    half = floor(n / 2);
    first = ldexp(1, (int)half);
    first = tb_kernels_ref_fma(dtype, first, p, first);
    return tb_kernels_ref_round(dtype, first * ldexp(1, (int)(n - half)));
}

/* x = 2^e m, m in [sqrt(1/2), sqrt 2); f = m - 1, s = f / (2 + f); log m = f - s (f - R) */
static inline double tb_kernels_ref_log(uint32_t dtype, double x)
{
    const int wide = dtype == TB_F64, terms = wide ? 10 : 4;
    double m, f, s, z, r, y;
    int i, e;
    if (isnan(x) || x < 0)
        return NAN;
    if (x <= 0)
        return -INFINITY;
    if (isinf(x))
        return x;
    m = frexp(x, &e); /* [1/2, 1) */
    if (m < (wide ? 0.70710678118654757 : (double)0.707106769f)) {
        m *= 2;
        e--;
    }
    f = m - 1;
    s = tb_kernels_ref_round(dtype, f / tb_kernels_ref_round(dtype, f + 2));
    z = tb_kernels_ref_round(dtype, s * s);
    r = tb_kernels_ref_round(dtype, 2.0 / (2 * terms + 1));
    for (i = terms - 1; i > 0; i--)
        r = tb_kernels_ref_fma(dtype, r, z, tb_kernels_ref_round(dtype, 2.0 / (2 * i + 1)));
    r = tb_kernels_ref_round(dtype, f - tb_kernels_ref_round(dtype, z * r));
    y = tb_kernels_ref_fma(dtype, -s, r, f);
    y = tb_kernels_ref_fma(dtype, e,
                           wide ? 1.42860682030941723212e-6 : -(double)2.12194440054690583e-4f, y);
    return tb_kernels_ref_fma(dtype, e, wide ? 0.693145751953125 : 0.693359375, y);
}

/* ---- one layer ---- */

static inline double tb_kernels_ref_act(uint32_t dtype, uint32_t activation, double z)
{
    if (activation == TB_ACT_TANH)
        return tb_kernels_ref_tanh(dtype, z);
    return activation == TB_ACT_RELU && z < 0 ? 0 : z;
}

/* act'(z) d from y = act(z) */
static inline double tb_kernels_ref_act_derivative(uint32_t dtype, uint32_t activation, double y,
                                                   double d)
{
    if (activation == TB_ACT_TANH)
        return tb_kernels_ref_round(dtype, tb_kernels_ref_fma(dtype, -y, y, 1) * d);
    return activation == TB_ACT_RELU && !(y > 0) ? 0 : d;
}

/* sum + a B[:, j] in the order of k; a [n], B [n][columns] */
static inline double tb_kernels_ref_chain(uint32_t dtype, const void *a, uint64_t a0, uint64_t n,
                                          const void *b, uint64_t columns, uint64_t j, double sum)
{
    uint64_t k;
    for (k = 0; k < n; k++)
        sum = tb_kernels_ref_fma(dtype, tb_kernels_ref_get(dtype, a, a0 + k),
                                 tb_kernels_ref_get(dtype, b, k * columns + j), sum);
    return sum;
}

static inline void tb_kernels_ref_forward(uint32_t dtype, const tb_dense *d, uint64_t rows,
                                          const void *w, const void *b, const void *x, void *y)
{
    uint64_t r, j;
    for (r = 0; r < rows; r++) {
        for (j = 0; j < d->n_out; j++)
            tb_kernels_ref_set(
                dtype, y, r * d->ld_y + j,
                tb_kernels_ref_act(dtype, d->activation,
                                   tb_kernels_ref_chain(dtype, x, r * d->ld_x, d->n_in, w, d->n_out,
                                                        j, tb_kernels_ref_get(dtype, b, j))));
    }
}

static inline void tb_kernels_ref_jvp(uint32_t dtype, const tb_dense *d, uint64_t rows,
                                      const void *w, const void *v, const void *vb, const void *x,
                                      const void *dx, const void *y, void *dy)
{
    uint64_t r, j;
    for (r = 0; r < rows; r++) {
        for (j = 0; j < d->n_out; j++) {
            double sum = tb_kernels_ref_chain(dtype, x, r * d->ld_x, d->n_in, v, d->n_out, j,
                                              tb_kernels_ref_get(dtype, vb, j));
            if (dx)
                sum = tb_kernels_ref_chain(dtype, dx, r * d->ld_x, d->n_in, w, d->n_out, j, sum);
            /* of a layer without activation y is not read, as in the fast kernels */
            if (d->activation != TB_ACT_IDENTITY)
                sum = tb_kernels_ref_act_derivative(
                    dtype, d->activation, tb_kernels_ref_get(dtype, y, r * d->ld_y + j), sum);
            tb_kernels_ref_set(dtype, dy, r * d->ld_y + j, sum);
        }
    }
}

static inline void tb_kernels_ref_transpose(uint32_t dtype, const tb_dense *d, const void *w,
                                            void *wt)
{
    const uint64_t ld = tb_kernels_ld(dtype, d->n_in);
    uint64_t j, k;
    for (j = 0; j < d->n_out; j++)
        for (k = 0; k < ld; k++)
            tb_kernels_ref_set(dtype, wt, j * ld + k,
                               k < d->n_in ? tb_kernels_ref_get(dtype, w, k * d->n_out + j) : 0);
}

static inline void tb_kernels_ref_input_grad(uint32_t dtype, const tb_dense *d, uint64_t rows,
                                             const void *wt, const void *dy, const void *x,
                                             void *dx)
{
    const uint64_t ld = tb_kernels_ld(dtype, d->n_in);
    uint64_t r, k;
    for (r = 0; r < rows; r++) {
        for (k = 0; k < d->n_in; k++) {
            double sum = tb_kernels_ref_chain(dtype, dy, r * d->ld_y, d->n_out, wt, ld, k, 0);
            if (d->in_activation != TB_ACT_IDENTITY)
                sum = tb_kernels_ref_act_derivative(
                    dtype, d->in_activation, tb_kernels_ref_get(dtype, x, r * d->ld_x + k), sum);
            tb_kernels_ref_set(dtype, dx, r * d->ld_x + k, sum);
        }
    }
}

static inline void tb_kernels_ref_weight_grad(uint32_t dtype, const tb_dense *d, uint64_t rows,
                                              const void *x, const void *dy, void *gw, void *gb)
{
    uint64_t r, k, j;
    for (r = 0; r < rows; r++)
        for (j = 0; j < d->n_out; j++) {
            const double dyj = tb_kernels_ref_get(dtype, dy, r * d->ld_y + j);
            for (k = 0; k < d->n_in; k++)
                tb_kernels_ref_set(
                    dtype, gw, k * d->n_out + j,
                    tb_kernels_ref_fma(dtype, tb_kernels_ref_get(dtype, x, r * d->ld_x + k), dyj,
                                       tb_kernels_ref_get(dtype, gw, k * d->n_out + j)));
            tb_kernels_ref_set(dtype, gb, j, tb_kernels_ref_get(dtype, gb, j) + dyj);
        }
}

/* ---- the tables ---- */

#define TB_KERNELS_REF_MAP(name, suffix, dtype)                                                    \
    static inline void tb_kernels_ref_##name##_##suffix(uint64_t n, const void *x, void *y)        \
    {                                                                                              \
        uint64_t i;                                                                                \
        for (i = 0; i < n; i++)                                                                    \
            tb_kernels_ref_set(dtype, y, i,                                                        \
                               tb_kernels_ref_##name(dtype, tb_kernels_ref_get(dtype, x, i)));     \
    }
#define TB_KERNELS_REF_TYPE(suffix, dtype)                                                         \
    static inline void tb_kernels_ref_forward_##suffix(                                            \
        const tb_dense *d, uint64_t rows, const void *w, const void *b, const void *x, void *y)    \
    {                                                                                              \
        tb_kernels_ref_forward(dtype, d, rows, w, b, x, y);                                        \
    }                                                                                              \
    static inline void tb_kernels_ref_jvp_##suffix(                                                \
        const tb_dense *d, uint64_t rows, const void *w, const void *v, const void *vb,            \
        const void *x, const void *dx, const void *y, void *dy)                                    \
    {                                                                                              \
        tb_kernels_ref_jvp(dtype, d, rows, w, v, vb, x, dx, y, dy);                                \
    }                                                                                              \
    static inline void tb_kernels_ref_transpose_##suffix(const tb_dense *d, const void *w,         \
                                                         void *wt)                                 \
    {                                                                                              \
        tb_kernels_ref_transpose(dtype, d, w, wt);                                                 \
    }                                                                                              \
    static inline void tb_kernels_ref_input_grad_##suffix(                                         \
        const tb_dense *d, uint64_t rows, const void *wt, const void *dy, const void *x, void *dx) \
    {                                                                                              \
        tb_kernels_ref_input_grad(dtype, d, rows, wt, dy, x, dx);                                  \
    }                                                                                              \
    static inline void tb_kernels_ref_weight_grad_##suffix(                                        \
        const tb_dense *d, uint64_t rows, const void *x, const void *dy, void *gw, void *gb)       \
    {                                                                                              \
        tb_kernels_ref_weight_grad(dtype, d, rows, x, dy, gw, gb);                                 \
    }                                                                                              \
    TB_KERNELS_REF_MAP(tanh, suffix, dtype)                                                        \
    TB_KERNELS_REF_MAP(exp, suffix, dtype)                                                         \
    TB_KERNELS_REF_MAP(log, suffix, dtype)
#define TB_KERNELS_REF_TABLE(suffix)                                                               \
    {                                                                                              \
        (uint32_t)sizeof(tb_kernels_table), 0, tb_kernels_ref_forward_##suffix,                    \
            tb_kernels_ref_jvp_##suffix, tb_kernels_ref_transpose_##suffix,                        \
            tb_kernels_ref_input_grad_##suffix, tb_kernels_ref_weight_grad_##suffix,               \
            tb_kernels_ref_tanh_##suffix, tb_kernels_ref_exp_##suffix, tb_kernels_ref_log_##suffix \
    }

TB_KERNELS_REF_TYPE(f32, TB_F32)
TB_KERNELS_REF_TYPE(f64, TB_F64)

/* Constant. */
static inline const tb_kernels *tb_kernels_reference(void)
{
    static const tb_kernels_table f32 = TB_KERNELS_REF_TABLE(f32);
    static const tb_kernels_table f64 = TB_KERNELS_REF_TABLE(f64);
    static const tb_kernels kernels = {(uint32_t)sizeof(tb_kernels), 1, "reference", &f32, &f64};
    return &kernels;
}

/* The host's kernels, or those above if it has none, or fewer (or `host` is NULL). */
static inline const tb_kernels *tb_kernels_of_host(const tb_host *host)
{
    const tb_kernels *found = NULL;
    if (host && TB_HAS(tb_host, host, get_extension))
        found = (const tb_kernels *)host->get_extension(host->ctx, TB_HOST_KERNELS);
    if (!found || found->struct_size < sizeof *found ||
        found->f32->struct_size < sizeof *found->f32 ||
        found->f64->struct_size < sizeof *found->f64)
        return tb_kernels_reference();
    return found;
}

#ifdef __cplusplus
}
#endif
#endif
