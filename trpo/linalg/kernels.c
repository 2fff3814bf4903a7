/* SPDX-License-Identifier: MIT */
#include "trpo/linalg/kernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static int always(void)
{
    return 1;
}

#if defined(__x86_64__)
static int has_v3(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

static int has_v4(void)
{
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

// best first; the last one runs everywhere
static const struct {
    int (*runs)(void);
    tb_kernels kernels;
} levels[] = {
#if defined(__x86_64__)
    {has_v4, {sizeof(tb_kernels), 1, "v4", &tb__kernels_v4_f32, &tb__kernels_v4_f64}},
    {has_v3, {sizeof(tb_kernels), 1, "v3", &tb__kernels_v3_f32, &tb__kernels_v3_f64}},
#endif
    {always,
     {sizeof(tb_kernels), 0, "baseline", &tb__kernels_baseline_f32, &tb__kernels_baseline_f64}},
};

const tb_kernels *tb_kernels_level(const char *isa)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].kernels.isa, isa) == 0)
            return levels[i].runs() ? &levels[i].kernels : NULL;
    return NULL;
}

static const tb_kernels *chosen;
static const char *wanted; // TRPO_BENCH_ISA as it was then

static void choose(void)
{
    wanted = getenv("TRPO_BENCH_ISA");
    if (wanted != NULL) {
        chosen = tb_kernels_level(wanted);
        return;
    }
    for (size_t i = 0; chosen == NULL; i++)
        if (levels[i].runs())
            chosen = &levels[i].kernels;
}

tb_status tb_kernels_get(const tb_kernels **out, tb_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, choose);
    *out = chosen;
    if (chosen == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "environment variable TRPO_BENCH_ISA = \"%s\": expected baseline, v3 or v4, "
                       "as far as this CPU has them; unset it to let the CPU decide",
                       wanted);
    return TB_OK;
}
