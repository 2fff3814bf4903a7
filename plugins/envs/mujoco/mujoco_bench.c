/* SPDX-License-Identifier: MIT
 *
 * How much of a bare loop of mj_step() is left when the tasks are stepped through the plugin; and
 * what saving and loading an episode costs. The bare loop has a mjData for each lane, applies
 * random controls and starts anew where the task would; it computes no observation and no reward.
 */
#include <math.h>
#include <mujoco/mujoco.h>
#include <stdlib.h>
#include <string.h>
#include <trpo-bench/env.h>
#include <trpo-bench/rng.h>

#include "bench/measure.h"
#include "harness/plugin/loader.h"

enum { n_lanes = 16, chunk = 32, table_rows = 1024, max_actions = 32 };

typedef struct subject {
    const char *id, *xml;
    int frame_skip;
    double noise;                  /* of the start state */
    int (*fallen)(const mjData *); /* NULL: only the time limit ends an episode */
    const mjModel *model;
    mjData *data[n_lanes];
    const tb_env_api *api;
    tb_env *env;
    const tb_env_vec *vec;
    const tb_env_snapshot *snapshot;
    tb_vec *lanes;
    tb_env *scalar[n_lanes];
    size_t n_act, obs_bytes, cap;
    float *actions; /* [table_rows][n_lanes][n_act] */
    char *obs;      /* [n_lanes] rows */
    char *bytes;    /* [n_lanes][cap] snapshots */
    uint64_t used, row, episode;
    uint64_t length[3][n_lanes]; /* of the episodes: bare, lanes, scalar */
    tb_rng rng;
} subject;

static int hopper_fallen(const mjData *d)
{
    return !(d->qpos[1] > 0.7) || !(fabs(d->qpos[2]) < 0.2);
}

static const float *next_actions(subject *s)
{
    return s->actions + s->row++ % table_rows * n_lanes * s->n_act;
}

static tb_key next_key(subject *s)
{
    return (tb_key){{1, s->episode++}};
}

/* ---- the bare loop ---- */

static void bare_start(subject *s, size_t i)
{
    mjData *d = s->data[i];
    mj_resetData(s->model, d);
    for (int k = 0; k < s->model->nq; k++)
        d->qpos[k] += tb_rng_uniform(&s->rng, -s->noise, s->noise);
    for (int k = 0; k < s->model->nv; k++)
        d->qvel[k] += tb_rng_uniform(&s->rng, -s->noise, s->noise);
    mj_forward(s->model, d);
    s->length[0][i] = 0;
}

static void run_bare(void *arg)
{
    subject *s = arg;
    for (size_t t = 0; t < chunk; t++) {
        const float *a = next_actions(s);
        for (size_t i = 0; i < n_lanes; i++) {
            mjData *d = s->data[i];
            for (size_t k = 0; k < s->n_act; k++)
                d->ctrl[k] = (double)a[i * s->n_act + k];
            for (int k = 0; k < s->frame_skip; k++)
                mj_step(s->model, d);
            if (++s->length[0][i] >= 1000 || (s->fallen != NULL && s->fallen(d)))
                bare_start(s, i);
        }
    }
}

/* ---- through the plugin ---- */

static void must(const subject *s, tb_status status, const char *call)
{
    if (status != TB_OK)
        bench_stop(s->id, call);
}

static void run_lanes(void *arg)
{
    subject *s = arg;
    double reward[n_lanes];
    uint32_t flags[n_lanes];
    tb_status status[n_lanes];
    for (size_t t = 0; t < chunk; t++) {
        uint8_t mask[n_lanes];
        tb_key key[n_lanes];
        int any = 0;
        must(s, s->vec->step(s->lanes, NULL, next_actions(s), s->obs, reward, flags, status),
             "step");
        for (size_t i = 0; i < n_lanes; i++) {
            mask[i] = flags[i] != 0 || ++s->length[1][i] >= 1000;
            if (!mask[i])
                continue;
            key[i] = next_key(s);
            s->length[1][i] = 0;
            any = 1;
        }
        if (any)
            must(s, s->vec->reset(s->lanes, mask, key, s->obs, status), "reset");
    }
}

static void run_scalar(void *arg)
{
    subject *s = arg;
    for (size_t t = 0; t < chunk; t++) {
        const float *a = next_actions(s);
        for (size_t i = 0; i < n_lanes; i++) {
            tb_step out = {.struct_size = sizeof out};
            must(s, s->api->step(s->scalar[i], a + i * s->n_act, s->obs, &out), "step");
            if (out.flags == 0 && ++s->length[2][i] < 1000)
                continue;
            tb_key key = next_key(s);
            must(s, s->api->reset(s->scalar[i], &key, s->obs), "reset");
            s->length[2][i] = 0;
        }
    }
}

static void run_save(void *arg)
{
    subject *s = arg;
    for (size_t i = 0; i < n_lanes; i++)
        must(s, s->vec->save(s->lanes, i, s->bytes + i * s->cap, s->cap, &s->used), "save");
}

static void run_load(void *arg)
{
    subject *s = arg;
    for (size_t i = 0; i < n_lanes; i++) {
        tb_key key = {{2, i}};
        must(s, s->vec->load(s->lanes, i, s->bytes + i * s->cap, s->used), "load");
        must(s, s->vec->rekey(s->lanes, i, &key), "rekey");
    }
}

/* ---- set-up ---- */

static void open_bare(subject *s)
{
    char path[4096], error[512] = "";
    snprintf(path, sizeof path, "%s/%s", TB_MJ_MODELS, s->xml);
    s->model = mj_loadXML(path, NULL, error, sizeof error);
    if (s->model == NULL)
        bench_stop(s->id, error);
    for (size_t i = 0; i < n_lanes; i++) {
        s->data[i] = mj_makeData(s->model);
        if (s->data[i] == NULL)
            bench_stop(s->id, "no memory for mjData");
        bare_start(s, i);
    }
}

static void open_plugin(subject *s, const tb_plugin *plugin)
{
    tb_error error = {0};
    tb_space action = {.struct_size = sizeof action}, obs = {.struct_size = sizeof obs};
    if (tb_plugin_create_env(plugin, s->id, NULL, &s->api, &s->env, NULL, &error) != TB_OK)
        bench_stop(s->id, error.message);
    s->vec = s->api->get_extension(s->env, TB_EXT_ENV_VEC);
    s->snapshot = s->api->get_extension(s->env, TB_EXT_ENV_SNAPSHOT);
    if (s->vec == NULL || s->snapshot == NULL)
        bench_stop(s->id, "needs vec/1 and snapshot/1");
    must(s, s->api->space(s->env, TB_SPACE_ACTION, 0, &action), "space");
    must(s, s->api->space(s->env, TB_SPACE_OBSERVATION, 0, &obs), "space");
    s->n_act = (size_t)action.count;
    s->obs_bytes = (size_t)obs.bytes;
    s->actions = bench_alloc((size_t)table_rows * n_lanes * s->n_act, sizeof(float));
    for (size_t i = 0; i < (size_t)table_rows * n_lanes * s->n_act; i++)
        s->actions[i] =
            (float)tb_rng_uniform(&s->rng, action.low[i % s->n_act], action.high[i % s->n_act]);
    s->obs = bench_alloc(n_lanes, s->obs_bytes);
    must(s, s->vec->create(s->env, n_lanes, &s->lanes), "vec/1");
    s->cap = (size_t)s->vec->max_bytes(s->lanes);
    s->bytes = bench_alloc(n_lanes, s->cap);
    tb_key key[n_lanes];
    tb_status status[n_lanes];
    for (size_t i = 0; i < n_lanes; i++) {
        key[i] = next_key(s);
        if (tb_plugin_create_env(plugin, s->id, NULL, &s->api, &s->scalar[i], NULL, &error) !=
            TB_OK)
            bench_stop(s->id, error.message);
        must(s, s->api->reset(s->scalar[i], &key[i], s->obs), "reset");
    }
    must(s, s->vec->reset(s->lanes, NULL, key, s->obs, status), "reset");
    run_save(s);
}

enum { n_figures_each = 5 };

static void add_figures(subject *s, bench_figure *f)
{
    static const struct {
        const char *name, *unit;
        void (*call)(void *);
        double items;
        int limited;
    } rows[n_figures_each] = {
        {"bare mj_step loop, 16 mjData", "step", run_bare, chunk * n_lanes, 0},
        {"vec/1, 16 lanes", "step", run_lanes, chunk * n_lanes, 1},
        {"16 scalar instances", "step", run_scalar, chunk * n_lanes, 1},
        {"save, vec/1", "snapshot", run_save, n_lanes, 0},
        {"load and rekey, vec/1", "snapshot", run_load, n_lanes, 0},
    };
    for (size_t i = 0; i < n_figures_each; i++) {
        f[i] = (bench_figure){.unit = rows[i].unit,
                              .items = rows[i].items,
                              .threads = 1,
                              .limit = rows[i].limited ? &f[0] : NULL,
                              .call = rows[i].call,
                              .arg = s};
        (void)snprintf(f[i].name, sizeof f[i].name, "%s, %s", strchr(s->id, '/') + 1, rows[i].name);
    }
}

int main(int argc, char **argv)
{
    static subject subjects[] = {
        {.id = "mujoco/HalfCheetah-v5", .xml = "half_cheetah.xml", .frame_skip = 5, .noise = 0.1},
        {.id = "mujoco/Hopper-v5",
         .xml = "hopper.xml",
         .frame_skip = 4,
         .noise = 5e-3,
         .fallen = hopper_fallen},
    };
    enum { n_subjects = sizeof subjects / sizeof subjects[0] };
    static bench_figure figures[n_subjects * n_figures_each];
    const bench_options options =
        bench_parse(argc, argv,
                    "Times of a step of MuJoCo's tasks on one core, random actions, resets "
                    "included: a bare loop of mj_step(),\nand the plugin; and of saving and "
                    "loading an episode.");
    tb_plugin *plugin;
    tb_error error = {0};
    if (tb_plugin_load(TB_MJ_PLUGIN, &plugin, &error) != TB_OK)
        bench_stop("mujoco", error.message);
    for (size_t i = 0; i < n_subjects; i++) {
        tb_rng_init(&subjects[i].rng, (tb_key){{3, i}});
        open_bare(&subjects[i]);
        open_plugin(&subjects[i], plugin);
        add_figures(&subjects[i], figures + i * n_figures_each);
    }
    bench_run("mujoco-bench", "bare mj_step loop", &options, figures, n_subjects * n_figures_each);
    return 0;
}
