/* SPDX-License-Identifier: MIT
 *
 * What the benchmarks share: figures that are measured in turn, round after round, each beside its
 * limit in the same round, the multiply-add peak or another figure (the clock of a shared machine
 * drifts, and other programs come and go: compare shares, not times), and their output as a table
 * or as JSON.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdio.h>

enum { BENCH_MAX_ROUNDS = 99 };

typedef struct bench_figure bench_figure;
struct bench_figure {
    char name[64];    /* "forward 17-64-64-6, 64 rows" */
    const char *unit; /* what one item is: "row", "element", "product" */
    double items;     /* a call */
    double flops;     /* a call, useful ones only; 0: no share of the peak */
    int threads;      /* that the call uses; the peak is that of as many */
    /* Another figure of the run, before this one, that is the limit instead of the peak: the share
     * is its time for an item by this one's. Or NULL. */
    const bench_figure *limit;
    void (*call)(void *);
    void *arg;
    double seconds[BENCH_MAX_ROUNDS]; /* a call, each round */
    double share[BENCH_MAX_ROUNDS];   /* of the limit right beside it */
};

typedef struct bench_options {
    int rounds;       /* --rounds=N */
    double seconds;   /* --seconds=S: of each measurement */
    int json;         /* --json */
    const char *only; /* --only=TEXT: figures whose name has it; NULL = all */
} bench_options;

/* The clock for work of so many threads: processor time of the calling thread for one (other
 * programs on its core do not count), else wall-clock time. */
double bench_clock(int threads);

/* Reads the command line; prints usage and ends the program when it is wrong. */
bench_options bench_parse(int argc, char **argv, const char *what);

/* Ends the program with a message. */
void bench_stop(const char *what, const char *why) __attribute__((noreturn));

/* Zeroed, aligned to 64 bytes; never NULL. Freed by free(). */
void *bench_alloc(size_t count, size_t size);

/* Measures all figures round by round, then prints them: medians, and the best of all rounds.
 * `limit` says what the shares are of: "multiply-add peak". */
void bench_run(const char *program, const char *limit, const bench_options *options,
               bench_figure *figures, size_t n);

/* Middle of n numbers; sorts them. */
double bench_median(double *numbers, int n);

#endif
