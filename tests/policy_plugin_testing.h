/* SPDX-License-Identifier: MIT
 *
 * What the tests of every policy plugin share: loading TB_TEST_PLUGIN without the harness, a
 * tb_params made of a C array, buffers that end at an unreadable page, a count of allocations. The
 * properties that every map must have are in policy_plugin_properties.h.
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
#include <trpo-bench/kernels.h>
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
        .key = (key_), .type = TB_PARAM_STR, .text = (text_)                                       \
    }
#define NUMBER(key_, number_)                                                                      \
    {                                                                                              \
        .key = (key_), .type = TB_PARAM_F64, .number = (number_)                                   \
    }
#define ARRAY(key_, n_, ...)                                                                       \
    {                                                                                              \
        .key = (key_), .type = TB_PARAM_I64_ARRAY, .n = (n_), .array = { __VA_ARGS__ }             \
    }

/* What create() asked for since the last test_create(): key and default as TOML text. */
static struct {
    char key[32];
    char default_text[64];
} test_reads[16];
static size_t n_test_reads;

/* Notes the read and returns the option, NULL when it is not given. */
static const test_option *find_option(void *ctx, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    assert_true(n_test_reads < sizeof test_reads / sizeof *test_reads);
    (void)snprintf(test_reads[n_test_reads].key, sizeof test_reads->key, "%s", key);
    (void)vsnprintf(test_reads[n_test_reads++].default_text, sizeof test_reads->default_text,
                    format, arguments);
    va_end(arguments);
    for (const test_option *o = ctx; o && o->type; o++)
        if (strcmp(o->key, key) == 0)
            return o;
    return NULL;
}

static tb_status option_f64(void *ctx, const char *key, double *inout)
{
    const test_option *o = find_option(ctx, key, "%.17g", *inout);
    if (o && o->type != TB_PARAM_F64)
        return TB_E_PARAM;
    if (o)
        *inout = o->number;
    return TB_OK;
}

static tb_status option_i64(void *ctx, const char *key, int64_t *inout)
{
    (void)inout;
    return find_option(ctx, key, "not used by the policies here") ? TB_E_PARAM : TB_OK;
}

static tb_status option_bool(void *ctx, const char *key, uint32_t *inout)
{
    (void)inout;
    return find_option(ctx, key, "not used by the policies here") ? TB_E_PARAM : TB_OK;
}

static tb_status option_str(void *ctx, const char *key, const char **inout)
{
    const test_option *o = find_option(ctx, key, "\"%s\"", *inout ? *inout : "(none)");
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
    return find_option(ctx, key, "not used by the policies here") ? TB_E_PARAM : TB_OK;
}

static tb_status option_i64_array(void *ctx, const char *key, int64_t *buf, uint64_t cap,
                                  uint64_t *inout_n)
{
    char text[64] = "[";
    for (uint64_t i = 0; i < *inout_n; i++) {
        const size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "%s%ld", i ? ", " : "", (long)buf[i]);
    }
    const test_option *o = find_option(ctx, key, "%s]", text);
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

/* The kernels that the test's host offers; NULL: none, as in a host without the extension. */
static const tb_kernels *test_kernels;

static const void *host_extension(void *ctx, const char *id)
{
    (void)ctx;
    return strcmp(id, TB_HOST_KERNELS) == 0 ? test_kernels : NULL;
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
    n_test_reads = 0;
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

static struct {
    void *start;
    size_t bytes;
} test_mappings[256]; /* every guarded() since the last release_buffers() */
static size_t n_test_mappings;

/* `bytes` that end where an unreadable page begins: one element too many is a crash. Not aligned to
 * more than `bytes` is a multiple of. Lives until release_buffers(). */
static void *guarded(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t body = (bytes + page - 1) / page * page;
    char *p = mmap(NULL, body + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(p, MAP_FAILED);
    assert_int_equal(mprotect(p + body, page, PROT_NONE), 0);
    assert_true(n_test_mappings < sizeof test_mappings / sizeof *test_mappings);
    test_mappings[n_test_mappings].start = p;
    test_mappings[n_test_mappings++].bytes = body + page;
    return p + body - bytes;
}

/* Ends the life of all buffers and workspaces. */
static UNUSED_OK void release_buffers(void)
{
    while (n_test_mappings > 0) {
        n_test_mappings--;
        assert_int_equal(
            munmap(test_mappings[n_test_mappings].start, test_mappings[n_test_mappings].bytes), 0);
    }
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

/* A workspace for `batch` rows full of NaN, aligned to 64 bytes as the host does. */
static void *workspace(const test_map *m, uint64_t batch)
{
    const size_t bytes = (m->api->ws_bytes(m->map, batch) + 63) / 64 * 64;
    return memset(guarded(bytes), 0xff, bytes);
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

/* ---- allocations ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS_ALLOCATIONS 0 /* the sanitizers bring their own allocator */
#elif defined(__has_feature)
#define COUNTS_ALLOCATIONS (!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer))
#else
#define COUNTS_ALLOCATIONS 1
#endif

static UNUSED_OK long test_allocations; /* made by this process, plugins included */

#if COUNTS_ALLOCATIONS
/* glibc's own, under names that are not reserved */
void *real_malloc(size_t size) __asm__("__libc_malloc");
void *real_calloc(size_t nmemb, size_t size) __asm__("__libc_calloc");
void *real_realloc(void *ptr, size_t size) __asm__("__libc_realloc");
void *real_memalign(size_t alignment, size_t size) __asm__("__libc_memalign");
#define INTERPOSED __attribute__((visibility("default")))
INTERPOSED void *malloc(size_t size)
{
    __atomic_add_fetch(&test_allocations, 1, __ATOMIC_RELAXED);
    return real_malloc(size);
}
INTERPOSED void *calloc(size_t nmemb, size_t size)
{
    __atomic_add_fetch(&test_allocations, 1, __ATOMIC_RELAXED);
    return real_calloc(nmemb, size);
}
INTERPOSED void *realloc(void *ptr, size_t size)
{
    __atomic_add_fetch(&test_allocations, 1, __ATOMIC_RELAXED);
    return real_realloc(ptr, size);
}
INTERPOSED void *aligned_alloc(size_t alignment, size_t size)
{
    __atomic_add_fetch(&test_allocations, 1, __ATOMIC_RELAXED);
    return real_memalign(alignment, size);
}
#endif

#endif
