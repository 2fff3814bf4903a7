/* SPDX-License-Identifier: MIT
 *
 * What the tests of every policy plugin share: loading TB_TEST_PLUGIN without the harness, a
 * tb_params made of a C array, buffers that end at an unreadable page, the properties that every
 * map must have, and a naive dense network as reference.
 */
#ifndef TESTS_POLICY_PLUGIN_TESTING_H
#define TESTS_POLICY_PLUGIN_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <trpo-bench/policy.h>
#include <trpo-bench/rng.h>
#include <unistd.h>

#define UNUSED_OK __attribute__((unused))

/* Fails the test with both numbers when !(found <= limit). */
#define assert_at_most(found, limit)                                                               \
    do {                                                                                           \
        const double found_ = (found), limit_ = (limit);                                           \
        if (!(found_ <= limit_))                                                                   \
            fail_msg("%s = %.3g, expected at most %.3g", #found, found_, limit_);                  \
    } while (0)

/* ---- options, as the suite would give them ---- */

typedef struct test_option {
    const char *key;
    uint32_t type; /* TB_PARAM_*; 0 ends the list */
    const char *text;
    double number;
    uint64_t n;
    int64_t array[32];
} test_option;

#define OPTION_END                                                                                 \
    {                                                                                              \
        0                                                                                          \
    }
#define STRING(key_, text_)                                                                        \
    {                                                                                              \
        .key = key_, .type = TB_PARAM_STR, .text = text_                                           \
    }
#define NUMBER(key_, number_)                                                                      \
    {                                                                                              \
        .key = key_, .type = TB_PARAM_F64, .number = number_                                       \
    }
#define ARRAY(key_, n_, ...)                                                                       \
    {                                                                                              \
        .key = key_, .type = TB_PARAM_I64_ARRAY, .n = n_, .array = { __VA_ARGS__ }                 \
    }

static char test_keys_read[256]; /* "hidden,init," in the order of reading */

static const test_option *find_option(void *ctx, const char *key)
{
    strcat(strcat(test_keys_read, key), ",");
    for (const test_option *o = ctx; o && o->type; o++)
        if (strcmp(o->key, key) == 0)
            return o;
    return NULL;
}

static tb_status option_f64(void *ctx, const char *key, double *inout)
{
    const test_option *o = find_option(ctx, key);
    if (o && o->type != TB_PARAM_F64)
        return TB_E_PARAM;
    if (o)
        *inout = o->number;
    return TB_OK;
}

static tb_status option_i64(void *ctx, const char *key, int64_t *inout)
{
    (void)inout;
    return find_option(ctx, key) ? TB_E_PARAM : TB_OK;
}

static tb_status option_bool(void *ctx, const char *key, uint32_t *inout)
{
    (void)inout;
    return find_option(ctx, key) ? TB_E_PARAM : TB_OK;
}

static tb_status option_str(void *ctx, const char *key, const char **inout)
{
    const test_option *o = find_option(ctx, key);
    if (o && o->type != TB_PARAM_STR)
        return TB_E_PARAM;
    if (o)
        *inout = o->text;
    return TB_OK;
}

static tb_status option_f64_array(void *ctx, const char *key, double *buf, uint64_t cap,
                                  uint64_t *inout_n)
{
    (void)buf, (void)cap, (void)inout_n;
    return find_option(ctx, key) ? TB_E_PARAM : TB_OK;
}

static tb_status option_i64_array(void *ctx, const char *key, int64_t *buf, uint64_t cap,
                                  uint64_t *inout_n)
{
    const test_option *o = find_option(ctx, key);
    if (o && (o->type != TB_PARAM_I64_ARRAY || o->n > cap))
        return TB_E_PARAM;
    if (o) {
        memcpy(buf, o->array, o->n * sizeof *buf);
        *inout_n = o->n;
    }
    return TB_OK;
}

/* ---- loading and creating ---- */

static const tb_entry *test_entry(void)
{
    static const tb_entry *entry;
    if (!entry) {
        void *handle = dlopen(TB_TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL);
        if (!handle)
            fail_msg("%s", dlerror());
        const tb_entry *(*get)(void);
        void *symbol = dlsym(handle, "tb_plugin_entry");
        assert_non_null(symbol);
        memcpy(&get, &symbol, sizeof get);
        entry = get();
    }
    return entry;
}

static void host_log(void *ctx, int32_t severity, const char *utf8)
{
    (void)ctx, (void)severity;
    print_message("%s\n", utf8);
}

static const void *host_extension(void *ctx, const char *id)
{
    (void)ctx, (void)id;
    return NULL;
}

static const tb_host test_host = {sizeof(tb_host), TB_ABI_MINOR,  NULL, "test", "0",
                                  host_log,        host_extension};

typedef struct test_map {
    const tb_map_api *api;
    tb_map *map;
    tb_map_spec spec;
    uint64_t n_in, n_out, n_params;
} test_map;

static tb_map_spec test_spec(uint32_t dtype, uint64_t n_in, uint64_t n_out, uint64_t n_const)
{
    return (tb_map_spec){.struct_size = sizeof(tb_map_spec),
                         .dtype = dtype,
                         .n_in = n_in,
                         .n_out = n_out,
                         .n_const_out = n_const,
                         .const_init = -0.5,
                         .out_gain = 0.7};
}

static tb_status test_create(const char *id, tb_map_spec spec, const test_option *options,
                             test_map *out, char *err, uint64_t err_cap)
{
    const tb_map_factory *factory = test_entry()->get_factory(TB_MAP_FACTORY);
    const tb_params params = {
        sizeof params, 0,          (void *)(uintptr_t)options, option_i64,      option_f64,
        option_bool,   option_str, option_f64_array,           option_i64_array};
    tb_status status;
    test_keys_read[0] = 0;
    spec.in_shape = &spec.n_in;
    spec.in_ndim = 1;
    memset(out, 0, sizeof *out);
    status = factory->create(&test_host, id, &spec, &params, &out->api, &out->map, err, err_cap);
    if (status == TB_OK) {
        spec.in_shape = NULL;
        out->spec = spec;
        out->n_in = spec.n_in;
        out->n_out = spec.n_out;
        out->n_params = out->api->n_params(out->map);
    }
    return status;
}

static UNUSED_OK test_map test_make(const char *id, tb_map_spec spec, const test_option *options)
{
    test_map m;
    char err[256] = "";
    if (test_create(id, spec, options, &m, err, sizeof err) != TB_OK)
        fail_msg("create: %s", err);
    return m;
}

/* ---- buffers of the map's dtype ---- */

static size_t real_size(const test_map *m)
{
    return m->spec.dtype == TB_F64 ? 8 : 4;
}

static double get(const test_map *m, const void *p, uint64_t i)
{
    return m->spec.dtype == TB_F64 ? ((const double *)p)[i] : ((const float *)p)[i];
}

static void set(const test_map *m, void *p, uint64_t i, double value)
{
    if (m->spec.dtype == TB_F64)
        ((double *)p)[i] = value;
    else
        ((float *)p)[i] = (float)value;
}

/* `bytes` that end where an unreadable page begins: one element too many is a crash. Not aligned to
 * more than the element. Never freed: tests are short. */
static void *guarded(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t body = (bytes + page - 1) / page * page;
    char *p = mmap(NULL, body + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(p, MAP_FAILED);
    assert_int_equal(mprotect(p + body, page, PROT_NONE), 0);
    return p + body - bytes;
}

/* n elements, all NaN. */
static void *buffer(const test_map *m, uint64_t n)
{
    void *p = guarded(n * real_size(m));
    memset(p, 0xff, n * real_size(m));
    return p;
}

/* n elements, uniform in [-1, 1), a function of `seed`; read-only from here on. */
static void *random_buffer(const test_map *m, uint64_t n, uint64_t seed)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *p = buffer(m, n);
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{seed, 77}});
    for (uint64_t i = 0; i < n; i++)
        set(m, p, i, tb_rng_uniform(&rng, -1, 1));
    char *start = (char *)((uintptr_t)p / page * page);
    assert_int_equal(mprotect(start, (size_t)((char *)p - start) + n * real_size(m), PROT_READ), 0);
    return p;
}

/* A workspace for `batch` rows full of NaN, aligned as the host does; free(). */
static void *workspace(const test_map *m, uint64_t batch)
{
    const uint64_t bytes = m->api->ws_bytes(m->map, batch);
    void *ws = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(ws);
    memset(ws, 0xff, bytes);
    return ws;
}

static double dot(const test_map *m, const void *a, const void *b, uint64_t n)
{
    double sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += get(m, a, i) * get(m, b, i);
    return sum;
}

static void assert_same_bits(const test_map *m, const void *a, const void *b, uint64_t n,
                             const char *what)
{
    for (uint64_t i = 0; i < n; i++)
        if (memcmp((const char *)a + i * real_size(m), (const char *)b + i * real_size(m),
                   real_size(m)) != 0)
            fail_msg("%s: element %lu: %.17g and %.17g", what, (unsigned long)i, get(m, a, i),
                     get(m, b, i));
}

/* One forward, jvp and vjp at random arguments. */
typedef struct evaluation {
    uint64_t batch;
    void *theta, *x, *v, *w; /* read-only */
    void *y, *jv, *g;
    void *ws;
} evaluation;

static evaluation evaluate(const test_map *m, uint64_t batch, uint64_t seed)
{
    evaluation e = {
        .batch = batch,
        .theta = random_buffer(m, m->n_params, seed),
        .x = random_buffer(m, batch * m->n_in, seed + 1),
        .v = random_buffer(m, m->n_params, seed + 2),
        .w = random_buffer(m, batch * m->n_out, seed + 3),
        .y = buffer(m, batch * m->n_out),
        .jv = buffer(m, batch * m->n_out),
        .g = buffer(m, m->n_params),
        .ws = workspace(m, batch),
    };
    assert_int_equal(m->api->forward(m->map, e.theta, e.x, batch, e.y, e.ws), TB_OK);
    assert_int_equal(m->api->jvp(m->map, e.theta, e.x, batch, e.ws, e.v, e.jv), TB_OK);
    assert_int_equal(m->api->vjp(m->map, e.theta, e.x, batch, e.ws, e.w, e.g), TB_OK);
    return e;
}

/* ---- properties of every map ---- */

/* Blocks tile [0, P) in order and have names. */
static UNUSED_OK void check_blocks(const test_map *m)
{
    uint64_t offset, count, end = 0;
    const char *name;
    uint32_t i = 0;
    for (; m->api->block(m->map, i, &offset, &count, &name) == TB_OK; i++) {
        assert_int_equal(offset, end);
        assert_true(count > 0 && *name);
        end += count;
    }
    assert_true(i > 0);
    assert_int_equal(end, m->n_params);
    assert_int_equal(m->api->block(m->map, i, &offset, &count, &name), TB_E_INVALID);
}

/* <J v, w> = <v, J' w> to rounding. */
static UNUSED_OK void check_adjoint(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 1);
    const uint64_t n = batch * m->n_out;
    const double left = dot(m, e.jv, e.w, n), right = dot(m, e.v, e.g, m->n_params);
    const double scale = sqrt(dot(m, e.jv, e.jv, n) * dot(m, e.w, e.w, n));
    assert_at_most(fabs(left - right) / scale, m->spec.dtype == TB_F64 ? 1e-14 : 1e-6);
    free(e.ws);
}

/* float64: jv against central differences of forward, the best step of a sweep. */
static UNUSED_OK void check_central_differences(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 10);
    const uint64_t n = batch * m->n_out;
    double *theta = buffer(m, m->n_params), *up = buffer(m, n), *down = buffer(m, n);
    double best = INFINITY;
    for (double h = 1e-3; h > 1e-8; h /= 4) {
        double error = 0;
        for (int sign = -1; sign <= 1; sign += 2) {
            for (uint64_t i = 0; i < m->n_params; i++)
                theta[i] = get(m, e.theta, i) + sign * h * get(m, e.v, i);
            (void)m->api->forward(m->map, theta, e.x, batch, sign > 0 ? up : down, e.ws);
        }
        for (uint64_t i = 0; i < n; i++)
            error += pow((up[i] - down[i]) / (2 * h) - get(m, e.jv, i), 2);
        best = fmin(best, sqrt(error / dot(m, e.jv, e.jv, n)));
    }
    assert_at_most(best, 1e-9);
    free(e.ws);
}

/* Row b of a batch has the bits that it has alone, in y and in jv. */
static UNUSED_OK void check_batch_invariance(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 20);
    void *y = buffer(m, m->n_out), *ws = workspace(m, 1);
    for (uint64_t b = 0; b < batch; b++) {
        const size_t row = b * m->n_out * real_size(m);
        const void *x = (const char *)e.x + b * m->n_in * real_size(m);
        (void)m->api->forward(m->map, e.theta, x, 1, y, ws);
        assert_same_bits(m, y, (char *)e.y + row, m->n_out, "row of y");
        (void)m->api->jvp(m->map, e.theta, x, 1, ws, e.v, y);
        assert_same_bits(m, y, (char *)e.jv + row, m->n_out, "row of jv");
    }
    free(ws);
    free(e.ws);
}

/* J (a u + c v) = a J u + c J v, and the same for J'; J' ignores what g held before. */
static UNUSED_OK void check_linearity(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 30);
    const uint64_t n = batch * m->n_out, p = m->n_params;
    const double a = 0.75, c = -2, limit = m->spec.dtype == TB_F64 ? 1e-13 : 1e-4;
    void *u = random_buffer(m, p, 34), *s = random_buffer(m, n, 35);
    void *sum_p = buffer(m, p), *sum_n = buffer(m, n);
    void *ju = buffer(m, n), *jsum = buffer(m, n), *gs = buffer(m, p), *gsum = buffer(m, p);
    for (uint64_t i = 0; i < p; i++)
        set(m, sum_p, i, a * get(m, u, i) + c * get(m, e.v, i));
    for (uint64_t i = 0; i < n; i++)
        set(m, sum_n, i, a * get(m, s, i) + c * get(m, e.w, i));
    (void)m->api->jvp(m->map, e.theta, e.x, batch, e.ws, u, ju);
    (void)m->api->jvp(m->map, e.theta, e.x, batch, e.ws, sum_p, jsum);
    (void)m->api->vjp(m->map, e.theta, e.x, batch, e.ws, s, gs);
    (void)m->api->vjp(m->map, e.theta, e.x, batch, e.ws, sum_n, gsum);
    for (uint64_t i = 0; i < n; i++)
        assert_at_most(fabs(get(m, jsum, i) - a * get(m, ju, i) - c * get(m, e.jv, i)), limit);
    for (uint64_t i = 0; i < p; i++)
        assert_at_most(fabs(get(m, gsum, i) - a * get(m, gs, i) - c * get(m, e.g, i)),
                       limit * (double)batch);
    free(e.ws);
}

/* F = J' M J with a positive diagonal M is symmetric and positive semidefinite (float64). */
static UNUSED_OK void check_metric(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 40);
    const uint64_t n = batch * m->n_out;
    double *u = random_buffer(m, m->n_params, 44), *mjv = buffer(m, n),
           *fv = buffer(m, m->n_params);
    double *mju = buffer(m, n), *fu = buffer(m, m->n_params);
    (void)m->api->jvp(m->map, e.theta, e.x, batch, e.ws, u, mju);
    for (uint64_t i = 0; i < n; i++) {
        mjv[i] = get(m, e.jv, i) * (0.5 + (double)(i % 3));
        mju[i] *= 0.5 + (double)(i % 3);
    }
    (void)m->api->vjp(m->map, e.theta, e.x, batch, e.ws, mjv, fv);
    (void)m->api->vjp(m->map, e.theta, e.x, batch, e.ws, mju, fu);
    const double vfv = dot(m, e.v, fv, m->n_params), ufu = dot(m, u, fu, m->n_params);
    const double skew = dot(m, u, fv, m->n_params) - dot(m, e.v, fu, m->n_params);
    assert_true(vfv >= 0 && ufu >= 0);
    assert_at_most(fabs(skew) / sqrt(vfv * ufu), 1e-14);
    free(e.ws);
}

/* Each parameter changes some output: |J' w| > 0 everywhere for random w. */
static UNUSED_OK void check_influence(const test_map *m, uint64_t batch)
{
    const evaluation e = evaluate(m, batch, 50);
    for (uint64_t i = 0; i < m->n_params; i++)
        if (get(m, e.g, i) == 0)
            fail_msg("parameter %lu influences nothing", (unsigned long)i);
    free(e.ws);
}

/* No rows: nothing is read or written, and the gradient is zero. */
static UNUSED_OK void check_empty_batch(const test_map *m)
{
    const evaluation e = evaluate(m, 0, 60);
    for (uint64_t i = 0; i < m->n_params; i++)
        assert_true(get(m, e.g, i) == 0);
    free(e.ws);
}

/* init is a function of the key, writes every parameter, and differs between keys. */
static UNUSED_OK void check_init(const test_map *m)
{
    void *a = buffer(m, m->n_params), *b = buffer(m, m->n_params), *c = buffer(m, m->n_params);
    assert_int_equal(m->api->init(m->map, a, &(tb_key){{1, 2}}), TB_OK);
    assert_int_equal(m->api->init(m->map, b, &(tb_key){{1, 2}}), TB_OK);
    assert_int_equal(m->api->init(m->map, c, &(tb_key){{1, 3}}), TB_OK);
    assert_same_bits(m, a, b, m->n_params, "init with equal keys");
    assert_memory_not_equal(a, c, m->n_params * real_size(m));
    for (uint64_t i = 0; i < m->n_params; i++)
        assert_true(isfinite(get(m, a, i)));
    for (uint64_t i = 0; i < m->spec.n_const_out; i++)
        assert_true(get(m, a, m->n_params - 1 - i) == m->spec.const_init);
}

/* create() refuses with `status` and a reason that holds `word` ("": the host knows the reason),
 * and leaves *out alone. */
static UNUSED_OK void check_refusal(const char *id, tb_map_spec spec, const test_option *options,
                                    tb_status status, const char *word)
{
    test_map m;
    char err[256] = "", tiny[4] = "abc";
    assert_int_equal(test_create(id, spec, options, &m, err, sizeof err), status);
    assert_null(m.map);
    if (!strstr(err, word))
        fail_msg("\"%s\" does not hold \"%s\"", err, word);
    if (!*word)
        return;
    // a short buffer is not overrun, none at all is allowed
    assert_int_equal(test_create(id, spec, options, &m, tiny, 2), status);
    assert_int_equal(tiny[1], 0);
    assert_int_equal(tiny[2], 'c');
    assert_int_equal(test_create(id, spec, options, &m, NULL, 0), status);
}

/* Everything above for one map of each dtype. */
static UNUSED_OK void check_map(const char *id, uint64_t n_in, uint64_t n_out, uint64_t n_const,
                                const test_option *options, int smooth)
{
    for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
        test_map m = test_make(id, test_spec(dtype, n_in, n_out, n_const), options);
        check_blocks(&m);
        check_init(&m);
        check_adjoint(&m, 1);
        check_adjoint(&m, 33);
        check_adjoint(&m, 192);
        check_linearity(&m, 7);
        check_batch_invariance(&m, 2);
        check_batch_invariance(&m, 64);
        check_batch_invariance(&m, 65);
        check_batch_invariance(&m, 192);
        check_empty_batch(&m);
        if (smooth) // a relu unit may be off for every row
            check_influence(&m, 192);
        if (dtype == TB_F64) {
            check_metric(&m, 21);
            if (smooth)
                check_central_differences(&m, 9);
        }
        assert_string_equal(m.api->explain(m.map, TB_OK), "no error");
        assert_true(strlen(m.api->explain(m.map, TB_E_NOMEM)) > 0);
        assert_true(strlen(m.api->explain(m.map, 12345)) > 0);
        assert_null(m.api->get_extension(m.map, "tb.map.nothing/1"));
        m.api->destroy(m.map);
        m.api->destroy(NULL);
    }
}

/* The schema's defaults and ranges are those of create(): every option that the schema names is
 * read by create(), and no other. */
static UNUSED_OK void check_schema(const char *id)
{
    const tb_params_schema *schema = test_entry()->get_factory(TB_PARAMS_SCHEMA);
    test_map m = test_make(id, test_spec(TB_F64, 3, 2, 1), NULL);
    char want[64];
    size_t length = 0;
    for (uint32_t i = 0; i < schema->count(id); i++) {
        tb_param_info info = {.struct_size = sizeof info};
        assert_int_equal(schema->get(id, i, &info), TB_OK);
        assert_non_null(info.doc);
        assert_non_null(info.default_text);
        (void)snprintf(want, sizeof want, "%s,", info.key);
        assert_non_null(strstr(test_keys_read, want));
        length += strlen(want);
    }
    assert_int_equal(strlen(test_keys_read), length);
    tb_param_info info = {.struct_size = offsetof(tb_param_info, doc), .doc = "untouched"};
    assert_int_equal(schema->get(id, 0, &info), TB_OK);
    assert_string_equal(info.doc, "untouched");
    assert_int_equal(schema->get(id, schema->count(id), &info), TB_E_INVALID);
    assert_int_equal(schema->get("no such id", 0, &info), TB_E_INVALID);
    assert_int_equal(schema->count("no such id"), 0);
    m.api->destroy(m.map);
}

/* The entry, the factory table and unknown ids. */
static UNUSED_OK void check_library(const char *id)
{
    const tb_entry *entry = test_entry();
    const tb_map_factory *factory = entry->get_factory(TB_MAP_FACTORY);
    assert_int_equal(entry->magic, TB_ABI_MAGIC);
    assert_int_equal(entry->struct_size, sizeof *entry);
    assert_int_equal(entry->abi_major, TB_ABI_MAJOR);
    assert_non_null(entry->build);
    assert_null(entry->get_factory("tb.map-factory/10"));
    assert_int_equal(factory->dtypes, TB_DTYPE_BIT(TB_F64) | TB_DTYPE_BIT(TB_F32));
    assert_int_equal(factory->count(), 1);
    assert_string_equal(factory->id(0), id);
    assert_null(factory->id(1));
    assert_true(strlen(factory->summary(0)) > 0);
    assert_null(factory->summary(1));
    check_refusal("no such id", test_spec(TB_F64, 3, 2, 1), NULL, TB_E_INVALID, "no such id");
    // specs that no map can serve
    tb_map_spec spec = test_spec(TB_I32, 3, 2, 1);
    check_refusal(id, spec, NULL, TB_E_UNSUPPORTED, "dtype");
    check_refusal(id, test_spec(TB_F64, 0, 2, 1), NULL, TB_E_PARAM, "n_in = 0");
    check_refusal(id, test_spec(TB_F64, 3, 0, 0), NULL, TB_E_PARAM, "n_out = 0");
    check_refusal(id, test_spec(TB_F64, 3, 2, 2), NULL, TB_E_PARAM, "n_const_out = 2");
    spec = test_spec(TB_F64, 3, 2, 1);
    spec.out_gain = NAN;
    check_refusal(id, spec, NULL, TB_E_PARAM, "out_gain");
    spec = test_spec(TB_F64, 3, 2, 1);
    spec.struct_size = offsetof(tb_map_spec, out_gain);
    check_refusal(id, spec, NULL, TB_E_INVALID, "tb_map_spec");
}

#endif
