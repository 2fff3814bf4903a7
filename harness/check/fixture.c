/* SPDX-License-Identifier: MIT */
#include "harness/check/fixture.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct tb_check_resource {
    tb_check_resource *next;
    void (*close)(void *data);
    void *data;
};

void tb_check_defer(tb_check *c, void (*close)(void *data), void *data)
{
    tb_check_resource *r = tb_alloc(1, sizeof *r);
    TB_ASSERT(r != NULL);
    *r = (tb_check_resource){.next = c->opened, .close = close, .data = data};
    c->opened = r;
}

void tb_check_close_all(tb_check *c)
{
    while (c->opened != NULL) {
        tb_check_resource *r = c->opened;
        c->opened = r->next;
        r->close(r->data);
        free(r);
    }
}

// ---- guarded memory ----

enum { pattern = 0xA5 };

static void close_buffer(void *data)
{
    tb_check_buffer *buffer = data;
    munmap(buffer->map, buffer->n_map + (size_t)getpagesize());
    free(buffer);
}

tb_check_buffer *tb_check_buffer_make(tb_check *c, size_t size)
{
    size_t page = (size_t)getpagesize(), rounded = (size + 63) / 64 * 64;
    size_t n_map = (rounded + 64 + page - 1) / page * page;
    tb_check_buffer *buffer = tb_alloc(1, sizeof *buffer);
    void *map =
        mmap(NULL, n_map + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TB_ASSERT(buffer != NULL && map != MAP_FAILED);
    TB_ASSERT(mprotect((char *)map + n_map, page, PROT_NONE) == 0);
    memset(map, pattern, n_map);
    *buffer = (tb_check_buffer){
        .data = (unsigned char *)map + n_map - rounded, .size = size, .map = map, .n_map = n_map};
    tb_check_defer(c, close_buffer, buffer);
    return buffer;
}

int tb_check_buffer_intact(const tb_check_buffer *buffer)
{
    const unsigned char *end = buffer->data + buffer->size;
    for (const unsigned char *p = buffer->map; p < buffer->map + buffer->n_map; p++)
        if ((p < buffer->data || p >= end) && *p != pattern)
            return 0;
    return 1;
}

void tb_check_buffer_protect(tb_check_buffer *buffer, int read_only)
{
    TB_ASSERT(
        mprotect(buffer->map, buffer->n_map, read_only ? PROT_READ : PROT_READ | PROT_WRITE) == 0);
}

// ---- environments ----

void tb_check_env_close(tb_check_env *e)
{
    if (e->env != NULL)
        e->api->destroy(e->env);
    json_decref(e->effective);
    e->env = NULL;
    e->effective = NULL;
}

static void close_env(void *data)
{
    tb_check_env_close(data);
    free(data);
}

// reads all leaves of one space; the bytes they take together, 0 when the test has failed
static size_t read_space(tb_check *c, tb_check_env *e, uint32_t which)
{
    static const char *const names[] = {"observation", "action"};
    size_t bytes = 0;
    uint32_t n = 1;
    for (uint32_t i = 0; i < n; i++) {
        tb_space *leaf = &e->leaf[which][i];
        *leaf = (tb_space){.struct_size = sizeof *leaf};
        tb_status status = e->api->space(e->env, which, i, leaf);
        if (!TB_CHECK_THAT(c, status == TB_OK, "space() of the %s's leaf %" PRIu32 " gives %s",
                           names[which], i, tb_status_name(status)) ||
            !TB_CHECK_THAT(c, leaf->n_leaves >= 1 && leaf->n_leaves <= TB_CHECK_MAX_LEAVES,
                           "the %s has %" PRIu64 " leaves; 1 to %d can be checked", names[which],
                           leaf->n_leaves, TB_CHECK_MAX_LEAVES) ||
            !TB_CHECK_THAT(c,
                           leaf->bytes >= 1 && leaf->bytes <= 1u << 28 && leaf->offset < 1u << 28,
                           "the %s's leaf %" PRIu32 " has %" PRIu64 " bytes at offset %" PRIu64,
                           names[which], i, leaf->bytes, leaf->offset))
            return 0;
        n = (uint32_t)leaf->n_leaves;
        if (leaf->offset + leaf->bytes > bytes)
            bytes = (size_t)(leaf->offset + leaf->bytes);
    }
    e->n_leaves[which] = n;
    return bytes;
}

tb_check_env *tb_check_env_open(tb_check *c, const json_t *params)
{
    tb_check_env *e = tb_alloc(1, sizeof *e);
    TB_ASSERT(e != NULL);
    tb_check_defer(c, close_env, e);
    tb_error error;
    e->desc = tb_plugin_describe(c->plugin, c->id);
    if (!TB_CHECK_THAT(c, e->desc != NULL, "%s is not described", c->id))
        return NULL;
    if (tb_plugin_create_env(c->plugin, c->id, params, &e->api, &e->env, &e->effective, &error) !=
        TB_OK) {
        tb_check_fail(c, "%s", error.message);
        return NULL;
    }
    size_t obs_bytes = read_space(c, e, TB_SPACE_OBSERVATION);
    size_t action_bytes = obs_bytes > 0 ? read_space(c, e, TB_SPACE_ACTION) : 0;
    if (action_bytes == 0)
        return NULL;
    e->obs = tb_check_buffer_make(c, obs_bytes);
    e->action = tb_check_buffer_make(c, action_bytes);
    e->snapshot = e->api->get_extension(e->env, TB_EXT_ENV_SNAPSHOT);
    e->vector = e->api->get_extension(e->env, TB_EXT_ENV_STATE_VECTOR);
    e->tabular = e->api->get_extension(e->env, TB_EXT_ENV_TABULAR);
    return e;
}

int tb_check_is_random(tb_check *c)
{
    const tb_env_desc *desc = tb_plugin_describe(c->plugin, c->id);
    if (desc == NULL || !(desc->flags & TB_ENV_NONDETERMINISTIC))
        return 0;
    tb_check_skip(c, "the environment is declared nondeterministic");
    return 1;
}

void tb_check_put(void *array, uint32_t dtype, uint64_t i, double value)
{
    switch (dtype) {
    case TB_F64: ((double *)array)[i] = value; break;
    case TB_F32: ((float *)array)[i] = (float)value; break;
    case TB_I32: ((int32_t *)array)[i] = (int32_t)value; break;
    default: ((uint8_t *)array)[i] = (uint8_t)value; break;
    }
}

void tb_check_random_action(tb_check_env *e, tb_rng *rng)
{
    for (uint32_t l = 0; l < e->n_leaves[TB_SPACE_ACTION]; l++) {
        const tb_space *leaf = &e->leaf[TB_SPACE_ACTION][l];
        void *at = e->action->data + leaf->offset;
        for (uint64_t i = 0; i < leaf->count; i++) {
            double u = tb_rng_f64(rng), value;
            if (leaf->kind == TB_SPACE_BOX) {
                double low = isfinite(leaf->low[i]) ? leaf->low[i] : -1;
                double high = isfinite(leaf->high[i]) ? leaf->high[i] : fmax(1, low);
                value = low + (high - low) * u;
            } else if (leaf->kind == TB_SPACE_MULTI_BINARY) {
                value = u < 0.5;
            } else {
                value = floor(u * (double)leaf->nvec[i]) +
                        (leaf->start != NULL ? (double)leaf->start[i] : 0);
            }
            tb_check_put(at, leaf->dtype, i, value);
        }
    }
}

tb_status tb_check_step(tb_check_env *e)
{
    e->out = (tb_step){.struct_size = sizeof e->out};
    return e->api->step(e->env, e->action->data, e->obs->data, &e->out);
}

// ---- trajectories ----

// FNV-1a, 64 bits
uint64_t tb_check_digest(uint64_t digest, const void *data, size_t n)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < n; i++)
        digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
    return digest;
}

static uint64_t digest_observation(const tb_check_env *e)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    for (uint32_t l = 0; l < e->n_leaves[TB_SPACE_OBSERVATION]; l++) {
        const tb_space *leaf = &e->leaf[TB_SPACE_OBSERVATION][l];
        digest = tb_check_digest(digest, e->obs->data + leaf->offset, (size_t)leaf->bytes);
    }
    return digest;
}

tb_key tb_check_key(const tb_check *c, uint64_t label)
{
    return tb_key_child((tb_key){{c->seed, 0}}, label);
}

tb_check_trace *tb_check_trace_make(tb_check *c)
{
    tb_check_trace *trace = tb_alloc(1, sizeof *trace);
    TB_ASSERT(trace != NULL);
    tb_check_defer(c, free, trace);
    return trace;
}

// with the action that is in the buffer
static void record_step(tb_check_env *e, tb_check_trace *trace)
{
    trace->status = tb_check_step(e);
    trace->flags = e->out.flags;
    uint64_t digest = digest_observation(e);
    digest = tb_check_digest(digest, &e->out.reward, sizeof e->out.reward);
    digest = tb_check_digest(digest, &e->out.flags, sizeof e->out.flags);
    trace->digest[trace->n++] = tb_check_digest(digest, &trace->status, sizeof trace->status);
}

// each random action is taken `hold` times
static void record_held_steps(tb_check_env *e, uint64_t action_seed, size_t hold, size_t steps,
                              tb_check_trace *trace)
{
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{action_seed, 1}});
    for (size_t t = 0; t < steps; t++) {
        if (trace->status != TB_OK || trace->flags != 0 || trace->n >= TB_CHECK_TRACE)
            return;
        if (t % hold == 0)
            tb_check_random_action(e, &rng);
        record_step(e, trace);
    }
}

static void record_steps(tb_check_env *e, uint64_t action_seed, size_t steps, tb_check_trace *trace)
{
    record_held_steps(e, action_seed, 1, steps, trace);
}

static void record_reset(tb_check_env *e, tb_key key, tb_check_trace *trace)
{
    trace->flags = 0;
    trace->status = e->api->reset(e->env, &key, e->obs->data);
    if (trace->n < TB_CHECK_TRACE)
        trace->digest[trace->n++] = digest_observation(e);
}

void tb_check_play(tb_check_env *e, tb_key key, uint64_t action_seed, size_t steps,
                   tb_check_trace *trace)
{
    trace->n = 0;
    record_reset(e, key, trace);
    record_steps(e, action_seed, steps, trace);
}

void tb_check_continue(tb_check_env *e, uint64_t action_seed, size_t steps, tb_check_trace *trace)
{
    trace->n = 1;
    trace->digest[0] = 0;
    trace->status = TB_OK;
    trace->flags = 0;
    record_steps(e, action_seed, steps, trace);
}

void tb_check_continue_drawn(tb_check_env *e, tb_rng *rng, tb_check_trace *trace)
{
    trace->n = 1;
    trace->digest[0] = 0;
    tb_check_random_action(e, rng);
    record_step(e, trace);
}

void tb_check_play_many(tb_check *c, tb_check_env *e, uint64_t first, size_t steps,
                        tb_check_trace *trace)
{
    enum { longest = 400 };
    trace->n = 0;
    trace->status = TB_OK;
    for (uint64_t i = first; trace->n < steps && trace->status == TB_OK; i++) {
        record_reset(e, tb_check_key(c, i), trace);
        record_steps(e, i, longest, trace);
    }
}

int tb_check_play_to_end(tb_check *c, tb_check_env *e, tb_check_trace *trace)
{
    // white noise pushes nothing far: actions are also held for 4, 16 and 64 steps. Where a step
    // takes long, two episodes of each kind are enough
    enum { enough = 8 };
    time_t start = time(NULL);
    for (uint64_t i = 0; i < 40 && (i < enough || time(NULL) - start < 3); i++) {
        trace->n = 0;
        record_reset(e, tb_check_key(c, i), trace);
        record_held_steps(e, i, (size_t)1 << 2 * (i % 4), TB_CHECK_TRACE - 2, trace);
        if (trace->status == TB_OK && trace->flags != 0)
            return 1;
    }
    return 0;
}

size_t tb_check_prefix(tb_check *c, tb_check_env *e, size_t steps, tb_check_trace *trace)
{
    for (; steps > 0; steps /= 2)
        for (uint64_t try = 0; try < 20; try++) {
            tb_check_play(e, tb_check_key(c, 100 + try), 100 + try, steps, trace);
            if (trace->status == TB_OK && trace->flags == 0)
                return steps;
        }
    tb_check_play(e, tb_check_key(c, 100), 100, 0, trace);
    return 0;
}

int tb_check_same(tb_check *c, const tb_check_trace *a, const tb_check_trace *b, const char *what)
{
    size_t i = 0;
    while (i < a->n && i < b->n && a->digest[i] == b->digest[i])
        i++;
    if (i == a->n && i == b->n)
        return 1;
    tb_check_fail(c,
                  "%s: the trajectories differ from row %zu of %zu on (row 0 = first observation)",
                  what, i, a->n);
    return 0;
}
