/* SPDX-License-Identifier: MIT
 *
 * Estimators on the plugin of random processes: what batches give beside exact expectations, which
 * are compared here with sums of their own.
 */
#include "harness/theory/gradient.h"

#include <string.h>

#include "harness/plugin/loader.h"
#include "harness/theory/experiment.h"
#include "tests/trpo/testing.h"
#include "trpo/theory/softmax.h"

enum { S = 6, A = 3, n = S * A, H = 100 };

typedef struct fixture {
    tb_plugin *plugin;
    tb_catalog_entry entry;
    tb_theory_env env;
    tb_theory_suite suite;
    tb_theory_estimator estimator;
    tb_mdp *mdp;
    tb_exact *at;
    double pi[n];
} fixture;

// the model of the process that the plugin makes of `seed`
static tb_mdp *read_model(const fixture *f, int64_t seed)
{
    const tb_env_api *api;
    tb_env *env;
    tb_error error = {0};
    tb_mdp *mdp;
    json_t *params = json_deep_copy(f->env.params);
    json_object_set_new(params, "seed", json_integer(seed));
    assert_ok(tb_plugin_create_env(f->plugin, f->entry.id, params, &api, &env, NULL, &error),
              &error);
    const tb_env_tabular *tabular = api->get_extension(env, TB_EXT_ENV_TABULAR);
    tb_tabular model = {.struct_size = sizeof model};
    assert_int_equal(tabular->model(env, &model), TB_OK);
    assert_ok(tb_mdp_create(&model, 0.9, &mdp, &error), &error);
    api->destroy(env);
    json_decref(params);
    return mdp;
}

static void set_up(fixture *f, double terminal)
{
    tb_error error = {0};
    memset(f, 0, sizeof *f);
    assert_ok(tb_plugin_load(TB_TEST_PLUGIN_DIR "/random_mdp.so", &f->plugin, &error), &error);
    f->entry.id = (char *)"tabular/RandomMDP-v0";
    f->entry.max_episode_steps = H;
    f->env = (tb_theory_env){.label = (char *)"random", .plugin = &f->entry, .takes_seed = 1};
    f->env.params = json_pack("{s:i, s:i, s:i, s:f}", "states", S, "actions", A, "branching", 2,
                              "terminal_share", terminal);
    f->suite.config.batches = 256;
    f->estimator.label = (char *)"estimator";
    tb_options_default(tb_learner_options, &f->estimator.config);
    f->estimator.config.lanes = 2;
    f->estimator.config.batch_steps = 200;
    f->estimator.config.vine_states = 20;
    f->estimator.config.vine_branch_steps = 4;
    f->mdp = read_model(f, 3);
    tb_process_start(f->mdp, 3, f->pi);
    assert_ok(tb_exact_create(f->mdp, &f->at, &error), &error);
    assert_ok(tb_exact_evaluate(f->at, f->pi, &error), &error);
}

static void finish(fixture *f)
{
    tb_exact_destroy(f->at);
    tb_mdp_destroy(f->mdp);
    json_decref(f->env.params);
    tb_plugin_release(f->plugin, 0);
}

static tb_gradient_study measure(fixture *f, int64_t seed)
{
    tb_gradient_study study = {.env = &f->env, .seed = seed, .estimator = &f->estimator};
    tb_gradient_study_measure(&study, &f->suite, f->plugin, f->mdp);
    assert_ok(study.status, &study.message);
    return study;
}

static void expect(const fixture *f, double *target, double *expectation)
{
    tb_error error = {0};
    tb_estimator_def def = {.at = f->at, .max_episode_steps = H, .config = f->estimator.config};
    assert_ok(tb_estimator_expectation(&def, target, expectation, &error), &error);
}

/* ---- the expectations ---- */

// by stepping the distribution of the state through an episode of H steps
static void test_target(void **state)
{
    (void)state;
    for (int discounted = 0; discounted < 2; discounted++) {
        fixture f;
        set_up(&f, 0.1);
        f.estimator.config.discounted_states = discounted;
        double p[S], next[S], visits[S] = {0}, rows = 0, target[n], expectation[n];
        memcpy(p, f.mdp->start, sizeof p);
        for (int t = 0; t < H; t++) {
            memset(next, 0, sizeof next);
            for (size_t s = 0; s < S; s++) {
                visits[s] += (discounted ? pow(0.9, t) : 1) * p[s];
                rows += p[s];
                for (size_t a = 0; a < A; a++)
                    for (size_t k = f.mdp->first[s * A + a]; k < f.mdp->first[s * A + a + 1]; k++)
                        next[f.mdp->next[k]] += p[s] * f.pi[s * A + a] * f.mdp->probability[k];
            }
            memcpy(p, next, sizeof p);
        }
        expect(&f, target, expectation);
        for (size_t i = 0; i < n; i++)
            assert_near(target[i], visits[i / A] / rows * f.pi[i] * f.at->advantage[i], 1e-14);
        // trajectories are unbiased
        assert_memory_equal(target, expectation, sizeof target);
        finish(&f);
    }
}

// over all pairs of two actions
static void test_expectation_of_two_actions(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 0);
    f.estimator.config.sampling = TB_SAMPLING_VINE;
    f.estimator.config.vine_actions = 2;
    for (int32_t proposal = TB_VINE_POLICY; proposal <= TB_VINE_EXHAUSTIVE; proposal++)
        for (int32_t kind = TB_VINE_SELF_NORMALIZED; kind <= TB_VINE_MEAN_BASELINE; kind++) {
            double target[n], expectation[n];
            f.estimator.config.vine_proposal = proposal;
            f.estimator.config.vine_estimator = kind;
            expect(&f, target, expectation);
            for (size_t s = 0; s < S; s++) {
                const double *pi = f.pi + s * A, *q_value = f.at->q + s * A;
                double g[A] = {0}, share = 0;
                // target = share pi A: the share from the largest entry
                for (size_t a = 0; a < A; a++)
                    if (fabs(f.at->advantage[s * A + a]) > 1e-3)
                        share = target[s * A + a] / pi[a] / f.at->advantage[s * A + a];
                for (size_t pair = 0; pair < (size_t)A * A; pair++) {
                    size_t a[2] = {pair / A, pair % A};
                    double q[2], w[2];
                    for (int k = 0; k < 2; k++) {
                        q[k] = proposal == TB_VINE_UNIFORM ? 1.0 / A : pi[a[k]];
                        w[k] = pi[a[k]] / q[k];
                    }
                    double center =
                        kind == TB_VINE_MEAN_BASELINE
                            ? (q_value[a[0]] + q_value[a[1]]) / 2
                            : (w[0] * q_value[a[0]] + w[1] * q_value[a[1]]) / (w[0] + w[1]);
                    double unit = kind == TB_VINE_MEAN_BASELINE ? 2 : w[0] + w[1];
                    for (int k = 0; k < 2; k++)
                        for (size_t b = 0; b < A; b++)
                            g[b] += q[0] * q[1] * w[k] / unit * (q_value[a[k]] - center) *
                                    ((b == a[k]) - pi[b]);
                }
                for (size_t a = 0; a < A; a++)
                    assert_near(expectation[s * A + a],
                                proposal == TB_VINE_EXHAUSTIVE ? target[s * A + a] : share * g[a],
                                1e-13);
            }
        }
    finish(&f);
}

/* ---- what is sampled ---- */

// each option reaches the sampler: the mean is where it should be, and nearer with more batches
static void test_estimators_meet_their_expectations(void **state)
{
    (void)state;
    for (int variant = 0; variant < 16; variant++) {
        fixture f;
        set_up(&f, variant % 4 == 3 ? 0.1 : 0);
        tb_learner_config *config = &f.estimator.config;
        config->discounted_states = variant / 2 % 2;
        config->lambda = variant == 0 ? 1 : 0.95;
        config->sampling = variant < 4 ? TB_SAMPLING_SINGLE_PATH : TB_SAMPLING_VINE;
        config->vine_proposal = variant < 8    ? TB_VINE_EXHAUSTIVE
                                : variant < 12 ? TB_VINE_UNIFORM
                                               : TB_VINE_POLICY;
        config->vine_estimator = variant < 10 ? TB_VINE_SELF_NORMALIZED : TB_VINE_MEAN_BASELINE;
        config->vine_common_random_numbers = variant % 2;
        tb_gradient_study study = measure(&f, 3);
        if (study.is_far)
            fail_msg("variant %d: %g standard errors from the expectation", variant,
                     study.distance);
        assert_true(study.error > 0 && study.error < 0.2);
        assert_true(study.rate > -0.7 && study.rate < -0.3);
        assert_true(study.rms[0] > 0 && isnan(study.rms[4]) && !isnan(study.rms[3]));
        if (config->discounted_states)
            assert_near(study.cosine, 1, 1e-6);
        else
            assert_true(study.cosine < 1 - 1e-5);
        int sampled =
            config->sampling == TB_SAMPLING_VINE && config->vine_proposal != TB_VINE_EXHAUSTIVE;
        assert_true(sampled ? study.bias_expected > 0.2 : study.bias_expected == 0);
        assert_true(fabs(study.bias - study.bias_expected) < 5 * study.error);
        if (config->sampling == TB_SAMPLING_SINGLE_PATH)
            assert_near(study.steps, 200, 0);
        else
            assert_true(study.steps > 220 && study.steps <= 200 + 20 * 4 * 4);
        finish(&f);
    }
}

// an estimate of another process is caught
static void test_a_wrong_expectation_is_far(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 0);
    assert_int_equal(measure(&f, 3).is_far, 0);
    tb_mdp_destroy(f.mdp);
    f.mdp = read_model(&f, 4);
    tb_gradient_study study = measure(&f, 3);
    assert_true(study.is_far && study.distance > TB_STUDY_FAR);
    finish(&f);
}

// where no action matters there is no gradient, and nothing to judge
static void test_nothing_to_judge(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 0);
    json_object_set_new(f.env.params, "reward_share", json_real(0));
    tb_mdp_destroy(f.mdp);
    f.mdp = read_model(&f, 3);
    tb_gradient_study study = measure(&f, 3);
    assert_true(!study.is_far && isnan(study.bias));
    finish(&f);
}

static void test_repeats(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 0.1);
    tb_gradient_study one = measure(&f, 3), two = measure(&f, 3);
    assert_memory_equal(one.rms, two.rms, sizeof one.rms);
    assert_true(one.bias == two.bias && one.variance == two.variance);
    finish(&f);
}

static void test_failures_are_told(void **state)
{
    (void)state;
    fixture f;
    set_up(&f, 0);
    tb_gradient_study study = {.env = &f.env, .seed = 3, .estimator = &f.estimator};
    f.estimator.config.batch_steps = 1;
    tb_gradient_study_measure(&study, &f.suite, f.plugin, f.mdp);
    assert_int_equal(study.status, TB_E_PARAM);
    assert_message(&study.message, "batch_steps (1) must be at least lanes (2)");
    // lanes that are hardly past their first steps
    f.estimator.config.batch_steps = 14;
    tb_gradient_study_measure(&study, &f.suite, f.plugin, f.mdp);
    assert_int_equal(study.status, TB_E_PARAM);
    assert_message(&study.message, "= 1792 steps, and must play 2000, 20 episodes");
    f.estimator.config.batch_steps = 200;
    f.entry.max_episode_steps = 0;
    tb_gradient_study_measure(&study, &f.suite, f.plugin, f.mdp);
    assert_int_equal(study.status, TB_E_PARAM);
    assert_message(&study.message, "time limit");
    f.entry.max_episode_steps = H;
    json_object_set_new(f.env.params, "states", json_integer(S + 1));
    tb_gradient_study_measure(&study, &f.suite, f.plugin, f.mdp);
    assert_int_equal(study.status, TB_E_PARAM);
    assert_message(&study.message, "shows 7 observations and takes 3 actions, its model has 6");
    f.estimator.config.sampling = TB_SAMPLING_VINE;
    f.estimator.config.vine_proposal = TB_VINE_UNIFORM;
    f.estimator.config.vine_actions = 100000;
    tb_gradient_study_measure(&study, &f.suite, f.plugin, f.mdp);
    assert_int_equal(study.status, TB_E_PARAM);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target),
        cmocka_unit_test(test_expectation_of_two_actions),
        cmocka_unit_test(test_estimators_meet_their_expectations),
        cmocka_unit_test(test_a_wrong_expectation_is_far),
        cmocka_unit_test(test_nothing_to_judge),
        cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_failures_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
