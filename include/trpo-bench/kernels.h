/* SPDX-License-Identifier: MIT
 *
 * trpo-bench plugin ABI: host extension "tb.host.kernels/1", compute kernels for plugins. A policy
 * of dense layers made of these calls is fast, gives the same bits for every batch size, thread
 * count and vector width, and holds no arithmetic of its own.
 *
 *     const tb_kernels *k = (const tb_kernels *)host->get_extension(host->ctx, TB_HOST_KERNELS);
 *
 * A host may have none: kernels_reference.h has the same functions as plain loops, for that case.
 *
 * Everything is [any]: no state, no allocation. Pointers point to float in the table `f32`, to
 * double in `f64`. Legend: B rows, K n_in, N n_out; matrices are row-major, and an array with a
 * leading dimension `ld` has ld elements from the start of a row to the start of the next.
 *
 * Alignment: none is needed. Nothing outside the arrays is read or written; parameters may end
 * where a page ends.
 *
 * Order and bits. Each element that a product gives is one chain of multiply-adds, in the order
 * that the function states; nothing is split, so the result depends on nothing but the row and the
 * column that belong to it: not on B, on the position in the batch or on the width of a vector.
 * Where `fused` is 1 each multiply-add rounds once (fma of C99) and all such hosts give equal bits,
 * whatever their instruction set; where it is 0 it rounds twice (CPUs without fused multiply-add).
 *
 * Aliasing: outputs overlap no input, except where a function says so.
 */
#ifndef TRPO_BENCH_KERNELS_H
#define TRPO_BENCH_KERNELS_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TB_HOST_KERNELS "tb.host.kernels/1"

/* Activations y = act(z), and their derivatives in terms of y. */
#define TB_ACT_IDENTITY 0u /* z; 1 */
#define TB_ACT_TANH 1u     /* tanh z; 1 - y^2, one multiply-add */
#define TB_ACT_RELU 2u     /* z > 0 ? z : 0, NaN stays NaN; y > 0 ? 1 : 0 */

/* tb_dense.flags: each row of y and dy (Y), of dx (X) has room for a multiple of 64 bytes
 * (tb_kernels_ld), and calls that write it may leave anything beyond its last column. Faster,
 * because the last vector of a row is whole. */
#define TB_DENSE_PAD_Y 1u
#define TB_DENSE_PAD_X 2u

typedef struct tb_dense { /* one layer: z = x W + b, y = act(z) */
    uint32_t struct_size;
    uint32_t flags;         /* TB_DENSE_* */
    uint64_t n_in;          /* K: x [B][K], W [K][N] without gaps; 0: z = b */
    uint64_t n_out;         /* N: y [B][N], b [N] */
    uint64_t ld_x;          /* of x and dx; at least K, at least tb_kernels_ld(K) if X is padded */
    uint64_t ld_y;          /* of y and dy; likewise */
    uint32_t activation;    /* TB_ACT_*: what y is */
    uint32_t in_activation; /* TB_ACT_*: what x is, the y of the layer below; raw inputs are
                               TB_ACT_IDENTITY */
} tb_dense;

/* n rounded up to whole 64 bytes of elements: the leading dimension of padded rows. The same on
 * every CPU. */
static inline uint64_t tb_kernels_ld(uint32_t dtype, uint64_t n)
{
    const uint64_t per_line = dtype == TB_F64 ? 8 : 16;
    return (n + per_line - 1) / per_line * per_line;
}

typedef struct tb_kernels_table {
    uint32_t struct_size;
    uint32_t reserved0;

    /* y = act(x W + b). Chain: b, then k = 0, 1, ... */
    void (*forward)(const tb_dense *, uint64_t rows, const void *w, const void *b, const void *x,
                    void *y);
    /* Derivative of the same in the direction (v, vb, dx): dy = act'(y) (vb + x V + dx W). Chain:
     * vb, the k of x V in order, then those of dx W. `dx` is NULL where the input does not move.
     * V [K][N]. dx has the leading dimension ld_x. */
    void (*jvp)(const tb_dense *, uint64_t rows, const void *w, const void *v, const void *vb,
                const void *x, const void *dx, const void *y, void *dy);
    /* wt [N][tb_kernels_ld(K)] = W', zeros in the padding: what input_grad reads. */
    void (*transpose)(const tb_dense *, const void *w, void *wt);
    /* dx = act_in'(x) (dy W'), where dy is the derivative with respect to z. Chain: 0, then the
     * columns of dy in order. */
    void (*input_grad)(const tb_dense *, uint64_t rows, const void *wt, const void *dy,
                       const void *x, void *dx);
    /* gw += x' dy, gb += sums of the columns of dy, where dy is the derivative with respect to z.
     * Chain: what is there, then the rows in order (gb: plain additions). gw [K][N], gb [N]. */
    void (*weight_grad)(const tb_dense *, uint64_t rows, const void *x, const void *dy, void *gw,
                        void *gb);

    /* y[i] = f(x[i]) for n elements; y may be x. NaN gives NaN. Errors are in units of the last
     * place of the exact result (tests/trpo/linalg/ measures them):
     *   tanh  2.6 ulp, odd; +-1 from 9.02 (float) and 19.07 (double) on
     *   exp   1.0 ulp; +inf above the largest number; denormal results round twice
     *   log   1.3 ulp; log 0 = -inf, NaN below 0; denormal arguments are exact */
    void (*tanh)(uint64_t n, const void *x, void *y);
    void (*exp)(uint64_t n, const void *x, void *y);
    void (*log)(uint64_t n, const void *x, void *y);
} tb_kernels_table;

typedef struct tb_kernels {
    uint32_t struct_size;
    uint32_t fused;  /* 1: multiply-adds round once; 0: twice */
    const char *isa; /* instruction set level: "v4" (AVX-512), "v3" (AVX2 and FMA), "baseline",
                        "reference" */
    const tb_kernels_table *f32;
    const tb_kernels_table *f64;
} tb_kernels;

/* The table of a dtype. */
static inline const tb_kernels_table *tb_kernels_of(const tb_kernels *kernels, uint32_t dtype)
{
    return dtype == TB_F64 ? kernels->f64 : kernels->f32;
}

#ifdef __cplusplus
}
#endif
#endif
