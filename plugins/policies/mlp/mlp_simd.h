/* SPDX-License-Identifier: MIT
 *
 * One vector register of the instruction set level that the including file is compiled for
 * (MLP_LEVEL: 1 baseline, 3 x86-64-v3, 4 x86-64-v4) as GCC vector types, and the three operations
 * that plain C operators cannot say: fused multiply-add, minimum and maximum.
 *
 * simd_min(a, b) is a < b ? a : b and simd_max(a, b) is a > b ? a : b: a NaN in b comes through.
 * simd_fma(a, b, c) is a b + c, rounded once on levels 3 and 4, twice on the baseline.
 */
#ifndef MLP_SIMD_H
#define MLP_SIMD_H

#include <stdint.h>

#if MLP_LEVEL == 4
#define SIMD_BYTES 64
#define SIMD_ROWS 6 /* register tile: SIMD_ROWS x SIMD_VECS accumulators */
#define SIMD_VECS 4
#elif MLP_LEVEL == 3
#define SIMD_BYTES 32
#define SIMD_ROWS 6
#define SIMD_VECS 2
#else
#define SIMD_BYTES 16
#define SIMD_ROWS 6
#define SIMD_VECS 2
#endif

typedef float simd_f32 __attribute__((vector_size(SIMD_BYTES)));
typedef double simd_f64 __attribute__((vector_size(SIMD_BYTES)));
typedef uint32_t simd_u32 __attribute__((vector_size(SIMD_BYTES)));
typedef uint64_t simd_u64 __attribute__((vector_size(SIMD_BYTES)));

#if defined(__x86_64__)
#include <immintrin.h>
#define SIMD_OP2(name, vector, native, op)                                                         \
    static inline __attribute__((always_inline)) vector name(vector a, vector b)                   \
    {                                                                                              \
        return (vector)op((native)a, (native)b);                                                   \
    }
#define SIMD_OP3(name, vector, native, op)                                                         \
    static inline __attribute__((always_inline)) vector name(vector a, vector b, vector c)         \
    {                                                                                              \
        return (vector)op((native)a, (native)b, (native)c);                                        \
    }
#if MLP_LEVEL == 4
SIMD_OP2(simd_min_f32, simd_f32, __m512, _mm512_min_ps)
SIMD_OP2(simd_max_f32, simd_f32, __m512, _mm512_max_ps)
SIMD_OP3(simd_fma_f32, simd_f32, __m512, _mm512_fmadd_ps)
SIMD_OP2(simd_min_f64, simd_f64, __m512d, _mm512_min_pd)
SIMD_OP2(simd_max_f64, simd_f64, __m512d, _mm512_max_pd)
SIMD_OP3(simd_fma_f64, simd_f64, __m512d, _mm512_fmadd_pd)
#elif MLP_LEVEL == 3
SIMD_OP2(simd_min_f32, simd_f32, __m256, _mm256_min_ps)
SIMD_OP2(simd_max_f32, simd_f32, __m256, _mm256_max_ps)
SIMD_OP3(simd_fma_f32, simd_f32, __m256, _mm256_fmadd_ps)
SIMD_OP2(simd_min_f64, simd_f64, __m256d, _mm256_min_pd)
SIMD_OP2(simd_max_f64, simd_f64, __m256d, _mm256_max_pd)
SIMD_OP3(simd_fma_f64, simd_f64, __m256d, _mm256_fmadd_pd)
#else
SIMD_OP2(simd_min_f32, simd_f32, __m128, _mm_min_ps)
SIMD_OP2(simd_max_f32, simd_f32, __m128, _mm_max_ps)
SIMD_OP2(simd_min_f64, simd_f64, __m128d, _mm_min_pd)
SIMD_OP2(simd_max_f64, simd_f64, __m128d, _mm_max_pd)
#endif
#else
#define SIMD_SELECT(name, vector, bits, order)                                                     \
    static inline vector name(vector a, vector b)                                                  \
    {                                                                                              \
        bits take_a = (bits)(a order b);                                                           \
        return (vector)((take_a & (bits)a) | (~take_a & (bits)b));                                 \
    }
SIMD_SELECT(simd_min_f32, simd_f32, simd_u32, <)
SIMD_SELECT(simd_max_f32, simd_f32, simd_u32, >)
SIMD_SELECT(simd_min_f64, simd_f64, simd_u64, <)
SIMD_SELECT(simd_max_f64, simd_f64, simd_u64, >)
#endif

#if MLP_LEVEL == 1
static inline simd_f32 simd_fma_f32(simd_f32 a, simd_f32 b, simd_f32 c)
{
    return a * b + c;
}
static inline simd_f64 simd_fma_f64(simd_f64 a, simd_f64 b, simd_f64 c)
{
    return a * b + c;
}
#endif

#endif
