/* SPDX-License-Identifier: MIT
 *
 * trpo-bench plugin ABI 1.0: policy architectures ("tb.map-factory/1"). Rules: plugin.h.
 *
 * A policy architecture is a differentiable map (theta, x[B]) -> y[B] and nothing more: the host
 * owns distributions, sampling, KL, the Fisher metric and the optimiser. The critic is the same map
 * with one output. Legend: B batch rows, I n_in, O n_out, P n_params. Arrays are row-major, of the
 * dtype in tb_map_spec. theta, v, g  [P]      x [B][I]      y, jv, w  [B][O] A map is immutable
 * after create; theta, x, y and the workspace belong to the host, so one map serves many threads.
 * Contract:
 *  - batch invariance: row b of a batch has the same bits whatever the other rows and the batch
 * size are;
 *  - forward() leaves in ws what jvp() and vjp() of the same (theta, x, B) need; they may be called
 * many times against one forward() (conjugate gradients call each about ten times an update);
 *  - the compute calls allocate nothing.
 */
#ifndef TRPO_BENCH_POLICY_H
#define TRPO_BENCH_POLICY_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tb_map_spec { /* what the host asks for */
    uint32_t struct_size;
    uint32_t dtype; /* TB_F64 or TB_F32: type of theta, x, y, v, w, g */
    uint64_t n_in;  /* I: inputs a row */
    uint64_t n_out; /* O: outputs a row */
    /* The last n_const_out outputs depend on theta alone, not on x (a state-independent log-std):
     * the map broadcasts n_const_out of its parameters into them. 0 for the critic and for
     * categorical heads. */
    uint64_t n_const_out;
    const uint64_t *in_shape; /* shape of one observation, in_ndim entries, for convolutions; valid
                                 inside create() */
    uint64_t in_ndim;
    double const_init; /* initial value of the constant outputs (initial log-std) */
    double out_gain; /* gain of the last layer's initial weights; the map's own `gain` is for hidden
                        layers */
} tb_map_spec;

typedef struct tb_map tb_map; /* opaque, immutable after create */

typedef struct tb_map_api { /* [any]: const map, host-owned buffers; no entry may be NULL */
    uint32_t struct_size;
    uint32_t reserved0;
    void (*destroy)(tb_map *);            /* takes NULL */
    uint64_t (*n_params)(const tb_map *); /* P */
    /* Parameter block i: blocks tile [0, P) in order. `name` ("hidden0.weight") lives until
     * destroy. TB_E_INVALID for i >= the number of blocks. */
    tb_status (*block)(const tb_map *, uint32_t i, uint64_t *offset, uint64_t *count,
                       const char **name);
    /* Writes initial parameters: a pure function of the key. */
    tb_status (*init)(const tb_map *, void *theta, const tb_key *);
    uint64_t (*ws_bytes)(const tb_map *, uint64_t batch); /* the host aligns ws to 64 bytes */
    tb_status (*forward)(const tb_map *, const void *theta, const void *x, uint64_t batch, void *y,
                         void *ws);
    /* jv = J v, J = dy/dtheta at the last forward() of this ws. */
    tb_status (*jvp)(const tb_map *, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *v, void *jv);
    /* g = J' w summed over the batch rows in order; g is overwritten. */
    tb_status (*vjp)(const tb_map *, const void *theta, const void *x, uint64_t batch, void *ws,
                     const void *w, void *g);
    const char *(*explain)(
        const tb_map *, tb_status); /* static text; a map holds no error state, threads share it */
    const void *(*get_extension)(const tb_map *, const char *id); /* valid until destroy, or NULL */
} tb_map_api;

/* Optional extension: the features phi(x) that the map's last layer reads, so the last hidden
 * layer's activations, or the inputs where there is none. Exploration noise that depends on the
 * state is made of them (gSDE: Raffin, Kober and Stulp 2021, arXiv 2005.05719). Legend: H features.
 */
#define TB_EXT_MAP_FEATURES "tb.map.features/1"
typedef struct tb_map_features { /* [any], as tb_map_api */
    uint32_t struct_size;
    uint32_t reserved0;
    /* H, at least 1; the same whatever n_out and n_const_out are. */
    uint64_t (*n_features)(const tb_map *);
    /* out [B][H] = phi(x) at the last forward() of this ws, with the same x and B, whatever jvp()
     * and vjp() were called since; in the dtype of the map. Changes nothing but out; as batch
     * invariant as forward(). */
    tb_status (*features)(const tb_map *, const void *x, uint64_t batch, const void *ws, void *out);
} tb_map_features;

#define TB_MAP_FACTORY "tb.map-factory/1"
typedef struct tb_map_factory { /* [any] */
    uint32_t struct_size;
    uint32_t dtypes; /* mask of TB_DTYPE_BIT: F64 is mandatory, F32 optional */
    uint32_t (*count)(void);
    const char *(*id)(uint32_t i); /* "mlp", pattern [a-z0-9][a-z0-9_/-]*; NULL for i >= count() */
    const char *(*summary)(uint32_t i); /* one sentence */
    /* As tb_env_factory.create. */
    tb_status (*create)(const tb_host *, const char *id, const tb_map_spec *, const tb_params *,
                        const tb_map_api **api, tb_map **out, char *err, uint64_t err_cap);
} tb_map_factory;

#ifdef __cplusplus
}
#endif
#endif
