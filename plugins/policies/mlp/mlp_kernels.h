/* SPDX-License-Identifier: MIT
 *
 * The compute calls of the multilayer perceptron, one table per instruction set level. All tables
 * of the FMA class (x86-64-v3, x86-64-v4) give the same bits; the baseline has no fused
 * multiply-add and differs in the last bits. Legend: B batch rows, I n_in, O n_out, P n_params.
 */
#ifndef MLP_KERNELS_H
#define MLP_KERNELS_H

#include <stdint.h>

#define MLP_MAX_HIDDEN 16

/* What h = act(z) is; the numbers index "tanh|relu|identity". */
#define MLP_TANH 0u
#define MLP_RELU 1u
#define MLP_IDENTITY 2u

/* z = h_in W + b. Offsets are in elements. */
typedef struct mlp_layer {
    uint64_t n_in;       /* K */
    uint64_t n_out;      /* N */
    uint64_t ld;         /* N rounded up to 64 bytes: row stride of z, h and their derivatives */
    uint64_t weight;     /* of W [K][N] in theta */
    uint64_t bias;       /* of b [N] in theta */
    uint64_t transposed; /* of W' [N][ld of the layer below] in the workspace; layer 0 has none */
    uint64_t hidden;     /* of this layer's h in the workspace, in elements a batch row */
} mlp_layer;

typedef struct mlp_net {
    uint64_t n_layers;     /* dense layers; the last one is linear */
    uint64_t activation;   /* MLP_TANH, ... */
    uint64_t n_in;         /* I */
    uint64_t n_out;        /* O, constant outputs included */
    uint64_t n_const;      /* constant outputs */
    uint64_t constants;    /* offset in theta of the values of the constant outputs */
    uint64_t n_params;     /* P */
    uint64_t max_ld;       /* largest ld */
    uint64_t n_transposed; /* elements of all W' */
    uint64_t row_elements; /* elements of all h of one batch row */
    mlp_layer layer[MLP_MAX_HIDDEN + 1];
} mlp_net;

/* Rows that go through all layers together, so that they stay in the first-level cache. */
#define MLP_CHUNK 96

/* Workspace, in this order, all multiples of 64 bytes (R = element size, b = min(B, MLP_CHUNK)):
 *   64 bytes                 flag: whether the W' below belong to the last forward()
 *   R n_transposed           W' of layers 1.., written by the first vjp() after a forward()
 *   R 2 b max_ld             derivatives that pass from layer to layer
 *   R B ld of layer l        h of hidden layer l, for each l */
static inline uint64_t mlp_ws_bytes(const mlp_net *net, uint64_t batch, uint64_t real_size)
{
    uint64_t chunk = batch < MLP_CHUNK ? batch : MLP_CHUNK;
    return 64 +
           real_size * (net->n_transposed + 2 * chunk * net->max_ld + batch * net->row_elements);
}

/* theta, v, g [P]; x [B][I]; y, jv, w [B][O]; see trpo-bench/policy.h. */
typedef struct mlp_kernels {
    void (*forward)(const mlp_net *, const void *theta, const void *x, uint64_t batch, void *y,
                    void *ws);
    void (*jvp)(const mlp_net *, const void *theta, const void *x, uint64_t batch, void *ws,
                const void *v, void *jv);
    void (*vjp)(const mlp_net *, const void *theta, const void *x, uint64_t batch, void *ws,
                const void *w, void *g);
} mlp_kernels;

extern const mlp_kernels mlp_baseline_f32, mlp_baseline_f64;
#if defined(__x86_64__)
extern const mlp_kernels mlp_v3_f32, mlp_v3_f64;
extern const mlp_kernels mlp_v4_f32, mlp_v4_f64;
#endif

#endif
