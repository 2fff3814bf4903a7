/* SPDX-License-Identifier: MIT */
#include "trpo/theory/solve.h"

#include <math.h>

static void swap(double *a, double *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double x = a[i];
        a[i] = b[i];
        b[i] = x;
    }
}

static size_t largest_in_column(const double *a, size_t n, size_t k)
{
    size_t largest = k;
    for (size_t i = k + 1; i < n; i++)
        if (fabs(a[i * n + k]) > fabs(a[largest * n + k]))
            largest = i;
    return largest;
}

tb_status tb_lu_factor(double *a, size_t *pivot, size_t n, tb_error *error)
{
    for (size_t k = 0; k < n; k++) {
        pivot[k] = largest_in_column(a, n, k);
        if (pivot[k] != k)
            swap(a + k * n, a + pivot[k] * n, n);
        const double *row = a + k * n;
        // also catches NaN
        if (!(fabs(row[k]) > 0) || !isfinite(row[k]))
            return tb_fail(error, TB_E_NUMERIC,
                           "a linear system of %zu equations is singular or not finite (column "
                           "%zu)",
                           n, k);
        for (size_t i = k + 1; i < n; i++) {
            double *below = a + i * n;
            double factor = below[k] / row[k];
            below[k] = factor;
            // sparse rows stay sparse for long
            if (factor != 0)
                for (size_t j = k + 1; j < n; j++)
                    below[j] -= factor * row[j];
        }
    }
    return TB_OK;
}

void tb_lu_solve(const double *lu, const size_t *pivot, size_t n, double *x)
{
    // P
    for (size_t i = 0; i < n; i++)
        swap(x + i, x + pivot[i], 1);
    // L y = P x
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            x[i] -= lu[i * n + j] * x[j];
    // U x = y
    for (size_t i = n; i-- > 0;) {
        for (size_t j = i + 1; j < n; j++)
            x[i] -= lu[i * n + j] * x[j];
        x[i] /= lu[i * n + i];
    }
}

void tb_lu_solve_transposed(const double *lu, const size_t *pivot, size_t n, double *x)
{
    // A' = U' L' P, each by rows of LU: U' y = x
    for (size_t i = 0; i < n; i++) {
        x[i] /= lu[i * n + i];
        for (size_t j = i + 1; j < n; j++)
            x[j] -= lu[i * n + j] * x[i];
    }
    // L' z = y
    for (size_t i = n; i-- > 0;)
        for (size_t j = 0; j < i; j++)
            x[j] -= lu[i * n + j] * x[i];
    // P'
    for (size_t i = n; i-- > 0;)
        swap(x + i, x + pivot[i], 1);
}
