/* SPDX-License-Identifier: MIT
 *
 * What the five shipped environments do not use of the kit: several environments in one library, a
 * state with bytes beside its doubles, randomness in step(), integer parameters, composite actions,
 * ends of its own, failing allocation. The checks of one ordinary environment are in
 * tests/env_plugin_checks.h.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* the kit's one allocation goes through here */
static int n_allocations;
static int fail_allocation;
static void *counted_calloc(size_t count, size_t size)
{
    n_allocations++;
    return fail_allocation ? NULL : calloc(count, size);
}
#define calloc counted_calloc
#include <trpo-bench/env_kit.h>
#undef calloc

#include "tests/env_plugin_testing.h"

/* ---- a walk: noise in step(), 12 bytes beside the one double ---- */

typedef struct walk_params {
    int64_t fuel;
    double noise;
} walk_params;

static const tb_kit_param walk_rows[] = {
    TB_KIT_I64(walk_params, fuel, 10, 1, 1000000, "Steps before the walk is cut off."),
    TB_KIT_F64(walk_params, noise, 1.0, 0, INFINITY, "Half the width of the noise, m."),
    TB_KIT_END};

typedef struct walk_state {
    double x;
    int64_t left;
    uint8_t last_action[4];
} walk_state;

static const char *const walk_names[] = {"x", NULL};

static void walk_reset(const void *params, void *state, tb_rng *rng)
{
    const walk_params *p = params;
    walk_state *s = state;
    assert_int_equal(s->last_action[0], 0); /* the kit zeroes the state */
    s->x = tb_rng_f64(rng);
    s->left = p->fuel;
}

static double walk_step(const void *params, void *state, const void *action, tb_rng *rng,
                        uint32_t *flags)
{
    const walk_params *p = params;
    walk_state *s = state;
    memcpy(s->last_action, action, sizeof s->last_action);
    s->x += (double)s->last_action[0] + p->noise * (2 * tb_rng_f64(rng) - 1);
    if (s->x > 100)
        *flags |= TB_TERMINATED;
    if (--s->left == 0)
        *flags |= TB_TRUNCATED;
    return s->x;
}

static const tb_kit_def walk = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "test/Walk-v0",
             .summary = "A noisy walk."},
    .params = walk_rows,
    .params_bytes = sizeof(walk_params),
    .state_names = walk_names,
    .state_bytes = sizeof(walk_state),
    .observation = TB_KIT_BOX("position", TB_F64, 1),
    .action = {"bits", TB_SPACE_MULTI_BINARY, TB_U8, 1, 0, {4, 0, 0}, 0, NULL},
    .reset = walk_reset,
    .step = walk_step,
};

/* ---- two dials: discrete observation, several discrete actions, no parameters ---- */

static const int64_t dial_nvec[] = {3, 5};
static const char *const dial_names[] = {"position", NULL};

static void dial_reset(const void *params, void *state, tb_rng *rng)
{
    (void)params;
    *(double *)state = floor(4 * tb_rng_f64(rng));
}

static double dial_step(const void *params, void *state, const void *action, tb_rng *rng,
                        uint32_t *flags)
{
    const int32_t *a = action;
    (void)params, (void)rng, (void)flags;
    *(double *)state = fmod(*(double *)state + a[0] + a[1], 4);
    return a[0] == 2 && a[1] == 4 ? (double)NAN : a[1];
}

static void dial_observe(const void *params, const void *state, void *observation)
{
    (void)params;
    *(int32_t *)observation = (int32_t) * (const double *)state;
}

static const tb_kit_def dial = {
    .desc = {.struct_size = sizeof(tb_env_desc), .id = "test/Dial-v0", .summary = "Two dials."},
    .state_names = dial_names,
    .state_bytes = sizeof(double),
    .observation = TB_KIT_DISCRETE("position", 4),
    .action = {"dials", TB_SPACE_MULTI_DISCRETE, TB_I32, 1, 0, {2, 0, 0}, 0, dial_nvec},
    .reset = dial_reset,
    .step = dial_step,
    .observe = dial_observe,
};

/* ---- definitions with a mistake ---- */

static const char *const two_names[] = {"x", "y", NULL};

static const tb_kit_def short_state = {
    .desc = {.struct_size = sizeof(tb_env_desc), .id = "test/Short-v0", .summary = "8 bytes."},
    .state_names = two_names,
    .state_bytes = sizeof(double),
    .observation = TB_KIT_BOX("position", TB_F32, 2),
    .action = TB_KIT_DISCRETE("none", 1),
    .reset = dial_reset,
    .step = dial_step,
};

static const tb_kit_def unseen = {
    .desc = {.struct_size = sizeof(tb_env_desc), .id = "test/Unseen-v0", .summary = "No view."},
    .state_names = dial_names,
    .state_bytes = sizeof(double),
    .observation = TB_KIT_DISCRETE("position", 4),
    .action = TB_KIT_DISCRETE("none", 1),
    .reset = dial_reset,
    .step = dial_step,
};

TB_KIT_PLUGIN(&walk, &dial, &short_state, &unseen);

/* ---- tests ---- */

static const uint8_t forward[4] = {1, 0, 1, 0};

/* One step of a walk; the position in *x. */
static tb_status step_walk(tb_test_env *e, const uint8_t action[4], double *x, uint32_t *flags)
{
    tb_step out = {.struct_size = sizeof out};
    tb_status status = e->api->step(e->env, action, x, &out);
    *flags = out.flags;
    return status;
}

static void reset_walk(tb_test_env *e, uint64_t key)
{
    tb_key k = tb_test_key(key);
    double x;
    assert_int_equal(e->api->reset(e->env, &k, &x), TB_OK);
}

static void test_two_environments(void **state)
{
    (void)state;
    const tb_env_factory *factory = tb_test_factory();
    assert_int_equal(factory->count(), 4);
    assert_string_equal(factory->describe(0)->id, "test/Walk-v0");
    assert_string_equal(factory->describe(1)->id, "test/Dial-v0");
    assert_null(factory->describe(4));
    assert_int_equal(tb_test_schema()->count("test/Walk-v0"), 2);
    assert_int_equal(tb_test_schema()->count("test/Dial-v0"), 0);
    /* the bytes of one are none of the other's */
    tb_test_env w = tb_test_create("test/Walk-v0", NULL, 0),
                d = tb_test_create("test/Dial-v0", NULL, 0);
    unsigned char bytes[256];
    uint64_t used = 0;
    reset_walk(&w, 1);
    assert_int_equal(w.snapshot->save(w.env, bytes, sizeof bytes, &used), TB_OK);
    assert_int_equal(d.snapshot->load(d.env, bytes, used), TB_E_CORRUPT);
    assert_non_null(strstr(d.api->last_error(d.env), "another environment"));
    /* raw bytes tie a snapshot to this build, doubles alone do not */
    assert_int_equal(w.snapshot->scope, TB_SNAP_SAME_BINARY);
    assert_int_equal(d.snapshot->scope, TB_SNAP_PORTABLE);
    tb_test_destroy(&w);
    tb_test_destroy(&d);
}

/* Everything that the next step reads is in the snapshot: random stream, fuel, last action. */
static void test_snapshot_of_noise_and_bytes(void **state)
{
    (void)state;
    tb_test_value fuel = {"fuel", TB_PARAM_I64, 600, NULL, 0};
    tb_test_env a = tb_test_create("test/Walk-v0", &fuel, 1),
                b = tb_test_create("test/Walk-v0", &fuel, 1);
    unsigned char bytes[256], again[256];
    uint64_t n = 0, m = 0;
    double xa, xb;
    uint32_t fa = 0, fb = 0;
    static const uint8_t still[4] = {0};
    reset_walk(&a, 1);
    reset_walk(&b, 2);
    for (int t = 0; t < 33; t++)
        assert_int_equal(step_walk(&a, still, &xa, &fa), TB_OK);
    assert_int_equal(step_walk(&b, forward, &xb, &fb), TB_OK);
    memset(again, 0xff, sizeof again);
    assert_int_equal(a.snapshot->save(a.env, bytes, sizeof bytes, &n), TB_OK);
    assert_int_equal(b.snapshot->load(b.env, bytes, n), TB_OK);
    assert_int_equal(b.snapshot->save(b.env, again, sizeof again, &m), TB_OK);
    assert_int_equal(n, m);
    assert_memory_equal(bytes, again, n);
    int t = 33;
    for (; !fa; t++) {
        assert_int_equal(step_walk(&a, still, &xa, &fa), TB_OK);
        assert_int_equal(step_walk(&b, still, &xb, &fb), TB_OK);
        assert_true(xa == xb && fa == fb);
    }
    assert_int_equal(fa, TB_TRUNCATED);
    assert_int_equal(t, 600);
    /* an ended episode is saved as ended */
    assert_int_equal(a.snapshot->save(a.env, bytes, sizeof bytes, &n), TB_OK);
    reset_walk(&b, 3);
    assert_int_equal(b.snapshot->load(b.env, bytes, n), TB_OK);
    assert_int_equal(step_walk(&b, still, &xb, &fb), TB_E_STATE);
    tb_test_destroy(&a);
    tb_test_destroy(&b);
}

/* rekey() replaces the noise and nothing else. */
static void test_rekey(void **state)
{
    (void)state;
    tb_test_env a = tb_test_create("test/Walk-v0", NULL, 0),
                b = tb_test_create("test/Walk-v0", NULL, 0);
    tb_key one = tb_test_key(1), two = tb_test_key(2);
    double xa, xb;
    uint32_t flags;
    reset_walk(&a, 7);
    reset_walk(&b, 7);
    assert_int_equal(a.snapshot->rekey(a.env, &one), TB_OK);
    assert_int_equal(b.snapshot->rekey(b.env, &one), TB_OK);
    assert_int_equal(a.snapshot->observe(a.env, &xa), TB_OK);
    assert_int_equal(b.snapshot->observe(b.env, &xb), TB_OK);
    assert_true(xa == xb);
    for (int t = 0; t < 3; t++) {
        step_walk(&a, forward, &xa, &flags);
        step_walk(&b, forward, &xb, &flags);
        assert_true(xa == xb);
    }
    /* the stream starts anew, wherever it was before */
    double here[1] = {0};
    step_walk(&a, forward, &xa, &flags);
    assert_int_equal(a.vector->set(a.env, here), TB_OK);
    assert_int_equal(b.vector->set(b.env, here), TB_OK);
    assert_int_equal(a.snapshot->rekey(a.env, &one), TB_OK);
    assert_int_equal(b.snapshot->rekey(b.env, &one), TB_OK);
    step_walk(&a, forward, &xa, &flags);
    step_walk(&b, forward, &xb, &flags);
    assert_true(xa == xb);
    assert_int_equal(b.snapshot->rekey(b.env, &two), TB_OK);
    step_walk(&a, forward, &xa, &flags);
    step_walk(&b, forward, &xb, &flags);
    assert_true(xa != xb);
    tb_test_destroy(&a);
    tb_test_destroy(&b);
}

static void test_composite_actions(void **state)
{
    (void)state;
    static const uint8_t two[4] = {0, 0, 2, 0};
    static const int32_t bad[][2] = {{3, 0}, {0, 5}, {-1, 0}, {0, INT32_MIN}};
    tb_test_env w = tb_test_create("test/Walk-v0", NULL, 0),
                d = tb_test_create("test/Dial-v0", NULL, 0);
    tb_space space = {.struct_size = sizeof space};
    tb_step out = {.struct_size = sizeof out};
    tb_key key = tb_test_key(1);
    double x;
    uint32_t flags;
    int32_t o = -1, fine[2] = {2, 3}, invalid_reward[2] = {2, 4};
    assert_int_equal(w.api->space(w.env, TB_SPACE_ACTION, 0, &space), TB_OK);
    assert_int_equal(space.bytes, 4);
    assert_int_equal(d.api->space(d.env, TB_SPACE_ACTION, 0, &space), TB_OK);
    assert_int_equal(space.count, 2);
    assert_int_equal(space.nvec[1], 5);
    assert_null(space.low);
    reset_walk(&w, 1);
    assert_int_equal(step_walk(&w, two, &x, &flags), TB_E_INVALID);
    assert_non_null(strstr(w.api->last_error(w.env), "action[2] is 2, expected 0 to 1"));
    assert_int_equal(d.api->reset(d.env, &key, &o), TB_OK);
    assert_in_range(o, 0, 3);
    for (int i = 0; i < 4; i++)
        assert_int_equal(d.api->step(d.env, bad[i], &o, &out), TB_E_INVALID);
    assert_int_equal(d.api->step(d.env, fine, &o, &out), TB_OK);
    assert_true(out.reward == 3);
    /* a reward that is no number loses the episode, though the state is fine */
    assert_int_equal(d.api->step(d.env, invalid_reward, &o, &out), TB_E_NUMERIC);
    assert_int_equal(d.api->step(d.env, fine, &o, &out), TB_E_STATE);
    assert_int_equal(d.snapshot->observe(d.env, &o), TB_E_STATE);
    assert_int_equal(d.snapshot->save(d.env, &x, 0, NULL), TB_E_STATE);
    tb_test_destroy(&w);
    tb_test_destroy(&d);
}

/* A host of an older minor version hands over shorter structs: nothing behind them is touched. */
static void test_older_structs(void **state)
{
    (void)state;
    tb_test_env w = tb_test_create("test/Walk-v0", NULL, 0);
    union {
        tb_space space;
        tb_param_info info;
        unsigned char bytes[sizeof(tb_space) + 8];
    } u;
    const uint32_t sizes[] = {offsetof(tb_space, name), sizeof(tb_space)};
    for (int i = 0; i < 2; i++) {
        memset(&u, 0xa5, sizeof u);
        u.space.struct_size = sizes[i];
        assert_int_equal(w.api->space(w.env, TB_SPACE_OBSERVATION, 0, &u.space), TB_OK);
        assert_int_equal(u.space.struct_size, sizes[i]);
        for (size_t k = sizes[i]; k < sizeof u; k++)
            assert_int_equal(u.bytes[k], 0xa5);
    }
    memset(&u, 0xa5, sizeof u);
    u.info.struct_size = offsetof(tb_param_info, low);
    assert_int_equal(tb_test_schema()->get("test/Walk-v0", 0, &u.info), TB_OK);
    assert_int_equal(u.info.type, TB_PARAM_I64);
    assert_string_equal(u.info.default_text, "10");
    assert_int_equal(u.bytes[offsetof(tb_param_info, low)], 0xa5);
    tb_test_destroy(&w);
}

static void test_integer_parameters(void **state)
{
    (void)state;
    tb_test_env e;
    char err[256], small[8] = "1234567";
    tb_test_value zero = {"fuel", TB_PARAM_I64, 0, NULL, 0};
    tb_test_value real = {"fuel", TB_PARAM_F64, 3, NULL, 0};
    tb_test_value one = {"fuel", TB_PARAM_I64, 1, NULL, 0};
    double x;
    uint32_t flags;
    assert_int_equal(tb_test_try("test/Walk-v0", &zero, 1, &e, err), TB_E_PARAM);
    assert_string_equal(err, "parameter \"fuel\" must be an integer from 1 to 1000000, not 0");
    assert_int_equal(tb_test_try("test/Walk-v0", &real, 1, &e, err), TB_E_PARAM);
    tb_test_value endless = {"noise", TB_PARAM_F64, INFINITY, NULL, 0};
    assert_int_equal(tb_test_try("test/Walk-v0", &endless, 1, &e, err), TB_E_PARAM);
    /* a wrong key does not keep the others from being read: unread keys would be called unknown */
    tb_test_value both[] = {zero, {"noise", TB_PARAM_F64, 2, NULL, 0}};
    assert_int_equal(tb_test_try("test/Walk-v0", both, 2, &e, err), TB_E_PARAM);
    assert_non_null(strstr(err, "fuel"));
    assert_true(both[1].read);
    e = tb_test_create("test/Walk-v0", &one, 1);
    reset_walk(&e, 1);
    assert_int_equal(step_walk(&e, forward, &x, &flags), TB_OK);
    assert_int_equal(flags, TB_TRUNCATED);
    tb_test_destroy(&e);
    /* messages stop at the buffer's end, and no buffer is no crash */
    tb_kit_text(small, 4, TB_E_PARAM, "abcdefgh");
    assert_memory_equal(small, "abc\000567", 8);
    assert_int_equal(tb_kit_text(NULL, 0, TB_E_PARAM, "abc"), TB_E_PARAM);
}

/* A state beyond the finite numbers loses the episode; reset() recovers the instance. */
static void test_numeric(void **state)
{
    (void)state;
    tb_test_value noise = {"noise", TB_PARAM_F64, 1e308, NULL, 0};
    tb_test_env e = tb_test_create("test/Walk-v0", &noise, 1);
    double x;
    uint32_t flags = 0;
    tb_status status = TB_OK;
    double largest[1] = {-1.7e308};
    for (uint64_t k = 0; k < 200 && status != TB_E_NUMERIC; k++) {
        reset_walk(&e, k);
        assert_int_equal(e.vector->set(e.env, largest), TB_OK);
        status = step_walk(&e, forward, &x, &flags);
    }
    assert_int_equal(status, TB_E_NUMERIC);
    assert_int_equal(step_walk(&e, forward, &x, &flags), TB_E_STATE);
    reset_walk(&e, 1);
    tb_test_destroy(&e);
}

/* One allocation an instance, none after create; running out of memory is a status. */
static void test_allocations(void **state)
{
    (void)state;
    tb_test_env e;
    char err[256];
    unsigned char bytes[256];
    uint64_t used = 0;
    double x;
    uint32_t flags = 0;
    n_allocations = 0;
    e = tb_test_create("test/Walk-v0", NULL, 0);
    assert_int_equal(n_allocations, 1);
    for (uint64_t k = 0; k < 3; k++) {
        reset_walk(&e, k);
        while (step_walk(&e, forward, &x, &flags) == TB_OK && !flags) {
            assert_int_equal(e.snapshot->save(e.env, bytes, sizeof bytes, &used), TB_OK);
            assert_int_equal(e.snapshot->load(e.env, bytes, used), TB_OK);
        }
    }
    assert_int_equal(n_allocations, 1);
    tb_test_destroy(&e);
    fail_allocation = 1;
    assert_int_equal(tb_test_try("test/Walk-v0", NULL, 0, &e, err), TB_E_NOMEM);
    fail_allocation = 0;
    assert_string_equal(err, "out of memory");
}

/* tb_kit_pow2 is libm's function also where the compiler knows a shortcut. */
static void test_pow2(void **state)
{
    (void)state;
    double (*volatile libm)(double, double) = pow;
    tb_rng rng;
    tb_rng_init(&rng, tb_test_key(1));
    for (int i = 0; i < 100000; i++) {
        double x = tb_rng_uniform(&rng, -8, 8);
        assert_true(tb_kit_pow2(x) == libm(x, 2));
    }
}

/* An author's mistake is a message, not a crash. */
static void test_wrong_definitions(void **state)
{
    (void)state;
    tb_test_env e;
    char err[256];
    assert_int_equal(tb_test_try("test/Short-v0", NULL, 0, &e, err), TB_E_INVALID);
    assert_non_null(strstr(err, "more names"));
    assert_int_equal(tb_test_try("test/Unseen-v0", NULL, 0, &e, err), TB_E_INVALID);
    assert_non_null(strstr(err, "observe()"));
}

/* A set() before any reset() runs too: zero bytes, the stream of the zero key. */
static void test_set_before_reset(void **state)
{
    (void)state;
    tb_test_env a = tb_test_create("test/Walk-v0", NULL, 0),
                b = tb_test_create("test/Walk-v0", NULL, 0);
    double start[1] = {5}, xa = 0, xb = 1;
    uint32_t fa, fb;
    assert_int_equal(a.vector->set(a.env, start), TB_OK);
    assert_int_equal(b.vector->set(b.env, start), TB_OK);
    assert_int_equal(step_walk(&a, forward, &xa, &fa), TB_OK);
    assert_int_equal(step_walk(&b, forward, &xb, &fb), TB_OK);
    assert_true(xa == xb);
    tb_test_destroy(&a);
    tb_test_destroy(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_environments),
        cmocka_unit_test(test_snapshot_of_noise_and_bytes),
        cmocka_unit_test(test_rekey),
        cmocka_unit_test(test_composite_actions),
        cmocka_unit_test(test_older_structs),
        cmocka_unit_test(test_integer_parameters),
        cmocka_unit_test(test_numeric),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_set_before_reset),
        cmocka_unit_test(test_wrong_definitions),
        cmocka_unit_test(test_pow2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
