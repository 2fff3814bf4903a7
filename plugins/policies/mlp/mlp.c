/* SPDX-License-Identifier: MIT
 *
 * Policy architecture "mlp": a multilayer perceptron. This file reads the options, lays out
 * parameters, and draws initial parameters; the layers are in mlp_net.c, the arithmetic is the
 * host's (trpo-bench/kernels.h). Equations and options: README.md.
 */
#include <trpo-bench/kernels_reference.h>
#include <trpo-bench/map_kit.h>

#include "mlp_net.h"

#define MAX_WIDTH 4096
#define ACTIVATIONS "tanh|relu|identity"
static const uint32_t activations[] = {TB_ACT_TANH, TB_ACT_RELU,
                                       TB_ACT_IDENTITY}; /* in this order */

struct tb_map {
    tb_map_kit_head head;
    mlp_net net;
    double gain;       /* of the hidden layers' initial weights */
    double out_gain;   /* of the last layer's */
    double const_init; /* initial value of the constant outputs */
    uint32_t init;     /* TB_MAP_KIT_ORTHOGONAL, TB_MAP_KIT_XAVIER */
};

/* ---- create ---- */

static const tb_param_info options[] = {
    {0, TB_PARAM_I64_ARRAY, "hidden", "Widths of the hidden layers, first to last; [] for none.",
     "[64, 64]", NULL, 1, MAX_WIDTH},
    {0, TB_PARAM_STR, "activation", "Activation function of the hidden layers.", "\"tanh\"",
     ACTIVATIONS, 0, 0},
    {0, TB_PARAM_STR, "init", "How the initial weights are drawn; biases start at zero.",
     "\"orthogonal\"", TB_MAP_KIT_INITS, 0, 0},
    {0, TB_PARAM_F64, "gain", "Scale of the hidden layers' initial weights.", "1.4142135623730951",
     NULL, 0, 1e3},
};

typedef struct mlp_options {
    int64_t hidden[MLP_MAX_HIDDEN];
    uint64_t n_hidden;
    double gain;
    uint32_t activation; /* index in ACTIVATIONS */
    uint32_t init;
} mlp_options;

static tb_status read_options(const tb_params *params, mlp_options *o, char *err, uint64_t err_cap)
{
    tb_status status;
    *o = (mlp_options){{64, 64}, 2, 1.4142135623730951, 0, TB_MAP_KIT_ORTHOGONAL};
    // every key is read, whatever the others say
    status = params->get_i64_array(params->ctx, "hidden", o->hidden, MLP_MAX_HIDDEN, &o->n_hidden);
    if (status != TB_OK)
        return status;
    status = params->get_f64(params->ctx, "gain", &o->gain);
    if (status != TB_OK)
        return status;
    status = tb_map_kit_choice(params, "activation", ACTIVATIONS, &o->activation, err, err_cap);
    if (status != TB_OK)
        return status;
    status = tb_map_kit_choice(params, "init", TB_MAP_KIT_INITS, &o->init, err, err_cap);
    if (status != TB_OK)
        return status;
    // ranges
    for (uint64_t i = 0; i < o->n_hidden; i++)
        if (o->hidden[i] < 1 || o->hidden[i] > MAX_WIDTH)
            return tb_map_kit_fail(err, err_cap, TB_E_PARAM,
                                   "hidden[%lu] = %ld: expected a width from 1 to %d",
                                   (unsigned long)i, (long)o->hidden[i], MAX_WIDTH);
    if (!(o->gain >= 0 && o->gain <= 1e3))
        return tb_map_kit_fail(err, err_cap, TB_E_PARAM,
                               "gain = %g: expected a number from 0 to 1000", o->gain);
    return TB_OK;
}

/* The next layer of the network and its blocks of theta. */
static void add_layer(tb_map *map, uint64_t n_in, uint64_t n_out, uint32_t activation, int last)
{
    char name[24] = "output";
    if (!last)
        (void)snprintf(name, sizeof name, "hidden%u", (unsigned)map->net.n_layers);
    mlp_net_add(&map->net, n_in, n_out, activation, last,
                tb_map_kit_dense(&map->head, name, n_in, n_out));
}

static tb_status create(const tb_host *host, const tb_map_spec *spec, const tb_params *params,
                        tb_map **out, char *err, uint64_t err_cap)
{
    mlp_options o;
    tb_status status = read_options(params, &o, err, err_cap);
    if (status != TB_OK)
        return status;
    tb_map *map = tb_map_kit_new(sizeof *map, spec, &status, err, err_cap);
    if (!map)
        return status;
    mlp_net *net = &map->net;
    net->kernels = tb_kernels_of(tb_kernels_of_host(host), spec->dtype);
    net->dtype = spec->dtype;
    net->n_in = spec->n_in;
    net->n_out = spec->n_out;
    net->n_const = spec->n_const_out;
    // the layers, first to last, then the constants
    const uint32_t activation = activations[o.activation];
    uint64_t n_in = spec->n_in;
    for (uint64_t l = 0; l < o.n_hidden; l++) {
        add_layer(map, n_in, (uint64_t)o.hidden[l], activation, 0);
        n_in = (uint64_t)o.hidden[l];
    }
    add_layer(map, n_in, spec->n_out - spec->n_const_out, activation, 1);
    net->constants = tb_map_kit_constants(&map->head, spec);
    net->n_params = map->head.n_params;
    map->gain = o.gain;
    map->out_gain = spec->out_gain;
    map->const_init = spec->const_init;
    map->init = o.init;
    *out = map;
    return TB_OK;
}

/* ---- the map ---- */

/* Layer l draws from child l of the key, so that its weights do not depend on the other layers. */
static tb_status init(const tb_map *map, void *theta, const tb_key *key)
{
    const mlp_net *net = &map->net;
    for (uint64_t l = 0; l < net->n_layers; l++) {
        const mlp_layer *layer = &net->layer[l];
        tb_status status = tb_map_kit_init_weight(
            theta, map->head.dtype, layer->weight, layer->dense.n_in, layer->dense.n_out, map->init,
            l + 1 < net->n_layers ? map->gain : map->out_gain, tb_key_child(*key, l));
        if (status != TB_OK)
            return status;
        tb_map_kit_fill(theta, map->head.dtype, layer->bias, layer->dense.n_out, 0);
    }
    tb_map_kit_fill(theta, map->head.dtype, net->constants, net->n_const, map->const_init);
    return TB_OK;
}

static uint64_t ws_bytes(const tb_map *map, uint64_t batch)
{
    return mlp_net_ws_bytes(&map->net, batch);
}

static tb_status forward(const tb_map *map, const void *theta, const void *x, uint64_t batch,
                         void *y, void *ws)
{
    mlp_net_forward(&map->net, theta, x, batch, y, ws);
    return TB_OK;
}

static tb_status jvp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *v, void *jv)
{
    mlp_net_jvp(&map->net, theta, x, batch, ws, v, jv);
    return TB_OK;
}

static tb_status vjp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *w, void *g)
{
    mlp_net_vjp(&map->net, theta, x, batch, ws, w, g);
    return TB_OK;
}

static uint64_t n_features(const tb_map *map)
{
    return map->net.layer[map->net.n_layers - 1].dense.n_in;
}

static tb_status features(const tb_map *map, const void *x, uint64_t batch, const void *ws,
                          void *out)
{
    mlp_net_features(&map->net, x, batch, ws, out);
    return TB_OK;
}

static const void *get_extension(const tb_map *map, const char *id)
{
    static const tb_map_features table = {sizeof table, 0, n_features, features};
    (void)map;
    return strcmp(id, TB_EXT_MAP_FEATURES) == 0 ? &table : NULL;
}

static const tb_map_api api = TB_MAP_KIT_API_WITH(init, ws_bytes, forward, jvp, vjp, get_extension);

static const tb_map_kit kit = {
    "mlp",
    "Multilayer perceptron with tanh, relu or no activation and a linear last layer.",
    &api,
    options,
    sizeof options / sizeof *options,
    create};

TB_MAP_KIT_PLUGIN(kit, 0)
