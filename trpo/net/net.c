/* SPDX-License-Identifier: MIT */
#include "trpo/net/net.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/linalg/convert.h"

size_t tb_dtype_size(uint32_t dtype)
{
    switch (dtype) {
    case TB_F64: return 8;
    case TB_F32:
    case TB_I32: return 4;
    default: return 1;
    }
}

void tb_to_native(uint32_t dtype, const double *from, void *to, size_t n)
{
    if (dtype == TB_F64) {
        memcpy(to, from, n * sizeof *from);
        return;
    }
    tb_convert_get()->to_float(from, to, n);
}

void tb_from_native(uint32_t dtype, const void *from, double *to, size_t n)
{
    if (dtype == TB_F64) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    tb_convert_get()->to_double(from, to, n);
}

static tb_status map_error(const tb_net *net, const char *call, tb_status status, tb_error *error)
{
    return tb_fail(error, status, "the policy architecture's %s failed: %s (%s)", call,
                   net->api->explain(net->map, status), tb_status_name(status));
}

tb_status tb_net_init(tb_net *net, const tb_map_api *api, tb_map *map, const tb_map_spec *spec,
                      const tb_key *key, tb_error *error)
{
    *net = (tb_net){
        .api = api, .map = map, .dtype = spec->dtype, .n_in = spec->n_in, .n_out = spec->n_out};
    net->n_params = (size_t)api->n_params(map);
    net->theta = tb_alloc(net->n_params, sizeof(double));
    net->native = tb_alloc(net->n_params, tb_dtype_size(net->dtype));
    if (net->theta == NULL || net->native == NULL) {
        tb_net_finish(net);
        return tb_fail(error, TB_E_NOMEM, "no memory for %zu parameters", net->n_params);
    }
    tb_status status = api->init(map, net->native, key);
    if (status != TB_OK) {
        status = map_error(net, "init", status, error);
        tb_net_finish(net);
        return status;
    }
    tb_from_native(net->dtype, net->native, net->theta, net->n_params);
    return TB_OK;
}

void tb_net_finish(tb_net *net)
{
    free(net->theta);
    free(net->native);
    if (net->api != NULL)
        net->api->destroy(net->map);
    memset(net, 0, sizeof *net);
}

void tb_net_set(tb_net *net, const double *theta)
{
    if (theta != net->theta)
        memcpy(net->theta, theta, net->n_params * sizeof *theta);
    tb_to_native(net->dtype, net->theta, net->native, net->n_params);
}

void tb_net_visit(tb_net *net, const char *part, tb_state_visitor *visitor)
{
    tb_state_visit(visitor, part, "theta", net->theta, net->n_params * sizeof *net->theta);
    tb_net_set(net, net->theta);
}

tb_status tb_net_lane_init(tb_net_lane *lane, const tb_net *net, size_t max_rows, tb_error *error)
{
    size_t size = tb_dtype_size(net->dtype);
    *lane = (tb_net_lane){.net = net, .max_rows = max_rows};
    lane->x = tb_alloc(max_rows * net->n_in, size);
    lane->y = tb_alloc(max_rows * net->n_out, size);
    lane->ws = tb_alloc((size_t)net->api->ws_bytes(net->map, max_rows), 1);
    if (lane->x != NULL && lane->y != NULL && lane->ws != NULL)
        return TB_OK;
    tb_net_lane_finish(lane);
    return tb_fail(error, TB_E_NOMEM, "no memory for a network's workspace of %zu rows", max_rows);
}

void tb_net_lane_finish(tb_net_lane *lane)
{
    free(lane->x);
    free(lane->y);
    free(lane->ws);
    memset(lane, 0, sizeof *lane);
}

tb_status tb_net_lane_forward(tb_net_lane *lane, size_t rows, double *y, tb_error *error)
{
    const tb_net *net = lane->net;
    TB_ASSERT(rows <= lane->max_rows);
    tb_status status = net->api->forward(net->map, net->native, lane->x, rows, lane->y, lane->ws);
    if (status != TB_OK)
        return map_error(net, "forward", status, error);
    tb_from_native(net->dtype, lane->y, y, rows * net->n_out);
    return TB_OK;
}

/* ---- batches ---- */

/* *Rationale:* each call of vjp costs a pass over P floats and one over P doubles, and the map may
 * have to prepare its weights for it: for 96 rows of a 64-64 network a tenth of its time. */
enum { STRETCH_SHARDS = 4, STRETCH_ROWS = STRETCH_SHARDS * TB_SHARD_ROWS };

// memory of one segment: what a stretch needs while it is worked on, and the segment's sum
typedef struct tb_segment {
    double *in;       // [TB_SHARD_ROWS][O] y or jv
    double *out;      // [TB_SHARD_ROWS][O] w or M jv
    void *native;     // [STRETCH_ROWS][O] either, in the map's type
    void *g;          // [P] one stretch's J' w, in the map's type
    double *sum;      // [P] where there is more than one stretch
    size_t stretches; // done
    tb_status status;
    const char *failed_call;
} tb_segment;

struct tb_net_batch {
    const tb_net *net;
    size_t max_rows, rows;
    const void *x;
    char *ws;        // the workspace of a stretch starts at its first shard's
    size_t ws_bytes; // of one shard in any stretch
    void *v;         // [P] native
    tb_segment segments[TB_SEGMENTS];
};

size_t tb_net_shards(size_t rows)
{
    return (rows + TB_SHARD_ROWS - 1) / TB_SHARD_ROWS;
}

void tb_net_batch_destroy(tb_net_batch *batch)
{
    if (batch == NULL)
        return;
    for (int s = 0; s < TB_SEGMENTS; s++) {
        free(batch->segments[s].in);
        free(batch->segments[s].out);
        free(batch->segments[s].native);
        free(batch->segments[s].g);
        free(batch->segments[s].sum);
    }
    free(batch->ws);
    free(batch->v);
    free(batch);
}

static int segment_alloc(tb_segment *segment, const tb_net *net)
{
    size_t n = (size_t)TB_SHARD_ROWS * net->n_out, size = tb_dtype_size(net->dtype);
    segment->in = tb_alloc(n, sizeof(double));
    segment->out = tb_alloc(n, sizeof(double));
    segment->native = tb_alloc(STRETCH_SHARDS * n, size);
    segment->g = tb_alloc(net->n_params, size);
    segment->sum = tb_alloc(net->n_params, sizeof(double));
    return segment->in != NULL && segment->out != NULL && segment->native != NULL &&
           segment->g != NULL && segment->sum != NULL;
}

// a stretch of n shards has n of these: room for what its rows need and for what does not depend on
// them
static size_t shard_ws_bytes(const tb_net *net)
{
    size_t largest = 0;
    for (size_t n = 1; n <= STRETCH_SHARDS; n++) {
        size_t bytes = (size_t)net->api->ws_bytes(net->map, n * TB_SHARD_ROWS);
        size_t each = (bytes + n - 1) / n;
        largest = each > largest ? each : largest;
    }
    return (largest + 63) / 64 * 64;
}

tb_status tb_net_batch_create(const tb_net *net, size_t max_rows, tb_net_batch **out,
                              tb_error *error)
{
    tb_net_batch *batch = tb_alloc(1, sizeof *batch);
    if (batch == NULL)
        goto fail;
    batch->net = net;
    batch->max_rows = max_rows;
    batch->ws_bytes = shard_ws_bytes(net);
    batch->ws = tb_alloc(tb_net_shards(max_rows), batch->ws_bytes);
    batch->v = tb_alloc(net->n_params, tb_dtype_size(net->dtype));
    if (batch->ws == NULL || batch->v == NULL)
        goto fail;
    for (int s = 0; s < TB_SEGMENTS; s++)
        if (!segment_alloc(&batch->segments[s], net))
            goto fail;
    *out = batch;
    return TB_OK;
fail:
    tb_net_batch_destroy(batch);
    return tb_fail(error, TB_E_NOMEM, "no memory for a batch of %zu rows", max_rows);
}

typedef enum tb_pass { TB_PASS_FORWARD, TB_PASS_VJP, TB_PASS_GAUSS_NEWTON } tb_pass;

typedef struct tb_job {
    tb_pass pass;
    tb_net_rows_fn rows_fn;
    void *ctx;
} tb_job;

// rows [begin, end) in one call of the map
typedef struct tb_stretch {
    size_t begin, end;
    const void *x;
    void *ws;
} tb_stretch;

// rows_fn for each shard of a stretch, between the map's type and double
static void call_rows_fn(const tb_net_batch *batch, const tb_job *job, tb_segment *segment,
                         const tb_stretch *stretch)
{
    const tb_net *net = batch->net;
    const size_t row_bytes = net->n_out * tb_dtype_size(net->dtype);
    const int reads = job->pass != TB_PASS_VJP, writes = job->pass != TB_PASS_FORWARD;
    for (size_t begin = stretch->begin; begin < stretch->end; begin += TB_SHARD_ROWS) {
        size_t left = stretch->end - begin, rows = left < TB_SHARD_ROWS ? left : TB_SHARD_ROWS;
        void *native = (char *)segment->native + (begin - stretch->begin) * row_bytes;
        if (reads)
            tb_from_native(net->dtype, native, segment->in, rows * net->n_out);
        job->rows_fn(job->ctx, begin / TB_SHARD_ROWS, begin, begin + rows,
                     reads ? segment->in : NULL, writes ? segment->out : NULL);
        if (writes)
            tb_to_native(net->dtype, segment->out, native, rows * net->n_out);
    }
}

static tb_status stretch_forward(const tb_net_batch *batch, const tb_job *job, tb_segment *segment,
                                 const tb_stretch *stretch)
{
    const tb_net *net = batch->net;
    segment->failed_call = "forward";
    tb_status status =
        net->api->forward(net->map, net->native, stretch->x, stretch->end - stretch->begin,
                          segment->native, stretch->ws);
    if (status == TB_OK)
        call_rows_fn(batch, job, segment, stretch);
    return status;
}

// sum += native
static void add_native(uint32_t dtype, const void *native, double *sum, size_t n)
{
    if (dtype == TB_F64)
        tb_convert_get()->add_double(native, sum, n);
    else
        tb_convert_get()->add_float(native, sum, n);
}

// before the next stretch writes over g: what is there goes into the sum
static void keep_stretch(tb_segment *segment, const tb_net *net)
{
    if (segment->stretches == 1)
        tb_from_native(net->dtype, segment->g, segment->sum, net->n_params);
    else if (segment->stretches > 1)
        add_native(net->dtype, segment->g, segment->sum, net->n_params);
}

static tb_status stretch_reverse(const tb_net_batch *batch, const tb_job *job, tb_segment *segment,
                                 const tb_stretch *stretch)
{
    const tb_net *net = batch->net;
    size_t rows = stretch->end - stretch->begin;
    if (job->pass == TB_PASS_GAUSS_NEWTON) {
        // jv = J v
        segment->failed_call = "jvp";
        tb_status status = net->api->jvp(net->map, net->native, stretch->x, rows, stretch->ws,
                                         batch->v, segment->native);
        if (status != TB_OK)
            return status;
    }
    // w, or M J v
    call_rows_fn(batch, job, segment, stretch);
    // g = J' w
    keep_stretch(segment, net);
    segment->failed_call = "vjp";
    tb_status status = net->api->vjp(net->map, net->native, stretch->x, rows, stretch->ws,
                                     segment->native, segment->g);
    segment->stretches++;
    return status;
}

// one segment: its shards in order, up to STRETCH_SHARDS of them at once
static void run_segment(tb_net_batch *batch, const tb_job *job, size_t s)
{
    tb_segment *segment = &batch->segments[s];
    const tb_net *net = batch->net;
    const size_t shards = tb_net_shards(batch->rows),
                 row_bytes = net->n_in * tb_dtype_size(net->dtype);
    const size_t last = (s + 1) * shards / TB_SEGMENTS;
    segment->status = TB_OK;
    segment->stretches = 0;
    size_t next;
    for (size_t shard = s * shards / TB_SEGMENTS; shard < last; shard = next) {
        next = last - shard < STRETCH_SHARDS ? last : shard + STRETCH_SHARDS;
        tb_stretch stretch = {.begin = shard * TB_SHARD_ROWS,
                              .end = next * TB_SHARD_ROWS,
                              .ws = batch->ws + shard * batch->ws_bytes};
        if (stretch.end > batch->rows)
            stretch.end = batch->rows;
        stretch.x = (const char *)batch->x + stretch.begin * row_bytes;
        segment->status = job->pass == TB_PASS_FORWARD
                              ? stretch_forward(batch, job, segment, &stretch)
                              : stretch_reverse(batch, job, segment, &stretch);
        if (segment->status != TB_OK)
            return;
    }
    // one alone stays in g
    if (segment->stretches > 1)
        keep_stretch(segment, net);
}

// entries of g [P] that are summed at once: they stay in cache
enum { PIECE = 512 };

// piece of g = sum of the segments, in order
static void reduce(const tb_net_batch *batch, double *g, size_t piece)
{
    const tb_net *net = batch->net;
    const size_t begin = piece * PIECE, size = tb_dtype_size(net->dtype);
    const size_t n = net->n_params - begin < PIECE ? net->n_params - begin : PIECE;
    memset(g + begin, 0, n * sizeof *g);
    for (size_t s = 0; s < TB_SEGMENTS; s++) {
        const tb_segment *segment = &batch->segments[s];
        // small batches leave segments without a stretch
        if (segment->stretches == 1)
            add_native(net->dtype, (const char *)segment->g + begin * size, g + begin, n);
        else if (segment->stretches > 1)
            tb_convert_get()->add_double(segment->sum + begin, g + begin, n);
    }
}

// all segments, and g [P] = the sum of theirs unless it is NULL
static tb_status run(tb_net_batch *batch, const tb_job *job, double *g, tb_error *error)
{
    const size_t pieces = g != NULL ? (batch->net->n_params + PIECE - 1) / PIECE : 0;
    // one shard is not worth waking threads; one thread needs no team, which libgomp would allocate
    if (tb_net_shards(batch->rows) <= 1 || omp_get_max_threads() == 1) {
        for (size_t s = 0; s < TB_SEGMENTS; s++)
            run_segment(batch, job, s);
        for (size_t i = 0; i < pieces; i++)
            reduce(batch, g, i);
    } else {
#pragma omp parallel
        {
#pragma omp for schedule(dynamic, 1)
            for (size_t s = 0; s < TB_SEGMENTS; s++)
                run_segment(batch, job, s);
#pragma omp for schedule(static)
            for (size_t i = 0; i < pieces; i++)
                reduce(batch, g, i);
        }
    }
    for (size_t s = 0; s < TB_SEGMENTS; s++)
        if (batch->segments[s].status != TB_OK)
            return map_error(batch->net, batch->segments[s].failed_call, batch->segments[s].status,
                             error);
    return TB_OK;
}

tb_status tb_net_batch_forward(tb_net_batch *batch, const void *x, size_t rows,
                               tb_net_rows_fn rows_fn, void *ctx, tb_error *error)
{
    TB_ASSERT(rows <= batch->max_rows);
    batch->x = x;
    batch->rows = rows;
    return run(batch, &(tb_job){TB_PASS_FORWARD, rows_fn, ctx}, NULL, error);
}

tb_status tb_net_batch_vjp(tb_net_batch *batch, tb_net_rows_fn rows_fn, void *ctx, double *g,
                           tb_error *error)
{
    return run(batch, &(tb_job){TB_PASS_VJP, rows_fn, ctx}, g, error);
}

tb_status tb_net_batch_gauss_newton(tb_net_batch *batch, const double *v, tb_net_rows_fn rows_fn,
                                    void *ctx, double *h, tb_error *error)
{
    tb_to_native(batch->net->dtype, v, batch->v, batch->net->n_params);
    return run(batch, &(tb_job){TB_PASS_GAUSS_NEWTON, rows_fn, ctx}, h, error);
}
