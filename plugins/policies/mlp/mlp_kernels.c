/* SPDX-License-Identifier: MIT
 *
 * forward, jvp and vjp of the perceptron for one element type and one instruction set level;
 * compiled once for each pair (CMakeLists.txt sets MLP_LEVEL, MLP_BITS and MLP_TABLE). Rows go
 * through all layers in chunks that fit the first-level cache.
 *
 * Legend: B batch rows, K inputs and N outputs of a layer, W [K][N], b [N], z = h W + b.
 */
#include "mlp_kernels.h"
#include "mlp_simd.h"
#include "mlp_tanh.h"
#include "mlp_tile.h"

/* ---- activations ---- */

/* h = act(h) for n elements, a multiple of LANES. */
static void activate(uint64_t activation, real *h, size_t n)
{
    if (activation == MLP_TANH)
        for (size_t i = 0; i < n; i += LANES)
            simd_store(h + i, simd_tanh(simd_load(h + i)));
    else if (activation == MLP_RELU)
        for (size_t i = 0; i < n; i += LANES)
            simd_store(h + i, simd_max((vec){0}, simd_load(h + i)));
}

/* d = act'(z) d, written in h = act(z): tanh' = 1 - h^2, relu' = [h > 0]. */
static void differentiate(uint64_t activation, const real *h, real *d, size_t n)
{
    if (activation == MLP_TANH)
        for (size_t i = 0; i < n; i += LANES) {
            const vec hi = simd_load(h + i);
            simd_store(d + i, simd_fma(-hi, hi, simd_all(1)) * simd_load(d + i));
        }
    else if (activation == MLP_RELU)
        for (size_t i = 0; i < n; i += LANES) {
            const vec_bits on = (vec_bits)(simd_load(h + i) > 0);
            simd_store(d + i, (vec)((vec_bits)simd_load(d + i) & on));
        }
}

/* ---- workspace: mlp_kernels.h has its layout ---- */

typedef struct workspace {
    uint64_t *transposed_ready;
    real *transposed;
    real *scratch[2]; /* [chunk][max_ld] each */
    real *hidden;
} workspace;

static workspace open_workspace(const mlp_net *net, uint64_t batch, void *ws)
{
    const uint64_t chunk = batch < MLP_CHUNK ? batch : MLP_CHUNK;
    workspace w;
    w.transposed_ready = ws;
    w.transposed = (real *)((char *)ws + 64);
    w.scratch[0] = w.transposed + net->n_transposed;
    w.scratch[1] = w.scratch[0] + chunk * net->max_ld;
    w.hidden = w.scratch[1] + chunk * net->max_ld;
    return w;
}

/* A chunk of rows on its way through the layers. */
typedef struct chunk {
    const mlp_net *net;
    workspace w;
    const real *x;
    uint64_t batch; /* B */
    uint64_t row;   /* first row of the chunk */
    uint64_t n;     /* rows in it */
} chunk;

/* The next chunk of the batch; 0 when there is none. Begin with row = n = 0. */
static int next_chunk(chunk *c)
{
    c->row += c->n;
    c->n = c->batch - c->row < MLP_CHUNK ? c->batch - c->row : MLP_CHUNK;
    return c->n > 0;
}

/* h of hidden layer l: the layers' arrays [B][ld] follow each other. */
static real *hidden(const chunk *c, uint64_t l)
{
    const mlp_layer *layer = &c->net->layer[l];
    return c->w.hidden + layer->hidden * c->batch + c->row * layer->ld;
}

/* h_l W, W being the weights of layer l in theta or in a direction v; h_0 = x. */
static term input_times_weights(const chunk *c, uint64_t l, const real *theta)
{
    const mlp_layer *layer = &c->net->layer[l];
    const real *h = l == 0 ? c->x + c->row * c->net->n_in : hidden(c, l - 1);
    const size_t ld = l == 0 ? c->net->n_in : layer[-1].ld;
    return (term){h, ld, 1, theta + layer->weight, layer->n_out, layer->n_in};
}

/* Broadcasts the constants of theta (or v) into the last columns of y (or jv). */
static void broadcast_constants(const mlp_net *net, const real *theta, uint64_t batch, real *y)
{
    for (uint64_t b = 0; b < batch; b++)
        for (uint64_t i = 0; i < net->n_const; i++)
            y[(b + 1) * net->n_out - net->n_const + i] = theta[net->constants + i];
}

/* ---- the three calls ---- */

/* h_0 = x, h_{l+1} = act(h_l W_l + b_l), y = h_L W_L + b_L. */
static void forward(const mlp_net *net, const void *theta_, const void *x, uint64_t batch, void *y_,
                    void *ws)
{
    const real *theta = theta_;
    real *y = y_;
    chunk c = {net, open_workspace(net, batch, ws), x, batch, 0, 0};
    *c.w.transposed_ready = 0;
    while (next_chunk(&c))
        for (uint64_t l = 0; l < net->n_layers; l++) {
            const mlp_layer *layer = &net->layer[l];
            const int last = l + 1 == net->n_layers;
            const sum z = {.terms = {input_times_weights(&c, l, theta)},
                           .n_terms = 1,
                           .init = theta + layer->bias,
                           .c = last ? y + c.row * net->n_out : hidden(&c, l),
                           .ldc = last ? net->n_out : layer->ld,
                           .padded = !last};
            compute(&z, c.n, layer->n_out);
            if (!last)
                activate(net->activation, z.c, c.n * layer->ld);
        }
    broadcast_constants(net, theta, batch, y);
}

/* dz_l = h_l V_l + dh_l W_l + vb_l, dh_{l+1} = act'(z_l) dz_l, jv = dz_L; dh_0 = 0. */
static void jvp(const mlp_net *net, const void *theta, const void *x, uint64_t batch, void *ws,
                const void *v_, void *jv_)
{
    const real *v = v_;
    real *jv = jv_;
    chunk c = {net, open_workspace(net, batch, ws), x, batch, 0, 0};
    while (next_chunk(&c))
        for (uint64_t l = 0; l < net->n_layers; l++) {
            const mlp_layer *layer = &net->layer[l];
            const int last = l + 1 == net->n_layers;
            sum dz = {.terms = {input_times_weights(&c, l, v), input_times_weights(&c, l, theta)},
                      .n_terms = l == 0 ? 1 : 2,
                      .init = v + layer->bias,
                      .c = last ? jv + c.row * net->n_out : c.w.scratch[l & 1],
                      .ldc = last ? net->n_out : layer->ld,
                      .padded = !last};
            dz.terms[1].a = c.w.scratch[(l + 1) & 1];
            compute(&dz, c.n, layer->n_out);
            if (!last)
                differentiate(net->activation, hidden(&c, l), dz.c, c.n * layer->ld);
        }
    broadcast_constants(net, v, batch, jv);
}

/* W' of every layer but the first, rows padded with zeros to the ld of the layer below. */
static void transpose(const mlp_net *net, const real *theta, real *transposed)
{
    for (uint64_t l = 1; l < net->n_layers; l++) {
        const mlp_layer *layer = &net->layer[l];
        const uint64_t ld = layer[-1].ld, n_out = layer->n_out;
        const real *from = theta + layer->weight;
        real *to = transposed + layer->transposed;
        memset(to, 0, n_out * ld * sizeof *to);
        // in blocks that fit the first-level cache
        for (uint64_t k0 = 0; k0 < layer->n_in; k0 += 16)
            for (uint64_t j = 0; j < n_out; j++)
                for (uint64_t k = k0; k < layer->n_in && k < k0 + 16; k++)
                    to[j * ld + k] = from[k * n_out + j];
    }
}

/* The chunk's rows of w without their constants, padded with zeros: dz of the last layer. */
static void seed(const chunk *c, const real *w, real *dz)
{
    const mlp_layer *layer = &c->net->layer[c->net->n_layers - 1];
    memset(dz, 0, c->n * layer->ld * sizeof *dz);
    for (uint64_t b = 0; b < c->n; b++)
        for (uint64_t j = 0; j < layer->n_out; j++)
            dz[b * layer->ld + j] = w[(c->row + b) * c->net->n_out + j];
}

/* g += the gradient of layer l: gW = h_l' dz, gb = column sums of dz, rows in order. */
static void add_gradient(const chunk *c, uint64_t l, const real *dz, real *g)
{
    const mlp_layer *layer = &c->net->layer[l];
    const term input = input_times_weights(c, l, g);
    const sum gw = {.terms = {{input.a, 1, input.a_row, dz, layer->ld, c->n}},
                    .n_terms = 1,
                    .init = g + layer->weight,
                    .ld_init = layer->n_out,
                    .c = g + layer->weight,
                    .ldc = layer->n_out};
    compute(&gw, layer->n_in, layer->n_out);
    for (uint64_t b = 0; b < c->n; b++)
        for (uint64_t j = 0; j < layer->n_out; j++)
            g[layer->bias + j] += dz[b * layer->ld + j];
}

/* dz_{l-1} = act'(z_{l-1}) (dz_l W_l'), l > 0. */
static void pass_below(const chunk *c, uint64_t l, const real *dz, real *below)
{
    const mlp_layer *layer = &c->net->layer[l];
    const sum dh = {.terms = {{dz, layer->ld, 1, c->w.transposed + layer->transposed, layer[-1].ld,
                               layer->n_out}},
                    .n_terms = 1,
                    .c = below,
                    .ldc = layer[-1].ld,
                    .padded = 1};
    compute(&dh, c->n, layer->n_in);
    differentiate(c->net->activation, hidden(c, l - 1), below, c->n * layer[-1].ld);
}

/* dz_L = w, then from the last layer to the first: its gradient, and dz of the layer below. */
static void vjp(const mlp_net *net, const void *theta, const void *x, uint64_t batch, void *ws,
                const void *w_, void *g_)
{
    const real *w = w_;
    real *g = g_;
    chunk c = {net, open_workspace(net, batch, ws), x, batch, 0, 0};
    if (!*c.w.transposed_ready) {
        transpose(net, theta, c.w.transposed);
        *c.w.transposed_ready = 1;
    }
    memset(g, 0, net->n_params * sizeof *g);
    while (next_chunk(&c)) {
        seed(&c, w, c.w.scratch[(net->n_layers - 1) & 1]);
        for (uint64_t l = net->n_layers; l-- > 0;) {
            add_gradient(&c, l, c.w.scratch[l & 1], g);
            if (l > 0)
                pass_below(&c, l, c.w.scratch[l & 1], c.w.scratch[(l + 1) & 1]);
        }
    }
    for (uint64_t b = 0; b < batch; b++)
        for (uint64_t i = 0; i < net->n_const; i++)
            g[net->constants + i] += w[(b + 1) * net->n_out - net->n_const + i];
}

const mlp_kernels MLP_TABLE = {forward, jvp, vjp};
