/* SPDX-License-Identifier: MIT
 *
 * The results folder: who may write into it, whose it is, and the records of attempts.
 */
#include "harness/store/results.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/file.h>
#include <sys/syscall.h>

#define FIXTURE_REAL_ALGORITHMS
#define make_folder suite_make_folder
#define remove_folder suite_remove_folder
#include "tests/harness/suite/fixture.h"
#undef make_folder
#undef remove_folder

#include "tests/harness/store/temporary.h"

static int make_both(void **state)
{
    return suite_make_folder(state) || make_temporary(state);
}

static int remove_both(void **state)
{
    return suite_remove_folder(state) || remove_temporary(state);
}

#define WITH_SUITE(test) cmocka_unit_test_setup_teardown(test, make_both, remove_both)

/* ---- whose folder it is ---- */

static void the_folder_carries_name_and_hash(void **state)
{
    (void)state;
    tb_suite *suite = must_load(SUITE REST, NULL);
    char *path = tb_results_path("some/where", suite), expected[64];
    snprintf(expected, sizeof expected, "some/where/a-%.8s", suite->hash);
    assert_string_equal(path, expected);
    free(path);
    tb_suite_free(suite);
}

static void a_prepared_folder_gives_the_suite_back(void **state)
{
    (void)state;
    tb_suite *suite = must_load(SUITE REST, NULL), *found = NULL;
    assert_int_equal(tb_results_prepare(temporary, suite, &fake_catalog, NULL), TB_OK);
    assert_file("suite.toml", SUITE REST);
    assert_int_equal(tb_results_suite(temporary, &found, NULL), TB_OK);
    assert_string_equal(found->hash, suite->hash);
    json_t *plugins = json_load_file(in_temporary("plugins.json"), 0, NULL);
    const json_t *env = json_object_get(plugins, "env:classic/CartPole-v1");
    assert_string_equal(json_string_value(json_object_get(env, "path")), "envs.so");
    assert_true(json_is_null(json_object_get(env, "reward_threshold")));
    assert_non_null(json_object_get(plugins, "policy:mlp"));
    assert_int_equal(json_object_size(plugins), 2);
    json_decref(plugins);
    // a second start, with other seeds
    tb_suite_overrides overrides = {.seeds = "5"};
    tb_suite *more = must_load(SUITE REST, &overrides);
    assert_int_equal(tb_results_prepare(temporary, more, &fake_catalog, NULL), TB_OK);
    tb_suite_free(found);
    assert_int_equal(tb_results_suite(temporary, &found, NULL), TB_OK);
    assert_int_equal(found->n_seeds, 5);
    tb_suite_free(found);
    tb_suite_free(more);
    tb_suite_free(suite);
}

static void another_suite_is_refused_and_nothing_is_written(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_suite *suite = must_load(SUITE REST, NULL);
    tb_suite *other = must_load(SUITE "steps = 12000\n" REST, NULL);
    assert_int_equal(tb_results_prepare(temporary, suite, &fake_catalog, NULL), TB_OK);
    assert_int_equal(tb_results_prepare(temporary, other, &fake_catalog, &error), TB_E_CORRUPT);
    assert_message(&error, temporary, "another suite", "choose another folder with -o", NULL);
    assert_file("suite.toml", SUITE REST);
    tb_suite_free(other);
    tb_suite_free(suite);
}

static void a_damaged_suite_says_what_to_do(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_suite *suite = must_load(SUITE REST, NULL), *found = NULL;
    put_file("suite.resolved.json", "{\"name\": \"a\",\n \"seeds\"");
    assert_int_equal(tb_results_prepare(temporary, suite, &fake_catalog, &error), TB_E_CORRUPT);
    assert_message(&error, "suite.resolved.json:2:", "delete this file", NULL);
    put_file("suite.resolved.json", "{\"name\": \"a\"}");
    assert_int_not_equal(tb_results_suite(temporary, &found, &error), TB_OK);
    assert_message(&error, in_temporary("suite.resolved.json"), NULL);
    assert_null(found);
    tb_suite_free(suite);
}

static void a_folder_without_a_suite_is_an_error(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_suite *found = NULL;
    assert_int_equal(tb_results_suite(temporary, &found, &error), TB_E_IO);
    assert_message(&error, "suite.resolved.json", "a results folder?", NULL);
}

static void a_suite_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_suite *suite = must_load(SUITE REST, NULL);
    assert_int_equal(tb_results_prepare(in_temporary("none"), suite, &fake_catalog, &error),
                     TB_E_IO);
    assert_message(&error, in_temporary("none/suite.toml"), NULL);
    tb_suite_free(suite);
}

/* ---- the lock ---- */

// a disk that has no locks, for the calls of this program: the linker takes this flock()
static int locks_refused;

int flock(int fd, int operation)
{
    if (!locks_refused)
        return (int)syscall(SYS_flock, fd, operation);
    errno = ENOLCK;
    return -1;
}

static void a_disk_without_locks_is_not_another_process(void **state)
{
    (void)state;
    tb_error error = {0};
    int lock = 7;
    locks_refused = 1;
    tb_status status = tb_results_lock(temporary, &lock, &error);
    locks_refused = 0;
    assert_int_equal(status, TB_E_IO);
    assert_int_equal(lock, -1);
    assert_message(&error, temporary, "cannot be locked: No locks available", "with -o", NULL);
}

static void the_lock_makes_the_folder_and_keeps_others_out(void **state)
{
    (void)state;
    tb_error error = {0};
    int lock, second = 7;
    char process[32];
    snprintf(process, sizeof process, "process %ld", (long)getpid());
    assert_int_equal(tb_results_lock(in_temporary("a/b"), &lock, NULL), TB_OK);
    assert_true(lock > 2);
    // workers must not inherit it: a worker left behind would keep the folder locked
    assert_true(fcntl(lock, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(tb_results_lock(in_temporary("a/b"), &second, &error), TB_E_STATE);
    assert_message(&error, in_temporary("a/b"), process, "with -o", NULL);
    assert_int_equal(second, -1);
    assert_int_equal(close(lock), 0);
    assert_int_equal(tb_results_lock(in_temporary("a/b"), &lock, NULL), TB_OK);
    close(lock);
}

static void a_refused_lock_leaves_no_descriptor(void **state)
{
    (void)state;
    int lock, refused, before, after;
    assert_int_equal(tb_results_lock(temporary, &lock, NULL), TB_OK);
    before = dup(lock);
    for (int i = 0; i < 5; i++)
        assert_int_equal(tb_results_lock(temporary, &refused, NULL), TB_E_STATE);
    after = dup(lock);
    assert_int_equal(after, before + 1);
    close(before);
    close(after);
    close(lock);
}

static void a_folder_that_cannot_be_written_is_named(void **state)
{
    (void)state;
    tb_error error = {0};
    int lock = 7;
    put_file("file", "");
    assert_int_equal(tb_results_lock(in_temporary("file/x"), &lock, &error), TB_E_IO);
    assert_message(&error, in_temporary("file"), "another folder with -o", NULL);
    assert_int_equal(lock, -1);
    assert_int_equal(tb_results_lock("/proc/self", &lock, &error), TB_E_IO);
    assert_message(&error, "/proc/self: cannot write here: ", "another folder with -o", NULL);
    assert_int_equal(lock, -1);
}

/* ---- attempts ---- */

static void attempts_are_counted_by_the_largest_number(void **state)
{
    (void)state;
    assert_int_equal(tb_attempt_next(in_temporary("none")), 1);
    assert_int_equal(tb_make_folders(in_temporary("attempts"), NULL), TB_OK);
    assert_int_equal(tb_attempt_next(temporary), 1);
    put_file("attempts/2.json", "{}");
    put_file("attempts/10.json", "{}");
    put_file("attempts/99.json.tmp-12", "{}");
    put_file("attempts/notes.txt", "");
    put_file("attempts/-500.json", "{}");
    assert_int_equal(tb_attempt_next(temporary), 11);
}

static void an_attempt_is_read_back(void **state)
{
    (void)state;
    char found[16], message[512];
    tb_attempt attempt = {.number = 3, .state = "running", .message = "", .exit_code = -1};
    assert_int_equal(tb_attempt_state(temporary, 3, found, message), 0);
    assert_int_equal(tb_attempt_write(temporary, &attempt, NULL), TB_OK);
    assert_int_equal(tb_attempt_state(temporary, 3, found, message), 1);
    assert_string_equal(found, "running");
    assert_string_equal(message, "");

    attempt.state = "crashed";
    attempt.message = "signal 11";
    attempt.signal = 11;
    attempt.started = 1000.5;
    attempt.ended = 1001.25;
    assert_int_equal(tb_attempt_write(temporary, &attempt, NULL), TB_OK);
    assert_int_equal(tb_attempt_state(temporary, 3, found, message), 1);
    assert_string_equal(found, "crashed");
    assert_string_equal(message, "signal 11");
    json_t *json = json_load_file(in_temporary("attempts/3.json"), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(json, "attempt")), 3);
    assert_int_equal(json_integer_value(json_object_get(json, "signal")), 11);
    assert_true(json_is_null(json_object_get(json, "exit_code")));
    assert_true(json_real_value(json_object_get(json, "ended")) == 1001.25);
    json_decref(json);
    assert_int_equal(tb_attempt_next(temporary), 4);
}

static void a_torn_attempt_is_no_attempt(void **state)
{
    (void)state;
    char found[16], message[512];
    assert_int_equal(tb_make_folders(in_temporary("attempts"), NULL), TB_OK);
    put_file("attempts/1.json", "{\"state\": \"runn");
    assert_int_equal(tb_attempt_state(temporary, 1, found, message), 0);
}

// what a plugin says need not be UTF-8; the record must not be lost for it
static void a_message_that_is_not_utf8_is_kept(void **state)
{
    (void)state;
    char found[16], message[512];
    tb_attempt attempt = {
        .number = 1, .state = "failed", .message = "caf\xe9 \xc3", .exit_code = 1};
    assert_int_equal(tb_attempt_write(temporary, &attempt, NULL), TB_OK);
    assert_int_equal(tb_attempt_state(temporary, 1, found, message), 1);
    assert_string_equal(message, "caf? ?");
    attempt.message = "caf\xc3\xa9";
    assert_int_equal(tb_attempt_write(temporary, &attempt, NULL), TB_OK);
    assert_int_equal(tb_attempt_state(temporary, 1, found, message), 1);
    assert_string_equal(message, "caf\xc3\xa9");
}

static void an_attempt_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_attempt attempt = {.number = 1, .state = "running", .message = "", .exit_code = -1};
    put_file("attempts", "");
    assert_int_equal(tb_attempt_write(temporary, &attempt, &error), TB_E_IO);
    assert_message(&error, in_temporary("attempts"), NULL);
}

static void a_run_is_complete_with_its_run_json(void **state)
{
    (void)state;
    assert_false(tb_run_is_complete(temporary));
    put_file("run.json.tmp-1", "{}");
    assert_false(tb_run_is_complete(temporary));
    put_file("run.json", "{}");
    assert_true(tb_run_is_complete(temporary));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SUITE(the_folder_carries_name_and_hash),
        WITH_SUITE(a_prepared_folder_gives_the_suite_back),
        WITH_SUITE(another_suite_is_refused_and_nothing_is_written),
        WITH_SUITE(a_damaged_suite_says_what_to_do),
        WITH_SUITE(a_folder_without_a_suite_is_an_error),
        WITH_SUITE(a_suite_that_cannot_be_written_is_an_error),
        IN_FOLDER(the_lock_makes_the_folder_and_keeps_others_out),
        IN_FOLDER(a_disk_without_locks_is_not_another_process),
        IN_FOLDER(a_refused_lock_leaves_no_descriptor),
        IN_FOLDER(a_folder_that_cannot_be_written_is_named),
        IN_FOLDER(attempts_are_counted_by_the_largest_number),
        IN_FOLDER(an_attempt_is_read_back),
        IN_FOLDER(a_torn_attempt_is_no_attempt),
        IN_FOLDER(a_message_that_is_not_utf8_is_kept),
        IN_FOLDER(an_attempt_that_cannot_be_written_is_an_error),
        IN_FOLDER(a_run_is_complete_with_its_run_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
