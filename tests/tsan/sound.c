/* SPDX-License-Identifier: MIT
 *
 * The ways in which the program shares memory between threads, each used correctly: the thread
 * sanitizer must be silent. An OpenMP runtime that it cannot look into would give alarms here.
 */
#include <stdio.h>

enum { n = 1000, shard = 50, n_shards = n / shard };

/* Shards summed by whoever is free, then merged in a fixed order. */
static double sum_of_shards(void)
{
    double part[n_shards] = {0};
#pragma omp parallel for schedule(dynamic, 1)
    for (int s = 0; s < n_shards; s++)
        for (int i = s * shard; i < (s + 1) * shard; i++)
            part[s] += i;
    double total = 0;
    for (int s = 0; s < n_shards; s++)
        total += part[s];
    return total;
}

static double sum_by_reduction(void)
{
    double total = 0;
#pragma omp parallel for reduction(+ : total)
    for (int i = 0; i < n; i++)
        total += i;
    return total;
}

/* What one thread wrote, the others read after the barrier. */
static double sum_behind_barrier(void)
{
    double value = 0, total = 0;
#pragma omp parallel
    {
#pragma omp single
        value = 3;
        double mine = value;
#pragma omp barrier
#pragma omp master
        value = 5;
#pragma omp barrier
        mine += value;
#pragma omp critical
        total += mine == 8 ? 0 : 1;
    }
    return total;
}

static long count_atomically(void)
{
    long count = 0;
#pragma omp parallel for
    for (int i = 0; i < n; i++) {
#pragma omp atomic
        count++;
    }
    return count;
}

int main(void)
{
    double expected = n * (n - 1) / 2.0;
    // the second round runs on threads that wait since the first
    for (int round = 0; round < 2; round++) {
        double shards = sum_of_shards(), reduction = sum_by_reduction();
        double barrier = sum_behind_barrier();
        long count = count_atomically();
        if (shards != expected || reduction != expected || barrier != 0 || count != n) {
            printf("shards %g, reduction %g, expected %g; barrier %g, count %ld\n", shards,
                   reduction, expected, barrier, count);
            return 1;
        }
    }
    return 0;
}
