/* SPDX-License-Identifier: MIT */
#include "tests/trpo/sampling/testing_sampler.h"

/* ---- rows, marks, episodes, against a replay from the definition ---- */

typedef struct replay {
    uint64_t episode, step; // of the lane, before the row
    tb_key key;
    tb_rng noise;
    double reward_sum;
} replay;

static void replay_reset(replay *r, uint64_t lane, uint64_t episode)
{
    r->episode = episode;
    r->step = 0;
    r->key = tb_stream_key(42, TB_STREAM_EPISODE, lane, episode);
    tb_rng_init(&r->noise, tb_stream_key(42, TB_STREAM_ACTION, lane, episode));
    r->reward_sum = 0;
}

// the observation that only the critic will see: entry k of the batch's finals
static void check_final(const fixture *f, size_t k, const replay *r, size_t row)
{
    const tb_batch *batch = &f->batch;
    double x[observation_size] = {test_env_tag(&r->key), (double)r->step};
    tb_scaler_apply(&f->scaler, x); // by the frozen statistics
    assert_true(k < batch->n_finals);
    assert_int_equal(batch->final_row[k], row);
    assert_near(batch->final_time[k], (double)r->step, 0);
    for (size_t i = 0; i < observation_size; i++)
        assert_near(test_get(f->policy.dtype, batch->final_x, k * observation_size + i),
                    f->policy.dtype == TB_F64 ? x[i] : (double)(float)x[i], 0);
}

// checks one row, and the final behind it when it has one; tells whether its episode ended
static int replay_row(fixture *f, replay *r, size_t row, size_t *n_finals)
{
    const tb_batch *batch = &f->batch;
    const tb_head *head = &f->task.head;
    const test_env_def *def = &f->def;
    double x[observation_size] = {test_env_tag(&r->key), (double)r->step}, y[8], u[4], a[4];
    tb_scaler_apply(&f->scaler, x);
    for (size_t i = 0; i < observation_size; i++)
        assert_near(x_at(f, row, i), f->policy.dtype == TB_F64 ? x[i] : (double)(float)x[i], 0);
    forward(&f->policy, x, y);
    assert_memory_equal(batch->y_old + row * head->n_params, y, head->n_params * sizeof *y);
    for (size_t i = 0; i < head->n_unif; i++)
        u[i] = tb_rng_f64(&r->noise);
    head->api->sample(head, y, u, a);
    assert_memory_equal(batch->action + row * head->n_action, a, head->n_action * sizeof *a);
    assert_true(batch->log_prob_old[row] == head->api->log_prob(head, y, a));
    assert_near(batch->time[row], (double)r->step, 0);

    uint8_t flags = r->step == 0 ? TB_ROW_START : 0;
    r->step++;
    uint8_t end = 0;
    if (def->terminate_at && r->step == test_env_length(def, &r->key, def->terminate_at))
        end |= TB_ROW_TERMINATED;
    if (def->truncate_at && r->step == test_env_length(def, &r->key, def->truncate_at))
        end |= TB_ROW_TRUNCATED;
    if (f->task.max_episode_steps && r->step == f->task.max_episode_steps)
        end |= TB_ROW_TRUNCATED;
    assert_int_equal(batch->flags[row], flags | end);
    double reward = def->slope * (double)r->step + (a[0] == def->good);
    assert_near(batch->reward[row], reward, 0);
    r->reward_sum += reward;

    assert_near(batch->final_value[row], 0, 0); // until the critic values it
    if (end == TB_ROW_TRUNCATED)
        check_final(f, (*n_finals)++, r, row);
    return end != 0;
}

static void check_batches(fixture *f, size_t lanes)
{
    replay lane[max_lanes];
    for (size_t l = 0; l < lanes; l++)
        replay_reset(&lane[l], l, 0);
    uint64_t steps_before = 0;
    const size_t steps[] = {13, 1, 40, 7};
    for (size_t b = 0; b < 4; b++) {
        assert_ok(run(f, steps[b]), &f->error);
        assert_int_equal(f->batch.n_rows, lanes * steps[b]);
        size_t n_finals = 0;
        tb_episode ended[max_lanes * max_steps];
        memset(ended, 0, sizeof ended);
        for (size_t l = 0; l < lanes; l++) {
            for (size_t t = 0; t < steps[b]; t++) {
                if (!replay_row(f, &lane[l], l * steps[b] + t, &n_finals))
                    continue;
                ended[t * lanes + l] = (tb_episode){.lane = l,
                                                    .index = lane[l].episode,
                                                    .step = steps_before + (t + 1) * lanes,
                                                    .reward_sum = lane[l].reward_sum,
                                                    .length = lane[l].step};
                replay_reset(&lane[l], l, lane[l].episode + 1);
            }
            // where the lane stands: behind its last row, and in another episode when that ended
            check_final(f, n_finals++, &lane[l], f->batch.n_rows + l);
        }
        assert_int_equal(f->batch.n_finals, n_finals);
        // time outside, lanes inside: the order of the episode records
        size_t n = 0;
        for (size_t i = 0; i < f->batch.n_rows; i++)
            if (ended[i].length > 0) {
                assert_true(n < f->sampler.n_episodes);
                assert_memory_equal(&f->sampler.episodes[n++], &ended[i], sizeof ended[i]);
            }
        assert_int_equal(f->sampler.n_episodes, n);
        steps_before += lanes * steps[b];
        assert_int_equal(f->sampler.steps_done, steps_before);
    }
}

static void test_rows_marks_and_episodes(void **state)
{
    (void)state;
    const size_t lane_counts[] = {1, 8, max_lanes}; // less than, exactly, more than one group
    const struct {
        uint64_t terminate_at, truncate_at, max_episode_steps;
    } ends[] = {{4, 0, 0}, {0, 4, 0}, {6, 4, 0}, {5, 0, 5}, {4, 0, 6}, {0, 0, 9}, {0, 0, 1}};
    for (size_t c = 0; c < 3; c++)
        for (size_t e = 0; e < 7; e++)
            for (uint32_t dtype = TB_F64; dtype <= TB_F32; dtype++) {
                test_env_def def = test_env_default;
                def.terminate_at = ends[e].terminate_at;
                def.truncate_at = ends[e].truncate_at;
                def.vary = 3;
                def.slope = 0.25;
                fixture f = fresh(def);
                f.task.max_episode_steps = ends[e].max_episode_steps;
                init(&f, dtype, lane_counts[c]);
                // a scaler that does something
                f.scaler.shift[0] = 0.5;
                f.scaler.scale[0] = 2;
                f.scaler.scale[1] = 0.25;
                f.scaler.clip = 0.9;
                check_batches(&f, lane_counts[c]);
                finish(&f);
            }
}

// both flags of the environment itself: terminated wins, no bootstrap
static void test_both_flags(void **state)
{
    (void)state;
    test_env_def def = test_env_default;
    def.terminate_at = 0;
    def.both_at = 4;
    fixture f = fresh(def);
    init(&f, TB_F64, 2);
    assert_ok(run(&f, 8), &f.error);
    assert_int_equal(f.batch.flags[3], TB_ROW_TERMINATED | TB_ROW_TRUNCATED);
    assert_int_equal(f.batch.flags[4], TB_ROW_START);
    assert_true(f.batch.final_value[3] == 0);
    assert_int_equal(f.sampler.n_episodes, 4);
    finish(&f);
}

// episode j of lane i has one key, whatever the size of the batches and the number of lanes
static void test_keys_do_not_depend_on_batches(void **state)
{
    (void)state;
    const size_t batches[] = {1, 7, 40};
    for (size_t b = 0; b < 3; b++) {
        test_env_def def = test_env_default;
        def.vary = 4;
        fixture f = fresh(def);
        init(&f, TB_F64, b == 1 ? 3 : max_lanes);
        for (size_t done = 0; done < 40; done += batches[b])
            assert_ok(run(&f, batches[b]), &f.error);
        for (size_t lane = 0; lane < 3; lane++) {
            const test_env *e = test_env_of(f.def.instances[1 + lane]);
            assert_true(e->n_resets > 4);
            for (size_t j = 0; j < e->n_resets; j++) {
                tb_key key = tb_stream_key(42, TB_STREAM_EPISODE, lane, j);
                assert_memory_equal(&e->keys[j], &key, sizeof key);
            }
        }
        finish(&f);
    }
}

static void test_float_observations(void **state)
{
    (void)state;
    test_env_def def = test_env_default;
    def.observation_dtype = TB_F32;
    fixture f = fresh(def);
    init(&f, TB_F64, 2);
    assert_ok(run(&f, 6), &f.error);
    tb_key key = tb_stream_key(42, TB_STREAM_EPISODE, 1, 0);
    assert_near(x_at(&f, 6, 0), (double)(float)test_env_tag(&key), 0);
    assert_near(x_at(&f, 7, 1), 1, 0);
    finish(&f);
}

/* ---- observations that no row holds ---- */

// every row truncated: as many finals as there can be
static void test_room_for_finals(void **state)
{
    (void)state;
    test_env_def def = test_env_default;
    def.terminate_at = 0;
    fixture f = fresh(def);
    f.task.max_episode_steps = 1;
    init(&f, TB_F64, 3);
    assert_ok(run(&f, max_steps), &f.error);
    assert_int_equal(f.batch.n_finals, 3 * max_steps + 3);
    finish(&f);
}

static void test_values_go_where_advantages_look(void **state)
{
    (void)state;
    test_env_def def = test_env_default;
    def.terminate_at = 0;
    fixture f = fresh(def);
    f.task.max_episode_steps = 4;
    init(&f, TB_F64, 2);
    assert_ok(run(&f, 6), &f.error);
    assert_int_equal(f.batch.n_finals, 4); // a truncated row and an end for each lane
    for (size_t k = 0; k < 4; k++)
        tb_batch_put_final_value(&f.batch, k, 10 + (double)k);
    for (size_t row = 0; row < 12; row++)
        assert_near(f.batch.final_value[row], row == 3 ? 10 : row == 9 ? 12 : 0, 0);
    assert_near(f.batch.next_value[0], 11, 0);
    assert_near(f.batch.next_value[1], 13, 0);
    finish(&f);
}

/* ---- statistics ---- */

// each row's observation once; neither final observations nor the one after the last row
static void test_statistics_are_of_the_rows(void **state)
{
    (void)state;
    test_env_def def = test_env_default;
    def.terminate_at = 0;
    fixture f = fresh(def);
    f.task.max_episode_steps = 3;
    init(&f, TB_F64, 3);
    f.scaler.shift[1] = 10; // the statistics are of unscaled observations
    f.scaler.scale[1] = 3;
    for (int b = 0; b < 2; b++) { // gathered anew for each batch
        assert_ok(run(&f, 6), &f.error);
        for (size_t l = 0; l < 3; l++) {
            const tb_moments *m = &f.sampler.lane_moments[l];
            assert_true(m->count == 6);
            assert_near(m->mean[1], 1, 1e-15); // steps 0, 1, 2, 0, 1, 2
            assert_near(m->m2[1], 4, 1e-14);
        }
    }
    finish(&f);
}

static void test_scaler_stays_as_it_was(void **state)
{
    (void)state;
    fixture f = fresh(test_env_default);
    init(&f, TB_F64, 3);
    f.scaler.shift[1] = 0.3;
    double shift[observation_size], scale[observation_size];
    memcpy(shift, f.scaler.shift, sizeof shift);
    memcpy(scale, f.scaler.scale, sizeof scale);
    assert_ok(run(&f, 20), &f.error);
    assert_memory_equal(shift, f.scaler.shift, sizeof shift);
    assert_memory_equal(scale, f.scaler.scale, sizeof scale);
    finish(&f);
}

/* ---- threads ---- */

static void test_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    int threads_before = omp_get_max_threads();
    test_env_def def = test_env_default;
    def.truncate_at = 3;
    def.vary = 5;
    fixture one = fresh(def), many = fresh(def);
    init(&one, TB_F32, max_lanes);
    omp_set_num_threads(1);
    assert_ok(run(&one, 33), &one.error);
    for (int threads = 2; threads <= 4; threads++) {
        many = fresh(def);
        init(&many, TB_F32, max_lanes);
        omp_set_num_threads(threads);
        assert_ok(run(&many, 33), &many.error);
        assert_same_rollouts(&one, &many);
        assert_true(one.sampler.n_episodes > 30);
        finish(&many);
    }
    finish(&one);
    omp_set_num_threads(threads_before);
}

/* ---- failures ---- */

static void expect_failure(test_env_def def, tb_status status, const char *a, const char *b)
{
    fixture f = fresh(def);
    init(&f, TB_F64, max_lanes);
    assert_int_equal(run(&f, 20), status);
    assert_message(&f.error, a);
    assert_message(&f.error, b);
    finish(&f);
}

static void test_failures(void **state)
{
    (void)state;
    test_env_def def = test_env_default;
    def.fail_step_at = 3;
    expect_failure(def, TB_E_NUMERIC, "step failed with TB_E_NUMERIC in step 3 of its episode 0",
                   "the step was told to fail");
    def = test_env_default;
    def.nan_reward_at = 4;
    expect_failure(def, TB_E_NUMERIC, "reward ", "in step 4 of its episode 0");
    def = test_env_default;
    def.nan_observation_at = 2;
    expect_failure(def, TB_E_NUMERIC, "entry 1 of its observation", "in step 2 of its episode 0");
    def = test_env_default;
    def.fail_reset_episode = 2;
    expect_failure(def, TB_E_NUMERIC, "reset failed with TB_E_NUMERIC in step 0 of its episode 1",
                   "the reset was told to fail");
    // the observation that only the bootstrap reads
    def = test_env_default;
    def.terminate_at = 0;
    def.truncate_at = 4;
    def.nan_observation_at = 4;
    expect_failure(def, TB_E_NUMERIC, "entry 1 of its observation", "in step 4 of its episode 0");
}

static void test_first_reset_fails(void **state)
{
    (void)state;
    test_env_def def = test_env_default;
    def.fail_reset_episode = 1;
    fixture f = fresh(def);
    prepare(&f, TB_F64);
    assert_int_equal(start(&f, 3), TB_E_NUMERIC);
    assert_message(&f.error, "the reset was told to fail");
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_marks_and_episodes),
        cmocka_unit_test(test_both_flags),
        cmocka_unit_test(test_keys_do_not_depend_on_batches),
        cmocka_unit_test(test_float_observations),
        cmocka_unit_test(test_room_for_finals),
        cmocka_unit_test(test_values_go_where_advantages_look),
        cmocka_unit_test(test_statistics_are_of_the_rows),
        cmocka_unit_test(test_scaler_stays_as_it_was),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_first_reset_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
