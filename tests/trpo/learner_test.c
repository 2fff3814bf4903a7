/* SPDX-License-Identifier: MIT */
#include "trpo/learner.h"

#include <omp.h>

#include "tests/trpo/testing_learner.h"
#include "tests/trpo/testing_malloc.h"

enum { max_iterations = 64, max_parameters = 128, n_evaluations = 6 };

// which instances an environment maker makes: one that only tells its spaces, the evaluations', the
// lanes'
enum { first_evaluation = 1, first_lane = 9 };

/* ---- everything that a run puts out ---- */

typedef struct record {
    size_t iterations, n_episodes;
    tb_iteration log[max_iterations];
    tb_episode episodes[1000], evaluations[n_evaluations];
    double policy[max_parameters], critic[max_parameters];
} record;

// `evaluate`: after every so many iterations, and at the end in any case
static void play(setting *s, size_t evaluate, record *out)
{
    memset(out, 0, sizeof *out);
    tb_learner *learner = create(s);
    tb_error error = {0};
    size_t n;
    while (!tb_learner_done(learner)) {
        assert_true(out->iterations < max_iterations);
        iterate(learner, &out->log[out->iterations++]);
        const tb_episode *episodes = tb_learner_episodes(learner, &n);
        assert_true(out->n_episodes + n <= 1000);
        memcpy(out->episodes + out->n_episodes, episodes, n * sizeof *episodes);
        out->n_episodes += n;
        if (evaluate > 0 && out->iterations % evaluate == 0)
            assert_ok(tb_learner_evaluate(learner, 0, n_evaluations, out->evaluations, &error),
                      &error);
    }
    assert_ok(tb_learner_evaluate(learner, 1, n_evaluations, out->evaluations, &error), &error);
    const double *theta = tb_learner_parameters(learner, 0, &n);
    assert_true(n <= max_parameters);
    memcpy(out->policy, theta, n * sizeof *theta);
    theta = tb_learner_parameters(learner, 1, &n);
    memcpy(out->critic, theta, n * sizeof *theta);
    tb_learner_destroy(learner);
}

static void assert_same_record(const record *a, const record *b)
{
    assert_int_equal(a->iterations, b->iterations);
    for (size_t i = 0; i < a->iterations; i++)
        assert_same_log(&a->log[i], &b->log[i]);
    assert_int_equal(a->n_episodes, b->n_episodes);
    assert_memory_equal(a->episodes, b->episodes, a->n_episodes * sizeof a->episodes[0]);
    assert_memory_equal(a->evaluations, b->evaluations, sizeof a->evaluations);
    assert_memory_equal(a->policy, b->policy, sizeof a->policy);
    assert_memory_equal(a->critic, b->critic, sizeof a->critic);
}

static record first, second;

static void test_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    int threads_before = omp_get_max_threads();
    const char *const ids[] = {"trpo", "npg", "vpg"};
    for (size_t a = 0; a < 3; a++)
        for (int precision = TB_PRECISION_F32; precision <= TB_PRECISION_F64; precision++) {
            setting s;
            init(&s, ids[a]);
            s.def.run.precision = precision;
            s.def.learner.lanes = 20; // three groups
            if (a == 1) {
                s.env.action_kind = TB_SPACE_BOX;
                s.env.action_dtype = TB_F32;
                s.env.n = 2;
                set_option(&s, "fisher_fraction", 0.5);
                set_option(&s, "damping_mode", 1);
            }
            if (a == 2)
                set_option(&s, "entropy_coefficient", 0.1);
            omp_set_num_threads(1);
            play(&s, 2, &first);
            play(&s, 2, &second); // again
            assert_same_record(&first, &second);
            for (int threads = 2; threads <= 4; threads++) {
                omp_set_num_threads(threads);
                play(&s, 2, &second);
                assert_same_record(&first, &second);
            }
        }
    omp_set_num_threads(threads_before);
}

static void test_precisions_differ_a_little(void **state)
{
    (void)state;
    setting s;
    init(&s, "trpo");
    s.def.run.steps = 240;
    play(&s, 0, &first);
    s.def.run.precision = TB_PRECISION_F64;
    play(&s, 0, &second);
    double largest = 0;
    for (size_t i = 0; i < max_parameters; i++)
        largest = fmax(largest, fabs(first.policy[i] - second.policy[i]));
    assert_true(largest > 0 && largest < 1e-3);
}

static void test_seeds_differ(void **state)
{
    (void)state;
    setting s;
    init(&s, "trpo");
    play(&s, 0, &first);
    s.def.seed = 2;
    play(&s, 0, &second);
    assert_memory_not_equal(first.policy, second.policy, sizeof first.policy);
    assert_memory_not_equal(first.critic, second.critic, sizeof first.critic);
    assert_true(first.log[0].return_mean != second.log[0].return_mean);
}

static void test_evaluations_do_not_disturb_training(void **state)
{
    (void)state;
    setting s;
    init(&s, "trpo");
    play(&s, 0, &first);
    play(&s, 1, &second);
    assert_same_record(&first, &second);
}

// what a watcher sees
typedef struct audience {
    uint64_t n_states, n_last;
    tb_env *env;
} audience;

static tb_status look(void *ctx, const tb_lane *lane, uint8_t flags, tb_error *error)
{
    audience *a = ctx;
    (void)error;
    assert_int_equal(lane->length, a->n_states);
    assert_ptr_equal(lane->env, a->env);
    a->n_states++;
    a->n_last += flags != 0;
    return TB_OK;
}

// a policy that was put into another learner plays the evaluation that its own did
static void test_a_watched_episode_is_the_evaluation(void **state)
{
    (void)state;
    setting s;
    tb_error error = {0};
    tb_iteration log;
    tb_episode expected[n_evaluations], played;
    const tb_env_api *api;
    audience a = {0};
    size_t n;
    init(&s, "trpo");
    tb_learner *trained = create(&s), *other = create(&s);
    while (!tb_learner_done(trained))
        iterate(trained, &log);
    assert_ok(tb_learner_evaluate(trained, 1, n_evaluations, expected, &error), &error);
    const double *theta = tb_learner_parameters(trained, 0, &n);
    assert_ok(tb_learner_set_policy(other, theta, n, tb_learner_scaler(trained), &error), &error);
    tb_learner_player(other, &api, &a.env);
    tb_play mode = {.actions = TB_PLAY_MODE, .on_state = look, .ctx = &a};
    for (size_t k = 0; k < n_evaluations; k++) {
        a.n_states = a.n_last = 0;
        assert_ok(tb_learner_play(other, k, &mode, &played, &error), &error);
        assert_memory_equal(&played.reward_sum, &expected[k].reward_sum, sizeof(double));
        assert_int_equal(played.length, expected[k].length);
        assert_int_equal(a.n_states, played.length + 1);
        assert_int_equal(a.n_last, 1);
    }
    tb_scaler short_one = *tb_learner_scaler(trained);
    short_one.n--;
    assert_int_equal(tb_learner_set_policy(other, theta, n - 1, NULL, &error), TB_E_CORRUPT);
    assert_int_equal(tb_learner_set_policy(other, theta, n, &short_one, &error), TB_E_CORRUPT);
    // without its statistics nothing is done to observations
    assert_ok(tb_learner_set_policy(other, theta, n, NULL, &error), &error);
    assert_true(tb_learner_scaler(other)->scale[0] == 1 && tb_learner_scaler(other)->shift[0] == 0);
    tb_learner_destroy(trained);
    tb_learner_destroy(other);
}

static void test_evaluations_start_alike(void **state)
{
    (void)state;
    setting s;
    tb_error error = {0};
    tb_episode a[n_evaluations], b[n_evaluations], final[n_evaluations];
    init(&s, "trpo");
    tb_learner *learner = create(&s);
    tb_iteration log;
    iterate(learner, &log);
    assert_ok(tb_learner_evaluate(learner, 0, n_evaluations, a, &error), &error);
    assert_ok(tb_learner_evaluate(learner, 0, n_evaluations, b, &error), &error);
    assert_memory_equal(a, b, sizeof a);
    assert_ok(tb_learner_evaluate(learner, 1, n_evaluations, final, &error), &error);
    // instance 1 played episode 0 of each
    const test_env *e = test_env_of(s.env.instances[first_evaluation]);
    assert_int_equal(e->n_resets, 3);
    assert_memory_equal(&e->keys[0], &e->keys[1], sizeof(tb_key));
    assert_memory_not_equal(&e->keys[0], &e->keys[2], sizeof(tb_key));
    assert_int_equal(a[0].step, 240);
    tb_learner_destroy(learner);
}

// algorithms are compared on the same starts
static void test_algorithms_share_starts(void **state)
{
    (void)state;
    setting s;
    tb_key keys[2][4][8];
    const char *const ids[] = {"trpo", "vpg"};
    for (size_t a = 0; a < 2; a++) {
        init(&s, ids[a]);
        tb_learner *learner = create(&s);
        tb_iteration log;
        iterate(learner, &log);
        for (size_t l = 0; l < 4; l++)
            memcpy(keys[a][l], test_env_of(s.env.instances[first_lane + l])->keys,
                   sizeof keys[a][l]);
        tb_learner_destroy(learner);
    }
    assert_memory_equal(keys[0], keys[1], sizeof keys[0]);
    assert_memory_not_equal(keys[0][0], keys[0][1], sizeof keys[0][0]);
}

/* ---- the budget ---- */

static void test_budget(void **state)
{
    (void)state;
    const struct {
        int64_t steps, batch, lanes;
        size_t iterations;
        uint64_t done;
    } cases[] = {
        {1000, 240, 4, 5, 1000},                          // four full batches and 40 steps
        {960, 240, 4, 4, 960},   {1003, 240, 4, 5, 1000}, // missed by less than one step a lane
        {100, 240, 4, 1, 100},                            // less than one batch
        {4, 240, 4, 1, 4},       {30, 10, 3, 4, 30},      // a batch of 9
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        setting s;
        tb_iteration log;
        init(&s, "trpo");
        s.def.run.steps = cases[c].steps;
        s.def.learner.batch_steps = cases[c].batch;
        s.def.learner.lanes = cases[c].lanes;
        tb_learner *learner = create(&s);
        size_t n = 0;
        for (; !tb_learner_done(learner); n++) {
            iterate(learner, &log);
            assert_int_equal(log.step, tb_learner_steps(learner));
            assert_int_equal(log.iteration, n + 1);
        }
        assert_int_equal(n, cases[c].iterations);
        assert_int_equal(tb_learner_steps(learner), cases[c].done);
        tb_learner_destroy(learner);
    }
}

/* ---- the log ---- */

static void test_log_tells_of_the_episodes(void **state)
{
    (void)state;
    setting s;
    init(&s, "vpg");
    s.env.slope = 100; // raw returns: not normalised, not discounted, not clipped
    tb_learner *learner = create(&s);
    int64_t episodes_before = 0;
    for (int k = 0; k < 3; k++) {
        tb_iteration log;
        size_t n;
        iterate(learner, &log);
        const tb_episode *e = tb_learner_episodes(learner, &n);
        assert_int_equal(log.batch_episodes, n);
        assert_int_equal(log.episodes, episodes_before + (int64_t)n);
        episodes_before = log.episodes;
        double sum = 0, low = INFINITY, high = -INFINITY, length = 0;
        for (size_t i = 0; i < n; i++) {
            sum += e[i].reward_sum;
            low = fmin(low, e[i].reward_sum);
            high = fmax(high, e[i].reward_sum);
            length += (double)e[i].length;
            double steps = (double)e[i].length, ramp = 100 * steps * (steps + 1) / 2;
            assert_true(e[i].reward_sum >= ramp && e[i].reward_sum <= ramp + steps);
            assert_true(e[i].length <= 6);
        }
        assert_near(log.return_mean, sum / (double)n, 1e-9);
        assert_near(log.length_mean, length / (double)n, 1e-12);
        assert_true(log.return_min == low && log.return_max == high);
        assert_true(log.reward_mean > 100);
        assert_true(isnan(log.clipped_actions)); // categories have no bounds
        assert_true(log.ratio_error == 0);
    }
    tb_learner_destroy(learner);
}

static void test_no_episode_in_a_batch(void **state)
{
    (void)state;
    setting s;
    tb_iteration log;
    init(&s, "trpo");
    s.def.max_episode_steps = 0;
    s.env.terminate_at = 1000;
    tb_learner *learner = create(&s);
    iterate(learner, &log);
    assert_int_equal(log.batch_episodes, 0);
    assert_true(isnan(log.return_mean) && isnan(log.return_min) && isnan(log.length_mean));
    assert_true(isfinite(log.reward_mean));
    tb_learner_destroy(learner);
}

static void test_clipped_actions(void **state)
{
    (void)state;
    for (int clip = 0; clip < 2; clip++) {
        setting s;
        tb_iteration log;
        init(&s, "trpo");
        s.env.action_kind = TB_SPACE_BOX;
        s.env.action_dtype = TB_F64;
        s.env.n = 2;
        s.env.low = -1e-9;
        s.env.high = 1e-9;
        s.def.learner.clip_actions = clip;
        tb_learner *learner = create(&s);
        iterate(learner, &log);
        assert_true(log.clipped_actions > 0.99 && log.clipped_actions <= 1);
        // reward is -sum (a - 1)^2: the environment saw 0, or numbers of deviation 1
        assert_true(clip ? fabs(log.reward_mean + 2) < 1e-6 : log.reward_mean < -3);
        tb_learner_destroy(learner);
    }
}

// statistics are folded between batches: the first batch is as without them, the second is not; and
// every update starts from ratio 1, so nothing moved in between
static void test_statistics_are_frozen_during_a_batch(void **state)
{
    (void)state;
    setting s;
    init(&s, "trpo");
    play(&s, 0, &first);
    s.def.learner.normalize_observations = 0;
    play(&s, 0, &second);
    assert_same_log(&first.log[0], &second.log[0]);
    assert_true(first.log[1].entropy != second.log[1].entropy);
    for (size_t i = 0; i < first.iterations; i++)
        assert_true(first.log[i].ratio_error == 0);
}

static void test_surrogate_before_is_the_mean_advantage(void **state)
{
    (void)state;
    setting s;
    tb_iteration log;
    init(&s, "trpo");
    tb_learner *learner = create(&s);
    iterate(learner, &log);
    assert_near(log.surrogate_before, 0, 1e-14); // normalised
    tb_learner_destroy(learner);
    s.def.learner.normalize_advantages = 0;
    s.env.slope = 1;
    learner = create(&s);
    iterate(learner, &log);
    assert_true(fabs(log.surrogate_before) > 0.1);
    tb_learner_destroy(learner);
}

// discounted states: other updates from the same batch, and the plain ones without a discount
static void test_discounted_states(void **state)
{
    (void)state;
    setting s;
    init(&s, "trpo");
    s.def.learner.gamma = 0.8;
    play(&s, 0, &first);
    s.def.learner.discounted_states = 1;
    play(&s, 0, &second);
    assert_true(first.log[0].reward_mean == second.log[0].reward_mean);
    assert_true(first.log[0].gradient_norm != second.log[0].gradient_norm);
    assert_near(second.log[0].surrogate_before, 0, 1e-14); // the weighted mean is normalised
    s.def.learner.gamma = 1;
    play(&s, 0, &first);
    s.def.learner.discounted_states = 0;
    play(&s, 0, &second);
    assert_same_record(&first, &second);
}

// each iteration tells its own time; conjugate gradients and line search are parts of the update
static void test_timing(void **state)
{
    (void)state;
    const char *const ids[] = {"trpo", "npg", "vpg"};
    for (int a = 0; a < 3; a++) {
        setting s;
        tb_error error = {0};
        init(&s, ids[a]);
        s.def.run.steps = 10 * s.def.learner.batch_steps;
        tb_learner *learner = create(&s);
        for (int i = 0; i < 10; i++) {
            tb_iteration log;
            tb_timing timing = {-1, -1, -1, -1, -1, -1};
            assert_ok(tb_learner_iterate(learner, &log, &timing, &error), &error);
            assert_int_not_equal(log.update_end, TB_UPDATE_ZERO_GRADIENT);
            assert_true(timing.sample_s > 0 && timing.advantage_s > 0 && timing.update_s > 0 &&
                        timing.critic_s > 0);
            assert_true(timing.cg_s + timing.line_search_s < timing.update_s);
            assert_int_equal(timing.cg_s > 0, a != 2);
            assert_int_equal(timing.line_search_s > 0, a == 0);
        }
        tb_learner_destroy(learner);
    }
}

/* ---- learning ---- */

static void test_learns(void **state)
{
    (void)state;
    const char *const ids[] = {"trpo", "npg", "vpg"};
    for (size_t a = 0; a < 3; a++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            setting s;
            double training, final;
            init(&s, ids[a]);
            s.def.seed = seed;
            s.def.learner.batch_steps = 400;
            s.def.learner.critic_epochs = 10;
            // one of three actions pays
            s.def.run.steps = 8000;
            learn(&s, &training, &final);
            assert_near(final, 1, 1e-14);
            // the best action is 0.5: the start, N(0, 1), earns -1.25
            s.def.run.steps = 16000;
            s.env.action_kind = TB_SPACE_BOX;
            s.env.action_dtype = TB_F32;
            s.env.n = 1;
            s.env.good = 0.5;
            learn(&s, &training, &final);
            assert_near(training, 0, a == 0 ? 0.05 : 0.5);
            if (a == 0)
                assert_near(final, 0, 0.01);
        }
}

/* ---- memory ---- */

static void choose_gsde(setting *s)
{
    s->env.action_kind = TB_SPACE_BOX;
    s->env.action_dtype = TB_F64;
    s->env.n = 2;
    s->def.learner.action_distribution = TB_DISTRIBUTION_GSDE;
}

// what the counter leaves out is the runtime's own: an allocation in a region is counted
static void test_allocations_in_regions_are_counted(void **state)
{
    (void)state;
    enum { turns = 8 };
    void *volatile kept[turns];
    int64_t before = test_count(&test_allocations), freed = test_count(&test_frees);
#pragma omp parallel for num_threads(2)
    for (int i = 0; i < turns; i++)
        kept[i] = i % 2 ? tb_alloc(1, 1) : malloc(1);
    assert_true(test_count(&test_allocations) - before >= turns);
#pragma omp parallel for num_threads(2)
    for (int i = 0; i < turns; i++)
        free(kept[i]);
    assert_true(test_count(&test_frees) - freed >= turns);
}

static void test_iterations_allocate_nothing(void **state)
{
    (void)state;
    int threads_before = omp_get_max_threads();
    const char *const ids[] = {"trpo", "npg", "vpg", "trpo"}; // the last with gSDE
    if (test_regions_allocate)
        print_message("one thread only: under this sanitizer parallel regions allocate\n");
    for (int threads = 1; threads <= (test_regions_allocate ? 1 : 2); threads++)
        for (size_t a = 0; a < 4; a++) {
            setting s;
            tb_iteration log;
            omp_set_num_threads(threads);
            init(&s, ids[a]);
            if (a == 3)
                choose_gsde(&s);
            s.def.run.steps = 100000;
            s.def.learner.batch_steps = 800; // some 160 episodes
            s.def.learner.lanes = threads == 1 ? 4 : 20;
            set_option(&s, "entropy_coefficient", 0.01);
            if (a < 2)
                set_option(&s, "fisher_fraction", 0.5);
            tb_learner *learner = create(&s);
            iterate(learner, &log);
            int64_t before = test_count(&test_allocations);
            assert_true(before > 0); // the counter counts
            for (int i = 0; i < 3; i++)
                iterate(learner, &log);
            assert_int_equal(test_count(&test_allocations) - before, 0);
            assert_true(log.batch_episodes > 100);
            tb_learner_destroy(learner);
        }
    omp_set_num_threads(threads_before);
}

// each allocation of create fails once: an error with a message, and nothing is left behind
static void fail_every_allocation(setting *s)
{
    int64_t k = 1;
    for (;; k++) {
        tb_error error = {0};
        tb_learner *learner = NULL;
        int64_t allocations = test_count(&test_allocations), frees = test_count(&test_frees);
        s->env.n_instances = 0;
        test_fail_at = k;
        tb_status status = tb_learner_create(&s->def, &learner, &error);
        int all_done = test_fail_at > 0; // create asked less often
        test_fail_at = 0;
        if (all_done) {
            assert_int_equal(status, TB_OK);
            tb_learner_destroy(learner);
            break;
        }
        assert_int_equal(status, TB_E_NOMEM);
        assert_message(&error, "no memory");
        assert_null(learner);
        assert_int_equal(test_count(&test_allocations) - allocations,
                         test_count(&test_frees) - frees);
    }
    assert_true(k > 100);
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    setting s;
    if (!test_can_fail) {
        print_message("the sanitizer's malloc cannot be made to fail\n");
        skip();
    }
    init(&s, "vpg"); // has state
    fail_every_allocation(&s);
    init(&s, "npg"); // has rows for Fisher products
    set_option(&s, "fisher_fraction", 0.5);
    fail_every_allocation(&s);
    choose_gsde(&s); // has a map in a map
    fail_every_allocation(&s);
}

/* ---- failures ---- */

static void expect_refusal(setting *s, tb_status status, const char *part)
{
    tb_learner *learner = NULL;
    tb_error error = {0};
    s->env.n_instances = 0;
    assert_int_equal(tb_learner_create(&s->def, &learner, &error), status);
    assert_null(learner);
    assert_message(&error, part);
}

static void test_refusals(void **state)
{
    (void)state;
    setting s;
    init(&s, "trpo");
    s.fail_map = 1;
    expect_refusal(&s, TB_E_PARAM, "no map number 0");
    s.fail_map = 2;
    expect_refusal(&s, TB_E_PARAM, "no map number 1");
    init(&s, "trpo");
    s.def.learner.batch_steps = 3;
    expect_refusal(&s, TB_E_PARAM, "batch_steps (3) must be at least lanes (4)");
    init(&s, "trpo");
    s.def.run.steps = 3;
    expect_refusal(&s, TB_E_PARAM, "steps (3) must be at least lanes (4)");
    init(&s, "trpo");
    s.env.fail_reset_episode = 1;
    expect_refusal(&s, TB_E_NUMERIC, "the reset was told to fail");
    init(&s, "trpo");
    s.env.n = 0;
    expect_refusal(&s, TB_E_INVALID, "no categories");
    tb_learner_destroy(NULL);
}

static void test_environment_fails_under_way(void **state)
{
    (void)state;
    setting s;
    tb_iteration log;
    tb_error error = {0};
    init(&s, "trpo");
    tb_learner *learner = create(&s);
    iterate(learner, &log);
    s.env.fail_step_at = 2;
    assert_int_equal(tb_learner_iterate(learner, &log, NULL, &error), TB_E_NUMERIC);
    assert_message(&error, "the step was told to fail");
    tb_learner_destroy(learner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_precisions_differ_a_little),
        cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_evaluations_do_not_disturb_training),
        cmocka_unit_test(test_a_watched_episode_is_the_evaluation),
        cmocka_unit_test(test_evaluations_start_alike),
        cmocka_unit_test(test_algorithms_share_starts),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_log_tells_of_the_episodes),
        cmocka_unit_test(test_no_episode_in_a_batch),
        cmocka_unit_test(test_clipped_actions),
        cmocka_unit_test(test_statistics_are_frozen_during_a_batch),
        cmocka_unit_test(test_surrogate_before_is_the_mean_advantage),
        cmocka_unit_test(test_discounted_states),
        cmocka_unit_test(test_timing),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_allocations_in_regions_are_counted),
        cmocka_unit_test(test_iterations_allocate_nothing),
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_environment_fails_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
