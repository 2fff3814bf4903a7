/* SPDX-License-Identifier: MIT */
#include "harness/check/map_fixture.h"

#include <stdlib.h>
#include <string.h>

const tb_check_shape tb_check_shapes[TB_CHECK_N_SHAPES] = {{4, 3, 0}, {3, 4, 2}, {5, 1, 0}};

static void close_map(void *data)
{
    tb_check_map *m = data;
    if (m->map != NULL)
        m->api->destroy(m->map);
    free(m);
}

static size_t element(const tb_check_map *m)
{
    return m->spec.dtype == TB_F64 ? sizeof(double) : sizeof(float);
}

static tb_check_buffer *array(tb_check *c, const tb_check_map *m, uint64_t n)
{
    return tb_check_buffer_make(c, (size_t)n * element(m));
}

static void allocate(tb_check *c, tb_check_map *m)
{
    uint64_t n_in = m->spec.n_in, n_out = m->spec.n_out;
    m->theta = array(c, m, m->n_params);
    m->v = array(c, m, m->n_params);
    m->g = array(c, m, m->n_params);
    m->x = array(c, m, m->batch * n_in);
    m->y = array(c, m, m->batch * n_out);
    m->jv = array(c, m, m->batch * n_out);
    m->w = array(c, m, m->batch * n_out);
    m->ws = tb_check_buffer_make(c, (size_t)m->api->ws_bytes(m->map, m->batch));
    tb_check_fill(c, m, m->theta, 1, 0.5);
    tb_check_fill(c, m, m->v, 2, 1);
    tb_check_fill(c, m, m->x, 3, 1);
    tb_check_fill(c, m, m->w, 4, 1);
}

tb_check_map *tb_check_map_open(tb_check *c, const tb_check_shape *shape, uint32_t dtype,
                                uint64_t batch)
{
    tb_check_map *m = tb_alloc(1, sizeof *m);
    TB_ASSERT(m != NULL);
    tb_check_defer(c, close_map, m);
    m->batch = batch;
    m->in_shape[0] = shape->n_in;
    m->spec = (tb_map_spec){.struct_size = sizeof m->spec,
                            .dtype = dtype,
                            .n_in = shape->n_in,
                            .n_out = shape->n_out,
                            .n_const_out = shape->n_const_out,
                            .in_shape = m->in_shape,
                            .in_ndim = 1,
                            .const_init = -0.5,
                            .out_gain = 1};
    tb_error error;
    tb_status status =
        tb_plugin_create_map(c->plugin, c->id, &m->spec, NULL, &m->api, &m->map, NULL, &error);
    if (status != TB_OK) {
        (status == TB_E_UNSUPPORTED ? tb_check_skip : tb_check_fail)(c, "%s", error.message);
        return NULL;
    }
    m->n_params = m->api->n_params(m->map);
    if (!TB_CHECK_THAT(c, m->n_params >= 1 && m->n_params < 1u << 28, "n_params() is %llu",
                       (unsigned long long)m->n_params))
        return NULL;
    allocate(c, m);
    return m;
}

double tb_check_get(const tb_check_map *m, const tb_check_buffer *a, uint64_t i)
{
    if (m->spec.dtype == TB_F64)
        return ((const double *)(const void *)a->data)[i];
    return (double)((const float *)(const void *)a->data)[i];
}

void tb_check_set(const tb_check_map *m, tb_check_buffer *a, uint64_t i, double value)
{
    tb_check_put(a->data, m->spec.dtype, i, value);
}

uint64_t tb_check_count(const tb_check_map *m, const tb_check_buffer *a)
{
    return a->size / element(m);
}

void tb_check_fill(tb_check *c, const tb_check_map *m, tb_check_buffer *a, uint64_t stream,
                   double scale)
{
    tb_rng rng;
    tb_rng_init(&rng, tb_check_key(c, 1000 + stream));
    for (uint64_t i = 0; i < tb_check_count(m, a); i++)
        tb_check_set(m, a, i, tb_rng_uniform(&rng, -scale, scale));
}

tb_check_buffer *tb_check_like(tb_check *c, const tb_check_buffer *like)
{
    return tb_check_buffer_make(c, like->size);
}

int tb_check_forward(tb_check *c, tb_check_map *m)
{
    tb_status status =
        m->api->forward(m->map, m->theta->data, m->x->data, m->batch, m->y->data, m->ws->data);
    return TB_CHECK_THAT(c, status == TB_OK, "forward() gives %s", tb_status_name(status));
}

int tb_check_jvp(tb_check *c, tb_check_map *m)
{
    tb_status status = m->api->jvp(m->map, m->theta->data, m->x->data, m->batch, m->ws->data,
                                   m->v->data, m->jv->data);
    return TB_CHECK_THAT(c, status == TB_OK, "jvp() gives %s", tb_status_name(status));
}

int tb_check_vjp(tb_check *c, tb_check_map *m)
{
    tb_status status = m->api->vjp(m->map, m->theta->data, m->x->data, m->batch, m->ws->data,
                                   m->w->data, m->g->data);
    return TB_CHECK_THAT(c, status == TB_OK, "vjp() gives %s", tb_status_name(status));
}

double tb_check_dot(const tb_check_map *m, const tb_check_buffer *a, const tb_check_buffer *b)
{
    double sum = 0;
    for (uint64_t i = 0; i < tb_check_count(m, a); i++)
        sum += tb_check_get(m, a, i) * tb_check_get(m, b, i);
    return sum;
}

void tb_check_each_map(tb_check *c, int f64_only, uint64_t batch,
                       void (*body)(tb_check *c, tb_check_map *m))
{
    static const uint32_t dtypes[] = {TB_F64, TB_F32};
    for (size_t d = 0; d < (f64_only ? 1u : 2u); d++)
        for (size_t i = 0; i < TB_CHECK_N_SHAPES && c->outcome != TB_CHECK_FAIL; i++) {
            if (!(c->plugin->maps->dtypes & TB_DTYPE_BIT(dtypes[d])))
                continue;
            tb_check_map *m = tb_check_map_open(c, &tb_check_shapes[i], dtypes[d], batch);
            if (m != NULL)
                body(c, m);
        }
}
