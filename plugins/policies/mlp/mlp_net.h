/* SPDX-License-Identifier: MIT
 *
 * The layers of a multilayer perceptron in theta and in the workspace, and its compute calls, made
 * of the kernels in trpo-bench/kernels.h. Legend: B batch rows, I n_in, O n_out, P n_params.
 */
#ifndef MLP_NET_H
#define MLP_NET_H

#include <trpo-bench/kernels.h>

#define MLP_MAX_HIDDEN 16

/* z = h_in W + b. Offsets are in elements. */
typedef struct mlp_layer {
    tb_dense dense;
    uint64_t weight;     /* of W [K][N] in theta */
    uint64_t bias;       /* of b [N] in theta */
    uint64_t transposed; /* of W' in the workspace; layer 0 has none */
    uint64_t hidden;     /* of this layer's h in the workspace, in elements a batch row */
} mlp_layer;

typedef struct mlp_net {
    const tb_kernels_table *kernels;
    uint32_t dtype;
    uint32_t reserved0;
    uint64_t n_layers;     /* dense layers; the last one is linear */
    uint64_t n_in;         /* I */
    uint64_t n_out;        /* O, constant outputs included */
    uint64_t n_const;      /* constant outputs */
    uint64_t constants;    /* offset in theta of the values of the constant outputs */
    uint64_t n_params;     /* P */
    uint64_t max_ld;       /* largest leading dimension of a hidden layer */
    uint64_t n_transposed; /* elements of all W' */
    uint64_t row_elements; /* elements of all h of one batch row */
    mlp_layer layer[MLP_MAX_HIDDEN + 1];
} mlp_net;

/* Appends a layer of n_out outputs on top of those there are. The last one has act = identity, and
 * y, the map's own output, for its rows. `weight` is where its W is in theta; b follows. */
void mlp_net_add(mlp_net *net, uint64_t n_in, uint64_t n_out, uint32_t activation, int last,
                 uint64_t weight);

/* Bytes of the workspace for `batch` rows. */
uint64_t mlp_net_ws_bytes(const mlp_net *net, uint64_t batch);

/* theta, v, g [P]; x [B][I]; y, jv, w [B][O]; see trpo-bench/policy.h. */
void mlp_net_forward(const mlp_net *net, const void *theta, const void *x, uint64_t batch, void *y,
                     void *ws);
void mlp_net_jvp(const mlp_net *net, const void *theta, const void *x, uint64_t batch, void *ws,
                 const void *v, void *jv);
void mlp_net_vjp(const mlp_net *net, const void *theta, const void *x, uint64_t batch, void *ws,
                 const void *w, void *g);

/* out [B][n_in of the last layer] = what the last layer read in the forward() of ws. */
void mlp_net_features(const mlp_net *net, const void *x, uint64_t batch, const void *ws, void *out);

#endif
