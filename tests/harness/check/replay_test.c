/* SPDX-License-Identifier: MIT
 *
 * Replaying traces that the healthy environment of tests/broken made itself, and damaged copies of
 * them. This program runs its own children: `<test> replay ...`, `<test> scan-plugin ...`.
 */
#include "harness/check/replay.h"

#include <argp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/cli/command.h"
#include "harness/plugin/child.h"
#include "harness/plugin/loader.h"

#define PLUGIN TB_TEST_BINARY_DIR "/broken/env-healthy.so"
#define ID "broken/healthy-v1"

enum { n_rows = 104 }; // header, R, 100 steps to the time limit, R, S

typedef struct fixture {
    char folder[64], trace[96];
    char lines[n_rows][256];
    json_t *params; // no noise: the state says everything
} fixture;

static void write_row(fixture *f, size_t *n, char kind, int t, int action, const double *s,
                      const float *obs, const tb_step *out)
{
    char *line = f->lines[(*n)++];
    size_t size = sizeof f->lines[0];
    int at = snprintf(line, size, "%c,0,%d,", kind, t);
    if (kind == 'S')
        at += snprintf(line + at, size - (size_t)at, "%d", action);
    at += snprintf(line + at, size - (size_t)at, ",%.17g,%.17g,%.17g,%.9g,%.9g,", s[0], s[1], s[2],
                   (double)obs[0], (double)obs[1]);
    if (kind == 'S')
        snprintf(line + at, size - (size_t)at, "%.17g,%d,%d", out->reward,
                 (out->flags & TB_TERMINATED) != 0, t >= 100);
    else
        snprintf(line + at, size - (size_t)at, ",,");
}

// pushes against the velocity, so that the episode reaches the time limit
static void record(fixture *f)
{
    tb_plugin *plugin;
    const tb_env_api *api;
    tb_env *env;
    assert_int_equal(tb_plugin_load(PLUGIN, &plugin, NULL), TB_OK);
    assert_int_equal(tb_plugin_create_env(plugin, ID, f->params, &api, &env, NULL, NULL), TB_OK);
    const tb_env_state_vector *vector = api->get_extension(env, TB_EXT_ENV_STATE_VECTOR);
    double s[3];
    float obs[2];
    size_t n = 0;
    snprintf(f->lines[n++], sizeof f->lines[0],
             "kind,episode,t,action,s0,s1,s2,obs0,obs1,reward,terminated,truncated");
    for (uint64_t episode = 0; episode < 2; episode++) {
        api->reset(env, &(tb_key){{episode, 0}}, obs);
        vector->get(env, s);
        write_row(f, &n, 'R', 0, 0, s, obs, NULL);
        for (int t = 1; t <= (episode == 0 ? 100 : 1); t++) {
            int32_t action = s[1] + s[0] > 0 ? 0 : 2;
            tb_step out = {.struct_size = sizeof out};
            assert_int_equal(api->step(env, &action, obs, &out), TB_OK);
            vector->get(env, s);
            write_row(f, &n, 'S', t, action, s, obs, &out);
        }
    }
    assert_int_equal(n, n_rows);
    api->destroy(env);
    tb_plugin_release(plugin, 0);
}

static void write_trace(const fixture *f)
{
    FILE *file = fopen(f->trace, "w");
    assert_non_null(file);
    for (size_t i = 0; i < n_rows; i++)
        if (f->lines[i][0] != '\0')
            fprintf(file, "%s\n", f->lines[i]);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    strcpy(f->folder, "/tmp/tb-replay-XXXXXX");
    if (mkdtemp(f->folder) == NULL)
        return -1;
    snprintf(f->trace, sizeof f->trace, "%s/trace.csv", f->folder);
    f->params = json_pack("{s:f}", "noise", 0.0);
    record(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    remove(f->trace);
    rmdir(f->folder);
    json_decref(f->params);
    free(f);
    return 0;
}

static tb_status replay(const fixture *f, tb_replay_report *report, tb_error *error)
{
    write_trace(f);
    tb_replay_options options = {.plugin = PLUGIN,
                                 .id = ID,
                                 .params = f->params,
                                 .trace = f->trace,
                                 .reward_tolerance = 1e-12};
    return tb_replay(&options, report, error);
}

// field number `i` of a line, replaced
static void set_field(fixture *f, size_t line, size_t i, const char *value)
{
    char old[256], *rest = old, *field;
    strcpy(old, f->lines[line - 1]);
    size_t at = 0;
    for (size_t k = 0; (field = strsep(&rest, ",")) != NULL; k++)
        at += (size_t)snprintf(f->lines[line - 1] + at, sizeof f->lines[0] - at, "%s%s",
                               k > 0 ? "," : "", k == i ? value : field);
}

enum {
    field_kind,
    field_episode,
    field_t,
    field_action,
    field_s0,
    field_obs0 = 7,
    field_reward = 9
};

static void an_own_trace_is_equal(void **state)
{
    tb_replay_report report;
    tb_error error = {0};
    if (replay(*state, &report, &error) != TB_OK)
        fail_msg("%s", error.message);
    assert_int_equal(report.n_resets, 2);
    assert_int_equal(report.n_steps, 101);
    assert_int_equal(report.n_columns, 8);
    for (size_t i = 0; i < report.n_columns; i++)
        if (report.columns[i].deviation != 0)
            fail_msg("%s deviates by %g", report.columns[i].name, report.columns[i].deviation);
    assert_true(report.within);
    tb_replay_report_finish(&report);
}

static void each_column_finds_its_deviation(void **state)
{
    static const struct {
        size_t line, field, column;
        const char *value, *name;
    } rows[] = {
        // in the last row of an episode: a later row would start from the changed state
        {102, field_s0, 0, "0.5", "s0"},
        {102, field_s0 + 2, 2, "nan", "s2"},
        {7, field_obs0, 3, "3", "obs0"},
        {2, field_obs0 + 1, 4, "3", "obs1"},
        {9, field_reward, 5, "0.125", "reward"},
        {9, field_reward + 1, 6, "1", "terminated"},
        {102, field_reward + 2, 7, "0", "truncated"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char saved[256];
        tb_replay_report report;
        tb_error error = {0};
        strcpy(saved, f->lines[rows[i].line - 1]);
        set_field(f, rows[i].line, rows[i].field, rows[i].value);
        if (replay(f, &report, &error) != TB_OK)
            fail_msg("%s", error.message);
        const tb_replay_column *column = &report.columns[rows[i].column];
        assert_string_equal(column->name, rows[i].name);
        assert_int_equal(column->line, rows[i].line);
        assert_true(column->deviation > 0);
        assert_false(report.within);
        for (size_t k = 0; k < report.n_columns; k++)
            assert_true(k == rows[i].column || report.columns[k].deviation == 0);
        tb_replay_report_finish(&report);
        strcpy(f->lines[rows[i].line - 1], saved);
    }
}

// a velocity that is wrong in one row shows in the position of the next row, which starts from it,
// and in none after that
static void each_step_starts_from_the_recorded_state(void **state)
{
    fixture *f = *state;
    tb_replay_report report;
    set_field(f, 50, field_s0 + 1, "0.5");
    assert_int_equal(replay(f, &report, NULL), TB_OK);
    assert_int_equal(report.columns[0].line, 51);
    assert_true(report.columns[0].deviation > 0.4 && report.columns[0].deviation < 0.6);
    tb_replay_report_finish(&report);
}

static void a_malformed_trace_names_its_line(void **state)
{
    static const struct {
        size_t line, field;
        const char *value, *message;
    } rows[] = {
        {1, field_action, "move", ":1: not the header of a trace"},
        {1, field_s0 + 1, "s2", ":1: not the header of a trace"},
        {5, field_kind, "X", ":5: kind \"X\"; expected R or S"},
        {5, field_s0, "abc", ":5: field 5 is \"abc\", not a number"},
        {5, field_s0, "", ":5: field 5 is empty"},
        {5, field_action, "", ":5: field 4 is empty"},
        {5, field_reward, "1,2", ":5: 13 fields, the header has 12"},
        {5, field_action, "0.5", ":5: action 0.5 is not an integer"},
        {5, field_action, "3", ":5: step() gives TB_E_INVALID"},
        {5, field_t, "9", ":5: t is 9, the row before has 2"},
        {2, field_kind, "S", ":2: field 4 is empty"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char saved[256];
        tb_replay_report report;
        tb_error error = {0};
        strcpy(saved, f->lines[rows[i].line - 1]);
        set_field(f, rows[i].line, rows[i].field, rows[i].value);
        assert_int_not_equal(replay(f, &report, &error), TB_OK);
        if (strstr(error.message, rows[i].message) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.message, rows[i].message);
        strcpy(f->lines[rows[i].line - 1], saved);
    }
}

// ---- the command ----

static int run(const fixture *f, const char *extra, char **out)
{
    const char *argv[] = {"/proc/self/exe", "replay", ID,          f->trace, "--plugin-dir",
                          PLUGIN,           "--set",  "noise=0.0", extra,    NULL};
    tb_child_result child;
    write_trace(f);
    assert_int_equal(tb_child_run(argv, 60, &child, NULL), TB_OK);
    assert_int_equal(child.end, TB_CHILD_EXITED);
    *out = child.out;
    return child.code;
}

static void the_command_gives_the_documented_exit_codes(void **state)
{
    fixture *f = *state;
    char *out;
    assert_int_equal(run(f, NULL, &out), TB_EXIT_OK);
    assert_non_null(strstr(out, "2 episodes, 101 steps: within tolerance"));
    free(out);
    // an observation that is off by 2^-10
    set_field(f, 2, field_obs0 + 1, "0.0009765625");
    assert_int_equal(run(f, NULL, &out), TB_EXIT_MISMATCH);
    assert_non_null(strstr(out, "NOT within tolerance"));
    assert_non_null(strstr(out, "0.0009765625"));
    free(out);
    assert_int_equal(run(f, "--tolerance=0.001", &out), TB_EXIT_OK);
    free(out);
    assert_int_equal(run(f, "--tolerance=-1", &out), TB_EXIT_USAGE);
    free(out);
    assert_int_equal(run(f, "--set=noize=1", &out), TB_EXIT_USAGE);
    free(out);
    set_field(f, 2, field_kind, "Q");
    assert_int_equal(run(f, NULL, &out), TB_EXIT_USAGE);
    free(out);
}

int main(int argc, char **argv)
{
    argp_err_exit_status = TB_EXIT_USAGE;
    if (argc > 1 && strcmp(argv[1], "replay") == 0)
        return tb_command_replay.run(argc - 1, argv + 1);
    if (argc > 1)
        return tb_command_scan_plugin.run(argc - 1, argv + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_own_trace_is_equal, setup, teardown),
        cmocka_unit_test_setup_teardown(each_column_finds_its_deviation, setup, teardown),
        cmocka_unit_test_setup_teardown(each_step_starts_from_the_recorded_state, setup, teardown),
        cmocka_unit_test_setup_teardown(a_malformed_trace_names_its_line, setup, teardown),
        cmocka_unit_test_setup_teardown(the_command_gives_the_documented_exit_codes, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
