/* SPDX-License-Identifier: MIT
 *
 * The kernels that the host offers (include/trpo-bench/kernels.h) in float32 on one core: dense
 * layers of the usual shapes, forward passes of whole networks through the mlp plugin, tanh, exp
 * and log, and the random numbers. Shares count useful operations; those of narrow outputs are low
 * because the last vector is not full.
 */
#include <stdlib.h>
#include <string.h>
#include <trpo-bench/rng.h>

#include "bench/measure.h"
#include "harness/plugin/loader.h"
#include "trpo/linalg/kernels.h"

enum { MAX_FIGURES = 160, VECTOR = 4096, RANDOM = 4096 };

static bench_figure figures[MAX_FIGURES];
static size_t n_figures;
static const tb_kernels_table *kernels;

static bench_figure *add(void (*call)(void *), void *arg, const char *unit, double items,
                         double flops)
{
    if (n_figures == MAX_FIGURES)
        bench_stop("kernel-bench", "too many figures for its table");
    bench_figure *f = &figures[n_figures++];
    f->call = call;
    f->arg = arg;
    f->unit = unit;
    f->items = items;
    f->flops = flops;
    f->threads = 1;
    return f;
}

static float *uniform(size_t n)
{
    float *p = bench_alloc(n, sizeof *p);
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{n, 1}});
    for (size_t i = 0; i < n; i++)
        p[i] = (float)tb_rng_uniform(&rng, -1, 1);
    return p;
}

// ---- one layer ----

typedef struct layer {
    tb_dense dense;
    size_t rows;
    float *w, *b, *wt, *x, *y, *dx, *dy, *gw, *gb;
} layer;

static void run_forward(void *arg)
{
    const layer *l = arg;
    kernels->forward(&l->dense, l->rows, l->w, l->b, l->x, l->y);
}

static void run_input_grad(void *arg)
{
    const layer *l = arg;
    kernels->input_grad(&l->dense, l->rows, l->wt, l->dy, l->x, l->dx);
}

// gw grows without bound, to infinity if need be: the time stays the same
static void run_weight_grad(void *arg)
{
    const layer *l = arg;
    kernels->weight_grad(&l->dense, l->rows, l->x, l->dy, l->gw, l->gb);
}

static void add_layer(size_t n_in, size_t n_out, size_t rows)
{
    static const struct {
        const char *name;
        void (*call)(void *);
    } calls[] = {{"x W", run_forward}, {"dy W'", run_input_grad}, {"x' dy", run_weight_grad}};
    layer *l = bench_alloc(1, sizeof *l);
    const size_t ld_x = tb_kernels_ld(TB_F32, n_in), ld_y = tb_kernels_ld(TB_F32, n_out);
    l->dense = (tb_dense){
        sizeof l->dense, TB_DENSE_PAD_X | TB_DENSE_PAD_Y, n_in, n_out, ld_x, ld_y, TB_ACT_IDENTITY,
        TB_ACT_IDENTITY};
    l->rows = rows;
    l->w = uniform(n_in * n_out);
    l->b = uniform(n_out);
    l->wt = uniform(n_out * ld_x);
    l->x = uniform(rows * ld_x);
    l->y = uniform(rows * ld_y);
    l->dx = uniform(rows * ld_x);
    l->dy = uniform(rows * ld_y);
    l->gw = uniform(n_in * n_out);
    l->gb = uniform(n_out);
    for (size_t c = 0; c < 3; c++) {
        bench_figure *f = add(calls[c].call, l, "row", (double)rows,
                              2.0 * (double)n_in * (double)n_out * (double)rows);
        (void)snprintf(f->name, sizeof f->name, "%s, %zu->%zu, %zu rows", calls[c].name, n_in,
                       n_out, rows);
    }
}

// ---- a network ----

typedef struct network {
    const tb_map_api *api;
    tb_map *map;
    size_t rows;
    float *theta, *x, *y, *v, *g;
    void *ws;
} network;

static void run_network(void *arg)
{
    const network *n = arg;
    (void)n->api->forward(n->map, n->theta, n->x, n->rows, n->y, n->ws);
}

static void run_jvp(void *arg)
{
    const network *n = arg;
    (void)n->api->jvp(n->map, n->theta, n->x, n->rows, n->ws, n->v, n->y);
}

static void run_vjp(void *arg)
{
    const network *n = arg;
    (void)n->api->vjp(n->map, n->theta, n->x, n->rows, n->ws, n->y, n->g);
}

static void add_network(const tb_plugin *mlp, uint64_t n_in, uint64_t n_out, size_t rows)
{
    network *n = bench_alloc(1, sizeof *n);
    const tb_map_spec spec = {.struct_size = sizeof spec,
                              .dtype = TB_F32,
                              .n_in = n_in,
                              .n_out = n_out,
                              .in_shape = &n_in,
                              .in_ndim = 1,
                              .out_gain = 1};
    tb_error error;
    if (tb_plugin_create_map(mlp, "mlp", &spec, NULL, &n->api, &n->map, NULL, &error) != TB_OK)
        bench_stop("kernel-bench", error.message);
    n->rows = rows;
    n->theta = bench_alloc(n->api->n_params(n->map), sizeof(float));
    n->x = uniform(rows * n_in);
    n->y = bench_alloc(rows * n_out, sizeof(float));
    n->ws = bench_alloc(n->api->ws_bytes(n->map, rows), 1);
    if (n->api->init(n->map, n->theta, &(tb_key){{1, 2}}) != TB_OK)
        bench_stop("kernel-bench", "the network's init failed");
    n->v = uniform(n->api->n_params(n->map));
    n->g = uniform(n->api->n_params(n->map));
    run_network(n);
    // useful operations: the first layer has no input derivative
    const double first = 2.0 * (double)(n_in * 64), rest = 2.0 * (double)(64 * 64 + 64 * n_out);
    const struct {
        const char *name;
        void (*call)(void *);
        double flops;
    } calls[] = {{"forward", run_network, first + rest},
                 {"jvp", run_jvp, first + 2 * rest},
                 {"vjp", run_vjp, first + 2 * rest}};
    for (size_t c = 0; c < 3; c++) {
        bench_figure *f = add(calls[c].call, n, "row", (double)rows, calls[c].flops * (double)rows);
        (void)snprintf(f->name, sizeof f->name, "%s %zu-64-64-%zu with tanh, %zu rows",
                       calls[c].name, (size_t)n_in, (size_t)n_out, rows);
    }
}

// ---- functions and random numbers ----

static float *vector_x, *vector_y;
static double random_sum;

static void run_tanh(void *arg)
{
    (void)arg;
    kernels->tanh(VECTOR, vector_x, vector_y);
}

static void run_exp(void *arg)
{
    (void)arg;
    kernels->exp(VECTOR, vector_x, vector_y);
}

static void run_log(void *arg)
{
    (void)arg;
    kernels->log(VECTOR, vector_x, vector_y);
}

// Philox: one block of 128 bits after the other
static void run_blocks(void *arg)
{
    uint64_t bits[2], sum = 0;
    (void)arg;
    for (uint64_t i = 0; i < RANDOM; i++) {
        tb_key_block(&(tb_key){{1, 2}}, i, bits);
        sum += bits[0] ^ bits[1];
    }
    random_sum += (double)sum;
}

static void run_uniform(void *arg)
{
    tb_rng rng;
    (void)arg;
    tb_rng_init(&rng, (tb_key){{1, 2}});
    for (size_t i = 0; i < RANDOM; i++)
        random_sum += tb_rng_f64(&rng);
}

static void add_functions(void)
{
    static const struct {
        const char *name;
        void (*call)(void *);
    } calls[] = {{"tanh", run_tanh}, {"exp", run_exp}, {"log", run_log}},
      draws[] = {{"Philox4x32-10, 128 bits", run_blocks}, {"uniform double", run_uniform}};
    vector_x = uniform(VECTOR);
    vector_y = uniform(VECTOR);
    for (size_t i = 0; i < VECTOR; i++)
        vector_x[i] = 0.01f + 3 * (vector_x[i] < 0 ? -vector_x[i] : vector_x[i]);
    for (size_t i = 0; i < 3; i++)
        (void)snprintf(add(calls[i].call, NULL, "element", VECTOR, 0)->name, 64, "%s",
                       calls[i].name);
    for (size_t i = 0; i < 2; i++)
        (void)snprintf(add(draws[i].call, NULL, "draw", RANDOM, 0)->name, 64, "%s", draws[i].name);
}

int main(int argc, char **argv)
{
    static const size_t shapes[][2] = {{4, 64}, {17, 64}, {64, 64},   {64, 6},
                                       {64, 2}, {64, 1},  {376, 256}, {256, 128}};
    static const size_t batches[] = {1, 8, 64, 192};
    const bench_options options =
        bench_parse(argc, argv, "Times of the kernels on one core, as shares of the peak.");
    const tb_kernels *all;
    tb_plugin *mlp;
    tb_error error;
    if (tb_kernels_get(&all, &error) != TB_OK ||
        tb_plugin_load(TB_BENCH_PLUGIN_DIR "/mlp.so", &mlp, &error) != TB_OK)
        bench_stop("kernel-bench", error.message);
    kernels = all->f32;
    for (size_t b = 0; b < 4; b++) {
        add_network(mlp, 17, 6, batches[b]);
        add_network(mlp, 4, 2, batches[b]);
    }
    add_functions();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t b = 0; b < 4; b++)
            add_layer(shapes[s][0], shapes[s][1], batches[b]);
    bench_run("kernel-bench", "multiply-add peak", &options, figures, n_figures);
    return 0;
}
