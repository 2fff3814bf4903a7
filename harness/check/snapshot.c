/* SPDX-License-Identifier: MIT
 *
 * Tests S: snapshot/1, what vine stands on.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check/family.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

typedef struct saved {
    tb_check_buffer *buffer;
    uint64_t used;
} saved;

// opens the environment; NULL when it has no snapshots (skipped), is random (skipped) or has failed
static tb_check_env *open_env(tb_check *c)
{
    if (tb_check_is_random(c))
        return NULL;
    tb_check_env *e = tb_check_env_open(c, NULL);
    if (e != NULL && e->snapshot == NULL) {
        tb_check_skip(c, "no snapshots");
        return NULL;
    }
    return e;
}

static int save(tb_check *c, tb_check_env *e, saved *s)
{
    uint64_t max = e->snapshot->max_bytes(e->env);
    s->buffer = tb_check_buffer_make(c, (size_t)max);
    s->used = 0;
    tb_status status = e->snapshot->save(e->env, s->buffer->data, max, &s->used);
    return TB_CHECK_THAT(c, status == TB_OK, "save() gives %s", tb_status_name(status)) &&
           TB_CHECK_THAT(c, s->used <= max, "save() used %" PRIu64 " bytes, max_bytes is %" PRIu64,
                         s->used, max) &&
           TB_CHECK_THAT(c, tb_check_buffer_intact(s->buffer), "save() writes outside its buffer");
}

static int load(tb_check *c, tb_check_env *e, const saved *s)
{
    tb_status status = e->snapshot->load(e->env, s->buffer->data, s->used);
    return TB_CHECK_THAT(c, status == TB_OK, "load() gives %s", tb_status_name(status));
}

// loads and plays 40 steps; 0 when the test has failed
static int replay(tb_check *c, tb_check_env *e, const saved *s, tb_check_trace *trace)
{
    if (!load(c, e, s))
        return 0;
    tb_check_continue(e, 3, 40, trace);
    return 1;
}

// k steps into an episode: saved in *s, and what the next 40 steps are in `expected`
static tb_check_env *prepare(tb_check *c, size_t k, saved *s, tb_check_trace *expected)
{
    tb_check_env *e = open_env(c);
    if (e == NULL)
        return NULL;
    tb_check_prefix(c, e, k, expected);
    if (!save(c, e, s))
        return NULL;
    tb_check_continue(e, 3, 40, expected);
    return e;
}

static void goes_on_alike(tb_check *c)
{
    static const size_t steps[] = {0, 1, 6, 30};
    tb_check_trace *expected = tb_check_trace_make(c), *again = tb_check_trace_make(c);
    for (size_t i = 0; i < COUNT(steps); i++) {
        saved s;
        tb_check_env *e = prepare(c, steps[i], &s, expected);
        if (e == NULL || !replay(c, e, &s, again) ||
            !tb_check_same(c, expected, again, "saved, stepped, loaded, stepped"))
            return;
    }
}

static void loads_into_any_instance(tb_check *c)
{
    tb_check_trace *expected = tb_check_trace_make(c), *other = tb_check_trace_make(c);
    saved s;
    tb_check_env *e = prepare(c, 6, &s, expected);
    tb_check_env *fresh = e != NULL ? tb_check_env_open(c, NULL) : NULL;
    if (fresh == NULL || !replay(c, fresh, &s, other) ||
        !tb_check_same(c, expected, other, "loaded into a fresh instance"))
        return;
    // other episodes, other lengths, other last actions
    for (uint64_t i = 0; i < 8; i++) {
        tb_check_env *used = tb_check_env_open(c, NULL);
        if (used == NULL)
            return;
        tb_check_play(used, tb_check_key(c, 200 + i), 200 + i, i == 0 ? 400 : i, other);
        if (!replay(c, used, &s, other) ||
            !tb_check_same(c, expected, other, "loaded into an instance with another history"))
            return;
    }
}

static void bytes_are_only_read(tb_check *c)
{
    tb_check_trace *expected = tb_check_trace_make(c), *again = tb_check_trace_make(c);
    saved s;
    tb_check_env *e = prepare(c, 6, &s, expected);
    if (e == NULL)
        return;
    uint64_t digest = tb_check_digest(0, s.buffer->data, (size_t)s.used);
    for (int i = 0; i < 100; i++) {
        tb_check_buffer_protect(s.buffer, i > 0); // the first time, to say what happened
        if (!replay(c, e, &s, again) ||
            !TB_CHECK_THAT(c, tb_check_digest(0, s.buffer->data, (size_t)s.used) == digest,
                           "load() writes into the snapshot") ||
            !tb_check_same(c, expected, again, "loaded many times from the same bytes"))
            break;
    }
    tb_check_buffer_protect(s.buffer, 0);
}

static void equal_states_give_equal_bytes(tb_check *c)
{
    tb_check_trace *expected = tb_check_trace_make(c);
    saved s, again;
    tb_check_env *e = prepare(c, 6, &s, expected);
    tb_check_env *fresh = e != NULL ? tb_check_env_open(c, NULL) : NULL;
    if (fresh == NULL || !load(c, fresh, &s) || !save(c, fresh, &again))
        return;
    TB_CHECK_THAT(
        c, s.used == again.used && memcmp(s.buffer->data, again.buffer->data, (size_t)s.used) == 0,
        "save(load(bytes)) differs from the bytes");
}

static void sizes_are_respected(tb_check *c)
{
    tb_check_trace *expected = tb_check_trace_make(c);
    saved s;
    tb_check_env *e = open_env(c);
    if (e == NULL)
        return;
    uint64_t used, max = e->snapshot->max_bytes(e->env);
    tb_check_buffer *small = tb_check_buffer_make(c, (size_t)max);
    tb_status status = e->snapshot->save(e->env, small->data, max, &used);
    TB_CHECK_THAT(c, status == TB_E_STATE, "save() before reset() gives %s, not TB_E_STATE",
                  tb_status_name(status));
    e = prepare(c, 6, &s, expected);
    if (e == NULL)
        return;
    TB_CHECK_THAT(c, e->snapshot->max_bytes(e->env) == max, "max_bytes() changed");
    uint64_t before = tb_check_digest(0, small->data, small->size);
    const uint64_t caps[] = {0, 1, s.used - 1};
    for (size_t i = 0; i < COUNT(caps); i++) {
        status = e->snapshot->save(e->env, small->data, caps[i], &used);
        TB_CHECK_THAT(c, status == TB_E_INVALID,
                      "save() into %" PRIu64 " bytes gives %s, not TB_E_INVALID", caps[i],
                      tb_status_name(status));
        TB_CHECK_THAT(c, tb_check_digest(0, small->data, small->size) == before,
                      "save() writes although the buffer is too small");
    }
}

static void every_byte_is_written(tb_check *c)
{
    tb_check_trace *expected = tb_check_trace_make(c);
    saved s;
    tb_check_env *e = prepare(c, 6, &s, expected);
    if (e == NULL)
        return;
    tb_check_buffer *copies[2];
    for (int i = 0; i < 2; i++) {
        uint64_t used;
        copies[i] = tb_check_buffer_make(c, s.buffer->size);
        memset(copies[i]->data, i == 0 ? 0x00 : 0xff, s.buffer->size);
        e->snapshot->save(e->env, copies[i]->data, s.buffer->size, &used);
        TB_CHECK_THAT(c, used == s.used || e->snapshot->max_bytes(e->env) > s.used,
                      "save() used %" PRIu64 " bytes, before %" PRIu64, used, s.used);
        if (i == 1)
            TB_CHECK_THAT(
                c, memcmp(copies[0]->data, copies[1]->data, (size_t)used) == 0,
                "save() leaves bytes unwritten (they depend on the buffer's old content)");
    }
}

// ---- S7: bytes that are no snapshot ----

static void refuse(tb_check *c, tb_check_env *e, const void *bytes, uint64_t n, const char *what)
{
    tb_status status = e->snapshot->load(e->env, bytes, n);
    TB_CHECK_THAT(c, status == TB_E_CORRUPT,
                  "%s (%" PRIu64 " bytes): load() gives %s, not "
                  "TB_E_CORRUPT",
                  what, n, tb_status_name(status));
}

// a snapshot of the same environment with another value of some parameter; 0 when there is none
static int save_other_params(tb_check *c, saved *s)
{
    const tb_params_schema *schema = c->plugin->schema;
    for (uint32_t i = 0; schema != NULL && i < schema->count(c->id); i++) {
        tb_param_info info = {.struct_size = sizeof info};
        if (schema->get(c->id, i, &info) != TB_OK || info.type != TB_PARAM_F64 ||
            !isfinite(info.low))
            continue;
        double value = isfinite(info.high) ? 0.5 * (info.low + info.high) : info.low + 1.25;
        if (info.default_text != NULL && strtod(info.default_text, NULL) == value)
            value = 0.5 * (info.low + value);
        json_t *params = json_pack("{s:f}", info.key, value);
        tb_check_env *other = tb_check_env_open(c, params);
        json_decref(params);
        if (other == NULL)
            return 0;
        tb_check_trace *trace = tb_check_trace_make(c);
        tb_check_prefix(c, other, 3, trace);
        return save(c, other, s);
    }
    return 0;
}

static void garbage_is_refused(tb_check *c)
{
    enum { large = 1 << 20 };
    tb_check_trace *expected = tb_check_trace_make(c), *after = tb_check_trace_make(c);
    saved s, other;
    tb_check_env *e = prepare(c, 6, &s, expected);
    if (e == NULL || !load(c, e, &s))
        return;
    tb_check_buffer *random = tb_check_buffer_make(c, large);
    tb_rng rng;
    tb_rng_init(&rng, tb_check_key(c, 9));
    for (size_t i = 0; i < large; i += 8) {
        uint64_t bits = tb_rng_u64(&rng);
        memcpy(random->data + i, &bits, sizeof bits);
    }
    refuse(c, e, s.buffer->data, 0, "nothing");
    refuse(c, e, s.buffer->data, 1, "a truncated snapshot");
    refuse(c, e, s.buffer->data, s.used - 1, "a truncated snapshot");
    refuse(c, e, random->data, s.used, "random bytes");
    refuse(c, e, random->data, large, "random bytes");
    memcpy(random->data, s.buffer->data, (size_t)s.used);
    refuse(c, e, random->data, s.used + 8, "a snapshot with bytes behind it");
    if (save_other_params(c, &other))
        refuse(c, e, other.buffer->data, other.used, "a snapshot of other parameters");
    // none of it changed anything
    tb_check_continue(e, 3, 40, after);
    tb_check_same(c, expected, after, "going on after snapshots that were refused");
}

// flipped bits need not be noticed (the host's checksum does that), but must not do harm
static void flipped_bits_do_no_harm(tb_check *c)
{
    tb_check_trace *expected = tb_check_trace_make(c), *after = tb_check_trace_make(c);
    saved s;
    tb_check_env *e = prepare(c, 6, &s, expected);
    if (e == NULL)
        return;
    tb_check_buffer *copy = tb_check_buffer_make(c, (size_t)s.used);
    tb_rng rng;
    tb_rng_init(&rng, tb_check_key(c, 10));
    for (int i = 0; i < 300; i++) {
        memcpy(copy->data, s.buffer->data, (size_t)s.used);
        uint64_t bit = tb_rng_u64(&rng) % (8 * s.used);
        copy->data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        tb_status status = e->snapshot->load(e->env, copy->data, s.used);
        if (!TB_CHECK_THAT(c, status == TB_OK || status == TB_E_CORRUPT,
                           "load() of a flipped bit gives %s", tb_status_name(status)))
            return;
        tb_check_continue(e, 3, 5, after);
    }
    if (replay(c, e, &s, after))
        tb_check_same(c, expected, after, "the right snapshot after damaged ones");
}

// ---- S8, S9, S10 ----

static void ends_and_beginnings_are_saved(tb_check *c)
{
    tb_check_trace *trace = tb_check_trace_make(c);
    tb_check_env *e = open_env(c), *other = e != NULL ? tb_check_env_open(c, NULL) : NULL;
    saved s;
    if (other == NULL)
        return;
    // at the start: observe() is what reset() wrote
    tb_check_play(e, tb_check_key(c, 0), 0, 0, trace);
    if (!save(c, e, &s) || !load(c, other, &s))
        return;
    tb_status status = other->snapshot->observe(other->env, other->obs->data);
    if (!TB_CHECK_THAT(c,
                       status == TB_OK && memcmp(other->obs->data, e->obs->data, e->obs->size) == 0,
                       "observe() at the start is not the observation that reset() wrote"))
        return;
    // at an end: no step, the last observation
    if (!tb_check_play_to_end(c, e, trace) || !save(c, e, &s) || !load(c, other, &s))
        return;
    status = other->snapshot->observe(other->env, other->obs->data);
    TB_CHECK_THAT(c, status == TB_OK && memcmp(other->obs->data, e->obs->data, e->obs->size) == 0,
                  "observe() at an end is not the observation that the last step wrote");
    memcpy(other->action->data, e->action->data, e->action->size);
    status = tb_check_step(other);
    TB_CHECK_THAT(c, status == TB_E_STATE,
                  "step() after loading an ended episode gives %s, not TB_E_STATE",
                  tb_status_name(status));
}

static int differs(const tb_check_trace *a, const tb_check_trace *b)
{
    return a->n != b->n || memcmp(a->digest, b->digest, 8 * a->n) != 0;
}

static void rekey_replaces_the_stream(tb_check *c)
{
    enum { n_keys = 4 };
    tb_check_trace *expected = tb_check_trace_make(c), *trace[n_keys], *again;
    saved s;
    tb_check_env *e = prepare(c, 2, &s, expected);
    if (e == NULL)
        return;
    int different = 0;
    again = tb_check_trace_make(c);
    for (uint64_t i = 0; i < n_keys; i++) {
        tb_key key = tb_check_key(c, 300 + i);
        trace[i] = tb_check_trace_make(c);
        for (int round = 0; round < 2; round++) {
            if (!load(c, e, &s))
                return;
            tb_status status = e->snapshot->rekey(e->env, &key);
            if (!TB_CHECK_THAT(c, status == TB_OK, "rekey() gives %s", tb_status_name(status)))
                return;
            tb_check_continue(e, 3, 40, round == 0 ? trace[i] : again);
        }
        if (!tb_check_same(c, trace[i], again, "rekeyed twice with one key"))
            return;
        different |= differs(trace[0], trace[i]) || differs(expected, trace[i]);
    }
    // of an id some of whose parameters make steps random, a model tells whether these do
    int stochastic = (e->desc->flags & TB_ENV_STOCHASTIC_STEP) != 0 && !tb_check_steps_are_fixed(e);
    TB_CHECK_THAT(c, !stochastic || different,
                  "declared TB_ENV_STOCHASTIC_STEP, but rekey() changes nothing");
    TB_CHECK_THAT(c, stochastic || !different,
                  "rekey() changes the episode, but TB_ENV_STOCHASTIC_STEP is not declared");
}

static void saving_does_not_disturb(tb_check *c)
{
    tb_check_trace *without = tb_check_trace_make(c), *with = tb_check_trace_make(c);
    tb_check_env *e = open_env(c);
    saved s;
    if (e == NULL)
        return;
    tb_check_prefix(c, e, 4, without);
    tb_check_continue(e, 3, 40, without);
    tb_check_prefix(c, e, 4, with);
    for (int i = 0; i < 3; i++) {
        if (!save(c, e, &s))
            return;
        e->snapshot->observe(e->env, e->obs->data);
    }
    tb_check_continue(e, 3, 40, with);
    tb_check_same(c, without, with, "the same episode with save() and observe() in between");
}

static const tb_check_test tests[] = {
    {"S1", "loading goes back exactly", goes_on_alike},
    {"S2", "loads into any instance", loads_into_any_instance},
    {"S3", "load only reads, again and again", bytes_are_only_read},
    {"S4", "equal states give equal bytes", equal_states_give_equal_bytes},
    {"S5", "sizes are respected", sizes_are_respected},
    {"S6", "every byte is written", every_byte_is_written},
    {"S7", "garbage is refused", garbage_is_refused},
    {"S7b", "flipped bits do no harm", flipped_bits_do_no_harm},
    {"S8", "starts and ends are saved", ends_and_beginnings_are_saved},
    {"S9", "rekey replaces the random stream", rekey_replaces_the_stream},
    {"S10", "saving does not disturb", saving_does_not_disturb},
};

const tb_check_family tb_check_snapshot = {TB_CHECK_ENVIRONMENTS, tests, COUNT(tests)};
