/* SPDX-License-Identifier: MIT
 *
 * The arithmetic of linear.c for one element type; included once for each, with REAL the element
 * and NAME(x) adding the type's suffix. Legend: linear.c.
 */

/* y = x W + b, a chain over the inputs in order, then the constants. */
static void NAME(apply)(const tb_map *map, const REAL *theta, const REAL *x, uint64_t batch,
                        REAL *y)
{
    const uint64_t n = map->n_dense;
    const REAL *bias = theta + map->n_in * n;
    for (uint64_t b = 0; b < batch; b++, x += map->n_in, y += n + map->n_const) {
        for (uint64_t j = 0; j < n; j++)
            y[j] = bias[j];
        for (uint64_t k = 0; k < map->n_in; k++)
            for (uint64_t j = 0; j < n; j++)
                y[j] += x[k] * theta[k * n + j];
        for (uint64_t i = 0; i < map->n_const; i++)
            y[n + i] = theta[map->constants + i];
    }
}

/* gW = x' w, gb and the constants' gradient the column sums of w; rows in order. */
static void NAME(gradient)(const tb_map *map, const REAL *x, uint64_t batch, const REAL *w, REAL *g)
{
    const uint64_t n = map->n_dense;
    memset(g, 0, map->head.n_params * sizeof *g);
    for (uint64_t b = 0; b < batch; b++, x += map->n_in, w += n + map->n_const) {
        for (uint64_t k = 0; k < map->n_in; k++)
            for (uint64_t j = 0; j < n; j++)
                g[k * n + j] += x[k] * w[j];
        for (uint64_t j = 0; j < n; j++)
            g[map->n_in * n + j] += w[j];
        for (uint64_t i = 0; i < map->n_const; i++)
            g[map->constants + i] += w[n + i];
    }
}
