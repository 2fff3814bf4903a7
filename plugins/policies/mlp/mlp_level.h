/* SPDX-License-Identifier: MIT
 *
 * All kernels of one instruction set level, in float and double. Included by mlp_baseline.c,
 * mlp_v3.c and mlp_v4.c, each of which sets MLP_LEVEL and is compiled with its own -march.
 */
#include <stddef.h>
#include <string.h>

#include "mlp_kernels.h"
#include "mlp_simd.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* float: q of degree 5, interpolation error 5.2e-10 relative to e^r - 1 */
#define REAL float
#define VEC simd_f32
#define BITS simd_u32
#define NAME(x) x##_f32
#define FMA simd_fma_f32
#define simd_min simd_min_f32
#define simd_max simd_max_f32
#define TANH_TERMS 6
#define TANH_Q                                                                                     \
    {                                                                                              \
        0.50000000142765899f, 0.16666666682523656f, 0.041666456904062642f, 0.0083333100347068676f, \
            0.001393453165508802f, 0.00019891969905683137f                                         \
    }
#define TANH_LIMIT 9.5f /* 1 - tanh is below half an ulp from 9.02 on */
#define TANH_SIGN UINT32_C(0x80000000)
#define TANH_ONE UINT32_C(0x3f800000)
#define TANH_MANTISSA 23
#define TANH_MAGIC 12582912.0f
#define TANH_LN2_HIGH 0.693359375f
#define TANH_LN2_LOW (-2.12194440054690583e-4f)
#include "mlp_real.h"
#undef REAL
#undef VEC
#undef BITS
#undef NAME
#undef FMA
#undef simd_min
#undef simd_max
#undef TANH_TERMS
#undef TANH_Q
#undef TANH_LIMIT
#undef TANH_SIGN
#undef TANH_ONE
#undef TANH_MANTISSA
#undef TANH_MAGIC
#undef TANH_LN2_HIGH
#undef TANH_LN2_LOW

/* double: q of degree 10, interpolation error 5.4e-19 */
#define REAL double
#define VEC simd_f64
#define BITS simd_u64
#define NAME(x) x##_f64
#define FMA simd_fma_f64
#define simd_min simd_min_f64
#define simd_max simd_max_f64
#define TANH_TERMS 11
#define TANH_Q                                                                                     \
    {                                                                                              \
        0.5, 0.16666666666666671, 0.041666666666666671, 0.0083333333333255512,                     \
            0.0013888888888883332, 0.00019841269876840357, 2.480158732699005e-05,                  \
            2.7557252863367322e-06, 2.7557271831536131e-07, 2.5106262550879078e-08,                \
            2.0915433598076003e-09                                                                 \
    }
#define TANH_LIMIT 19.5 /* 1 - tanh is below half an ulp from 19.07 on */
#define TANH_SIGN UINT64_C(0x8000000000000000)
#define TANH_ONE UINT64_C(0x3ff0000000000000)
#define TANH_MANTISSA 52
#define TANH_MAGIC 6755399441055744.0
#define TANH_LN2_HIGH 0.693145751953125
#define TANH_LN2_LOW 1.42860682030941723212e-6
#include "mlp_real.h"

/* the table that mlp.c chooses from */
#define LEVEL_KERNELS                                                                              \
    {                                                                                              \
        {forward_f32, jvp_f32, vjp_f32},                                                           \
        {                                                                                          \
            forward_f64, jvp_f64, vjp_f64                                                          \
        }                                                                                          \
    }
