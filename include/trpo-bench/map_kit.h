/* SPDX-License-Identifier: MIT
 *
 * Optional helper for authors of policy architectures: what every map plugin of dense layers has in
 * common, so that a plugin is its parameters and its forward, jvp and vjp. Not part of the ABI:
 * everything here is compiled into the plugin, and a plugin may do without it.
 *
 * How to use it (plugins/policies/linear/linear.c is the shortest example):
 *  1. `struct tb_map` begins with a tb_map_kit_head; create() makes it with tb_map_kit_new(),
 *     then one tb_map_kit_dense() per layer, then tb_map_kit_constants();
 *  2. n_params, block, explain, get_extension and destroy of the tb_map_api come from here
 *     (TB_MAP_KIT_API);
 *  3. describe the plugin in a `static const tb_map_kit` and write TB_MAP_KIT_PLUGIN(that, 0).
 *
 * A dense layer is y = x W + b with W [n_in][n_out] row-major, followed by b [n_out].
 *
 * This header compiles alone as C99 to C17 and C++11 to C++20.
 */
#ifndef TRPO_BENCH_MAP_KIT_H
#define TRPO_BENCH_MAP_KIT_H

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"
#include "rng.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- messages ---- */

/* Writes the reason of a refusal into create()'s `err` and returns `status`. The host puts path and
 * id in front: say what was found, what was expected, what to do. */
#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
static inline tb_status
tb_map_kit_fail(char *err, uint64_t err_cap, tb_status status, const char *format, ...)
{
    if (err && err_cap) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(err, (size_t)err_cap, format, arguments);
        va_end(arguments);
    }
    return status;
}

/* ---- the head of a map: its parameter blocks ---- */

#define TB_MAP_KIT_MAX_BLOCKS 64

typedef struct tb_map_kit_block {
    uint64_t offset; /* in elements from the start of theta */
    uint64_t count;
    char name[32]; /* "hidden0.weight" */
} tb_map_kit_block;

typedef struct tb_map_kit_head { /* first member of the plugin's struct tb_map */
    uint32_t dtype;              /* TB_F64 or TB_F32 */
    uint32_t n_blocks;
    uint64_t n_params; /* P: end of the last block */
    tb_map_kit_block block[TB_MAP_KIT_MAX_BLOCKS];
} tb_map_kit_head;

/* Checks what every map needs of a spec (sizes from 1 to 2^24, n_const_out < n_out, finite gains, a
 * known dtype) and empties *head. TB_E_PARAM or TB_E_UNSUPPORTED with a reason in `err`. */
static inline tb_status tb_map_kit_start(tb_map_kit_head *head, const tb_map_spec *spec, char *err,
                                         uint64_t err_cap)
{
    const uint64_t limit = UINT64_C(1) << 24;
    if (spec->dtype != TB_F64 && spec->dtype != TB_F32)
        return tb_map_kit_fail(err, err_cap, TB_E_UNSUPPORTED,
                               "dtype %lu: expected float64 (%u) or float32 (%u)",
                               (unsigned long)spec->dtype, TB_F64, TB_F32);
    if (spec->n_in < 1 || spec->n_in > limit)
        return tb_map_kit_fail(err, err_cap, TB_E_PARAM,
                               "n_in = %lu: expected 1 to %lu inputs; flatten the observation",
                               (unsigned long)spec->n_in, (unsigned long)limit);
    if (spec->n_out < 1 || spec->n_out > limit)
        return tb_map_kit_fail(err, err_cap, TB_E_PARAM, "n_out = %lu: expected 1 to %lu outputs",
                               (unsigned long)spec->n_out, (unsigned long)limit);
    if (spec->n_const_out >= spec->n_out)
        return tb_map_kit_fail(err, err_cap, TB_E_PARAM,
                               "n_const_out = %lu: expected fewer than n_out = %lu, at least one "
                               "output must depend on the input",
                               (unsigned long)spec->n_const_out, (unsigned long)spec->n_out);
    if (!isfinite(spec->const_init) || !isfinite(spec->out_gain))
        return tb_map_kit_fail(err, err_cap, TB_E_PARAM,
                               "const_init = %g, out_gain = %g: expected finite numbers",
                               spec->const_init, spec->out_gain);
    memset(head, 0, sizeof *head);
    head->dtype = spec->dtype;
    return TB_OK;
}

/* A zeroed map of `size` bytes with its head started as above, or NULL with *status and a reason in
 * `err`. Freed by tb_map_kit_destroy. */
static inline tb_map *tb_map_kit_new(size_t size, const tb_map_spec *spec, tb_status *status,
                                     char *err, uint64_t err_cap)
{
    tb_map_kit_head *head = (tb_map_kit_head *)calloc(1, size);
    if (!head) {
        *status = tb_map_kit_fail(err, err_cap, TB_E_NOMEM, "out of memory");
        return NULL;
    }
    *status = tb_map_kit_start(head, spec, err, err_cap);
    if (*status != TB_OK) {
        free(head);
        return NULL;
    }
    return (tb_map *)(void *)head;
}

/* Appends the block `name`.`part` ("" for none) of `count` parameters; returns its offset. A block
 * beyond the table's end is a programmer's error and is dropped. */
static inline uint64_t tb_map_kit_add(tb_map_kit_head *head, const char *name, const char *part,
                                      uint64_t count)
{
    uint64_t offset = head->n_params;
    if (head->n_blocks < TB_MAP_KIT_MAX_BLOCKS) {
        tb_map_kit_block *block = &head->block[head->n_blocks++];
        block->offset = offset;
        block->count = count;
        (void)snprintf(block->name, sizeof block->name, "%s%s%s", name, *part ? "." : "", part);
        head->n_params += count;
    }
    return offset;
}

/* Appends "<name>.weight" [n_in][n_out] and "<name>.bias" [n_out]; returns the weight's offset. */
static inline uint64_t tb_map_kit_dense(tb_map_kit_head *head, const char *name, uint64_t n_in,
                                        uint64_t n_out)
{
    uint64_t offset = tb_map_kit_add(head, name, "weight", n_in * n_out);
    (void)tb_map_kit_add(head, name, "bias", n_out);
    return offset;
}

/* Appends "log_std", the parameters that are broadcast into the constant outputs (no block when
 * there are none); returns its offset. */
static inline uint64_t tb_map_kit_constants(tb_map_kit_head *head, const tb_map_spec *spec)
{
    return spec->n_const_out ? tb_map_kit_add(head, "log_std", "", spec->n_const_out)
                             : head->n_params;
}

/* ---- entries of tb_map_api that need nothing but the head ---- */

static inline const tb_map_kit_head *tb_map_kit_of(const tb_map *map)
{
    return (const tb_map_kit_head *)(const void *)map;
}

/* destroy: for maps that are one allocation of malloc or calloc. */
static inline void tb_map_kit_destroy(tb_map *map)
{
    free((void *)map);
}

static inline uint64_t tb_map_kit_n_params(const tb_map *map)
{
    return tb_map_kit_of(map)->n_params;
}

static inline tb_status tb_map_kit_get_block(const tb_map *map, uint32_t i, uint64_t *offset,
                                             uint64_t *count, const char **name)
{
    const tb_map_kit_head *head = tb_map_kit_of(map);
    if (i >= head->n_blocks)
        return TB_E_INVALID;
    *offset = head->block[i].offset;
    *count = head->block[i].count;
    *name = head->block[i].name;
    return TB_OK;
}

static inline const char *tb_map_kit_explain(const tb_map *map, tb_status status)
{
    (void)map;
    switch (status) {
    case TB_OK: return "no error";
    case TB_E_INVALID: return "an argument is out of range";
    case TB_E_NOMEM: return "out of memory while drawing initial parameters";
    default: return "this architecture does not return this status";
    }
}

static inline const void *tb_map_kit_no_extension(const tb_map *map, const char *id)
{
    (void)map;
    (void)id;
    return NULL;
}

/* ---- initial parameters, in double whatever the dtype ---- */

static inline void tb_map_kit_store(void *theta, uint32_t dtype, uint64_t i, double value)
{
    if (dtype == TB_F64)
        ((double *)theta)[i] = value;
    else
        ((float *)theta)[i] = (float)value;
}

/* Standard normal number i of the key's stream: Box and Muller 1958, one number a block. */
static inline double tb_map_kit_normal(const tb_key *key, uint64_t i)
{
    uint64_t bits[2];
    tb_key_block(key, i, bits);
    /* 1 - u is in (0, 1]: the logarithm is finite */
    return sqrt(-2.0 * log(1.0 - tb_unit_f64(bits[0]))) *
           cos(6.283185307179586477 * tb_unit_f64(bits[1]));
}

/* Sum of a[i] b[i], in eight partial sums: a fixed order that compilers vectorise. */
static inline double tb_map_kit_dot(const double *a, const double *b, uint64_t n)
{
    double part[8] = {0};
    uint64_t i, lane;
    for (i = 0; i + 8 <= n; i += 8)
        for (lane = 0; lane < 8; lane++)
            part[lane] += a[i + lane] * b[i + lane];
    for (lane = 0; i < n; i++, lane++)
        part[lane] += a[i] * b[i];
    return ((part[0] + part[1]) + (part[2] + part[3])) +
           ((part[4] + part[5]) + (part[6] + part[7]));
}

/* q [m][n], m <= n: m orthonormal rows, uniform over such frames (Gram-Schmidt of Gaussian rows:
 * the R factor has a positive diagonal, so Q is Haar distributed, Mezzadri 2007). A row that lost
 * most of its length to the projections is projected once more. */
static inline void tb_map_kit_frame(double *q, uint64_t m, uint64_t n, const tb_key *key)
{
    uint64_t i, j, k;
    for (i = 0; i < m; i++) {
        double *row = q + i * n;
        double before, after;
        int pass;
        for (k = 0; k < n; k++)
            row[k] = tb_map_kit_normal(key, i * n + k);
        for (pass = 0; pass < 3; pass++) {
            before = sqrt(tb_map_kit_dot(row, row, n));
            for (j = 0; j < i; j++) {
                double along = tb_map_kit_dot(q + j * n, row, n);
                for (k = 0; k < n; k++)
                    row[k] -= along * q[j * n + k];
            }
            after = sqrt(tb_map_kit_dot(row, row, n));
            for (k = 0; k < n; k++)
                row[k] /= after;
            if (after > 0.5 * before)
                break;
        }
    }
}

#define TB_MAP_KIT_ORTHOGONAL 0u
#define TB_MAP_KIT_XAVIER 1u
#define TB_MAP_KIT_INITS "orthogonal|xavier"

/* W [n_in][n_out] at `offset` of theta.
 *  - orthogonal (Saxe et al. 2014, arXiv 1312.6120): gain times orthonormal columns if n_in >=
 *    n_out, else orthonormal rows; the work is 2 n_in n_out min(n_in, n_out);
 *  - Xavier (Glorot and Bengio 2010, equation 16): uniform in +-gain sqrt(6 / (n_in + n_out)).
 * TB_E_NOMEM when the scratch of the orthogonal one cannot be allocated. */
static inline tb_status tb_map_kit_init_weight(void *theta, uint32_t dtype, uint64_t offset,
                                               uint64_t n_in, uint64_t n_out, uint32_t init,
                                               double gain, tb_key key)
{
    const int tall = n_in >= n_out;
    const uint64_t m = tall ? n_out : n_in, n = tall ? n_in : n_out;
    uint64_t i, j, bits[2];
    double *q;
    if (init == TB_MAP_KIT_XAVIER) {
        double limit = gain * sqrt(6.0 / (double)(n_in + n_out));
        for (i = 0; i < n_in * n_out; i++) {
            tb_key_block(&key, i, bits);
            tb_map_kit_store(theta, dtype, offset + i, limit * (2.0 * tb_unit_f64(bits[0]) - 1.0));
        }
        return TB_OK;
    }
    q = (double *)malloc((size_t)(m * n) * sizeof *q);
    if (!q)
        return TB_E_NOMEM;
    tb_map_kit_frame(q, m, n, &key);
    for (i = 0; i < n_in; i++)
        for (j = 0; j < n_out; j++)
            tb_map_kit_store(theta, dtype, offset + i * n_out + j,
                             gain * (tall ? q[j * n + i] : q[i * n + j]));
    free(q);
    return TB_OK;
}

static inline void tb_map_kit_fill(void *theta, uint32_t dtype, uint64_t offset, uint64_t count,
                                   double value)
{
    uint64_t i;
    for (i = 0; i < count; i++)
        tb_map_kit_store(theta, dtype, offset + i, value);
}

/* ---- options ---- */

/* Reads the string option `key`, one of `choices` ("a|b|c", each below 64 bytes); *inout is the
 * index of the default on entry and of the value on return. */
static inline tb_status tb_map_kit_choice(const tb_params *params, const char *key,
                                          const char *choices, uint32_t *inout, char *err,
                                          uint64_t err_cap)
{
    char fallback[64] = "";
    const char *found = fallback, *at = choices;
    uint32_t i;
    tb_status status;
    /* the host records the default that it is handed */
    for (i = 0; i < *inout; i++)
        at += strcspn(at, "|") + 1;
    (void)snprintf(fallback, sizeof fallback, "%.*s", (int)strcspn(at, "|"), at);
    status = params->get_str(params->ctx, key, &found);
    if (status != TB_OK)
        return status;
    for (i = 0, at = choices; *at; i++) {
        size_t length = strcspn(at, "|");
        if (strlen(found) == length && memcmp(found, at, length) == 0) {
            *inout = i;
            return TB_OK;
        }
        at += length + (at[length] == '|');
    }
    return tb_map_kit_fail(err, err_cap, TB_E_PARAM, "%s = \"%s\": expected one of %s", key, found,
                           choices);
}

/* ---- the plugin around it ---- */

typedef struct tb_map_kit { /* one architecture, static in the plugin */
    const char *id;         /* "mlp" */
    const char *summary;    /* one sentence */
    const tb_map_api *api;
    /* The options that create() reads; `struct_size` need not be set. */
    const tb_param_info *options;
    uint64_t n_options;
    /* `host` may offer extensions, such as kernels.h; it lives as long as the library. */
    tb_status (*create)(const tb_host *host, const tb_map_spec *, const tb_params *, tb_map **out,
                        char *err, uint64_t err_cap);
} tb_map_kit;

static inline tb_status tb_map_kit_create(const tb_map_kit *kit, const tb_host *host,
                                          const char *id, const tb_map_spec *spec,
                                          const tb_params *params, const tb_map_api **api,
                                          tb_map **out, char *err, uint64_t err_cap)
{
    tb_map *map = NULL;
    tb_status status;
    if (strcmp(id, kit->id) != 0)
        return tb_map_kit_fail(err, err_cap, TB_E_INVALID,
                               "no architecture \"%s\" in this library, it has \"%s\"", id,
                               kit->id);
    if (!TB_HAS(tb_map_spec, spec, out_gain))
        return tb_map_kit_fail(err, err_cap, TB_E_INVALID,
                               "tb_map_spec has %lu bytes, this library needs %lu",
                               (unsigned long)spec->struct_size, (unsigned long)sizeof *spec);
    status = kit->create(host, spec, params, &map, err, err_cap);
    if (status == TB_OK) {
        *api = kit->api;
        *out = map;
    }
    return status;
}

/* Copies option i without touching what the host's struct does not have. */
static inline tb_status tb_map_kit_option(const tb_map_kit *kit, const char *id, uint32_t i,
                                          tb_param_info *out)
{
    uint32_t size = out->struct_size;
    if (strcmp(id, kit->id) != 0 || i >= kit->n_options)
        return TB_E_INVALID;
    if (size > sizeof *out)
        size = (uint32_t)sizeof *out;
    if (size > sizeof out->struct_size)
        memcpy((char *)out + sizeof out->struct_size,
               (const char *)&kit->options[i] + sizeof out->struct_size,
               size - sizeof out->struct_size);
    return TB_OK;
}

/* Initialiser of the tb_map_api of a map that is one allocation. */
#define TB_MAP_KIT_API_WITH(init, ws_bytes, forward, jvp, vjp, get_extension)                      \
    {                                                                                              \
        (uint32_t)sizeof(tb_map_api), 0, tb_map_kit_destroy, tb_map_kit_n_params,                  \
            tb_map_kit_get_block, (init), (ws_bytes), (forward), (jvp), (vjp), tb_map_kit_explain, \
            (get_extension)                                                                        \
    }

/* The same for a map without extensions. */
#define TB_MAP_KIT_API(init, ws_bytes, forward, jvp, vjp)                                          \
    TB_MAP_KIT_API_WITH(init, ws_bytes, forward, jvp, vjp, tb_map_kit_no_extension)

#ifndef TB_PLUGIN_BUILD
#define TB_PLUGIN_BUILD "unknown build"
#endif

/* Defines tb_plugin_entry() for the one architecture `kit`; `cpu` is tb_entry.cpu_required. */
#define TB_MAP_KIT_PLUGIN(kit, cpu)                                                                \
    static uint32_t tb_map_kit__count(void)                                                        \
    {                                                                                              \
        return 1;                                                                                  \
    }                                                                                              \
    static const char *tb_map_kit__id(uint32_t i)                                                  \
    {                                                                                              \
        return i == 0 ? (kit).id : NULL;                                                           \
    }                                                                                              \
    static const char *tb_map_kit__summary(uint32_t i)                                             \
    {                                                                                              \
        return i == 0 ? (kit).summary : NULL;                                                      \
    }                                                                                              \
    static tb_status tb_map_kit__create(                                                           \
        const tb_host *host, const char *id, const tb_map_spec *spec, const tb_params *params,     \
        const tb_map_api **api_, tb_map **out, char *err, uint64_t err_cap)                        \
    {                                                                                              \
        return tb_map_kit_create(&(kit), host, id, spec, params, api_, out, err, err_cap);         \
    }                                                                                              \
    static uint32_t tb_map_kit__n_options(const char *id)                                          \
    {                                                                                              \
        return strcmp(id, (kit).id) == 0 ? (uint32_t)(kit).n_options : 0;                          \
    }                                                                                              \
    static tb_status tb_map_kit__option(const char *id, uint32_t i, tb_param_info *out)            \
    {                                                                                              \
        return tb_map_kit_option(&(kit), id, i, out);                                              \
    }                                                                                              \
    static const void *tb_map_kit__get_factory(const char *id)                                     \
    {                                                                                              \
        static const tb_map_factory factory = {(uint32_t)sizeof(tb_map_factory),                   \
                                               TB_DTYPE_BIT(TB_F64) | TB_DTYPE_BIT(TB_F32),        \
                                               tb_map_kit__count,                                  \
                                               tb_map_kit__id,                                     \
                                               tb_map_kit__summary,                                \
                                               tb_map_kit__create};                                \
        static const tb_params_schema schema = {(uint32_t)sizeof(tb_params_schema), 0,             \
                                                tb_map_kit__n_options, tb_map_kit__option};        \
        if (strcmp(id, TB_MAP_FACTORY) == 0)                                                       \
            return &factory;                                                                       \
        return strcmp(id, TB_PARAMS_SCHEMA) == 0 ? (const void *)&schema : NULL;                   \
    }                                                                                              \
    const tb_entry *tb_plugin_entry(void)                                                          \
    {                                                                                              \
        static const tb_entry entry = {TB_ABI_MAGIC,                                               \
                                       (uint32_t)sizeof(tb_entry),                                 \
                                       TB_ABI_MAJOR,                                               \
                                       TB_ABI_MINOR,                                               \
                                       0,                                                          \
                                       TB_ABI_LAYOUT_CRC,                                          \
                                       (cpu),                                                      \
                                       TB_PLUGIN_BUILD,                                            \
                                       NULL,                                                       \
                                       NULL,                                                       \
                                       tb_map_kit__get_factory};                                   \
        return &entry;                                                                             \
    }

#ifdef __cplusplus
}
#endif
#endif
