/* SPDX-License-Identifier: MIT
 *
 * What the tabular kit does at its edges: drawing, states that do not exist, memory, callers built
 * with older headers. That models are sampled as they are told is the checker's business, and the
 * shipped environments' tests compare whole models.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* the kit's allocations go through here */
static int n_allocations;
static int fail_at; /* which allocation fails; 0 = none */
static void *counted_calloc(size_t count, size_t size)
{
    n_allocations++;
    return n_allocations == fail_at ? NULL : calloc(count, size);
}
#define calloc counted_calloc
#include <trpo-bench/tabular_kit.h>
#undef calloc

#include "tests/env_plugin_testing.h"

/* ---- a ladder: up or down by one, its ends hold; even and odd rungs are all that is seen ---- */

typedef struct params {
    tb_tab_model model;
    int64_t rungs;
} params;

static const tb_kit_param rows[] = {TB_KIT_I64(params, rungs, 4, 2, 100, "Number of rungs."),
                                    TB_KIT_END};

static void outcomes(const void *params_, uint64_t s, uint64_t a, tb_tab_outcomes *to)
{
    const params *p = params_;
    uint64_t top = (uint64_t)p->rungs - 1;
    uint64_t next = a == 1 ? (s < top ? s + 1 : s) : s > 0 ? s - 1 : 0;
    tb_tab_add(to, 1, next, (double)next, next == top);
}

static double start(const void *params_, uint64_t s)
{
    (void)params_;
    return s == 0 ? 1 : s == 1 ? 3 : 0;
}

static uint64_t parity(const void *params_, uint64_t s)
{
    (void)params_;
    return s % 2;
}

static tb_status prepare(void *params_, char *err, uint64_t err_cap)
{
    params *p = params_;
    (void)err;
    (void)err_cap;
    tb_tab_begin(p, (uint64_t)p->rungs, 2, outcomes, start);
    p->model.n_observations = 2;
    p->model.observe = parity;
    return TB_OK;
}

static const tb_kit_def ladder = {
    .desc = {.struct_size = sizeof(tb_env_desc),
             .flags = TB_ENV_STOCHASTIC_STEP,
             .id = "test/Ladder-v0",
             .summary = "A ladder."},
    .params = rows,
    .params_bytes = sizeof(params),
    .prepare = prepare,
    TB_TABULAR,
};
TB_KIT_PLUGIN(&ladder);

#define ID "test/Ladder-v0"

static const tb_env_tabular *tabular(const tb_test_env *e)
{
    return e->api->get_extension(e->env, TB_EXT_ENV_TABULAR);
}

/* ---- tests ---- */

static void test_model(void **state)
{
    static const uint32_t next[] = {0, 1, 0, 2, 1, 3, 2, 3};
    tb_test_env e = tb_test_create(ID, NULL, 0);
    tb_tabular m = {.struct_size = sizeof m};
    tb_space space = {.struct_size = sizeof space};
    (void)state;
    assert_int_equal(tabular(&e)->model(e.env, &m), TB_OK);
    assert_int_equal(m.n_states, 4);
    assert_int_equal(m.n_actions, 2);
    assert_int_equal(m.n_outcomes, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(m.first[i], i);
        assert_int_equal(m.next[i], next[i]);
        assert_int_equal(m.terminated[i], next[i] == 3);
        assert_true(m.probability[i] == 1 && m.reward[i] == next[i]);
    }
    assert_int_equal(m.first[8], 8);
    assert_true(m.start[0] == 0.25 && m.start[1] == 0.75 && m.start[2] == 0 && m.start[3] == 0);
    for (int32_t s = 0; s < 4; s++)
        assert_int_equal(m.observation[s], s % 2);
    assert_int_equal(e.api->space(e.env, TB_SPACE_OBSERVATION, 0, &space), TB_OK);
    assert_int_equal(space.nvec[0], 2);
    assert_int_equal(e.api->space(e.env, TB_SPACE_ACTION, 0, &space), TB_OK);
    assert_int_equal(space.nvec[0], 2);
    tb_test_destroy(&e);
}

/* A caller built before a field was there gets the fields that it knows. */
static void test_older_caller(void **state)
{
    tb_test_env e = tb_test_create(ID, NULL, 0);
    tb_tabular m;
    (void)state;
    memset(&m, 0xa5, sizeof m);
    m.struct_size = offsetof(tb_tabular, start);
    assert_int_equal(tabular(&e)->model(e.env, &m), TB_OK);
    assert_int_equal(m.struct_size, offsetof(tb_tabular, start));
    assert_int_equal(m.n_states, 4);
    for (size_t i = offsetof(tb_tabular, start); i < sizeof m; i++)
        assert_int_equal(((unsigned char *)&m)[i], 0xa5);
    tb_test_destroy(&e);
}

/* What has probability 0 is never drawn, what is left by rounding goes to the last that can be. */
static void test_draw(void **state)
{
    static const double p[] = {0, 0.25, 0, 0.5, 0.2, 0};
    (void)state;
    assert_int_equal(tb__tab_draw(p, 6, 0), 1);
    assert_int_equal(tb__tab_draw(p, 6, nextafter(0.25, 0)), 1);
    assert_int_equal(tb__tab_draw(p, 6, 0.25), 3);
    assert_int_equal(tb__tab_draw(p, 6, 0.75), 4);
    assert_int_equal(tb__tab_draw(p, 6, 0.99), 4);
}

/* States that do not exist are refused by set() of both extensions; nothing changes. */
static void test_states_that_do_not_exist(void **state)
{
    static const double wrong[] = {-1, 0.5, 3.5, 4, 1e300, -1e300, NAN};
    tb_test_env e = tb_test_create(ID, NULL, 0);
    uint64_t s = 9;
    (void)state;
    assert_int_equal(tabular(&e)->get(e.env, &s), TB_E_STATE);
    assert_int_equal(tabular(&e)->set(e.env, 2), TB_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(e.vector->set(e.env, &wrong[i]), TB_E_INVALID);
        assert_non_null(strstr(e.api->last_error(e.env), "\"state\""));
    }
    assert_int_equal(tabular(&e)->set(e.env, 4), TB_E_INVALID);
    assert_int_equal(tabular(&e)->set(e.env, UINT64_MAX), TB_E_INVALID);
    assert_int_equal(tabular(&e)->get(e.env, &s), TB_OK);
    assert_int_equal(s, 2);
    tb_test_destroy(&e);
}

/* A snapshot whose frame is right and whose state does not exist. */
static void test_snapshot_of_no_state(void **state)
{
    tb_test_env e = tb_test_create(ID, NULL, 0);
    unsigned char bytes[256];
    uint64_t used = 0, s = 9;
    (void)state;
    assert_int_equal(tabular(&e)->set(e.env, 1), TB_OK);
    assert_int_equal(e.snapshot->save(e.env, bytes, sizeof bytes, &used), TB_OK);
    for (int wrong = 0; wrong < 2; wrong++) {
        tb__kit_put(bytes + TB__KIT_SNAPSHOT_HEAD, tb__kit_bits(wrong ? 4 : 3));
        assert_int_equal(e.snapshot->load(e.env, bytes, used), wrong ? TB_E_CORRUPT : TB_OK);
    }
    assert_non_null(strstr(e.api->last_error(e.env), "cannot be in"));
    assert_int_equal(tabular(&e)->get(e.env, &s), TB_OK);
    assert_int_equal(s, 3);
    tb_test_destroy(&e);
}

/* Two allocations an instance, two more and the lanes' for vec/1; each may fail. */
static void test_allocations(void **state)
{
    tb_test_env e;
    tb_vec *vec = NULL;
    char err[256];
    (void)state;
    for (fail_at = 1; fail_at <= 2; fail_at++) {
        n_allocations = 0;
        assert_int_equal(tb_test_try(ID, NULL, 0, &e, err), TB_E_NOMEM);
        assert_non_null(strstr(err, "out of memory"));
    }
    fail_at = 0;
    n_allocations = 0;
    e = tb_test_create(ID, NULL, 0);
    assert_int_equal(n_allocations, 2);
    const tb_env_vec *api = e.api->get_extension(e.env, TB_EXT_ENV_VEC);
    for (fail_at = 3; fail_at <= 5; fail_at++) {
        n_allocations = 2;
        assert_int_equal(api->create(e.env, 3, &vec), TB_E_NOMEM);
        assert_null(vec);
    }
    fail_at = 0;
    tb_test_destroy(&e);
}

/* Lanes have tables of their own: they outlive the prototype. */
static void test_lanes_outlive_the_prototype(void **state)
{
    tb_test_value rungs = {"rungs", TB_PARAM_I64, 50, NULL, 0};
    tb_test_env e = tb_test_create(ID, &rungs, 1);
    const tb_env_vec *api = e.api->get_extension(e.env, TB_EXT_ENV_VEC);
    tb_key keys[3] = {tb_test_key(0), tb_test_key(1), tb_test_key(2)};
    int32_t seen[3], up[3] = {1, 1, 1}, before[3];
    double rewards[3];
    uint32_t flags[3];
    tb_status status[3];
    tb_vec *vec = NULL;
    (void)state;
    assert_int_equal(api->create(e.env, 3, &vec), TB_OK);
    tb_test_destroy(&e);
    assert_int_equal(api->reset(vec, NULL, keys, seen, status), TB_OK);
    for (int t = 0; t < 40; t++) {
        memcpy(before, seen, sizeof seen);
        assert_int_equal(api->step(vec, NULL, up, seen, rewards, flags, status), TB_OK);
        for (int i = 0; i < 3; i++)
            assert_true(seen[i] == 1 - before[i] && rewards[i] >= t + 1 && rewards[i] <= t + 2);
    }
    api->destroy(vec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_older_caller),
        cmocka_unit_test(test_draw),
        cmocka_unit_test(test_states_that_do_not_exist),
        cmocka_unit_test(test_snapshot_of_no_state),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_lanes_outlive_the_prototype),
    };
    return cmocka_run_group_tests_name("tabular kit", tests, NULL, NULL);
}
