/* SPDX-License-Identifier: MIT
 *
 * The variance v = z^2 sigma^2 + floor is a dense layer of the squared features, without
 * activation, whose weights are sigma^2: it and its derivatives are the kernels of
 * trpo/linalg/kernels.h, which are what makes rows independent of the batch.
 */
#include "trpo/net/gsde.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/linalg/kernels.h"

struct tb_map {
    const tb_map_api *api; // the architecture
    tb_map *map;           // owned
    const tb_map_features *features;
    const tb_kernels_table *kernels;
    uint32_t dtype;
    size_t A, H;
    tb_dense variance; // z^2 [B][H] -> v [B][A]
};

// ---- workspace: the architecture's, then these arrays, all at multiples of 64 bytes ----

typedef struct arrays {
    void *ws;                // the architecture's
    void *inner;             // [B][A + H A] its y, jv or w
    void *z, *z2;            // [B][H] features, squared
    void *v, *u;             // [B][A] variance; scratch
    void *sigma, *sigma2;    // [H][A]
    void *weights, *ga, *gb; // [H][A], [H][A], [A] scratch
    void *floor, *zero;      // [A]
} arrays;

static size_t element(const tb_map *map)
{
    return map->dtype == TB_F64 ? sizeof(double) : sizeof(float);
}

static size_t line(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

// the next n elements of ws, which is NULL when only the size is wanted
static void *take(const tb_map *map, char *ws, size_t *at, size_t n)
{
    void *taken = ws != NULL ? ws + *at : NULL;
    *at += line(n * element(map));
    return taken;
}

// returns the size
static size_t lay_out(const tb_map *map, size_t batch, void *ws, arrays *a)
{
    const size_t A = map->A, H = map->H;
    size_t at = line((size_t)map->api->ws_bytes(map->map, batch));
    a->ws = ws;
    a->inner = take(map, ws, &at, batch * (A + H * A));
    a->z = take(map, ws, &at, batch * H);
    a->z2 = take(map, ws, &at, batch * H);
    a->v = take(map, ws, &at, batch * A);
    a->u = take(map, ws, &at, batch * A);
    a->sigma = take(map, ws, &at, H * A);
    a->sigma2 = take(map, ws, &at, H * A);
    a->weights = take(map, ws, &at, H * A);
    a->ga = take(map, ws, &at, H * A);
    a->gb = take(map, ws, &at, A);
    a->floor = take(map, ws, &at, A);
    a->zero = take(map, ws, &at, A);
    return at;
}

static uint64_t ws_bytes(const tb_map *map, uint64_t batch)
{
    arrays a;
    return lay_out(map, (size_t)batch, NULL, &a);
}

// ---- arithmetic, for both types ----

#define REAL float
#define NAME(x) x##_f32
#include "trpo/net/gsde_real.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(x) x##_f64
#include "trpo/net/gsde_real.h"

#define EACH(map, call, ...)                                                                       \
    ((map)->dtype == TB_F64 ? call##_f64(__VA_ARGS__) : call##_f32(__VA_ARGS__))

// the constants l (or their tangents) in the first row of the architecture's outputs
static void *constants(const tb_map *map, const arrays *a)
{
    return (char *)a->inner + map->A * element(map);
}

static tb_status forward(const tb_map *map, const void *theta, const void *x, uint64_t batch,
                         void *y, void *ws)
{
    const size_t A = map->A, H = map->H, n = (size_t)batch;
    arrays a;
    lay_out(map, n, ws, &a);
    tb_status status = map->api->forward(map->map, theta, x, batch, a.inner, a.ws);
    if (status == TB_OK && n > 0)
        status = map->features->features(map->map, x, batch, a.ws, a.z);
    if (status != TB_OK || n == 0)
        return status;
    // v = z^2 sigma^2 + floor
    map->kernels->exp(H * A, constants(map, &a), a.sigma);
    EACH(map, square, H * A, a.sigma, a.sigma2);
    EACH(map, square, n * H, a.z, a.z2);
    EACH(map, fill, A, TB_GSDE_FLOOR, a.floor);
    EACH(map, fill, A, 0, a.zero);
    map->kernels->forward(&map->variance, batch, a.sigma2, a.floor, a.z2, a.v);
    map->kernels->log(n * A, a.v, a.u);
    EACH(map, outputs, map, n, a.inner, a.u, y);
    return TB_OK;
}

// v = sum_k z_k^2 exp(2 l_k): dv / 2 = sum_k z_k^2 sigma_k^2 dl_k
static tb_status jvp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *v, void *jv)
{
    const size_t n = (size_t)batch;
    arrays a;
    lay_out(map, n, ws, &a);
    tb_status status = map->api->jvp(map->map, theta, x, batch, a.ws, v, a.inner);
    if (status != TB_OK || n == 0)
        return status;
    EACH(map, multiply, map->H * map->A, a.sigma2, constants(map, &a), a.weights);
    map->kernels->forward(&map->variance, batch, a.weights, a.zero, a.z2, a.u);
    EACH(map, tangents, map, n, a.inner, a.u, a.v, jv);
    return TB_OK;
}

// d/dl_kj = sigma_kj^2 sum over rows of z_k^2 w_j / v_j. The architecture sums the columns of its
// constants over the rows: the first row gets the sum, the others 0.
static tb_status vjp(const tb_map *map, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *w, void *g)
{
    const size_t A = map->A, H = map->H, n = (size_t)batch;
    arrays a;
    lay_out(map, n, ws, &a);
    EACH(map, cotangents, map, n, w, a.v, a.u, a.inner);
    if (n > 0) {
        EACH(map, fill, H * A, 0, a.ga);
        EACH(map, fill, A, 0, a.gb);
        map->kernels->weight_grad(&map->variance, batch, a.z2, a.u, a.ga, a.gb);
        EACH(map, multiply, H * A, a.sigma2, a.ga, constants(map, &a));
    }
    return map->api->vjp(map->map, theta, x, batch, a.ws, a.inner, g);
}

void tb_gsde_noise(const tb_map *map, const void *ws, size_t batch, size_t row, const double *eps,
                   double *noise)
{
    arrays a;
    lay_out(map, batch, (void *)(uintptr_t)ws, &a);
    const void *z = (const char *)a.z + row * map->H * element(map);
    EACH(map, noise, map, z, a.sigma, eps, noise);
}

// ---- the rest is the architecture's ----

static void destroy(tb_map *map)
{
    if (map == NULL)
        return;
    map->api->destroy(map->map);
    free(map);
}

static uint64_t n_params(const tb_map *map)
{
    return map->api->n_params(map->map);
}

static tb_status block(const tb_map *map, uint32_t i, uint64_t *offset, uint64_t *count,
                       const char **name)
{
    return map->api->block(map->map, i, offset, count, name);
}

static tb_status init(const tb_map *map, void *theta, const tb_key *key)
{
    return map->api->init(map->map, theta, key);
}

static const char *explain(const tb_map *map, tb_status status)
{
    return map->api->explain(map->map, status);
}

// an extension of the architecture takes the architecture's tb_map, not this one
static const void *get_extension(const tb_map *map, const char *id)
{
    (void)map;
    (void)id;
    return NULL;
}

static const tb_map_api gsde_api = {
    .struct_size = sizeof gsde_api,
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

// ---- create ----

static const tb_map_features *features_of(const tb_map_api *api, const tb_map *map)
{
    const tb_map_features *features = api->get_extension(map, TB_EXT_MAP_FEATURES);
    return features != NULL && TB_HAS(tb_map_features, features, features) ? features : NULL;
}

tb_status tb_gsde_features(const tb_map_api *api, const tb_map *map, size_t *n_features,
                           tb_error *error)
{
    const tb_map_features *features = features_of(api, map);
    if (features == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "action_distribution = \"gsde\" needs the features of the policy's last "
                       "layer, and this architecture does not offer \"" TB_EXT_MAP_FEATURES
                       "\"; use another policy, or \"gaussian\"");
    *n_features = (size_t)features->n_features(map);
    if (*n_features < 1 || *n_features > (1u << 20))
        return tb_fail(error, TB_E_INVALID,
                       "the policy architecture's \"" TB_EXT_MAP_FEATURES
                       "\" tells of %zu features; expected 1 to %u",
                       *n_features, 1u << 20);
    return TB_OK;
}

// H and A of a map that was made with `spec`
static tb_status sizes(const tb_map_api *api, const tb_map *map, const tb_map_spec *spec, size_t *H,
                       size_t *A, tb_error *error)
{
    *H = 0;
    tb_status status = tb_gsde_features(api, map, H, error);
    if (status != TB_OK)
        return status;
    *A = (size_t)(spec->n_out - spec->n_const_out);
    if (spec->n_const_out != *H * *A)
        return tb_fail(error, TB_E_INVALID,
                       "the policy architecture tells of %zu features with %llu outputs, and of "
                       "%llu without the constant ones; expected the same number",
                       *H, (unsigned long long)spec->n_out,
                       (unsigned long long)(spec->n_const_out / *A));
    return TB_OK;
}

tb_status tb_gsde_create(const tb_map_api *api, tb_map *map, const tb_map_spec *spec,
                         const tb_map_api **out_api, tb_map **out, tb_error *error)
{
    const tb_kernels *kernels;
    size_t H, A;
    tb_map *gsde = NULL;
    tb_status status = sizes(api, map, spec, &H, &A, error);
    if (status == TB_OK)
        status = tb_kernels_get(&kernels, error);
    if (status != TB_OK)
        goto fail;
    gsde = tb_alloc(1, sizeof *gsde);
    if (gsde == NULL) {
        status = tb_fail(error, TB_E_NOMEM, "no memory for a policy");
        goto fail;
    }
    *gsde = (tb_map){.api = api,
                     .map = map,
                     .features = features_of(api, map),
                     .kernels = tb_kernels_of(kernels, spec->dtype),
                     .dtype = spec->dtype,
                     .A = A,
                     .H = H,
                     .variance = {.struct_size = sizeof(tb_dense),
                                  .n_in = H,
                                  .n_out = A,
                                  .ld_x = H,
                                  .ld_y = A,
                                  .activation = TB_ACT_IDENTITY,
                                  .in_activation = TB_ACT_IDENTITY}};
    *out_api = &gsde_api;
    *out = gsde;
    return TB_OK;
fail:
    api->destroy(map);
    return status;
}
