/* SPDX-License-Identifier: MIT */
#include "trpo/sampling/vine.h"

#include "tests/trpo/sampling/testing_sampler.h"
#include "tests/trpo/testing_snapshot.h"
#include "tests/trpo/testing_vec.h"
#include "trpo/sampling/presets.h"

enum { max_states = 60, max_actions = 6 };

typedef struct vine_fixture {
    fixture base;
    tb_learner_config config;
    tb_vine *vine;
    tb_batch out;
    uint64_t steps;
} vine_fixture;

static test_env_def scripted(void)
{
    test_env_def def = test_env_default;
    def.snapshot = &test_env_snapshot;
    return def;
}

static tb_status create(vine_fixture *f, test_env_def def, size_t lanes)
{
    f->base = fresh(def);
    f->base.task.snapshots = 1;
    init(&f->base, TB_F64, lanes);
    return tb_vine_create(&f->base.task, &f->base.policy, &f->config, lanes * max_steps, &f->vine,
                          &f->base.error);
}

static vine_fixture defaults(void)
{
    vine_fixture f = {0};
    tb_options_default(tb_learner_options, &f.config);
    f.config.sampling = TB_SAMPLING_VINE;
    f.config.vine_states = 20;
    f.config.gamma = 0.5;
    return f;
}

// a trunk of `steps` steps a lane and its branches; values of cuts are 1, 2, 3, ...
static void play(vine_fixture *f, size_t steps, uint64_t iteration)
{
    fixture *base = &f->base;
    size_t rows = steps * base->sampler.n_lanes, n = tb_vine_states(f->vine);
    if (f->out.x == NULL)
        assert_ok(tb_batch_init_draws(&f->out, n, tb_vine_actions(f->vine),
                                      observation_size * sizeof(double), base->task.head.n_action,
                                      base->task.head.n_params, &base->error),
                  &base->error);
    base->sampler.vine = f->vine;
    tb_vine_choose(f->vine, iteration, rows, n < rows ? n : rows);
    assert_ok(run(base, steps), &base->error);
    assert_ok(tb_vine_run(f->vine, &base->batch, &base->scaler, &f->out, &f->steps, &base->error),
              &base->error);
    const void *x;
    const double *time;
    double *value;
    size_t cuts = tb_vine_cuts(f->vine, &x, &time, &value);
    for (size_t i = 0; i < cuts; i++)
        value[i] = 100 * time[i] + ((const double *)x)[2 * i + 1];
    tb_vine_bootstrap(f->vine, &f->out);
}

static void end(vine_fixture *f)
{
    tb_vine_destroy(f->vine);
    tb_batch_finish(&f->out);
    finish(&f->base);
}

// ---- the rollout set ----

static void test_rollout_set_is_a_uniform_draw_without_replacement(void **state)
{
    (void)state;
    enum { rows = 12, draws = 4, rounds = 6000 };
    vine_fixture f = defaults();
    f.config.vine_states = draws;
    assert_ok(create(&f, scripted(), 1), &f.base.error);
    size_t seen[rows] = {0}, pairs = 0;
    for (uint64_t i = 0; i < rounds; i++) {
        size_t chosen[draws], n = 0;
        tb_vine_choose(f.vine, i, rows, draws);
        for (size_t row = 0; row < rows; row++)
            if (tb_vine_slot(f.vine, row) > 0) {
                // numbered in the order of the trunk
                assert_int_equal(tb_vine_slot(f.vine, row), n + 1);
                assert_true(n < draws);
                chosen[n++] = row;
                seen[row]++;
            }
        assert_int_equal(n, draws);
        pairs += chosen[0] == 0 && chosen[1] == 1;
    }
    // each row in a third of the sets, six standard deviations; the pair (0, 1) in 1/11
    for (size_t row = 0; row < rows; row++)
        assert_near((double)seen[row], rounds / 3.0, 6 * sqrt(rounds * 2.0 / 9));
    assert_near((double)pairs, rounds / 11.0, 6 * sqrt(rounds * 10.0 / 121));
    tb_vine_choose(f.vine, 7, draws, draws);
    for (size_t row = 0; row < draws; row++)
        assert_int_equal(tb_vine_slot(f.vine, row), row + 1);
    end(&f);
}

// ---- Q ----

// reward of step t (from 1) is t / 4, 1 more for action 1; no noise
static void test_q_of_one_step_branches(void **state)
{
    (void)state;
    vine_fixture f = defaults();
    f.config.vine_proposal = TB_VINE_EXHAUSTIVE;
    f.config.vine_branch_steps = 1;
    test_env_def def = scripted();
    def.slope = 0.25;
    assert_ok(create(&f, def, 3), &f.base.error);
    play(&f, 30, 1);
    assert_int_equal(f.out.n_rows, 20);
    assert_int_equal(f.out.n_draws, 3);
    assert_int_equal(f.steps, 60);
    assert_true(f.out.draw_weight == 1 && !f.out.self_normalized);
    size_t terminal = 0;
    for (size_t n = 0; n < 20; n++) {
        double t = ((const double *)f.out.x)[2 * n + 1] + 1, p = 0;
        terminal += t == 5;
        for (size_t k = 0; k < 3; k++) {
            // steps done behind it: t; the observation's second entry too
            double rest = t == 5 ? 0 : 0.5 * (100 * t + t);
            assert_near(f.out.advantage[3 * n + k], 0.25 * t + (k == 1) + rest, 1e-12);
            assert_true(f.out.action[3 * n + k] == (double)k);
            assert_true(f.out.log_proposal[3 * n + k] == 0);
            p += exp(f.out.log_prob_old[3 * n + k]);
        }
        assert_near(p, 1, 1e-14);
    }
    assert_in_range(terminal, 1, 19);
    end(&f);
}

// branches of unequal length: to the terminal state in step 5, or cut after T steps, or by the
// time limit, where the critic stands for the rest
static void check_long_branches(uint64_t steps, uint64_t limit, size_t trials)
{
    vine_fixture f = defaults();
    f.config.vine_proposal = TB_VINE_EXHAUSTIVE;
    f.config.vine_branch_steps = (int64_t)steps;
    f.config.vine_trials = (int64_t)trials;
    test_env_def def = scripted();
    def.slope = 0.25;
    def.good = 99; // no action is better
    f.base = fresh(def);
    f.base.task.max_episode_steps = limit;
    f.base.task.snapshots = 1;
    init(&f.base, TB_F64, 3);
    f.base.task.max_episode_steps = limit;
    assert_ok(tb_vine_create(&f.base.task, &f.base.policy, &f.config, 90, &f.vine, &f.base.error),
              &f.base.error);
    play(&f, 30, 1);
    uint64_t total = 0, last = limit > 0 && limit < 5 ? limit : 5;
    for (size_t n = 0; n < 20; n++) {
        uint64_t from = (uint64_t)((const double *)f.out.x)[2 * n + 1];
        uint64_t to = from + steps < last ? from + steps : last;
        double q = 0, discount = 1;
        for (uint64_t t = from + 1; t <= to; t++, discount /= 2)
            q += discount * 0.25 * (double)t;
        if (to < 5)
            q += discount * 101 * (double)to;
        for (size_t k = 0; k < 3; k++)
            assert_near(f.out.advantage[3 * n + k], q, 1e-12);
        total += 3 * trials * (to - from);
    }
    assert_int_equal(f.steps, total);
    end(&f);
}

static void test_q_of_long_branches(void **state)
{
    (void)state;
    check_long_branches(2, 0, 1);
    check_long_branches(50, 0, 1);
    check_long_branches(50, 4, 1);
    check_long_branches(3, 4, 5);
}

// ---- proposals ----

static void test_proposals(void **state)
{
    (void)state;
    for (int box = 0; box < 2; box++)
        for (int32_t proposal = TB_VINE_POLICY; proposal <= TB_VINE_UNIFORM; proposal++) {
            vine_fixture f = defaults();
            f.config.vine_proposal = proposal;
            f.config.vine_actions = max_actions;
            f.config.vine_branch_steps = 1;
            f.config.vine_states = max_states;
            test_env_def def = scripted();
            if (box) {
                def.action_kind = TB_SPACE_BOX;
                def.action_dtype = TB_F64;
                def.n = 2;
                def.low = -1;
                def.high = 3;
            }
            assert_ok(create(&f, def, 3), &f.base.error);
            play(&f, 30, 1);
            assert_true(f.out.self_normalized);
            const tb_head *head = &f.base.task.head;
            double mean = 0;
            size_t n = max_states * max_actions;
            for (size_t i = 0; i < n; i++) {
                const double *a = f.out.action + i * head->n_action;
                const double *y = f.out.y_old + i / max_actions * head->n_params;
                double log_p = head->api->log_prob(head, y, a);
                assert_true(f.out.log_prob_old[i] == log_p);
                double uniform = box ? -log(16) : -log(3);
                assert_near(f.out.log_proposal[i], proposal == TB_VINE_POLICY ? log_p : uniform,
                            1e-15);
                mean += a[0] / (double)n;
                if (box && proposal == TB_VINE_UNIFORM)
                    assert_true(a[0] >= -1 && a[0] < 3 && a[1] >= -1 && a[1] < 3);
            }
            if (proposal == TB_VINE_UNIFORM)
                // variance 16/12 or 2/3, five standard deviations
                assert_near(mean, 1, 5 * sqrt((box ? 16.0 / 12 : 2.0 / 3) / (double)n));
            // the K actions are drawn apart
            size_t same = 0;
            for (size_t i = 0; box && i < max_states; i++)
                same += f.out.action[i * max_actions * 2] == f.out.action[i * max_actions * 2 + 2];
            assert_int_equal(same, 0);
            end(&f);
        }
}

// ---- common random numbers ----

// all of the noise is in the environment's key and the policy's later actions: with common random
// numbers equal first actions of a state have equal Q, without they differ
static void test_common_random_numbers(void **state)
{
    (void)state;
    for (int common = 0; common < 2; common++) {
        vine_fixture f = defaults();
        f.config.vine_common_random_numbers = common;
        f.config.vine_actions = max_actions;
        f.config.vine_branch_steps = 4;
        f.config.gamma = 1;
        test_env_def def = scripted();
        def.noise = 1;
        def.terminate_at = 9;
        assert_ok(create(&f, def, 3), &f.base.error);
        play(&f, 30, 1);
        size_t equal = 0, pairs = 0;
        for (size_t n = 0; n < 20; n++)
            for (size_t k = 0; k < max_actions; k++)
                for (size_t l = 0; l < k; l++) {
                    size_t a = n * max_actions + k, b = n * max_actions + l;
                    if (f.out.action[a] != f.out.action[b])
                        continue;
                    pairs++;
                    equal += f.out.advantage[a] == f.out.advantage[b];
                }
        assert_in_range(pairs, 50, 300);
        assert_int_equal(equal, common ? pairs : 0);
        // other states, other noise, even after as many steps and with the same first action
        size_t alike = 0, twins = 0;
        for (size_t n = 1; n < 20; n++)
            for (size_t m = 0; m < n; m++) {
                const double *x = f.out.x;
                size_t a = n * max_actions, b = m * max_actions;
                if (x[2 * n + 1] != x[2 * m + 1] || f.out.action[a] != f.out.action[b])
                    continue;
                twins++;
                alike += fabs(f.out.advantage[a] - f.out.advantage[b]) < 1e-9;
            }
        assert_in_range(twins, 5, 190);
        assert_int_equal(alike, 0);
        end(&f);
    }
}

// ---- the same bits ----

static void test_threads_and_vec_give_the_same_bits(void **state)
{
    (void)state;
    int threads = omp_get_max_threads();
    double q[2 * max_states * max_actions];
    for (size_t run_number = 0; run_number < 3; run_number++) {
        vine_fixture f = defaults();
        f.config.vine_states = max_states;
        f.config.vine_actions = max_actions;
        f.config.vine_trials = 2;
        f.config.vine_branch_steps = 7;
        test_env_def def = scripted();
        def.noise = 1;
        def.vary = 3;
        def.vec = run_number == 2 ? &test_env_vec : NULL; // without snapshots: not used
        omp_set_num_threads(run_number == 1 ? 3 : 1);
        assert_ok(create(&f, def, 3), &f.base.error);
        for (uint64_t iteration = 1; iteration <= 2; iteration++) {
            play(&f, 30, iteration);
            double *kept = q + (iteration - 1) * max_states * max_actions;
            size_t bytes = (size_t)max_states * max_actions * sizeof *q;
            if (run_number == 0)
                memcpy(kept, f.out.advantage, bytes);
            else
                assert_memory_equal(kept, f.out.advantage, bytes);
        }
        end(&f);
    }
    omp_set_num_threads(threads);
    assert_memory_not_equal(q, q + max_states * max_actions, sizeof q / 2);
}

// the trunk is what it is without a vine
static void test_trunk_is_undisturbed(void **state)
{
    (void)state;
    vine_fixture f = defaults();
    fixture alone = fresh(scripted());
    init(&alone, TB_F64, 3);
    assert_ok(create(&f, scripted(), 3), &f.base.error);
    for (uint64_t i = 0; i < 3; i++) {
        play(&f, 13, i);
        assert_ok(run(&alone, 13), &alone.error);
        assert_same_rollouts(&f.base, &alone);
    }
    finish(&alone);
    end(&f);
}

// ---- normalising ----

static void test_normalising(void **state)
{
    (void)state;
    for (int32_t proposal = TB_VINE_POLICY; proposal <= TB_VINE_EXHAUSTIVE; proposal++)
        for (int32_t estimator = 0; estimator < 2; estimator++) {
            vine_fixture f = defaults();
            f.config.vine_proposal = proposal;
            f.config.vine_estimator = estimator;
            test_env_def def = scripted();
            def.noise = 1;
            assert_ok(create(&f, def, 3), &f.base.error);
            play(&f, 30, 1);
            size_t k = f.out.n_draws;
            int exhaustive = proposal == TB_VINE_EXHAUSTIVE;
            assert_int_equal(f.out.self_normalized, !exhaustive && estimator == 0);
            assert_true(f.out.draw_weight == (exhaustive ? 1 : 1 / (double)k));
            double q[20 * max_actions], means[20] = {0}, squares = 0;
            for (size_t i = 0; i < 20 * k; i++) {
                q[i] = f.out.advantage[i];
                means[i / k] += q[i] * (exhaustive ? exp(f.out.log_prob_old[i]) : 1 / (double)k);
            }
            for (size_t i = 0; i < 20 * k; i++)
                squares += pow(q[i] - means[i / k], 2) / (double)(20 * k);
            assert_near(tb_vine_normalize(f.vine, &f.out, 0), sqrt(squares), 1e-12);
            int centered = !exhaustive && estimator == TB_VINE_MEAN_BASELINE;
            for (size_t i = 0; i < 20 * k; i++)
                assert_near(f.out.advantage[i], q[i] - (centered ? means[i / k] : 0), 1e-12);
            tb_vine_normalize(f.vine, &f.out, 1);
            for (size_t i = 0; i < 20 * k; i++)
                assert_near(f.out.advantage[i], (q[i] - means[i / k]) / sqrt(squares), 1e-6);
            end(&f);
        }
}

// ---- what cannot work ----

static void refuse(vine_fixture *f, test_env_def def, tb_status status, const char *words)
{
    assert_int_equal(create(f, def, 3), status);
    assert_message(&f->base.error, words);
    finish(&f->base);
}

static void test_refusals(void **state)
{
    (void)state;
    vine_fixture f = defaults();
    f.config.vine_states = 3 * max_steps + 1;
    refuse(&f, scripted(), TB_E_PARAM, "vine_states (121) cannot be drawn without replacement");
    f = defaults();
    f.config.vine_actions = 1;
    refuse(&f, scripted(), TB_E_PARAM, "vine_actions = 1");
    f = defaults();
    refuse(&f, test_env_default, TB_E_UNSUPPORTED, "tb.env.snapshot/1");
    f = defaults();
    test_env_def box = scripted();
    box.action_kind = TB_SPACE_BOX;
    box.action_dtype = TB_F64;
    f.config.vine_proposal = TB_VINE_EXHAUSTIVE;
    refuse(&f, box, TB_E_PARAM, "\"exhaustive\"");
    f = defaults();
    f.config.vine_proposal = TB_VINE_UNIFORM;
    box.high = INFINITY;
    refuse(&f, box, TB_E_PARAM, "\"uniform\"");
    f = defaults();
    f.config.vine_proposal = TB_VINE_EXHAUSTIVE;
    test_env_def many = scripted();
    many.n = 257;
    refuse(&f, many, TB_E_PARAM, "cannot be enumerated");
}

// a snapshot that lies, a load that fails half-way, a step that fails in a branch only
static void fail_with(test_env_def def, int in_trunk, const char *words)
{
    vine_fixture f = defaults();
    f.config.vine_branch_steps = 30;
    assert_ok(create(&f, def, 3), &f.base.error);
    f.base.sampler.vine = f.vine;
    assert_ok(tb_batch_init_draws(&f.out, 20, 4, 16, 1, 3, &f.base.error), &f.base.error);
    tb_vine_choose(f.vine, 1, 30, 20);
    tb_status status = run(&f.base, 10);
    if (!in_trunk) {
        assert_ok(status, &f.base.error);
        status =
            tb_vine_run(f.vine, &f.base.batch, &f.base.scaler, &f.out, &f.steps, &f.base.error);
    }
    assert_int_not_equal(status, TB_OK);
    assert_message(&f.base.error, words);
    end(&f);
}

static void test_failures_are_told(void **state)
{
    (void)state;
    test_env_def def = scripted();
    def.snapshot_lies = 1;
    fail_with(def, 1, "says it wrote 25 bytes, where its max_bytes allows 1 to 24");
    def = scripted();
    def.fail_load_at = 2;
    fail_with(def, 0, "the load was told to fail");
    fail_with(def, 0, "vine branch");
    def = scripted();
    def.terminate_at = 0;
    def.fail_step_at = 12; // the trunk goes to 10
    fail_with(def, 0, "the step was told to fail");
}

// ---- presets ----

static void test_presets(void **state)
{
    (void)state;
    // trunks, their length, N, T: the paper's table 2 and the configurations of 2015
    const struct {
        const char *name;
        int64_t trunks, steps, states, branch;
    } rows[] = {
        {"paper-swimmer", 16, 1000, 125, 50}, {"paper-hopper", 16, 1000, 625, 100},
        {"paper-walker", 16, 1000, 625, 100}, {"icml-cartpole", 32, 1000, 200, 100},
        {"icml-swimmer", 32, 500, 1000, 100}, {"icml-locomotion", 32, 1000, 5000, 100},
    };
    const tb_option *option = tb_option_find(tb_learner_options, "vine_preset");
    tb_learner_config config, plain;
    tb_options_default(tb_learner_options, &plain);
    config = plain;
    tb_vine_preset_apply(&config);
    assert_memory_equal(&config, &plain, sizeof config);
    char name[64];
    for (int i = 1; tb_option_choice(option, i, name); i++) {
        assert_in_range(i, 1, 6);
        assert_string_equal(name, rows[i - 1].name);
        config = plain;
        config.vine_preset = i;
        tb_vine_preset_apply(&config);
        assert_int_equal(config.sampling, TB_SAMPLING_VINE);
        assert_int_equal(config.lanes, rows[i - 1].trunks);
        assert_int_equal(config.batch_steps, rows[i - 1].trunks * rows[i - 1].steps);
        assert_int_equal(config.vine_states, rows[i - 1].states);
        assert_int_equal(config.vine_actions, 4);
        assert_int_equal(config.vine_trials, 1);
        assert_int_equal(config.vine_branch_steps, rows[i - 1].branch);
        assert_true(config.gamma == 0.99 && config.vine_proposal == TB_VINE_POLICY);
    }
    assert_int_equal(tb_option_choice(option, 7, name), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rollout_set_is_a_uniform_draw_without_replacement),
        cmocka_unit_test(test_q_of_one_step_branches),
        cmocka_unit_test(test_q_of_long_branches),
        cmocka_unit_test(test_proposals),
        cmocka_unit_test(test_common_random_numbers),
        cmocka_unit_test(test_threads_and_vec_give_the_same_bits),
        cmocka_unit_test(test_trunk_is_undisturbed),
        cmocka_unit_test(test_normalising),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_failures_are_told),
        cmocka_unit_test(test_presets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
