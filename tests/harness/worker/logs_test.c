/* SPDX-License-Identifier: MIT
 *
 * The files of a run, byte for byte.
 */
#include "harness/worker/logs.h"

#include <math.h>

#include "tests/harness/store/temporary.h"

static void must(tb_status status, const tb_error *error)
{
    if (status != TB_OK)
        fail_msg("%s", error->message);
}

static void open_logs(tb_run_logs *logs)
{
    tb_error error = {0};
    must(tb_run_logs_open(logs, temporary, "classic/CartPole-v1", &error), &error);
}

static void close_logs(tb_run_logs *logs)
{
    tb_error error = {0};
    must(tb_run_logs_close(logs, &error), &error);
}

static char *read_text(const char *name)
{
    char *text = NULL;
    tb_error error = {0};
    must(tb_read_file(in_temporary(name), &text, NULL, &error), &error);
    return text;
}

static void headers_come_first(void **state)
{
    (void)state;
    tb_run_logs logs;
    put_file("episodes.csv", "left by an attempt that was killed\n");
    open_logs(&logs);
    close_logs(&logs);
    assert_file("episodes.csv", "step,lane,episode,return,length\n");
    assert_file("evals.csv", "step,episode,return,length,success\n");
    assert_file("timing.csv", "iteration,step,sample_s,advantage_s,update_s,cg_s,line_search_s,"
                              "critic_s,eval_s,total_s\n");
    char *progress = read_text("progress.csv");
    assert_int_equal(strncmp(progress, "iteration,step,episodes,", 24), 0);
    free(progress);
}

static void the_monitor_file_is_as_stable_baselines_writes_it(void **state)
{
    (void)state;
    tb_run_logs logs;
    tb_iteration log;
    tb_timing timing = {0};
    tb_episode episode = {.step = 40, .lane = 2, .index = 1, .reward_sum = -1.25, .length = 20};
    tb_iteration_clear(&log);
    open_logs(&logs);
    assert_int_equal(tb_run_logs_iteration(&logs, &log, &timing, 0, &episode, 1, NULL), TB_OK);
    close_logs(&logs);
    char *monitor = read_text("episodes.monitor.csv"), env[64];
    double start, seconds, total;
    unsigned long length;
    assert_int_equal(sscanf(monitor,
                            "#{\"t_start\": %lf, \"env_id\": \"%60[^\"]\"}\nr,l,t\n%lf,%lu,%lf\n",
                            &start, env, &total, &length, &seconds),
                     5);
    assert_string_equal(env, "classic/CartPole-v1");
    assert_true(start > 1.5e9);
    assert_true(total == -1.25);
    assert_int_equal(length, 20);
    assert_true(seconds >= 0 && seconds < 60);
    free(monitor);
}

// as many fields as the header; counts, numbers and names in their own formats
static void a_row_has_every_column(void **state)
{
    (void)state;
    tb_run_logs logs;
    tb_iteration log;
    tb_timing timing = {
        .sample_s = 0.5, .update_s = 4, .cg_s = 2, .line_search_s = 1, .critic_s = 0.125};
    tb_iteration_clear(&log);
    log.iteration = 3;
    log.step = 9000000000;
    log.return_mean = 0.1;
    log.kl = -NAN;
    log.update_end = TB_UPDATE_ACCEPTED;
    open_logs(&logs);
    assert_int_equal(tb_run_logs_iteration(&logs, &log, &timing, 0.25, NULL, 0, NULL), TB_OK);
    close_logs(&logs);
    char *progress = read_text("progress.csv"), *row = strchr(progress, '\n') + 1;
    size_t columns = 1, fields = 1;
    for (const char *at = progress; at < row; at++)
        columns += *at == ',';
    for (const char *at = row; *at != '\0'; at++)
        fields += *at == ',';
    assert_int_equal(fields, columns);
    assert_int_equal(strncmp(row, "3,9000000000,0,0,0.10000000000000001,nan,nan,", 45), 0);
    assert_non_null(strstr(row, ",accepted,"));
    assert_null(strstr(row, "-nan"));
    free(progress);
    char *times = read_text("timing.csv");
    assert_non_null(strstr(
        times, "\n3,9000000000,0.500000,0.000000,4.000000,2.000000,1.000000,0.125000,0.250000,"));
    free(times);
}

static void episodes_round_trip(void **state)
{
    (void)state;
    tb_run_logs logs;
    tb_iteration log;
    tb_timing timing = {0};
    const tb_episode episodes[] = {
        {.step = 12, .lane = 0, .index = 0, .reward_sum = 0.1, .length = 12},
        {.step = 1ull << 40, .lane = 7, .index = 3, .reward_sum = -1e-300, .length = 1},
    };
    tb_iteration_clear(&log);
    open_logs(&logs);
    assert_int_equal(tb_run_logs_iteration(&logs, &log, &timing, 0, episodes, 2, NULL), TB_OK);
    // there for a reader while the run goes on
    assert_file("episodes.csv", "step,lane,episode,return,length\n12,0,0,0.10000000000000001,12\n"
                                "1099511627776,7,3,-1e-300,1\n");
    close_logs(&logs);
}

static void success_is_measured_against_the_threshold(void **state)
{
    (void)state;
    tb_run_logs logs;
    const tb_episode episodes[] = {{.step = 5, .index = 0, .reward_sum = 475, .length = 475},
                                   {.step = 5, .index = 1, .reward_sum = 474.5, .length = 474}};
    open_logs(&logs);
    assert_int_equal(tb_run_logs_evaluation(&logs, episodes, 2, 475, NULL), TB_OK);
    assert_int_equal(tb_run_logs_evaluation(&logs, episodes, 1, NAN, NULL), TB_OK);
    assert_file("evals.csv", "step,episode,return,length,success\n5,0,475,475,1\n"
                             "5,1,474.5,474,0\n5,0,475,475,\n");
    close_logs(&logs);
}

static void parameters_are_little_endian(void **state)
{
    (void)state;
    const double theta[] = {1, -2.5};
    const unsigned char expected[] = {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0x04, 0xc0};
    char *bytes = NULL;
    size_t size;
    assert_int_equal(tb_run_write_parameters(temporary, "policy.bin", theta, 2, NULL), TB_OK);
    assert_int_equal(tb_read_file(in_temporary("policy.bin"), &bytes, &size, NULL), TB_OK);
    assert_int_equal(size, sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
    free(bytes);
    assert_int_equal(tb_run_write_parameters(temporary, "none.bin", NULL, 0, NULL), TB_OK);
    assert_file("none.bin", "");
}

static void parameters_come_back(void **state)
{
    (void)state;
    const double theta[] = {0.1, -0.0, 5e-324, -1e300};
    double *back = NULL;
    size_t n = 0;
    tb_error error = {0};
    assert_int_equal(tb_run_write_parameters(temporary, "policy.bin", theta, 4, NULL), TB_OK);
    assert_int_equal(tb_run_read_parameters(temporary, "policy.bin", &back, &n, &error), TB_OK);
    assert_int_equal(n, 4);
    assert_memory_equal(back, theta, sizeof theta);
    free(back);
    assert_int_equal(tb_replace_file(in_temporary("policy.bin"), "123456789", 9, &error), TB_OK);
    assert_int_equal(tb_run_read_parameters(temporary, "policy.bin", &back, &n, &error),
                     TB_E_CORRUPT);
    assert_message(&error, "9 bytes", NULL);
    assert_int_equal(tb_run_read_parameters(temporary, "gone.bin", &back, &n, &error), TB_E_IO);
}

static void what_observations_go_through_comes_back(void **state)
{
    (void)state;
    tb_scaler scaler, back;
    tb_error error = {0};
    assert_int_equal(tb_run_read_scaler(temporary, &back, &error), TB_DISCARD);
    tb_scaler_finish(&back);
    assert_int_equal(tb_scaler_init(&scaler, 2, NULL), TB_OK);
    assert_int_equal(tb_run_write_scaler(temporary, &scaler, &error), TB_OK);
    assert_file("observations.csv", "input,shift,scale,clip\n0,0,1,inf\n1,0,1,inf\n");
    scaler.shift[0] = 0.1;
    scaler.scale[1] = 1.0 / 3;
    scaler.clip = 10;
    assert_int_equal(tb_run_write_scaler(temporary, &scaler, &error), TB_OK);
    assert_int_equal(tb_run_read_scaler(temporary, &back, &error), TB_OK);
    assert_int_equal(back.n, 2);
    assert_memory_equal(back.shift, scaler.shift, 2 * sizeof(double));
    assert_memory_equal(back.scale, scaler.scale, 2 * sizeof(double));
    assert_true(back.clip == 10);
    tb_scaler_finish(&back);
    tb_scaler_finish(&scaler);
}

// one file on a full disk: the iteration says so, by name
static void a_full_disk_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"progress.csv", "episodes.csv", "episodes.monitor.csv",
                                        "timing.csv"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        tb_error error = {0};
        tb_run_logs logs;
        tb_iteration log;
        tb_timing timing = {0};
        tb_episode episode = {.length = 1};
        tb_iteration_clear(&log);
        unlink(in_temporary(names[i])); // of the round before
        assert_int_equal(symlink("/dev/full", in_temporary(names[i])), 0);
        open_logs(&logs);
        assert_int_equal(tb_run_logs_iteration(&logs, &log, &timing, 0, &episode, 1, &error),
                         TB_E_IO);
        assert_message(&error, in_temporary(names[i]), "No space left", NULL);
        assert_int_equal(tb_run_logs_close(&logs, &error), TB_E_IO);
        assert_int_equal(unlink(in_temporary(names[i])), 0);
    }
}

static void evaluations_on_a_full_disk_are_told(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_run_logs logs;
    tb_episode episode = {.length = 1};
    assert_int_equal(symlink("/dev/full", in_temporary("evals.csv")), 0);
    open_logs(&logs);
    assert_int_equal(tb_run_logs_evaluation(&logs, &episode, 1, NAN, &error), TB_E_IO);
    assert_message(&error, in_temporary("evals.csv"), "No space left", NULL);
    assert_int_equal(tb_run_logs_close(&logs, NULL), TB_E_IO);
}

static void logs_that_cannot_be_opened_close_again(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_run_logs logs;
    assert_int_equal(tb_make_folders(in_temporary("evals.csv"), NULL), TB_OK);
    assert_int_equal(tb_run_logs_open(&logs, temporary, "e", &error), TB_E_IO);
    assert_message(&error, in_temporary("evals.csv"), "Is a directory", NULL);
    close_logs(&logs);
    close_logs(&logs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(headers_come_first),
        IN_FOLDER(the_monitor_file_is_as_stable_baselines_writes_it),
        IN_FOLDER(a_row_has_every_column),
        IN_FOLDER(episodes_round_trip),
        IN_FOLDER(success_is_measured_against_the_threshold),
        IN_FOLDER(parameters_are_little_endian),
        IN_FOLDER(parameters_come_back),
        IN_FOLDER(what_observations_go_through_comes_back),
        IN_FOLDER(a_full_disk_is_told),
        IN_FOLDER(evaluations_on_a_full_disk_are_told),
        IN_FOLDER(logs_that_cannot_be_opened_close_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
