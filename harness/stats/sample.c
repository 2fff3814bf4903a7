/* SPDX-License-Identifier: MIT */
#include "harness/stats/sample.h"

#include <math.h>
#include <stdlib.h>

double tb_stats_mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return n > 0 ? sum / (double)n : NAN;
}

double tb_stats_sd(const double *x, size_t n)
{
    if (n < 2)
        return NAN;
    double mean = tb_stats_mean(x, n), sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sqrt(sum / (double)(n - 1));
}

static int has_nan(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i]))
            return 1;
    return 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void insertion_sort(double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double moved = x[i];
        size_t j = i;
        for (; j > 0 && x[j - 1] > moved; j--)
            x[j] = x[j - 1];
        x[j] = moved;
    }
}

void tb_stats_sort(double *x, size_t n)
{
    // a bootstrap sorts few values very often: there the simple sort is the fast one
    if (n <= 64)
        insertion_sort(x, n);
    else
        qsort(x, n, sizeof x[0], compare);
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

// Hoare's partition of x[low .. high] around its middle value: on return everything up to the
// returned index is <= everything behind it. Equal values are spread over both sides, so that a
// bootstrap's many ties do not make it quadratic.
static size_t partition(double *x, size_t low, size_t high)
{
    size_t middle = low + (high - low) / 2;
    if (x[middle] < x[low])
        swap(&x[middle], &x[low]);
    if (x[high] < x[low])
        swap(&x[high], &x[low]);
    if (x[high] < x[middle])
        swap(&x[high], &x[middle]);
    double pivot = x[middle];
    size_t i = low, j = high;
    for (;;) {
        while (x[i] < pivot)
            i++;
        while (x[j] > pivot)
            j--;
        if (i >= j)
            return j;
        swap(&x[i++], &x[j--]);
    }
}

// moves the k-th smallest to x[k], nothing larger before it, nothing smaller behind it
static void select_kth(double *x, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (high - low > 16) {
        size_t cut = partition(x, low, high);
        if (k <= cut)
            high = cut;
        else
            low = cut + 1;
    }
    insertion_sort(x + low, high - low + 1);
}

double tb_stats_percentile(double *x, size_t n, double q)
{
    if (n == 0 || !(q >= 0 && q <= 100) || has_nan(x, n))
        return NAN;
    double position = q / 100 * (double)(n - 1);
    size_t k = (size_t)position;
    double fraction = position - (double)k;
    select_kth(x, n, k);
    if (fraction <= 0 || k + 1 >= n)
        return x[k];
    // the next order statistic is the smallest of what stands behind
    double next = x[k + 1];
    for (size_t i = k + 2; i < n; i++)
        next = x[i] < next ? x[i] : next;
    // between an infinity and anything else there is nothing to interpolate: no inf - inf
    return isinf(x[k]) ? x[k] : x[k] + fraction * (next - x[k]);
}

double tb_stats_median(double *x, size_t n)
{
    return tb_stats_percentile(x, n, 50);
}

double tb_stats_iqm(double *x, size_t n)
{
    if (n == 0 || has_nan(x, n))
        return NAN;
    tb_stats_sort(x, n);
    size_t k = n / 4;
    return tb_stats_mean(x + k, n - 2 * k);
}

double tb_stats_optimality_gap(const double *x, size_t n, double gamma)
{
    double sum = 0;
    // !(x > gamma) keeps a NaN, fmin would drop it
    for (size_t i = 0; i < n; i++)
        sum += x[i] > gamma ? gamma : x[i];
    return n > 0 ? gamma - sum / (double)n : NAN;
}
