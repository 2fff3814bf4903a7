/* SPDX-License-Identifier: MIT
 *
 * Stepping alone: the time of a step on one core through the plugin ABI, beside a plain C loop of
 * the same physics; and the time to save, load and rekey one episode, beside a copy of as many
 * bytes.
 *
 * Actions are drawn beforehand; lanes that end or reach the time limit are reset within the
 * measured time, keys included.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/env_loop.h"
#include "bench/measure.h"
#include "harness/plugin/loader.h"

#include <trpo-bench/rng.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { table_rows = 64, max_lanes = 512, snapshot_lanes = 64, max_figures = 128 };

typedef struct subject {
    const tb_loop *loop;
    const tb_plugin *plugin;
    const tb_env_api *api;
    tb_env *env;
    const tb_env_vec *vec;
    const tb_env_snapshot *snapshot;
    uint64_t limit; // steps an episode; 0 = none
    tb_space action;
    size_t obs_bytes;
} subject;

// ---- what both ways need ----

typedef struct lanes {
    const subject *s;
    size_t n;
    uint64_t chunk;  // steps of each lane in one call
    tb_vec *vec;     // NULL: n scalar instances
    tb_env *env[64]; // of them
    char *obs;       // [n] rows
    char *actions;   // [table_rows][n] rows
    double reward[max_lanes];
    uint32_t flags[max_lanes];
    tb_status status[max_lanes];
    uint8_t ended[max_lanes];
    uint64_t length[max_lanes], episode[max_lanes];
    tb_key key[max_lanes];
    double sum; // of rewards: keeps the compiler honest
    uint64_t t;
    // snapshots, one a lane
    char *bytes, *copy;
    uint64_t cap, used;
} lanes;

static void draw_actions(const subject *s, lanes *l)
{
    tb_rng rng;
    tb_rng_init(&rng, (tb_key){{7, l->n}});
    for (size_t i = 0; i < table_rows * l->n; i++) {
        void *row = l->actions + i * s->action.bytes;
        if (s->action.kind == TB_SPACE_DISCRETE)
            *(int32_t *)row = (int32_t)(tb_rng_f64(&rng) * (double)s->action.nvec[0]);
        else
            *(float *)row = (float)tb_rng_uniform(&rng, s->action.low[0], s->action.high[0]);
    }
}

static void next_key(lanes *l, size_t i)
{
    l->key[i] = tb_key_child((tb_key){{11, i}}, l->episode[i]++);
    l->length[i] = 0;
}

// ---- n scalar instances in turn ----

static void scalar_reset(const subject *s, lanes *l, size_t i)
{
    next_key(l, i);
    if (s->api->reset(l->env[i], &l->key[i], l->obs + i * s->obs_bytes) != TB_OK)
        bench_stop(s->loop->id, s->api->last_error(l->env[i]));
}

static void scalar_run(const subject *s, lanes *l, uint64_t steps)
{
    for (; steps > 0; steps--, l->t++) {
        const char *actions = l->actions + l->t % table_rows * l->n * s->action.bytes;
        for (size_t i = 0; i < l->n; i++) {
            tb_step out = {.struct_size = sizeof out};
            if (s->api->step(l->env[i], actions + i * s->action.bytes, l->obs + i * s->obs_bytes,
                             &out) != TB_OK)
                bench_stop(s->loop->id, s->api->last_error(l->env[i]));
            l->sum += out.reward;
            if (out.flags != 0 || ++l->length[i] == s->limit)
                scalar_reset(s, l, i);
        }
    }
}

// ---- vec/1 ----

static void vec_reset(const subject *s, lanes *l)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->ended[i])
            next_key(l, i);
    if (s->vec->reset(l->vec, l->ended, l->key, l->obs, l->status) != TB_OK)
        bench_stop(s->loop->id, s->vec->last_error(l->vec));
}

static void vec_run(const subject *s, lanes *l, uint64_t steps)
{
    for (; steps > 0; steps--, l->t++) {
        const char *actions = l->actions + l->t % table_rows * l->n * s->action.bytes;
        if (s->vec->step(l->vec, NULL, actions, l->obs, l->reward, l->flags, l->status) != TB_OK)
            bench_stop(s->loop->id, s->vec->last_error(l->vec));
        int any = 0;
        for (size_t i = 0; i < l->n; i++) {
            l->length[i]++;
            l->ended[i] = (l->flags[i] != 0) | (l->length[i] == s->limit);
            any |= l->ended[i];
        }
        l->sum += l->reward[0];
        if (any)
            vec_reset(s, l);
    }
}

static lanes *open_lanes(const subject *s, size_t n, int vec)
{
    lanes *l = bench_alloc(1, sizeof *l);
    tb_error error = {0};
    l->s = s;
    l->n = n;
    l->chunk = 4096 / n + 1;
    l->obs = bench_alloc(n, s->obs_bytes);
    l->actions = bench_alloc(table_rows * n, s->action.bytes);
    draw_actions(s, l);
    if (vec) {
        if (s->vec->create(s->env, n, &l->vec) != TB_OK)
            bench_stop(s->loop->id, "vec/1 cannot be created");
        memset(l->ended, 1, n);
        vec_reset(s, l);
        return l;
    }
    for (size_t i = 0; i < n; i++) {
        const tb_env_api *api;
        if (tb_plugin_create_env(s->plugin, s->loop->id, NULL, &api, &l->env[i], NULL, &error) !=
            TB_OK)
            bench_stop(s->loop->id, error.message);
        scalar_reset(s, l, i);
    }
    return l;
}

// ---- what is measured ----

// a table of actions is all that the loop needs; its lanes start anew in each call: a long one
static void run_loop(void *arg)
{
    lanes *l = arg;
    l->sum += l->s->loop->run(l->chunk, l->actions, table_rows, l->s->limit);
}

static void run_scalar(void *arg)
{
    lanes *l = arg;
    scalar_run(l->s, l, l->chunk);
}

static void run_vec(void *arg)
{
    lanes *l = arg;
    vec_run(l->s, l, l->chunk);
}

static void must(const lanes *l, tb_status status, const char *call)
{
    if (status != TB_OK)
        bench_stop(l->s->loop->id, call);
}

static void run_copy(void *arg)
{
    lanes *l = arg;
    for (size_t i = 0; i < l->n; i++) {
        memcpy(l->copy + i * l->cap, l->bytes + i * l->cap, l->used);
        __asm__ volatile("" : : "r"(l->copy) : "memory"); // each copy is made
    }
}

static void run_save(void *arg)
{
    lanes *l = arg;
    for (size_t i = 0; i < l->n; i++)
        must(l, l->s->snapshot->save(l->env[i], l->bytes + i * l->cap, l->cap, &l->used), "save");
}

static void run_load(void *arg)
{
    lanes *l = arg;
    for (size_t i = 0; i < l->n; i++)
        must(l, l->s->snapshot->load(l->env[i], l->bytes + i * l->cap, l->used), "load");
}

static void run_rekey(void *arg)
{
    lanes *l = arg;
    for (size_t i = 0; i < l->n; i++)
        must(l, l->s->snapshot->rekey(l->env[i], &l->key[i]), "rekey");
}

static void run_lane_save(void *arg)
{
    lanes *l = arg;
    for (size_t i = 0; i < l->n; i++)
        must(l, l->s->vec->save(l->vec, i, l->bytes + i * l->cap, l->cap, &l->used), "save");
}

static void run_lane_load(void *arg)
{
    lanes *l = arg;
    for (size_t i = 0; i < l->n; i++)
        must(l, l->s->vec->load(l->vec, i, l->bytes + i * l->cap, l->used), "load");
}

static void run_lane_rekey(void *arg)
{
    lanes *l = arg;
    for (size_t i = 0; i < l->n; i++)
        must(l, l->s->vec->rekey(l->vec, i, &l->key[i]), "rekey");
}

static bench_figure figures[max_figures];
static size_t n_figures;

static bench_figure *add(lanes *l, void (*call)(void *), const char *unit, double items,
                         const bench_figure *limit)
{
    if (n_figures == max_figures)
        bench_stop(l->s->loop->id, "more figures than there is room for");
    bench_figure *f = &figures[n_figures++];
    f->unit = unit;
    f->items = items;
    f->threads = 1;
    f->call = call;
    f->arg = l;
    f->limit = limit;
    return f;
}

static void add_stepping(const subject *s, const char *name)
{
    static const size_t sizes[] = {1, 8, 64, 512};
    lanes *l = open_lanes(s, tb_loop_lanes, 0);
    l->chunk = 2048;
    bench_figure *loop = add(l, run_loop, "step", (double)(l->chunk * l->n), NULL);
    (void)snprintf(loop->name, sizeof loop->name, "%s, plain C loop, %d lanes", name,
                   tb_loop_lanes);
    l = open_lanes(s, 64, 0);
    bench_figure *scalar = add(l, run_scalar, "step", (double)(l->chunk * l->n), loop);
    (void)snprintf(scalar->name, sizeof scalar->name, "%s, 64 scalar instances", name);
    for (size_t k = 0; k < COUNT(sizes); k++) {
        l = open_lanes(s, sizes[k], 1);
        bench_figure *f = add(l, run_vec, "step", (double)(l->chunk * l->n), loop);
        (void)snprintf(f->name, sizeof f->name, "%s, vec/1, %zu lane%s", name, sizes[k],
                       sizes[k] > 1 ? "s" : "");
    }
}

static void add_snapshots(const subject *s, const char *name)
{
    static const struct {
        const char *name;
        void (*call[2])(void *); // of scalar instances, of lanes
        int copies;
    } calls[] = {{"save", {run_save, run_lane_save}, 1},
                 {"load", {run_load, run_lane_load}, 1},
                 {"rekey", {run_rekey, run_lane_rekey}, 0}};
    const bench_figure *copy = NULL;
    for (int vec = 0; vec < 2; vec++) {
        lanes *l = open_lanes(s, snapshot_lanes, vec);
        l->cap = vec ? s->vec->max_bytes(l->vec) : s->snapshot->max_bytes(l->env[0]);
        l->bytes = bench_alloc(l->n, l->cap);
        l->copy = bench_alloc(l->n, l->cap);
        (vec ? run_lane_save : run_save)(l); // something to load
        if (!vec) {
            bench_figure *f = add(l, run_copy, "snapshot", (double)l->n, NULL);
            (void)snprintf(f->name, sizeof f->name, "%s, copy of a snapshot's %d bytes", name,
                           (int)l->used);
            copy = f;
        }
        for (size_t k = 0; k < COUNT(calls); k++) {
            bench_figure *f =
                add(l, calls[k].call[vec], "snapshot", (double)l->n, calls[k].copies ? copy : NULL);
            (void)snprintf(f->name, sizeof f->name, "%s, %s, %s", name, calls[k].name,
                           vec ? "vec/1" : "snapshot/1");
        }
    }
}

// ---- subjects: they live until the program ends ----

static void open_subject(const tb_loop *loop, const char *name, subject *s)
{
    char path[4096];
    tb_error error = {0};
    tb_plugin *plugin;
    snprintf(path, sizeof path, TB_BENCH_PLUGIN_DIR "/%s.so", name);
    *s = (subject){.loop = loop, .action = {.struct_size = sizeof s->action}};
    tb_space obs = {.struct_size = sizeof obs};
    if (tb_plugin_load(path, &plugin, &error) != TB_OK ||
        tb_plugin_create_env(plugin, loop->id, NULL, &s->api, &s->env, NULL, &error) != TB_OK)
        bench_stop(name, error.message);
    s->plugin = plugin;
    s->limit = tb_plugin_describe(plugin, loop->id)->max_episode_steps;
    s->vec = s->api->get_extension(s->env, TB_EXT_ENV_VEC);
    s->snapshot = s->api->get_extension(s->env, TB_EXT_ENV_SNAPSHOT);
    if (s->vec == NULL || s->snapshot == NULL ||
        s->api->space(s->env, TB_SPACE_ACTION, 0, &s->action) != TB_OK ||
        s->api->space(s->env, TB_SPACE_OBSERVATION, 0, &obs) != TB_OK || s->action.bytes != 4)
        bench_stop(name, "needs vec/1, snapshot/1 and an action of one int32 or one float");
    s->obs_bytes = (size_t)obs.bytes;
}

static void add_environment(const tb_loop *loop, const char *file)
{
    subject *s = bench_alloc(1, sizeof *s);
    open_subject(loop, file, s);
    const char *slash = strrchr(loop->id, '/');
    const char *name = slash != NULL ? slash + 1 : loop->id;
    add_stepping(s, name);
    add_snapshots(s, name);
}

// the list of plugins comes from the build: bench/CMakeLists.txt
#define X(name) const tb_loop *tb_loop_##name(void);
TB_LOOP_LIST
#undef X
#define X(name) add_environment(tb_loop_##name(), #name);

int main(int argc, char **argv)
{
    const bench_options options =
        bench_parse(argc, argv,
                    "Times of a step on one core: a plain C loop, 64 scalar instances through the "
                    "ABI, and\nvec/1 with 1 to 512 lanes; and of saving and loading an episode.");
    TB_LOOP_LIST
    bench_run("env-bench", "plain C loop, or copy of as many bytes", &options, figures, n_figures);
    return 0;
}
