/* SPDX-License-Identifier: MIT
 *
 * `trpo-bench list`, as a user runs it.
 */
#include <sys/wait.h>

#include "tests/harness/suite/fixture.h"

// Runs the program in the test's folder; returns its exit code, and what it printed on either
// stream.
static int run_list(const char *arguments, char *out, size_t capacity)
{
    char command[2048];
    snprintf(command, sizeof command,
             "cd '%s' && unset TRPO_BENCH_PLUGIN_PATH TRPO_BENCH_PROGRAM && { '%s' list %s; } 2>&1",
             test_folder, TB_TEST_PROGRAM, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    out[fread(out, 1, capacity - 1, pipe)] = '\0';
    int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static char out[65536];
#define CLASSIC "'" TB_TEST_SOURCE_DIR "/suites/classic.toml'"

static json_t *run_json(const char *arguments)
{
    assert_int_equal(run_list(arguments, out, sizeof out), 0);
    json_t *json = json_loads(out, 0, NULL);
    if (json == NULL)
        fail_msg("no JSON: %s", out);
    return json;
}

static void environments(void **state)
{
    (void)state;
    assert_int_equal(run_list("envs", out, sizeof out), 0);
    // aligned: every summary begins where the title does
    size_t column = (size_t)(strstr(out, "SUMMARY") - out);
    const char *line = strstr(out, "classic/CartPole-v1 ");
    assert_non_null(line);
    assert_true(line[-1] == '\n' && line[column - 1] == ' ' && line[column] == 'B');
    // with an id: its parameters
    assert_int_equal(run_list("envs classic/Pendulum-v1", out, sizeof out), 0);
    assert_non_null(strstr(out, "    max_torque  number"));
    assert_null(strstr(out, "CartPole"));
    json_t *json = run_json("envs classic/Pendulum-v1 --json");
    const json_t *row = json_array_get(json, 0);
    assert_int_equal(json_array_size(json), 1);
    assert_int_equal(json_integer_value(json_object_get(row, "max_episode_steps")), 200);
    assert_true(json_is_null(json_object_get(row, "reward_threshold")));
    json_decref(json);
}

static void algorithms(void **state)
{
    (void)state;
    assert_int_equal(run_list("algorithms", out, sizeof out), 0);
    assert_non_null(strstr(out, "\ntrpo  "));
    assert_null(strstr(out, "max_kl"));
    assert_int_equal(run_list("algorithms -v", out, sizeof out), 0);
    assert_non_null(strstr(out, "    max_kl "));
    assert_non_null(strstr(out, "    batch_steps "));
    assert_non_null(strstr(out, "    final_eval_episodes "));
    assert_int_equal(run_list("algorithms --markdown", out, sizeof out), 0);
    assert_non_null(strstr(out, "| `max_kl` | number | `0.01` |"));
}

static void plugins(void **state)
{
    (void)state;
    write_file("broken.so", "no ELF", 6);
    char command[256];
    snprintf(command, sizeof command, "plugins --json --plugin-dir '%s'", test_folder);
    json_t *json = run_json(command);
    // five environments and two policies are built in
    assert_true(json_array_size(json_object_get(json, "plugins")) >= 7);
    const json_t *first = json_array_get(json_object_get(json, "plugins"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "abi")), "1.2");
    assert_int_equal(json_string_length(json_object_get(first, "sha256")), 64);
    assert_int_equal(json_array_size(json_object_get(json, "refused")), 1);
    const char *refusal = json_string_value(json_array_get(json_object_get(json, "refused"), 0));
    assert_non_null(strstr(refusal, "broken.so"));
    json_decref(json);
    snprintf(command, sizeof command, "plugins --plugin-dir '%s'", test_folder);
    assert_int_equal(run_list(command, out, sizeof out), 0);
    assert_non_null(strstr(out, "\nRefused:\n  "));
}

static void cells(void **state)
{
    (void)state;
    json_t *json = run_json("cells " CLASSIC " --json");
    assert_int_equal(json_array_size(json), 150);
    json_decref(json);
    json = run_json("cells " CLASSIC " --json --seeds 4-5 --filter 'Pend.* npg' --set steps=4000");
    assert_int_equal(json_array_size(json), 2);
    const json_t *cell = json_array_get(json, 1);
    assert_string_equal(json_string_value(json_object_get(cell, "path")),
                        "runs/classic__Pendulum-v1/mlp/npg/s0005");
    assert_int_equal(json_integer_value(json_object_get(cell, "steps")), 4000);
    assert_int_equal(json_integer_value(json_object_get(cell, "seed")), 5);
    json_decref(json);
}

static void mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *arguments;
        int code;
        const char *says;
    } cases[] = {
        {"", 2, "what to list? one of envs, policies, algorithms, plugins, cells"},
        {"evns", 2, "cannot list \"evns\"; did you mean \"envs\"?"},
        {"cells", 2, "cells needs one suite"},
        {"plugins x", 2, "plugins takes no argument, found \"x\""},
        {"envs classic/CartPole-v2", 2,
         "no environment \"classic/CartPole-v2\"; did you mean \"classic/CartPole-v1\"?"},
        {"algorithms tpro", 2, "no algorithm \"tpro\"; did you mean \"trpo\"?"},
        {"cells no-such.toml", 74, "no-such.toml: cannot open the suite: No such file"},
        {"cells " CLASSIC " --set gama=1", 2, "did you mean \"gamma\"?"},
        {"cells " CLASSIC " --seeds x", 2, "--seeds x: "},
        {"cells " CLASSIC " --filter x", 2, "matches none of the 150 cells"},
        {"envs --nonsense", 2, "unrecognized option '--nonsense'"},
        {"envs > /dev/full", 74, "cannot write to standard output"},
        {"envs --json > /dev/full", 74, "cannot write to standard output"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int code = run_list(cases[i].arguments, out, sizeof out);
        if (code != cases[i].code || strstr(out, cases[i].says) == NULL)
            fail_msg("list %s: exit code %d, %s", cases[i].arguments, code, out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environments), cmocka_unit_test(algorithms), cmocka_unit_test(plugins),
        cmocka_unit_test(cells),        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
