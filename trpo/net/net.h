/* SPDX-License-Identifier: MIT
 *
 * A policy architecture (include/trpo-bench/policy.h) with parameters, and its products over whole
 * batches.
 *
 * Numbers: parameters, gradients and everything that is summed are double; the map computes in its
 * own type
 * (`dtype`), into which parameters and vectors are rounded on the way in.
 * Batches are cut into shards of TB_SHARD_ROWS rows. Shards are spread over TB_SEGMENTS segments
 * whatever the number of threads; a segment takes its shards in order, up to four in one call of
 * the map, and adds what the calls give, and segments are added in order: the same bits for any
 * thread count.
 *
 * Legend: N rows, I inputs, O outputs, P parameters.
 */
#ifndef TRPO_NET_NET_H
#define TRPO_NET_NET_H

#include <trpo-bench/policy.h>

#include "trpo/base/state.h"

enum {
    TB_SHARD_ROWS = 96, /* rows of one call of rows_fn; what batches are dealt out in */
    TB_SEGMENTS = 16
};

typedef struct tb_net {
    const tb_map_api *api;
    tb_map *map;    /* owned */
    uint32_t dtype; /* TB_F32 or TB_F64: what the map computes in */
    size_t n_in, n_out, n_params;
    double *theta; /* [P] */
    void *native;  /* [P] theta rounded to dtype */
} tb_net;

/* Takes the map over and writes its initial parameters of `key`. */
tb_status tb_net_init(tb_net *net, const tb_map_api *api, tb_map *map, const tb_map_spec *spec,
                      const tb_key *key, tb_error *error);
void tb_net_finish(tb_net *net);

/* Sets theta = `theta` (may be net->theta itself) and its rounded copy. */
void tb_net_set(tb_net *net, const double *theta);

/* Shows the parameters ("theta") to the visitor and takes over what it wrote. */
void tb_net_visit(tb_net *net, const char *part, tb_state_visitor *visitor);

size_t tb_dtype_size(uint32_t dtype);
void tb_to_native(uint32_t dtype, const double *from, void *to, size_t n);
void tb_from_native(uint32_t dtype, const void *from, double *to, size_t n);

/* One small batch on one thread: memory for up to max_rows rows. */
typedef struct tb_net_lane {
    const tb_net *net;
    size_t max_rows;
    void *x; /* [max_rows][I] native: the caller fills it */
    void *y; /* [max_rows][O] native */
    void *ws;
} tb_net_lane;

tb_status tb_net_lane_init(tb_net_lane *lane, const tb_net *net, size_t max_rows, tb_error *error);
void tb_net_lane_finish(tb_net_lane *lane);
/* y [rows][O] of lane->x. */
tb_status tb_net_lane_forward(tb_net_lane *lane, size_t rows, double *y, tb_error *error);

/* Products over a batch of up to max_rows rows, on all threads. */
typedef struct tb_net_batch tb_net_batch;

tb_status tb_net_batch_create(const tb_net *net, size_t max_rows, tb_net_batch **out,
                              tb_error *error);
void tb_net_batch_destroy(tb_net_batch *batch); /* takes NULL */

/* Work on rows [begin, end) of shard `shard`, called from several threads at once. Writes w
 * [rows][O] from y (forward) or jv (Gauss-Newton) [rows][O]; both start at row `begin`. */
typedef void (*tb_net_rows_fn)(void *ctx, size_t shard, size_t begin, size_t end, const double *in,
                               double *out);

/* y = f(x) for x [rows][I] native, which must stay in place until the last product with it. For
 * each shard calls rows_fn(ctx, shard, begin, end, y, NULL). */
tb_status tb_net_batch_forward(tb_net_batch *batch, const void *x, size_t rows,
                               tb_net_rows_fn rows_fn, void *ctx, tb_error *error);

/* g [P] = sum over rows of J' w with J at the last forward; rows_fn(ctx, shard, begin, end, NULL,
 * w) gives w. */
tb_status tb_net_batch_vjp(tb_net_batch *batch, tb_net_rows_fn rows_fn, void *ctx, double *g,
                           tb_error *error);

/* h [P] = sum over rows of J' M J v (paper, appendix C); rows_fn(ctx, shard, begin, end, jv, mjv)
 * applies M. */
tb_status tb_net_batch_gauss_newton(tb_net_batch *batch, const double *v, tb_net_rows_fn rows_fn,
                                    void *ctx, double *h, tb_error *error);

/* Number of shards of a batch of `rows` rows. */
size_t tb_net_shards(size_t rows);

#endif
