/* SPDX-License-Identifier: MIT
 *
 * What is shown while a suite runs, read back from a file or a pseudo-terminal in place of standard
 * error.
 */
#include "harness/cli/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "tests/harness/store/temporary.h"

static int saved_error = -1;
static tb_suite_env env = {.run = {.steps = 1000}};
static tb_suite suite = {.envs = &env, .n_envs = 1};

static tb_cell cells[] = {{.label = (char *)"env policy trpo s0"},
                          {.label = (char *)"env policy trpo s1"}};
static const tb_cell *const both[] = {&cells[0], &cells[1]};

static void show_on(int fd)
{
    fflush(stderr);
    saved_error = dup(2);
    assert_true(saved_error >= 0);
    assert_int_equal(dup2(fd, 2), 2);
}

static void show_here_again(void)
{
    fflush(stderr);
    assert_int_equal(dup2(saved_error, 2), 2);
    close(saved_error);
}

static void expect_duration(double seconds, const char *expected)
{
    char text[32];
    tb_format_duration(seconds, text);
    assert_string_equal(text, expected);
}

static void durations_read_well(void **state)
{
    (void)state;
    expect_duration(0, "0 s");
    expect_duration(8.4, "8 s");
    expect_duration(59.4, "59 s");
    expect_duration(59.6, "1 min 00 s");
    expect_duration(125, "2 min 05 s");
    expect_duration(3599.6, "1 h 00 min");
    expect_duration(3 * 3600 + 7 * 60, "3 h 07 min");
    expect_duration(-1, "0 s");
    expect_duration(NAN, "0 s");
    expect_duration(INFINITY, "0 s");
}

// two cells: one done, one crashed; then a stop
static void play(tb_progress *progress, tb_progress_style style, int with_stop)
{
    static volatile sig_atomic_t stop;
    tb_slot slots[] = {{.cell = &cells[0], .attempt = 1, .pid = 1, .recent_return = 12.5},
                       {.cell = &cells[1], .attempt = 2, .pid = 2, .recent_return = NAN}};
    stop = 0;
    tb_progress_begin(progress, style, &suite, both, 2);
    progress->stop = &stop;
    // the clock of the slots starts with the display's
    slots[0].started = slots[1].started = progress->started - 1;
    tb_progress_on_start(progress, &slots[0]);
    tb_progress_on_start(progress, &slots[1]);
    slots[0].steps = 500;
    slots[0].steps_all = 1000;
    tb_progress_on_progress(progress, slots, 2);
    slots[0].pid = 0;
    tb_progress_on_end(progress, &slots[0], TB_CELL_OK, "");
    stop = with_stop;
    tb_progress_on_progress(progress, slots, 2);
    tb_progress_on_progress(progress, slots, 2);
    slots[1].pid = 0;
    tb_progress_on_end(progress, &slots[1], TB_CELL_CRASHED, "signal 11");
    tb_progress_on_progress(progress, slots, 2);
    tb_progress_end(progress);
}

static char *play_into_file(tb_progress_style style, int with_stop)
{
    tb_progress progress;
    char *text = NULL;
    int fd = open(in_temporary("shown"), O_RDWR | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    show_on(fd);
    play(&progress, style, with_stop);
    show_here_again();
    close(fd);
    assert_int_equal(tb_read_file(in_temporary("shown"), &text, NULL, NULL), TB_OK);
    return text;
}

static void plain_is_one_line_a_change(void **state)
{
    (void)state;
    char *text = play_into_file(TB_PROGRESS_PLAIN, 0), first[256];
    assert_int_equal(strncmp(text,
                             "[0/2] start env policy trpo s0\n"
                             "[0/2] start env policy trpo s1 (again)\n"
                             "[1/2] done  env policy trpo s0  ",
                             102),
                     0);
    assert_int_equal(sscanf(strstr(text, "done"), "%*[^\n]\n%255[^\n]", first), 1);
    assert_string_equal(first, "[2/2] crashed env policy trpo s1: signal 11");
    assert_non_null(strstr(text, "last return 12.5\n"));
    assert_null(strchr(text, '\033'));
    free(text);
}

static void plain_says_once_that_it_stops(void **state)
{
    (void)state;
    char *text = play_into_file(TB_PROGRESS_PLAIN, 2), *first = strstr(text, "stopping: ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "stopping: "));
    free(text);
}

static void none_is_silent(void **state)
{
    (void)state;
    char *text = play_into_file(TB_PROGRESS_NONE, 2);
    assert_string_equal(text, "");
    free(text);
}

static void a_file_is_plain(void **state)
{
    (void)state;
    tb_progress progress;
    int fd = open("/dev/null", O_WRONLY);
    setenv("TERM", "xterm", 1);
    show_on(fd);
    tb_progress_begin(&progress, TB_PROGRESS_AUTO, &suite, both, 2);
    show_here_again();
    close(fd);
    assert_int_equal(progress.style, TB_PROGRESS_PLAIN);
}

/* ---- on a terminal ---- */

// a pseudo-terminal of this size; *screen is the side that a terminal program would read
static int open_terminal(int *screen, unsigned short columns, unsigned short rows)
{
    struct winsize size = {.ws_col = columns, .ws_row = rows};
    *screen = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(*screen >= 0);
    assert_int_equal(grantpt(*screen), 0);
    assert_int_equal(unlockpt(*screen), 0);
    int fd = open(ptsname(*screen), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
    return fd;
}

// takes back stderr, closes the terminal and reads what it was sent, to its end: the bytes of each
// write come as the kernel passes them on, so one read may see only the first of them
static size_t take_screen(int fd, int screen, char *text, size_t room)
{
    size_t n = 0;
    show_here_again();
    close(fd);
    for (ssize_t part; (part = read(screen, text + n, room - n)) != 0;) {
        if (part < 0) {
            assert_int_equal(errno, EIO); // nobody has the terminal open and nothing is left
            break;
        }
        n += (size_t)part;
    }
    assert_in_range(n, 1, room - 1);
    close(screen);
    return n;
}

static tb_progress_style style_on_terminal(const char *terminal, const char *no_color)
{
    tb_progress progress;
    int screen, fd = open_terminal(&screen, 80, 24);
    if (terminal != NULL)
        setenv("TERM", terminal, 1);
    else
        unsetenv("TERM");
    setenv("NO_COLOR", no_color, 1);
    show_on(fd);
    tb_progress_begin(&progress, TB_PROGRESS_AUTO, &suite, both, 2);
    show_here_again();
    unsetenv("NO_COLOR");
    close(fd);
    close(screen);
    return progress.style;
}

static void a_terminal_is_full_unless_it_is_asked_not_to_be(void **state)
{
    (void)state;
    assert_int_equal(style_on_terminal("xterm", ""), TB_PROGRESS_FULL);
    assert_int_equal(style_on_terminal("xterm", "1"), TB_PROGRESS_PLAIN);
    assert_int_equal(style_on_terminal("dumb", ""), TB_PROGRESS_PLAIN);
    assert_int_equal(style_on_terminal(NULL, ""), TB_PROGRESS_PLAIN);
}

// text, carriage returns, line feeds, "up" and "erase line": what a terminal makes of the bytes
enum { max_rows = 40, max_columns = 200 };

typedef struct terminal {
    char rows[max_rows][max_columns + 1];
    int row, column;
    int widest; // of the lines that were erased: those redrawn in place
} terminal;

static void take_bytes(terminal *t, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strncmp(bytes + i, "\033[1A", 4) == 0) {
            assert_true(t->row > 0);
            t->row--;
            i += 3;
        } else if (strncmp(bytes + i, "\033[2K", 4) == 0) {
            int width = (int)strlen(t->rows[t->row]);
            t->widest = width > t->widest ? width : t->widest;
            memset(t->rows[t->row], 0, sizeof t->rows[0]);
            i += 3;
        } else if (bytes[i] == '\r') {
            t->column = 0;
        } else if (bytes[i] == '\n') {
            t->row++;
            assert_true(t->row < max_rows);
        } else if (((unsigned char)bytes[i] & 0xc0) != 0x80) { // one column a character
            assert_int_not_equal(bytes[i], '\033');
            assert_true(t->column < max_columns);
            t->rows[t->row][t->column++] = bytes[i];
        }
    }
}

static void play_on_terminal(terminal *t, unsigned short columns, int with_stop)
{
    tb_progress progress;
    static char bytes[60000];
    int screen, fd = open_terminal(&screen, columns, 24);
    *t = (terminal){.row = 0};
    show_on(fd);
    play(&progress, TB_PROGRESS_FULL, with_stop);
    size_t n = take_screen(fd, screen, bytes, sizeof bytes - 8);
    if (columns >= 80)
        assert_non_null(strstr(bytes, with_stop ? "stopping" : "ETA"));
    assert_non_null(strstr(bytes, "1/2 cells"));
    assert_non_null(strstr(bytes, "env policy trpo s1"));
    take_bytes(t, bytes, n);
    memset(bytes, 0, sizeof bytes);
}

static void the_screen_is_clean_at_the_end(void **state)
{
    (void)state;
    terminal t;
    play_on_terminal(&t, 80, 0);
    // the crash stays; nothing else does
    assert_string_equal(t.rows[0], "[2/2] crashed env policy trpo s1: signal 11");
    assert_int_equal(t.row, 1);
    for (int i = 1; i < max_rows; i++)
        assert_string_equal(t.rows[i], "");
    play_on_terminal(&t, 80, 15);
}

static void a_redrawn_line_fits_the_screen(void **state)
{
    (void)state;
    terminal t;
    for (unsigned short columns = 30; columns <= 160; columns = (unsigned short)(columns + 10)) {
        play_on_terminal(&t, columns, 0);
        assert_in_range(t.widest, 25, columns - 1);
        assert_int_equal(t.row, 1);
    }
}

static void more_workers_than_rows_do_not_scroll(void **state)
{
    (void)state;
    static tb_slot slots[100];
    tb_progress progress;
    int screen, fd = open_terminal(&screen, 80, 10);
    for (size_t i = 0; i < 100; i++)
        slots[i] = (tb_slot){.cell = &cells[0], .pid = 1};
    show_on(fd);
    tb_progress_begin(&progress, TB_PROGRESS_FULL, &suite, both, 2);
    tb_progress_on_progress(&progress, slots, 100);
    show_here_again();
    close(fd);
    close(screen);
    // the cursor stands one line below the last
    assert_int_equal(progress.lines, 9);
}

// a label that is too long loses its beginning: seed, speed and return stay
static void a_narrow_screen_keeps_the_return(void **state)
{
    (void)state;
    static tb_cell cell = {.label =
                               (char *)"classic/MountainCarContinuous-v0 mlp trpo@long-name s17"};
    tb_slot slot = {
        .cell = &cell, .pid = 1, .steps = 500, .steps_all = 1000, .recent_return = 12.5};
    tb_progress progress;
    char text[4096];
    int screen, fd = open_terminal(&screen, 80, 24);
    show_on(fd);
    tb_progress_begin(&progress, TB_PROGRESS_FULL, &suite, both, 2);
    slot.started = progress.started - 1;
    tb_progress_on_progress(&progress, &slot, 1);
    text[take_screen(fd, screen, text, sizeof text)] = '\0';
    assert_non_null(strstr(text, "trpo@long-name s17  50 %"));
    assert_non_null(strstr(text, "return     12.5"));
    assert_null(strstr(text, "classic/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_read_well),
        IN_FOLDER(plain_is_one_line_a_change),
        IN_FOLDER(plain_says_once_that_it_stops),
        IN_FOLDER(none_is_silent),
        cmocka_unit_test(a_file_is_plain),
        cmocka_unit_test(a_terminal_is_full_unless_it_is_asked_not_to_be),
        cmocka_unit_test(the_screen_is_clean_at_the_end),
        cmocka_unit_test(a_redrawn_line_fits_the_screen),
        cmocka_unit_test(more_workers_than_rows_do_not_scroll),
        cmocka_unit_test(a_narrow_screen_keeps_the_return),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
