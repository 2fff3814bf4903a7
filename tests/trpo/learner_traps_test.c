/* SPDX-License-Identifier: MIT
 *
 * Mistakes that only show when the parts of an iteration work together (docs/traps.md).
 */
#include <omp.h>

#include "tests/trpo/testing_learner.h"
#include "trpo/rng/streams.h"

enum { lanes = 4, steps = 60, first_evaluation = 1, first_lane = 9 };

/* ---- trap 16: the critic is fitted after the advantages are made ---- */

// the parameters after the first update of a run
static size_t first_update(double learning_rate, int critic, double *out)
{
    setting s;
    tb_iteration log;
    size_t n;
    init(&s, "trpo");
    s.env.slope = 1;
    s.def.learner.critic_learning_rate = learning_rate;
    tb_learner *learner = create(&s);
    iterate(learner, &log);
    const double *theta = tb_learner_parameters(learner, critic, &n);
    assert_true(n <= 128);
    memcpy(out, theta, n * sizeof *theta);
    tb_learner_destroy(learner);
    return n;
}

static void test_the_first_update_does_not_see_the_fit(void **state)
{
    (void)state;
    double a[128], b[128];
    size_t n = first_update(0, 0, a);
    assert_int_equal(first_update(0.1, 0, b), n);
    assert_memory_equal(a, b, n * sizeof *a);
    n = first_update(0, 1, a);
    assert_int_equal(first_update(0.1, 1, b), n);
    assert_memory_not_equal(a, b, n * sizeof *a); // it was fitted
}

/* ---- trap 20: statistics of all lanes and all batches, merged between batches ---- */

// what the policy was fed, against the observations of the environments as they stand
static struct {
    const setting *s;
    size_t calls; // of the sampler
    double count, mean[2], scale[2];
    double sum[2], squares[2]; // of all rows so far
} feed;

// statistics in force from here on: those of all rows before this batch
static void begin_batch(void)
{
    for (size_t i = 0; i < 2 && feed.count > 0; i++) {
        feed.mean[i] = feed.sum[i] / feed.count;
        feed.scale[i] = 1 / sqrt(feed.squares[i] / feed.count - feed.mean[i] * feed.mean[i]);
    }
}

static tb_status checked_forward(const tb_map *map, const void *theta, const void *x,
                                 uint64_t batch, void *y, void *ws)
{
    if (batch != lanes) // not a step of the sampler
        return test_map_forward(map, theta, x, batch, y, ws);
    if (feed.calls++ % steps == 0)
        begin_batch();
    for (size_t l = 0; l < lanes; l++) {
        const test_env *e = test_env_of(feed.s->env.instances[first_lane + l]);
        const double raw[2] = {test_env_tag(&e->key), (double)e->step};
        for (size_t i = 0; i < 2; i++) {
            assert_near(((const double *)x)[2 * l + i], (raw[i] - feed.mean[i]) * feed.scale[i],
                        1e-6);
            feed.sum[i] += raw[i];
            feed.squares[i] += raw[i] * raw[i];
        }
        feed.count++;
    }
    return test_map_forward(map, theta, x, batch, y, ws);
}

static tb_status make_checked_map(void *ctx, int critic, const tb_map_spec *spec,
                                  const tb_map_api **api, tb_map **map, tb_error *error)
{
    static tb_map_api checked;
    tb_status status = make_map(ctx, critic, spec, api, map, error);
    checked = test_map_api;
    checked.forward = checked_forward;
    if (!critic)
        *api = &checked;
    return status;
}

static void test_inputs_are_scaled_by_all_lanes_of_all_batches_before(void **state)
{
    (void)state;
    int threads_before = omp_get_max_threads();
    omp_set_num_threads(1);
    setting s;
    tb_iteration log;
    init(&s, "trpo");
    s.def.make_map = make_checked_map;
    s.def.run.precision = TB_PRECISION_F64;
    s.def.learner.lanes = lanes;
    s.def.learner.batch_steps = lanes * steps;
    memset(&feed, 0, sizeof feed);
    feed.s = &s;
    feed.scale[0] = feed.scale[1] = 1;
    tb_learner *learner = create(&s);
    for (int b = 0; b < 4; b++)
        iterate(learner, &log);
    assert_int_equal(feed.calls, 4 * steps);
    tb_learner_destroy(learner);
    omp_set_num_threads(threads_before);
}

/* ---- trap 21: no start is played twice ---- */

static void test_evaluations_have_streams_of_their_own(void **state)
{
    (void)state;
    setting s;
    tb_error error = {0};
    tb_episode out;
    init(&s, "trpo");
    tb_learner *learner = create(&s);
    const uint64_t purposes[] = {TB_STREAM_EVAL, TB_STREAM_EVAL_FINAL};
    for (int final = 0; final < 2; final++) {
        assert_ok(tb_learner_evaluate(learner, final, 1, &out, &error), &error);
        tb_key key = tb_stream_key(s.def.seed, purposes[final], 0, 0);
        const test_env *e = test_env_of(s.env.instances[first_evaluation]);
        assert_memory_equal(&e->keys[final], &key, sizeof key);
    }
    tb_learner_destroy(learner);
}

/* ---- traps 24 and 25: the policy starts nearly indifferent, in the precision asked for ---- */

static double gains[2], log_std_inits[2];
static uint32_t dtypes[2];

static tb_status note_spec(void *ctx, int critic, const tb_map_spec *spec, const tb_map_api **api,
                           tb_map **map, tb_error *error)
{
    dtypes[critic] = spec->dtype;
    gains[critic] = spec->out_gain;
    log_std_inits[critic] = spec->const_init;
    return make_map(ctx, critic, spec, api, map, error);
}

static void test_networks_start_as_the_options_say(void **state)
{
    (void)state;
    setting s;
    init(&s, "trpo");
    s.env.action_kind = TB_SPACE_BOX;
    s.env.action_dtype = TB_F64;
    s.env.n = 2;
    s.def.make_map = note_spec;
    assert_true(s.def.learner.policy_out_gain == 0.01); // small unless told otherwise
    s.def.learner.policy_out_gain = 0.125;
    s.def.learner.log_std_init = -0.75;
    tb_learner_destroy(create(&s));
    assert_true(gains[0] == 0.125 && gains[1] == 1);
    assert_true(log_std_inits[0] == -0.75);
    assert_true(dtypes[0] == TB_F32 && dtypes[1] == TB_F32);
    // trap 25: double means double
    s.def.run.precision = TB_PRECISION_F64;
    tb_learner_destroy(create(&s));
    assert_true(dtypes[0] == TB_F64 && dtypes[1] == TB_F64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_update_does_not_see_the_fit),
        cmocka_unit_test(test_inputs_are_scaled_by_all_lanes_of_all_batches_before),
        cmocka_unit_test(test_evaluations_have_streams_of_their_own),
        cmocka_unit_test(test_networks_start_as_the_options_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
