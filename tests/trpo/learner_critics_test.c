/* SPDX-License-Identifier: MIT
 *
 * Critics, estimators and normalisers as parts of a run.
 */
#include <math.h>
#include <omp.h>
#include <stdio.h>

#include "tests/trpo/testing_image.h"
#include "tests/trpo/testing_learner.h"
#include "tests/trpo/testing_malloc.h"
#include "trpo/advantage/advantage.h"
#include "trpo/value/critic.h"
#include "trpo/value/network.h"

enum { network, linear_features, none };

// every option of this kind at once, or one by one
static const struct variant {
    int32_t critic, optimizer, advantage, time, returns, rollback;
} variants[] = {
    {network, TB_OPTIMIZER_LBFGS, TB_ADVANTAGE_GAE, 0, 0, 0},
    {network, TB_OPTIMIZER_ADAM, TB_ADVANTAGE_VTRACE, 1, 0, 1},
    {network, TB_OPTIMIZER_LBFGS, TB_ADVANTAGE_RETURNS, 1, 1, 1},
    {linear_features, 0, TB_ADVANTAGE_GAE, 0, 1, 0},
    {none, 0, TB_ADVANTAGE_RETURNS, 0, 0, 1},
};
enum { n_variants = sizeof variants / sizeof variants[0] };

static void choose(setting *s, const struct variant *variant)
{
    tb_learner_config *config = &s->def.learner;
    config->critic_kind = variant->critic;
    config->critic_optimizer = variant->optimizer;
    config->advantage = variant->advantage;
    config->critic_time_feature = variant->time;
    config->normalize_returns = variant->returns;
    config->critic_rollback = variant->rollback;
}

/* ---- the contracts of a run hold for each of them ---- */

typedef struct record {
    tb_iteration log[5];
    double policy[128], critic[128];
} record;

static void play(setting *s, record *out)
{
    memset(out, 0, sizeof *out);
    tb_learner *learner = create(s);
    size_t n;
    for (int i = 0; i < 4; i++)
        iterate(learner, &out->log[i]);
    const double *theta = tb_learner_parameters(learner, 0, &n);
    assert_true(n > 0 && n <= 128);
    memcpy(out->policy, theta, n * sizeof *theta);
    theta = tb_learner_parameters(learner, 1, &n);
    assert_true(n <= 128);
    memcpy(out->critic, theta, n * sizeof *theta);
    tb_learner_destroy(learner);
}

static void test_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    static record one, many, plain;
    int threads_before = omp_get_max_threads();
    setting s;
    init(&s, "trpo");
    play(&s, &plain);
    for (size_t v = 0; v < n_variants; v++) {
        init(&s, "trpo");
        s.def.learner.lanes = 20;
        choose(&s, &variants[v]);
        omp_set_num_threads(1);
        play(&s, &one);
        omp_set_num_threads(3);
        play(&s, &many);
        for (int i = 0; i < 4; i++)
            assert_same_log(&one.log[i], &many.log[i]);
        assert_memory_equal(one.policy, many.policy, sizeof one.policy);
        assert_memory_equal(one.critic, many.critic, sizeof one.critic);
        assert_memory_not_equal(one.policy, plain.policy, sizeof one.policy); // it does something
    }
    omp_set_num_threads(threads_before);
}

static void test_iterations_allocate_nothing(void **state)
{
    (void)state;
    int threads_before = omp_get_max_threads();
    omp_set_num_threads(1);
    for (size_t v = 0; v < n_variants; v++) {
        setting s;
        tb_iteration log;
        init(&s, "trpo");
        choose(&s, &variants[v]);
        tb_learner *learner = create(&s);
        iterate(learner, &log);
        int64_t before = test_count(&test_allocations);
        for (int i = 0; i < 3; i++)
            iterate(learner, &log);
        assert_int_equal(test_count(&test_allocations) - before, 0);
        tb_learner_destroy(learner);
    }
    omp_set_num_threads(threads_before);
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    if (!test_can_fail) {
        print_message("the sanitizer's malloc cannot be made to fail\n");
        skip();
    }
    for (size_t v = 0; v < n_variants; v++) {
        setting s;
        init(&s, "trpo");
        choose(&s, &variants[v]);
        for (int64_t k = 1;; k++) {
            tb_error error = {0};
            tb_learner *learner = NULL;
            int64_t allocations = test_count(&test_allocations), frees = test_count(&test_frees);
            s.env.n_instances = 0;
            test_fail_at = k;
            tb_status status = tb_learner_create(&s.def, &learner, &error);
            int all_done = test_fail_at > 0;
            test_fail_at = 0;
            if (all_done) {
                assert_int_equal(status, TB_OK);
                tb_learner_destroy(learner);
                break;
            }
            assert_int_equal(status, TB_E_NOMEM);
            assert_message(&error, "no memory");
            assert_int_equal(test_count(&test_allocations) - allocations,
                             test_count(&test_frees) - frees);
        }
    }
}

// one of three actions pays: found with every critic, and without one
static void test_learns(void **state)
{
    (void)state;
    for (size_t v = 0; v < n_variants; v++) {
        setting s;
        double training, final;
        init(&s, "trpo");
        choose(&s, &variants[v]);
        s.def.learner.batch_steps = 400;
        s.def.run.steps = 8000;
        learn(&s, &training, &final);
        assert_near(final, 1, 1e-14);
    }
}

/* ---- what the critic is asked and told ---- */

// no network is made that nobody needs
static int maps[2];

static tb_status count_maps(void *ctx, int critic, const tb_map_spec *spec, const tb_map_api **api,
                            tb_map **map, tb_error *error)
{
    maps[critic]++;
    return make_map(ctx, critic, spec, api, map, error);
}

static void test_networks_are_made_where_needed(void **state)
{
    (void)state;
    const size_t parameters[] = {4 * 2 + 4 + 4 + 1, 2 * 2 + 4, 0}; // W1 b1 W2 b2; the features
    for (int kind = network; kind <= none; kind++) {
        setting s;
        size_t n;
        init(&s, "trpo");
        s.def.make_map = count_maps;
        s.def.learner.critic_kind = kind;
        memset(maps, 0, sizeof maps);
        tb_learner *learner = create(&s);
        assert_int_equal(maps[0], 1);
        assert_int_equal(maps[1], kind == network);
        assert_non_null(tb_learner_parameters(learner, 1, &n));
        assert_int_equal(n, parameters[kind]);
        tb_learner_destroy(learner);
    }
}

// the time that the critic sees: largest in any call
static double largest_time;

static tb_status note_time(const tb_map *map, const void *theta, const void *x, uint64_t batch,
                           void *y, void *ws)
{
    for (uint64_t i = 0; i < batch; i++)
        largest_time = fmax(largest_time, ((const double *)x)[3 * i + 2]);
    return test_map_forward(map, theta, x, batch, y, ws);
}

static tb_status make_timed_map(void *ctx, int critic, const tb_map_spec *spec,
                                const tb_map_api **api, tb_map **map, tb_error *error)
{
    static tb_map_api timed;
    tb_status status = make_map(ctx, critic, spec, api, map, error);
    timed = test_map_api;
    timed.forward = note_time;
    if (critic)
        *api = &timed;
    return status;
}

// 1 at the time limit; thousandths of a step without one
static void test_time_scale(void **state)
{
    (void)state;
    int threads_before = omp_get_max_threads();
    omp_set_num_threads(1);
    for (int limit = 0; limit < 2; limit++) {
        setting s;
        tb_iteration log;
        init(&s, "trpo");
        s.def.make_map = make_timed_map;
        s.def.run.precision = TB_PRECISION_F64;
        s.def.learner.critic_time_feature = 1;
        s.env.terminate_at = limit ? 0 : 9;
        s.env.vary = 0;
        s.def.max_episode_steps = limit ? 6 : 0;
        tb_learner *learner = create(&s);
        largest_time = 0;
        iterate(learner, &log);
        assert_near(largest_time, limit ? 1 : 0.008, 1e-15);
        tb_learner_destroy(learner);
    }
    omp_set_num_threads(threads_before);
}

// rewards 100 times larger are the same task, and what is reported is raw
static void test_normalized_returns(void **state)
{
    (void)state;
    static record small, large;
    setting s;
    for (int big = 0; big < 2; big++) {
        init(&s, "trpo");
        s.env.action_kind = TB_SPACE_BOX; // reward -(a - 1)^2 + slope * step
        s.env.action_dtype = TB_F64;
        s.env.n = 1;
        s.env.low = s.env.high = 1; // always the best action
        s.env.slope = big ? 128 : 1;
        s.def.learner.normalize_returns = 1;
        s.def.learner.normalize_advantages = 0;
        play(&s, big ? &large : &small);
    }
    for (int i = 0; i < 4; i++) {
        const tb_iteration *a = &small.log[i], *b = &large.log[i];
        assert_near(b->return_mean, 128 * a->return_mean, 1e-9);
        assert_near(b->reward_mean, 128 * a->reward_mean, 1e-9);
        assert_true(a->reward_mean > 1);
        assert_close(b->gradient_norm, a->gradient_norm, 1e-5);
        assert_close(b->value_mean, a->value_mean, 1e-4);
    }
}

// a critic that gets worse at first: the count goes on from iteration to iteration
static void test_rollbacks_are_counted(void **state)
{
    (void)state;
    for (int rollback = 0; rollback < 2; rollback++) {
        setting s;
        tb_iteration log;
        int64_t last = 0, grown = 0;
        init(&s, "trpo");
        s.def.learner.critic_rollback = rollback;
        s.def.learner.critic_learning_rate = 5;
        s.def.learner.critic_epochs = 1;
        tb_learner *learner = create(&s);
        for (int i = 0; i < 4; i++) {
            iterate(learner, &log);
            assert_true(log.critic_rolled_back == last || log.critic_rolled_back == last + 1);
            grown += log.critic_rolled_back - last;
            last = log.critic_rolled_back;
            if (rollback)
                assert_true(log.critic_loss_after <= log.critic_loss_before);
        }
        assert_int_equal(last, grown);
        assert_true(rollback ? last >= 2 : last == 0);
        tb_learner_destroy(learner);
    }
}

static void test_bars_of_vtrace(void **state)
{
    (void)state;
    setting s;
    tb_error error = {0};
    tb_learner *learner = NULL;
    init(&s, "trpo");
    s.def.learner.vtrace_c_bar = 1.5;
    tb_learner_destroy(create(&s)); // of no matter to other estimators
    s.def.learner.advantage = TB_ADVANTAGE_VTRACE;
    assert_int_equal(tb_learner_create(&s.def, &learner, &error), TB_E_PARAM);
    assert_message(&error, "vtrace_c_bar (1.5) must be at most vtrace_rho_bar (1)");
    s.def.learner.vtrace_rho_bar = 1.5;
    tb_learner_destroy(create(&s));
}

/* ---- state ---- */

static void visit(void *part, tb_state_visitor *visitor)
{
    tb_learner_visit(part, visitor);
}

// a fresh learner becomes the trained one: parameters, evaluations, counters
static void test_restored_learner(void **state)
{
    (void)state;
    for (size_t v = 0; v < n_variants; v++) {
        setting s, t;
        tb_iteration log, other_log;
        tb_error error = {0};
        init(&s, v % 2 ? "trpo" : "vpg"); // one has state of its own
        choose(&s, &variants[v]);
        t = s;
        t.def.ctx = &t;
        t.def.algorithm_config = t.config;
        tb_learner *learner = create(&s), *other = create(&t);
        for (int i = 0; i < 3; i++)
            iterate(learner, &log);
        test_copy_state(visit, learner, other);
        for (int critic = 0; critic < 2; critic++) {
            size_t n, m;
            const double *a = tb_learner_parameters(learner, critic, &n);
            const double *b = tb_learner_parameters(other, critic, &m);
            assert_int_equal(n, m);
            assert_memory_equal(a, b, n * sizeof *a);
        }
        tb_episode a[10], b[10];
        assert_ok(tb_learner_evaluate(learner, 1, 10, a, &error), &error);
        assert_ok(tb_learner_evaluate(other, 1, 10, b, &error), &error);
        for (int i = 0; i < 10; i++)
            assert_true(a[i].reward_sum == b[i].reward_sum && a[i].length == b[i].length);
        iterate(other, &other_log);
        assert_int_equal(other_log.iteration, log.iteration + 1);
        tb_learner_destroy(learner);
        tb_learner_destroy(other);
    }
}

// every piece has a name of its own
static char names[64][64];
static size_t n_names;

static tb_status note_name(void *ctx, const char *part, const char *name, void *data, size_t bytes,
                           tb_error *error)
{
    (void)ctx, (void)data, (void)bytes, (void)error;
    char full[64];
    snprintf(full, sizeof full, "%s.%s", part, name);
    for (size_t i = 0; i < n_names; i++)
        assert_string_not_equal(names[i], full);
    memcpy(names[n_names++], full, sizeof full);
    return TB_OK;
}

static void test_names(void **state)
{
    (void)state;
    setting s;
    init(&s, "vpg");
    s.def.learner.normalize_returns = 1;
    tb_learner *learner = create(&s);
    n_names = 0;
    tb_state_visitor visitor = {.fn = note_name};
    tb_learner_visit(learner, &visitor);
    const char *const wanted[] = {"policy.theta",      "algorithm.state", "critic.theta",
                                  "critic.adam",       "critic.shift",    "critic.scale",
                                  "critic_targets.m2", "observations.m2", "scaler.scale",
                                  "returns.running",   "returns.count",   "log.last"};
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++) {
        size_t i = 0;
        while (i < n_names && strcmp(names[i], wanted[w]) != 0)
            i++;
        if (i == n_names)
            fail_msg("%s is not shown", wanted[w]);
    }
    tb_learner_destroy(learner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_iterations_allocate_nothing),
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_networks_are_made_where_needed),
        cmocka_unit_test(test_time_scale),
        cmocka_unit_test(test_normalized_returns),
        cmocka_unit_test(test_rollbacks_are_counted),
        cmocka_unit_test(test_bars_of_vtrace),
        cmocka_unit_test(test_restored_learner),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
