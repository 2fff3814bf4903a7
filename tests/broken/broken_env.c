/* SPDX-License-Identifier: MIT
 *
 * One environment that is right (BROKEN=healthy) and, compiled with another -DBROKEN=<kind>, wrong
 * in exactly one way. README.md lists the kinds and what must notice each.
 *
 * A walker on a line: x and its velocity v, pushed left, not at all or right (or by a Box action),
 * with a little noise; the episode ends when |x| > 1.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trpo-bench/env.h>
#include <trpo-bench/rng.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum {
    healthy,
    healthy_box,
    // the library
    wrong_magic,
    short_entry,
    wrong_major,
    newer_host,
    wrong_crc,
    needs_cpu,
    null_build,
    null_slot,
    no_factory,
    init_fails,
    load_crash,
    load_hang,
    load_exit,
    load_print,
    load_garbage,
    load_mxcsr,
    load_locale,
    extra_symbol,
    calls_rand,
    calls_exit,
    big_data,
    entry_moves,
    init_once,
    factory_prefix,
    bad_id,
    no_summary,
    // the environment
    create_crash,
    reset_crash,
    step_crash,
    step_exit,
    step_hang,
    step_sleep,
    bad_space,
    reset_outside,
    nan_observation,
    nan_reward,
    overflow,
    unseeded,
    history,
    shared_state,
    unknown_flag,
    no_order,
    auto_reset,
    auto_reset_far,
    accepts_nan,
    changed_by_refusal,
    writes_action,
    one_step,
    wrong_default,
    ignores_range,
    hidden_param,
    ignores_typos,
    prints,
    mxcsr,
    leaks,
    // the snapshot
    snap_absent,
    snap_misses,
    snap_shared,
    snap_writes,
    snap_unequal,
    snap_overrun,
    snap_uninitialised,
    snap_garbage,
    snap_forgets_end,
    snap_no_rekey,
    snap_perturbs,
    snap_observe,
    // the lanes: broken_vec.h
    vec_healthy,
    vec_rounding,
    vec_tail,
    vec_flags,
    vec_first_key,
    vec_overrun,
    vec_writes_all,
    vec_mask_is_one,
    vec_moves_all,
    vec_stops,
    vec_last_status,
    vec_silent,
    vec_restarts,
    vec_own_bytes,
    vec_half_load,
    vec_no_rekey,
    vec_observes_first,
    vec_any_lane,
    vec_scope,
    vec_allocates,
    vec_leaks,
    vec_no_lanes,
    // the pictures: broken_render.h
    render_healthy,
    render_absent,
    render_silent,
    render_no_size,
    render_any_size,
    render_partial,
    render_overrun,
    render_early,
    render_leftover,
    render_moves,
    render_draws,
    render_mxcsr
};

// enumerators and not macros, so that each dead branch still compiles
#define IS(kind) (BROKEN == (kind))
#define HAS_VEC (BROKEN - vec_healthy >= 0 && BROKEN - render_healthy < 0)
#define HAS_RENDER (BROKEN - render_healthy >= 0)
#define BOX (IS(healthy_box) || IS(accepts_nan) || IS(writes_action))

struct tb_env {
    double x, v, push; // position, velocity, the last push (held action: part of the state)
    tb_rng rng;
    double noise; // the parameter
    uint64_t steps, episodes;
    uint32_t running, started;
    uint32_t cannot_draw, reserved;
};

// what a snapshot holds, behind a word that tells the format and the parameter
typedef struct record {
    uint64_t tag;
    double x, v, push, noise;
    tb_rng rng;
    uint64_t flags; // running | started << 1
    uint64_t filler;
} record;

#define TAG UINT64_C(0x6b6c61777473657a)

static double shared_push;
static uint64_t load_count;
#ifdef BROKEN_big_data
static char big[100000];
#endif

static void observe_state(const tb_env *env, void *obs_out)
{
    float obs[2] = {(float)env->x, (float)env->v};
    if (IS(nan_observation) && env->steps >= 3)
        obs[1] = NAN;
    if (IS(reset_outside) && env->steps == 0)
        obs[0] = 100;
    memcpy(obs_out, obs, sizeof obs);
    if (IS(overflow))
        memset((char *)obs_out + sizeof obs, 0, 4);
}

static void destroy(tb_env *env)
{
    if (!IS(leaks))
        free(env);
}

static tb_status space(tb_env *env, uint32_t which, uint32_t leaf, tb_space *out)
{
    static const double low[2] = {-4, -INFINITY}, high[2] = {4, INFINITY};
    static const double box_low[1] = {-1}, box_high[1] = {1}, bad_low[2] = {5, -1};
    static const int64_t nvec[1] = {3};
    (void)env;
    if (which > TB_SPACE_ACTION || leaf != 0)
        return TB_E_INVALID;
    tb_space s = {.struct_size = out->struct_size, .n_leaves = 1, .count = 1};
    if (which == TB_SPACE_OBSERVATION) {
        s.kind = TB_SPACE_BOX;
        s.dtype = TB_F32;
        s.ndim = 1;
        s.shape[0] = s.count = 2;
        s.low = IS(bad_space) ? bad_low : low;
        s.high = high;
        s.name = "observation";
    } else if (BOX) {
        s.kind = TB_SPACE_BOX;
        s.dtype = TB_F32;
        s.ndim = 1;
        s.shape[0] = 1;
        s.low = box_low;
        s.high = box_high;
        s.name = "action";
    } else {
        s.kind = TB_SPACE_DISCRETE;
        s.dtype = TB_I32;
        s.nvec = nvec;
        s.name = "action";
    }
    s.bytes = 4 * s.count;
    *out = s;
    return TB_OK;
}

static tb_status reset(tb_env *env, const tb_key *key, void *obs_out)
{
    if (IS(reset_crash))
        raise(SIGSEGV);
    tb_key used = *key;
    if (IS(unseeded))
        used.w[0] = ++load_count;
    tb_rng_init(&env->rng, used);
    env->x = tb_rng_uniform(&env->rng, -0.1, 0.1);
    env->v = 0;
    env->push = 0;
    env->steps = 0;
    env->running = env->started = 1;
    if (IS(history))
        env->x += 1e-9 * (double)env->episodes;
    env->episodes++;
    observe_state(env, obs_out);
    return TB_OK;
}

// the action as a push in [-1, 1]; NaN = refused
static double read_action(const void *action)
{
    if (BOX) {
        float push;
        memcpy(&push, action, sizeof push);
        if (IS(accepts_nan) && isnan(push))
            return 0;
        return isfinite(push) ? fmin(fmax((double)push, -1), 1) : NAN;
    }
    int32_t index;
    memcpy(&index, action, sizeof index);
    return index < 0 || index > 2 ? NAN : index - 1.0;
}

static void misbehave(tb_env *env, const void *action)
{
    if (IS(step_crash) && env->steps == 5)
        raise(SIGSEGV);
    if (IS(step_exit) && env->steps == 5)
        _exit(0);
#ifdef BROKEN_calls_exit
    if (env->steps > UINT64_C(1) << 60)
        exit(1);
#endif
#ifdef BROKEN_calls_rand
    env->push += 0 * rand();
#endif
#ifdef BROKEN_big_data
    big[env->steps % sizeof big]++;
#endif
    while (IS(step_hang) && env->steps == 5)
        ;
    while (IS(step_sleep) && env->steps == 5)
        sleep(1000);
    if (IS(prints))
        printf("step %d\n", (int)env->steps);
#if defined(__x86_64__)
    if (IS(mxcsr))
        _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
    if (IS(writes_action))
        memset((void *)(uintptr_t)action, 0, 4);
}

static tb_status step(tb_env *env, const void *action, void *obs_out, tb_step *out)
{
    if (!env->running && !IS(no_order))
        return TB_E_STATE;
    misbehave(env, action);
    double push = read_action(action);
    if (isnan(push)) {
        if (IS(changed_by_refusal))
            tb_rng_u64(&env->rng);
        return TB_E_INVALID;
    }
    // the push of the step before acts, so that it belongs to the state
    double held = IS(shared_state) ? shared_push : env->push;
    shared_push = push;
    env->push = push;
    env->v += 0.02 * (push + 0.5 * held) + env->noise * tb_rng_uniform(&env->rng, -0.01, 0.01);
    env->x += env->v;
    env->steps++;
    uint32_t ended = fabs(env->x) > 1 || (IS(one_step));
    if (IS(auto_reset_far)) // ends where only a push that is held long gets
        ended = (env->steps = push == held ? env->steps : 0) > 24;
    env->running = !ended;
    out->flags = ended ? TB_TERMINATED : 0;
    out->reward = 1 - fabs(env->x);
    if (IS(nan_reward) && env->steps >= 3)
        out->reward = NAN;
    if (IS(unknown_flag))
        out->flags |= 8;
    observe_state(env, obs_out);
    if ((IS(auto_reset) || IS(auto_reset_far)) && ended) {
        tb_key next = tb_key_child(env->rng.key, 1);
        reset(env, &next, obs_out);
    }
    return TB_OK;
}

// ---- snapshot/1 ----

static uint64_t max_bytes(tb_env *env)
{
    (void)env;
    return sizeof(record);
}

static tb_status save(const tb_env *env, void *buf, uint64_t cap, uint64_t *used)
{
    if (!env->started)
        return TB_E_STATE;
    if (cap < sizeof(record) && !IS(snap_overrun))
        return TB_E_INVALID;
    record r = {
        .tag = TAG,
        .x = env->x,
        .v = env->v,
        .push = IS(snap_misses) ? 0 : env->push,
        .noise = env->noise,
        .rng = env->rng,
        .flags = env->running | env->started << 1,
    };
    if (IS(snap_unequal))
        r.filler = ++load_count;
    if (IS(snap_uninitialised))
        memcpy(buf, &r, offsetof(record, filler));
    else
        memcpy(buf, &r, sizeof r);
    if (IS(snap_perturbs))
        ((tb_env *)(uintptr_t)env)->rng.n++;
    *used = sizeof r;
    return TB_OK;
}

static tb_status load(tb_env *env, const void *buf, uint64_t used)
{
    record r = {0};
    memcpy(&r, buf, used < sizeof r ? used : sizeof r);
    if (!IS(snap_garbage) &&
        (used != sizeof r || r.tag != TAG || memcmp(&r.noise, &env->noise, sizeof r.noise) != 0))
        return TB_E_CORRUPT;
    if (IS(snap_writes))
        ((record *)(uintptr_t)buf)->filler++;
    env->x = r.x;
    env->v = r.v;
    env->push = IS(snap_misses) ? env->push : r.push;
    env->rng = r.rng;
    env->running = (uint32_t)(r.flags & 1) | (IS(snap_forgets_end));
    env->started = (uint32_t)(r.flags >> 1 & 1);
    env->steps = IS(snap_shared) ? env->steps : 1;
    if (IS(snap_shared))
        env->x += 1e-9 * (double)env->episodes;
    return TB_OK;
}

static tb_status rekey(tb_env *env, const tb_key *key)
{
    if (!env->started)
        return TB_E_STATE;
    if (!IS(snap_no_rekey))
        tb_rng_init(&env->rng, *key);
    return TB_OK;
}

static tb_status observe(tb_env *env, void *obs_out)
{
    if (!env->started)
        return TB_E_STATE;
    observe_state(env, obs_out);
    if (IS(snap_observe))
        memset(obs_out, 0, 4);
    return TB_OK;
}

// ---- state-vector/1 ----

static uint64_t state_count(tb_env *env)
{
    (void)env;
    return 3;
}

static const char *state_name(tb_env *env, uint64_t i)
{
    static const char *const names[] = {"x", "v", "push"};
    (void)env;
    return i < 3 ? names[i] : NULL;
}

static tb_status state_get(const tb_env *env, double *out)
{
    if (!env->started)
        return TB_E_STATE;
    out[0] = env->x;
    out[1] = env->v;
    out[2] = env->push;
    return TB_OK;
}

static tb_status state_set(tb_env *env, const double *in)
{
    if (!isfinite(in[0]) || !isfinite(in[1]) || !isfinite(in[2]))
        return TB_E_INVALID;
    env->x = in[0];
    env->v = in[1];
    env->push = in[2];
    env->running = env->started = 1;
    return TB_OK;
}

#include "broken_render.h"
#include "broken_vec.h"

static const void *get_extension(tb_env *env, const char *id)
{
    static const tb_env_snapshot snapshot = {
        sizeof snapshot, TB_SNAP_SAME_BINARY, max_bytes, save, load, rekey, observe};
    static const tb_env_state_vector vector = {sizeof vector, 0,         state_count,
                                               state_name,    state_get, state_set};
    (void)env;
    if (strcmp(id, TB_EXT_ENV_SNAPSHOT) == 0)
        return IS(snap_absent) ? NULL : &snapshot;
    if (HAS_VEC && strcmp(id, TB_EXT_ENV_VEC) == 0)
        return &vec_table;
    if (HAS_RENDER && strcmp(id, TB_EXT_ENV_RENDER) == 0)
        return &render_table;
    return strcmp(id, TB_EXT_ENV_STATE_VECTOR) == 0 ? &vector : NULL;
}

// ---- factory ----

static uint32_t count(void)
{
    return 1;
}

static const tb_env_desc *describe(uint32_t i)
{
    static const tb_env_desc desc = {
        .struct_size = sizeof desc,
        .flags = TB_ENV_STOCHASTIC_STEP,
        .id = IS(bad_id) ? "no version" : "broken/" TB_BROKEN_NAME "-v1",
        .summary = IS(no_summary) ? "" : "A walker on a line, for tests of the harness.",
        .max_episode_steps = 100,
        .reward_threshold = NAN,
        .return_random = NAN,
        .return_ref = NAN,
    };
    return i == 0 ? &desc : NULL;
}

static tb_status create(const tb_host *host, const char *id, const tb_params *params,
                        const tb_env_api **api, tb_env **out, char *err, uint64_t err_cap)
{
    static const tb_env_api table = {sizeof table, 0,    destroy,    space,
                                     reset,        step, last_error, get_extension};
    (void)host;
    if (strcmp(id, describe(0)->id) != 0) {
        snprintf(err, err_cap, "no environment \"%s\" in this library", id);
        return TB_E_INVALID;
    }
    double noise = IS(wrong_default) ? 0.5 : 1;
    uint32_t unused = 0;
    tb_status status = params->get_f64(params->ctx, "noise", &noise);
    if (IS(hidden_param) && status == TB_OK)
        status = params->get_bool(params->ctx, "secret", &unused);
    if (IS(ignores_typos) && status == TB_OK)
        status = params->get_bool(params->ctx, "no_such_key", &unused);
    if (status != TB_OK)
        return status;
    if (!(noise >= 0 && noise <= 10) && !IS(ignores_range)) {
        snprintf(err, err_cap, "noise must be from 0 to 10, not %g", noise);
        return TB_E_PARAM;
    }
    if (IS(create_crash))
        raise(SIGSEGV);
    tb_env *env = calloc(1, IS(leaks) ? 65536 : sizeof *env);
    if (env == NULL)
        return TB_E_NOMEM;
    env->noise = noise;
    *api = &table;
    *out = env;
    return TB_OK;
}

static uint32_t schema_count(const char *id)
{
    return strcmp(id, describe(0)->id) == 0 ? 1 : 0;
}

static tb_status schema_get(const char *id, uint32_t i, tb_param_info *out)
{
    if (i >= schema_count(id))
        return TB_E_INVALID;
    tb_param_info info = {.struct_size = out->struct_size,
                          .type = TB_PARAM_F64,
                          .key = "noise",
                          .doc = "Strength of the noise, a factor.",
                          .default_text = "1.0",
                          .low = 0,
                          .high = 10};
    *out = info;
    return TB_OK;
}

static const void *get_factory(const char *id)
{
    static const tb_env_factory envs = {sizeof envs, 0, count, describe,
                                        IS(null_slot) ? NULL : create};
    static const tb_params_schema schema = {sizeof schema, 0, schema_count, schema_get};
    if (IS(no_factory))
        return NULL;
    if (strcmp(id, TB_ENV_FACTORY) == 0 ||
        (IS(factory_prefix) && strncmp(id, TB_ENV_FACTORY, strlen(TB_ENV_FACTORY)) == 0))
        return &envs;
    return strcmp(id, TB_PARAMS_SCHEMA) == 0 ? &schema : NULL;
}

// ---- the entry ----

static tb_status init(const tb_host *host)
{
    static int calls;
    (void)host;
    calls++;
    if (IS(init_once) && calls > 1)
        return TB_E_STATE;
    return IS(init_fails) ? TB_E_IO : TB_OK;
}

#ifdef BROKEN_AT_LOAD
#include <locale.h>
#include <sys/syscall.h>

// by the system call itself: the thread sanitizer's _exit() reports that dlopen() has not returned,
// and ends the process with a code of its own
static void vanish(int code)
{
    syscall(SYS_exit_group, code);
}

__attribute__((constructor)) static void at_load(void)
{
    if (IS(load_crash))
        raise(SIGSEGV);
    while (IS(load_hang))
        sleep(1000);
    if (IS(load_exit))
        vanish(3);
    if (IS(load_print)) {
        printf("{\"entries\": 1}\n");
        fflush(stdout);
    }
    if (IS(load_garbage)) {
        printf("garbage\n");
        fflush(stdout);
        vanish(0);
    }
#if defined(__x86_64__)
    if (IS(load_mxcsr))
        _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
    if (IS(load_locale))
        setlocale(LC_ALL, "C.UTF-8");
}
#endif

#ifdef BROKEN_extra_symbol
TB_EXPORT int tb_broken_extra = 1;
#endif

const tb_entry *tb_plugin_entry(void)
{
    static const tb_entry entry = {
        .magic = IS(wrong_magic) ? 1 : TB_ABI_MAGIC,
        .struct_size = IS(short_entry) ? 16 : sizeof entry,
        .abi_major = IS(wrong_major) ? 7 : TB_ABI_MAJOR,
        .abi_minor = IS(wrong_major) ? 0 : TB_ABI_MINOR,
        .min_host_minor = IS(newer_host) ? 99 : 0,
        .layout_crc = IS(wrong_crc) ? 0x12345678 : TB_ABI_LAYOUT_CRC,
        .cpu_required = IS(needs_cpu) ? 1u << 31 : 0,
        .build = IS(null_build) ? NULL : TB_PLUGIN_BUILD,
        .init = init,
        .get_factory = get_factory,
    };
#ifdef BROKEN_entry_moves
    static tb_entry copy;
    if (load_count++ % 2) {
        copy = entry;
        return &copy;
    }
#endif
    return &entry;
}
