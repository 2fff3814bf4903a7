/* SPDX-License-Identifier: MIT
 *
 * Sums of matrix products, C = C0 + A1 B1 + A2 B2, in register tiles of TILE_ROWS rows x TILE_VECS
 * vectors of columns (or TALL_ROWS x TALL_VECS: one vector alone would wait for its own chains).
 * Each element of C is one chain of multiply-adds in the order of the terms and, within a term, of
 * k. So its bits depend on nothing but its row of A and its column of B: not on the batch size, the
 * position in the batch, the tile or the width of a vector.
 *
 * Lanes beyond the last column are read as zeros and stored only where a row has room for them.
 */
#ifndef TRPO_LINALG_KERNELS_TILE_H
#define TRPO_LINALG_KERNELS_TILE_H

#include <trpo-bench/kernels.h>

#include "trpo/linalg/kernels_simd.h"

/* One term A B: A [rows][n] with element (r, k) at a[r a_row + k a_k], B [n][columns]. */
typedef struct term {
    const real *a;
    size_t a_row, a_k;
    const real *b;
    size_t ldb;
    size_t n;
} term;

/* act'(z) d from y = act(z). */
SIMD_INLINE vec act_derivative(uint32_t activation, vec y, vec d)
{
    if (activation == TB_ACT_TANH)
        return simd_fma(-y, y, simd_all(1)) * d;
    return (vec)((vec_bits)d & (vec_bits)(y > 0));
}

/* C [rows][columns], each element times act'(z) of Y [rows][columns] unless that is the identity.
 */
typedef struct sum {
    term terms[2];
    size_t n_terms;
    size_t rows;      /* of C */
    const real *init; /* C0; NULL: zero */
    size_t ld_init;   /* 0: the same row for each row of C */
    real *c;
    size_t ldc;
    const real *y;
    uint32_t activation; /* TB_ACT_* */
    int padded; /* rows of C have room for whole vectors: lanes beyond the last column get zeros */
} sum;

/* Vector v of `vecs` at p, of which the last one has only `tail` elements (0: it is whole). */
SIMD_INLINE vec load_lane(const real *p, size_t v, size_t vecs, size_t tail)
{
    return tail && v + 1 == vecs ? simd_load_part(p + v * LANES, tail) : simd_load(p + v * LANES);
}

/* What the next tile reads and this one fetches: `step` bytes further with each multiply-add of a
 * chain, so that the requests are spread over the tile's time. Addresses may be beyond the array:
 * fetching is a hint. */
typedef struct ahead {
    uintptr_t a, y;
    size_t a_step, y_step;
} ahead;

SIMD_INLINE void fetch(ahead *next)
{
    __builtin_prefetch((const void *)next->a);
    __builtin_prefetch((const void *)next->y);
    next->a += next->a_step;
    next->y += next->y_step;
}

/* acc += one term. */
SIMD_INLINE void add_term(vec acc[TALL_ROWS][TILE_VECS], size_t rows, size_t vecs, size_t tail,
                          const term *t, size_t row, size_t column, ahead *next)
{
    const size_t a_row = t->a_row, a_k = t->a_k, ldb = t->ldb;
    const real *a = t->a + row * a_row, *b = t->b + column;
    for (size_t k = t->n; k > 0; k--, a += a_k, b += ldb) {
        vec bk[TILE_VECS];
        // narrow tiles load as much as they can already
        if (rows == TILE_ROWS && vecs == TILE_VECS)
            fetch(next);
        UNROLL for (size_t v = 0; v < vecs; v++) bk[v] = load_lane(b, v, vecs, tail);
        UNROLL for (size_t r = 0; r < rows; r++)
        {
            const vec ark = simd_all(a[r * a_row]);
            UNROLL for (size_t v = 0; v < vecs; v++) acc[r][v] = simd_fma(ark, bk[v], acc[r][v]);
        }
    }
}

/* acc = act'(y) acc */
SIMD_INLINE void differentiate(vec acc[TALL_ROWS][TILE_VECS], size_t rows, size_t vecs, size_t tail,
                               uint32_t activation, const real *y, size_t ldy)
{
    UNROLL for (size_t r = 0; r < rows; r++)
    {
        UNROLL for (size_t v = 0; v < vecs; v++) acc[r][v] =
            act_derivative(activation, load_lane(y + r * ldy, v, vecs, tail), acc[r][v]);
    }
}

/* The next tile's rows of A and of Y (of C where there is no Y); or, where A is read by columns,
 * this tile's share of the next A. */
SIMD_INLINE ahead next_tile(const sum *s, size_t row, size_t rows, size_t column)
{
    const term *t = &s->terms[0];
    const size_t steps = s->n_terms * t->n, size = sizeof(real);
    const uintptr_t y = (uintptr_t)(s->activation == TB_ACT_IDENTITY ? s->c : s->y);
    // the other columns of the same rows have been fetched with the first ones
    if (column > 0 || steps == 0)
        return (ahead){.a = y, .y = y};
    ahead next = {.y = y + (row + rows) * s->ldc * size, .y_step = rows * s->ldc * size / steps};
    if (t->a_k == 1) {
        next.a = (uintptr_t)t->a + (row + rows) * t->a_row * size;
        next.a_step = rows * t->a_row * size / steps;
    } else {
        next.a_step = t->a_k * size * rows / s->rows;
        next.a = (uintptr_t)t->a + t->n * (t->a_k * size + next.a_step * (row / rows));
    }
    return next;
}

/* The tile of C at (row, column). `rows`, `vecs` and whether `tail` is 0 are compile-time constants
 * of each caller: the loops over them unroll and acc stays in registers. */
SIMD_INLINE void tile(size_t rows, size_t vecs, size_t tail, const sum *s, size_t row,
                      size_t column)
{
    vec acc[TALL_ROWS][TILE_VECS] = {0};
    const real *y = s->activation == TB_ACT_IDENTITY ? NULL : s->y + row * s->ldc + column;
    ahead next = next_tile(s, row, rows, column);
    if (s->init) {
        const real *init = s->init + row * s->ld_init + column;
        UNROLL for (size_t r = 0; r < rows; r++)
        {
            UNROLL for (size_t v = 0; v < vecs; v++) acc[r][v] =
                load_lane(init + r * s->ld_init, v, vecs, tail);
        }
    }
    for (size_t t = 0; t < s->n_terms; t++)
        add_term(acc, rows, vecs, tail, &s->terms[t], row, column, &next);
    if (y && s->activation == TB_ACT_TANH)
        differentiate(acc, rows, vecs, tail, TB_ACT_TANH, y, s->ldc);
    else if (y)
        differentiate(acc, rows, vecs, tail, TB_ACT_RELU, y, s->ldc);
    UNROLL for (size_t r = 0; r < rows; r++)
    {
        real *c = s->c + (row + r) * s->ldc + column;
        UNROLL for (size_t v = 0; v < vecs; v++)
        {
            if (tail && v + 1 == vecs && !s->padded)
                simd_store_part(c + v * LANES, tail, acc[r][v]);
            else
                simd_store(c + v * LANES, acc[r][v]);
        }
    }
}

typedef void tile_call(const sum *s, size_t row, size_t column, size_t tail);

#define TILE(rows, vecs)                                                                           \
    static void whole_##rows##_##vecs(const sum *s, size_t row, size_t column, size_t tail)        \
    {                                                                                              \
        (void)tail;                                                                                \
        tile(rows, vecs, 0, s, row, column);                                                       \
    }                                                                                              \
    static void ragged_##rows##_##vecs(const sum *s, size_t row, size_t column, size_t tail)       \
    {                                                                                              \
        if (tail)                                                                                  \
            tile(rows, vecs, tail, s, row, column);                                                \
    }
#define TILES(vecs)                                                                                \
    TILE(1, vecs)                                                                                  \
    TILE(2, vecs)                                                                                  \
    TILE(3, vecs)                                                                                  \
    TILE(4, vecs)                                                                                  \
    TILE(5, vecs)                                                                                  \
    TILE(6, vecs)
#define TILE_NAMES(kind, vecs)                                                                     \
    {                                                                                              \
        kind##_1_##vecs, kind##_2_##vecs, kind##_3_##vecs, kind##_4_##vecs, kind##_5_##vecs,       \
            kind##_6_##vecs                                                                        \
    }

TILES(1)
TILES(2)
TILE(12, 1)
#if TILE_VECS == 4
TILES(3)
TILES(4)
TILE(12, 2)
#endif

/* [ragged][vectors - 1][rows - 1] */
static tile_call *const tiles[2][TILE_VECS][TILE_ROWS] = {
#if TILE_VECS == 4
    {TILE_NAMES(whole, 1), TILE_NAMES(whole, 2), TILE_NAMES(whole, 3), TILE_NAMES(whole, 4)},
    {TILE_NAMES(ragged, 1), TILE_NAMES(ragged, 2), TILE_NAMES(ragged, 3), TILE_NAMES(ragged, 4)},
#else
    {TILE_NAMES(whole, 1), TILE_NAMES(whole, 2)},
    {TILE_NAMES(ragged, 1), TILE_NAMES(ragged, 2)},
#endif
};

/* [ragged][vectors - 1] */
static tile_call *const tall_tiles[2][TALL_VECS] = {
#if TILE_VECS == 4
    {whole_12_1, whole_12_2},
    {ragged_12_1, ragged_12_2},
#else
    {whole_12_1},
    {ragged_12_1},
#endif
};

/* The tiles of `width` <= TILE_VECS * LANES columns from column j on. */
static void compute_panel(const sum *s, size_t rows, size_t j, size_t width)
{
    const size_t vecs = (width + LANES - 1) / LANES, tail = width % LANES;
    size_t r = 0;
    if (vecs <= TALL_VECS)
        for (; r + TALL_ROWS <= rows; r += TALL_ROWS)
            tall_tiles[tail != 0][vecs - 1](s, r, j, tail);
    for (; r < rows; r += TILE_ROWS) {
        const size_t n = rows - r < TILE_ROWS ? rows - r : TILE_ROWS;
        tiles[tail != 0][vecs - 1][n - 1](s, r, j, tail);
    }
}

/* Rows of B that are copied at once, and the distance between rows of B, in bytes, from which on
 * copies pay: rows at distances of 4 KiB and more fall into few sets of the caches and into a page
 * each. */
#define PACK_DEPTH 128
#define PACK_STRIDE 4096
#define PACK_ROWS 24 /* of C, at least */

/* The same tiles from copies of B, PACK_DEPTH rows of it at a time: C holds each chain between two
 * of them. */
static void compute_packed_panel(const sum *s, size_t rows, size_t j, size_t width)
{
    enum { WIDTH = TILE_VECS * LANES };
    real copy[PACK_DEPTH * WIDTH] __attribute__((aligned(64)));
    sum part = *s;
    part.n_terms = 1;
    part.c = s->c + j;
    part.init = s->init ? s->init + j : NULL;
    part.y = s->y ? s->y + j : NULL;
    for (size_t t = 0; t < s->n_terms; t++) {
        const term *whole = &s->terms[t];
        for (size_t k = 0; k < whole->n; k += PACK_DEPTH) {
            const size_t depth = whole->n - k < PACK_DEPTH ? whole->n - k : PACK_DEPTH;
            for (size_t i = 0; i < depth; i++)
                memcpy(copy + i * WIDTH, whole->b + (k + i) * whole->ldb + j, width * sizeof *copy);
            part.terms[0] =
                (term){whole->a + k * whole->a_k, whole->a_row, whole->a_k, copy, WIDTH, depth};
            const int last = t + 1 == s->n_terms && k + depth == whole->n;
            part.activation = last ? s->activation : TB_ACT_IDENTITY;
            compute_panel(&part, rows, 0, width);
            part.init = part.c;
            part.ld_init = part.ldc;
        }
    }
}

/* Computes C, TILE_VECS vectors of columns at a time, so that their part of B stays in the
 * first-level cache while the rows pass. */
static void compute(const sum *s, size_t rows, size_t columns)
{
    const size_t width = TILE_VECS * LANES;
    // where A is read by columns it waits for the distances of its own rows
    const term *first = &s->terms[0];
    const int pack = first->ldb * sizeof(real) >= PACK_STRIDE && first->a_k == 1 &&
                     rows >= PACK_ROWS && first->n > 0;
    for (size_t j = 0; j < columns; j += width) {
        const size_t left = columns - j < width ? columns - j : width;
        if (pack)
            compute_packed_panel(s, rows, j, left);
        else
            compute_panel(s, rows, j, left);
    }
}

#endif
