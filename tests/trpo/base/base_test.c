/* SPDX-License-Identifier: MIT */
#include "trpo/base/base.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* the message of an error never leaves its buffer */
typedef struct guarded_error {
    tb_error error;
    char guard[16];
} guarded_error;

static void guard(guarded_error *guarded)
{
    memset(guarded, 'g', sizeof *guarded);
}

static void assert_guard(const guarded_error *guarded)
{
    for (size_t i = 0; i < sizeof guarded->guard; i++)
        assert_int_equal(guarded->guard[i], 'g');
}

static void test_fail_fills_and_returns(void **state)
{
    (void)state;
    tb_error error = {TB_OK, "old"};
    assert_int_equal(tb_fail(&error, TB_E_PARAM, "\"%s\" is %d", "max_kl", 7), TB_E_PARAM);
    assert_int_equal(error.status, TB_E_PARAM);
    assert_string_equal(error.message, "\"max_kl\" is 7");
}

static void test_fail_takes_null(void **state)
{
    (void)state;
    assert_int_equal(tb_fail(NULL, TB_E_IO, "%d", 1), TB_E_IO);
    assert_int_equal(tb_fail_prefix(NULL, TB_E_NOMEM, "%d", 1), TB_E_NOMEM);
}

static void test_fail_cuts_a_long_message(void **state)
{
    (void)state;
    guarded_error guarded;
    guard(&guarded);
    char text[3000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    tb_fail(&guarded.error, TB_E_IO, "%s", text);
    assert_int_equal(strlen(guarded.error.message), sizeof guarded.error.message - 1);
    assert_guard(&guarded);
}

static void test_prefix_goes_in_front_and_keeps_the_status(void **state)
{
    (void)state;
    tb_error error;
    tb_fail(&error, TB_E_CORRUPT, "wrong checksum");
    // the status of the first failure wins over the caller's
    assert_int_equal(tb_fail_prefix(&error, TB_E_IO, "%s:%d", "a.toml", 12), TB_E_CORRUPT);
    assert_int_equal(error.status, TB_E_CORRUPT);
    assert_string_equal(error.message, "a.toml:12: wrong checksum");
    assert_int_equal(tb_fail_prefix(&error, TB_E_IO, "cell 3"), TB_E_CORRUPT);
    assert_string_equal(error.message, "cell 3: a.toml:12: wrong checksum");
}

static void test_prefix_without_a_status_returns_the_callers(void **state)
{
    (void)state;
    tb_error error = {TB_OK, "no status was set"};
    assert_int_equal(tb_fail_prefix(&error, TB_E_FATAL, "plugin"), TB_E_FATAL);
    assert_string_equal(error.message, "plugin: no status was set");
}

static void test_prefix_cuts_the_end_not_the_front(void **state)
{
    (void)state;
    guarded_error guarded;
    guard(&guarded);
    char text[sizeof guarded.error.message];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    tb_fail(&guarded.error, TB_E_IO, "%s", text);
    tb_fail_prefix(&guarded.error, TB_E_IO, "front");
    assert_int_equal(strlen(guarded.error.message), sizeof guarded.error.message - 1);
    assert_memory_equal(guarded.error.message, "front: aaa", 10);
    // a prefix that fills everything leaves no room for the rest
    tb_fail_prefix(&guarded.error, TB_E_IO, "%s%s", text, text);
    assert_int_equal(strlen(guarded.error.message), sizeof guarded.error.message - 1);
    assert_guard(&guarded);
}

static void test_status_names(void **state)
{
    (void)state;
    static const struct {
        tb_status status;
        const char *name;
    } rows[] = {
        {TB_OK, "TB_OK"},
        {TB_DISCARD, "TB_DISCARD"},
        {TB_E_INVALID, "TB_E_INVALID"},
        {TB_E_STATE, "TB_E_STATE"},
        {TB_E_NOMEM, "TB_E_NOMEM"},
        {TB_E_UNSUPPORTED, "TB_E_UNSUPPORTED"},
        {TB_E_PARAM, "TB_E_PARAM"},
        {TB_E_NUMERIC, "TB_E_NUMERIC"},
        {TB_E_CORRUPT, "TB_E_CORRUPT"},
        {TB_E_IO, "TB_E_IO"},
        {TB_E_FATAL, "TB_E_FATAL"},
        {12345, "unknown status"},
        {-12345, "unknown status"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(tb_status_name(rows[i].status), rows[i].name);
}

/* Runs TB_ASSERT(value > 2) in a child; its standard error goes to text, its wait status is
 * returned. */
static int assert_in_child(int value, char text[512])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        // cmocka would take SIGABRT for a failed test and go on
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        TB_ASSERT(value > 2);
        _exit(0);
    }
    close(ends[1]);
    size_t n = 0;
    for (ssize_t got = 1; got > 0 && n < 511; n += (size_t)got) {
        got = read(ends[0], text + n, 511 - n);
        assert_true(got >= 0);
    }
    text[n] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void test_assert_aborts_and_says_where(void **state)
{
    (void)state;
    char text[512];
    int status = assert_in_child(2, text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "base_test.c:"));
    assert_non_null(strstr(text, ": assertion failed: value > 2\n"));
}

static void test_assert_lets_truth_pass(void **state)
{
    (void)state;
    char text[512];
    int status = assert_in_child(3, text);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_string_equal(text, "");
}

static void test_alloc_is_zeroed_aligned_and_all_there(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 7, 63, 64, 65, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (size_t size = 0; size <= 8; size += 4) {
            // memory that malloc just took back is dirty: the zeros must be written
            char *dirty = aligned_alloc(64, 64 * 128);
            assert_non_null(dirty);
            memset(dirty, 0x5a, 64 * 128);
            free(dirty);
            unsigned char *memory = tb_alloc(counts[i], size);
            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % 64, 0);
            for (size_t k = 0; k < counts[i] * size; k++)
                assert_int_equal(memory[k], 0);
            memset(memory, 1, counts[i] * size);
            free(memory);
        }
    }
}

static void test_reserve_is_aligned_and_all_there(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 63, 64, 65, 1000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        unsigned char *memory = tb_reserve(counts[i], 8);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 64, 0);
        memset(memory, 1, counts[i] * 8);
        free(memory);
    }
    assert_null(tb_reserve((SIZE_MAX >> 3) + 2, 8));
    assert_null(tb_reserve(1, SIZE_MAX - 30));
}

// memory that is reserved and not written takes no room: the process does not grow by it
static void test_reserve_touches_nothing(void **state)
{
    (void)state;
    enum { pages = 16384, page = 4096 }; // 64 MiB
    unsigned char resident[pages], touched = 0;
    char *memory = tb_reserve(pages, page);
    assert_non_null(memory);
    char *first = memory + (page - (uintptr_t)memory % page) % page;
    assert_int_equal(mincore(first, (pages - 1) * (size_t)page, resident), 0);
    for (size_t i = 16; i < pages - 1; i++) // sanitizers fill the beginning
        touched |= resident[i] & 1;
    assert_int_equal(touched, 0);
    free(memory);
}

static void test_alloc_refuses_overflow(void **state)
{
    (void)state;
    // the product wraps to 0, to something small, and is just too near to SIZE_MAX to be rounded up
    assert_null(tb_alloc((SIZE_MAX >> 1) + 1, 2));
    assert_null(tb_alloc((SIZE_MAX >> 3) + 2, 8));
    assert_null(tb_alloc(SIZE_MAX, SIZE_MAX));
    assert_null(tb_alloc(SIZE_MAX, 1));
    assert_null(tb_alloc(1, SIZE_MAX - 63));
    assert_null(tb_alloc(1, SIZE_MAX - 30));
}

static void test_edit_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } rows[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"abc", "", 3},
        {"max_kl", "max_kl", 0},
        {"max_lk", "max_kl", 1}, // neighbours swapped
        {"max_k", "max_kl", 1},  // one missing
        {"max_kll", "max_kl", 1},
        {"maxkkl", "max_kl", 1},
        {"kitten", "sitting", 3},
        {"ab", "ba", 1},
        {"abcdef", "badcfe", 3}, // three swaps
        {"ca", "abc", 3},        // a swapped pair is not edited again (optimal string alignment)
        {"gamma", "Gamma", 1},
        {"abc", "xyz", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t there = tb_edit_distance(rows[i].a, rows[i].b);
        size_t back = tb_edit_distance(rows[i].b, rows[i].a);
        if (there != rows[i].distance || back != rows[i].distance)
            fail_msg("\"%s\" to \"%s\": %zu there, %zu back, expected %zu", rows[i].a, rows[i].b,
                     there, back, rows[i].distance);
    }
}

static void test_edit_distance_of_long_words(void **state)
{
    (void)state;
    char a[66], b[66];
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    // 63 letters are still compared letter by letter
    a[63] = b[63] = '\0';
    b[31] = 'b';
    assert_int_equal(tb_edit_distance(a, b), 1);
    // beyond that only the length counts: as far apart as two words can be
    a[63] = 'a';
    a[64] = '\0';
    assert_int_equal(tb_edit_distance(a, b), 64);
    assert_int_equal(tb_edit_distance(b, a), 64);
    a[64] = 'a';
    a[65] = '\0';
    assert_int_equal(tb_edit_distance(a, a), 65);
}

static void test_nearest(void **state)
{
    (void)state;
    static const char *const keys[] = {"gamma", "lambda", "max_kl", "max_steps"};
    static const size_t n = sizeof keys / sizeof keys[0];
    assert_ptr_equal(tb_nearest("max_lk", keys, n), keys[2]);
    assert_ptr_equal(tb_nearest("lamda", keys, n), keys[1]);
    assert_ptr_equal(tb_nearest("gamma", keys, n), keys[0]);
    assert_ptr_equal(tb_nearest("max_step", keys, n), keys[3]);
    // nothing near: better silent than misleading
    assert_null(tb_nearest("optimizer", keys, n));
    assert_null(tb_nearest("", keys, n));
    assert_null(tb_nearest("gamma", keys, 0));
    assert_null(tb_nearest("gamma", NULL, 0));
}

static void test_nearest_knows_how_near_is_near(void **state)
{
    (void)state;
    // a word of n letters may hold n / 3 + 1 edits
    static const char *const keys[] = {"abcdef"};
    assert_ptr_equal(tb_nearest("abcxyz", keys, 1), keys[0]);
    assert_null(tb_nearest("abwxyz", keys, 1));
    static const char *const pair[] = {"damping", "dampings"};
    // the nearer wins, the first of two that are equally near too
    assert_ptr_equal(tb_nearest("dampings", pair, 2), pair[1]);
    static const char *const twins[] = {"seed_a", "seed_b"};
    assert_ptr_equal(tb_nearest("seed_c", twins, 2), twins[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_fills_and_returns),
        cmocka_unit_test(test_fail_takes_null),
        cmocka_unit_test(test_fail_cuts_a_long_message),
        cmocka_unit_test(test_prefix_goes_in_front_and_keeps_the_status),
        cmocka_unit_test(test_prefix_without_a_status_returns_the_callers),
        cmocka_unit_test(test_prefix_cuts_the_end_not_the_front),
        cmocka_unit_test(test_status_names),
        cmocka_unit_test(test_assert_aborts_and_says_where),
        cmocka_unit_test(test_assert_lets_truth_pass),
        cmocka_unit_test(test_alloc_is_zeroed_aligned_and_all_there),
        cmocka_unit_test(test_reserve_is_aligned_and_all_there),
        cmocka_unit_test(test_reserve_touches_nothing),
        cmocka_unit_test(test_alloc_refuses_overflow),
        cmocka_unit_test(test_edit_distance),
        cmocka_unit_test(test_edit_distance_of_long_words),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_nearest_knows_how_near_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
