/* SPDX-License-Identifier: MIT
 *
 * What the tests of all tabular environments check, on top of the conformance checker: the model
 * equals the recorded one, traces replay, and the returns in the description are exact. Recordings
 * lie in tests/data/tabular.
 */
#ifndef TESTS_TABULAR_PLUGIN_CHECKS_H
#define TESTS_TABULAR_PLUGIN_CHECKS_H

#include "harness/check/check.h"
#include "tests/env_plugin_testing.h"

typedef struct tb_tab_case {
    const char *id;
    const char *file; /* "Taxi-v4.rainy.csv", a model; or a trace */
    tb_test_value *values;
    size_t n_values;
    uint64_t n_states, n_actions;
} tb_tab_case;

static inline tb_tabular tb_tab_test_model(tb_test_env *e)
{
    const tb_env_tabular *api = e->api->get_extension(e->env, TB_EXT_ENV_TABULAR);
    tb_tabular m = {.struct_size = sizeof m};
    assert_non_null(api);
    assert_int_equal(api->model(e->env, &m), TB_OK);
    return m;
}

static inline FILE *tb_tab_test_file(const char *name)
{
    char path[1024], header[256];
    snprintf(path, sizeof path, "%s/tests/data/tabular/%s", TB_TEST_SOURCE_DIR, name);
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("cannot read %s", path);
    assert_non_null(fgets(header, sizeof header, file));
    return file;
}

/* The next field of a line of comma-separated values, as a number; 0 when it is empty. */
static inline double tb_tab_test_field(char **line)
{
    const char *field = strsep(line, ",\n");
    assert_non_null(field);
    return strtod(field, NULL);
}

#define TB_TAB_EXPECT(row, what, found, expected)                                                  \
    do {                                                                                           \
        if (!((found) == (expected)))                                                              \
            fail_msg("line %d: %s is %.17g, recorded is %.17g", (row) + 2, (what),                 \
                     (double)(found), (double)(expected));                                         \
    } while (0)

/* Outcome by outcome in the recorded order, to the last bit. A file that lists only some states
 * says nothing of the others. */
static inline void test_model(void **state)
{
    const tb_tab_case *c = *state;
    tb_test_env e = tb_test_create(c->id, c->values, c->n_values);
    tb_tabular m = tb_tab_test_model(&e);
    FILE *file = tb_tab_test_file(c->file);
    double started = 0;
    uint64_t last = UINT64_MAX, o = 0, n_steps = 0, s, pair;
    char text[512];
    assert_int_equal(m.n_states, c->n_states);
    assert_int_equal(m.n_actions, c->n_actions);
    for (int row = 0; fgets(text, sizeof text, file); row++) {
        char *line = text;
        int is_start = strcmp(strsep(&line, ","), "start") == 0;
        s = (uint64_t)tb_tab_test_field(&line);
        pair = s * m.n_actions + (uint64_t)tb_tab_test_field(&line);
        assert_true(s < m.n_states && pair < m.n_states * m.n_actions);
        double probability = tb_tab_test_field(&line);
        if (is_start) {
            TB_TAB_EXPECT(row, "start[]", m.start[s], probability);
            started += m.start[s];
            continue;
        }
        /* each pair is whole: the one before it had no more outcomes than recorded */
        if (pair != last)
            assert_true(last == UINT64_MAX || o == m.first[last + 1]);
        o = pair == last ? o : m.first[pair];
        last = pair;
        assert_true(o < m.first[pair + 1]);
        TB_TAB_EXPECT(row, "the probability", m.probability[o], probability);
        TB_TAB_EXPECT(row, "the next state", m.next[o], tb_tab_test_field(&line));
        TB_TAB_EXPECT(row, "the reward", m.reward[o], tb_tab_test_field(&line));
        TB_TAB_EXPECT(row, "the end", m.terminated[o], tb_tab_test_field(&line));
        o++;
        n_steps++;
    }
    fclose(file);
    assert_int_equal(o, m.first[last + 1]);
    /* with first states recorded, the whole model is */
    if (started > 0) {
        assert_true(fabs(started - 1) < 1e-12);
        assert_int_equal(n_steps, m.n_outcomes);
    }
    assert_true(n_steps > 30);
    tb_test_destroy(&e);
}

/* Sets the state after each reset, then only steps. */
static inline void test_trace(void **state)
{
    const tb_tab_case *c = *state;
    tb_test_env e = tb_test_create(c->id, c->values, c->n_values);
    FILE *file = tb_tab_test_file(c->file);
    int row = 0;
    char text[512];
    for (; fgets(text, sizeof text, file); row++) {
        char *line = text;
        int is_reset = strcmp(strsep(&line, ","), "R") == 0;
        int32_t seen = 0;
        double s = 0;
        tb_test_result r = {0};
        tb_tab_test_field(&line); /* episode */
        tb_tab_test_field(&line); /* t */
        tb_test_action action = {.i32 = (int32_t)tb_tab_test_field(&line)};
        double at = tb_tab_test_field(&line), observed = tb_tab_test_field(&line);
        if (is_reset) {
            assert_int_equal(e.vector->set(e.env, &at), TB_OK);
            assert_int_equal(e.snapshot->observe(e.env, r.obs), TB_OK);
        } else {
            r = tb_test_step(&e, action);
            assert_int_equal(r.status, TB_OK);
        }
        memcpy(&seen, r.obs, sizeof seen);
        assert_int_equal(e.vector->get(e.env, &s), TB_OK);
        TB_TAB_EXPECT(row, "the state", s, at);
        TB_TAB_EXPECT(row, "the observation", seen, observed);
        TB_TAB_EXPECT(row, "the reward", r.reward, tb_tab_test_field(&line));
        TB_TAB_EXPECT(row, "the end", r.flags == TB_TERMINATED, tb_tab_test_field(&line));
    }
    fclose(file);
    assert_true(row > 40);
    tb_test_destroy(&e);
}

/* Every environment of the library passes the conformance checker's tests of tabular models. */
static inline void test_conformance(void **state)
{
    tb_check_options options = {.path = TB_TEST_PLUGIN, .seed = 7};
    const tb_env_factory *factory = tb_test_factory();
    (void)state;
    for (uint32_t i = 0; i < factory->count(); i++)
        for (size_t k = 0; k < tb_check_tabular.n_tests; k++) {
            const char *id = factory->describe(i)->id, *test = tb_check_tabular.tests[k].id;
            tb_check_result result;
            tb_error error = {0};
            if (tb_check_run_one(&options, test, id, &result, &error) != TB_OK)
                fail_msg("%s", error.message);
            if (result.outcome != TB_CHECK_PASS)
                fail_msg("%s %s: %s", test, id, result.reason);
        }
}

/* ---- returns ---- */

/* One more step before the values v[S] of what follows: for the best (greedy) or the uniform random
 * policy. */
static inline void tb_tab_test_back(const tb_tabular *m, const double *v, int greedy, double *out)
{
    for (uint64_t s = 0; s < m->n_states; s++) {
        double best = -INFINITY, sum = 0;
        for (uint64_t a = 0; a < m->n_actions; a++) {
            double q = 0;
            uint64_t pair = s * m->n_actions + a;
            for (uint64_t o = m->first[pair]; o < m->first[pair + 1]; o++)
                q += m->probability[o] * (m->reward[o] + (m->terminated[o] ? 0 : v[m->next[o]]));
            best = fmax(best, q);
            sum += q;
        }
        out[s] = greedy ? best : sum / (double)m->n_actions;
    }
}

/* Expected undiscounted return over `horizon` steps, by dynamic programming. */
static inline double tb_tab_test_return(const tb_tabular *m, uint64_t horizon, int greedy)
{
    double *v = calloc(m->n_states, sizeof *v), *u = calloc(m->n_states, sizeof *u), sum = 0;
    assert_non_null(v);
    assert_non_null(u);
    for (uint64_t t = 0; t < horizon; t++) {
        double *swap = v;
        tb_tab_test_back(m, v, greedy, u);
        v = u;
        u = swap;
    }
    for (uint64_t s = 0; s < m->n_states; s++)
        sum += m->start[s] * v[s];
    free(v);
    free(u);
    return sum;
}

/* The description's returns are those of the model, to a relative error of 1e-3. Without a time
 * limit: over so many steps that nothing is left to come. */
static inline void test_returns(void **state)
{
    const tb_tab_case *c = *state;
    const tb_env_desc *desc = tb_test_describe(c->id);
    tb_test_env e = tb_test_create(c->id, NULL, 0);
    tb_tabular m = tb_tab_test_model(&e);
    for (int greedy = 0; greedy < 2; greedy++) {
        double told = greedy ? desc->return_ref : desc->return_random;
        uint64_t limit = desc->max_episode_steps, horizon = greedy ? 5000 : 200000;
        double found = tb_tab_test_return(&m, limit > 0 ? limit : horizon, greedy);
        print_message("%s: %s %.6g, described as %.6g\n", c->id, greedy ? "best" : "random", found,
                      told);
        assert_true(fabs(found - told) <= 1e-3 * fabs(found));
    }
    tb_test_destroy(&e);
}

#define TB_TAB_TEST(f, c)                                                                          \
    {                                                                                              \
#f, f, NULL, NULL, c                                                                       \
    }

#endif
