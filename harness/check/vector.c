/* SPDX-License-Identifier: MIT
 *
 * Tests V: vec/1. Each lane has a twin, a scalar instance that is asked the same; whatever a lane
 * gives must be the twin's to the bit.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check/family.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// more than the 64 lanes that an implementation may handle as one block
enum { few = 3, many = 67 };

typedef struct fleet {
    tb_check *c;
    const tb_env_vec *api;
    tb_vec *vec;
    size_t n;
    tb_check_env *twin[many];
    tb_status twin_status[many];
    tb_rng actions[many]; // what draws a lane's actions
    uint64_t episode[many];
    size_t stride[2];                       // of a row, by TB_SPACE_OBSERVATION, TB_SPACE_ACTION
    tb_check_buffer *row[2];                // [n] rows of observations, of actions
    tb_check_buffer *before;                // the observations before a call
    tb_check_buffer *reward, *flags, *keys; // [n]
    tb_check_buffer *status, *mask;         // [n]
} fleet;

static size_t row_bytes(const tb_check_env *e, uint32_t which)
{
    size_t bytes = 0;
    for (uint32_t l = 0; l < e->n_leaves[which]; l++) {
        size_t end = (size_t)(e->leaf[which][l].offset + e->leaf[which][l].bytes);
        bytes = end > bytes ? end : bytes;
    }
    return e->n_leaves[which] > 1 ? (bytes + 7) / 8 * 8 : bytes;
}

static void close_fleet(void *data)
{
    fleet *f = data;
    if (f->vec != NULL)
        f->api->destroy(f->vec);
    free(f);
}

static int open_twins(fleet *f)
{
    for (size_t i = 0; i < f->n; i++) {
        f->twin[i] = tb_check_env_open(f->c, NULL);
        if (f->twin[i] == NULL)
            return 0;
        tb_rng_init(&f->actions[i], tb_check_key(f->c, 7000 + i));
    }
    return 1;
}

// n lanes and their twins, none of them reset; NULL when skipped or failed
static fleet *open_fleet(tb_check *c, size_t n)
{
    if (tb_check_is_random(c))
        return NULL;
    if (tb_plugin_describe(c->plugin, c->id)->flags & TB_ENV_ONE_PER_PROCESS) {
        tb_check_skip(c, "the environment is declared one per process");
        return NULL;
    }
    fleet *f = tb_alloc(1, sizeof *f);
    TB_ASSERT(f != NULL);
    f->c = c;
    f->n = n;
    tb_check_defer(c, close_fleet, f);
    tb_check_env *prototype = tb_check_env_open(c, NULL);
    if (prototype == NULL)
        return NULL;
    f->api = prototype->api->get_extension(prototype->env, TB_EXT_ENV_VEC);
    if (f->api == NULL) {
        tb_check_skip(c, "no vec/1");
        return NULL;
    }
    tb_status status = f->api->create(prototype->env, n, &f->vec);
    if (!TB_CHECK_THAT(c, status == TB_OK, "create() of %zu lanes gives %s", n,
                       tb_status_name(status)))
        return NULL;
    for (uint32_t which = 0; which < 2; which++) {
        f->stride[which] = row_bytes(prototype, which);
        f->row[which] = tb_check_buffer_make(c, n * f->stride[which]);
    }
    f->before = tb_check_buffer_make(c, n * f->stride[0]);
    f->reward = tb_check_buffer_make(c, n * sizeof(double));
    f->flags = tb_check_buffer_make(c, n * sizeof(uint32_t));
    f->keys = tb_check_buffer_make(c, n * sizeof(tb_key));
    f->status = tb_check_buffer_make(c, n * sizeof(tb_status));
    f->mask = tb_check_buffer_make(c, n);
    // the lanes do not look at the prototype again
    tb_check_env_close(prototype);
    return open_twins(f) ? f : NULL;
}

static int wanted(const fleet *f, const uint8_t *mask, size_t i)
{
    (void)f;
    return mask == NULL || mask[i] != 0;
}

// ---- comparing ----

static int same_observation(const fleet *f, size_t i, const unsigned char *row)
{
    const tb_check_env *twin = f->twin[i];
    for (uint32_t l = 0; l < twin->n_leaves[TB_SPACE_OBSERVATION]; l++) {
        const tb_space *leaf = &twin->leaf[TB_SPACE_OBSERVATION][l];
        if (memcmp(row + leaf->offset, twin->obs->data + leaf->offset, (size_t)leaf->bytes) != 0)
            return 0;
    }
    return 1;
}

static int buffers_intact(const fleet *f, const char *call)
{
    const tb_check_buffer *all[] = {f->row[0], f->row[1], f->reward, f->flags,
                                    f->keys,   f->status, f->mask};
    for (size_t i = 0; i < COUNT(all); i++)
        if (!TB_CHECK_THAT(f->c, tb_check_buffer_intact(all[i]), "%s() writes outside its buffers",
                           call))
            return 0;
    return 1;
}

// what a call left of lanes outside its mask: their rows as they were, no status
static int untouched(const fleet *f, size_t i, const char *call)
{
    const tb_status *status = (const tb_status *)(const void *)f->status->data;
    const double *reward = (const double *)(const void *)f->reward->data;
    const uint32_t *flags = (const uint32_t *)(const void *)f->flags->data;
    size_t at = i * f->stride[0];
    return TB_CHECK_THAT(f->c,
                         status[i] == 77 && reward[i] == 7.5 && flags[i] == 77 &&
                             memcmp(f->row[0]->data + at, f->before->data + at, f->stride[0]) == 0,
                         "%s() writes for lane %zu, which is not in its mask", call, i);
}

// marks that no call writes
static void mark(fleet *f)
{
    for (size_t i = 0; i < f->n; i++) {
        ((tb_status *)(void *)f->status->data)[i] = 77;
        ((double *)(void *)f->reward->data)[i] = 7.5;
        ((uint32_t *)(void *)f->flags->data)[i] = 77;
    }
    memcpy(f->before->data, f->row[0]->data, f->row[0]->size);
}

// the status that a call must return: its first lane's that failed
static tb_status expected_status(const fleet *f, const uint8_t *mask)
{
    for (size_t i = 0; i < f->n; i++)
        if (wanted(f, mask, i) && f->twin_status[i] != TB_OK)
            return f->twin_status[i];
    return TB_OK;
}

static int compare_lane(const fleet *f, size_t i, const char *call, int stepped)
{
    tb_status status = ((const tb_status *)(const void *)f->status->data)[i];
    if (!TB_CHECK_THAT(f->c, status == f->twin_status[i],
                       "%s(): lane %zu gives %s, a scalar instance %s", call, i,
                       tb_status_name(status), tb_status_name(f->twin_status[i])))
        return 0;
    if (status != TB_OK)
        return 1;
    double reward = ((const double *)(const void *)f->reward->data)[i];
    uint32_t flags = ((const uint32_t *)(const void *)f->flags->data)[i];
    return TB_CHECK_THAT(f->c, same_observation(f, i, f->row[0]->data + i * f->stride[0]),
                         "%s(): lane %zu's observation has other bits than a scalar instance's",
                         call, i) &&
           TB_CHECK_THAT(f->c, !stepped || memcmp(&reward, &f->twin[i]->out.reward, 8) == 0,
                         "%s(): lane %zu's reward is %.17g, a scalar instance's %.17g", call, i,
                         reward, f->twin[i]->out.reward) &&
           TB_CHECK_THAT(f->c, !stepped || flags == f->twin[i]->out.flags,
                         "%s(): lane %zu's flags are %" PRIu32 ", a scalar instance's %" PRIu32,
                         call, i, flags, f->twin[i]->out.flags);
}

static int compare(const fleet *f, const uint8_t *mask, tb_status status, const char *call,
                   int stepped)
{
    tb_status expected = expected_status(f, mask);
    if (!TB_CHECK_THAT(f->c, status == expected, "%s() gives %s; its first lane that failed: %s",
                       call, tb_status_name(status), tb_status_name(expected)) ||
        !TB_CHECK_THAT(f->c, status == TB_OK || f->api->last_error(f->vec)[0] != '\0',
                       "%s() failed, but last_error() says nothing", call) ||
        !buffers_intact(f, call))
        return 0;
    for (size_t i = 0; i < f->n; i++)
        if (!(wanted(f, mask, i) ? compare_lane(f, i, call, stepped) : untouched(f, i, call)))
            return 0;
    return 1;
}

// ---- the calls, on lanes and twins ----

static int reset_lanes(fleet *f, const uint8_t *mask)
{
    tb_key *keys = (tb_key *)(void *)f->keys->data;
    mark(f);
    for (size_t i = 0; i < f->n; i++) {
        if (!wanted(f, mask, i))
            continue;
        keys[i] = tb_check_key(f->c, 10000 * i + f->episode[i]++);
        tb_check_env *twin = f->twin[i];
        f->twin_status[i] = twin->api->reset(twin->env, &keys[i], twin->obs->data);
        twin->out.flags = 0;
    }
    tb_status status =
        f->api->reset(f->vec, mask, keys, f->row[0]->data, (tb_status *)(void *)f->status->data);
    return compare(f, mask, status, "reset", 0);
}

// the lane's next action, also in its row
static void draw(fleet *f, size_t i)
{
    tb_check_random_action(f->twin[i], &f->actions[i]);
    memcpy(f->row[1]->data + i * f->stride[1], f->twin[i]->action->data, f->twin[i]->action->size);
}

// steps with the actions that are in the rows
static int step_drawn(fleet *f, const uint8_t *mask)
{
    mark(f);
    for (size_t i = 0; i < f->n; i++)
        if (wanted(f, mask, i)) {
            uint32_t flags = f->twin[i]->out.flags;
            f->twin_status[i] = tb_check_step(f->twin[i]);
            if (f->twin_status[i] != TB_OK)
                f->twin[i]->out.flags = flags;
        }
    tb_status status = f->api->step(
        f->vec, mask, f->row[1]->data, f->row[0]->data, (double *)(void *)f->reward->data,
        (uint32_t *)(void *)f->flags->data, (tb_status *)(void *)f->status->data);
    return compare(f, mask, status, "step", 1);
}

static int step_lanes(fleet *f, const uint8_t *mask)
{
    // rows outside the mask hold what no environment can want
    memset(f->row[1]->data, 0xff, f->row[1]->size);
    for (size_t i = 0; i < f->n; i++)
        if (wanted(f, mask, i))
            draw(f, i);
    return step_drawn(f, mask);
}

// resets the lanes whose episode has ended; 0 when the test has failed
static int reset_ended(fleet *f)
{
    size_t ended = 0;
    for (size_t i = 0; i < f->n; i++) {
        f->mask->data[i] = f->twin[i]->out.flags != 0;
        ended += f->mask->data[i];
    }
    return ended == 0 || reset_lanes(f, f->mask->data);
}

// ---- V1, V2 ----

static void lanes_equal_instances(tb_check *c)
{
    static const struct {
        size_t n, steps;
    } sizes[] = {{1, 100}, {few, 400}, {many, 60}};
    for (size_t k = 0; k < COUNT(sizes); k++) {
        fleet *f = open_fleet(c, sizes[k].n);
        if (f == NULL || !reset_lanes(f, NULL))
            return;
        for (size_t t = 0; t < sizes[k].steps; t++)
            if (!step_lanes(f, NULL) || !reset_ended(f))
                return;
    }
}

static void masks_are_respected(tb_check *c)
{
    fleet *f = open_fleet(c, many);
    tb_rng rng;
    if (f == NULL || !reset_lanes(f, NULL))
        return;
    tb_rng_init(&rng, tb_check_key(c, 12));
    for (size_t t = 0; t < 60; t++) {
        // all densities, none at all included
        double density = (double)(t % 5) / 4;
        for (size_t i = 0; i < f->n; i++)
            f->mask->data[i] = tb_rng_f64(&rng) < density ? (uint8_t)(1 + t) : 0;
        if (!step_lanes(f, f->mask->data) || !reset_ended(f))
            return;
    }
}

// ---- V3 ----

// an action of lane i that its twin refuses, in the row; 0 when there is none
static int draw_refused(fleet *f, size_t i, int above)
{
    tb_check_env *e = f->twin[i];
    const tb_space *leaf = &e->leaf[TB_SPACE_ACTION][0];
    void *at = e->action->data + leaf->offset;
    draw(f, i);
    if (above && leaf->nvec != NULL)
        tb_check_put(at, leaf->dtype, 0,
                     (double)leaf->nvec[0] + (leaf->start != NULL ? (double)leaf->start[0] : 0));
    else
        memset(at, 0xff, (size_t)leaf->bytes); // NaN, -1, 255
    memcpy(f->row[1]->data + i * f->stride[1], e->action->data, e->action->size);
    return leaf->dtype != TB_U8 || leaf->kind != TB_SPACE_BOX;
}

static void lanes_fail_alone(tb_check *c)
{
    fleet *f = open_fleet(c, many);
    if (f == NULL)
        return;
    // nothing works before the first reset, except where there was one
    for (size_t i = 0; i < f->n; i++)
        f->mask->data[i] = i % 3 != 1;
    if (!step_lanes(f, NULL) || !reset_lanes(f, f->mask->data) || !step_lanes(f, NULL) ||
        !reset_lanes(f, NULL))
        return;
    // lanes that end are left so, and refuse every step
    for (size_t t = 0; t < 60; t++)
        if (!step_lanes(f, NULL))
            return;
    // every fifth lane gets an action that it refuses
    if (!reset_lanes(f, NULL))
        return;
    for (size_t t = 0; t < 60; t++) {
        for (size_t i = 0; i < f->n; i++)
            if ((i + t) % 5 != 0 || !draw_refused(f, i, t % 2 == 0))
                draw(f, i);
        if (!step_drawn(f, NULL))
            return;
    }
}

// ---- V4 ----

typedef struct saved {
    tb_check_buffer *bytes;
    uint64_t used;
} saved;

static int save_lane(fleet *f, size_t i, saved *s)
{
    uint64_t max = f->api->max_bytes(f->vec);
    s->bytes = tb_check_buffer_make(f->c, (size_t)max);
    s->used = 0;
    tb_status status = f->api->save(f->vec, i, s->bytes->data, max, &s->used);
    return TB_CHECK_THAT(f->c, status == TB_OK, "save() of lane %zu gives %s", i,
                         tb_status_name(status)) &&
           TB_CHECK_THAT(f->c, s->used <= max && tb_check_buffer_intact(s->bytes),
                         "save() of lane %zu uses %" PRIu64 " bytes of %" PRIu64, i, s->used, max);
}

// the lane's snapshot is its twin's to the byte
static int same_bytes(fleet *f, size_t i)
{
    const tb_env_snapshot *twin = f->twin[i]->snapshot;
    saved lane, scalar = {.bytes = NULL};
    if (!save_lane(f, i, &lane))
        return 0;
    uint64_t max = twin->max_bytes(f->twin[i]->env);
    scalar.bytes = tb_check_buffer_make(f->c, (size_t)max);
    tb_status status = twin->save(f->twin[i]->env, scalar.bytes->data, max, &scalar.used);
    return TB_CHECK_THAT(f->c, status == TB_OK, "save() of the scalar instance gives %s",
                         tb_status_name(status)) &&
           TB_CHECK_THAT(f->c,
                         scalar.used == lane.used &&
                             memcmp(scalar.bytes->data, lane.bytes->data, (size_t)lane.used) == 0,
                         "the snapshot of lane %zu differs from a scalar instance's", i);
}

// puts lane `from` into lane `to` and its twin
static int copy_lane(fleet *f, size_t from, size_t to)
{
    saved s;
    tb_check_env *twin = f->twin[to];
    if (!save_lane(f, from, &s))
        return 0;
    tb_status lane = f->api->load(f->vec, to, s.bytes->data, s.used);
    tb_status scalar = twin->snapshot->load(twin->env, s.bytes->data, s.used);
    twin->out.flags = f->twin[from]->out.flags;
    if (!TB_CHECK_THAT(f->c, lane == TB_OK && scalar == TB_OK,
                       "load() of a lane's snapshot gives %s in a lane, %s in a scalar instance",
                       tb_status_name(lane), tb_status_name(scalar)))
        return 0;
    // both show it
    unsigned char *row = f->row[0]->data + to * f->stride[0];
    lane = f->api->observe(f->vec, to, row);
    scalar = twin->snapshot->observe(twin->env, twin->obs->data);
    return TB_CHECK_THAT(f->c, lane == TB_OK && scalar == TB_OK && same_observation(f, to, row),
                         "observe() of lane %zu is not that of a scalar instance", to);
}

static int rekey_lane(fleet *f, size_t i, uint64_t label)
{
    tb_key key = tb_check_key(f->c, label);
    tb_check_env *twin = f->twin[i];
    tb_status lane = f->api->rekey(f->vec, i, &key);
    tb_status scalar = twin->snapshot->rekey(twin->env, &key);
    return TB_CHECK_THAT(f->c, lane == TB_OK && scalar == TB_OK, "rekey() of lane %zu gives %s", i,
                         tb_status_name(lane));
}

static void lanes_are_saved(tb_check *c)
{
    fleet *f = open_fleet(c, many);
    if (f == NULL)
        return;
    if (f->api->scope == 0 || f->twin[0]->snapshot == NULL) {
        TB_CHECK_THAT(c, f->api->scope == 0 && f->twin[0]->snapshot == NULL,
                      "lanes and scalar instances differ in having snapshots");
        tb_check_skip(c, "no snapshots");
        return;
    }
    TB_CHECK_THAT(c, f->api->scope == f->twin[0]->snapshot->scope,
                  "scope is %" PRIu32 ", that of snapshot/1 %" PRIu32, f->api->scope,
                  f->twin[0]->snapshot->scope);
    saved s = {.bytes = tb_check_buffer_make(c, (size_t)f->api->max_bytes(f->vec))};
    tb_status status = f->api->save(f->vec, 0, s.bytes->data, s.bytes->size, &s.used);
    TB_CHECK_THAT(c, status == TB_E_STATE, "save() before the first reset gives %s",
                  tb_status_name(status));
    if (!reset_lanes(f, NULL))
        return;
    status = f->api->save(f->vec, f->n, s.bytes->data, s.bytes->size, &s.used);
    TB_CHECK_THAT(c, status == TB_E_INVALID, "save() of lane n gives %s", tb_status_name(status));
    for (size_t t = 0; t < 40; t++) {
        if (!step_lanes(f, NULL) || !same_bytes(f, t % f->n) ||
            !copy_lane(f, t % f->n, (5 * t + 2) % f->n) || !rekey_lane(f, t, 500 + t) ||
            !reset_ended(f))
            return;
    }
}

// ---- V5, V6 ----

static void stepping_takes_no_memory(tb_check *c)
{
    enum { steps = 2000, allowed = 16384 };
    fleet *f = open_fleet(c, few);
    if (f == NULL || !reset_lanes(f, NULL))
        return;
    size_t before = 0;
    for (size_t t = 0; t < 2 * steps; t++) {
        if (t == steps)
            before = tb_check_allocated_bytes();
        if (!step_lanes(f, NULL) || !reset_ended(f))
            return;
    }
    size_t after = tb_check_allocated_bytes();
    TB_CHECK_THAT(c, after < before + allowed, "%zu bytes more are allocated after %d steps",
                  after - before, steps);
}

static void lanes_are_freed(tb_check *c)
{
    enum { rounds = 100, lanes = 100, allowed = 16384 };
    size_t before = 0;
    fleet *f = open_fleet(c, 1);
    if (f == NULL)
        return;
    for (int i = 0; i < 2 * rounds; i++) {
        tb_vec *vec = NULL;
        if (i == rounds)
            before = tb_check_allocated_bytes();
        tb_status status = f->api->create(f->twin[0]->env, lanes, &vec);
        if (!TB_CHECK_THAT(c, status == TB_OK, "create() of %d lanes gives %s", lanes,
                           tb_status_name(status)))
            return;
        f->api->destroy(vec);
    }
    size_t after = tb_check_allocated_bytes();
    TB_CHECK_THAT(c, after < before + allowed,
                  "%zu bytes stay allocated after %d times create and destroy", after - before,
                  rounds);
    f->api->destroy(NULL);
    tb_vec *none = NULL;
    tb_status status = f->api->create(f->twin[0]->env, 0, &none);
    TB_CHECK_THAT(c, status == TB_E_INVALID && none == NULL, "create() of 0 lanes gives %s",
                  tb_status_name(status));
}

static const tb_check_test tests[] = {
    {"V1", "each lane equals a scalar instance", lanes_equal_instances},
    {"V2", "masks are respected", masks_are_respected},
    {"V3", "lanes fail one by one", lanes_fail_alone},
    {"V4", "lanes are saved like scalar instances", lanes_are_saved},
    {"V5", "stepping takes no memory", stepping_takes_no_memory},
    {"V6", "destroy frees the lanes", lanes_are_freed},
};

const tb_check_family tb_check_vector = {TB_CHECK_ENVIRONMENTS, tests, COUNT(tests)};
