/* SPDX-License-Identifier: MIT
 *
 * Policy architecture "mlp": a multilayer perceptron. This file reads the options, lays out
 * parameters and workspace, draws initial parameters and chooses the kernels of this CPU; the
 * arithmetic is in mlp_kernels.c. Equations and options: README.md.
 */
#include <trpo-bench/map_kit.h>

#include "mlp_kernels.h"

#define MAX_WIDTH 4096
#define ACTIVATIONS "tanh|relu|identity"

struct tb_map {
    tb_map_kit_head head;
    mlp_net net;
    const mlp_kernels *kernels;
    double gain;       /* of the hidden layers' initial weights */
    double out_gain;   /* of the last layer's */
    double const_init; /* initial value of the constant outputs */
    uint32_t init;     /* TB_MAP_KIT_ORTHOGONAL, TB_MAP_KIT_XAVIER */
};

/* ---- which kernels ---- */

static int always(void)
{
    return 1;
}

#if defined(__x86_64__)
static int has_v3(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

static int has_v4(void)
{
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

/* Best first; the last one runs everywhere. */
static const struct {
    const char *name;
    int (*runs)(void);
    const mlp_kernels *f32, *f64;
} levels[] = {
#if defined(__x86_64__)
    {"v4", has_v4, &mlp_v4_f32, &mlp_v4_f64},
    {"v3", has_v3, &mlp_v3_f32, &mlp_v3_f64},
#endif
    {"baseline", always, &mlp_baseline_f32, &mlp_baseline_f64},
};

/* The kernels of the best level that this CPU runs, or of the one that the environment variable
 * TRPO_BENCH_ISA names (for tests; levels v3 and v4 give the same bits). NULL: no such level. */
static const mlp_kernels *choose_kernels(uint32_t dtype, char *err, uint64_t err_cap)
{
    const char *forced = getenv("TRPO_BENCH_ISA");
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if ((!forced || strcmp(forced, levels[i].name) == 0) && levels[i].runs())
            return dtype == TB_F64 ? levels[i].f64 : levels[i].f32;
    (void)tb_map_kit_fail(err, err_cap, TB_E_UNSUPPORTED,
                          "environment variable TRPO_BENCH_ISA = \"%s\": expected baseline, v3 or "
                          "v4, as far as this CPU has them; unset it to let the CPU decide",
                          forced);
    return NULL;
}

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
    uint32_t activation;
    uint32_t init;
} mlp_options;

static tb_status read_options(const tb_params *params, mlp_options *o, char *err, uint64_t err_cap)
{
    tb_status status;
    *o = (mlp_options){{64, 64}, 2, 1.4142135623730951, MLP_TANH, TB_MAP_KIT_ORTHOGONAL};
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

/* Layer l of the network: blocks of theta and room in the workspace. */
static void lay_out_layer(tb_map *map, uint64_t l, uint64_t n_in, uint64_t n_out)
{
    mlp_net *net = &map->net;
    mlp_layer *layer = &net->layer[l];
    const uint64_t per_line = map->head.dtype == TB_F64 ? 8 : 16;
    const int last = l + 1 == net->n_layers;
    char name[24];
    if (last)
        (void)snprintf(name, sizeof name, "output");
    else
        (void)snprintf(name, sizeof name, "hidden%u", (unsigned)l);
    layer->n_in = n_in;
    layer->n_out = n_out;
    layer->ld = (n_out + per_line - 1) / per_line * per_line;
    layer->weight = tb_map_kit_dense(&map->head, name, n_in, n_out);
    layer->bias = layer->weight + n_in * n_out;
    layer->transposed = net->n_transposed;
    layer->hidden = net->row_elements;
    if (l > 0)
        net->n_transposed += n_out * net->layer[l - 1].ld;
    if (!last)
        net->row_elements += layer->ld;
    if (net->max_ld < layer->ld)
        net->max_ld = layer->ld;
}

static tb_status create(const tb_map_spec *spec, const tb_params *params, tb_map **out, char *err,
                        uint64_t err_cap)
{
    mlp_options o;
    tb_status status = read_options(params, &o, err, err_cap);
    if (status != TB_OK)
        return status;
    const mlp_kernels *kernels = choose_kernels(spec->dtype, err, err_cap);
    if (!kernels)
        return TB_E_UNSUPPORTED;
    tb_map *map = tb_map_kit_new(sizeof *map, spec, &status, err, err_cap);
    if (!map)
        return status;
    // the layers, first to last, then the constants
    map->net.n_layers = o.n_hidden + 1;
    uint64_t n_in = spec->n_in;
    for (uint64_t l = 0; l < o.n_hidden; l++) {
        lay_out_layer(map, l, n_in, (uint64_t)o.hidden[l]);
        n_in = (uint64_t)o.hidden[l];
    }
    lay_out_layer(map, o.n_hidden, n_in, spec->n_out - spec->n_const_out);
    map->net.constants = tb_map_kit_constants(&map->head, spec);
    map->net.activation = o.activation;
    map->net.n_in = spec->n_in;
    map->net.n_out = spec->n_out;
    map->net.n_const = spec->n_const_out;
    map->net.n_params = map->head.n_params;
    map->kernels = kernels;
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
            theta, map->head.dtype, layer->weight, layer->n_in, layer->n_out, map->init,
            l + 1 < net->n_layers ? map->gain : map->out_gain, tb_key_child(*key, l));
        if (status != TB_OK)
            return status;
        tb_map_kit_fill(theta, map->head.dtype, layer->bias, layer->n_out, 0);
    }
    tb_map_kit_fill(theta, map->head.dtype, net->constants, net->n_const, map->const_init);
    return TB_OK;
}

static uint64_t ws_bytes(const tb_map *map, uint64_t batch)
{
    return mlp_ws_bytes(&map->net, batch, map->head.dtype == TB_F64 ? 8 : 4);
}

static tb_status forward(const tb_map *map, const void *theta, const void *x, uint64_t batch,
                         void *y, void *ws)
{
    map->kernels->forward(&map->net, theta, x, batch, y, ws);
    return TB_OK;
}

static tb_status jvp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *v, void *jv)
{
    map->kernels->jvp(&map->net, theta, x, batch, ws, v, jv);
    return TB_OK;
}

static tb_status vjp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *w, void *g)
{
    map->kernels->vjp(&map->net, theta, x, batch, ws, w, g);
    return TB_OK;
}

static const tb_map_api api = TB_MAP_KIT_API(init, ws_bytes, forward, jvp, vjp);

static const tb_map_kit kit = {
    "mlp",
    "Multilayer perceptron with tanh, relu or no activation and a linear last layer.",
    &api,
    options,
    sizeof options / sizeof *options,
    create};

TB_MAP_KIT_PLUGIN(kit, 0)
