/* SPDX-License-Identifier: MIT */
#include "trpo/theory/table_map.h"

#include <stdlib.h>
#include <string.h>

struct tb_map {
    size_t n_in, n_out;
    double table[]; // [I][O]
};

static void destroy(tb_map *map)
{
    free(map);
}

static uint64_t n_params(const tb_map *map)
{
    return map->n_in * map->n_out;
}

static tb_status block(const tb_map *map, uint32_t i, uint64_t *offset, uint64_t *count,
                       const char **name)
{
    if (i > 0)
        return TB_E_INVALID;
    *offset = 0;
    *count = n_params(map);
    *name = "table";
    return TB_OK;
}

static tb_status init(const tb_map *map, void *theta, const tb_key *key)
{
    (void)key;
    memcpy(theta, map->table, n_params(map) * sizeof(double));
    return TB_OK;
}

static uint64_t ws_bytes(const tb_map *map, uint64_t batch)
{
    (void)map;
    (void)batch;
    return 0;
}

// y [B][O] = x [B][I] t [I][O]
static void multiply(const tb_map *map, const double *t, const double *x, uint64_t batch, double *y)
{
    memset(y, 0, batch * map->n_out * sizeof *y);
    for (uint64_t b = 0; b < batch; b++, x += map->n_in, y += map->n_out)
        for (size_t i = 0; i < map->n_in; i++)
            for (size_t k = 0; x[i] != 0 && k < map->n_out; k++)
                y[k] += x[i] * t[i * map->n_out + k];
}

static tb_status forward(const tb_map *map, const void *theta, const void *x, uint64_t batch,
                         void *y, void *ws)
{
    (void)ws;
    multiply(map, theta, x, batch, y);
    return TB_OK;
}

// linear in theta: J v is the map of the table v
static tb_status jvp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *v, void *jv)
{
    (void)theta;
    (void)ws;
    multiply(map, v, x, batch, jv);
    return TB_OK;
}

// g [I][O] = x' w
static tb_status vjp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *w, void *g)
{
    const double *row = x, *dy = w;
    double *out = g;
    (void)theta;
    (void)ws;
    memset(out, 0, n_params(map) * sizeof *out);
    for (uint64_t b = 0; b < batch; b++, row += map->n_in, dy += map->n_out)
        for (size_t i = 0; i < map->n_in; i++)
            for (size_t k = 0; row[i] != 0 && k < map->n_out; k++)
                out[i * map->n_out + k] += row[i] * dy[k];
    return TB_OK;
}

static const char *explain(const tb_map *map, tb_status status)
{
    (void)map;
    (void)status;
    return "";
}

static const void *get_extension(const tb_map *map, const char *id)
{
    (void)map;
    (void)id;
    return NULL;
}

static const tb_map_api table_api = {
    .struct_size = sizeof(tb_map_api),
    .destroy = destroy,
    .n_params = n_params,
    .block = block,
    .init = init,
    .ws_bytes = ws_bytes,
    .forward = forward,
    .jvp = jvp,
    .vjp = vjp,
    .explain = explain,
    .get_extension = get_extension,
};

tb_status tb_table_map_create(const tb_map_spec *spec, const double *table, const tb_map_api **api,
                              tb_map **out, tb_error *error)
{
    TB_ASSERT(spec->dtype == TB_F64);
    size_t n = spec->n_in * spec->n_out;
    tb_map *map = tb_alloc(1, sizeof *map + n * sizeof(double));
    if (map == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a table of %zu numbers", n);
    map->n_in = spec->n_in;
    map->n_out = spec->n_out;
    memcpy(map->table, table, n * sizeof *table);
    *api = &table_api;
    *out = map;
    return TB_OK;
}
