/* SPDX-License-Identifier: MIT
 *
 * tanh of one vector. tanh |x| = t / (t + 2) with t = e^y - 1, y = 2 |x|. With n = round(y / ln 2)
 * and r = y - n ln 2 it is t = 2^n (e^r - 1) + (2^n - 1), where e^r - 1 = r + r^2 q(r) and q is the
 * polynomial that interpolates (e^r - 1 - r) / r^2 in the Chebyshev nodes of |r| <= 0.35. Nothing
 * cancels: the error is at most 2.6 ulp, and 1e-7 in float (mlp_test.c measures it; glibc's tanhf
 * has 2.2 ulp). tanh is exactly odd, +-1 beyond TANH_LIMIT, and NaN stays NaN.
 *
 * ln 2 is split in two so that n TANH_LN2_HIGH is exact without a fused multiply-add. Adding
 * TANH_MAGIC, 1.5 2^TANH_MANTISSA, rounds to an integer and leaves it in the low bits, which a
 * shift by TANH_MANTISSA turns into the exponent of 2^n.
 */
#ifndef MLP_TANH_H
#define MLP_TANH_H

#include "mlp_simd.h"

#if MLP_BITS == 32
#define TANH_LIMIT 9.5f /* 1 - tanh is below half an ulp from 9.02 on */
#define TANH_SIGN UINT32_C(0x80000000)
#define TANH_ONE UINT32_C(0x3f800000)
#define TANH_MANTISSA 23
#define TANH_MAGIC 12582912.0f
#define TANH_LN2_HIGH 0.693359375f
#define TANH_LN2_LOW (-2.12194440054690583e-4f)
/* error 5.2e-10 relative to e^r - 1 */
static const real tanh_q[] = {0.50000000142765899f,  0.16666666682523656f,
                              0.041666456904062642f, 0.0083333100347068676f,
                              0.001393453165508802f, 0.00019891969905683137f};
#else
#define TANH_LIMIT 19.5 /* 1 - tanh is below half an ulp from 19.07 on */
#define TANH_SIGN UINT64_C(0x8000000000000000)
#define TANH_ONE UINT64_C(0x3ff0000000000000)
#define TANH_MANTISSA 52
#define TANH_MAGIC 6755399441055744.0
#define TANH_LN2_HIGH 0.693145751953125
#define TANH_LN2_LOW 1.42860682030941723212e-6
/* error 5.4e-19 relative to e^r - 1 */
static const real tanh_q[] = {0.5,
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
#endif

#define TANH_TERMS ((int)(sizeof tanh_q / sizeof *tanh_q))

SIMD_INLINE vec simd_tanh(vec x)
{
    const vec_bits sign = (vec_bits)x & ((vec_bits){0} + TANH_SIGN);
    const vec y = 2 * simd_min(simd_all(TANH_LIMIT), (vec)((vec_bits)x ^ sign));
    // y = n ln 2 + r
    const vec magic = simd_all(TANH_MAGIC);
    const vec rounded = simd_fma(y, simd_all((real)1.44269504088896340736), magic);
    const vec n = rounded - magic;
    const vec two_n = (vec)(((vec_bits)rounded << TANH_MANTISSA) + TANH_ONE);
    vec r = simd_fma(n, simd_all(-TANH_LN2_HIGH), y);
    r = simd_fma(n, simd_all(-TANH_LN2_LOW), r);
    // p = e^r - 1, t = e^y - 1
    vec q = simd_all(tanh_q[TANH_TERMS - 1]);
    UNROLL for (int i = TANH_TERMS - 2; i >= 0; i--) q = simd_fma(q, r, simd_all(tanh_q[i]));
    const vec p = simd_fma(r * r, q, r);
    const vec t = simd_fma(two_n, p, two_n - 1);
    return (vec)((vec_bits)(t / (t + 2)) | sign);
}

#endif
