/* SPDX-License-Identifier: MIT
 *
 * What the tests of all environment plugins check. A test describes its environment in a
 * tb_env_case and hands it, with the tests that are only its own, to tb_env_test_main(); every test
 * gets the case as its cmocka state. Traces lie in tests/data/gymnasium-traces.
 *
 * Run as `test-plugin-<name> --random-return N` the program measures instead: the mean return of N
 * episodes of the uniform random policy.
 */
#ifndef TESTS_ENV_PLUGIN_CHECKS_H
#define TESTS_ENV_PLUGIN_CHECKS_H

#include "tests/env_plugin_testing.h"

/* ---- traces ---- */

typedef struct tb_trace_row {
    int is_reset;
    uint64_t t;
    double action, reward;
    double state[TB_TEST_MAX];
    float obs[TB_TEST_MAX];
    int terminated, truncated;
} tb_trace_row;

/* The next comma-separated field; empty ones too. */
static inline char *tb_trace_field(char **line)
{
    char *field = strsep(line, ",\n");
    assert_non_null(field);
    return field;
}

static inline int tb_trace_read(FILE *file, const tb_env_case *c, tb_trace_row *row)
{
    char text[1024], *line = text;
    if (!fgets(text, sizeof text, file))
        return 0;
    row->is_reset = strcmp(tb_trace_field(&line), "R") == 0;
    tb_trace_field(&line); /* episode */
    row->t = strtoull(tb_trace_field(&line), NULL, 10);
    row->action = strtod(tb_trace_field(&line), NULL);
    for (uint64_t i = 0; i < c->n_state; i++)
        row->state[i] = strtod(tb_trace_field(&line), NULL);
    for (uint64_t i = 0; i < c->n_obs; i++)
        row->obs[i] = strtof(tb_trace_field(&line), NULL);
    row->reward = strtod(tb_trace_field(&line), NULL);
    row->terminated = atoi(tb_trace_field(&line));
    row->truncated = atoi(tb_trace_field(&line));
    return 1;
}

static inline FILE *tb_trace_open(const tb_env_case *c)
{
    char path[1024], header[512];
    snprintf(path, sizeof path, "%s/tests/data/gymnasium-traces/%s", TB_TEST_SOURCE_DIR, c->trace);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot read %s", path);
    assert_non_null(fgets(header, sizeof header, file));
    return file;
}

#define TB_TRACE_EXPECT(row, what, found, expected)                                                \
    do {                                                                                           \
        if (!((found) == (expected)))                                                              \
            fail_msg("row %d: %s is %.17g, Gymnasium has %.17g", (row), (what), (double)(found),   \
                     (double)(expected));                                                          \
    } while (0)

/* Sets the state after each reset, then only steps: one wrong bit shows in every row after it. */
static inline void test_trace(void **state)
{
    const tb_env_case *c = *state;
    tb_test_env e = tb_test_create(c->id, NULL, 0);
    FILE *file = tb_trace_open(c);
    tb_trace_row row;
    tb_test_action action;
    int n = 0;
    for (; tb_trace_read(file, c, &row); n++) {
        tb_test_result r = {0};
        double s[TB_TEST_MAX];
        if (row.is_reset) {
            assert_int_equal(e.vector->set(e.env, row.state), TB_OK);
            assert_int_equal(e.snapshot->observe(e.env, r.obs), TB_OK);
        } else {
            if (c->n_actions)
                action.i32 = (int32_t)row.action;
            else
                action.f32 = (float)row.action;
            r = tb_test_step(&e, action);
            assert_int_equal(r.status, TB_OK);
            TB_TRACE_EXPECT(n, "reward", r.reward, row.reward);
            TB_TRACE_EXPECT(n, "terminated", r.flags == TB_TERMINATED, row.terminated);
            TB_TRACE_EXPECT(n, "truncated", row.t >= c->max_episode_steps, row.truncated);
        }
        assert_int_equal(e.vector->get(e.env, s), TB_OK);
        for (uint64_t i = 0; i < c->n_state; i++)
            TB_TRACE_EXPECT(n, e.vector->name(e.env, i), s[i], row.state[i]);
        for (uint64_t i = 0; i < c->n_obs; i++)
            TB_TRACE_EXPECT(n, "an observation", r.obs[i], row.obs[i]);
    }
    fclose(file);
    assert_in_range(n, 1000, 100000);
    tb_test_destroy(&e);
}

/* ---- description and spaces ---- */

static inline void test_description(void **state)
{
    const tb_env_case *c = *state;
    const tb_env_desc *desc = tb_test_describe(c->id);
    assert_int_equal(desc->struct_size, sizeof *desc);
    assert_int_equal(desc->max_episode_steps, c->max_episode_steps);
    if (isnan(c->reward_threshold))
        assert_true(isnan(desc->reward_threshold));
    else
        assert_true(desc->reward_threshold == c->reward_threshold);
    assert_true(desc->return_random < desc->return_ref);
    assert_int_equal(desc->flags, 0);
    assert_null(tb_test_factory()->describe(tb_test_factory()->count()));
    assert_null(tb_test_entry()->get_factory("tb.env-factory/1 "));
}

static inline void test_spaces(void **state)
{
    const tb_env_case *c = *state;
    tb_test_env e = tb_test_create(c->id, NULL, 0);
    tb_space obs = {.struct_size = sizeof obs}, action = {.struct_size = sizeof action};
    assert_int_equal(e.api->space(e.env, TB_SPACE_OBSERVATION, 0, &obs), TB_OK);
    assert_int_equal(obs.kind, TB_SPACE_BOX);
    assert_int_equal(obs.dtype, TB_F32);
    assert_int_equal(obs.count, c->n_obs);
    assert_int_equal(obs.bytes, 4 * c->n_obs);
    for (uint64_t i = 0; i < c->n_obs; i++) {
        TB_TRACE_EXPECT((int)i, "low", obs.low[i], (double)(float)c->obs_low[i]);
        TB_TRACE_EXPECT((int)i, "high", obs.high[i], (double)(float)c->obs_high[i]);
    }
    assert_int_equal(e.api->space(e.env, TB_SPACE_ACTION, 0, &action), TB_OK);
    assert_int_equal(action.count, 1);
    assert_int_equal(action.bytes, 4);
    if (c->n_actions) {
        assert_int_equal(action.kind, TB_SPACE_DISCRETE);
        assert_int_equal(action.dtype, TB_I32);
        assert_int_equal(action.nvec[0], c->n_actions);
    } else {
        assert_int_equal(action.kind, TB_SPACE_BOX);
        assert_int_equal(action.dtype, TB_F32);
        assert_true(action.high[0] == c->action_bound && action.low[0] == -c->action_bound);
    }
    assert_int_equal(e.api->space(e.env, TB_SPACE_ACTION, 1, &action), TB_E_INVALID);
    assert_int_equal(e.api->space(e.env, 2, 0, &action), TB_E_INVALID);
    assert_string_not_equal(e.api->last_error(e.env), "");
    assert_null(e.api->get_extension(e.env, "tb.env.snapshot/1x"));
    tb_test_destroy(&e);
}

/* ---- reset ---- */

/* Mean, spread and independence of n start states against the uniform distribution, each within
 * 4.5 standard errors (the keys are fixed: it passes always or never). */
static inline void test_reset_distribution(void **state)
{
    enum { N = 4000 };
    const tb_env_case *c = *state;
    tb_test_env e = tb_test_create(c->id, NULL, 0);
    double sum[TB_TEST_MAX] = {0}, square[TB_TEST_MAX] = {0}, product[TB_TEST_MAX] = {0};
    for (uint64_t k = 0; k < N; k++) {
        double s[TB_TEST_MAX], before = 0;
        tb_test_reset(&e, tb_test_key(k), NULL);
        assert_int_equal(e.vector->get(e.env, s), TB_OK);
        for (uint64_t i = 0; i < c->n_state; i++) {
            double width = c->reset_high[i] - c->reset_low[i];
            double centred = s[i] - (c->reset_low[i] + c->reset_high[i]) / 2;
            double z = width > 0 ? centred / width : 0; /* uniform in +-1/2: variance 1/12 */
            assert_true(s[i] >= c->reset_low[i] && s[i] <= c->reset_high[i]);
            sum[i] += z;
            square[i] += z * z;
            product[i] += z * before;
            before = z;
        }
    }
    for (uint64_t i = 0; i < c->n_state; i++) {
        if (c->reset_low[i] == c->reset_high[i])
            continue;
        assert_true(fabs(sum[i] / N) < 4.5 / sqrt(12.0 * N));
        assert_true(fabs(square[i] / N - 1.0 / 12) < 4.5 / sqrt(180.0 * N));
        assert_true(fabs(product[i] / N) < 4.5 / 12 / sqrt(N));
    }
    tb_test_destroy(&e);
}

/* Same key and actions: the same bits, whatever the instance did before. */
static inline void test_same_key_same_trajectory(void **state)
{
    const tb_env_case *c = *state;
    tb_test_env a = tb_test_create(c->id, NULL, 0), b = tb_test_create(c->id, NULL, 0);
    double ignored = 0;
    int differs = 0;
    for (uint64_t k = 0; k < 20; k++) {
        float start_a[TB_TEST_MAX] = {0}, start_b[TB_TEST_MAX] = {0}, other[TB_TEST_MAX] = {0};
        tb_rng rng;
        tb_test_episode(c, &b, 1000 + k, 37, &ignored);
        tb_test_reset(&b, tb_test_key(500 + k), other);
        tb_test_reset(&a, tb_test_key(k), start_a);
        tb_test_reset(&b, tb_test_key(k), start_b);
        assert_memory_equal(start_a, start_b, sizeof start_a);
        differs += start_a[0] != other[0];
        tb_rng_init(&rng, tb_test_key(2000 + k));
        for (int t = 0; t < 300; t++) {
            tb_test_action action = tb_test_random_action(c, &rng);
            tb_test_result ra = tb_test_step(&a, action), rb = tb_test_step(&b, action);
            tb_test_same(&ra, &rb);
            if (ra.flags)
                break;
        }
    }
    assert_int_equal(differs, 20);
    tb_test_destroy(&a);
    tb_test_destroy(&b);
}

/* ---- order of calls ---- */

static inline void test_order_of_calls(void **state)
{
    const tb_env_case *c = *state;
    tb_test_env e = tb_test_create(c->id, NULL, 0);
    tb_test_action action = {0};
    tb_key key = tb_test_key(1);
    unsigned char bytes[512];
    float obs[TB_TEST_MAX];
    double s[TB_TEST_MAX], ignored = 0;
    uint64_t used = 0;
    assert_string_equal(e.api->last_error(e.env), "");
    assert_int_equal(tb_test_step(&e, action).status, TB_E_STATE);
    assert_string_not_equal(e.api->last_error(e.env), "");
    assert_int_equal(e.snapshot->save(e.env, bytes, sizeof bytes, &used), TB_E_STATE);
    assert_int_equal(e.snapshot->rekey(e.env, &key), TB_E_STATE);
    assert_int_equal(e.snapshot->observe(e.env, obs), TB_E_STATE);
    assert_int_equal(e.vector->get(e.env, s), TB_E_STATE);
    /* after an end: found by playing, for environments that end */
    for (uint64_t k = 0; k < 20; k++)
        if (tb_test_episode(c, &e, k, 5000, &ignored) < 5000) {
            assert_int_equal(e.vector->get(e.env, s), TB_OK);
            assert_int_equal(tb_test_step(&e, action).status, TB_E_STATE);
            assert_non_null(strstr(e.api->last_error(e.env), "after the end"));
            assert_int_equal(e.snapshot->observe(e.env, obs), TB_OK);
            /* a state that is set runs again */
            assert_int_equal(e.vector->set(e.env, s), TB_OK);
            assert_int_equal(tb_test_step(&e, action).status, TB_OK);
        }
    tb_test_destroy(&e);
    e.api->destroy(NULL);
}

/* A refused action changes nothing. */
static inline void test_bad_actions(void **state)
{
    const tb_env_case *c = *state;
    tb_test_env e = tb_test_create(c->id, NULL, 0);
    tb_test_action bad[3] = {{.f32 = NAN}, {.f32 = INFINITY}, {.f32 = -INFINITY}};
    unsigned char before[512], after[512];
    uint64_t n = 0, m = 0;
    if (c->n_actions) {
        bad[0].i32 = -1;
        bad[1].i32 = (int32_t)c->n_actions;
        bad[2].i32 = INT32_MIN;
    }
    tb_test_reset(&e, tb_test_key(7), NULL);
    assert_int_equal(e.snapshot->save(e.env, before, sizeof before, &n), TB_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tb_test_step(&e, bad[i]).status, TB_E_INVALID);
        assert_non_null(strstr(e.api->last_error(e.env), "action[0]"));
    }
    assert_int_equal(e.snapshot->save(e.env, after, sizeof after, &m), TB_OK);
    assert_int_equal(n, m);
    assert_memory_equal(before, after, n);
    tb_test_destroy(&e);
}

/* ---- snapshots ---- */

/* Plays a and b side by side to the end of the episode or `limit`; returns the steps compared. */
static inline uint64_t tb_test_side_by_side(const tb_env_case *c, tb_test_env *a, tb_test_env *b,
                                            uint64_t seed, uint64_t limit)
{
    tb_rng rng;
    tb_rng_init(&rng, tb_test_key(seed));
    for (uint64_t t = 0; t < limit; t++) {
        tb_test_action action = tb_test_random_action(c, &rng);
        tb_test_result ra = tb_test_step(a, action), rb = tb_test_step(b, action);
        tb_test_same(&ra, &rb);
        if (ra.flags || ra.status != TB_OK)
            return t + 1;
    }
    return limit;
}

/* Saved at every moment of an episode (start, middle, end), loaded into an instance with another
 * history: the continuation is equal to the bit, and so are the bytes. */
static inline void test_snapshot_round_trip(void **state)
{
    const tb_env_case *c = *state;
    tb_test_env a = tb_test_create(c->id, NULL, 0), b = tb_test_create(c->id, NULL, 0);
    uint64_t max = a.snapshot->max_bytes(a.env), n = 0, m = 0, compared = 0;
    unsigned char *bytes = malloc(max), *again = malloc(max);
    double ignored = 0;
    for (uint64_t k = 0; k < 40 || compared < 600; k++) {
        tb_test_episode(c, &b, 900 + k, k % 7, &ignored);
        tb_test_episode(c, &a, k, k % 40, &ignored);
        /* unwritten bytes would show as a difference of 0x00 and 0xff */
        memset(bytes, 0, max);
        memset(again, 0xff, max);
        assert_int_equal(a.snapshot->save(a.env, bytes, max, &n), TB_OK);
        assert_int_equal(b.snapshot->load(b.env, bytes, n), TB_OK);
        assert_int_equal(b.snapshot->save(b.env, again, max, &m), TB_OK);
        assert_int_equal(n, m);
        assert_memory_equal(bytes, again, n);
        compared += tb_test_side_by_side(c, &a, &b, 3000 + k, 600);
    }
    assert_true(compared >= 600);
    free(bytes);
    free(again);
    tb_test_destroy(&a);
    tb_test_destroy(&b);
}

static inline void tb_test_refuses(tb_test_env *e, const unsigned char *bytes, uint64_t used,
                                   const unsigned char *expected, uint64_t n)
{
    unsigned char now[512];
    uint64_t m = 0;
    assert_int_equal(e->snapshot->load(e->env, bytes, used), TB_E_CORRUPT);
    assert_int_equal(e->snapshot->save(e->env, now, sizeof now, &m), TB_OK);
    assert_int_equal(m, n);
    assert_memory_equal(now, expected, n);
}

static inline void test_corrupt_snapshots(void **state)
{
    const tb_env_case *c = *state;
    tb_test_value other = {.key = c->param, .type = TB_PARAM_F64, .number = c->param_value};
    tb_test_env a = tb_test_create(c->id, NULL, 0), b = tb_test_create(c->id, NULL, 0),
                p = tb_test_create(c->id, &other, 1);
    unsigned char bytes[512], bad[513] = {0}, own[512];
    uint64_t n = 0, m = 0;
    tb_test_reset(&a, tb_test_key(1), NULL);
    tb_test_reset(&b, tb_test_key(2), NULL);
    tb_test_reset(&p, tb_test_key(1), NULL);
    assert_int_equal(a.snapshot->save(a.env, bytes, sizeof bytes, &n), TB_OK);
    assert_int_equal(b.snapshot->save(b.env, own, sizeof own, &m), TB_OK);
    /* each prefix, one byte too many, each flipped bit of the words that say what it is */
    for (uint64_t used = 0; used < n; used++)
        tb_test_refuses(&b, bytes, used, own, m);
    memcpy(bad, bytes, n);
    tb_test_refuses(&b, bad, n + 1, own, m);
    for (uint64_t bit = 0; bit < UINT64_C(8) * 32; bit++) {
        memcpy(bad, bytes, n);
        bad[bit / 8] ^= (unsigned char)(1 << bit % 8);
        tb_test_refuses(&b, bad, n, own, m);
    }
    /* a phase that has no state (0 and 3 are such), and a state that is not finite */
    for (unsigned char phase = 0; phase < 5; phase++) {
        memcpy(bad, bytes, n);
        bad[32] = phase;
        if (phase != 1 && phase != 2)
            tb_test_refuses(&b, bad, n, own, m);
    }
    memcpy(bad, bytes, n);
    bad[64 + 6] = 0xf0; /* an infinity or a NaN */
    bad[64 + 7] = 0x7f;
    tb_test_refuses(&b, bad, n, own, m);
    memset(bad, 0, sizeof bad);
    tb_test_refuses(&b, bad, n, own, m);
    tb_test_refuses(&b, NULL, 0, own, m);
    /* of other parameters */
    assert_int_equal(p.snapshot->save(p.env, bad, sizeof bad, &n), TB_OK);
    tb_test_refuses(&b, bad, n, own, m);
    assert_non_null(strstr(b.api->last_error(b.env), "parameters"));
    /* a buffer that is too small stays as it was */
    memset(bad, 0xa5, sizeof bad);
    assert_int_equal(a.snapshot->save(a.env, bad, n - 1, &n), TB_E_INVALID);
    for (size_t i = 0; i < sizeof bad; i++)
        assert_int_equal(bad[i], 0xa5);
    tb_test_destroy(&a);
    tb_test_destroy(&b);
    tb_test_destroy(&p);
}

/* ---- state-vector/1 ---- */

static inline void test_state_vector(void **state)
{
    const tb_env_case *c = *state;
    tb_test_env a = tb_test_create(c->id, NULL, 0), b = tb_test_create(c->id, NULL, 0);
    double s[TB_TEST_MAX] = {0}, t[TB_TEST_MAX] = {0}, ignored = 0;
    assert_int_equal(a.vector->count(a.env), c->n_state);
    for (uint64_t i = 0; i < c->n_state; i++)
        assert_non_null(a.vector->name(a.env, i));
    assert_null(a.vector->name(a.env, c->n_state));
    for (uint64_t k = 0; k < 10; k++) {
        tb_test_episode(c, &a, k, 5, &ignored);
        assert_int_equal(a.vector->get(a.env, s), TB_OK);
        assert_int_equal(b.vector->set(b.env, s), TB_OK);
        assert_int_equal(b.vector->get(b.env, t), TB_OK);
        assert_memory_equal(s, t, sizeof s);
        tb_test_side_by_side(c, &a, &b, k, 100);
    }
    for (uint64_t i = 0; i < c->n_state; i++) {
        double kept = s[i];
        assert_int_equal(b.vector->set(b.env, t), TB_OK);
        s[i] = i % 2 ? INFINITY : NAN;
        assert_int_equal(b.vector->set(b.env, s), TB_E_INVALID);
        s[i] = kept;
        assert_int_equal(b.vector->get(b.env, s), TB_OK);
        assert_memory_equal(s, t, sizeof s);
    }
    tb_test_destroy(&a);
    tb_test_destroy(&b);
}

/* ---- parameters ---- */

static inline tb_param_info tb_test_param(const char *id, uint32_t i)
{
    tb_param_info info = {.struct_size = sizeof info};
    assert_int_equal(tb_test_schema()->get(id, i, &info), TB_OK);
    return info;
}

/* The schema's default as a host would hand it over; `text` holds the string of a choice. */
static inline tb_test_value tb_test_default(const tb_param_info *info, char text[64])
{
    tb_test_value value = {.key = info->key, .type = info->type, .string = text};
    value.number = strtod(info->default_text, NULL);
    if (info->type == TB_PARAM_BOOL)
        value.number = strcmp(info->default_text, "true") == 0;
    snprintf(text, 64, "%.*s", (int)strcspn(info->default_text + 1, "\""), info->default_text + 1);
    return value;
}

static inline void tb_test_param_refused(const char *id, tb_test_value value)
{
    tb_test_env e;
    char err[256];
    if (tb_test_try(id, &value, 1, &e, err) != TB_E_PARAM)
        fail_msg("%s: %s = %g (\"%s\") was accepted", id, value.key, value.number,
                 value.string ? value.string : "");
    assert_non_null(strstr(err, value.key));
    assert_true(value.read);
}

/* The schema says what create() does: its defaults are the defaults, its ranges the ranges. */
static inline void test_parameters(void **state)
{
    const tb_env_case *c = *state;
    tb_test_value all[32];
    char text[32][64];
    uint32_t n = tb_test_schema()->count(c->id);
    tb_param_info info = {.struct_size = sizeof info};
    assert_in_range(n, 1, 32);
    for (uint32_t i = 0; i < n; i++) {
        info = tb_test_param(c->id, i);
        all[i] = tb_test_default(&info, text[i]);
        assert_true(strlen(info.doc) > 10);
        tb_test_value value = all[i];
        value.type = info.type == TB_PARAM_STR ? TB_PARAM_F64 : TB_PARAM_STR;
        tb_test_param_refused(c->id, value);
        value.type = info.type;
        if (info.type == TB_PARAM_STR) {
            value.string = "no such choice";
            tb_test_param_refused(c->id, value);
        } else if (info.type == TB_PARAM_F64) {
            double wrong[] = {NAN, INFINITY, nextafter(info.high, INFINITY),
                              nextafter(info.low, -INFINITY)};
            for (int w = 0; w < 4; w++) {
                value.number = wrong[w];
                tb_test_param_refused(c->id, value);
            }
        }
    }
    assert_int_equal(tb_test_schema()->get(c->id, n, &info), TB_E_INVALID);
    assert_int_equal(tb_test_schema()->get("classic/None-v0", 0, &info), TB_E_INVALID);
    assert_int_equal(tb_test_schema()->count("classic/None-v0"), 0);
    /* a snapshot of the defaults fits the instance that was given them one by one */
    tb_test_env plain = tb_test_create(c->id, NULL, 0), given = tb_test_create(c->id, all, n);
    unsigned char bytes[512];
    uint64_t used = 0;
    tb_test_reset(&plain, tb_test_key(1), NULL);
    assert_int_equal(plain.snapshot->save(plain.env, bytes, sizeof bytes, &used), TB_OK);
    assert_int_equal(given.snapshot->load(given.env, bytes, used), TB_OK);
    tb_test_side_by_side(c, &plain, &given, 1, 50);
    tb_test_destroy(&plain);
    tb_test_destroy(&given);
}

/* A parameter that is given has an effect. */
static inline void test_parameter_effect(void **state)
{
    const tb_env_case *c = *state;
    tb_test_value value = {.key = c->param, .type = TB_PARAM_F64, .number = c->param_value};
    tb_test_env a = tb_test_create(c->id, NULL, 0), b = tb_test_create(c->id, &value, 1), none;
    char err[256];
    float oa[TB_TEST_MAX] = {0}, ob[TB_TEST_MAX] = {0};
    tb_test_action action = {0};
    tb_test_reset(&a, tb_test_key(3), oa);
    tb_test_reset(&b, tb_test_key(3), ob);
    assert_memory_equal(oa, ob, sizeof oa);
    tb_test_result ra = tb_test_step(&a, action), rb = tb_test_step(&b, action);
    assert_memory_not_equal(&ra, &rb, sizeof ra);
    assert_int_equal(tb_test_try("classic/None-v0", NULL, 0, &none, err), TB_E_INVALID);
    assert_non_null(strstr(err, "classic/None-v0"));
    tb_test_destroy(&a);
    tb_test_destroy(&b);
}

/* ---- the random policy ---- */

static inline double tb_test_random_return(const tb_env_case *c, uint64_t episodes, double *error)
{
    tb_test_env e = tb_test_create(c->id, NULL, 0);
    double sum = 0, square = 0, n = (double)episodes;
    for (uint64_t k = 0; k < episodes; k++) {
        double total = 0;
        tb_test_episode(c, &e, 100000 + k, c->max_episode_steps, &total);
        sum += total;
        square += total * total;
    }
    tb_test_destroy(&e);
    *error = sqrt(fmax(square / n - sum / n * (sum / n), 0) / n);
    return sum / n;
}

/* desc.return_random is what a random policy gets. */
static inline void test_random_return(void **state)
{
    const tb_env_case *c = *state;
    double error, mean = tb_test_random_return(c, 300, &error);
    double told = tb_test_describe(c->id)->return_random;
    if (!(fabs(mean - told) <= 4 * error + 0.1))
        fail_msg("return_random is %g, measured %g +- %g", told, mean, error);
}

/* ---- the program ---- */

#define TB_ENV_TEST(f, c)                                                                          \
    {                                                                                              \
#f, f, NULL, NULL, c                                                                       \
    }

/* The common tests of case `c`, then `n_own` tests of the environment's own. */
static inline int tb_env_test_main(int argc, char **argv, tb_env_case *c,
                                   const struct CMUnitTest *own, size_t n_own)
{
    const struct CMUnitTest common[] = {
        TB_ENV_TEST(test_trace, c),
        TB_ENV_TEST(test_description, c),
        TB_ENV_TEST(test_spaces, c),
        TB_ENV_TEST(test_reset_distribution, c),
        TB_ENV_TEST(test_same_key_same_trajectory, c),
        TB_ENV_TEST(test_order_of_calls, c),
        TB_ENV_TEST(test_bad_actions, c),
        TB_ENV_TEST(test_snapshot_round_trip, c),
        TB_ENV_TEST(test_corrupt_snapshots, c),
        TB_ENV_TEST(test_state_vector, c),
        TB_ENV_TEST(test_parameters, c),
        TB_ENV_TEST(test_parameter_effect, c),
        TB_ENV_TEST(test_random_return, c),
    };
    if (argc == 3 && strcmp(argv[1], "--random-return") == 0) {
        double error, mean = tb_test_random_return(c, strtoull(argv[2], NULL, 10), &error);
        printf("%s: mean return of the random policy %.4f, standard error %.4f\n", c->id, mean,
               error);
        return 0;
    }
    int failed = cmocka_run_group_tests_name(c->id, common, NULL, NULL);
    if (n_own)
        failed += _cmocka_run_group_tests("own", own, n_own, NULL, NULL);
    return failed;
}

#endif
