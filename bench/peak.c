/* SPDX-License-Identifier: MIT */
#include "bench/peak.h"

#include <omp.h>
#include <stdint.h>
#include <string.h>

#include "bench/measure.h"
#include "trpo/linalg/kernels.h"

enum { STEPS = 2048, CHAINS = 12 };

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 12")
#endif

#if defined(__x86_64__)
#define PEAK(name, level, bytes)                                                                   \
    __attribute__((target(level))) static void name(float *sink)                                   \
    {                                                                                              \
        typedef float vec __attribute__((vector_size(bytes)));                                     \
        vec chain[CHAINS], scale = (vec){0} + *(volatile float *)sink;                             \
        UNROLL for (int c = 0; c < CHAINS; c++) chain[c] = scale + (float)c;                       \
        for (int k = 0; k < STEPS; k++)                                                            \
            UNROLL for (int c = 0; c < CHAINS; c++) STEP_##bytes(chain[c], scale);                 \
        vec sum = chain[0];                                                                        \
        UNROLL for (int c = 1; c < CHAINS; c++) sum += chain[c];                                   \
        memcpy(sink + 16, &sum, sizeof sum);                                                       \
    }
#define STEP_64(c, s) __asm__("vfmadd213ps %1, %1, %0" : "+v"(c) : "v"(s))
#define STEP_32(c, s) __asm__("vfmadd213ps %1, %1, %0" : "+x"(c) : "x"(s))
#define STEP_16(c, s) ((c) = (c) * (s) + (s))
PEAK(peak_v4, "avx512f", 64)
PEAK(peak_v3, "avx2,fma", 32)
PEAK(peak_baseline, "sse2", 16)

double bench_peak(int threads, double seconds)
{
    const tb_kernels *kernels;
    if (tb_kernels_get(&kernels, NULL) != TB_OK)
        return 0;
    const int lanes = kernels->isa[1] == '4' ? 16 : kernels->isa[1] == '3' ? 8 : 4;
    void (*const work)(float *) = lanes == 16 ? peak_v4 : lanes == 8 ? peak_v3 : peak_baseline;
    long calls = 0;
    double elapsed = 0;
#pragma omp parallel num_threads(threads) reduction(+ : calls) reduction(max : elapsed)
    {
        float sink[64] __attribute__((aligned(64))) = {0.5f};
        const double begin = bench_clock(threads);
        do {
            work(sink);
            calls++;
            elapsed = bench_clock(threads) - begin;
        } while (elapsed < seconds);
    }
    return 2.0 * STEPS * CHAINS * lanes * (double)calls / elapsed;
}
#else
double bench_peak(int threads, double seconds)
{
    (void)threads, (void)seconds;
    return 0;
}
#endif
