/* SPDX-License-Identifier: MIT
 *
 * The pool against workers that do one thing each. This program is its own worker: called as
 * `<test> run-cell OPTIONS RESULTS CELL` it does what the cell's name says.
 */
#include "harness/worker/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "harness/cli/command.h"
#include "harness/store/results.h"
#include "tests/harness/store/temporary.h"

/* ---- the worker ---- */

typedef struct worker_call {
    const char *folder; // of the run
    int attempt;
} worker_call;

static void say(const char *line)
{
    if (write(3, line, strlen(line)) < 0)
        _exit(99);
}

static void record(const worker_call *call, const char *state, const char *message)
{
    tb_attempt attempt = {.number = call->attempt, .state = state, .message = message};
    if (tb_attempt_write(call->folder, &attempt, NULL) != TB_OK)
        _exit(98);
}

static void complete(const worker_call *call)
{
    char path[512];
    snprintf(path, sizeof path, "%s/run.json", call->folder);
    if (tb_commit_file(path, "{}", 2, NULL, NULL) != TB_OK)
        _exit(97);
}

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

static void leave_stopped(int signal)
{
    (void)signal;
    _exit(TB_EXIT_AGAIN);
}

static void work(const worker_call *call)
{
    say("steps 5 10 2 1.5\n");
    complete(call);
    say("done\n");
}

static void crash(const worker_call *call)
{
    record(call, "running", "");
    raise(SIGSEGV);
}

static void leave_early(const worker_call *call)
{
    record(call, "running", "");
    _exit(0);
}

static void fail_with_words(const worker_call *call)
{
    record(call, "failed", "in the record");
    say("failed the step returned NaN\n");
    _exit(1);
}

static void fail_silently(const worker_call *call)
{
    record(call, "running", "");
    _exit(3);
}

static void hang(const worker_call *call)
{
    record(call, "running", "");
    wait_for_ever();
}

// what the real worker does between two iterations
static void stop_when_asked(const worker_call *call)
{
    record(call, "stopped", "stopped by a signal");
    signal(SIGTERM, leave_stopped);
    say("steps 1 10 0 nan\n");
    wait_for_ever();
}

static void crash_on(int signal)
{
    (void)signal;
    abort();
}

static void crash_when_told(const worker_call *call)
{
    record(call, "running", "");
    signal(SIGTERM, crash_on);
    say("steps 1 10 0 nan\n");
    wait_for_ever();
}

static void complete_then_crash(const worker_call *call)
{
    complete(call);
    raise(SIGSEGV);
}

static void complete_then_hang(const worker_call *call)
{
    complete(call);
    say("done\n");
    wait_for_ever();
}

static void leave_a_child(const worker_call *call)
{
    pid_t pid = fork();
    if (pid == 0)
        wait_for_ever();
    char path[512], text[32];
    int n = snprintf(text, sizeof text, "%ld", (long)pid);
    snprintf(path, sizeof path, "%s/child", call->folder);
    if (tb_replace_file(path, text, (size_t)n, NULL) != TB_OK)
        _exit(96);
    complete(call);
}

static void say_odd_things(const worker_call *call)
{
    static char long_line[5000];
    memset(long_line, 'x', sizeof long_line - 1);
    long_line[sizeof long_line - 2] = '\n';
    say(long_line);
    say("steps\nsteps 1\n\nsteps a b c d\nst");
    say("eps 7 10 3 -2.5\nno newline at the end");
    complete(call);
}

static void close_the_pipe(const worker_call *call)
{
    close(3);
    usleep(300000);
    complete(call);
}

// descriptors beyond the standard streams and the pipe, and a terminal, are not for a worker
static void look_around(const worker_call *call)
{
    for (int fd = 4; fd < 200; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            _exit(50);
    char c;
    if (read(0, &c, 1) != 0)
        _exit(51);
    if (getpgrp() != getpid())
        _exit(52);
    const char *threads = getenv("OMP_NUM_THREADS"), *spin = getenv("GOMP_SPINCOUNT");
    if (threads == NULL || strcmp(threads, "3") != 0 || spin == NULL)
        _exit(53);
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    if (sigismember(&blocked, SIGTERM) || sigismember(&blocked, SIGINT))
        _exit(54);
    puts("seen");
    fflush(stdout);
    fputs("heard\n", stderr);
    complete(call);
}

static const struct {
    const char *name;
    void (*act)(const worker_call *call);
} acts[] = {
    {"work", work},
    {"crash", crash},
    {"leave_early", leave_early},
    {"fail_with_words", fail_with_words},
    {"fail_silently", fail_silently},
    {"hang", hang},
    {"stop_when_asked", stop_when_asked},
    {"crash_when_told", crash_when_told},
    {"complete_then_crash", complete_then_crash},
    {"complete_then_hang", complete_then_hang},
    {"leave_a_child", leave_a_child},
    {"say_odd_things", say_odd_things},
    {"close_the_pipe", close_the_pipe},
    {"look_around", look_around},
};

// argv: run-cell --progress-fd=3 --attempt=N RESULTS runs/<act>[-number]
static int be_a_worker(char **argv)
{
    char folder[512], name[64];
    snprintf(folder, sizeof folder, "%s/%s", argv[3], argv[4]);
    worker_call call = {folder, atoi(argv[2] + strlen("--attempt="))};
    snprintf(name, sizeof name, "%s", argv[4] + strlen("runs/"));
    name[strcspn(name, "-")] = '\0';
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(acts[i].name, name) == 0)
            acts[i].act(&call);
    return 0;
}

/* ---- the pool, seen from outside ---- */

enum { max_cells = 32 };

static struct {
    tb_cell cells[max_cells];
    const tb_cell *order[max_cells];
    size_t n_started, n_ended;
    size_t most_at_once;
    const tb_cell *ended[max_cells];
    tb_cell_end ends[max_cells];
    char messages[max_cells][1100];
    tb_slot last[max_cells]; // as on_end saw it
    sig_atomic_t stop_at_steps;
} seen;

static volatile sig_atomic_t stop;

static void on_start(void *ctx, const tb_slot *slot)
{
    assert_ptr_equal(ctx, &seen);
    assert_true(slot->pid > 0);
    assert_true(isnan(slot->recent_return));
    seen.n_started++;
    if (seen.n_started - seen.n_ended > seen.most_at_once)
        seen.most_at_once = seen.n_started - seen.n_ended;
}

static void on_progress(void *ctx, const tb_slot *slots, size_t n)
{
    assert_ptr_equal(ctx, &seen);
    for (size_t i = 0; i < n; i++)
        if (slots[i].pid != 0 && slots[i].steps > 0 && seen.stop_at_steps)
            kill(getpid(), SIGTERM);
}

static void on_end(void *ctx, const tb_slot *slot, tb_cell_end end, const char *message)
{
    assert_ptr_equal(ctx, &seen);
    size_t i = seen.n_ended++;
    seen.ended[i] = slot->cell;
    seen.ends[i] = end;
    seen.last[i] = *slot;
    snprintf(seen.messages[i], sizeof seen.messages[i], "%s", message);
}

static void remember(int signal)
{
    stop = signal;
}

static tb_pool_def pool_of(const char *const *names, size_t n, int jobs)
{
    memset(&seen, 0, sizeof seen);
    stop = 0;
    for (size_t i = 0; i < n; i++) {
        seen.cells[i].path = tb_format("runs/%s-%zu", names[i], i);
        seen.cells[i].label = seen.cells[i].path;
        seen.order[i] = &seen.cells[i];
    }
    return (tb_pool_def){.results = temporary,
                         .cells = seen.order,
                         .n_cells = n,
                         .jobs = jobs,
                         .threads = 3,
                         .stop = &stop,
                         .ctx = &seen,
                         .on_start = on_start,
                         .on_progress = on_progress,
                         .on_end = on_end};
}

static int count_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

// runs the pool; nothing may be left over: no descriptor, no process
static tb_pool_result run_pool(const tb_pool_def *def)
{
    tb_pool_result result;
    tb_error error = {0};
    int descriptors = count_descriptors();
    if (tb_pool_run(def, &result, &error) != TB_OK)
        fail_msg("%s", error.message);
    assert_int_equal(count_descriptors(), descriptors);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    for (size_t i = 0; i < def->n_cells; i++)
        free(def->cells[i]->path);
    return result;
}

static void expect_result(const tb_pool_result *result, size_t ok, size_t failed, size_t stopped)
{
    assert_int_equal(result->ok, ok);
    assert_int_equal(result->failed, failed);
    assert_int_equal(result->stopped, stopped);
}

static void expect_attempt(const char *run, const char *state)
{
    char found[16], message[512];
    assert_int_equal(tb_attempt_state(in_temporary(run), 1, found, message), 1);
    assert_string_equal(found, state);
}

// one cell alone
static void run_one(const char *act, double timeout, tb_cell_end end, const char *message)
{
    tb_pool_def def = pool_of(&act, 1, 1);
    def.timeout = timeout;
    tb_pool_result result = run_pool(&def);
    assert_int_equal(seen.n_ended, 1);
    assert_string_equal(tb_cell_end_name(seen.ends[0]), tb_cell_end_name(end));
    assert_string_equal(seen.messages[0], message);
    expect_result(&result, end == TB_CELL_OK, end != TB_CELL_OK && end != TB_CELL_STOPPED,
                  end == TB_CELL_STOPPED);
}

static void every_cell_runs_and_some_at_a_time(void **state)
{
    (void)state;
    const char *names[11];
    for (size_t i = 0; i < 11; i++)
        names[i] = "work";
    tb_pool_def def = pool_of(names, 11, 3);
    tb_pool_result result = run_pool(&def);
    expect_result(&result, 11, 0, 0);
    assert_int_equal(seen.n_ended, 11);
    assert_int_equal(seen.most_at_once, 3);
    for (size_t i = 0; i < 11; i++) {
        assert_int_equal(seen.ends[i], TB_CELL_OK);
        assert_int_equal(seen.last[i].steps, 5);
        assert_int_equal(seen.last[i].steps_all, 10);
        assert_int_equal(seen.last[i].episodes, 2);
        assert_true(seen.last[i].recent_return == 1.5);
    }
}

static void no_cells_is_no_work(void **state)
{
    (void)state;
    tb_pool_def def = pool_of(NULL, 0, 1);
    tb_pool_result result = run_pool(&def);
    expect_result(&result, 0, 0, 0);
}

static void a_bad_worker_costs_its_own_cell_only(void **state)
{
    (void)state;
    const char *names[] = {"work", "crash", "work", "leave_early", "fail_with_words", "work"};
    tb_pool_def def = pool_of(names, 6, 2);
    tb_pool_result result = run_pool(&def);
    expect_result(&result, 3, 3, 0);
    assert_int_equal(seen.n_ended, 6);
}

static void a_crash_names_its_signal(void **state)
{
    (void)state;
    run_one("crash", 0, TB_CELL_CRASHED, "signal 11 (Segmentation fault)");
    expect_attempt("runs/crash-0", "crashed");
}

static void an_early_exit_is_no_success(void **state)
{
    (void)state;
    run_one("leave_early", 0, TB_CELL_FAILED,
            "ended early: something called exit(0) before the run was done");
    expect_attempt("runs/leave_early-0", "failed");
}

static void the_workers_own_words_are_told(void **state)
{
    (void)state;
    run_one("fail_with_words", 0, TB_CELL_FAILED, "the step returned NaN");
    char found[16], message[512];
    tb_attempt_state(in_temporary("runs/fail_with_words-0"), 1, found, message);
    assert_string_equal(message, "in the record");
}

static void a_silent_failure_points_to_the_log(void **state)
{
    (void)state;
    run_one("fail_silently", 0, TB_CELL_FAILED,
            "ended with exit code 3; the end of its log.txt may tell why");
    expect_attempt("runs/fail_silently-0", "failed");
}

static void a_cell_that_takes_too_long_is_stopped(void **state)
{
    (void)state;
    run_one("hang", 0.3, TB_CELL_TIMEOUT, "not done within 0.3 s");
    expect_attempt("runs/hang-0", "timeout");
}

// it stops in good order and says "stopped"; but it failed
static void a_timeout_is_recorded_although_the_worker_stopped(void **state)
{
    (void)state;
    run_one("stop_when_asked", 0.3, TB_CELL_TIMEOUT, "not done within 0.3 s");
    expect_attempt("runs/stop_when_asked-0", "timeout");
}

static void a_time_limit_leaves_the_quick_alone(void **state)
{
    (void)state;
    run_one("work", 60, TB_CELL_OK, "");
}

static void a_complete_run_is_done_whatever_follows(void **state)
{
    (void)state;
    run_one("complete_then_crash", 0, TB_CELL_OK, "");
    run_one("complete_then_hang", 0, TB_CELL_OK, "");
}

static void what_a_worker_leaves_running_ends(void **state)
{
    (void)state;
    run_one("leave_a_child", 0, TB_CELL_OK, "");
    char *text = NULL;
    assert_int_equal(tb_read_file(in_temporary("runs/leave_a_child-0/child"), &text, NULL, NULL),
                     TB_OK);
    char path[64], *status = NULL;
    snprintf(path, sizeof path, "/proc/%s/status", text);
    // killed; gone as soon as its new parent has looked
    for (int i = 0; i < 100 && tb_read_file(path, &status, NULL, NULL) == TB_OK &&
                    strstr(status, "State:\tZ") == NULL;
         i++) {
        free(status);
        status = NULL;
        assert_true(i < 99);
        usleep(20000);
    }
    free(status);
    free(text);
}

static void odd_lines_are_ignored(void **state)
{
    (void)state;
    run_one("say_odd_things", 0, TB_CELL_OK, "");
    assert_int_equal(seen.last[0].steps, 7);
    assert_true(seen.last[0].recent_return == -2.5);
}

static void a_worker_may_close_its_pipe(void **state)
{
    (void)state;
    run_one("close_the_pipe", 0, TB_CELL_OK, "");
}

static void a_worker_starts_clean(void **state)
{
    (void)state;
    setenv("OMP_NUM_THREADS", "17", 1);
    run_one("look_around", 0, TB_CELL_OK, "");
    assert_file("runs/look_around-0/log.txt", "seen\nheard\n");
}

/* ---- stopping ---- */

static void block_signals(int how)
{
    struct sigaction action = {.sa_handler = remember}, none = {.sa_handler = SIG_DFL};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaction(SIGTERM, &action, NULL);
    sigprocmask(how, &set, NULL);
    // only now: one that came with the last worker's end was still waiting
    if (how == SIG_UNBLOCK)
        sigaction(SIGTERM, &none, NULL);
}

static void a_signal_stops_the_running_and_starts_no_other(void **state)
{
    (void)state;
    const char *names[] = {"stop_when_asked", "stop_when_asked", "work", "work"};
    tb_pool_def def = pool_of(names, 4, 2);
    seen.stop_at_steps = 1;
    block_signals(SIG_BLOCK);
    tb_pool_result result = run_pool(&def);
    block_signals(SIG_UNBLOCK);
    assert_int_equal(stop, SIGTERM);
    expect_result(&result, 0, 0, 2);
    assert_int_equal(seen.n_started, 2);
    expect_attempt("runs/stop_when_asked-0", "stopped");
}

static void a_crash_while_stopping_is_a_crash(void **state)
{
    (void)state;
    const char *name = "crash_when_told";
    tb_pool_def def = pool_of(&name, 1, 1);
    seen.stop_at_steps = 1;
    block_signals(SIG_BLOCK);
    tb_pool_result result = run_pool(&def);
    block_signals(SIG_UNBLOCK);
    expect_result(&result, 0, 1, 0);
    assert_int_equal(seen.ends[0], TB_CELL_CRASHED);
}

static void a_stop_before_the_first_cell_starts_nothing(void **state)
{
    (void)state;
    const char *name = "work";
    tb_pool_def def = pool_of(&name, 1, 1);
    stop = SIGINT;
    tb_pool_result result = run_pool(&def);
    expect_result(&result, 0, 0, 0);
    assert_int_equal(seen.n_started, 0);
}

/* ---- workers that cannot start ---- */

static void a_cell_that_cannot_start_fails_alone(void **state)
{
    (void)state;
    const char *names[] = {"work", "work", "work"};
    tb_pool_def def = pool_of(names, 3, 1);
    assert_int_equal(tb_make_folders(in_temporary("runs"), NULL), TB_OK);
    put_file("runs/work-0", "in the way");
    tb_pool_result result = run_pool(&def);
    expect_result(&result, 2, 1, 0);
    assert_int_equal(seen.n_ended, 3);
    assert_int_equal(seen.ends[0], TB_CELL_FAILED);
    assert_non_null(strstr(seen.messages[0], "runs/work-0: cannot use this as a folder"));
}

static void without_any_worker_the_pool_fails(void **state)
{
    (void)state;
    const char *names[] = {"work", "work"};
    tb_pool_def def = pool_of(names, 2, 2);
    tb_pool_result result;
    tb_error error = {0};
    char *program = strdup(getenv("TRPO_BENCH_PROGRAM"));
    setenv("TRPO_BENCH_PROGRAM", "/nonexistent/trpo-bench", 1);
    tb_status status = tb_pool_run(&def, &result, &error);
    setenv("TRPO_BENCH_PROGRAM", program, 1);
    free(program);
    assert_int_equal(status, TB_E_IO);
    assert_message(&error, "cannot start a worker (/nonexistent/trpo-bench", "No such file", NULL);
    expect_result(&result, 0, 2, 0);
    expect_attempt("runs/work-0", "failed");
    free(seen.cells[0].path);
    free(seen.cells[1].path);
}

static void a_second_attempt_counts_on(void **state)
{
    (void)state;
    run_one("crash", 0, TB_CELL_CRASHED, "signal 11 (Segmentation fault)");
    run_one("crash", 0, TB_CELL_CRASHED, "signal 11 (Segmentation fault)");
    assert_int_equal(seen.last[0].attempt, 2);
    assert_int_equal(count_entries("runs/crash-0/attempts"), 2);
}

static void the_command_can_be_typed(void **state)
{
    (void)state;
    tb_cell cell = {.path = (char *)"runs/e/p/a/s0000"};
    char **command = tb_pool_command("results/x", &cell);
    assert_int_equal(command[0][0], '/');
    assert_int_not_equal(strncmp(command[0], "/proc/", 6), 0);
    assert_int_equal(access(command[0], X_OK), 0);
    assert_string_equal(command[1], "run-cell");
    assert_string_equal(command[2], "results/x");
    assert_string_equal(command[3], "runs/e/p/a/s0000");
    assert_null(command[4]);
    tb_pool_free_command(command);
    tb_pool_free_command(NULL);
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "run-cell") == 0)
        return be_a_worker(argv + 1);
    // what this program inherited is not the pool's affair
    for (int fd = 3; fd < 1024; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    // the pool starts this program again; a sanitizer's handler would hide the signal
    setenv("TRPO_BENCH_PROGRAM", "/proc/self/exe", 1);
    setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1);
    const struct CMUnitTest tests[] = {
        IN_FOLDER(every_cell_runs_and_some_at_a_time),
        IN_FOLDER(no_cells_is_no_work),
        IN_FOLDER(a_bad_worker_costs_its_own_cell_only),
        IN_FOLDER(a_crash_names_its_signal),
        IN_FOLDER(an_early_exit_is_no_success),
        IN_FOLDER(the_workers_own_words_are_told),
        IN_FOLDER(a_silent_failure_points_to_the_log),
        IN_FOLDER(a_cell_that_takes_too_long_is_stopped),
        IN_FOLDER(a_timeout_is_recorded_although_the_worker_stopped),
        IN_FOLDER(a_time_limit_leaves_the_quick_alone),
        IN_FOLDER(a_complete_run_is_done_whatever_follows),
        IN_FOLDER(what_a_worker_leaves_running_ends),
        IN_FOLDER(odd_lines_are_ignored),
        IN_FOLDER(a_worker_may_close_its_pipe),
        IN_FOLDER(a_worker_starts_clean),
        IN_FOLDER(a_signal_stops_the_running_and_starts_no_other),
        IN_FOLDER(a_crash_while_stopping_is_a_crash),
        IN_FOLDER(a_stop_before_the_first_cell_starts_nothing),
        IN_FOLDER(a_cell_that_cannot_start_fails_alone),
        IN_FOLDER(without_any_worker_the_pool_fails),
        IN_FOLDER(a_second_attempt_counts_on),
        IN_FOLDER(the_command_can_be_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
