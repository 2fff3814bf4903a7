/* SPDX-License-Identifier: MIT
 *
 * One element type and one vector register of the instruction set level that mlp_kernels.c is
 * compiled for: MLP_LEVEL is 1 (baseline), 3 (x86-64-v3) or 4 (x86-64-v4), MLP_BITS is 32 (float)
 * or 64 (double). GCC vector types with their plain operators, and what these cannot say:
 *
 *   simd_fma(a, b, c)         a b + c, rounded once on levels 3 and 4, twice on the baseline
 *   simd_min(a, b)            a < b ? a : b in each lane: a NaN in b comes through
 *   simd_max(a, b)            a > b ? a : b in each lane: a NaN in b comes through
 *   simd_load_part(p, n)      the first n elements, then zeros; touches nothing beyond
 *   simd_store_part(p, n, v)  writes the first n elements, 1 <= n <= LANES
 */
#ifndef MLP_SIMD_H
#define MLP_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of a register, and the register tile: TILE_ROWS x TILE_VECS accumulators. */
#define TILE_ROWS 6
#if MLP_LEVEL == 4
#define SIMD_BYTES 64
#define TILE_VECS 4
#elif MLP_LEVEL == 3
#define SIMD_BYTES 32
#define TILE_VECS 2
#else
#define SIMD_BYTES 16
#define TILE_VECS 2
#endif

#if MLP_BITS == 32
typedef float real;
typedef uint32_t real_bits;
#else
typedef double real;
typedef uint64_t real_bits;
#endif
typedef real vec __attribute__((vector_size(SIMD_BYTES)));
typedef real_bits vec_bits __attribute__((vector_size(SIMD_BYTES)));

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

#if MLP_LEVEL >= 3

#include <immintrin.h>

#if MLP_LEVEL == 4 && MLP_BITS == 32
#define NATIVE(op) _mm512_##op##_ps
#define NATIVE_VEC __m512
#define MASK __mmask16
#elif MLP_LEVEL == 4
#define NATIVE(op) _mm512_##op##_pd
#define NATIVE_VEC __m512d
#define MASK __mmask8
#elif MLP_BITS == 32
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
#if MLP_LEVEL == 4
    return (MASK)((1u << n) - 1);
#elif MLP_BITS == 32
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
#else
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x((int64_t)n), _mm256_setr_epi64x(0, 1, 2, 3));
#endif
}

SIMD_INLINE vec simd_load_part(const real *p, size_t n)
{
#if MLP_LEVEL == 4
    return (vec)NATIVE(maskz_loadu)(simd_first(n), p);
#else
    return (vec)NATIVE(maskload)(p, simd_first(n));
#endif
}

SIMD_INLINE void simd_store_part(real *p, size_t n, vec v)
{
#if MLP_LEVEL == 4
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
    const vec_bits take_a = (vec_bits)(a < b);
    return (vec)((take_a & (vec_bits)a) | (~take_a & (vec_bits)b));
}

SIMD_INLINE vec simd_max(vec a, vec b)
{
    const vec_bits take_a = (vec_bits)(a > b);
    return (vec)((take_a & (vec_bits)a) | (~take_a & (vec_bits)b));
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
