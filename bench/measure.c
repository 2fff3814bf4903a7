/* SPDX-License-Identifier: MIT */
#include "bench/measure.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/peak.h"
#include "trpo/linalg/kernels.h"

double bench_clock(int threads)
{
    struct timespec t;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void bench_stop(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

void *bench_alloc(size_t count, size_t size)
{
    void *memory = tb_alloc(count, size);
    if (memory == NULL)
        bench_stop("benchmark", "out of memory");
    return memory;
}

bench_options bench_parse(int argc, char **argv, const char *what)
{
    bench_options options = {.rounds = 21, .seconds = 0.01};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            options.json = 1;
        else if (strncmp(argv[i], "--rounds=", 9) == 0)
            options.rounds = atoi(argv[i] + 9);
        else if (strncmp(argv[i], "--seconds=", 10) == 0)
            options.seconds = atof(argv[i] + 10);
        else if (strncmp(argv[i], "--only=", 7) == 0)
            options.only = argv[i] + 7;
        else
            options.rounds = 0;
    }
    if (options.rounds >= 1 && options.rounds <= BENCH_MAX_ROUNDS && options.seconds > 0)
        return options;
    fprintf(stderr,
            "Usage: %s [--json] [--only=TEXT] [--rounds=N] [--seconds=S]\n%s\n"
            "  --json       one JSON object instead of a table; two of them: bench/compare\n"
            "  --only=TEXT  figures whose name has TEXT in it\n"
            "  --rounds=N   measure each figure N times, 1 to %d (default: 21)\n"
            "  --seconds=S  the shortest measurement (default: 0.01)\n",
            argv[0], what, BENCH_MAX_ROUNDS);
    exit(2);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *numbers, int n)
{
    qsort(numbers, (size_t)n, sizeof *numbers, ascending);
    return n % 2 ? numbers[n / 2] : 0.5 * (numbers[n / 2 - 1] + numbers[n / 2]);
}

static double seconds_of_call(const bench_figure *f, double at_least)
{
    double elapsed;
    long calls = 0, block = 1;
    const double begin = bench_clock(f->threads);
    do {
        for (long i = 0; i < block; i++)
            f->call(f->arg);
        calls += block;
        elapsed = bench_clock(f->threads) - begin;
        // reading the clock costs some 200 ns: not after each call of a short one
        if (elapsed < 0.1 * at_least)
            block *= 2;
    } while (elapsed < at_least);
    return elapsed / (double)calls;
}

// the peaks of each round: one thread, two threads
static double peaks[2][BENCH_MAX_ROUNDS];

static void measure(const bench_options *options, bench_figure *figures, size_t n)
{
    for (int round = 0; round < options->rounds; round++) {
        for (int t = 0; t < 2; t++)
            peaks[t][round] = bench_peak(t + 1, 0.3 * options->seconds);
        for (size_t i = 0; i < n; i++) {
            bench_figure *f = &figures[i];
            omp_set_num_threads(f->threads);
            // a peak on either side: the clock may change in between
            const double before = bench_peak(f->threads, 0.1 * options->seconds);
            f->seconds[round] = seconds_of_call(f, options->seconds);
            const double after = bench_peak(f->threads, 0.1 * options->seconds);
            const double peak = 0.5 * (before + after);
            const bench_figure *limit = f->limit;
            if (limit != NULL)
                f->share[round] =
                    limit->seconds[round] / limit->items * f->items / f->seconds[round];
            else
                f->share[round] = peak > 0 ? f->flops / f->seconds[round] / peak : 0;
        }
    }
}

static int has_share(const bench_figure *f)
{
    return f->flops > 0 || f->limit != NULL;
}

static void print_json(const char *program, const char *limit, const bench_options *options,
                       bench_figure *figures, size_t n)
{
    const tb_kernels *kernels = NULL;
    (void)tb_kernels_get(&kernels, NULL);
    printf("{\"program\": \"%s\", \"isa\": \"%s\", \"compiler\": \"%s\", \"rounds\": %d, "
           "\"limit\": \"%s\",\n",
           program, kernels ? kernels->isa : "", __VERSION__, options->rounds, limit);
    printf(" \"peak_gflops\": [%.1f, %.1f],\n \"figures\": [", 1e-9 * peaks[0][options->rounds / 2],
           1e-9 * peaks[1][options->rounds / 2]);
    for (size_t i = 0; i < n; i++) {
        bench_figure *f = &figures[i];
        const int r = options->rounds;
        const double scale = 1e9 / f->items, seconds = bench_median(f->seconds, r);
        printf("%s\n  {\"name\": \"%s\", \"unit\": \"ns/%s\", \"median\": %.6g, \"best\": %.6g",
               i ? "," : "", f->name, f->unit, scale * seconds, scale * f->seconds[0]);
        const double share = bench_median(f->share, r);
        if (has_share(f))
            printf(", \"share\": %.4f, \"best_share\": %.4f", share, f->share[r - 1]);
        printf("}");
    }
    printf("]}\n");
}

static void print_table(const char *program, const char *limit, const bench_options *options,
                        bench_figure *figures, size_t n)
{
    const tb_kernels *kernels = NULL;
    (void)tb_kernels_get(&kernels, NULL);
    printf("%s: level %s, multiply-add peak %.0f GFLOP/s on one core, %.0f on two; medians of %d "
           "interleaved rounds; share: of the %s\n",
           program, kernels ? kernels->isa : "?", 1e-9 * peaks[0][options->rounds / 2],
           1e-9 * peaks[1][options->rounds / 2], options->rounds, limit);
    printf("%-46s %12s %12s  %-11s %7s %7s\n", "", "median", "best", "", "share", "best");
    for (size_t i = 0; i < n; i++) {
        bench_figure *f = &figures[i];
        const int r = options->rounds;
        const double scale = 1e9 / f->items, seconds = bench_median(f->seconds, r);
        printf("%-46s %12.4g %12.4g  ns/%-8s", f->name, scale * seconds, scale * f->seconds[0],
               f->unit);
        const double share = bench_median(f->share, r);
        if (has_share(f))
            printf(" %7.3f %7.3f", share, f->share[r - 1]);
        printf("\n");
    }
}

// figures that were not asked for go, but for the limits of others
static size_t keep(const bench_options *options, bench_figure *figures, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        int needed = options->only == NULL || strstr(figures[i].name, options->only) != NULL;
        for (size_t k = i + 1; !needed && k < n; k++)
            needed =
                figures[k].limit == &figures[i] && strstr(figures[k].name, options->only) != NULL;
        if (!needed)
            continue;
        for (size_t k = i + 1; k < n; k++)
            if (figures[k].limit == &figures[i])
                figures[k].limit = &figures[kept];
        figures[kept++] = figures[i];
    }
    return kept;
}

void bench_run(const char *program, const char *limit, const bench_options *options,
               bench_figure *figures, size_t n)
{
    n = keep(options, figures, n);
    measure(options, figures, n);
    for (int t = 0; t < 2; t++)
        (void)bench_median(peaks[t], options->rounds);
    (options->json ? print_json : print_table)(program, limit, options, figures, n);
}
