/* SPDX-License-Identifier: MIT
 *
 * What a suite resolves to: precedence of layers, plans, hashes, and the way to JSON and back.
 */
#include <sodium.h>

#include "tests/harness/suite/fixture.h"

static char everything[8192];

static int read_everything(void **state)
{
    FILE *file = fopen(TB_TEST_SOURCE_DIR "/tests/data/suites/everything.toml", "rb");
    if (file == NULL)
        return -1;
    everything[fread(everything, 1, sizeof everything - 1, file)] = '\0';
    fclose(file);
    return make_folder(state);
}

static const tb_suite_setting *setting(const tb_suite *suite, size_t env, size_t algorithm)
{
    return &suite->settings[env * suite->n_algorithms + algorithm];
}

static const fake_config *own(const tb_suite *suite, size_t env, size_t algorithm)
{
    return setting(suite, env, algorithm)->algorithm_config;
}

// ---- layers ----

// Each layer sets gamma; taking them away one by one, strongest first, shows the next.
static void learner_layers(void **state)
{
    (void)state;
    static const struct {
        const char *override_own, *override, *algorithm, *defaults;
        const char *set;
        double gamma;
    } cases[] = {
        {"gamma = 0.5\n", "gamma = 0.4\n", "gamma = 0.3\n", "gamma = 0.2\n", "gamma=0.6", 0.6},
        {"gamma = 0.5\n", "gamma = 0.4\n", "gamma = 0.3\n", "gamma = 0.2\n", NULL, 0.5},
        {"", "gamma = 0.4\n", "gamma = 0.3\n", "gamma = 0.2\n", NULL, 0.4},
        {"", "", "gamma = 0.3\n", "gamma = 0.2\n", NULL, 0.3},
        {"", "", "", "gamma = 0.2\n", NULL, 0.2},
        {"", "", "", "", NULL, 0.99},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 SUITE "[defaults]\n%s" ENV
                       "[env.override]\n%s[env.override.trpo]\n%s" POLICY ALGORITHM "%s",
                 cases[i].defaults, cases[i].override, cases[i].override_own, cases[i].algorithm);
        tb_suite_overrides overrides = {.set = &cases[i].set, .n_set = cases[i].set != NULL};
        tb_suite *suite = must_load(text, &overrides);
        assert_true(setting(suite, 0, 0)->learner.gamma == cases[i].gamma);
        tb_suite_free(suite);
    }
}

// An algorithm may be called like an option: a table is meant for it, anything else is the option.
static void algorithm_called_gamma(void **state)
{
    (void)state;
    tb_suite *suite = must_load(
        SUITE ENV "[env.override]\ngamma = 0.5\n" POLICY ALGORITHM "name = \"gamma\"\n", NULL);
    assert_true(setting(suite, 0, 0)->learner.gamma == 0.5);
    tb_suite_free(suite);
    suite = must_load(SUITE ENV "[env.override.gamma]\nlambda = 0.5\n" POLICY ALGORITHM
                                "name = \"gamma\"\n" ALGORITHM,
                      NULL);
    assert_true(setting(suite, 0, 0)->learner.lambda == 0.5);
    assert_true(setting(suite, 0, 1)->learner.lambda == 0.95);
    assert_true(setting(suite, 0, 0)->learner.gamma == 0.99);
    tb_suite_free(suite);
}

static void run_layers(void **state)
{
    (void)state;
    static const char *const sets[] = {"steps=300", "eval_every=17", "precision=f64", "steps=400"};
    tb_suite *suite =
        must_load(SUITE "steps = 100\neval_every = 5\n" ENV "steps = 200\n[[env]]\nid "
                        "= \"classic/Pendulum-v1\"\n" POLICY ALGORITHM,
                  NULL);
    assert_int_equal(suite->envs[0].run.steps, 200);
    assert_int_equal(suite->envs[0].run.eval_every, 5);
    assert_int_equal(suite->envs[1].run.steps, 100);
    assert_int_equal(suite->envs[1].run.eval_episodes, 10);
    assert_int_equal(suite->envs[1].run.precision, TB_PRECISION_F32);
    tb_suite_free(suite);
    // the last --set of a key wins
    tb_suite_overrides overrides = {.set = sets, .n_set = 4};
    suite = must_load(SUITE "steps = 100\n" ENV "steps = 200\n" POLICY ALGORITHM, &overrides);
    assert_int_equal(suite->envs[0].run.steps, 400);
    assert_int_equal(suite->envs[0].run.eval_every, 17);
    assert_int_equal(suite->envs[0].run.precision, TB_PRECISION_F64);
    tb_suite_free(suite);
}

// An algorithm's own option reaches every algorithm that has it, and only those.
static void own_options(void **state)
{
    (void)state;
    static const char *const set = "damping=0.7";
    const char *text = SUITE "[defaults]\ndamping = 0.5\n" REST
                             "[[algorithm]]\nid = \"npg\"\n[[algorithm]]\nid = \"vpg\"\n";
    tb_suite *suite = must_load(text, NULL);
    assert_true(own(suite, 0, 0)->damping == 0.5);
    assert_true(own(suite, 0, 1)->damping == 0.5);
    assert_true(own(suite, 0, 2)->damping == 0);
    tb_suite_free(suite);
    tb_suite_overrides overrides = {.set = &set, .n_set = 1};
    suite = must_load(text, &overrides);
    assert_true(own(suite, 0, 0)->damping == 0.7);
    assert_true(own(suite, 0, 1)->damping == 0.7);
    tb_suite_free(suite);
}

static void everything_resolves(void **state)
{
    (void)state;
    tb_suite *suite = must_load(everything, NULL);
    assert_string_equal(suite->description, "One of each.");
    assert_string_equal(suite->source_text, everything);
    assert_string_equal(suite->envs[1].label, "classic/CartPole-v1@short");
    assert_int_equal(suite->envs[0].max_episode_steps, 500);
    assert_int_equal(suite->envs[1].max_episode_steps, 100);
    assert_int_equal(suite->envs[1].run.steps, 50000);
    assert_string_equal(suite->algorithms[0].name, "trpo");
    assert_string_equal(suite->algorithms[1].name, "small");
    assert_string_equal(suite->algorithms[1].label, "trpo@small");
    assert_true(setting(suite, 0, 0)->learner.gamma == 0.98);
    assert_true(setting(suite, 1, 0)->learner.gamma == 0.9);
    assert_true(setting(suite, 1, 1)->learner.gamma == 0.8);
    assert_true(own(suite, 0, 0)->step == 0.01);  // default
    assert_true(own(suite, 0, 1)->step == 0.005); // [[algorithm]]
    assert_true(own(suite, 1, 1)->step == 0.02);  // [env.override]
    assert_true(own(suite, 0, 2)->step == 0.02);  // vpg's learning_rate
    assert_int_equal(own(suite, 0, 2)->mode, 0);
    assert_int_equal(setting(suite, 0, 1)->learner.lanes, 4);
    tb_suite_free(suite);
}

// ---- parameters ----

static void expect_json(const json_t *json, const char *text)
{
    char *found = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert_string_equal(found, text);
    free(found);
}

static void parameters_are_completed(void **state)
{
    (void)state;
    tb_suite *suite = must_load(SUITE ENV "params = { forces = [3, 4] }\n" POLICY
                                          "critic = { params = { activation = \"relu\" } }\n"
                                          "[[policy]]\nid = \"linear\"\ncritic = { id = \"mlp\" }\n"
                                          "[[policy]]\nid = \"mlp\"\nname = \"b\"\n"
                                          "params = { hidden = [8] }\n" ALGORITHM,
                                NULL);
    // integers for numbers become numbers; a default that is no TOML is left to the plugin
    expect_json(suite->envs[0].params, "{\"forces\":[3.0,4.0],\"g\":9.8000000000000007}");
    expect_json(suite->policies[0].params, "{\"activation\":\"tanh\",\"hidden\":[64,64]}");
    expect_json(suite->policies[0].critic_params, "{\"activation\":\"relu\",\"hidden\":[64,64]}");
    expect_json(suite->policies[1].params, "{}");
    assert_string_equal(suite->policies[1].critic_id, "mlp");
    expect_json(suite->policies[1].critic_params, "{\"activation\":\"tanh\",\"hidden\":[64,64]}");
    // without a word the critic is like the policy
    assert_string_equal(suite->policies[2].critic_id, "mlp");
    expect_json(suite->policies[2].critic_params, "{\"activation\":\"tanh\",\"hidden\":[8]}");
    tb_suite_free(suite);
}

// A plugin without a schema takes what it is given.
static void parameters_without_schema(void **state)
{
    (void)state;
    tb_suite *suite = must_load(SUITE "precision = \"f64\"\n" ENV
                                      "[[policy]]\nid = \"exact\"\nparams = { a = 1 }\n" ALGORITHM,
                                NULL);
    expect_json(suite->policies[0].params, "{\"a\":1}");
    tb_suite_free(suite);
}

// ---- plans ----

static tb_plan must_plan(const tb_suite *suite, const char *filter)
{
    tb_error error = {0};
    tb_plan plan;
    if (tb_plan_make(suite, filter, &plan, &error) != TB_OK)
        fail_msg("%s", error.message);
    return plan;
}

static void cells_in_running_order(void **state)
{
    (void)state;
    tb_suite *suite = must_load(everything, NULL);
    tb_plan plan = must_plan(suite, NULL);
    assert_int_equal(plan.n_cells, 3 * 2 * 2 * 3);
    static const char *const first[] = {
        "classic/CartPole-v1 mlp trpo s0",          "classic/CartPole-v1 mlp trpo@small s0",
        "classic/CartPole-v1 mlp vpg s0",           "classic/CartPole-v1 linear trpo s0",
        "classic/CartPole-v1 linear trpo@small s0", "classic/CartPole-v1 linear vpg s0",
        "classic/CartPole-v1@short mlp trpo s0",
    };
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        assert_string_equal(plan.cells[i].label, first[i]);
    assert_string_equal(plan.cells[12].label, "classic/CartPole-v1 mlp trpo s1");
    assert_string_equal(plan.cells[35].label, "classic/CartPole-v1@short linear vpg s3");
    assert_string_equal(plan.cells[35].path, "runs/classic__CartPole-v1@short/linear/vpg/s0003");
    assert_int_equal(plan.cells[35].seed, 3);
    // ids and paths are all different
    for (size_t i = 0; i < plan.n_cells; i++) {
        assert_int_equal(strlen(plan.cells[i].id), 16);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(plan.cells[i].id, plan.cells[k].id);
            assert_string_not_equal(plan.cells[i].path, plan.cells[k].path);
        }
    }
    tb_plan_free(&plan);
    tb_suite_free(suite);
}

static void filters(void **state)
{
    (void)state;
    tb_suite *suite = must_load(everything, NULL);
    tb_plan plan = must_plan(suite, "v1 (mlp|linear) trpo s[13]$");
    assert_int_equal(plan.n_cells, 4);
    assert_string_equal(plan.cells[0].label, "classic/CartPole-v1 mlp trpo s1");
    assert_string_equal(plan.cells[3].label, "classic/CartPole-v1 linear trpo s3");
    tb_plan_free(&plan);
    tb_error error = {0};
    assert_int_equal(tb_plan_make(suite, "(", &plan, &error), TB_E_PARAM);
    assert_string_equal(error.message,
                        "--filter \"(\" is no regular expression: Unmatched ( or \\(");
    assert_int_equal(tb_plan_make(suite, "nothing", &plan, &error), TB_E_PARAM);
    assert_string_equal(error.message,
                        "--filter \"nothing\" matches none of the 36 cells; it is compared with "
                        "labels such as \"classic/CartPole-v1 mlp trpo s0\" (trpo-bench list cells "
                        "SUITE shows all)");
    assert_int_equal(plan.n_cells, 0);
    tb_suite_free(suite);
}

// ---- hashes ----

// Id of the cell of this label, and the suite's hash.
static void identify(const char *text, const char *label, char id[17], char hash[65])
{
    tb_suite *suite = must_load(text, NULL);
    tb_plan plan = must_plan(suite, NULL);
    id[0] = '\0';
    for (size_t i = 0; i < plan.n_cells; i++)
        if (strcmp(plan.cells[i].label, label) == 0)
            memcpy(id, plan.cells[i].id, 17);
    memcpy(hash, suite->hash, 65);
    tb_plan_free(&plan);
    tb_suite_free(suite);
    assert_int_not_equal(id[0], '\0');
}

#define HASHED                                                                                     \
    "[suite]\nname = \"a\"\nseeds = 4\nsteps = 5000\n[defaults]\ngamma = 0.9\n" ENV                \
    "params = { g = 5.0, forces = [1.0, 2.0] }\n" POLICY ALGORITHM

static void what_hashes_ignore(void **state)
{
    (void)state;
    static const char *const label = "classic/CartPole-v1 mlp trpo s3";
    char id[17], hash[65], other_id[17], other_hash[65];
    identify(HASHED, label, id, hash);
    // the same experiment in other words: order, spelling, defaults made explicit
    static const char *const same[] = {
        "[[algorithm]]\nid = \"trpo\"\n[[policy]]\nid='mlp'\n[defaults]\ngamma=9e-1 # note\n"
        "[suite]\nsteps=5_000\nname='a'\nseeds=4\n[[env]]\n"
        "params={forces=[1,2],g=5}\nid=\"classic/CartPole-v1\"\n",
        HASHED "max_kl = 0.01\ndamping = 0.1\nlambda = 0.95\n",
        "[suite]\nname = \"a\"\nseeds = [3]\nsteps = 1\ndescription = \"x\"\nplugins = [\"/tmp\"]\n"
        "[[env]]\nid = \"classic/CartPole-v1\"\nsteps = 5000\nmax_episode_steps = 500\n"
        "params = { g = 5.0, forces = [1.0, 2.0] }\noverride = { gamma = 0.9 }\n"
        "[[policy]]\nid = \"mlp\"\nparams = { hidden = [64, 64], activation = \"tanh\" }\n"
        "critic = { id = \"mlp\" }\n" ALGORITHM "gamma = 0.1\n",
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        identify(same[i], label, other_id, other_hash);
        assert_string_equal(other_id, id);
        assert_string_equal(other_hash, hash);
    }
    // a cell's id knows nothing of its neighbours nor of the suite's name; the suite's hash does
    static const char *const larger[] = {
        HASHED "[[algorithm]]\nid = \"vpg\"\n",
        HASHED "[[env]]\nid = \"classic/Acrobot-v1\"\n",
        "[[policy]]\nid = \"linear\"\n" HASHED,
        "[suite]\nname = \"b\"\nseeds = 9\nsteps = 5000\n[defaults]\ngamma = 0.9\n" ENV
        "params = { g = 5.0, forces = [1.0, 2.0] }\n" POLICY ALGORITHM,
    };
    for (size_t i = 0; i < sizeof larger / sizeof larger[0]; i++) {
        identify(larger[i], label, other_id, other_hash);
        assert_string_equal(other_id, id);
        assert_string_not_equal(other_hash, hash);
    }
}

static void order_does_not_count(void **state)
{
    (void)state;
    char id[17], hash[65], other_id[17], other_hash[65];
    static const char *const vpg = "[[algorithm]]\nid = \"vpg\"\n";
    char text[1024];
    snprintf(text, sizeof text, "%s%s%s", SUITE, REST, vpg);
    identify(text, "classic/CartPole-v1 mlp vpg s1", id, hash);
    snprintf(text, sizeof text, "%s%s%s", SUITE, vpg, REST);
    identify(text, "classic/CartPole-v1 mlp vpg s1", other_id, other_hash);
    assert_string_equal(other_id, id);
    assert_string_equal(other_hash, hash);
}

static void what_hashes_cover(void **state)
{
    (void)state;
    static const char *const label = "classic/CartPole-v1 mlp trpo s1";
    char id[17], hash[65], other_id[17], other_hash[65];
    identify(SUITE REST, label, id, hash);
    static const char *const different[] = {
        SUITE "steps = 99999\n" REST,
        SUITE "eval_episodes = 11\n" REST,
        SUITE "precision = \"f64\"\n" REST,
        SUITE "[defaults]\ngamma = 0.98\n" REST,
        SUITE REST "max_kl = 0.011\n",
        SUITE ENV "max_episode_steps = 499\n" POLICY ALGORITHM,
        SUITE ENV "params = { g = 9.81 }\n" POLICY ALGORITHM,
        SUITE ENV POLICY "params = { hidden = [64, 65] }\n"
                         "critic = { params = { hidden = [64, 64] } }\n" ALGORITHM,
        SUITE ENV POLICY "critic = { id = \"linear\" }\n" ALGORITHM,
        SUITE ENV POLICY "critic = { params = { hidden = [32] } }\n" ALGORITHM,
    };
    for (size_t i = 0; i < sizeof different / sizeof different[0]; i++) {
        identify(different[i], label, other_id, other_hash);
        assert_string_not_equal(other_id, id);
        assert_string_not_equal(other_hash, hash);
    }
}

// Results on disk carry ids, so how they are made is spelled out here once more.
static void id_of_a_cell(void **state)
{
    (void)state;
    tb_suite *suite = must_load(everything, NULL);
    tb_plan plan = must_plan(suite, "short mlp trpo@small s3");
    json_t *json = tb_cell_config_json(suite, &plan.cells[0]);
    char *config = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT | JSON_REAL_PRECISION(17));
    char text[4096], hex[65];
    int n = snprintf(text, sizeof text, "{\"config\":%s,\"schema_version\":1,\"seed\":3}", config);
    assert_in_range(n, 100, sizeof text - 1);
    unsigned char digest[crypto_hash_sha256_BYTES];
    unsigned long long length = (unsigned long long)n;
    crypto_hash_sha256(digest, (const unsigned char *)text, length);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    hex[16] = '\0';
    assert_string_equal(plan.cells[0].id, hex);
    free(config);
    json_decref(json);
    tb_plan_free(&plan);
    tb_suite_free(suite);
}

static void cell_configuration(void **state)
{
    (void)state;
    tb_suite *suite = must_load(everything, NULL);
    tb_plan plan = must_plan(suite, "short mlp vpg s0");
    json_t *json = tb_cell_config_json(suite, &plan.cells[0]);
    expect_json(json_object_get(json, "algorithm"),
                "{\"id\":\"vpg\",\"label\":\"vpg\",\"options\":{\"learning_rate\":0.02,\"mode\":"
                "\"mean\"}}");
    const json_t *learner = json_object_get(json, "learner");
    assert_true(json_real_value(json_object_get(learner, "gamma")) == 0.9);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "run"), "steps")),
                     50000);
    // the options of other algorithms are nowhere
    char *text = json_dumps(json, 0);
    assert_null(strstr(text, "max_kl"));
    assert_null(strstr(text, "\"seed\""));
    free(text);
    json_decref(json);
    tb_plan_free(&plan);
    tb_suite_free(suite);
}

// ---- JSON ----

static char *dump(const tb_suite *suite)
{
    json_t *json = tb_suite_to_json(suite);
    char *text = json_dumps(json, JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(json);
    assert_non_null(text);
    return text;
}

// Through the text, as suite.resolved.json does it.
static void there_and_back(void **state)
{
    (void)state;
    tb_suite *suite = must_load(everything, NULL), *again = NULL;
    tb_error error = {0};
    char *text = dump(suite);
    json_t *json = json_loads(text, 0, NULL);
    if (tb_suite_from_json(json, &again, &error) != TB_OK)
        fail_msg("%s", error.message);
    json_decref(json);
    char *text_again = dump(again);
    assert_string_equal(text_again, text);
    assert_null(again->source_path);
    assert_null(again->source_text);
    // the plan of either is the same
    tb_plan plan = must_plan(suite, NULL), plan_again = must_plan(again, NULL);
    assert_int_equal(plan.n_cells, plan_again.n_cells);
    for (size_t i = 0; i < plan.n_cells; i++)
        assert_string_equal(plan.cells[i].id, plan_again.cells[i].id);
    tb_plan_free(&plan);
    tb_plan_free(&plan_again);
    free(text);
    free(text_again);
    tb_suite_free(suite);
    tb_suite_free(again);
}

// Each change of the resolved JSON is refused; `path` leads to what is changed.
static void damaged_json(void **state)
{
    (void)state;
    static const struct {
        const char *path[5];
        const char *value; /* JSON; NULL = remove */
        const char *message;
    } damages[] = {
        {{"schema_version"}, "2", "schema_version is 2, this program reads 1"},
        {{"schema_version"}, NULL, "schema_version: "},
        {{"name"}, "\"other\"", "it was changed by hand"},
        {{"extra"}, "1", "top level: "},
        {{"seeds"}, "[1, 0]", "seeds: not ascending"},
        {{"seeds"}, "[]", "seeds: empty"},
        {{"plugins"}, "[1]", "plugins: not a path"},
        {{"envs"}, "[]", "envs: wrong number"},
        {{"settings"}, "[]", "settings: wrong number"},
        {{"envs", "0", "id"}, "3", "envs: "},
        {{"envs", "0", "params"}, "3", "envs: params"},
        {{"envs", "0", "run", "steps"}, NULL, "steps: missing"},
        {{"envs", "0", "run", "steps"}, "-1", "steps: \"steps\" must be"},
        {{"envs", "0", "run", "steps"}, "null", "steps: neither"},
        {{"envs", "0", "run", "stteps"}, "3", "unknown keys"},
        {{"policies", "0", "critic", "params"}, "3", "policies: params"},
        {{"algorithms", "0", "id"}, "\"ppo\"", "ppo: this program has no such algorithm"},
        {{"settings", "0", "env"}, "\"x\"", "settings: not in the order"},
        {{"settings", "0", "options", "max_kl"}, "0.5", "it was changed by hand"},
        {{"settings", "0", "learner", "gamma"}, "\"x\"", "gamma: \"gamma\" must be a number"},
    };
    tb_suite *suite = must_load(everything, NULL);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        json_t *json = tb_suite_to_json(suite), *at = json;
        size_t k = 0;
        for (; damages[i].path[k + 1] != NULL; k++)
            at =
                json_is_array(at) ? json_array_get(at, 0) : json_object_get(at, damages[i].path[k]);
        if (damages[i].value == NULL)
            json_object_del(at, damages[i].path[k]);
        else
            json_object_set_new(at, damages[i].path[k],
                                json_loads(damages[i].value, JSON_DECODE_ANY, NULL));
        tb_suite *out;
        tb_error error = {0};
        assert_int_equal(tb_suite_from_json(json, &out, &error), TB_E_CORRUPT);
        assert_null(out);
        if (strstr(error.message, damages[i].message) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.message, damages[i].message);
        json_decref(json);
    }
    tb_suite_free(suite);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learner_layers),
        cmocka_unit_test(algorithm_called_gamma),
        cmocka_unit_test(run_layers),
        cmocka_unit_test(own_options),
        cmocka_unit_test(everything_resolves),
        cmocka_unit_test(parameters_are_completed),
        cmocka_unit_test(parameters_without_schema),
        cmocka_unit_test(cells_in_running_order),
        cmocka_unit_test(filters),
        cmocka_unit_test(what_hashes_ignore),
        cmocka_unit_test(order_does_not_count),
        cmocka_unit_test(what_hashes_cover),
        cmocka_unit_test(id_of_a_cell),
        cmocka_unit_test(cell_configuration),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(damaged_json),
    };
    return cmocka_run_group_tests(tests, read_everything, remove_folder);
}
