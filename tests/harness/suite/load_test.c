/* SPDX-License-Identifier: MIT
 *
 * Every mistake that a suite can hold: place, words and suggestion.
 */
#include "tests/harness/suite/fixture.h"

typedef struct mistake {
    const char *text, *message;
} mistake;

static void expect_all(const mistake *mistakes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_error(mistakes[i].text, NULL, mistakes[i].message);
}
#define EXPECT_ALL(mistakes) expect_all(mistakes, sizeof(mistakes) / sizeof((mistakes)[0]))

#define NESTED_8 "[[[[[[[["
#define UNNESTED_8 "]]]]]]]]"

static void toml_syntax(void **state)
{
    (void)state;
    const mistake mistakes[] = {
        {SUITE "x = 1 y = 2\n" REST, ":4:7: Error while parsing key-value pair: expected a comment "
                                     "or whitespace, saw 'y'"},
        {SUITE "steps = 99999999999999999999\n" REST,
         ":4:29: Error while parsing decimal integer: '99999999999999999999' is not representable "
         "in 64 bits"},
        {SUITE REST "max_kl = nan\n", ":10:10: a number must be finite, not nan or inf"},
        {SUITE REST "max_kl = -inf\n", ":10:10: a number must be finite, not nan or inf"},
        {SUITE REST "max_kl = 2020-01-01\n",
         ":10:10: dates and times have no use here; expected a string, number, boolean, array or "
         "table"},
        {SUITE "description = \"a\\u0000b\"\n" REST,
         ":4:15: a string must not hold the character U+0000"},
        {SUITE REST
         "max_kl = " NESTED_8 NESTED_8 NESTED_8 NESTED_8 NESTED_8 NESTED_8 NESTED_8 NESTED_8
         "1" UNNESTED_8 UNNESTED_8 UNNESTED_8 UNNESTED_8 UNNESTED_8 UNNESTED_8 UNNESTED_8 UNNESTED_8
         "\n",
         ":10:72: nested more than 64 levels deep"},
        {SUITE "name = \"b\"\n" REST,
         ":4:8: Error while parsing key-value pair: cannot redefine existing string 'name'"},
    };
    EXPECT_ALL(mistakes);
}

static void unknown_keys(void **state)
{
    (void)state;
    const mistake mistakes[] = {
        {SUITE REST "[envs]\n", ":10:2: unknown key \"envs\" in the top level; did you mean "
                                "\"env\"?"},
        {SUITE "descripton = \"x\"\n" REST,
         ":4:1: unknown key \"descripton\" in [suite]; did you mean \"description\"?"},
        {SUITE REST "max_lk = 0.1\n",
         ":10:1: unknown key \"max_lk\" in [[algorithm]] trpo; did you mean \"max_kl\"?"},
        {SUITE "[defaults]\ngama = 0.9\n" REST,
         ":5:1: unknown key \"gama\" in [defaults]; did you mean \"gamma\"?"},
        {SUITE ENV "seps = 5\n" POLICY ALGORITHM,
         ":6:1: unknown key \"seps\" in [[env]]; did you mean \"steps\"?"},
        {SUITE ENV "[env.override]\nlamda = 1\n" POLICY ALGORITHM,
         ":7:1: unknown key \"lamda\" in [env.override]; did you mean \"lambda\"?"},
        {SUITE ENV "[env.override.trpo]\nmax_k = 1\n" POLICY ALGORITHM,
         ":7:1: unknown key \"max_k\" in [env.override.trpo]; did you mean \"max_kl\"?"},
        {SUITE ENV POLICY "parms = {}\n" ALGORITHM,
         ":8:1: unknown key \"parms\" in [[policy]]; did you mean \"params\"?"},
        {SUITE ENV POLICY "critic = { idd = \"mlp\" }\n" ALGORITHM,
         ":8:12: unknown key \"idd\" in critic; did you mean \"id\"?"},
        // a typo of another section's key
        {SUITE "max_lk = 1\n" REST, ":4:1: unknown key \"max_lk\" in [suite]; did you mean "
                                    "\"max_kl\", which belongs to [[algorithm]] trpo?"},
        // of two the first in the file, whatever the alphabet says
        {SUITE "steqs = 1\ndescriptionn = \"\"\n" REST,
         ":4:1: unknown key \"steqs\" in [suite]; did you mean \"steps\"?"},
        // like nothing at all
        {SUITE ENV POLICY "zzzzzzzzzz = 1\n" ALGORITHM,
         ":8:1: unknown key \"zzzzzzzzzz\" in [[policy]]; expected one of: id, name, params, "
         "critic"},
    };
    EXPECT_ALL(mistakes);
}

static void keys_of_another_section(void **state)
{
    (void)state;
    const mistake mistakes[] = {
        {SUITE "max_kl = 0.1\n" REST, ":4:1: \"max_kl\" belongs to [[algorithm]] trpo, not to "
                                      "[suite]"},
        {SUITE "damping = 0.1\n" REST,
         ":4:1: \"damping\" belongs to [[algorithm]] trpo or npg, not to [suite]"},
        {SUITE "gamma = 0.1\n" REST, ":4:1: \"gamma\" belongs to [defaults], [[algorithm]] or "
                                     "[env.override], not to [suite]"},
        {SUITE REST "steps = 1\n",
         ":10:1: \"steps\" belongs to [suite] or [[env]], not to [[algorithm]] trpo"},
        {SUITE REST "learning_rate = 1\n",
         ":10:1: \"learning_rate\" belongs to [[algorithm]] vpg, not to [[algorithm]] trpo"},
        {SUITE "[defaults]\nlearning_rate = 1\n" REST,
         ":5:1: \"learning_rate\" belongs to [[algorithm]] vpg, which this suite does not run"},
        {SUITE "max_episode_steps = 5\n" REST,
         ":4:1: \"max_episode_steps\" belongs to [[env]], not to [suite]"},
        {SUITE "params = {}\n" REST,
         ":4:1: \"params\" belongs to [[env]], [[policy]] or critic, not to [suite]"},
        {"name = \"a\"\n" SUITE REST, ":1:1: \"name\" belongs to [suite], [[env]], [[policy]] or "
                                      "[[algorithm]], not to the top level"},
        {SUITE ENV "gamma = 0.9\n" POLICY ALGORITHM,
         ":6:1: \"gamma\" belongs to [defaults], [[algorithm]] or [env.override], not to [[env]]"},
    };
    EXPECT_ALL(mistakes);
}

#define LETTERS_65 "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddde"

static void wrong_types_and_ranges(void **state)
{
    (void)state;
    const mistake mistakes[] = {
        {SUITE "steps = \"x\"\n" REST, ":4:9: \"steps\" must be an integer, not the string \"x\""},
        {SUITE "steps = 1.5\n" REST, ":4:9: \"steps\" must be an integer, not the number 1.5"},
        {SUITE "steps = 0\n" REST, ":4:9: \"steps\" must be an integer from 1 to 1e+15, not 0"},
        {SUITE "precision = \"f16\"\n" REST,
         ":4:13: \"precision\" must be one of f32|f64, not \"f16\""},
        {SUITE REST "max_kl = -0.01\n",
         ":10:10: \"max_kl\" must be a number from 1e-12 to 10, not -0.01"},
        {SUITE REST "gamma = [0.9]\n", ":10:9: \"gamma\" must be a number, not an array"},
        {SUITE REST "clip_actions = 1\n",
         ":10:16: \"clip_actions\" must be true or false, not the integer 1"},
        {SUITE "[defaults]\ngamma = 1.5\n" REST,
         ":5:9: \"gamma\" must be a number from 0 to 1, not 1.5"},
        {SUITE ENV "[env.override]\nlanes = 0\n" POLICY ALGORITHM,
         ":7:9: \"lanes\" must be an integer from 1 to 65536, not 0"},
        {SUITE ENV "[env.override]\ntrpo = 3\n" POLICY ALGORITHM,
         ":7:8: \"trpo\" must be a table of options, not an integer"},
        {SUITE ENV "override = 3\n" POLICY ALGORITHM,
         ":6:12: \"override\" must be a table, not an integer"},
        {SUITE ENV "max_episode_steps = -1\n" POLICY ALGORITHM,
         ":6:21: \"max_episode_steps\" must be an integer of at least 0 (0: no limit)"},
        {"[suite]\nname = 3\nseeds = 1\n" REST, ":2:8: \"name\" must be a string, not an integer"},
        {"[suite]\nname = \"A b\"\nseeds = 1\n" REST,
         ":2:8: \"name\" must be 1 to 64 of the characters a-z, 0-9, \"_\" and \"-\", not \"A b\""},
        {SUITE ENV "name = \"../x\"\n" POLICY ALGORITHM,
         ":6:8: \"name\" must be 1 to 64 of the characters a-z, 0-9, \"_\" and \"-\", not "
         "\"../x\""},
        {SUITE ENV "name = \"" LETTERS_65 "\"\n" POLICY ALGORITHM,
         ":6:8: \"name\" must be 1 to 64 of the characters a-z, 0-9, \"_\" and \"-\", not "
         "\"" LETTERS_65 "\""},
        {SUITE "description = 1\n" REST, ":4:15: \"description\" must be a string, not an integer"},
        {"suite = 3\n" REST, ":1:1: \"suite\" must be a table: write [suite]"},
        {"defaults = 3\n" SUITE REST, ":1:1: \"defaults\" must be a table: write [defaults]"},
        {SUITE "[env]\nid = \"classic/CartPole-v1\"\n" POLICY ALGORITHM,
         ":4:2: \"env\" must be an array of tables: write [[env]], not [env]"},
        {"env = [1]\n" SUITE POLICY ALGORITHM, ":1:8: \"env\" must hold tables, not an integer"},
    };
    EXPECT_ALL(mistakes);
}

static void missing_and_twice(void **state)
{
    (void)state;
    const mistake mistakes[] = {
        {"", ":1:1: the suite has no [suite] table; it needs one with name = \"...\""},
        {"[suite]\nseeds = 1\n" REST, ":1:1: [suite] needs name = \"...\": 1 to 64 of the "
                                      "characters a-z, 0-9, \"_\" and \"-\""},
        {"[suite]\nname = \"a\"\n" REST,
         ":1:1: [suite] needs seeds: a count (seeds = 10) or a list (seeds = [0, 3, 7])"},
        {SUITE POLICY ALGORITHM, ":1:1: the suite has no [[env]]; it needs at least one"},
        {SUITE ENV ALGORITHM, ":1:1: the suite has no [[policy]]; it needs at least one"},
        {SUITE ENV POLICY, ":1:1: the suite has no [[algorithm]]; it needs at least one"},
        {"env = []\n" SUITE POLICY ALGORITHM, ":1:7: \"env\" is empty; a suite needs at least one"},
        {SUITE "[[env]]\n" POLICY ALGORITHM,
         ":4:1: [[env]] needs id = \"...\" (trpo-bench list envs)"},
        {SUITE ENV "[[policy]]\n" ALGORITHM,
         ":6:1: [[policy]] needs id = \"...\" (trpo-bench list policies)"},
        {SUITE ENV POLICY "[[algorithm]]\n",
         ":8:1: [[algorithm]] needs id = \"...\" (trpo-bench list algorithms)"},
        {SUITE ENV REST, ":7:6: [[env]] \"classic/CartPole-v1\" is there already (line 4); give "
                         "one of them another name = \"...\""},
        {SUITE ENV "name = \"x\"\n" ENV "name = \"x\"\n" POLICY ALGORITHM,
         ":9:8: [[env]] \"classic/CartPole-v1@x\" is there already (line 4); give one of them "
         "another name = \"...\""},
        {SUITE ENV POLICY POLICY ALGORITHM, ":9:6: [[policy]] \"mlp\" is there already (line 6); "
                                            "give one of them another name = \"...\""},
        {SUITE REST ALGORITHM, ":11:6: [[algorithm]] \"trpo\" is there already (line 8); give one "
                               "of them another name = \"...\""},
        {SUITE REST "name = \"x\"\n[[algorithm]]\nid = \"vpg\"\nname = \"x\"\n",
         ":13:8: another [[algorithm]] (line 8) is named \"x\" too; names are what "
         "[env.override.<name>] refers to, so each must be different"},
    };
    EXPECT_ALL(mistakes);
}

static void plugins_and_params(void **state)
{
    (void)state;
    const mistake mistakes[] = {
        {SUITE "[[env]]\nid = \"classic/CartPole-v2\"\n" POLICY ALGORITHM,
         ":5:6: no environment \"classic/CartPole-v2\"; did you mean \"classic/CartPole-v1\"? "
         "(trpo-bench list envs shows all)"},
        {SUITE ENV "[[policy]]\nid = \"mpl\"\n" ALGORITHM,
         ":7:6: no policy \"mpl\"; did you mean \"mlp\"? (trpo-bench list policies shows all)"},
        {SUITE ENV POLICY "[[algorithm]]\nid = \"tpro\"\n",
         ":9:6: no algorithm \"tpro\"; did you mean \"trpo\"? (trpo-bench list algorithms shows "
         "all)"},
        {SUITE ENV POLICY "[[algorithm]]\nid = \"qqqqqqqq\"\n",
         ":9:6: no algorithm \"qqqqqqqq\" (trpo-bench list algorithms shows all)"},
        {SUITE ENV POLICY "[[algorithm]]\nid = 3\n",
         ":9:6: \"id\" must be a string, not an integer"},
        {SUITE ENV "params = { h = 3 }\n" POLICY ALGORITHM,
         ":6:12: unknown parameter \"h\" of classic/CartPole-v1; did you mean \"g\"?"},
        {SUITE ENV "params = { g = 300 }\n" POLICY ALGORITHM,
         ":6:16: parameter \"g\" of classic/CartPole-v1 must be a number from 0 to 100, not 300"},
        {SUITE ENV POLICY "params = { hidden = [0] }\n" ALGORITHM,
         ":8:21: parameter \"hidden\" of mlp must be an array of integers from 1 to 4096, not [0]"},
        {SUITE ENV POLICY "params = { activation = \"tanhh\" }\n" ALGORITHM,
         ":8:25: parameter \"activation\" of mlp must be one of tanh|relu, not \"tanhh\""},
        {SUITE ENV POLICY "[policy.params]\nhiden = [3]\n" ALGORITHM,
         ":9:1: unknown parameter \"hiden\" of mlp; did you mean \"hidden\"?"},
        {SUITE ENV POLICY "params = 3\n" ALGORITHM,
         ":8:10: \"params\" must be a table, not an integer"},
        {SUITE ENV POLICY "critic = 3\n" ALGORITHM,
         ":8:10: \"critic\" must be a table such as { id = \"mlp\", params = { ... } }, not an "
         "integer"},
        {SUITE ENV POLICY "critic = { id = \"liner\" }\n" ALGORITHM,
         ":8:17: no policy \"liner\"; did you mean \"linear\"? (trpo-bench list policies shows "
         "all)"},
        {SUITE ENV POLICY "critic = { params = { hiden = [3] } }\n" ALGORITHM,
         ":8:23: unknown parameter \"hiden\" of mlp; did you mean \"hidden\"?"},
        {SUITE ENV "[env.override.vgp]\ngamma = 1\n" POLICY ALGORITHM
                   "[[algorithm]]\nid = \"vpg\"\n",
         ":6:15: no [[algorithm]] of this suite is named \"vgp\"; did you mean \"vpg\"?"},
        {SUITE ENV "[env.override.qqqqqq]\ngamma = 1\n" POLICY ALGORITHM,
         ":6:15: no [[algorithm]] of this suite is named \"qqqqqq\"; expected one of: trpo"},
    };
    EXPECT_ALL(mistakes);
}

static void cross_checks(void **state)
{
    (void)state;
    const mistake mistakes[] = {
        // the place is the stronger layer's
        {SUITE "[defaults]\nlanes = 10\n" REST,
         ":5:9: \"batch_steps\" must be a multiple of \"lanes\", but 2048 is none of 10 "
         "(classic/CartPole-v1 with trpo); the nearest are 2040 and 2050"},
        {SUITE "[defaults]\nlanes = 10\nbatch_steps = 100\n" ENV
               "[env.override.trpo]\nbatch_steps = 105\n" POLICY ALGORITHM,
         ":10:15: \"batch_steps\" must be a multiple of \"lanes\", but 105 is none of 10 "
         "(classic/CartPole-v1 with trpo); the nearest are 100 and 110"},
        {SUITE REST "batch_steps = 15\nlanes = 4\n",
         ":10:15: \"batch_steps\" must be a multiple of \"lanes\", but 15 is none of 4 "
         "(classic/CartPole-v1 with trpo); the nearest are 12 and 16"},
        {SUITE REST "batch_steps = 5\n",
         ":10:15: \"batch_steps\" must be a multiple of \"lanes\", but 5 is none of 8 "
         "(classic/CartPole-v1 with trpo); the nearest are 8 and 16"},
        {SUITE ENV "steps = 7\n" POLICY ALGORITHM,
         ":6:9: \"steps\" must be at least \"lanes\", but 7 is less than 8 (classic/CartPole-v1 "
         "with trpo)"},
        {SUITE REST "advantage = \"vtrace\"\nvtrace_c_bar = 2\n",
         ":11:16: \"vtrace_c_bar\" must be at most \"vtrace_rho_bar\", but 2 is more than 1 "
         "(classic/CartPole-v1 with trpo)"},
        {SUITE ENV "[[policy]]\nid = \"exact\"\n" ALGORITHM,
         ":7:6: \"exact\" cannot compute in f32, which classic/CartPole-v1 asks for; set precision "
         "= \"f64\" in [suite] or [[env]]"},
        {SUITE ENV POLICY "critic = { id = \"exact\" }\n" ALGORITHM,
         ":8:17: \"exact\" cannot compute in f32, which classic/CartPole-v1 asks for; set "
         "precision = \"f64\" in [suite] or [[env]]"},
    };
    EXPECT_ALL(mistakes);
    tb_suite_free(must_load(
        SUITE "precision = \"f64\"\n" ENV "[[policy]]\nid = \"exact\"\n" ALGORITHM, NULL));
    tb_suite_free(must_load(SUITE ENV "steps = 8\n" POLICY ALGORITHM, NULL));
    tb_suite_free(must_load(SUITE REST "vtrace_c_bar = 2\n", NULL)); // for another estimator
}

static void seeds_of_the_suite(void **state)
{
    (void)state;
#define SEEDS(text) "[suite]\nname = \"a\"\nseeds = " text "\n" REST
    const mistake mistakes[] = {
        {SEEDS("0"), ":3:9: \"seeds\" must be a count from 1 to 1000000, not 0; a single seed is a "
                     "list of one"},
        {SEEDS("1000001"), ":3:9: \"seeds\" must be a count from 1 to 1000000, not 1000001; a "
                           "single seed is a list of one"},
        {SEEDS("\"0-9\""),
         ":3:9: \"seeds\" must be a count (10) or a list ([0, 3, 7]), not a string"},
        {SEEDS("[]"), ":3:9: \"seeds\" is empty; a suite needs at least one"},
        {SEEDS("[1, -1]"), ":3:13: a seed must be at least 0, not -1"},
        {SEEDS("[1, 2.0]"), ":3:13: a seed must be an integer, not a number"},
        {SEEDS("[3, 1, 7, 3]"), ":3:19: seed 3 is there twice"},
    };
    EXPECT_ALL(mistakes);
    tb_suite *suite = must_load(SEEDS("[7, 0, 3]"), NULL);
    assert_int_equal(suite->n_seeds, 3);
    assert_int_equal(suite->seeds[0], 0);
    assert_int_equal(suite->seeds[1], 3);
    assert_int_equal(suite->seeds[2], 7);
    tb_suite_free(suite);
}

static void seeds_of_the_command_line(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t n;
        int64_t seeds[5];
    } good[] = {{"3", 3, {0, 1, 2}}, {"4-6", 3, {4, 5, 6}},
                {"5-5", 1, {5}},     {"0,3,5-7", 5, {0, 3, 5, 6, 7}},
                {"9,2", 2, {2, 9}},  {"9223372036854775807-9223372036854775807", 1, {INT64_MAX}}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        tb_suite_overrides overrides = {.seeds = good[i].text};
        tb_suite *suite = must_load(SUITE REST, &overrides);
        assert_int_equal(suite->n_seeds, good[i].n);
        for (size_t k = 0; k < good[i].n; k++)
            assert_int_equal(suite->seeds[k], good[i].seeds[k]);
        tb_suite_free(suite);
    }
#define WANTED "; expected a count (10), a range (0-9) or a list (0,3,5-7)"
    const struct {
        const char *text, *message;
    } bad[] = {
        {"", "--seeds : no seed where one is expected" WANTED},
        {"0", "--seeds 0: the count must be from 1 to 1000000" WANTED},
        {"x", "--seeds x: no seed where one is expected" WANTED},
        {"-3", "--seeds -3: no seed where one is expected" WANTED},
        {"3-", "--seeds 3-: a range needs a last seed" WANTED},
        {"5-3", "--seeds 5-3: a range must not go down" WANTED},
        {"1,,2", "--seeds 1,,2: no seed where one is expected" WANTED},
        {"1,2,", "--seeds 1,2,: no seed where one is expected" WANTED},
        {"1;2", "--seeds 1;2: unexpected character" WANTED},
        {"0-3,2", "--seeds 0-3,2: a seed is there twice" WANTED},
        {"0-99999999999", "--seeds 0-99999999999: too many seeds" WANTED},
        {"0-999999,1000000", "--seeds 0-999999,1000000: too many seeds" WANTED},
        {"99999999999999999999",
         "--seeds 99999999999999999999: no seed where one is expected" WANTED},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tb_suite_overrides overrides = {.seeds = bad[i].text};
        expect_error(SUITE REST, &overrides, bad[i].message);
    }
}

static void set_mistakes(void **state)
{
    (void)state;
    const struct {
        const char *item, *message;
    } bad[] = {
        {"max_lk=1", "--set max_lk=1: unknown key \"max_lk\" in --set; did you mean \"max_kl\"?"},
        {"max_kl=-1", "--set max_kl=-1: \"max_kl\" must be a number from 1e-12 to 10, not -1"},
        {"max_kl=abc", "--set max_kl=abc: \"max_kl\" must be a number, not the string \"abc\""},
        {"max_kl=0..1", "--set max_kl=0..1: \"0..1\" is no TOML value"},
        {"max_kl=inf", "--set max_kl=inf: \"max_kl\" must be a number, not the string \"inf\""},
        {"max_kl", "--set max_kl: expected key=value, such as --set max_kl=0.02 or --set "
                   "steps=5000"},
        {"=3", "--set =3: expected key=value, such as --set max_kl=0.02 or --set steps=5000"},
        {"gamma=", "--set gamma=: expected key=value, such as --set max_kl=0.02 or --set "
                   "steps=5000"},
        {"gamma=1\nlambda=1", "--set gamma=1\nlambda=1: expected key=value, such as --set "
                              "max_kl=0.02 or --set steps=5000"},
        {"a.b=1", "--set a.b=1: expected key=value, such as --set max_kl=0.02 or --set "
                  "steps=5000"},
        {"seeds=3", "--set seeds=3: \"seeds\" belongs to [suite], not to --set"},
        {"learning_rate=3", "--set learning_rate=3: \"learning_rate\" belongs to [[algorithm]] "
                            "vpg, which this suite does not run"},
        {"precision=f16", "--set precision=f16: \"precision\" must be one of f32|f64, not \"f16\""},
        {"lanes=7", "--set lanes=7: \"batch_steps\" must be a multiple of \"lanes\", but 2048 is "
                    "none of 7 (classic/CartPole-v1 with trpo); the nearest are 2044 and 2051"},
        {"steps=3", "--set steps=3: \"steps\" must be at least \"lanes\", but 3 is less than 8 "
                    "(classic/CartPole-v1 with trpo)"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tb_suite_overrides overrides = {.set = &bad[i].item, .n_set = 1};
        expect_error(SUITE REST, &overrides, bad[i].message);
    }
}

static void plugin_paths(void **state)
{
    (void)state;
    const mistake mistakes[] = {
        {SUITE "plugins = \"a.so\"\n" REST,
         ":4:11: \"plugins\" must be a list of paths ([\"my.so\"]), not a string"},
        {SUITE "plugins = [3]\n" REST, ":4:12: a plugin must be a path in quotes, not an integer"},
        {SUITE "plugins = [\"\"]\n" REST, ":4:12: a plugin's path must not be empty"},
    };
    EXPECT_ALL(mistakes);
    // relative to the suite, not to the working directory
    write_file("mine.so", "", 0);
    char **paths, expected[128], message[256];
    size_t n;
    tb_error error = {0};
    const char text[] = SUITE "plugins = [\"mine.so\", \"/tmp\"]\n[[nonsense]]\n";
    const char *path = write_file("a.toml", text, strlen(text));
    assert_int_equal(tb_suite_plugin_paths(path, &paths, &n, &error), TB_OK);
    assert_int_equal(n, 2);
    snprintf(expected, sizeof expected, "%s/mine.so", test_folder);
    assert_string_equal(paths[0], expected);
    assert_string_equal(paths[1], "/tmp");
    tb_suite_free_paths(paths, n);
    // one that is not there, after one that is
    const char absent[] = SUITE "plugins = [\"mine.so\", \"no.so\"]\n";
    path = write_file("a.toml", absent, strlen(absent));
    assert_int_equal(tb_suite_plugin_paths(path, &paths, &n, &error), TB_E_PARAM);
    snprintf(message, sizeof message,
             "%s/a.toml:4:23: no plugin file or folder %s/no.so: No such file or directory (paths "
             "are relative to the suite's folder)",
             test_folder, test_folder);
    assert_string_equal(error.message, message);
    assert_null(paths);
}

static void unreadable_files(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_suite *suite;
    assert_int_equal(tb_suite_load("/no/such.toml", &fake_catalog, NULL, &suite, &error), TB_E_IO);
    assert_string_equal(error.message,
                        "/no/such.toml: cannot open the suite: No such file or directory");
    assert_int_equal(tb_suite_load("/tmp", &fake_catalog, NULL, &suite, &error), TB_E_IO);
    assert_string_equal(error.message, "/tmp: cannot read the suite: Is a directory");
    assert_null(suite);
}

// Every beginning of a valid suite, and every byte of it replaced: an answer, never a crash.
static void torn_files(void **state)
{
    (void)state;
    FILE *file = fopen(TB_TEST_SOURCE_DIR "/tests/data/suites/everything.toml", "rb");
    assert_non_null(file);
    static char text[8192];
    size_t n = fread(text, 1, sizeof text, file), loaded = 0;
    fclose(file);
    assert_in_range(n, 500, sizeof text - 1);
    for (size_t i = 0; i <= n; i++) {
        tb_error error = {0};
        tb_suite *suite = NULL;
        tb_status status =
            tb_suite_load(write_file("torn.toml", text, i), &fake_catalog, NULL, &suite, &error);
        assert_true(status == TB_OK ? suite != NULL : error.message[0] == test_folder[0]);
        loaded += status == TB_OK;
        tb_suite_free(suite);
    }
    // the whole file, with and without its last newline at least
    assert_true(loaded >= 2);
    static const char bytes[] = "\0\xff\"[]{}=.#\n1a";
    for (size_t i = 0; i < n; i++) {
        char old = text[i];
        text[i] = bytes[i % (sizeof bytes - 1)];
        tb_suite *suite = NULL;
        tb_suite_load(write_file("torn.toml", text, n), &fake_catalog, NULL, &suite, NULL);
        tb_suite_free(suite);
        text[i] = old;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(toml_syntax),
        cmocka_unit_test(unknown_keys),
        cmocka_unit_test(keys_of_another_section),
        cmocka_unit_test(wrong_types_and_ranges),
        cmocka_unit_test(missing_and_twice),
        cmocka_unit_test(plugins_and_params),
        cmocka_unit_test(cross_checks),
        cmocka_unit_test(seeds_of_the_suite),
        cmocka_unit_test(seeds_of_the_command_line),
        cmocka_unit_test(set_mistakes),
        cmocka_unit_test(plugin_paths),
        cmocka_unit_test(unreadable_files),
        cmocka_unit_test(torn_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
