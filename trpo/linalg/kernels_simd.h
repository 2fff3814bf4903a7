/* SPDX-License-Identifier: MIT
 *
 * One element type and one vector register of the instruction set level that kernels_body.h is
 * compiled for: TB_KERNELS_LEVEL is 1 (baseline), 3 (x86-64-v3) or 4 (x86-64-v4), TB_KERNELS_BITS
 * is 32 (float) or 64 (double). GCC vector types with their plain operators, and what these cannot
 * say:
 *
 *   simd_fma(a, b, c)         a b + c, rounded once on levels 3 and 4, twice on the baseline
 *   simd_min(a, b)            a < b ? a : b in each lane: a NaN in b comes through
 *   simd_max(a, b)            a > b ? a : b in each lane: a NaN in b comes through
 *   simd_load_part(p, n)      the first n elements, then zeros; touches nothing beyond
 *   simd_store_part(p, n, v)  writes the first n elements, 1 <= n <= LANES
 */
#ifndef TRPO_LINALG_KERNELS_SIMD_H
#define TRPO_LINALG_KERNELS_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of a register, and the register tiles: TILE_ROWS x TILE_VECS accumulators, or TALL_ROWS x
 * TALL_VECS where there are few columns. */
#define TILE_ROWS 6
#define TALL_ROWS 12
#define TALL_VECS (TILE_VECS / 2)
#if TB_KERNELS_LEVEL == 4
#define SIMD_BYTES 64
#define TILE_VECS 4
#elif TB_KERNELS_LEVEL == 3
#define SIMD_BYTES 32
#define TILE_VECS 2
#else
#define SIMD_BYTES 16
#define TILE_VECS 2
#endif

#if TB_KERNELS_BITS == 32
typedef float real;
typedef uint32_t real_bits;
typedef int32_t real_int;
#else
typedef double real;
typedef uint64_t real_bits;
typedef int64_t real_int;
#endif
typedef real vec __attribute__((vector_size(SIMD_BYTES)));
typedef real_bits vec_bits __attribute__((vector_size(SIMD_BYTES)));
typedef real_int vec_int __attribute__((vector_size(SIMD_BYTES)));

#define LANES (SIMD_BYTES / sizeof(real))

#define SIMD_INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

SIMD_INLINE vec simd_load(const real *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

SIMD_INLINE void simd_store(real *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

/* The same number in each lane. */
SIMD_INLINE vec simd_all(real x)
{
    return x - (vec){0};
}

/* a where the mask's bits are set, else b. */
SIMD_INLINE vec simd_select(vec_bits mask, vec a, vec b)
{
    return (vec)((mask & (vec_bits)a) | (~mask & (vec_bits)b));
}

#if TB_KERNELS_LEVEL >= 3

#include <immintrin.h>

#if TB_KERNELS_LEVEL == 4 && TB_KERNELS_BITS == 32
#define NATIVE(op) _mm512_##op##_ps
#define NATIVE_VEC __m512
#define MASK __mmask16
#elif TB_KERNELS_LEVEL == 4
#define NATIVE(op) _mm512_##op##_pd
#define NATIVE_VEC __m512d
#define MASK __mmask8
#elif TB_KERNELS_BITS == 32
#define NATIVE(op) _mm256_##op##_ps
#define NATIVE_VEC __m256
#define MASK __m256i
#else
#define NATIVE(op) _mm256_##op##_pd
#define NATIVE_VEC __m256d
#define MASK __m256i
#endif

SIMD_INLINE vec simd_fma(vec a, vec b, vec c)
{
    return (vec)NATIVE(fmadd)((NATIVE_VEC)a, (NATIVE_VEC)b, (NATIVE_VEC)c);
}

SIMD_INLINE vec simd_min(vec a, vec b)
{
    return (vec)NATIVE(min)((NATIVE_VEC)a, (NATIVE_VEC)b);
}

SIMD_INLINE vec simd_max(vec a, vec b)
{
    return (vec)NATIVE(max)((NATIVE_VEC)a, (NATIVE_VEC)b);
}

/* Selects the first n lanes. */
SIMD_INLINE MASK simd_first(size_t n)
{
#if TB_KERNELS_LEVEL == 4
    return (MASK)((1u << n) - 1);
#elif TB_KERNELS_BITS == 32
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
#else
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x((int64_t)n), _mm256_setr_epi64x(0, 1, 2, 3));
#endif
}

SIMD_INLINE vec simd_load_part(const real *p, size_t n)
{
#if TB_KERNELS_LEVEL == 4
    return (vec)NATIVE(maskz_loadu)(simd_first(n), p);
#else
    return (vec)NATIVE(maskload)(p, simd_first(n));
#endif
}

SIMD_INLINE void simd_store_part(real *p, size_t n, vec v)
{
#if TB_KERNELS_LEVEL == 4
    NATIVE(mask_storeu)(p, simd_first(n), (NATIVE_VEC)v);
#else
    NATIVE(maskstore)(p, simd_first(n), (NATIVE_VEC)v);
#endif
}

#else

SIMD_INLINE vec simd_fma(vec a, vec b, vec c)
{
    return a * b + c;
}

SIMD_INLINE vec simd_min(vec a, vec b)
{
    return simd_select((vec_bits)(a < b), a, b);
}

SIMD_INLINE vec simd_max(vec a, vec b)
{
    return simd_select((vec_bits)(a > b), a, b);
}

SIMD_INLINE vec simd_load_part(const real *p, size_t n)
{
    vec v = {0};
    UNROLL for (size_t i = 0; i < LANES; i++)
    {
        if (i < n)
            v[i] = p[i];
    }
    return v;
}

SIMD_INLINE void simd_store_part(real *p, size_t n, vec v)
{
    UNROLL for (size_t i = 0; i < LANES; i++)
    {
        if (i < n)
            p[i] = v[i];
    }
}

#endif

#endif
