/* SPDX-License-Identifier: MIT
 *
 * vec/1 of the kit where the conformance checker cannot look: allocations, states beyond the finite
 * numbers, bytes beside the doubles, definitions with a mistake. That lanes equal scalar instances
 * is the checker's V1 to V4, on every plugin.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static int n_allocations, fail_allocation; /* which one from now on fails; 0 = none */
static void *counted_calloc(size_t count, size_t size)
{
    n_allocations++;
    return fail_allocation && --fail_allocation == 0 ? NULL : calloc(count, size);
}
#define calloc counted_calloc
#include <trpo-bench/env_kit.h>
#undef calloc

#include "tests/env_plugin_testing.h"

enum { n_lanes = 70 }; /* more than one block */

/* ---- growth: x and y grow by a factor; with step_lanes() ---- */

static const char *const growth_names[] = {"x", "y", NULL};

static void growth_reset(const void *params, void *state, tb_rng *rng)
{
    double *x = state;
    (void)params;
    x[0] = tb_rng_uniform(rng, 2, 3);
    x[1] = tb_rng_uniform(rng, 2, 3);
}

static double grow(const double *by, double *x, double *y, uint32_t *flags)
{
    *x *= by[0];
    *y *= by[1];
    *flags = *y < -1e100 ? TB_TERMINATED : 0;
    return by[0] == 3 ? (double)NAN : *x - *y;
}

static double growth_step(const void *params, void *state, const void *action, tb_rng *rng,
                          uint32_t *flags)
{
    double *x = state;
    (void)params, (void)rng;
    return grow(action, &x[0], &x[1], flags);
}

static int n_blocks; /* calls of step_lanes() */

static void growth_step_lanes(const void *params, uint64_t n, double *const *lanes,
                              const void *actions, double *rewards, uint32_t *flags)
{
    const double *by = actions;
    (void)params;
    assert_in_range(n, 1, TB_KIT_LANES);
    n_blocks++;
    for (uint64_t i = 0; i < n; i++)
        rewards[i] = grow(by + 2 * i, &lanes[0][i], &lanes[1][i], &flags[i]);
}

static const tb_kit_def growth = {
    .desc = {.struct_size = sizeof(tb_env_desc), .id = "test/Growth-v0", .summary = "Growth."},
    .state_names = growth_names,
    .state_bytes = 2 * sizeof(double),
    .observation = TB_KIT_BOX("size", TB_F32, 2),
    .action = TB_KIT_BOX("factors", TB_F64, 2),
    .reset = growth_reset,
    .step = growth_step,
    .step_lanes = growth_step_lanes,
};

/* The same, but the observation tells only signs: it is finite when the state is not. */
static void observe_signs(const void *params, const void *state, void *observation)
{
    const double *x = state;
    (void)params;
    for (int k = 0; k < 2; k++)
        ((float *)observation)[k] = x[k] < 0;
}

static const tb_kit_def hidden = {
    .desc = {.struct_size = sizeof(tb_env_desc), .id = "test/Hidden-v0", .summary = "Signs."},
    .state_names = growth_names,
    .state_bytes = 2 * sizeof(double),
    .observation = TB_KIT_BOX("signs", TB_F32, 2),
    .action = TB_KIT_BOX("factors", TB_F64, 2),
    .reset = growth_reset,
    .step = growth_step,
    .step_lanes = growth_step_lanes,
    .observe = observe_signs,
};

/* ---- a walk with noise and bytes beside the double: lane by lane ---- */

typedef struct walk_state {
    double x;
    int64_t left;
    uint8_t last[4];
} walk_state;

static void walk_reset(const void *params, void *state, tb_rng *rng)
{
    walk_state *s = state;
    (void)params;
    s->x = tb_rng_f64(rng);
    s->left = 5 + (int64_t)(20 * tb_rng_f64(rng));
}

static double walk_step(const void *params, void *state, const void *action, tb_rng *rng,
                        uint32_t *flags)
{
    walk_state *s = state;
    double noise = tb_rng_f64(rng);
    (void)params;
    s->x += noise + s->last[0]; /* the action acts a step later */
    memcpy(s->last, action, sizeof s->last);
    *flags |= --s->left == 0 ? TB_TRUNCATED : 0;
    return s->x;
}

static const char *const walk_names[] = {"x", NULL};

#define WALK(id_, flags_, lanes_)                                                                  \
    {                                                                                              \
        .desc = {.struct_size = sizeof(tb_env_desc),                                               \
                 .flags = flags_,                                                                  \
                 .id = id_,                                                                        \
                 .summary = "A noisy walk."},                                                      \
        .state_names = walk_names, .state_bytes = sizeof(walk_state),                              \
        .observation = TB_KIT_BOX("position", TB_F64, 1),                                          \
        .action = {"bits", TB_SPACE_MULTI_BINARY, TB_U8, 1, 0, {4, 0, 0}, 0, NULL},                \
        .reset = walk_reset, .step = walk_step, .step_lanes = lanes_,                              \
    }

static const tb_kit_def walk = WALK("test/Walk-v0", TB_ENV_STOCHASTIC_STEP, NULL);
static const tb_kit_def bytes_beside = WALK("test/Bytes-v0", 0, growth_step_lanes);

static const tb_kit_def noisy_lanes = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "test/Noisy-v0",
             .summary = "Noise and lanes."},
    .state_names = growth_names,
    .state_bytes = 2 * sizeof(double),
    .observation = TB_KIT_BOX("size", TB_F32, 2),
    .action = TB_KIT_BOX("factors", TB_F64, 2),
    .reset = growth_reset,
    .step = growth_step,
    .step_lanes = growth_step_lanes,
};

TB_KIT_PLUGIN(&growth, &hidden, &walk, &bytes_beside, &noisy_lanes);

/* ---- lanes beside their twins ---- */

typedef struct fleet {
    const tb_env_vec *api;
    tb_vec *vec;
    tb_test_env twin[n_lanes];
    tb_key key[n_lanes];
    tb_status status[n_lanes];
    double reward[n_lanes];
    uint32_t flags[n_lanes];
    uint8_t mask[n_lanes];
} fleet;

static fleet *open_fleet(const char *id)
{
    fleet *f = calloc(1, sizeof *f);
    for (uint64_t i = 0; i < n_lanes; i++) {
        f->twin[i] = tb_test_create(id, NULL, 0);
        f->key[i] = tb_test_key(i);
    }
    f->api = f->twin[0].api->get_extension(f->twin[0].env, TB_EXT_ENV_VEC);
    assert_non_null(f->api);
    assert_int_equal(f->api->create(f->twin[0].env, n_lanes, &f->vec), TB_OK);
    return f;
}

static void close_fleet(fleet *f)
{
    for (int i = 0; i < n_lanes; i++)
        tb_test_destroy(&f->twin[i]);
    f->api->destroy(f->vec);
    free(f);
}

/* Noise, counters and held actions belong to the lane. */
static void test_bytes_and_noise(void **state)
{
    (void)state;
    fleet *f = open_fleet("test/Walk-v0");
    double obs[n_lanes] = {0}, x = 0;
    uint8_t action[4 * n_lanes];
    unsigned char saved[2][256];
    uint64_t used[2] = {0, 0};
    tb_key other = tb_test_key(1000);
    assert_int_equal(f->api->scope, TB_SNAP_SAME_BINARY);
    assert_int_equal(f->api->reset(f->vec, NULL, f->key, obs, f->status), TB_OK);
    for (size_t i = 0; i < n_lanes; i++) {
        assert_int_equal(f->twin[i].api->reset(f->twin[i].env, &f->key[i], &x), TB_OK);
        assert_true(x == obs[i]);
        f->mask[i] = 1;
    }
    size_t running = n_lanes;
    for (size_t t = 0; running > 0; t++) {
        for (size_t i = 0; i < sizeof action; i++)
            action[i] = (uint8_t)((i * 7 + t) % 3 == 0);
        assert_int_equal(f->api->step(f->vec, f->mask, action, obs, f->reward, f->flags, f->status),
                         TB_OK);
        for (size_t i = 0; i < n_lanes; i++) {
            tb_step out = {.struct_size = sizeof out};
            tb_test_env *e = &f->twin[i];
            if (!f->mask[i])
                continue;
            assert_int_equal(e->api->step(e->env, action + 4 * i, &x, &out), TB_OK);
            assert_true(x == obs[i] && out.reward == f->reward[i] && out.flags == f->flags[i]);
            assert_int_equal(e->snapshot->save(e->env, saved[0], 256, &used[0]), TB_OK);
            assert_int_equal(f->api->save(f->vec, i, saved[1], 256, &used[1]), TB_OK);
            assert_int_equal(used[0], used[1]);
            assert_memory_equal(saved[0], saved[1], used[0]);
            f->mask[i] = f->flags[i] == 0;
            running -= f->flags[i] != 0;
            /* other noise from here on */
            if (t == 3)
                assert_int_equal(f->api->rekey(f->vec, i, &other), TB_OK);
            if (t == 3)
                assert_int_equal(e->snapshot->rekey(e->env, &other), TB_OK);
        }
        assert_in_range(t, 0, 30);
    }
    close_fleet(f);
}

static void reset_both(fleet *f, float *obs)
{
    assert_int_equal(f->api->reset(f->vec, NULL, f->key, obs, f->status), TB_OK);
    for (size_t i = 0; i < n_lanes; i++)
        assert_int_equal(f->twin[i].api->reset(f->twin[i].env, &f->key[i], obs + 2 * i), TB_OK);
}

/* Lanes and twins step with the same actions; those outside the mask stand still. */
static void step_both(fleet *f, const uint8_t *mask, const double *action, tb_status expected)
{
    static float obs[2 * n_lanes];
    assert_int_equal(f->api->step(f->vec, mask, action, obs, f->reward, f->flags, f->status),
                     expected);
    for (size_t i = 0; i < n_lanes; i++) {
        tb_step out = {.struct_size = sizeof out};
        float row[2];
        if (mask && !mask[i])
            continue;
        tb_status status = f->twin[i].api->step(f->twin[i].env, action + 2 * i, row, &out);
        assert_int_equal(f->status[i], status);
        if (status != TB_OK)
            continue;
        assert_memory_equal(obs + 2 * i, row, sizeof row);
        assert_true(f->reward[i] == out.reward && f->flags[i] == out.flags);
    }
}

/* One lane multiplies by `factors`, the others by 1: it alone gets `expected`. */
static void lose_one(const char *id, const double factors[2], int masked, tb_status expected)
{
    fleet *f = open_fleet(id);
    static double action[2 * n_lanes];
    static float obs[2 * n_lanes];
    const uint8_t *mask = masked ? f->mask : NULL;
    memset(f->mask, 1, n_lanes);
    f->mask[7] = 0;
    reset_both(f, obs);
    for (size_t i = 0; i < n_lanes; i++)
        for (size_t k = 0; k < 2; k++)
            action[2 * i + k] = i == 33 ? factors[k] : 1;
    n_blocks = 0;
    step_both(f, mask, action, expected);
    assert_int_equal(n_blocks, 2); /* 64 lanes and 6 */
    for (size_t i = 0; i < n_lanes; i++)
        assert_int_equal(f->status[i], i == 33 ? expected : TB_OK);
    if (expected == TB_OK) {
        close_fleet(f);
        return;
    }
    assert_non_null(strstr(f->api->last_error(f->vec), "left the finite numbers"));
    /* lost until it is reset; the others go on */
    step_both(f, mask, action, TB_E_STATE);
    assert_non_null(strstr(f->api->last_error(f->vec), "became non-finite"));
    reset_both(f, obs);
    action[2 * 33] = action[2 * 33 + 1] = 1;
    step_both(f, NULL, action, TB_OK);
    close_fleet(f);
}

/* By its state, its reward, or an observation that float cannot hold. */
static void test_lost_lanes(void **state)
{
    (void)state;
    static const double state_lost[] = {1, 1.79e308}, reward_lost[] = {3, 1},
                        float_lost[] = {1e39, 1e39};
    for (int masked = 0; masked < 2; masked++) {
        lose_one("test/Growth-v0", state_lost, masked, TB_E_NUMERIC);
        lose_one("test/Growth-v0", reward_lost, masked, TB_E_NUMERIC);
        lose_one("test/Growth-v0", float_lost, masked, TB_E_NUMERIC);
        lose_one("test/Hidden-v0", state_lost, masked, TB_E_NUMERIC);
        lose_one("test/Hidden-v0", reward_lost, masked, TB_E_NUMERIC);
        lose_one("test/Hidden-v0", float_lost, masked, TB_OK);
    }
}

/* Two allocations (the lanes, and the instance that handles one of them); none while they run;
 * running out of memory is a status and leaks nothing. */
static void test_allocations(void **state)
{
    (void)state;
    tb_test_env e = tb_test_create("test/Growth-v0", NULL, 0);
    const tb_env_vec *api = e.api->get_extension(e.env, TB_EXT_ENV_VEC);
    tb_vec *vec = NULL, *none = NULL;
    static double action[2 * n_lanes], reward[n_lanes];
    static float obs[2 * n_lanes];
    tb_status status[n_lanes];
    uint32_t flags[n_lanes];
    tb_key keys[n_lanes];
    unsigned char bytes[256];
    uint64_t used = 0;
    n_allocations = 0;
    assert_int_equal(api->create(e.env, n_lanes, &vec), TB_OK);
    assert_int_equal(n_allocations, 2);
    for (size_t i = 0; i < n_lanes; i++) {
        keys[i] = tb_test_key(i);
        action[2 * i] = action[2 * i + 1] = 1;
    }
    for (size_t t = 0; t < 20; t++) {
        assert_int_equal(api->reset(vec, NULL, keys, obs, status), TB_OK);
        assert_int_equal(api->step(vec, NULL, action, obs, reward, flags, status), TB_OK);
        assert_int_equal(api->save(vec, t, bytes, sizeof bytes, &used), TB_OK);
        assert_int_equal(api->load(vec, t + 1, bytes, used), TB_OK);
        assert_int_equal(api->rekey(vec, t, &keys[0]), TB_OK);
        assert_int_equal(api->observe(vec, t, obs), TB_OK);
        action[t] = NAN; /* failures neither */
        assert_int_equal(api->step(vec, NULL, action, obs, reward, flags, status), TB_E_INVALID);
        action[t] = 1;
    }
    assert_int_equal(n_allocations, 2);
    api->destroy(vec);
    for (int k = 1; k <= 2; k++) {
        fail_allocation = k;
        assert_int_equal(api->create(e.env, n_lanes, &none), TB_E_NOMEM);
        assert_null(none);
    }
    fail_allocation = 0;
    assert_int_equal(api->create(e.env, UINT64_MAX / 8, &none), TB_E_NOMEM);
    assert_null(none);
    tb_test_destroy(&e);
}

static void test_wrong_definitions(void **state)
{
    (void)state;
    tb_test_env e;
    char err[256];
    assert_int_equal(tb_test_try("test/Bytes-v0", NULL, 0, &e, err), TB_E_INVALID);
    assert_non_null(strstr(err, "doubles that are all named"));
    assert_int_equal(tb_test_try("test/Noisy-v0", NULL, 0, &e, err), TB_E_INVALID);
    assert_non_null(strstr(err, "TB_ENV_STOCHASTIC_STEP"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_and_noise),
        cmocka_unit_test(test_lost_lanes),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_wrong_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
