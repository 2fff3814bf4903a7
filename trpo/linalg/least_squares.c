/* SPDX-License-Identifier: MIT */
#include "trpo/linalg/least_squares.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/linalg/vec.h"

tb_status tb_least_squares_init(tb_least_squares *system, size_t n, tb_error *error)
{
    TB_ASSERT(n > 0);
    *system = (tb_least_squares){.n = n};
    // more than a size_t can count is too much memory as well
    if (n <= SIZE_MAX / n && (system->r = tb_alloc(n * n, sizeof(double))) != NULL &&
        (system->rhs = tb_alloc(n, sizeof(double))) != NULL &&
        (system->row = tb_alloc(n, sizeof(double))) != NULL)
        return TB_OK;
    tb_least_squares_finish(system);
    return tb_fail(error, TB_E_NOMEM, "no memory for a linear fit of %zu weights", n);
}

void tb_least_squares_finish(tb_least_squares *system)
{
    free(system->r);
    free(system->rhs);
    free(system->row);
    memset(system, 0, sizeof *system);
}

void tb_least_squares_clear(tb_least_squares *system, double ridge)
{
    size_t n = system->n;
    memset(system->r, 0, n * n * sizeof(double));
    memset(system->rhs, 0, n * sizeof(double));
    for (size_t i = 0; i < n; i++)
        system->r[i * n + i] = sqrt(ridge);
    system->ridge = ridge;
}

// rotates the row into R from entry `first` on, all before it being 0; `row` is used up
static void rotate_in(tb_least_squares *system, size_t first, double *row, double y)
{
    size_t n = system->n;
    for (size_t j = first; j < n; j++) {
        double *r = system->r + j * n, length = hypot(r[j], row[j]);
        if (row[j] == 0)
            continue;
        double c = r[j] / length, s = row[j] / length;
        for (size_t k = j; k < n; k++) {
            double above = r[k], below = row[k];
            r[k] = c * above + s * below;
            row[k] = c * below - s * above;
        }
        double above = system->rhs[j];
        system->rhs[j] = c * above + s * y;
        y = c * y - s * above;
    }
}

void tb_least_squares_add(tb_least_squares *system, const double *phi, double y)
{
    memcpy(system->row, phi, system->n * sizeof *phi);
    rotate_in(system, 0, system->row, y);
}

// ridge += more: rows sqrt(more) e_j with y = 0
static void grow_ridge(tb_least_squares *system, double more)
{
    for (size_t j = 0; j < system->n; j++) {
        memset(system->row, 0, system->n * sizeof(double));
        system->row[j] = sqrt(more);
        rotate_in(system, j, system->row, 0);
    }
    system->ridge += more;
}

// the entries of R on its diagonal: smallest and largest; NaN when one is not finite
static void diagonal_range(const tb_least_squares *system, double *low, double *high)
{
    *low = INFINITY;
    *high = 0;
    for (size_t i = 0; i < system->n; i++) {
        double d = fabs(system->r[i * system->n + i]);
        if (!isfinite(d) || !isfinite(system->rhs[i])) {
            *low = *high = NAN;
            return;
        }
        *low = fmin(*low, d);
        *high = fmax(*high, d);
    }
}

int tb_least_squares_solve(tb_least_squares *system, double *w)
{
    size_t n = system->n;
    double low, high;
    diagonal_range(system, &low, &high);
    while (low <= (double)n * DBL_EPSILON * high) {
        // well above what rounding left in that direction, and not 0 where the square underflows;
        // of no rows, any ridge gives w = 0
        double least = high > 0 ? fmax(high * high * 1e-20, DBL_MIN) : 1;
        grow_ridge(system, fmax(9 * system->ridge, least));
        diagonal_range(system, &low, &high);
    }
    if (isnan(low))
        return 0;
    for (size_t i = n; i-- > 0;) {
        const double *r = system->r + i * n;
        w[i] = (system->rhs[i] - tb_vec_dot(r + i + 1, w + i + 1, n - i - 1)) / r[i];
    }
    return 1;
}
