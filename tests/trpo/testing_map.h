/* SPDX-License-Identifier: MIT
 *
 * A policy architecture inside the test: y = (W2 tanh(W1 x + b1) + b2, c). It computes in double
 * whatever its dtype, row by row, and can be told to misbehave.
 *
 * Legend: B rows, I inputs, H hidden units, M outputs that depend on x, C constant outputs.
 *   theta = W1 [H][I], b1 [H], W2 [M][H], b2 [M], c [C]
 */
#ifndef TESTS_TRPO_TESTING_MAP_H
#define TESTS_TRPO_TESTING_MAP_H

#include <math.h>
#include <string.h>
#include <trpo-bench/policy.h>
#include <trpo-bench/rng.h>

#include "trpo/base/base.h"

typedef struct test_map {
    uint32_t dtype;
    size_t I, H, M, C;
    double const_init, out_gain;
    double batch_skew; /* added to each output for each row of the batch: not batch-invariant */
    double skew_after_tries; /* added to every output from the forward number below on */
    int64_t skew_forward;    /* 0 = never */
    int64_t n_forward;       /* forwards that began at row count >= 1 */
    int fail_forward, fail_jvp, fail_vjp;
    int64_t fail_call; /* the call of forward, jvp or vjp that fails, from 1; 0 = none */
    int64_t n_calls;
    tb_map_features features; /* what get_extension gives; NULL functions: it gives NULL */
} test_map;

static inline double test_get(uint32_t dtype, const void *p, size_t i)
{
    return dtype == TB_F64 ? ((const double *)p)[i] : (double)((const float *)p)[i];
}

static inline void test_put(uint32_t dtype, void *p, size_t i, double value)
{
    if (dtype == TB_F64)
        ((double *)p)[i] = value;
    else
        ((float *)p)[i] = (float)value;
}

static inline const test_map *test_map_of(const tb_map *map)
{
    return (const test_map *)(const void *)map;
}

static void test_map_destroy(tb_map *map)
{
    free(map);
}

static uint64_t test_map_n_params(const tb_map *map)
{
    const test_map *m = test_map_of(map);
    return m->H * m->I + m->H + m->M * m->H + m->M + m->C;
}

static tb_status test_map_block(const tb_map *map, uint32_t i, uint64_t *offset, uint64_t *count,
                                const char **name)
{
    if (i > 0)
        return TB_E_INVALID;
    *offset = 0;
    *count = test_map_n_params(map);
    *name = "all";
    return TB_OK;
}

static tb_status test_map_init(const tb_map *map, void *theta, const tb_key *key)
{
    const test_map *m = test_map_of(map);
    tb_rng rng;
    tb_rng_init(&rng, *key);
    size_t n = (size_t)test_map_n_params(map), last = m->H * m->I + m->H;
    for (size_t i = 0; i < n; i++) {
        double scale = i < last ? 1 : m->out_gain;
        test_put(m->dtype, theta, i,
                 i < n - m->C ? scale * tb_rng_uniform(&rng, -1, 1) : m->const_init);
    }
    return TB_OK;
}

/* the hidden activations [B][H] */
static uint64_t test_map_ws_bytes(const tb_map *map, uint64_t batch)
{
    return test_map_of(map)->H * batch * sizeof(double);
}

/* Counts a call; 1 when it is told to fail. */
static inline int test_map_fails(const test_map *m, int always)
{
    int64_t *n = &((test_map *)(uintptr_t)m)->n_calls;
    return __atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST) == m->fail_call || always;
}

static tb_status test_map_forward(const tb_map *map, const void *theta, const void *x,
                                  uint64_t batch, void *y, void *ws)
{
    const test_map *m = test_map_of(map);
    if (test_map_fails(m, m->fail_forward))
        return TB_E_NUMERIC;
    uint32_t t = m->dtype;
    size_t b1 = m->H * m->I, w2 = b1 + m->H, b2 = w2 + m->M * m->H, c = b2 + m->M;
    double *h = ws, skew = m->batch_skew * (double)batch;
    if (m->skew_forward > 0) {
        int64_t n = __atomic_add_fetch(&((test_map *)(uintptr_t)m)->n_forward, 1, __ATOMIC_SEQ_CST);
        if (n >= m->skew_forward)
            skew += m->skew_after_tries;
    }
    for (size_t b = 0; b < batch; b++, h += m->H) {
        for (size_t j = 0; j < m->H; j++) {
            double sum = test_get(t, theta, b1 + j);
            for (size_t i = 0; i < m->I; i++)
                sum += test_get(t, theta, j * m->I + i) * test_get(t, x, b * m->I + i);
            h[j] = tanh(sum);
        }
        for (size_t k = 0; k < m->M + m->C; k++) {
            double sum = k < m->M ? test_get(t, theta, b2 + k) : test_get(t, theta, c + k - m->M);
            for (size_t j = 0; k < m->M && j < m->H; j++)
                sum += test_get(t, theta, w2 + k * m->H + j) * h[j];
            test_put(t, y, b * (m->M + m->C) + k, sum + skew);
        }
    }
    return TB_OK;
}

static tb_status test_map_jvp(const tb_map *map, const void *theta, const void *x, uint64_t batch,
                              void *ws, const void *v, void *jv)
{
    const test_map *m = test_map_of(map);
    if (test_map_fails(m, m->fail_jvp))
        return TB_E_NUMERIC;
    uint32_t t = m->dtype;
    size_t b1 = m->H * m->I, w2 = b1 + m->H, b2 = w2 + m->M * m->H, c = b2 + m->M;
    const double *h = ws;
    for (size_t b = 0; b < batch; b++, h += m->H)
        for (size_t k = 0; k < m->M + m->C; k++) {
            double out = k < m->M ? test_get(t, v, b2 + k) : test_get(t, v, c + k - m->M);
            for (size_t j = 0; k < m->M && j < m->H; j++) {
                double da = test_get(t, v, b1 + j);
                for (size_t i = 0; i < m->I; i++)
                    da += test_get(t, v, j * m->I + i) * test_get(t, x, b * m->I + i);
                out += test_get(t, v, w2 + k * m->H + j) * h[j] +
                       test_get(t, theta, w2 + k * m->H + j) * (1 - h[j] * h[j]) * da;
            }
            test_put(t, jv, b * (m->M + m->C) + k, out);
        }
    return TB_OK;
}

static tb_status test_map_vjp(const tb_map *map, const void *theta, const void *x, uint64_t batch,
                              void *ws, const void *w, void *g)
{
    const test_map *m = test_map_of(map);
    if (test_map_fails(m, m->fail_vjp))
        return TB_E_NUMERIC;
    uint32_t t = m->dtype;
    size_t b1 = m->H * m->I, w2 = b1 + m->H, b2 = w2 + m->M * m->H, c = b2 + m->M;
    const double *h = ws;
    for (size_t i = 0; i < test_map_n_params(map); i++)
        test_put(t, g, i, 0);
    for (size_t b = 0; b < batch; b++, h += m->H) {
        const size_t row = b * (m->M + m->C);
#define TEST_ADD(index, value) test_put(t, g, index, test_get(t, g, index) + (value))
        for (size_t k = 0; k < m->M + m->C; k++)
            TEST_ADD(k < m->M ? b2 + k : c + k - m->M, test_get(t, w, row + k));
        for (size_t j = 0; j < m->H; j++) {
            double dh = 0;
            for (size_t k = 0; k < m->M; k++) {
                double wk = test_get(t, w, row + k);
                TEST_ADD(w2 + k * m->H + j, wk * h[j]);
                dh += wk * test_get(t, theta, w2 + k * m->H + j);
            }
            double da = dh * (1 - h[j] * h[j]);
            TEST_ADD(b1 + j, da);
            for (size_t i = 0; i < m->I; i++)
                TEST_ADD(j * m->I + i, da * test_get(t, x, b * m->I + i));
        }
#undef TEST_ADD
    }
    return TB_OK;
}

static const char *test_map_explain(const tb_map *map, tb_status status)
{
    (void)map;
    (void)status;
    return "told to fail";
}

static uint64_t test_map_n_features(const tb_map *map)
{
    return test_map_of(map)->H;
}

static tb_status test_map_features(const tb_map *map, const void *x, uint64_t batch, const void *ws,
                                   void *out)
{
    const test_map *m = test_map_of(map);
    (void)x;
    for (size_t i = 0; i < batch * m->H; i++)
        test_put(m->dtype, out, i, ((const double *)ws)[i]);
    return TB_OK;
}

static const void *test_map_extension(const tb_map *map, const char *id)
{
    const test_map *m = test_map_of(map);
    return strcmp(id, TB_EXT_MAP_FEATURES) == 0 && m->features.features != NULL ? &m->features
                                                                                : NULL;
}

static const tb_map_api test_map_api = {
    .struct_size = sizeof(tb_map_api),
    .destroy = test_map_destroy,
    .n_params = test_map_n_params,
    .block = test_map_block,
    .init = test_map_init,
    .ws_bytes = test_map_ws_bytes,
    .forward = test_map_forward,
    .jvp = test_map_jvp,
    .vjp = test_map_vjp,
    .explain = test_map_explain,
    .get_extension = test_map_extension,
};

/* A map for `spec` with `hidden` tanh units; freed by its api's destroy. */
static inline test_map *test_map_create(const tb_map_spec *spec, size_t hidden)
{
    test_map *m = calloc(1, sizeof *m);
    *m = (test_map){
        .dtype = spec->dtype,
        .I = spec->n_in,
        .H = hidden,
        .M = spec->n_out - spec->n_const_out,
        .C = spec->n_const_out,
        .const_init = spec->const_init,
        .out_gain = spec->out_gain,
        .features = {sizeof(tb_map_features), 0, test_map_n_features, test_map_features}};
    return m;
}

static inline tb_map *test_map_abi(test_map *m)
{
    return (tb_map *)(void *)m;
}

#endif
