/* SPDX-License-Identifier: MIT
 *
 * Stepping alone: how many steps a second one core takes through the plugin ABI, beside a plain C
 * loop of the same physics in the same run (the clock of a shared machine drifts: compare shares,
 * not seconds).
 *
 * Actions are drawn beforehand; lanes that end or reach the time limit are reset within the
 * measured time, keys included. Time is the thread's processor time. Every repeat measures every
 * method once, so that all see the same drift; printed are medians, and the best.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/env_loop.h"
#include "harness/plugin/loader.h"

#include <trpo-bench/rng.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { table_rows = 64, max_lanes = 512, max_repeats = 99 };

typedef struct options {
    const char *only; // part of an id; NULL = all
    int repeats;
    double seconds; // a measurement
    int json;
} options;

typedef struct subject {
    const tb_loop *loop;
    const tb_plugin *plugin;
    const tb_env_api *api;
    tb_env *env;
    const tb_env_vec *vec;
    uint64_t limit; // steps an episode; 0 = none
    tb_space action;
    size_t obs_bytes;
} subject;

// ---- what both ways need ----

typedef struct lanes {
    size_t n;
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
} lanes;

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "env-bench: %s: %s\n", what, why);
    exit(1);
}

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
        stop(s->loop->id, s->api->last_error(l->env[i]));
}

static void scalar_run(const subject *s, lanes *l, uint64_t steps)
{
    for (; steps > 0; steps--, l->t++) {
        const char *actions = l->actions + l->t % table_rows * l->n * s->action.bytes;
        for (size_t i = 0; i < l->n; i++) {
            tb_step out = {.struct_size = sizeof out};
            if (s->api->step(l->env[i], actions + i * s->action.bytes, l->obs + i * s->obs_bytes,
                             &out) != TB_OK)
                stop(s->loop->id, s->api->last_error(l->env[i]));
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
        stop(s->loop->id, s->vec->last_error(l->vec));
}

static void vec_run(const subject *s, lanes *l, uint64_t steps)
{
    for (; steps > 0; steps--, l->t++) {
        const char *actions = l->actions + l->t % table_rows * l->n * s->action.bytes;
        if (s->vec->step(l->vec, NULL, actions, l->obs, l->reward, l->flags, l->status) != TB_OK)
            stop(s->loop->id, s->vec->last_error(l->vec));
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
    lanes *l = tb_alloc(1, sizeof *l);
    tb_error error = {0};
    if (l == NULL)
        stop(s->loop->id, "no memory");
    l->n = n;
    l->obs = tb_alloc(n, s->obs_bytes);
    l->actions = tb_alloc(table_rows * n, s->action.bytes);
    if (l->obs == NULL || l->actions == NULL)
        stop(s->loop->id, "no memory");
    draw_actions(s, l);
    if (vec) {
        if (s->vec->create(s->env, n, &l->vec) != TB_OK)
            stop(s->loop->id, "vec/1 cannot be created");
        memset(l->ended, 1, n);
        vec_reset(s, l);
        return l;
    }
    for (size_t i = 0; i < n; i++) {
        const tb_env_api *api;
        if (tb_plugin_create_env(s->plugin, s->loop->id, NULL, &api, &l->env[i], NULL, &error) !=
            TB_OK)
            stop(s->loop->id, error.message);
        scalar_reset(s, l, i);
    }
    return l;
}

static void close_lanes(const subject *s, lanes *l)
{
    if (l->vec != NULL)
        s->vec->destroy(l->vec);
    for (size_t i = 0; l->vec == NULL && i < l->n; i++)
        s->api->destroy(l->env[i]);
    free(l->obs);
    free(l->actions);
    free(l);
}

// ---- measuring ----

static const struct method {
    const char *name;
    size_t n;
    int vec;
} methods[] = {{"loop", tb_loop_lanes, 0},
               {"scalar", 64, 0},
               {"vec", 1, 1},
               {"vec", 8, 1},
               {"vec", 64, 1},
               {"vec", 512, 1}};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// steps a second of one method; `l` of the loop is the table of its actions alone
static double measure(const subject *s, size_t method, lanes *l, double seconds)
{
    uint64_t chunk = 4096 / l->n + 1, done = 0;
    double start = now(), end;
    do {
        if (method == 0)
            l->sum += s->loop->run(chunk *= 2, l->actions, table_rows, s->limit);
        else if (l->vec != NULL)
            vec_run(s, l, chunk);
        else
            scalar_run(s, l, chunk);
        done += chunk * l->n;
        end = now();
    } while (end - start < seconds);
    return (double)done / (end - start);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

static void report(const options *o, const subject *s, size_t m, double middle, double best,
                   double ratio, json_t *results)
{
    if (o->json)
        json_array_append_new(results,
                              json_pack("{s:s, s:s, s:I, s:f, s:f, s:f}", "env", s->loop->id,
                                        "method", methods[m].name, "lanes",
                                        (json_int_t)methods[m].n, "steps_per_second", middle,
                                        "best_steps_per_second", best, "ratio_to_loop", ratio));
    else
        printf("%-34s %-7s %5zu %12.2f %12.2f %10.2f\n", s->loop->id, methods[m].name, methods[m].n,
               middle * 1e-6, best * 1e-6, ratio);
}

static void bench(const options *o, const subject *s, json_t *results)
{
    static double speed[COUNT(methods)][max_repeats], ratio[COUNT(methods)][max_repeats];
    lanes *l[COUNT(methods)];
    for (size_t m = 0; m < COUNT(methods); m++)
        l[m] = open_lanes(s, methods[m].n, methods[m].vec);
    for (int r = 0; r < o->repeats; r++)
        for (size_t m = 0; m < COUNT(methods); m++) {
            speed[m][r] = measure(s, m, l[m], o->seconds);
            ratio[m][r] = speed[m][r] / speed[0][r];
        }
    for (size_t m = 0; m < COUNT(methods); m++) {
        double middle = median(speed[m], o->repeats); // sorts
        report(o, s, m, middle, speed[m][o->repeats - 1], median(ratio[m], o->repeats), results);
        close_lanes(s, l[m]);
    }
}

// ---- subjects ----

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
        stop(name, error.message);
    s->plugin = plugin;
    s->limit = tb_plugin_describe(plugin, loop->id)->max_episode_steps;
    s->vec = s->api->get_extension(s->env, TB_EXT_ENV_VEC);
    if (s->vec == NULL || s->api->space(s->env, TB_SPACE_ACTION, 0, &s->action) != TB_OK ||
        s->api->space(s->env, TB_SPACE_OBSERVATION, 0, &obs) != TB_OK || s->action.bytes != 4)
        stop(name, "needs vec/1 and an action of one int32 or one float");
    s->obs_bytes = (size_t)obs.bytes;
}

static void bench_one(const options *o, const tb_loop *loop, const char *name, json_t *results)
{
    subject s;
    if (o->only != NULL && strstr(loop->id, o->only) == NULL)
        return;
    open_subject(loop, name, &s);
    bench(o, &s, results);
    s.api->destroy(s.env);
}

// the list of plugins comes from the build: bench/CMakeLists.txt
#define X(name) const tb_loop *tb_loop_##name(void);
TB_LOOP_LIST
#undef X
#define X(name) bench_one(&o, tb_loop_##name(), #name, results);

static const char usage[] =
    "Usage: env-bench [--env=TEXT] [--repeats=N] [--seconds=S] [--json]\n"
    "Steps a second of one core, in millions: a plain C loop over 64 lanes, 64 scalar instances\n"
    "through the ABI, and vec/1 with 1 to 512 lanes. ratio: to the loop in the same repeat.\n"
    "  --env=TEXT    only environments whose id holds TEXT\n"
    "  --repeats=N   measurements of each method, 1 to 99 (default: 15)\n"
    "  --seconds=S   length of one, seconds (default: 0.03)\n"
    "  --json        an object instead of a table\n";

static void read_options(int argc, char **argv, options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--env=", 6) == 0)
            o->only = argv[i] + 6;
        else if (strncmp(argv[i], "--repeats=", 10) == 0)
            o->repeats = atoi(argv[i] + 10);
        else if (strncmp(argv[i], "--seconds=", 10) == 0)
            o->seconds = atof(argv[i] + 10);
        else if (strcmp(argv[i], "--json") == 0)
            o->json = 1;
        else {
            int asked = strcmp(argv[i], "--help") == 0;
            fputs(usage, asked ? stdout : stderr);
            exit(asked ? 0 : 2);
        }
    }
    if (o->repeats < 1 || o->repeats > max_repeats || !(o->seconds > 0)) {
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    options o = {.repeats = 15, .seconds = 0.03};
    read_options(argc, argv, &o);
    json_t *results = json_array();
    if (!o.json)
        printf("%-34s %-7s %5s %12s %12s %10s\n", "environment", "method", "lanes", "M steps/s",
               "best", "ratio");
    TB_LOOP_LIST
    if (o.json) {
        json_t *all = json_pack("{s:s, s:i, s:f, s:O}", "bench", "env", "repeats", o.repeats,
                                "seconds", o.seconds, "results", results);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    }
    json_decref(results);
    return 0;
}
