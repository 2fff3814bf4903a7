/* SPDX-License-Identifier: MIT
 *
 * Files are written whole or not at all, and each failure names its file.
 */
#include "harness/store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/harness/store/temporary.h"

// a disk without hard links, for the calls of this program: the linker takes this link()
static int links_refused;

int link(const char *from, const char *to)
{
    if (!links_refused)
        return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
    errno = EPERM;
    return -1;
}

// a disk that takes a little at a time
static size_t most_at_once = SIZE_MAX;

ssize_t write(int fd, const void *data, size_t size)
{
    return syscall(SYS_write, fd, data, size < most_at_once ? size : most_at_once);
}

static void format_makes_text_of_any_length(void **state)
{
    (void)state;
    char *text = tb_format("%0500d|%s", 7, "x");
    assert_non_null(text);
    assert_int_equal(strlen(text), 502);
    assert_string_equal(text + 498, "07|x");
    free(text);
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    struct stat info;
    assert_int_equal(tb_make_folders(in_temporary("a/b/c/"), NULL), TB_OK);
    assert_int_equal(stat(in_temporary("a/b/c"), &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_int_equal(tb_make_folders(in_temporary("a/b/c"), NULL), TB_OK);
    assert_int_equal(tb_make_folders(in_temporary("a//b/d"), NULL), TB_OK);
    assert_int_equal(tb_make_folders("/", NULL), TB_OK);
}

static void folder_errors_name_the_part_that_is_wrong(void **state)
{
    (void)state;
    tb_error error = {0};
    put_file("file", "");
    assert_int_equal(tb_make_folders(in_temporary("file/b/c"), &error), TB_E_IO);
    assert_message(&error, in_temporary("file"), ": cannot ", "Not a directory", NULL);
    assert_int_equal(tb_make_folders(in_temporary("file"), &error), TB_E_IO);
    assert_message(&error, in_temporary("file"), "use this as a folder", NULL);
    assert_int_equal(tb_make_folders("/proc/trpo-bench/x", &error), TB_E_IO);
    assert_message(&error, "/proc/trpo-bench: ", NULL);
    assert_int_equal(tb_make_folders("", &error), TB_E_IO);
    assert_message(&error, "an empty path", NULL);
}

static void reading_gives_every_byte(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 1;
    // 4096 is the first buffer: just below, at and above it
    for (size_t length = 4094; length <= 4097; length++) {
        char *data = calloc(1, length);
        assert_non_null(data);
        data[length - 1] = 'z';
        assert_int_equal(tb_replace_file(in_temporary("f"), data, length, NULL), TB_OK);
        assert_int_equal(tb_read_file(in_temporary("f"), &text, &size, NULL), TB_OK);
        assert_int_equal(size, length);
        assert_memory_equal(text, data, length);
        assert_int_equal(text[length], 0);
        free(text);
        free(data);
    }
    put_file("empty", "");
    assert_int_equal(tb_read_file(in_temporary("empty"), &text, &size, NULL), TB_OK);
    assert_int_equal(size, 0);
    assert_string_equal(text, "");
    free(text);
}

static void reading_errors_name_the_file(void **state)
{
    (void)state;
    tb_error error = {0};
    char *text = NULL;
    assert_int_equal(tb_read_file(in_temporary("none"), &text, NULL, &error), TB_E_IO);
    assert_message(&error, in_temporary("none"), "No such file", NULL);
    assert_int_equal(tb_read_file(temporary, &text, NULL, &error), TB_E_IO);
    assert_message(&error, temporary, "Is a directory", NULL);
    assert_null(text);
}

static void replacing_leaves_nothing_beside(void **state)
{
    (void)state;
    assert_int_equal(tb_replace_file(in_temporary("f"), "old", 3, NULL), TB_OK);
    assert_int_equal(tb_replace_file(in_temporary("f"), "newer", 5, NULL), TB_OK);
    assert_file("f", "newer");
    assert_int_equal(count_entries(""), 1);
}

static void replacing_fails_below_a_file_and_over_a_folder(void **state)
{
    (void)state;
    tb_error error = {0};
    put_file("file", "");
    assert_int_equal(tb_replace_file(in_temporary("file/x"), "a", 1, &error), TB_E_IO);
    assert_message(&error, in_temporary("file/x"), "Not a directory", NULL);
    assert_int_equal(tb_make_folders(in_temporary("folder"), NULL), TB_OK);
    assert_int_equal(tb_replace_file(in_temporary("folder"), "a", 1, &error), TB_E_IO);
    assert_int_equal(count_entries(""), 2);
}

static void a_slow_disk_gets_every_byte(void **state)
{
    (void)state;
    most_at_once = 3;
    tb_status status = tb_replace_file(in_temporary("f"), "0123456789", 10, NULL);
    most_at_once = SIZE_MAX;
    assert_int_equal(status, TB_OK);
    assert_file("f", "0123456789");
}

// write() takes a part and then fails, as on a disk that fills up; 0 = as much as there is
static void with_room_for(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes > 0 ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_write_cut_short_keeps_the_old_content(void **state)
{
    (void)state;
    tb_error error = {0};
    static char data[100000];
    int first = -1;
    put_file("f", "old");
    with_room_for(5000);
    tb_status replaced = tb_replace_file(in_temporary("f"), data, sizeof data, &error);
    tb_status committed = tb_commit_file(in_temporary("g"), data, sizeof data, &first, NULL);
    with_room_for(0);
    assert_int_equal(replaced, TB_E_IO);
    assert_message(&error, in_temporary("f"), "cannot write", "File too large", NULL);
    assert_file("f", "old");
    assert_int_equal(committed, TB_E_IO);
    assert_int_equal(count_entries(""), 1);
}

static void commit_and_expect(const char *text, int expected_first)
{
    int first = -1;
    assert_int_equal(tb_commit_file(in_temporary("run.json"), text, strlen(text), &first, NULL),
                     TB_OK);
    assert_int_equal(first, expected_first);
    assert_int_equal(count_entries(""), 1);
}

static void the_first_commit_wins(void **state)
{
    (void)state;
    commit_and_expect("one", 1);
    commit_and_expect("two", 0);
    assert_file("run.json", "one");
    assert_int_equal(tb_commit_file(in_temporary("run.json"), "3", 1, NULL, NULL), TB_OK);
    assert_file("run.json", "one");
}

static void a_commit_works_without_hard_links(void **state)
{
    (void)state;
    links_refused = 1;
    commit_and_expect("one", 1);
    commit_and_expect("two", 0);
    links_refused = 0;
    assert_file("run.json", "one");
}

static void of_many_commits_at_once_one_is_first(void **state)
{
    (void)state;
    enum { n = 8 };
    int gate[2];
    pid_t pids[n];
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < n; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            char text = (char)('a' + i), ignored;
            int first = 0;
            close(gate[1]);
            while (read(gate[0], &ignored, 1) > 0)
                ;
            tb_status status = tb_commit_file(in_temporary("x"), &text, 1, &first, NULL);
            _exit(status != TB_OK ? 9 : first);
        }
    }
    close(gate[0]);
    close(gate[1]);
    int winners = 0, winner = -1;
    for (int i = 0; i < n; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        winners += WEXITSTATUS(status);
        winner = WEXITSTATUS(status) ? i : winner;
    }
    assert_int_equal(winners, 1);
    assert_file("x", (char[]){(char)('a' + winner), '\0'});
    assert_int_equal(count_entries(""), 1);
}

static void a_commit_below_a_file_fails(void **state)
{
    (void)state;
    tb_error error = {0};
    put_file("file", "");
    assert_int_equal(tb_commit_file(in_temporary("file/run.json"), "1", 1, NULL, &error), TB_E_IO);
    assert_message(&error, in_temporary("file/run.json"), NULL);
}

static void a_writer_starts_anew_and_keeps_all(void **state)
{
    (void)state;
    tb_writer writer = {0};
    put_file("w.csv", "a long line that was there before\n");
    assert_int_equal(tb_writer_open(&writer, temporary, "w.csv", NULL), TB_OK);
    fputs("1\n", writer.file);
    assert_int_equal(tb_writer_flush(&writer, NULL), TB_OK);
    assert_file("w.csv", "1\n");
    fputs("2\n", writer.file);
    assert_int_equal(tb_writer_close(&writer, NULL), TB_OK);
    assert_file("w.csv", "1\n2\n");
    assert_null(writer.file);
    assert_int_equal(tb_writer_close(&writer, NULL), TB_OK);
}

static void a_writer_tells_of_a_full_disk(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_writer writer = {0};
    assert_int_equal(tb_writer_open(&writer, "/dev", "full", NULL), TB_OK);
    fputs("1\n", writer.file);
    assert_int_equal(tb_writer_flush(&writer, &error), TB_E_IO);
    assert_message(&error, "/dev/full", "No space left", NULL);
    // and does not forget it
    assert_int_equal(tb_writer_flush(&writer, NULL), TB_E_IO);
    assert_int_equal(tb_writer_close(&writer, NULL), TB_E_IO);
    assert_int_equal(tb_writer_open(&writer, "/dev", "full", NULL), TB_OK);
    fputs("1\n", writer.file);
    assert_int_equal(tb_writer_close(&writer, &error), TB_E_IO);
}

static void a_writer_needs_its_folder(void **state)
{
    (void)state;
    tb_error error = {0};
    tb_writer writer = {0};
    assert_int_equal(tb_writer_open(&writer, in_temporary("none"), "w", &error), TB_E_IO);
    assert_message(&error, in_temporary("none/w"), NULL);
    assert_int_equal(tb_writer_close(&writer, NULL), TB_OK);
}

// the examples of FIPS 180-4: empty, "abc", a million times "a" (more than one buffer)
static void sha256_of_known_files(void **state)
{
    (void)state;
    char hex[65];
    put_file("f", "");
    assert_int_equal(tb_file_sha256(in_temporary("f"), hex, NULL), TB_OK);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    put_file("f", "abc");
    assert_int_equal(tb_file_sha256(in_temporary("f"), hex, NULL), TB_OK);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    static char million[1000000];
    memset(million, 'a', sizeof million);
    assert_int_equal(tb_replace_file(in_temporary("f"), million, sizeof million, NULL), TB_OK);
    assert_int_equal(tb_file_sha256(in_temporary("f"), hex, NULL), TB_OK);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_of_what_cannot_be_read(void **state)
{
    (void)state;
    tb_error error = {0};
    char hex[65];
    assert_int_equal(tb_file_sha256(in_temporary("none"), hex, &error), TB_E_IO);
    assert_message(&error, in_temporary("none"), NULL);
    assert_int_equal(tb_file_sha256(temporary, hex, &error), TB_E_IO);
    assert_message(&error, temporary, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_makes_text_of_any_length),
        IN_FOLDER(folders_are_made_with_their_parents),
        IN_FOLDER(folder_errors_name_the_part_that_is_wrong),
        IN_FOLDER(reading_gives_every_byte),
        IN_FOLDER(reading_errors_name_the_file),
        IN_FOLDER(replacing_leaves_nothing_beside),
        IN_FOLDER(replacing_fails_below_a_file_and_over_a_folder),
        IN_FOLDER(a_slow_disk_gets_every_byte),
        IN_FOLDER(a_write_cut_short_keeps_the_old_content),
        IN_FOLDER(the_first_commit_wins),
        IN_FOLDER(a_commit_works_without_hard_links),
        IN_FOLDER(of_many_commits_at_once_one_is_first),
        IN_FOLDER(a_commit_below_a_file_fails),
        IN_FOLDER(a_writer_starts_anew_and_keeps_all),
        IN_FOLDER(a_writer_tells_of_a_full_disk),
        IN_FOLDER(a_writer_needs_its_folder),
        IN_FOLDER(sha256_of_known_files),
        IN_FOLDER(sha256_of_what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
