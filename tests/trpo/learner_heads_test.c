/* SPDX-License-Identifier: MIT
 *
 * Every head at work in the learner: from the option to what the environment receives, and that it
 * learns.
 */
#include <omp.h>

#include "tests/trpo/testing_learner.h"
#include "trpo/dist/head.h"

static void init_box(setting *s, int32_t distribution)
{
    init(s, "trpo");
    s->env.action_kind = TB_SPACE_BOX;
    s->env.action_dtype = TB_F64;
    s->env.n = 2;
    s->env.good = 0.5;
    s->def.learner.action_distribution = distribution;
    s->def.learner.batch_steps = 400;
    s->def.learner.critic_epochs = 10;
    s->def.run.steps = 16000;
}

static void init_discrete(setting *s, uint32_t kind, int64_t start)
{
    init(s, "trpo");
    s->env.action_kind = kind;
    s->env.n = 3;
    s->env.start = start;
    s->env.good = 1 + (double)start;
    s->def.learner.batch_steps = 400;
    s->def.run.steps = 12000;
}

// what the environments received: the smallest and the largest entry
static void received(const setting *s, size_t i, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t k = 0; k < s->env.n_instances; k++) {
        const test_env *e = test_env_of(s->env.instances[k]);
        for (size_t t = 0; t < e->n_steps && t < test_env_records; t++) {
            *low = fmin(*low, e->actions[t][i]);
            *high = fmax(*high, e->actions[t][i]);
        }
    }
}

static void test_boxes_learn(void **state)
{
    (void)state;
    for (int32_t d = TB_DISTRIBUTION_GAUSSIAN; d <= TB_DISTRIBUTION_GSDE; d++) {
        setting s;
        double training, final;
        init_box(&s, d);
        // its log-std shares each step with that of every feature: it shrinks more slowly
        if (d == TB_DISTRIBUTION_GSDE)
            s.def.run.steps *= 2;
        learn(&s, &training, &final);
        // two entries; the best action is 0.5 in both, a uniform one in [-1, 1] earns -1.17
        assert_near(training, 0, 0.15);
        assert_near(final, 0, 0.02);
    }
}

static void test_entries_are_inside_the_bounds(void **state)
{
    (void)state;
    for (int32_t d = TB_DISTRIBUTION_GAUSSIAN; d <= TB_DISTRIBUTION_GSDE; d++) {
        setting s;
        tb_iteration log;
        double low, high;
        init_box(&s, d);
        s.env.low = 3;
        s.env.high = 3.5;
        s.def.learner.clip_actions = 0;
        tb_learner *learner = create(&s);
        iterate(learner, &log);
        int bounded = d == TB_DISTRIBUTION_SQUASHED_GAUSSIAN || d == TB_DISTRIBUTION_BETA;
        for (size_t i = 0; i < 2; i++) {
            received(&s, i, &low, &high);
            assert_true(bounded == (low >= 3 && high <= 3.5));
            assert_true(!bounded || (low < 3.1 && high > 3.4)); // and they fill them
        }
        assert_true(bounded ? log.clipped_actions == 0 : log.clipped_actions > 0.9);
        assert_true(log.ratio_error == 0);
        tb_learner_destroy(learner);
    }
}

// the entropy of the first batch tells the deviation that it was drawn with
static void test_log_std_init(void **state)
{
    (void)state;
    const double log_2_pi_e = 2.8378770664093453;
    for (int32_t d = TB_DISTRIBUTION_GAUSSIAN; d <= TB_DISTRIBUTION_GAUSSIAN_STATE_STD; d++) {
        setting s;
        tb_iteration log;
        init_box(&s, d);
        s.def.learner.log_std_init = -1.25;
        s.def.learner.policy_out_gain = 0;
        tb_learner *learner = create(&s);
        iterate(learner, &log);
        assert_near(log.entropy, 2 * (-1.25 + 0.5 * log_2_pi_e), 1e-6);
        tb_learner_destroy(learner);
    }
}

// the features' number is asked of a map of its own; the network's parameters are the
// architecture's with one log-sigma for each feature and action
static void test_gsde_is_made_of_features(void **state)
{
    (void)state;
    setting s;
    tb_iteration log;
    size_t n;
    const double *theta;
    init_box(&s, TB_DISTRIBUTION_GSDE);
    s.hidden = 5;
    s.def.learner.log_std_init = -1.25;
    tb_learner *learner = create(&s);
    theta = tb_learner_parameters(learner, 0, &n);
    assert_int_equal(n, 5 * 2 + 5 + 2 * 5 + 2 + 5 * 2);
    for (size_t i = n - 10; i < n; i++)
        assert_true(theta[i] == -1.25);
    iterate(learner, &log);
    // between features that are small and 5 of size 1
    const double log_2_pi_e = 2.8378770664093453, log_5 = 1.6094379124341003;
    double entropy_of_unit = 2 * (-1.25 + 0.5 * log_2_pi_e);
    assert_true(log.entropy < entropy_of_unit + log_5 && log.entropy > entropy_of_unit - 4);
    tb_learner_destroy(learner);
}

static void test_gsde_needs_features(void **state)
{
    (void)state;
    setting s;
    tb_learner *learner = NULL;
    tb_error error = {0};
    init_box(&s, TB_DISTRIBUTION_GSDE);
    s.no_features = 1;
    assert_int_equal(tb_learner_create(&s.def, &learner, &error), TB_E_UNSUPPORTED);
    assert_message(&error, "action_distribution = \"gsde\"");
    assert_message(&error, "tb.map.features/1");
    assert_null(learner);
    s.fail_map = 1;
    assert_int_equal(tb_learner_create(&s.def, &learner, &error), TB_E_PARAM);
    assert_null(learner);
}

// an iteration with gSDE at each number of threads
static void test_gsde_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    int threads_before = omp_get_max_threads();
    double first[64];
    for (int threads = 1; threads <= 4; threads++) {
        setting s;
        tb_iteration log;
        size_t n;
        init_box(&s, TB_DISTRIBUTION_GSDE);
        s.def.learner.lanes = 20;
        s.def.learner.gsde_resample_steps = 2;
        omp_set_num_threads(threads);
        tb_learner *learner = create(&s);
        for (int i = 0; i < 3; i++)
            iterate(learner, &log);
        const double *theta = tb_learner_parameters(learner, 0, &n);
        assert_true(n <= 64);
        assert_int_equal(log.update_end, TB_UPDATE_ACCEPTED);
        if (threads == 1)
            memcpy(first, theta, n * sizeof *theta);
        assert_memory_equal(theta, first, n * sizeof *theta);
        tb_learner_destroy(learner);
    }
    omp_set_num_threads(threads_before);
}

static void test_categories_and_coins_learn(void **state)
{
    (void)state;
    const uint32_t kinds[] = {TB_SPACE_MULTI_DISCRETE, TB_SPACE_MULTI_BINARY};
    for (size_t k = 0; k < 2; k++)
        for (int64_t start = 0; start <= (k == 0 ? 5 : 0); start += 5) {
            setting s;
            double training, final;
            init_discrete(&s, kinds[k], start);
            learn(&s, &training, &final);
            // each of three entries pays 1
            assert_true(training > 2.5);
            assert_near(final, 3, 1e-14);
        }
}

static void test_what_categories_and_coins_receive(void **state)
{
    (void)state;
    const uint32_t kinds[] = {TB_SPACE_MULTI_DISCRETE, TB_SPACE_MULTI_BINARY};
    for (size_t k = 0; k < 2; k++) {
        setting s;
        tb_iteration log;
        double low, high;
        init_discrete(&s, kinds[k], k == 0 ? -2 : 0);
        tb_learner *learner = create(&s);
        iterate(learner, &log);
        for (size_t i = 0; i < 3; i++) {
            received(&s, i, &low, &high);
            assert_near(low, k == 0 ? -2 : 0, 0);
            assert_near(high, k == 0 ? (double)i - 1 : 1, 0); // entry i has i + 2 categories
        }
        assert_true(isnan(log.clipped_actions));
        tb_learner_destroy(learner);
    }
}

static void test_a_choice_that_does_not_fit(void **state)
{
    (void)state;
    setting s;
    tb_learner *learner = NULL;
    tb_error error = {0};
    init_discrete(&s, TB_SPACE_MULTI_BINARY, 0);
    s.def.learner.action_distribution = TB_DISTRIBUTION_BETA;
    assert_int_equal(tb_learner_create(&s.def, &learner, &error), TB_E_UNSUPPORTED);
    assert_message(&error, "action_distribution = \"beta\"");
    assert_message(&error, "MultiBinary");
    assert_null(learner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boxes_learn),
        cmocka_unit_test(test_entries_are_inside_the_bounds),
        cmocka_unit_test(test_log_std_init),
        cmocka_unit_test(test_gsde_is_made_of_features),
        cmocka_unit_test(test_gsde_needs_features),
        cmocka_unit_test(test_gsde_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_categories_and_coins_learn),
        cmocka_unit_test(test_what_categories_and_coins_receive),
        cmocka_unit_test(test_a_choice_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
