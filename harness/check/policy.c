/* SPDX-License-Identifier: MIT
 *
 * Tests P: what a policy architecture promises (policy.h). The derivatives are in policy_numbers.c.
 */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "harness/check/family.h"
#include "harness/check/map_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

// ---- P1, P2: parameters ----

static void check_blocks(tb_check *c, tb_check_map *m)
{
    uint64_t next = 0, offset, count;
    const char *name;
    uint32_t i = 0;
    while (m->api->block(m->map, i, &offset, &count, &name) == TB_OK) {
        if (!TB_CHECK_THAT(c, offset == next,
                           "block %" PRIu32 " begins at %" PRIu64
                           ", the one before ends at %" PRIu64,
                           i, offset, next) ||
            !TB_CHECK_THAT(c, name != NULL && name[0] != '\0', "block %" PRIu32 " has no name", i))
            return;
        next = offset + count;
        i++;
    }
    TB_CHECK_THAT(c, i > 0 && next == m->n_params,
                  "%" PRIu32 " blocks hold %" PRIu64 " parameters, n_params() is %" PRIu64, i, next,
                  m->n_params);
    tb_status status = m->api->block(m->map, i, &offset, &count, &name);
    TB_CHECK_THAT(c, status == TB_E_INVALID, "block() beyond the last gives %s",
                  tb_status_name(status));
}

static void blocks_tile_the_parameters(tb_check *c)
{
    tb_check_each_map(c, 0, 1, check_blocks);
}

static void check_init(tb_check *c, tb_check_map *m)
{
    tb_key keys[2] = {tb_check_key(c, 1), tb_check_key(c, 2)};
    tb_check_buffer *again = tb_check_like(c, m->theta), *other = tb_check_like(c, m->theta);
    tb_check_buffer *arrays[3] = {m->theta, again, other};
    for (int i = 0; i < 3; i++) {
        tb_status status = m->api->init(m->map, arrays[i]->data, &keys[i / 2]);
        if (!TB_CHECK_THAT(c, status == TB_OK, "init() gives %s", tb_status_name(status)) ||
            !TB_CHECK_THAT(c, tb_check_buffer_intact(arrays[i]), "init() writes outside theta"))
            return;
    }
    TB_CHECK_THAT(c, memcmp(m->theta->data, again->data, again->size) == 0,
                  "init() with the same key gives other parameters");
    TB_CHECK_THAT(c, memcmp(m->theta->data, other->data, other->size) != 0,
                  "init() with another key gives the same parameters");
    for (uint64_t i = 0; i < m->n_params; i++)
        TB_CHECK_THAT(c, isfinite(tb_check_get(m, m->theta, i)),
                      "initial parameter %" PRIu64 " is %g", i, tb_check_get(m, m->theta, i));
    // the constant outputs begin at const_init
    if (!tb_check_forward(c, m))
        return;
    for (uint64_t i = m->spec.n_out - m->spec.n_const_out; i < m->spec.n_out; i++)
        TB_CHECK_THAT(c, tb_check_get(m, m->y, i) == m->spec.const_init,
                      "constant output %" PRIu64 " begins at %g, const_init is %g", i,
                      tb_check_get(m, m->y, i), m->spec.const_init);
}

static void init_is_a_function_of_the_key(tb_check *c)
{
    tb_check_each_map(c, 0, 1, check_init);
}

// ---- P3: forward ----

static size_t row_bytes(const tb_check_map *m, uint64_t n)
{
    return (size_t)n * (m->spec.dtype == TB_F64 ? 8 : 4);
}

// the first `rows` rows alone, or row `first` alone, against the same rows of the whole batch
static int check_part(tb_check *c, tb_check_map *m, const tb_check_buffer *whole, uint64_t first,
                      uint64_t rows)
{
    size_t in = row_bytes(m, m->spec.n_in), out = row_bytes(m, m->spec.n_out);
    tb_check_buffer *x = tb_check_buffer_make(c, (size_t)rows * in);
    tb_check_buffer *y = tb_check_buffer_make(c, (size_t)rows * out);
    tb_check_buffer *ws = tb_check_buffer_make(c, (size_t)m->api->ws_bytes(m->map, rows));
    memcpy(x->data, m->x->data + first * in, x->size);
    m->api->forward(m->map, m->theta->data, x->data, rows, y->data, ws->data);
    return TB_CHECK_THAT(c, memcmp(y->data, whole->data + first * out, y->size) == 0,
                         "row %" PRIu64 " of a batch of %" PRIu64
                         " has other bits in a batch of %" PRIu64,
                         first, m->batch, rows) &&
           TB_CHECK_THAT(c, tb_check_buffer_intact(y), "forward() writes outside y") &&
           TB_CHECK_THAT(c, tb_check_buffer_intact(ws), "forward() writes outside ws");
}

static void check_forward(tb_check *c, tb_check_map *m)
{
    tb_check_buffer *first = tb_check_like(c, m->y);
    if (!tb_check_forward(c, m))
        return;
    for (uint64_t i = 0; i < tb_check_count(m, m->y); i++)
        if (!TB_CHECK_THAT(c, isfinite(tb_check_get(m, m->y, i)), "output %" PRIu64 " is %g", i,
                           tb_check_get(m, m->y, i)))
            return;
    memcpy(first->data, m->y->data, first->size);
    if (!tb_check_forward(c, m) ||
        !TB_CHECK_THAT(c, memcmp(first->data, m->y->data, first->size) == 0,
                       "forward() twice with the same input gives other bits"))
        return;
    static const uint64_t rows[] = {1, 2, 3, 7, 16, 33, 63};
    for (uint64_t b = 0; b < m->batch; b++)
        if (!check_part(c, m, first, b, 1))
            return;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (!check_part(c, m, first, 0, rows[i]) ||
            !check_part(c, m, first, m->batch - rows[i], rows[i]))
            return;
}

static void forward_does_not_depend_on_the_batch(tb_check *c)
{
    tb_check_each_map(c, 0, 64, check_forward);
}

// ---- P8: nothing but the results is written ----

static int run_all(tb_check *c, tb_check_map *m)
{
    return tb_check_forward(c, m) && tb_check_jvp(c, m) && tb_check_vjp(c, m);
}

static void check_const(tb_check *c, tb_check_map *m)
{
    tb_check_buffer *inputs[] = {m->theta, m->x, m->v, m->w};
    static const char *const names[] = {"theta", "x", "v", "w"};
    uint64_t digest[COUNT(inputs)];
    for (size_t i = 0; i < COUNT(inputs); i++)
        digest[i] = tb_check_digest(0, inputs[i]->data, inputs[i]->size);
    run_all(c, m);
    for (size_t i = 0; i < COUNT(inputs); i++)
        if (!TB_CHECK_THAT(c, tb_check_digest(0, inputs[i]->data, inputs[i]->size) == digest[i],
                           "%s was modified", names[i]))
            return;
    // now any write is a crash
    for (size_t i = 0; i < COUNT(inputs); i++)
        tb_check_buffer_protect(inputs[i], 1);
    run_all(c, m);
    for (size_t i = 0; i < COUNT(inputs); i++)
        tb_check_buffer_protect(inputs[i], 0);
    TB_CHECK_THAT(c,
                  tb_check_buffer_intact(m->g) && tb_check_buffer_intact(m->jv) &&
                      tb_check_buffer_intact(m->y) && tb_check_buffer_intact(m->ws),
                  "writes outside y, jv, g or ws");
}

static void inputs_are_only_read(tb_check *c)
{
    tb_check_each_map(c, 0, 9, check_const);
}

// ---- P9: workspaces and threads ----

typedef struct worker {
    tb_check_map m; // the same map, own arrays
    uint64_t digest;
    int rounds, alike;
} worker;

static uint64_t results(const tb_check_map *m)
{
    uint64_t digest = tb_check_digest(0, m->y->data, m->y->size);
    digest = tb_check_digest(digest, m->jv->data, m->jv->size);
    return tb_check_digest(digest, m->g->data, m->g->size);
}

static void compute(tb_check_map *m)
{
    m->api->forward(m->map, m->theta->data, m->x->data, m->batch, m->y->data, m->ws->data);
    m->api->jvp(m->map, m->theta->data, m->x->data, m->batch, m->ws->data, m->v->data, m->jv->data);
    m->api->vjp(m->map, m->theta->data, m->x->data, m->batch, m->ws->data, m->w->data, m->g->data);
}

static void *work(void *data)
{
    worker *w = data;
    w->alike = 1;
    for (int i = 0; i < w->rounds; i++) {
        compute(&w->m);
        w->alike &= results(&w->m) == w->digest;
    }
    return NULL;
}

static void check_threads(tb_check *c, tb_check_map *m)
{
    worker workers[2];
    for (int i = 0; i < 2; i++) {
        worker *w = &workers[i];
        *w = (worker){.m = *m, .rounds = 200};
        w->m.x = tb_check_like(c, m->x);
        w->m.y = tb_check_like(c, m->y);
        w->m.jv = tb_check_like(c, m->jv);
        w->m.g = tb_check_like(c, m->g);
        w->m.ws = tb_check_like(c, m->ws);
        tb_check_fill(c, m, w->m.x, 20 + (uint64_t)i, 1);
        compute(&w->m);
        w->digest = results(&w->m);
    }
    // two workspaces in turn: each jvp and vjp belongs to the last forward of its own workspace
    for (int i = 0; i < 2; i++)
        tb_check_forward(c, &workers[i].m);
    for (int i = 0; i < 2; i++) {
        tb_check_jvp(c, &workers[i].m);
        tb_check_vjp(c, &workers[i].m);
        if (!TB_CHECK_THAT(c, results(&workers[i].m) == workers[i].digest,
                           "two workspaces used in turn disturb each other"))
            return;
    }
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        TB_ASSERT(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    TB_CHECK_THAT(c, workers[0].alike && workers[1].alike,
                  "two threads with a workspace each disturb each other");
}

static void workspaces_are_independent(tb_check *c)
{
    tb_check_each_map(c, 0, 24, check_threads);
}

// ---- P10: what the workspace held before ----

static void check_poison(tb_check *c, tb_check_map *m)
{
    uint64_t digest[2];
    for (int i = 0; i < 2; i++) {
        memset(m->ws->data, i == 0 ? 0x00 : 0xff, m->ws->size); // 0xff...: NaN in both dtypes
        memset(m->g->data, i == 0 ? 0x00 : 0xff, m->g->size);
        memset(m->jv->data, i == 0 ? 0x00 : 0xff, m->jv->size);
        if (!run_all(c, m))
            return;
        digest[i] = results(m);
    }
    TB_CHECK_THAT(c, digest[0] == digest[1],
                  "results depend on what ws, jv or g held before the call");
}

static void old_memory_does_not_matter(tb_check *c)
{
    tb_check_each_map(c, 0, 11, check_poison);
}

// ---- P12: batch sizes ----

static void check_empty(tb_check *c, tb_check_map *m)
{
    uint64_t before = tb_check_digest(0, m->y->data, m->y->size);
    tb_check_buffer *ws = tb_check_buffer_make(c, (size_t)m->api->ws_bytes(m->map, 0));
    tb_status status = m->api->forward(m->map, m->theta->data, m->x->data, 0, m->y->data, ws->data);
    TB_CHECK_THAT(c, status == TB_OK || status == TB_E_INVALID, "an empty batch gives %s",
                  tb_status_name(status));
    TB_CHECK_THAT(c, tb_check_digest(0, m->y->data, m->y->size) == before,
                  "an empty batch writes into y");
}

static void check_large(tb_check *c, tb_check_map *m)
{
    run_all(c, m);
    TB_CHECK_THAT(c,
                  tb_check_buffer_intact(m->y) && tb_check_buffer_intact(m->jv) &&
                      tb_check_buffer_intact(m->g) && tb_check_buffer_intact(m->ws),
                  "writes outside its arrays with %" PRIu64 " rows", m->batch);
}

static void every_batch_size_works(tb_check *c)
{
    static const uint64_t sizes[] = {1, 3, 8, 17, 192, 1000};
    tb_check_each_map(c, 0, 4, check_empty);
    for (size_t i = 0; i < COUNT(sizes); i++)
        tb_check_each_map(c, 0, sizes[i], check_large);
}

// ---- P17: the constant outputs ----

static void check_constant_outputs(tb_check *c, tb_check_map *m)
{
    uint64_t n_out = m->spec.n_out;
    if (!tb_check_forward(c, m))
        return;
    for (uint64_t b = 1; b < m->batch; b++)
        for (uint64_t i = n_out - m->spec.n_const_out; i < n_out; i++)
            TB_CHECK_THAT(c, tb_check_get(m, m->y, b * n_out + i) == tb_check_get(m, m->y, i),
                          "constant output %" PRIu64 " depends on x", i);
}

static void constant_outputs_ignore_the_input(tb_check *c)
{
    tb_check_each_map(c, 0, 5, check_constant_outputs);
}

// ---- P19: the features ----

// out [B][H] of the whole batch after forward(); NULL when the test has failed
static tb_check_buffer *ask_features(tb_check *c, tb_check_map *m, const tb_map_features *features)
{
    size_t H = (size_t)features->n_features(m->map);
    tb_check_buffer *out = tb_check_buffer_make(c, row_bytes(m, H) * (size_t)m->batch);
    tb_status status =
        features->features(m->map, m->x->data, m->batch, m->ws->data, (void *)out->data);
    if (!TB_CHECK_THAT(c, status == TB_OK, "features() gives %s", tb_status_name(status)) ||
        !TB_CHECK_THAT(c, tb_check_buffer_intact(out), "features() writes outside out"))
        return NULL;
    return out;
}

// the features of row b alone
static int check_features_row(tb_check *c, const tb_check_map *m, const tb_map_features *features,
                              const tb_check_buffer *whole, uint64_t b)
{
    size_t in = row_bytes(m, m->spec.n_in), size = whole->size / (size_t)m->batch;
    tb_check_map one = *m;
    one.batch = 1;
    one.x = tb_check_buffer_make(c, in);
    one.y = tb_check_buffer_make(c, row_bytes(m, m->spec.n_out));
    one.ws = tb_check_buffer_make(c, (size_t)m->api->ws_bytes(m->map, 1));
    memcpy(one.x->data, m->x->data + b * in, in);
    tb_check_buffer *alone = tb_check_forward(c, &one) ? ask_features(c, &one, features) : NULL;
    return alone != NULL && TB_CHECK_THAT(c, memcmp(alone->data, whole->data + b * size, size) == 0,
                                          "the features of row %" PRIu64 " of a batch of %" PRIu64
                                          " have other bits in a batch of 1",
                                          b, m->batch);
}

static void check_features(tb_check *c, tb_check_map *m)
{
    const tb_map_features *features = m->api->get_extension(m->map, TB_EXT_MAP_FEATURES);
    if (features == NULL) {
        tb_check_skip(c, "no features");
        return;
    }
    if (!TB_CHECK_THAT(c,
                       TB_HAS(tb_map_features, features, features) &&
                           features->n_features != NULL && features->features != NULL,
                       "\"" TB_EXT_MAP_FEATURES "\" is short or has NULL"))
        return;
    // the same number for every shape: two more outputs, one of them constant
    uint64_t H = features->n_features(m->map);
    const tb_check_shape other = {m->spec.n_in, m->spec.n_out + 2, m->spec.n_const_out + 1};
    tb_check_map *more = tb_check_map_open(c, &other, m->spec.dtype, 1);
    if (more == NULL || !TB_CHECK_THAT(c, H >= 1, "n_features() is 0") ||
        !TB_CHECK_THAT(c, features->n_features(more->map) == H,
                       "n_features() is %" PRIu64 " with %" PRIu64 " outputs, %" PRIu64
                       " with %" PRIu64,
                       H, m->spec.n_out, features->n_features(more->map), more->spec.n_out))
        return;
    if (!tb_check_forward(c, m))
        return;
    uint64_t before = tb_check_digest(0, m->ws->data, m->ws->size);
    const tb_check_buffer *first = ask_features(c, m, features);
    if (first == NULL || !TB_CHECK_THAT(c, tb_check_digest(0, m->ws->data, m->ws->size) == before,
                                        "features() writes into ws"))
        return;
    for (uint64_t i = 0; i < tb_check_count(m, first); i++)
        if (!TB_CHECK_THAT(c, isfinite(tb_check_get(m, first, i)), "feature %" PRIu64 " is %g", i,
                           tb_check_get(m, first, i)))
            return;
    // they are those of the forward() before, whatever was computed since
    if (!tb_check_jvp(c, m) || !tb_check_vjp(c, m))
        return;
    const tb_check_buffer *again = ask_features(c, m, features);
    if (again == NULL || !TB_CHECK_THAT(c, memcmp(first->data, again->data, first->size) == 0,
                                        "jvp() or vjp() changes the features"))
        return;
    for (uint64_t b = 0; b < m->batch; b++)
        if (!check_features_row(c, m, features, first, b))
            return;
}

static void features_belong_to_forward(tb_check *c)
{
    tb_check_each_map(c, 0, 21, check_features);
}

static const tb_check_test tests[] = {
    {"P1", "blocks tile the parameters", blocks_tile_the_parameters},
    {"P2", "init is a function of the key", init_is_a_function_of_the_key},
    {"P3", "rows do not depend on the batch", forward_does_not_depend_on_the_batch},
    {"P4", "vjp is the adjoint of jvp", tb_check_adjoint},
    {"P5", "jvp equals central differences", tb_check_differences},
    {"P6", "jvp and vjp are linear", tb_check_linear},
    {"P7", "J'MJ is symmetric and positive", tb_check_fisher},
    {"P8", "inputs are only read", inputs_are_only_read},
    {"P9", "workspaces and threads are independent", workspaces_are_independent},
    {"P10", "old memory does not matter", old_memory_does_not_matter},
    {"P12", "every batch size works", every_batch_size_works},
    {"P13", "every parameter matters", tb_check_influence},
    {"P16", "float32 agrees with float64", tb_check_precisions},
    {"P17", "constant outputs ignore the input", constant_outputs_ignore_the_input},
    {"P18", "parameters and their schema agree", tb_check_policy_params},
    {"P19", "features are those of the last forward", features_belong_to_forward},
};

const tb_check_family tb_check_policy = {TB_CHECK_POLICIES, tests, COUNT(tests)};
