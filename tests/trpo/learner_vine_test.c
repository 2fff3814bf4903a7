/* SPDX-License-Identifier: MIT */
#include <omp.h>

#include "tests/trpo/testing_learner.h"
#include "tests/trpo/testing_snapshot.h"

static void init_vine(setting *s, const char *algorithm, int32_t proposal)
{
    init(s, algorithm);
    s->env.snapshot = &test_env_snapshot;
    s->env.noise = 0.5;
    s->def.learner.sampling = TB_SAMPLING_VINE;
    s->def.learner.vine_proposal = proposal;
    s->def.learner.vine_states = 40;
    s->def.learner.vine_actions = 3;
    s->def.learner.vine_branch_steps = 3;
    s->def.run.steps = 4000;
}

// logs and parameters of a whole run
static size_t run_all(setting *s, tb_iteration *logs, size_t room, double *theta, size_t *n_theta)
{
    tb_learner *learner = create(s);
    size_t n = 0;
    while (!tb_learner_done(learner)) {
        assert_true(n < room);
        iterate(learner, &logs[n++]);
    }
    const double *policy = tb_learner_parameters(learner, 0, n_theta);
    assert_true(*n_theta <= 200);
    memcpy(theta, policy, *n_theta * sizeof *theta);
    tb_learner_destroy(learner);
    return n;
}

// trpo, npg and vpg learn from a vine as they do from trajectories: the same code after sampling
static void test_every_algorithm_learns(void **state)
{
    (void)state;
    static const char *const ids[] = {"trpo", "npg", "vpg"};
    for (size_t a = 0; a < 3; a++)
        for (int32_t proposal = TB_VINE_POLICY; proposal <= TB_VINE_EXHAUSTIVE; proposal++) {
            setting s;
            double training, final;
            init_vine(&s, ids[a], proposal);
            s.def.run.steps = 15000;
            learn(&s, &training, &final);
            // one of three actions is good: a third of the rewards of 1 without learning; noise
            // adds 1/4
            if (!(final > 1.1))
                fail_msg("%s with proposal %d: %g a step", ids[a], (int)proposal, final);
        }
}

static void test_same_bits_for_every_number_of_threads(void **state)
{
    (void)state;
    enum { room = 40 };
    static tb_iteration one[room], other[room];
    double theta[200], theta_other[200];
    int threads = omp_get_max_threads();
    for (int32_t proposal = TB_VINE_POLICY; proposal <= TB_VINE_EXHAUSTIVE; proposal++) {
        setting s;
        size_t n_theta, n_other;
        init_vine(&s, "trpo", proposal);
        omp_set_num_threads(1);
        size_t n = run_all(&s, one, room, theta, &n_theta);
        omp_set_num_threads(3);
        assert_int_equal(run_all(&s, other, room, theta_other, &n_other), n);
        for (size_t i = 0; i < n; i++)
            assert_same_log(&one[i], &other[i]);
        assert_memory_equal(theta, theta_other, n_theta * sizeof *theta);
        // updates were made, of the rollout set
        assert_int_equal(one[0].update_end, TB_UPDATE_ACCEPTED);
        assert_true(one[0].surrogate_after > one[0].surrogate_before);
        assert_true(one[0].ratio_error == 0);
        assert_true(one[0].q_deviation > 0);
    }
    omp_set_num_threads(threads);
}

// branches count: the budget is never exceeded, and the last rollout set fits it
static void test_branches_count_as_steps(void **state)
{
    (void)state;
    enum { room = 40 };
    static tb_iteration logs[room];
    setting s;
    double theta[200];
    size_t n_theta;
    init_vine(&s, "trpo", TB_VINE_POLICY);
    size_t n = run_all(&s, logs, room, theta, &n_theta);
    int64_t step = 0;
    for (size_t i = 0; i < n; i++) {
        assert_in_range(logs[i].branch_steps, 1, 40 * 3 * 3);
        step += 240 + logs[i].branch_steps;
        assert_int_equal(logs[i].step, step);
    }
    assert_in_range(step, 4000 - 240 - 2 * 9, 4000);
    // at the end fewer states: no room for forty
    assert_true(logs[n - 1].branch_steps < logs[0].branch_steps);
}

// all noise is the environment's, and it does not depend on the action: what two actions of a state
// differ by has no noise left with common random numbers, and twice that of a branch without
static void test_study_of_common_random_numbers(void **state)
{
    (void)state;
    setting s;
    tb_vine_study study;
    tb_error error = {0};
    init_vine(&s, "trpo", TB_VINE_EXHAUSTIVE);
    s.env.good = 99;
    s.def.learner.gamma = 1;
    s.def.learner.critic_kind = 2; // none: the plain sum
    s.env.terminate_at = 0;
    s.env.truncate_at = 0;
    s.def.max_episode_steps = 0;
    tb_learner *learner = create(&s);
    uint64_t steps = tb_learner_steps(learner);
    assert_ok(tb_learner_study_vine(learner, 400, &study, &error), &error);
    assert_int_equal(study.n_states, 40);
    assert_int_equal(study.n_same, 0);
    assert_int_equal(study.n_zero_common, 40);
    assert_true(study.variance_common == 0 && study.ratio_median == 0);
    // two branches of three steps, each with noise of variance 1/48 (uniform on [0, 1/2)): over 40
    // states and 400 trials the standard error is 1.2 %
    assert_near(study.variance_apart, 6.0 / 48, 6.0 / 48 * 0.06);
    // and the run goes on with its whole budget
    assert_int_equal(tb_learner_steps(learner), steps);
    tb_iteration log;
    iterate(learner, &log);
    tb_learner_destroy(learner);
}

static void refuse(setting *s, const char *words)
{
    tb_learner *learner = NULL;
    tb_error error = {0};
    assert_int_not_equal(tb_learner_create(&s->def, &learner, &error), TB_OK);
    assert_message(&error, words);
}

static void test_refusals(void **state)
{
    (void)state;
    setting s;
    init_vine(&s, "trpo", TB_VINE_POLICY);
    s.env.snapshot = NULL;
    refuse(&s, "tb.env.snapshot/1");
    init_vine(&s, "trpo", TB_VINE_POLICY);
    s.def.learner.vine_states = 241;
    refuse(&s, "from a trunk of 240 steps");
    init_vine(&s, "trpo", TB_VINE_POLICY);
    s.def.run.steps = 248;
    refuse(&s, "(249 steps");
    s.def.run.steps = 249;
    tb_learner_destroy(create(&s));
    init_vine(&s, "trpo", TB_VINE_POLICY);
    s.def.learner.normalize_returns = 1;
    refuse(&s, "normalize_returns");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_algorithm_learns),
        cmocka_unit_test(test_same_bits_for_every_number_of_threads),
        cmocka_unit_test(test_branches_count_as_steps),
        cmocka_unit_test(test_study_of_common_random_numbers),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
