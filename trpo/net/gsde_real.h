/* SPDX-License-Identifier: MIT
 *
 * The loops of gsde.c for one element type; included once for each, with REAL the element and
 * NAME(x) adding the type's suffix. Legend: gsde.h.
 */

static void NAME(square)(size_t n, const REAL *x, REAL *x2)
{
    for (size_t i = 0; i < n; i++)
        x2[i] = x[i] * x[i];
}

static void NAME(multiply)(size_t n, const REAL *x, const REAL *y, REAL *xy)
{
    for (size_t i = 0; i < n; i++)
        xy[i] = x[i] * y[i];
}

static void NAME(fill)(size_t n, double value, REAL *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (REAL)value;
}

// y = (mean, log_std); log_std = log(v) / 2
static void NAME(outputs)(const tb_map *map, size_t batch, const REAL *inner, const REAL *log_v,
                          REAL *y)
{
    const size_t A = map->A;
    for (size_t b = 0; b < batch; b++, inner += A + map->H * A, log_v += A, y += 2 * A)
        for (size_t j = 0; j < A; j++) {
            y[j] = inner[j];
            y[A + j] = (REAL)0.5 * log_v[j];
        }
}

// jv = (d mean, dv / (2 v)), where half_dv = dv / 2
static void NAME(tangents)(const tb_map *map, size_t batch, const REAL *inner, const REAL *half_dv,
                           const REAL *v, REAL *jv)
{
    const size_t A = map->A;
    for (size_t b = 0; b < batch; b++, inner += A + map->H * A, half_dv += A, v += A, jv += 2 * A)
        for (size_t j = 0; j < A; j++) {
            jv[j] = inner[j];
            jv[A + j] = half_dv[j] / v[j];
        }
}

// u = w_log_std / v; the means' part of the architecture's w, zeros for its constants
static void NAME(cotangents)(const tb_map *map, size_t batch, const REAL *w, const REAL *v, REAL *u,
                             REAL *inner)
{
    const size_t A = map->A, n = A + map->H * A;
    memset(inner, 0, batch * n * sizeof *inner);
    for (size_t b = 0; b < batch; b++, w += 2 * A, v += A, u += A, inner += n)
        for (size_t j = 0; j < A; j++) {
            inner[j] = w[j];
            u[j] = w[A + j] / v[j];
        }
}

static void NAME(noise)(const tb_map *map, const REAL *z, const REAL *sigma, const double *eps,
                        double *out)
{
    const size_t A = map->A, H = map->H;
    for (size_t j = 0; j < A; j++) {
        out[j] = 0;
        for (size_t k = 0; k < H; k++)
            out[j] += (double)z[k] * (double)sigma[k * A + j] * eps[k * A + j];
        out[j] += sqrt(TB_GSDE_FLOOR) * eps[H * A + j];
    }
}
