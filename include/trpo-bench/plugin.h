/* SPDX-License-Identifier: MIT
 *
 * trpo-bench plugin ABI 1.2: what every plugin shares. env.h and policy.h build on it.
 *
 * A plugin is one shared object that exports one function, `tb_plugin_entry`, and hides everything
 * else. The host loads it with RTLD_NOW | RTLD_LOCAL, checks the entry (magic, struct_size,
 * abi_major, min_host_minor, layout_crc, cpu_required, in this order), calls `init` once, and asks
 * for factories by string id. It never unloads a plugin while it runs.
 *
 * Rules of this ABI, checked by tests:
 *  - structs hold fixed-width integers, double and pointers only: no enum, bool, size_t, long or
 * bit-field; no padding;
 *  - every struct but tb_key begins with `uint32_t struct_size` (tb_entry: after its magic); the
 * side that allocates a struct sets it to its own sizeof, the other side touches no field beyond it
 * (TB_HAS);
 *  - fields are only ever appended within a major version; what cannot be appended becomes a new
 * string id;
 *  - no array of structs crosses the boundary (its stride would be one side's sizeof): getters fill
 * one struct a call;
 *  - strings are UTF-8, NUL-terminated, owned by the side that returns them until the stated end of
 * life;
 *  - the side that allocates frees; no exception, longjmp or varargs crosses the boundary;
 *  - a plugin changes no process-wide state: locale, working directory, signals, floating-point
 * control, libc's rand, standard output, OpenMP settings. *Rationale:* it would change the results
 * of other code.
 *
 * Threads: [any] functions may be called from any thread at any time; [instance] functions are
 * called by one thread at a time for each instance, not always by the same thread; different
 * instances are used in parallel.
 *
 * This header compiles alone as C99 to C17 and C++11 to C++20 with -pedantic -Wpadded -Werror.
 */
#ifndef TRPO_BENCH_PLUGIN_H
#define TRPO_BENCH_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "TRPOBA1" read as a little-endian number; anything else is no trpo-bench plugin. */
#define TB_ABI_MAGIC UINT64_C(0x3142415f42505254)
#define TB_ABI_MAJOR 1u
#define TB_ABI_MINOR 2u
/* CRC-32 over (name, offset, size) of every field of the 1.0 structs; constant within a major
 * version. Recomputed from the headers by tests/abi/. */
#define TB_ABI_LAYOUT_CRC UINT32_C(0xd4447726)

/* Whether the struct that `p` points to, allocated by the other side, is long enough to hold
 * `field`. */
#define TB_HAS(type, p, field)                                                                     \
    ((p)->struct_size >= offsetof(type, field) + sizeof(((type *)0)->field))

/* ---- status codes ---- */

typedef int32_t tb_status;
#define TB_OK 0
#define TB_DISCARD 1      /* call refused, object unchanged, other arguments may work */
#define TB_E_INVALID (-1) /* bad argument (NaN action, index out of range); object unchanged */
#define TB_E_STATE                                                                                 \
    (-2) /* call order violated (step before reset, or after the episode's end); object unchanged  \
          */
#define TB_E_NOMEM (-3)       /* out of memory */
#define TB_E_UNSUPPORTED (-4) /* not offered by this plugin or build */
#define TB_E_PARAM (-5)       /* a parameter is unknown, of the wrong type or out of range */
#define TB_E_NUMERIC                                                                               \
    (-6) /* non-finite state; the episode is lost, reset() or load() recovers the instance */
#define TB_E_CORRUPT (-7) /* snapshot bytes rejected; object unchanged */
#define TB_E_IO (-8)      /* a file could not be read or written */
#define TB_E_FATAL (-100) /* instance and possibly library unusable: the host ends the worker */

/* ---- keys ---- */

/* 128-bit key of a counter-based random stream (rng.h). Everything random that a plugin does is a
 * pure function of the key it was handed. Frozen layout. */
typedef struct tb_key {
    uint64_t w[2];
} tb_key;

/* ---- host services ---- */

#define TB_LOG_DEBUG 0
#define TB_LOG_INFO 1
#define TB_LOG_WARNING 2
#define TB_LOG_ERROR 3

/* Handed to init() and create(). Valid until deinit(); owned by the host. */
typedef struct tb_host {
    uint32_t struct_size;
    uint32_t abi_minor;  /* minor version of the ABI that the host speaks */
    void *ctx;           /* first argument of the functions below */
    const char *name;    /* "trpo-bench" */
    const char *version; /* "0.1.0" */
    /* [any] One finished message (no trailing newline); severity is TB_LOG_*. Never NULL. Copies
     * `utf8`. */
    void (*log)(void *ctx, int32_t severity, const char *utf8);
    /* [any] Table of the host extension `id` (valid until deinit), or NULL when the host has none
     * of that id. */
    const void *(*get_extension)(void *ctx, const char *id);
} tb_host;

/* Typed, read-tracked view of the TOML table that the suite gives to this plugin; valid only inside
 * create(). Each getter takes the default in its in-out argument and overwrites it when the key is
 * present. It returns TB_OK (present or not) or TB_E_PARAM (present with another type; the host has
 * recorded the message: just pass it on). A key of the table that create() never reads is reported
 * to the user as unknown, so read every key on every path. */
typedef struct tb_params {
    uint32_t struct_size;
    uint32_t reserved0;
    void *ctx;
    tb_status (*get_i64)(void *ctx, const char *key, int64_t *inout);
    tb_status (*get_f64)(void *ctx, const char *key, double *inout); /* accepts an integer too */
    tb_status (*get_bool)(void *ctx, const char *key, uint32_t *inout);
    tb_status (*get_str)(void *ctx, const char *key,
                         const char **inout); /* copy it: dies with create() */
    /* Arrays: *inout_n is the number of default values in buf on entry and of values on return; an
     * array longer than `cap` is TB_E_PARAM. */
    tb_status (*get_f64_array)(void *ctx, const char *key, double *buf, uint64_t cap,
                               uint64_t *inout_n);
    tb_status (*get_i64_array)(void *ctx, const char *key, int64_t *buf, uint64_t cap,
                               uint64_t *inout_n);
} tb_params;

/* ---- parameter schemas ---- */

/* Optional factory "tb.params-schema/1": what keys a plugin's create() understands, so that the
 * host can check a suite and print help without creating anything. It must say the same as create()
 * does (the checker compares). *Rationale:* a factory, not an instance extension: a typo must be
 * found before anything is created or run. */
#define TB_PARAMS_SCHEMA "tb.params-schema/1"

#define TB_PARAM_I64 1u
#define TB_PARAM_F64 2u
#define TB_PARAM_BOOL 3u
#define TB_PARAM_STR 4u
#define TB_PARAM_F64_ARRAY 5u
#define TB_PARAM_I64_ARRAY 6u

typedef struct tb_param_info { /* host allocates and sets struct_size; plugin fills; strings live
                                  until deinit */
    uint32_t struct_size;
    uint32_t type;            /* TB_PARAM_* */
    const char *key;          /* "gravity" */
    const char *doc;          /* one sentence with the unit: "Gravitational acceleration, m/s^2." */
    const char *default_text; /* the default as it would be written in TOML: "9.8", "[64, 64]",
                                 "\"tanh\""; NULL = create() computes it */
    const char *choices;      /* STR: allowed values, separated by '|'; else NULL */
    double low, high; /* numbers (array elements too): inclusive range, -INFINITY and INFINITY when
                         unbounded */
} tb_param_info;

typedef struct tb_params_schema {
    uint32_t struct_size;
    uint32_t reserved0;
    /* [any] Number of keys that the environment or policy `id` of this library understands. */
    uint32_t (*count)(const char *id);
    /* [any] Fills *out with key i < count(id). TB_E_INVALID for an unknown id or index. */
    tb_status (*get)(const char *id, uint32_t i, tb_param_info *out);
} tb_params_schema;

/* ---- data types ---- */

#define TB_F64 1u
#define TB_F32 2u
#define TB_I32 3u
#define TB_U8 4u
#define TB_DTYPE_BIT(d) (1u << (d)) /* for masks of dtypes; never or the codes themselves */

/* ---- the one exported symbol ---- */

#define TB_CPU_AVX2 1u /* bits of tb_entry.cpu_required: the library cannot run without them */
#define TB_CPU_FMA 2u
#define TB_CPU_AVX512F 4u

typedef struct tb_entry {
    uint64_t magic;          /* TB_ABI_MAGIC */
    uint32_t struct_size;    /* sizeof(tb_entry) */
    uint32_t abi_major;      /* TB_ABI_MAJOR: must equal the host's */
    uint32_t abi_minor;      /* TB_ABI_MINOR of the headers the plugin was built with */
    uint32_t min_host_minor; /* oldest host minor that the plugin can live with; usually 0 */
    uint32_t layout_crc;     /* TB_ABI_LAYOUT_CRC */
    uint32_t cpu_required;   /* TB_CPU_*: the host refuses instead of dying of SIGILL */
    const char *build;       /* version, compiler, flags: goes into the run record. Never NULL */
    tb_status (*init)(
        const tb_host *); /* once after loading; may keep the pointer until deinit(). May be NULL */
    void (*deinit)(
        void); /* once before unloading, after all instances are destroyed. May be NULL */
    /* [any] Factory table ("tb.env-factory/1", "tb.map-factory/1", "tb.params-schema/1") or NULL.
     * Ids are compared whole. */
    const void *(*get_factory)(const char *id);
} tb_entry;

#if defined(__GNUC__)
#define TB_EXPORT __attribute__((visibility("default")))
#else
#define TB_EXPORT
#endif

/* Constant after loading: the same pointer at every call. [any] */
TB_EXPORT const tb_entry *tb_plugin_entry(void);

#ifdef __cplusplus
}
#endif
#endif
