/* SPDX-License-Identifier: MIT
 *
 * Time of forward, jvp and vjp of the mlp plugin, in ns a row and as a share of the fused
 * multiply-add peak measured in the same run (the clock of a shared machine drifts: compare shares,
 * not times). Each number is the median of REPEATS samples of at least 1 ms.
 *
 *     mlp-bench [n_in n_out]        hidden = [64, 64], float32; TRPO_BENCH_ISA chooses the level
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trpo-bench/policy.h>

#define REPEATS 21
#define WIDTH 64 /* of the two hidden layers: the plugin's default */

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Median seconds of one call of `work`. */
static double median_seconds(void (*work)(void *), void *arg)
{
    double sample[REPEATS];
    for (int i = 0; i < REPEATS; i++) {
        long calls = 0;
        double begin = seconds(), end;
        do {
            for (int j = 0; j < 16; j++)
                work(arg);
            calls += 16;
            end = seconds();
        } while (end - begin < 1e-3);
        sample[i] = (end - begin) / (double)calls;
    }
    qsort(sample, REPEATS, sizeof *sample, ascending);
    return sample[REPEATS / 2];
}

/* ---- peak: independent multiply-adds in registers ---- */

#define PEAK_STEPS 256
#define PEAK_CHAINS 12
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 12")
#endif

#if defined(__x86_64__)
#define PEAK(name, level, bytes)                                                                   \
    __attribute__((target(level))) static void name(void *sink)                                    \
    {                                                                                              \
        typedef float vec __attribute__((vector_size(bytes)));                                     \
        vec chain[PEAK_CHAINS], scale = (vec){0} + *(volatile float *)sink;                        \
        UNROLL for (int c = 0; c < PEAK_CHAINS; c++) chain[c] = scale + (float)c;                  \
        for (int k = 0; k < PEAK_STEPS; k++)                                                       \
            UNROLL for (int c = 0; c < PEAK_CHAINS; c++) PEAK_STEP_##bytes(chain[c], scale);       \
        vec sum = chain[0];                                                                        \
        UNROLL for (int c = 1; c < PEAK_CHAINS; c++) sum += chain[c];                              \
        memcpy((float *)sink + 16, &sum, sizeof sum);                                              \
    }
#define PEAK_STEP_64(c, s) __asm__("vfmadd213ps %1, %1, %0" : "+v"(c) : "v"(s))
#define PEAK_STEP_32(c, s) __asm__("vfmadd213ps %1, %1, %0" : "+x"(c) : "x"(s))
#define PEAK_STEP_16(c, s) ((c) = (c) * (s) + (s))
PEAK(peak_v4, "avx512f", 64)
PEAK(peak_v3, "avx2,fma", 32)
PEAK(peak_baseline, "sse2", 16)
#endif

/* Floating-point operations a second at the level that the plugin uses, or 0. */
static double peak_flops(void)
{
    static float sink[64] __attribute__((aligned(64))) = {0.5f};
#if defined(__x86_64__)
    const char *isa = getenv("TRPO_BENCH_ISA");
    const double flops = 2.0 * PEAK_STEPS * PEAK_CHAINS;
    if (isa ? strcmp(isa, "v4") == 0 : __builtin_cpu_supports("avx512f"))
        return 16 * flops / median_seconds(peak_v4, sink);
    if (isa ? strcmp(isa, "v3") == 0 : __builtin_cpu_supports("avx2"))
        return 8 * flops / median_seconds(peak_v3, sink);
    return 4 * flops / median_seconds(peak_baseline, sink);
#else
    (void)sink;
    return 0;
#endif
}

/* ---- the plugin ---- */

static tb_status default_i64(void *ctx, const char *key, int64_t *inout)
{
    (void)ctx, (void)key, (void)inout;
    return TB_OK;
}
static tb_status default_f64(void *ctx, const char *key, double *inout)
{
    (void)ctx, (void)key, (void)inout;
    return TB_OK;
}
static tb_status default_bool(void *ctx, const char *key, uint32_t *inout)
{
    (void)ctx, (void)key, (void)inout;
    return TB_OK;
}
static tb_status default_str(void *ctx, const char *key, const char **inout)
{
    (void)ctx, (void)key, (void)inout;
    return TB_OK;
}
static tb_status default_f64s(void *ctx, const char *key, double *buf, uint64_t cap, uint64_t *n)
{
    (void)ctx, (void)key, (void)buf, (void)cap, (void)n;
    return TB_OK;
}
static tb_status default_i64s(void *ctx, const char *key, int64_t *buf, uint64_t cap, uint64_t *n)
{
    (void)ctx, (void)key, (void)buf, (void)cap, (void)n;
    return TB_OK;
}

typedef struct bench {
    const tb_map_api *api;
    tb_map *map;
    uint64_t batch;
    float *theta, *x, *y, *v, *g;
    void *ws;
} bench;

static void run_forward(void *arg)
{
    const bench *b = arg;
    (void)b->api->forward(b->map, b->theta, b->x, b->batch, b->y, b->ws);
}

static void run_jvp(void *arg)
{
    const bench *b = arg;
    (void)b->api->jvp(b->map, b->theta, b->x, b->batch, b->ws, b->v, b->y);
}

static void run_vjp(void *arg)
{
    const bench *b = arg;
    (void)b->api->vjp(b->map, b->theta, b->x, b->batch, b->ws, b->y, b->g);
}

static int create(bench *b, uint64_t n_in, uint64_t n_out)
{
    const tb_params params = {sizeof params, 0,           NULL,         default_i64, default_f64,
                              default_bool,  default_str, default_f64s, default_i64s};
    tb_map_spec spec = {.struct_size = sizeof spec,
                        .dtype = TB_F32,
                        .n_in = n_in,
                        .n_out = n_out,
                        .in_shape = &n_in,
                        .in_ndim = 1,
                        .out_gain = 1};
    char err[256] = "";
    void *handle = dlopen(MLP_PLUGIN, RTLD_NOW | RTLD_LOCAL), *symbol;
    const tb_entry *(*entry)(void);
    if (!handle || !(symbol = dlsym(handle, "tb_plugin_entry"))) {
        fprintf(stderr, "mlp-bench: %s\n", dlerror());
        return 0;
    }
    memcpy(&entry, &symbol, sizeof entry);
    const tb_map_factory *factory = entry()->get_factory(TB_MAP_FACTORY);
    if (factory->create(NULL, "mlp", &spec, &params, &b->api, &b->map, err, sizeof err) != TB_OK) {
        fprintf(stderr, "mlp-bench: %s\n", err);
        return 0;
    }
    return 1;
}

static void *zeroed(uint64_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
    if (!p) {
        fprintf(stderr, "mlp-bench: out of memory\n");
        exit(1);
    }
    return memset(p, 0, bytes);
}

/* One line: ns a row and share of the peak of each call. Useful flops only. */
static void report(bench *b, uint64_t n_in, uint64_t n_out, uint64_t batch, double peak)
{
    const double first = 2.0 * (double)(n_in * WIDTH);
    const double rest = 2.0 * (double)(WIDTH * WIDTH + WIDTH * n_out);
    const double flops[3] = {first + rest, first + 2 * rest, first + 2 * rest};
    void (*const work[3])(void *) = {run_forward, run_jvp, run_vjp};
    b->batch = batch;
    b->x = zeroed(batch * n_in * sizeof(float));
    b->y = zeroed(batch * n_out * sizeof(float));
    b->ws = zeroed(b->api->ws_bytes(b->map, batch));
    for (uint64_t i = 0; i < batch * n_in; i++)
        b->x[i] = (float)(i % 7) * 0.25f - 0.75f;
    printf("%5lu", (unsigned long)batch);
    for (int i = 0; i < 3; i++) {
        const double row = median_seconds(work[i], b) / (double)batch;
        printf("   %7.1f ns %5.1f%%", 1e9 * row, peak > 0 ? 100 * flops[i] / row / peak : 0.0);
    }
    printf("\n");
    free(b->x);
    free(b->y);
    free(b->ws);
}

int main(int argc, char **argv)
{
    static const uint64_t batches[] = {1, 8, 64, 192};
    const tb_key key = {{1, 2}};
    uint64_t n_in = 4, n_out = 2;
    bench b;
    if (argc == 3) {
        n_in = strtoul(argv[1], NULL, 10);
        n_out = strtoul(argv[2], NULL, 10);
    }
    if (!create(&b, n_in, n_out))
        return 1;
    const uint64_t n_params = b.api->n_params(b.map);
    b.theta = zeroed(n_params * sizeof(float));
    b.v = zeroed(n_params * sizeof(float));
    b.g = zeroed(n_params * sizeof(float));
    if (b.api->init(b.map, b.theta, &key) != TB_OK || b.api->init(b.map, b.v, &key) != TB_OK)
        return 1;
    const double peak = peak_flops();
    printf("mlp %lu-64-64-%lu float32, multiply-add peak %.0f GFLOP/s\n", (unsigned long)n_in,
           (unsigned long)n_out, 1e-9 * peak);
    printf("batch   forward           jvp               vjp\n");
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        report(&b, n_in, n_out, batches[i], peak);
    free(b.theta);
    free(b.v);
    free(b.g);
    b.api->destroy(b.map);
    return 0;
}
