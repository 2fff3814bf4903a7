/* SPDX-License-Identifier: MIT
 *
 * Tests E: what an environment promises (env.h). Parameters are in params.c, snapshots in
 * snapshot.c, actions in action.c.
 */
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/check/family.h"
#include "harness/plugin/fpcontrol.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// ---- E1, E2: spaces ----

static size_t dtype_bytes(uint32_t dtype)
{
    return dtype == TB_F64 ? 8 : dtype == TB_F32 || dtype == TB_I32 ? 4 : dtype == TB_U8 ? 1 : 0;
}

static void check_bounds(tb_check *c, const tb_space *leaf, int is_action)
{
    if (!TB_CHECK_THAT(c, leaf->low != NULL && leaf->high != NULL, "%s: a BOX without bounds",
                       leaf->name))
        return;
    for (uint64_t i = 0; i < leaf->count; i++) {
        TB_CHECK_THAT(c, leaf->low[i] <= leaf->high[i],
                      "%s: low %g is not below high %g at element %" PRIu64, leaf->name,
                      leaf->low[i], leaf->high[i], i);
        if (leaf->low[i] == leaf->high[i])
            tb_check_warn(c, "%s: element %" PRIu64 " is constant", leaf->name, i);
        if (is_action && (isinf(leaf->low[i]) || isinf(leaf->high[i])))
            tb_check_warn(c, "%s: an action without bounds", leaf->name);
    }
}

static void check_categories(tb_check *c, const tb_space *leaf)
{
    if (!TB_CHECK_THAT(c, leaf->nvec != NULL, "%s: categories without nvec", leaf->name))
        return;
    TB_CHECK_THAT(c, leaf->dtype == TB_I32, "%s: categories must be TB_I32", leaf->name);
    for (uint64_t i = 0; i < leaf->count; i++)
        TB_CHECK_THAT(c, leaf->nvec[i] >= 1, "%s: nvec %" PRId64 " is below 1", leaf->name,
                      leaf->nvec[i]);
}

static void check_leaf(tb_check *c, const tb_space *leaf, uint32_t which)
{
    uint64_t product = 1;
    if (!TB_CHECK_THAT(c, leaf->name != NULL, "a leaf without a name") ||
        !TB_CHECK_THAT(c, leaf->ndim <= 8, "%s: ndim is %" PRIu32, leaf->name, leaf->ndim))
        return;
    for (uint32_t i = 0; i < 8; i++) {
        if (i < leaf->ndim)
            product *= leaf->shape[i];
        else
            TB_CHECK_THAT(c, leaf->shape[i] == 0, "%s: shape[%" PRIu32 "] must be 0", leaf->name,
                          i);
    }
    TB_CHECK_THAT(c, leaf->count == product && product >= 1,
                  "%s: count is %" PRIu64 ", the shape's product %" PRIu64, leaf->name, leaf->count,
                  product);
    TB_CHECK_THAT(c, leaf->bytes == leaf->count * dtype_bytes(leaf->dtype),
                  "%s: %" PRIu64 " bytes for %" PRIu64 " elements of dtype %" PRIu32, leaf->name,
                  leaf->bytes, leaf->count, leaf->dtype);
    TB_CHECK_THAT(c, leaf->offset % 8 == 0, "%s: offset %" PRIu64 " is no multiple of 8",
                  leaf->name, leaf->offset);
    if (leaf->kind == TB_SPACE_BOX)
        check_bounds(c, leaf, which == TB_SPACE_ACTION);
    else if (leaf->kind == TB_SPACE_DISCRETE || leaf->kind == TB_SPACE_MULTI_DISCRETE)
        check_categories(c, leaf);
    else
        TB_CHECK_THAT(c, leaf->kind == TB_SPACE_MULTI_BINARY, "%s: unknown kind %" PRIu32,
                      leaf->name, leaf->kind);
    if (leaf->kind == TB_SPACE_DISCRETE)
        TB_CHECK_THAT(c, leaf->count == 1, "%s: DISCRETE has one element", leaf->name);
}

static void spaces_are_well_formed(tb_check *c)
{
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e == NULL)
        return;
    for (uint32_t which = 0; which < 2; which++) {
        for (uint32_t i = 0; i < e->n_leaves[which]; i++) {
            const tb_space *leaf = &e->leaf[which][i];
            check_leaf(c, leaf, which);
            for (uint32_t j = 0; j < i; j++) {
                const tb_space *other = &e->leaf[which][j];
                TB_CHECK_THAT(c,
                              leaf->offset >= other->offset + other->bytes ||
                                  other->offset >= leaf->offset + leaf->bytes,
                              "leaves %" PRIu32 " and %" PRIu32 " overlap", j, i);
            }
        }
        tb_space beyond = {.struct_size = sizeof beyond};
        TB_CHECK_THAT(c, e->api->space(e->env, which, e->n_leaves[which], &beyond) == TB_E_INVALID,
                      "space() of a leaf that does not exist must give TB_E_INVALID");
    }
}

static double get(const void *at, uint32_t dtype, uint64_t i)
{
    switch (dtype) {
    case TB_F64: return ((const double *)at)[i];
    case TB_F32: return (double)((const float *)at)[i];
    case TB_I32: return (double)((const int32_t *)at)[i];
    default: return (double)((const uint8_t *)at)[i];
    }
}

static int element_inside(const tb_space *leaf, uint64_t i, double x)
{
    if (leaf->kind == TB_SPACE_MULTI_BINARY)
        return x == 0 || x == 1;
    if (leaf->kind != TB_SPACE_BOX) {
        double start = leaf->start != NULL ? (double)leaf->start[i] : 0;
        return x >= start && x < start + (double)leaf->nvec[i];
    }
    // bounds of a float32 space are met in float32
    if (leaf->dtype == TB_F32)
        return (float)x >= (float)leaf->low[i] && (float)x <= (float)leaf->high[i];
    return x >= leaf->low[i] && x <= leaf->high[i];
}

// the observation in the buffer: finite, and inside the space (`strict`: else failed, else warned)
static int check_observation(tb_check *c, const tb_check_env *e, size_t step, int strict)
{
    for (uint32_t l = 0; l < e->n_leaves[TB_SPACE_OBSERVATION]; l++) {
        const tb_space *leaf = &e->leaf[TB_SPACE_OBSERVATION][l];
        for (uint64_t i = 0; i < leaf->count; i++) {
            double x = get(e->obs->data + leaf->offset, leaf->dtype, i);
            if (!TB_CHECK_THAT(c, isfinite(x),
                               "%s[%" PRIu64 "] is %g after %zu steps; observations are finite",
                               leaf->name, i, x, step))
                return 0;
            if (element_inside(leaf, i, x))
                continue;
            (strict ? tb_check_fail : tb_check_warn)(
                c, "%s[%" PRIu64 "] is %.9g after %zu steps, outside its space", leaf->name, i, x,
                step);
            return !strict;
        }
    }
    return 1;
}

// plays `steps` random steps over as many episodes as they take and calls `look` after every call
static void drive(tb_check *c, tb_check_env *e, size_t steps,
                  int (*look)(tb_check *c, tb_check_env *e, size_t in_episode))
{
    tb_rng rng;
    tb_rng_init(&rng, tb_check_key(c, 7));
    for (uint64_t episode = 0; steps > 0; episode++) {
        tb_key key = tb_check_key(c, episode);
        tb_status status = e->api->reset(e->env, &key, e->obs->data);
        e->out = (tb_step){0};
        if (!TB_CHECK_THAT(c, status == TB_OK, "reset() gives %s", tb_status_name(status)) ||
            !look(c, e, 0))
            return;
        for (size_t t = 1; t <= 400 && steps > 0 && e->out.flags == 0; t++, steps--) {
            tb_check_random_action(e, &rng);
            status = tb_check_step(e);
            if (!TB_CHECK_THAT(c, status == TB_OK, "step %zu of an episode gives %s (%s)", t,
                               tb_status_name(status), e->api->last_error(e->env)) ||
                !look(c, e, t))
                return;
        }
    }
}

static int look_at_observation(tb_check *c, tb_check_env *e, size_t t)
{
    return check_observation(c, e, t, t == 0);
}

static void observations_are_in_space(tb_check *c)
{
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e != NULL)
        drive(c, e, 1500, look_at_observation);
}

// ---- E3: buffers ----

static int look_at_guards(tb_check *c, tb_check_env *e, size_t t)
{
    return TB_CHECK_THAT(c, tb_check_buffer_intact(e->obs),
                         "writes outside the observation buffer (%zu bytes) after %zu steps",
                         e->obs->size, t) &&
           TB_CHECK_THAT(c, tb_check_buffer_intact(e->action), "writes around the action buffer");
}

static void buffers_are_respected(tb_check *c)
{
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e == NULL)
        return;
    drive(c, e, 300, look_at_guards);
    // structs that the host allocates end where struct_size says
    tb_check_buffer *space = tb_check_buffer_make(c, sizeof(tb_space));
    tb_check_buffer *step = tb_check_buffer_make(c, sizeof(tb_step));
    ((tb_space *)(void *)space->data)->struct_size = sizeof(tb_space);
    e->api->space(e->env, TB_SPACE_OBSERVATION, 0, (tb_space *)(void *)space->data);
    tb_key key = tb_check_key(c, 0);
    tb_rng rng;
    tb_rng_init(&rng, key);
    tb_check_random_action(e, &rng);
    ((tb_step *)(void *)step->data)->struct_size = sizeof(tb_step);
    e->api->reset(e->env, &key, e->obs->data);
    e->api->step(e->env, e->action->data, e->obs->data, (tb_step *)(void *)step->data);
    TB_CHECK_THAT(c, tb_check_buffer_intact(space), "writes beyond tb_space.struct_size");
    TB_CHECK_THAT(c, tb_check_buffer_intact(step), "writes beyond tb_step.struct_size");
}

// ---- E4, E5, E6: trajectories are pure functions ----

static void same_key_same_trajectory(tb_check *c)
{
    if (tb_check_is_random(c))
        return;
    tb_check_env *a = tb_check_env_open(c, NULL), *b = tb_check_env_open(c, NULL);
    if (a == NULL || b == NULL)
        return;
    tb_check_trace *first = tb_check_trace_make(c), *second = tb_check_trace_make(c);
    tb_check_play_many(c, a, 0, 1200, first);
    tb_check_play_many(c, b, 0, 1200, second);
    if (!TB_CHECK_THAT(c, first->status == TB_OK, "an episode ends with %s",
                       tb_status_name(first->status)) ||
        !tb_check_same(c, first, second, "same keys and actions in two instances"))
        return;
    // other keys, the same actions
    tb_check_play(a, tb_check_key(c, 1), 5, 50, first);
    tb_check_play(a, tb_check_key(c, 2), 5, 50, second);
    if (!tb_check_steps_are_fixed(a) && first->n == second->n &&
        memcmp(first->digest, second->digest, 8 * first->n) == 0)
        tb_check_warn(c, "two keys give the same episode: is nothing random here?");
}

static void history_does_not_matter(tb_check *c)
{
    static const uint64_t before[] = {1, 37};
    if (tb_check_is_random(c))
        return;
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e == NULL)
        return;
    tb_check_trace *fresh = tb_check_trace_make(c), *later = tb_check_trace_make(c);
    tb_check_play(e, tb_check_key(c, 0), 1, 400, fresh);
    for (size_t i = 0; i < COUNT(before); i++) {
        for (uint64_t k = 0; k < before[i]; k++)
            tb_check_play(e, tb_check_key(c, 50 + k), 50 + k, 20, later);
        tb_check_play(e, tb_check_key(c, 0), 1, 400, later);
        char what[64];
        snprintf(what, sizeof what, "the same episode after %" PRIu64 " others", before[i]);
        if (!tb_check_same(c, fresh, later, what))
            return;
    }
}

// one step of each instance in turn, with the actions of tb_check_play(.., action_seed, ..)
static void interleave(tb_check *c, tb_check_env *envs[2], tb_check_trace *traces[2], size_t steps)
{
    tb_check_trace *one = tb_check_trace_make(c);
    tb_rng rng[2];
    for (int i = 0; i < 2; i++) {
        tb_check_play(envs[i], tb_check_key(c, (uint64_t)i), 0, 0, traces[i]);
        tb_rng_init(&rng[i], (tb_key){{(uint64_t)i + 1, 1}});
    }
    for (size_t t = 0; t < steps; t++)
        for (int i = 0; i < 2; i++) {
            if (traces[i]->flags != 0 || traces[i]->status != TB_OK)
                continue;
            tb_check_continue_drawn(envs[i], &rng[i], one);
            traces[i]->digest[traces[i]->n++] = one->digest[1];
            traces[i]->flags = one->flags;
            traces[i]->status = one->status;
        }
}

typedef struct worker {
    tb_check *c;
    tb_check_env *e;
    tb_check_trace *trace;
    uint64_t first;
} worker;

static void *work(void *data)
{
    worker *w = data;
    tb_check_play_many(w->c, w->e, w->first, 1000, w->trace);
    return NULL;
}

static void instances_are_independent(tb_check *c)
{
    if (tb_check_is_random(c))
        return;
    if (tb_plugin_describe(c->plugin, c->id)->flags & TB_ENV_ONE_PER_PROCESS) {
        tb_check_skip(c, "the environment is declared one per process");
        return;
    }
    tb_check_env *envs[2] = {tb_check_env_open(c, NULL), tb_check_env_open(c, NULL)};
    if (envs[0] == NULL || envs[1] == NULL)
        return;
    tb_check_trace *alone[2], *mixed[2];
    for (int i = 0; i < 2; i++) {
        alone[i] = tb_check_trace_make(c);
        mixed[i] = tb_check_trace_make(c);
        tb_check_play(envs[i], tb_check_key(c, (uint64_t)i), (uint64_t)i + 1, 300, alone[i]);
    }
    interleave(c, envs, mixed, 300);
    for (int i = 0; i < 2; i++)
        if (!tb_check_same(c, alone[i], mixed[i], "two instances stepped in turn"))
            return;
    // in two threads, and each instance changes threads from round to round
    pthread_t thread[2];
    for (int round = 0; round < 4; round++) {
        worker workers[2];
        for (int i = 0; i < 2; i++) {
            tb_check_play_many(c, envs[i], 10 * (uint64_t)i, 1000, alone[i]);
            workers[i] = (worker){c, envs[i], mixed[i], 10 * (uint64_t)i};
        }
        for (int i = 0; i < 2; i++)
            TB_ASSERT(pthread_create(&thread[i], NULL, work, &workers[(i + round) % 2]) == 0);
        for (int i = 0; i < 2; i++)
            pthread_join(thread[i], NULL);
        for (int i = 0; i < 2; i++)
            if (!tb_check_same(c, alone[i], mixed[i], "two instances in two threads"))
                return;
    }
}

// ---- E7, E8, E9: rewards, flags, ends ----

static int look_at_step(tb_check *c, tb_check_env *e, size_t t)
{
    return TB_CHECK_THAT(c, isfinite(e->out.reward), "the reward of step %zu is %g", t,
                         e->out.reward) &&
           TB_CHECK_THAT(c, (e->out.flags & ~(TB_TERMINATED | TB_TRUNCATED)) == 0,
                         "step %zu sets unknown flags 0x%" PRIx32, t, e->out.flags);
}

static void rewards_and_flags_are_sound(tb_check *c)
{
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e != NULL)
        drive(c, e, 1500, look_at_step);
}

static void call_order_is_kept(tb_check *c)
{
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e == NULL)
        return;
    tb_rng rng;
    tb_rng_init(&rng, tb_check_key(c, 0));
    tb_check_random_action(e, &rng);
    tb_status status = tb_check_step(e);
    TB_CHECK_THAT(c, status == TB_E_STATE, "step() before reset() gives %s, not TB_E_STATE",
                  tb_status_name(status));
    if (!tb_check_play_to_end(c, e, tb_check_trace_make(c)))
        return;
    for (int i = 0; i < 2; i++) {
        status = tb_check_step(e);
        TB_CHECK_THAT(c, status == TB_E_STATE,
                      "step() after an episode's end gives %s, not TB_E_STATE",
                      tb_status_name(status));
    }
    tb_check_trace *again = tb_check_trace_make(c);
    tb_check_play(e, tb_check_key(c, 0), 0, 3, again);
    TB_CHECK_THAT(c, again->status == TB_OK, "reset() after an end does not start a new episode");
}

static void step_never_resets(tb_check *c)
{
    tb_check_env *e = tb_check_env_open(c, NULL), *other = tb_check_env_open(c, NULL);
    tb_check_trace *trace = tb_check_trace_make(c);
    if (e == NULL || other == NULL)
        return;
    if (!tb_check_play_to_end(c, e, trace)) {
        tb_check_skip(c, "no episode ended by itself");
        return;
    }
    tb_status status = tb_check_step(e);
    TB_CHECK_THAT(c, status == TB_E_STATE,
                  "the environment goes on after an end (%s): it resets by itself",
                  tb_status_name(status));
    // what observe() says of the final state is what step() wrote
    tb_check_play_to_end(c, e, trace);
    if (e->snapshot == NULL)
        return;
    memset(other->obs->data, 0, other->obs->size);
    status = e->snapshot->observe(e->env, other->obs->data);
    TB_CHECK_THAT(c, status == TB_OK && memcmp(other->obs->data, e->obs->data, e->obs->size) == 0,
                  "observe() after an end is not the observation that the last step wrote");
}

// ---- E12: episodes under random actions ----

static void episodes_have_a_length(tb_check *c)
{
    enum { n_episodes = 20 };
    tb_check_env *e = tb_check_env_open(c, NULL);
    tb_check_trace *trace = tb_check_trace_make(c);
    if (e == NULL)
        return;
    int ended = 0, single = 0;
    // with a time limit it only matters whether there is a second step
    size_t steps = e->desc->max_episode_steps == 0 ? TB_CHECK_TRACE - 2 : 2;
    for (uint64_t i = 0; i < n_episodes; i++) {
        tb_check_play(e, tb_check_key(c, i), i, steps, trace);
        ended += trace->flags != 0;
        single += trace->flags != 0 && trace->n == 2;
    }
    TB_CHECK_THAT(c, single < n_episodes, "every episode ends after one step");
    if (ended == 0 && e->desc->max_episode_steps == 0)
        tb_check_warn(c, "no episode ended within %d steps, and there is no time limit",
                      TB_CHECK_TRACE - 2);
}

// ---- E14, E15, E16: side effects ----

static uint32_t expected_control;

static int look_at_control(tb_check *c, tb_check_env *e, size_t t)
{
    (void)e;
    return TB_CHECK_THAT(c, tb_fp_control_get() == expected_control,
                         "the floating-point control register changed after %zu steps: 0x%" PRIx32
                         ", it was 0x%" PRIx32,
                         t, tb_fp_control_get(), expected_control);
}

static void side_effects_are_none(tb_check *c)
{
    int saved = dup(1), file = memfd_create("stdout", MFD_CLOEXEC);
    TB_ASSERT(saved >= 0 && file >= 0);
    fflush(stdout);
    dup2(file, 1);
    expected_control = tb_fp_control_get();
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e != NULL)
        drive(c, e, 300, look_at_control);
    tb_fp_control_set(expected_control);
    fflush(stdout);
    off_t written = lseek(file, 0, SEEK_END);
    dup2(saved, 1);
    close(saved);
    close(file);
    TB_CHECK_THAT(c, written == 0, "writes on standard output (%lld bytes); use the host's log",
                  (long long)written);
}

// AddressSanitizer's allocator, where there is one, knows what mallinfo2() does not
extern size_t __sanitizer_get_current_allocated_bytes(void) // NOLINT(bugprone-reserved-identifier)
    __attribute__((weak));

size_t tb_check_allocated_bytes(void)
{
    if (__sanitizer_get_current_allocated_bytes != NULL)
        return __sanitizer_get_current_allocated_bytes();
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// creating and destroying leaves no memory behind
static void destroy_frees_everything(tb_check *c)
{
    enum { rounds = 200, allowed = 16384 };
    size_t before = 0, after = 0;
    for (int i = 0; i < 2 * rounds; i++) {
        const tb_env_api *api;
        tb_env *env;
        tb_error error;
        if (i == rounds)
            before = tb_check_allocated_bytes();
        if (tb_plugin_create_env(c->plugin, c->id, NULL, &api, &env, NULL, &error) != TB_OK) {
            tb_check_fail(c, "%s", error.message);
            return;
        }
        api->destroy(env);
    }
    after = tb_check_allocated_bytes();
    TB_CHECK_THAT(c, after < before + allowed,
                  "%zu bytes stay allocated after %d times create and destroy", after - before,
                  rounds);
}

static const tb_check_test tests[] = {
    {"E1", "spaces are well-formed", spaces_are_well_formed},
    {"E2", "observations are finite and in the space", observations_are_in_space},
    {"E3", "writes stay inside their buffers", buffers_are_respected},
    {"E4", "same key, same trajectory", same_key_same_trajectory},
    {"E5", "earlier episodes do not matter", history_does_not_matter},
    {"E6", "instances and threads are independent", instances_are_independent},
    {"E7", "rewards are finite, flags are known", rewards_and_flags_are_sound},
    {"E8", "the call order is enforced", call_order_is_kept},
    {"E9", "step never resets by itself", step_never_resets},
    {"E10", "extreme and invalid actions", tb_check_actions},
    {"E11", "the action buffer is only read", tb_check_action_buffer},
    {"E12", "episodes last longer than one step", episodes_have_a_length},
    {"E13", "parameters and their schema agree", tb_check_env_params},
    {"E14", "no output, floating-point control kept", side_effects_are_none},
    {"E15", "denormal actions cost no more", tb_check_denormals},
    {"E16", "destroy frees everything", destroy_frees_everything},
};

const tb_check_family tb_check_environment = {TB_CHECK_ENVIRONMENTS, tests, COUNT(tests)};
