/* SPDX-License-Identifier: MIT
 *
 * tanh, exp and log of one vector; the errors are in include/trpo-bench/kernels.h and measured by
 * tests/trpo/linalg/kernels_test.c.
 *
 * e^x: x = n ln 2 + r with n = round(x / ln 2), e^r - 1 = r + r^2 q(r), where q is the polynomial
 * that interpolates (e^r - 1 - r) / r^2 in the Chebyshev nodes of |r| <= 0.35. ln 2 is split in two
 * so that n LN2_HIGH is exact without a fused multiply-add. Adding MAGIC, 1.5 2^MANTISSA, rounds to
 * an integer and leaves it in the low bits.
 *
 * tanh |x| = t / (t + 2) with t = e^y - 1 = 2^n (e^r - 1) + (2^n - 1), y = 2 |x|. Nothing cancels;
 * tanh is exactly odd, +-1 beyond TANH_LIMIT, and NaN stays NaN.
 *
 * log x: x = 2^e m with m in [sqrt(1/2), sqrt 2), f = m - 1, s = f / (2 + f); then
 * log m = 2 atanh s = 2 s + s R, R = 2/3 s^2 + 2/5 s^4 + ..., and as 2 s = f - s f, it is
 * f - s (f - R), in which only small terms are rounded.
 */
#ifndef TRPO_LINALG_KERNELS_MATH_H
#define TRPO_LINALG_KERNELS_MATH_H

#include "trpo/linalg/kernels_simd.h"

#if TB_KERNELS_BITS == 32
#define TANH_LIMIT 9.5f /* 1 - tanh is below half an ulp from 9.02 on */
#define SIGN_BIT UINT32_C(0x80000000)
#define ONE_BITS UINT32_C(0x3f800000)
#define MANTISSA 23
#define EXP_LOW (-104.5f) /* e^x rounds to 0 */
#define EXP_HIGH 89.0f    /* e^x is above the largest number */
#define SQRT_HALF_BITS 0x3f3504f3
#define SMALLEST_NORMAL 0x1p-126f
#define MAGIC 12582912.0f
#define LN2_HIGH 0.693359375f
#define LN2_LOW (-2.12194440054690583e-4f)
/* error 5.2e-10 relative to e^r - 1 */
static const real exp_q[] = {0.50000000142765899f,  0.16666666682523656f,
                             0.041666456904062642f, 0.0083333100347068676f,
                             0.001393453165508802f, 0.00019891969905683137f};
#define LOG_TERMS 4 /* of R; the next one is below 2e-9 of the result */
#else
#define TANH_LIMIT 19.5 /* 1 - tanh is below half an ulp from 19.07 on */
#define SIGN_BIT UINT64_C(0x8000000000000000)
#define ONE_BITS UINT64_C(0x3ff0000000000000)
#define MANTISSA 52
#define EXP_LOW (-746.5)
#define EXP_HIGH 710.0
#define SQRT_HALF_BITS 0x3fe6a09e667f3bcd
#define SMALLEST_NORMAL 0x1p-1022
#define MAGIC 6755399441055744.0
#define LN2_HIGH 0.693145751953125
#define LN2_LOW 1.42860682030941723212e-6
/* error 5.4e-19 relative to e^r - 1 */
static const real exp_q[] = {0.5,
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
#define LOG_TERMS 10 /* the next one is below 6e-19 */
#endif

#define EXP_TERMS ((int)(sizeof exp_q / sizeof *exp_q))

/* x = n ln 2 + r: *p = e^r - 1, returns n + MAGIC. */
SIMD_INLINE vec reduce(vec x, vec *p)
{
    const vec magic = simd_all(MAGIC);
    const vec rounded = simd_fma(x, simd_all((real)1.44269504088896340736), magic);
    const vec n = rounded - magic;
    vec r = simd_fma(n, simd_all(-LN2_HIGH), x);
    r = simd_fma(n, simd_all(-LN2_LOW), r);
    vec q = simd_all(exp_q[EXP_TERMS - 1]);
    UNROLL for (int i = EXP_TERMS - 2; i >= 0; i--) q = simd_fma(q, r, simd_all(exp_q[i]));
    *p = simd_fma(r * r, q, r);
    return rounded;
}

SIMD_INLINE vec simd_tanh(vec x)
{
    const vec_bits sign = (vec_bits)x & ((vec_bits){0} + SIGN_BIT);
    const vec y = 2 * simd_min(simd_all(TANH_LIMIT), (vec)((vec_bits)x ^ sign));
    vec p;
    const vec rounded = reduce(y, &p);
    // t = e^y - 1; the shift moves n into the exponent and MAGIC out
    const vec two_n = (vec)(((vec_bits)rounded << MANTISSA) + ONE_BITS);
    const vec t = simd_fma(two_n, p, two_n - 1);
    return (vec)((vec_bits)(t / (t + 2)) | sign);
}

SIMD_INLINE vec simd_exp(vec x)
{
    vec p;
    const vec bounded = simd_max(simd_all(EXP_LOW), simd_min(simd_all(EXP_HIGH), x));
    const vec rounded = reduce(bounded, &p);
    // 2^n in two factors, because 2^n alone may be no normal number
    const vec_int n = (vec_int)((vec_bits)rounded - (vec_bits)simd_all(MAGIC)), half = n >> 1;
    const vec first = (vec)(((vec_bits)half << MANTISSA) + ONE_BITS);
    const vec second = (vec)(((vec_bits)(n - half) << MANTISSA) + ONE_BITS);
    return simd_fma(first, p, first) * second;
}

SIMD_INLINE vec simd_log(vec x)
{
    const vec lowest = simd_all(SMALLEST_NORMAL), zero = {0};
    const vec_bits denormal = (vec_bits)(x < lowest);
    const vec scale = simd_all((real)(UINT64_C(1) << MANTISSA));
    const vec normal = simd_select(denormal, x * scale, x);
    // x = 2^e m
    const vec_int above = (vec_int)((vec_bits)normal - SQRT_HALF_BITS), e = above >> MANTISSA;
    const vec m = (vec)((vec_bits)above - ((vec_bits)e << MANTISSA) + SQRT_HALF_BITS);
    const vec magic = simd_all(MAGIC);
    vec power = (vec)((vec_bits)magic + (vec_bits)e) - magic;
    power -= simd_select(denormal, simd_all(MANTISSA), zero);
    // log m = f - s (f - R)
    const vec f = m - 1, s = f / (f + 2), z = s * s;
    vec r = simd_all((real)2 / (2 * LOG_TERMS + 1));
    UNROLL for (int i = LOG_TERMS - 1; i > 0; i--) r =
        simd_fma(r, z, simd_all((real)2 / (real)(2 * i + 1)));
    const vec log_m = simd_fma(-s, f - z * r, f);
    const vec y = simd_fma(power, simd_all(LN2_HIGH), simd_fma(power, simd_all(LN2_LOW), log_m));
    // what is no positive number
    const vec infinity = simd_all((real)__builtin_inf()), nan = simd_all((real)__builtin_nan(""));
    const vec special = simd_select((vec_bits)(x == zero), -infinity, nan);
    return simd_select((vec_bits)(x > zero), simd_select((vec_bits)(x < infinity), y, x), special);
}

#endif
