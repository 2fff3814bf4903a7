/* SPDX-License-Identifier: MIT */
#include "sums.h"

#include <math.h>

enum { block = 128, wide = 8 };

double tb_mj_clip(double x, double low, double high)
{
    double raised = x < low ? low : x;
    return raised > high ? high : raised;
}

double tb_mj_pow2(double x)
{
    // volatile: no compiler turns it into x * x, which may differ in the last bit
    volatile double two = 2;
    return pow(x, two);
}

// where numpy divides a long sum into two
static uint64_t half_of(uint64_t n)
{
    uint64_t half = n / 2;
    return half - half % wide;
}

double tb_mj_clipped_square_sum(const double *x, uint64_t n, double low, double high)
{
    double sum[wide], total = 0;
    uint64_t i, j;
    if (n > block) {
        uint64_t half = half_of(n);
        return tb_mj_clipped_square_sum(x, half, low, high) +
               tb_mj_clipped_square_sum(x + half, n - half, low, high);
    }
    for (i = 0; i + wide <= n; i += wide)
        for (j = 0; j < wide; j++) {
            double limited = tb_mj_clip(x[i + j], low, high);
            sum[j] = i == 0 ? limited * limited : sum[j] + limited * limited;
        }
    if (n >= wide)
        total = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    for (; i < n; i++) {
        double limited = tb_mj_clip(x[i], low, high);
        total += limited * limited;
    }
    return total;
}

double tb_mj_square_sum(const double *x, uint64_t n)
{
    return tb_mj_clipped_square_sum(x, n, -INFINITY, INFINITY);
}

float tb_mj_square_sum_f32(const float *x, uint64_t n)
{
    float sum[wide], total = 0;
    uint64_t i, j;
    if (n > block) {
        uint64_t half = half_of(n);
        return tb_mj_square_sum_f32(x, half) + tb_mj_square_sum_f32(x + half, n - half);
    }
    for (i = 0; i + wide <= n; i += wide)
        for (j = 0; j < wide; j++)
            sum[j] = i == 0 ? x[j] * x[j] : sum[j] + x[i + j] * x[i + j];
    if (n >= wide)
        total = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    for (; i < n; i++)
        total += x[i] * x[i];
    return total;
}

double tb_mj_distance(const double a[3], const double b[3])
{
    double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return sqrt(fma(z, z, fma(y, y, x * x)));
}
