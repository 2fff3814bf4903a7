/* SPDX-License-Identifier: MIT
 *
 * forward, jvp and vjp of the perceptron. Rows go through all layers in chunks that fit the
 * first-level cache. The file knows no element type but for the constants: arrays are walked in
 * elements of `net->dtype`, and all arithmetic is the host's kernels'.
 *
 * Legend: B batch rows, K inputs and N outputs of a layer, W [K][N], b [N], z = h W + b.
 */
#include "mlp_net.h"

#include <string.h>

/* Rows that go through all layers together. */
#define CHUNK 48

/* Bytes on the stack for the derivatives of a chunk. *Rationale:* in the workspaces of all shards
 * they would stream through the caches with every product; the stack's memory stays there. Wider
 * networks have them in the workspace. */
#define STACK_SCRATCH (64 << 10)

typedef union stack_scratch {
    unsigned char bytes[STACK_SCRATCH];
    double aligned;
} __attribute__((aligned(64))) stack_scratch;

static uint64_t size_of(const mlp_net *net)
{
    return net->dtype == TB_F64 ? 8 : 4;
}

/* Element i of an array. */
static void *at(const mlp_net *net, void *p, uint64_t i)
{
    return (char *)p + i * size_of(net);
}

static const void *at_const(const mlp_net *net, const void *p, uint64_t i)
{
    return (const char *)p + i * size_of(net);
}

void mlp_net_add(mlp_net *net, uint64_t n_in, uint64_t n_out, uint32_t activation, int last,
                 uint64_t weight)
{
    const mlp_layer *below = net->n_layers > 0 ? &net->layer[net->n_layers - 1] : NULL;
    mlp_layer *layer = &net->layer[net->n_layers++];
    const uint64_t ld = tb_kernels_ld(net->dtype, n_out);
    layer->dense = (tb_dense){
        .struct_size = sizeof layer->dense,
        .flags = (below ? TB_DENSE_PAD_X : 0) | (last ? 0 : TB_DENSE_PAD_Y),
        .n_in = n_in,
        .n_out = n_out,
        .ld_x = below ? below->dense.ld_y : net->n_in,
        .ld_y = last ? net->n_out : ld,
        .activation = last ? TB_ACT_IDENTITY : activation,
        .in_activation = below ? activation : TB_ACT_IDENTITY,
    };
    layer->weight = weight;
    layer->bias = weight + n_in * n_out;
    layer->transposed = net->n_transposed;
    layer->hidden = net->row_elements;
    if (below)
        net->n_transposed += n_out * below->dense.ld_y;
    if (!last)
        net->row_elements += ld;
    if (!last && net->max_ld < ld)
        net->max_ld = ld;
}

/* ---- workspace ----
 * In this order, all multiples of 64 bytes (R = element size, b = min(B, CHUNK)):
 *   64 bytes                 flag: whether the W' below belong to the last forward()
 *   R n_transposed           W' of layers 1.., written by the first vjp() after a forward()
 *   R 2 b max_ld             derivatives that pass from layer to layer, if the stack has no room
 *   R B ld of layer l        h of hidden layer l, for each l */

/* Elements of one of the two arrays of derivatives. */
static uint64_t scratch_elements(const mlp_net *net, uint64_t batch)
{
    return (batch < CHUNK ? batch : CHUNK) * net->max_ld;
}

static int fits_the_stack(const mlp_net *net, uint64_t batch)
{
    return 2 * scratch_elements(net, batch) * size_of(net) <= STACK_SCRATCH;
}

uint64_t mlp_net_ws_bytes(const mlp_net *net, uint64_t batch)
{
    const uint64_t scratch = fits_the_stack(net, batch) ? 0 : 2 * scratch_elements(net, batch);
    return 64 + size_of(net) * (net->n_transposed + scratch + batch * net->row_elements);
}

/* A chunk of rows on its way through the layers. */
typedef struct chunk {
    const mlp_net *net;
    const void *x;
    uint64_t *transposed_ready;
    void *transposed;
    void *scratch[2]; /* [CHUNK][max_ld] each */
    void *hidden;
    uint64_t batch; /* B */
    uint64_t row;   /* first row of the chunk */
    uint64_t n;     /* rows in it */
} chunk;

/* Before the first chunk. `stack` may be NULL where no derivatives pass. */
static chunk open_workspace(const mlp_net *net, const void *x, uint64_t batch, void *ws,
                            stack_scratch *stack)
{
    const uint64_t scratch = scratch_elements(net, batch);
    chunk c = {.net = net, .x = x, .transposed_ready = ws, .batch = batch};
    c.transposed = (char *)ws + 64;
    c.hidden = at(net, c.transposed, net->n_transposed);
    c.scratch[0] = stack;
    if (!fits_the_stack(net, batch)) {
        c.scratch[0] = c.hidden;
        c.hidden = at(net, c.hidden, 2 * scratch);
    }
    if (c.scratch[0])
        c.scratch[1] = at(net, c.scratch[0], scratch);
    return c;
}

/* The next chunk of the batch; 0 when there is none. */
static int next_chunk(chunk *c)
{
    c->row += c->n;
    c->n = c->batch - c->row < CHUNK ? c->batch - c->row : CHUNK;
    return c->n > 0;
}

/* The chunk's rows of h of hidden layer l: the layers' arrays [B][ld] follow each other. */
static void *hidden(const chunk *c, uint64_t l)
{
    const mlp_layer *layer = &c->net->layer[l];
    return at(c->net, c->hidden, layer->hidden * c->batch + c->row * layer->dense.ld_y);
}

/* The chunk's rows of what layer l reads. */
static const void *input(const chunk *c, uint64_t l)
{
    return l == 0 ? at_const(c->net, c->x, c->row * c->net->n_in) : hidden(c, l - 1);
}

/* ---- the three calls ---- */

/* The constant outputs are the bias of a layer that reads nothing: y's last columns. */
static tb_dense constants_layer(const mlp_net *net)
{
    return (tb_dense){.struct_size = sizeof(tb_dense),
                      .n_out = net->n_const,
                      .ld_y = net->n_out,
                      .activation = TB_ACT_IDENTITY,
                      .in_activation = TB_ACT_IDENTITY};
}

/* Broadcasts the constants of theta (or v) into the last columns of y (or jv). */
static void broadcast_constants(const mlp_net *net, const void *theta, uint64_t batch, void *y)
{
    const tb_dense layer = constants_layer(net);
    if (net->n_const > 0)
        net->kernels->forward(&layer, batch, theta, at_const(net, theta, net->constants), theta,
                              at(net, y, net->n_out - net->n_const));
}

/* h_0 = x, h_{l+1} = act(h_l W_l + b_l), y = h_L W_L + b_L. */
void mlp_net_forward(const mlp_net *net, const void *theta, const void *x, uint64_t batch, void *y,
                     void *ws)
{
    chunk c = open_workspace(net, x, batch, ws, NULL);
    *c.transposed_ready = 0;
    while (next_chunk(&c))
        for (uint64_t l = 0; l < net->n_layers; l++) {
            const mlp_layer *layer = &net->layer[l];
            const int last = l + 1 == net->n_layers;
            net->kernels->forward(&layer->dense, c.n, at_const(net, theta, layer->weight),
                                  at_const(net, theta, layer->bias), input(&c, l),
                                  last ? at(net, y, c.row * net->n_out) : hidden(&c, l));
        }
    broadcast_constants(net, theta, batch, y);
}

/* dz_l = h_l V_l + dh_l W_l + vb_l, dh_{l+1} = act'(z_l) dz_l, jv = dz_L; dh_0 = 0. */
void mlp_net_jvp(const mlp_net *net, const void *theta, const void *x, uint64_t batch, void *ws,
                 const void *v, void *jv)
{
    stack_scratch stack;
    chunk c = open_workspace(net, x, batch, ws, &stack);
    while (next_chunk(&c))
        for (uint64_t l = 0; l < net->n_layers; l++) {
            const mlp_layer *layer = &net->layer[l];
            const int last = l + 1 == net->n_layers;
            net->kernels->jvp(&layer->dense, c.n, at_const(net, theta, layer->weight),
                              at_const(net, v, layer->weight), at_const(net, v, layer->bias),
                              input(&c, l), l == 0 ? NULL : c.scratch[(l + 1) & 1],
                              last ? NULL : hidden(&c, l),
                              last ? at(net, jv, c.row * net->n_out) : c.scratch[l & 1]);
        }
    broadcast_constants(net, v, batch, jv);
}

/* W' of every layer but the first. */
static void transpose(const mlp_net *net, const void *theta, void *transposed)
{
    for (uint64_t l = 1; l < net->n_layers; l++)
        net->kernels->transpose(&net->layer[l].dense, at_const(net, theta, net->layer[l].weight),
                                at(net, transposed, net->layer[l].transposed));
}

/* g of the constants: the last columns of w summed over the rows in order. */
static void add_constants(const mlp_net *net, uint64_t batch, const void *w, void *g)
{
    const tb_dense layer = constants_layer(net);
    if (net->n_const > 0)
        net->kernels->weight_grad(&layer, batch, w, at_const(net, w, net->n_out - net->n_const), g,
                                  at(net, g, net->constants));
}

/* dz_L = w, then from the last layer to the first: gW = h' dz, gb = sum dz, and dz of the layer
 * below = act'(z) (dz W'). */
void mlp_net_vjp(const mlp_net *net, const void *theta, const void *x, uint64_t batch, void *ws,
                 const void *w, void *g)
{
    stack_scratch stack;
    chunk c = open_workspace(net, x, batch, ws, &stack);
    if (!*c.transposed_ready) {
        transpose(net, theta, c.transposed);
        *c.transposed_ready = 1;
    }
    memset(g, 0, net->n_params * size_of(net));
    while (next_chunk(&c)) {
        const void *dz = at_const(net, w, c.row * net->n_out);
        for (uint64_t l = net->n_layers; l-- > 0;) {
            const mlp_layer *layer = &net->layer[l];
            net->kernels->weight_grad(&layer->dense, c.n, input(&c, l), dz,
                                      at(net, g, layer->weight), at(net, g, layer->bias));
            if (l == 0)
                break;
            net->kernels->input_grad(&layer->dense, c.n,
                                     at_const(net, c.transposed, layer->transposed), dz,
                                     input(&c, l), c.scratch[l & 1]);
            dz = c.scratch[l & 1];
        }
    }
    add_constants(net, batch, w, g);
}

void mlp_net_features(const mlp_net *net, const void *x, uint64_t batch, const void *ws, void *out)
{
    const tb_dense *last = &net->layer[net->n_layers - 1].dense;
    // only read through: the workspace's layout is written down once, for writers
    chunk c = open_workspace(net, x, batch, (void *)(uintptr_t)ws, NULL);
    c.n = batch;
    const void *from = input(&c, net->n_layers - 1);
    for (uint64_t b = 0; b < batch; b++)
        memcpy(at(net, out, b * last->n_in), at_const(net, from, b * last->ld_x),
               last->n_in * size_of(net));
}
