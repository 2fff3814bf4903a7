/* SPDX-License-Identifier: MIT
 *
 * Policy architecture "linear": y = x W + b and constants. Legend: B batch rows, I inputs, N
 * outputs that depend on the input, C constant outputs, O = N + C. W is [I][N]. Written for
 * clarity: plain loops, one multiply and one add a step, the same bits on every CPU.
 */
#include <trpo-bench/map_kit.h>

struct tb_map {
    tb_map_kit_head head;
    uint64_t n_in;      /* I */
    uint64_t n_dense;   /* N */
    uint64_t n_const;   /* C */
    uint64_t constants; /* offset of the values of the constant outputs; W is at 0, b at I N */
    double out_gain;
    double const_init;
    uint32_t init; /* TB_MAP_KIT_ORTHOGONAL, TB_MAP_KIT_XAVIER */
};

static const tb_param_info options[] = {
    {0, TB_PARAM_STR, "init", "How the initial weights are drawn; biases start at zero.",
     "\"orthogonal\"", TB_MAP_KIT_INITS, 0, 0},
};

static tb_status create(const tb_host *host, const tb_map_spec *spec, const tb_params *params,
                        tb_map **out, char *err, uint64_t err_cap)
{
    (void)host;
    uint32_t how = TB_MAP_KIT_ORTHOGONAL;
    tb_status status = tb_map_kit_choice(params, "init", TB_MAP_KIT_INITS, &how, err, err_cap);
    if (status != TB_OK)
        return status;
    tb_map *map = tb_map_kit_new(sizeof *map, spec, &status, err, err_cap);
    if (!map)
        return status;
    map->n_in = spec->n_in;
    map->n_const = spec->n_const_out;
    map->n_dense = spec->n_out - spec->n_const_out;
    (void)tb_map_kit_dense(&map->head, "output", map->n_in, map->n_dense);
    map->constants = tb_map_kit_constants(&map->head, spec);
    map->out_gain = spec->out_gain;
    map->const_init = spec->const_init;
    map->init = how;
    *out = map;
    return TB_OK;
}

static tb_status init(const tb_map *map, void *theta, const tb_key *key)
{
    const uint32_t dtype = map->head.dtype;
    tb_status status = tb_map_kit_init_weight(theta, dtype, 0, map->n_in, map->n_dense, map->init,
                                              map->out_gain, tb_key_child(*key, 0));
    tb_map_kit_fill(theta, dtype, map->n_in * map->n_dense, map->n_dense, 0);
    tb_map_kit_fill(theta, dtype, map->constants, map->n_const, map->const_init);
    return status;
}

/* The map is linear in theta: nothing to remember from forward(). */
static uint64_t ws_bytes(const tb_map *map, uint64_t batch)
{
    (void)map;
    (void)batch;
    return 0;
}

#define REAL float
#define NAME(x) x##_f32
#include "linear_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "linear_real.h"

static tb_status forward(const tb_map *map, const void *theta, const void *x, uint64_t batch,
                         void *y, void *ws)
{
    (void)ws;
    if (map->head.dtype == TB_F64)
        apply_f64(map, theta, x, batch, y);
    else
        apply_f32(map, theta, x, batch, y);
    return TB_OK;
}

/* y is linear in theta: J v is the map itself with v for theta. */
static tb_status jvp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *v, void *jv)
{
    (void)theta;
    return forward(map, v, x, batch, jv, ws);
}

static tb_status vjp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *w, void *g)
{
    (void)theta;
    (void)ws;
    if (map->head.dtype == TB_F64)
        gradient_f64(map, x, batch, w, g);
    else
        gradient_f32(map, x, batch, w, g);
    return TB_OK;
}

static uint64_t n_features(const tb_map *map)
{
    return map->n_in;
}

/* What the one layer reads: the inputs. */
static tb_status features(const tb_map *map, const void *x, uint64_t batch, const void *ws,
                          void *out)
{
    (void)ws;
    memcpy(out, x, batch * map->n_in * (map->head.dtype == TB_F64 ? 8 : 4));
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
    "linear", "Linear map of the observation, with a bias.", &api, options, 1, create};

TB_MAP_KIT_PLUGIN(kit, 0)
