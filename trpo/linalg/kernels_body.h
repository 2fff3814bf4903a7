/* SPDX-License-Identifier: MIT
 *
 * The table of include/trpo-bench/kernels.h for one element type and one instruction set level.
 * Included by kernels_<level>_<type>.c, which set TB_KERNELS_LEVEL, TB_KERNELS_BITS and
 * TB_KERNELS_TABLE and are compiled for that level. The functions here only say which matrix
 * products a call is; the arithmetic is in kernels_tile.h and kernels_math.h.
 *
 * Legend: B rows, K n_in, N n_out.
 */
#include "trpo/linalg/kernels.h"
#include "trpo/linalg/kernels_math.h"
#include "trpo/linalg/kernels_simd.h"
#include "trpo/linalg/kernels_tile.h"

/* ---- element by element ---- */

SIMD_INLINE vec act(uint32_t activation, vec z)
{
    return activation == TB_ACT_TANH ? simd_tanh(z) : simd_max((vec){0}, z);
}

/* y = act(y), n elements. */
SIMD_INLINE void activate_row(uint32_t activation, size_t n, real *y)
{
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        simd_store(y + i, act(activation, simd_load(y + i)));
    if (i < n)
        simd_store_part(y + i, n - i, act(activation, simd_load_part(y + i, n - i)));
}

/* Rows of n elements, as the calls above need them: padded rows that follow each other without a
 * gap are one long row. */
typedef struct area {
    size_t rows, n, ld;
} area;

static area area_of(uint64_t rows, uint64_t n, uint64_t ld, int padded)
{
    const size_t per_line = 64 / sizeof(real), whole = (n + per_line - 1) / per_line * per_line;
    if ((padded ? whole : n) == ld)
        return (area){1, rows * ld, 0};
    return (area){rows, padded ? whole : n, ld};
}

/* y = act(y) */
static void activate(uint32_t activation, area a, real *y)
{
    if (activation == TB_ACT_TANH)
        for (size_t r = 0; r < a.rows; r++)
            activate_row(TB_ACT_TANH, a.n, y + r * a.ld);
    else if (activation == TB_ACT_RELU)
        for (size_t r = 0; r < a.rows; r++)
            activate_row(TB_ACT_RELU, a.n, y + r * a.ld);
}

static area outputs(const tb_dense *dense, uint64_t rows)
{
    return area_of(rows, dense->n_out, dense->ld_y, (dense->flags & TB_DENSE_PAD_Y) != 0);
}

/* ---- products ---- */

/* y = act(b + x W) */
static void forward(const tb_dense *dense, uint64_t rows, const void *w, const void *b,
                    const void *x, void *y)
{
    const sum z = {.rows = rows,
                   .terms = {{x, dense->ld_x, 1, w, dense->n_out, dense->n_in}},
                   .n_terms = 1,
                   .init = b,
                   .c = y,
                   .ldc = dense->ld_y,
                   .padded = dense->flags & TB_DENSE_PAD_Y};
    compute(&z, rows, dense->n_out);
    activate(dense->activation, outputs(dense, rows), y);
}

/* dy = act'(y) (vb + x V + dx W) */
static void jvp(const tb_dense *dense, uint64_t rows, const void *w, const void *v, const void *vb,
                const void *x, const void *dx, const void *y, void *dy)
{
    const sum dz = {.rows = rows,
                    .terms = {{x, dense->ld_x, 1, v, dense->n_out, dense->n_in},
                              {dx, dense->ld_x, 1, w, dense->n_out, dense->n_in}},
                    .n_terms = dx ? 2 : 1,
                    .init = vb,
                    .c = dy,
                    .ldc = dense->ld_y,
                    .y = y,
                    .activation = dense->activation,
                    .padded = dense->flags & TB_DENSE_PAD_Y};
    compute(&dz, rows, dense->n_out);
}

/* wt [N][ld] = W' [K][N]' */
static void transpose(const tb_dense *dense, const void *w, void *wt)
{
    const size_t n_in = dense->n_in, n_out = dense->n_out;
    const size_t ld = tb_kernels_ld(TB_KERNELS_BITS == 64 ? TB_F64 : TB_F32, n_in);
    const real *from = w;
    real *to = wt;
    memset(to, 0, n_out * ld * sizeof *to);
    // in blocks that fit the first-level cache
    for (size_t k0 = 0; k0 < n_in; k0 += 16)
        for (size_t j = 0; j < n_out; j++)
            for (size_t k = k0; k < n_in && k < k0 + 16; k++)
                to[j * ld + k] = from[k * n_out + j];
}

/* dx = act_in'(x) (dy W') */
static void input_grad(const tb_dense *dense, uint64_t rows, const void *wt, const void *dy,
                       const void *x, void *dx)
{
    const size_t ld = tb_kernels_ld(TB_KERNELS_BITS == 64 ? TB_F64 : TB_F32, dense->n_in);
    const sum dh = {.rows = rows,
                    .terms = {{dy, dense->ld_y, 1, wt, ld, dense->n_out}},
                    .n_terms = 1,
                    .c = dx,
                    .ldc = dense->ld_x,
                    .y = x,
                    .activation = dense->in_activation,
                    .padded = dense->flags & TB_DENSE_PAD_X};
    compute(&dh, rows, dense->n_in);
}

/* gw += x' dy for few outputs (N <= TILE_ROWS): as gw' += dy' x, whose vectors are full, in blocks
 * of a tile's columns that are transposed on the way in and out. The chains are the same. */
static void narrow_weight_grad(const tb_dense *dense, uint64_t rows, const real *x, const real *dy,
                               real *gw)
{
    enum { WIDTH = TILE_VECS * LANES };
    const size_t n_in = dense->n_in, n_out = dense->n_out;
    real block[TILE_ROWS * WIDTH] __attribute__((aligned(64)));
    for (size_t k0 = 0; k0 < n_in; k0 += WIDTH, gw += WIDTH * n_out) {
        const size_t width = n_in - k0 < WIDTH ? n_in - k0 : WIDTH;
        for (size_t k = 0; k < width; k++)
            for (size_t j = 0; j < n_out; j++)
                block[j * WIDTH + k] = gw[k * n_out + j];
        const sum gwt = {.rows = n_out,
                         .terms = {{dy, 1, dense->ld_y, x + k0, dense->ld_x, rows}},
                         .n_terms = 1,
                         .init = block,
                         .ld_init = WIDTH,
                         .c = block,
                         .ldc = WIDTH,
                         .padded = 1};
        compute(&gwt, n_out, width);
        for (size_t k = 0; k < width; k++)
            for (size_t j = 0; j < n_out; j++)
                gw[k * n_out + j] = block[j * WIDTH + k];
    }
}

/* gb += sums of `vecs` vectors of columns of dy, rows in order. */
SIMD_INLINE void sum_columns(size_t vecs, size_t tail, size_t rows, size_t ld, const real *dy,
                             real *gb)
{
    vec total[TILE_VECS];
    UNROLL for (size_t v = 0; v < vecs; v++) total[v] = load_lane(gb, v, vecs, tail);
    for (size_t r = 0; r < rows; r++)
        UNROLL for (size_t v = 0; v < vecs; v++) total[v] += load_lane(dy + r * ld, v, vecs, tail);
    UNROLL for (size_t v = 0; v < vecs; v++)
    {
        if (tail && v + 1 == vecs)
            simd_store_part(gb + v * LANES, tail, total[v]);
        else
            simd_store(gb + v * LANES, total[v]);
    }
}

/* gb += column sums of dy, rows in order */
static void bias_grad(const tb_dense *dense, uint64_t rows, const real *dy, real *gb)
{
    const size_t n = dense->n_out, ld = dense->ld_y;
    size_t j = 0;
    for (; j + TILE_VECS * LANES <= n; j += TILE_VECS * LANES)
        sum_columns(TILE_VECS, 0, rows, ld, dy + j, gb + j);
    for (; j + LANES <= n; j += LANES)
        sum_columns(1, 0, rows, ld, dy + j, gb + j);
    if (j < n)
        sum_columns(1, n - j, rows, ld, dy + j, gb + j);
}

/* gw += x' dy, gb += column sums */
static void weight_grad(const tb_dense *dense, uint64_t rows, const void *x, const void *dy,
                        void *gw, void *gb)
{
    if (dense->n_out <= TILE_ROWS && dense->n_in >= LANES) {
        narrow_weight_grad(dense, rows, x, dy, gw);
    } else {
        const sum product = {.rows = dense->n_in,
                             .terms = {{x, 1, dense->ld_x, dy, dense->ld_y, rows}},
                             .n_terms = 1,
                             .init = gw,
                             .ld_init = dense->n_out,
                             .c = gw,
                             .ldc = dense->n_out};
        compute(&product, dense->n_in, dense->n_out);
    }
    bias_grad(dense, rows, dy, gb);
}

/* ---- functions of vectors ---- */

#define MAP(name)                                                                                  \
    static void name##_of(uint64_t n, const void *x_, void *y_)                                    \
    {                                                                                              \
        const real *x = x_;                                                                        \
        real *y = y_;                                                                              \
        uint64_t i = 0;                                                                            \
        for (; i + LANES <= n; i += LANES)                                                         \
            simd_store(y + i, simd_##name(simd_load(x + i)));                                      \
        if (i < n)                                                                                 \
            simd_store_part(y + i, n - i, simd_##name(simd_load_part(x + i, n - i)));              \
    }
MAP(tanh)
MAP(exp)
MAP(log)

const tb_kernels_table TB_KERNELS_TABLE = {sizeof(tb_kernels_table),
                                           0,
                                           forward,
                                           jvp,
                                           transpose,
                                           input_grad,
                                           weight_grad,
                                           tanh_of,
                                           exp_of,
                                           log_of};
