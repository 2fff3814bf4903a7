/* SPDX-License-Identifier: MIT
 *
 * One policy architecture that is right (BROKEN=healthy) and, compiled with another
 * -DBROKEN=<kind>, wrong in exactly one way: README.md. y = tanh(W x + b), then the constant
 * outputs. theta = W [H][I], b [H], c [n_const_out]; H = O - n_const_out.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trpo-bench/policy.h>
#include <trpo-bench/rng.h>

enum {
    healthy,
    blocks_overlap,
    init_unseeded,
    init_nan,
    nan_forward,
    batch_dependent,
    wrong_vjp,
    wrong_jvp,
    wrong_both,
    nonlinear_jvp,
    modifies_theta,
    static_scratch,
    reads_workspace,
    empty_batch,
    ignores_block,
    const_from_x,
    f32_differs,
    crash_forward,
    features_absent,
    features_null,
    features_none,
    features_of_outputs,
    features_overrun,
    features_write_ws,
    features_of_batch,
    features_of_jvp
};

// enumerators and not macros, so that each dead branch still compiles
#define IS(kind) (BROKEN == (kind))

struct tb_map {
    uint64_t n_in, n_hidden, n_const;
    uint32_t dtype, unused;
    double const_init, out_gain;
};

static void destroy(tb_map *map)
{
    free(map);
}

static uint64_t n_params(const tb_map *map)
{
    return map->n_hidden * (map->n_in + 1) + map->n_const;
}

static tb_status block(const tb_map *map, uint32_t i, uint64_t *offset, uint64_t *n,
                       const char **name)
{
    static const char *const names[] = {"weight", "bias", "const"};
    uint64_t weights = map->n_hidden * map->n_in;
    const uint64_t offsets[] = {0, weights, weights + map->n_hidden};
    const uint64_t counts[] = {weights, map->n_hidden, map->n_const};
    if (i >= (map->n_const > 0 ? 3u : 2u))
        return TB_E_INVALID;
    *offset = offsets[i] - (IS(blocks_overlap) && i == 1);
    *n = counts[i];
    *name = names[i];
    return TB_OK;
}

static double get(const tb_map *map, const void *array, uint64_t i)
{
    return map->dtype == TB_F64 ? ((const double *)array)[i] : (double)((const float *)array)[i];
}

static void put(const tb_map *map, void *array, uint64_t i, double value)
{
    if (map->dtype == TB_F64)
        ((double *)array)[i] = value;
    else
        ((float *)array)[i] = (float)value;
}

static tb_status init(const tb_map *map, void *theta, const tb_key *key)
{
    static uint64_t calls;
    tb_rng rng;
    uint64_t n = n_params(map), n_weights = map->n_hidden * map->n_in;
    tb_rng_init(&rng, *key);
    rng.n = IS(init_unseeded) ? calls++ : 0;
    for (uint64_t i = 0; i < n; i++) {
        double weight = map->out_gain * tb_rng_uniform(&rng, -1, 1);
        put(map, theta, i, i < n_weights ? weight : i < n - map->n_const ? 0 : map->const_init);
    }
    if (IS(init_nan))
        put(map, theta, 0, NAN);
    return TB_OK;
}

// the workspace holds tanh' = 1 - y^2, as doubles [B][H]
static uint64_t ws_bytes(const tb_map *map, uint64_t batch)
{
    return batch * map->n_hidden * sizeof(double);
}

#ifdef BROKEN_static_scratch
static double scratch[8192];
#define SLOPE(ws) ((void)(ws), scratch)
#else
#define SLOPE(ws) (ws)
#endif

static double row_sum(const tb_map *map, const void *theta, const void *x, uint64_t b, uint64_t h)
{
    double sum = get(map, theta, map->n_hidden * map->n_in + h);
    if (IS(ignores_block))
        sum = 0;
    for (uint64_t i = 0; i < map->n_in; i++)
        sum += get(map, theta, h * map->n_in + i) * get(map, x, b * map->n_in + i);
    return sum;
}

static tb_status forward(const tb_map *map, const void *theta, const void *x, uint64_t batch,
                         void *y, void *ws)
{
    uint64_t n_hidden = map->n_hidden, n_out = n_hidden + map->n_const;
    double *slope = SLOPE(ws);
    if (IS(empty_batch) && batch == 0)
        put(map, y, 0, 0);
    if (IS(crash_forward) && batch > 1)
        abort();
    for (uint64_t b = 0; b < batch; b++) {
        for (uint64_t h = 0; h < n_hidden; h++) {
            double sum = row_sum(map, theta, x, b, h);
            if (IS(batch_dependent))
                sum += 1e-9 * (double)batch;
            if (IS(reads_workspace) && isnan(slope[b * n_hidden + h]))
                sum = 0;
            if (IS(f32_differs) && map->dtype == TB_F32)
                sum *= 1.01;
            double value = tanh(sum);
            slope[b * n_hidden + h] = 1 - value * value;
            put(map, y, b * n_out + h, IS(nan_forward) ? NAN : value);
        }
        for (uint64_t c = 0; c < map->n_const; c++)
            put(map, y, b * n_out + n_hidden + c,
                get(map, theta, n_hidden * (map->n_in + 1) + c) +
                    (IS(const_from_x) ? get(map, x, b * map->n_in) : 0));
    }
    if (IS(modifies_theta))
        put(map, (void *)(uintptr_t)theta, 0, 1.5);
    return TB_OK;
}

static tb_status jvp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *v, void *jv)
{
    uint64_t n_hidden = map->n_hidden, n_out = n_hidden + map->n_const;
    const double *slope = SLOPE(ws);
    double factor = IS(wrong_jvp) || IS(wrong_both) ? 1 + 1e-6 : 1;
    (void)theta;
    if (IS(features_of_jvp) && batch > 0)
        ((double *)ws)[0] = 0;
    for (uint64_t b = 0; b < batch; b++) {
        for (uint64_t h = 0; h < n_hidden; h++) {
            double sum = slope[b * n_hidden + h] * factor * row_sum(map, v, x, b, h);
            put(map, jv, b * n_out + h, IS(nonlinear_jvp) ? sum + 1e-7 * sum * sum : sum);
        }
        for (uint64_t c = 0; c < map->n_const; c++)
            put(map, jv, b * n_out + n_hidden + c, get(map, v, n_hidden * (map->n_in + 1) + c));
    }
    return TB_OK;
}

// one parameter's entry of J' w
static double gradient(const tb_map *map, const void *x, uint64_t batch, const double *slope,
                       const void *w, uint64_t p)
{
    uint64_t n_hidden = map->n_hidden, n_in = map->n_in, n_out = n_hidden + map->n_const;
    double sum = 0;
    int is_const = p >= n_hidden * (n_in + 1), is_bias = !is_const && p >= n_hidden * n_in;
    double factor = (IS(wrong_vjp) && is_bias) || IS(wrong_both) ? 1 + 1e-6 : 1;
    uint64_t h = is_const ? 0 : is_bias ? p - n_hidden * n_in : p / n_in;
    if (is_bias && IS(ignores_block))
        return 0;
    for (uint64_t b = 0; b < batch; b++) {
        if (is_const)
            sum += get(map, w, b * n_out + n_hidden + (p - n_hidden * (n_in + 1)));
        else
            sum += factor * slope[b * n_hidden + h] * get(map, w, b * n_out + h) *
                   (is_bias ? 1 : get(map, x, b * n_in + p % n_in));
    }
    return sum;
}

static tb_status vjp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *w, void *g)
{
    (void)theta;
    for (uint64_t p = 0; p < n_params(map); p++)
        put(map, g, p, gradient(map, x, batch, SLOPE(ws), w, p));
    return TB_OK;
}

static const char *explain(const tb_map *map, tb_status status)
{
    (void)map;
    (void)status;
    return "";
}

static uint64_t n_features(const tb_map *map)
{
    if (IS(features_none))
        return 0;
    return IS(features_of_outputs) ? map->n_hidden : map->n_in;
}

// the layer reads the inputs
static tb_status features(const tb_map *map, const void *x, uint64_t batch, const void *ws,
                          void *out)
{
    uint64_t n = batch * map->n_in;
    for (uint64_t i = 0; i < n; i++)
        put(map, out, i, get(map, x, i) * (IS(features_of_batch) ? 1 + 1e-9 * (double)batch : 1));
    if (IS(features_of_jvp)) // the first jvp() scales what forward() left
        put(map, out, 0, ((const double *)ws)[0]);
    if (IS(features_overrun))
        put(map, out, n, 0);
    if (IS(features_write_ws))
        ((double *)(uintptr_t)ws)[0] = 2;
    return TB_OK;
}

static const void *get_extension(const tb_map *map, const char *id)
{
    static const tb_map_features table = {sizeof table, 0, n_features,
                                          IS(features_null) ? NULL : features};
    (void)map;
    return strcmp(id, TB_EXT_MAP_FEATURES) == 0 && !IS(features_absent) ? &table : NULL;
}

static uint32_t count(void)
{
    return 1;
}

static const char *map_id(uint32_t i)
{
    return i == 0 ? "broken-" TB_BROKEN_NAME : NULL;
}

static const char *summary(uint32_t i)
{
    return i == 0 ? "One layer of tanh units, for tests of the harness." : NULL;
}

static tb_status create(const tb_host *host, const char *id, const tb_map_spec *spec,
                        const tb_params *params, const tb_map_api **api, tb_map **out, char *err,
                        uint64_t err_cap)
{
    static const tb_map_api table = {sizeof table, 0,    destroy,  n_params,
                                     block,        init, ws_bytes, forward,
                                     jvp,          vjp,  explain,  get_extension};
    (void)host;
    (void)params;
    if (strcmp(id, map_id(0)) != 0) {
        snprintf(err, err_cap, "no policy \"%s\" in this library", id);
        return TB_E_INVALID;
    }
    tb_map *map = calloc(1, sizeof *map);
    if (map == NULL)
        return TB_E_NOMEM;
    map->n_in = spec->n_in;
    map->n_hidden = spec->n_out - spec->n_const_out;
    map->n_const = spec->n_const_out;
    map->dtype = spec->dtype;
    map->const_init = spec->const_init;
    map->out_gain = spec->out_gain;
    *api = &table;
    *out = map;
    return TB_OK;
}

static const void *get_factory(const char *id)
{
    static const tb_map_factory maps = {
        sizeof maps, TB_DTYPE_BIT(TB_F64) | TB_DTYPE_BIT(TB_F32), count, map_id, summary, create};
    return strcmp(id, TB_MAP_FACTORY) == 0 ? &maps : NULL;
}

const tb_entry *tb_plugin_entry(void)
{
    static const tb_entry entry = {
        .magic = TB_ABI_MAGIC,
        .struct_size = sizeof entry,
        .abi_major = TB_ABI_MAJOR,
        .abi_minor = TB_ABI_MINOR,
        .layout_crc = TB_ABI_LAYOUT_CRC,
        .build = TB_PLUGIN_BUILD,
        .get_factory = get_factory,
    };
    return &entry;
}
