/* SPDX-License-Identifier: MIT */
#include "harness/worker/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/cli/command.h"
#include "harness/plugin/child.h"
#include "harness/store/file.h"
#include "harness/store/results.h"

// seconds between SIGTERM and SIGKILL
static const double grace = 5;
static const double refresh = 0.2;

typedef struct tb_pool {
    const tb_pool_def *def;
    tb_slot *slots; // [jobs]; pid 0 = free
    size_t next;    // cell to start
    size_t started; // workers, in all
    char **environment;
    tb_pool_result *result;
    double last_shown;
} tb_pool;

const char *tb_cell_end_name(tb_cell_end end)
{
    static const char *const names[] = {"ok", "failed", "crashed", "timeout", "stopped"};
    return names[end];
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

char **tb_pool_command(const char *results, const tb_cell *cell)
{
    // /proc/self/exe is another program in a shell
    char *program = realpath(tb_program_path(), NULL);
    const char *parts[] = {program != NULL ? program : tb_program_path(), "run-cell", results,
                           cell->path};
    char **command = calloc(sizeof parts / sizeof parts[0] + 1, sizeof *command);
    for (size_t i = 0; command != NULL && i < sizeof parts / sizeof parts[0]; i++) {
        command[i] = strdup(parts[i]);
        if (command[i] == NULL) {
            tb_pool_free_command(command);
            command = NULL;
        }
    }
    free(program);
    return command;
}

void tb_pool_free_command(char **command)
{
    for (size_t i = 0; command != NULL && command[i] != NULL; i++)
        free(command[i]);
    free(command);
}

/* ---- the workers' environment ---- */

static int overridden(const char *variable, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(variable, names[i], n) == 0 && variable[n] == '=')
            return 1;
    }
    return 0;
}

// ours, with what libgomp reads before main: a spinning thread starves its neighbour on a full
// machine
static char **make_environment(int threads)
{
    static const char *const names[] = {"OMP_NUM_THREADS", "GOMP_SPINCOUNT", "OMP_DYNAMIC", NULL};
    size_t n = 0;
    while (environ[n] != NULL)
        n++;
    char **copy = calloc(n + 4, sizeof *copy);
    size_t used = 0;
    for (size_t i = 0; copy != NULL && i < n; i++)
        if (!overridden(environ[i], names))
            copy[used++] = strdup(environ[i]);
    if (copy != NULL) {
        copy[used++] = tb_format("OMP_NUM_THREADS=%d", threads);
        copy[used++] = strdup("GOMP_SPINCOUNT=1000");
        copy[used++] = strdup("OMP_DYNAMIC=false");
    }
    return copy;
}

/* ---- starting ---- */

static tb_status spawn(tb_pool *pool, tb_slot *slot, const char *log, int pipe_write,
                       char **command, tb_error *error)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawn_file_actions_adddup2(&actions, pipe_write, 3);
    // a group of its own: Ctrl-C reaches the parent alone, which stops its workers in order
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    pid_t pid;
    // not command[0]: the file may have been replaced by a new build since
    int failed =
        posix_spawn(&pid, tb_program_path(), &actions, &attributes, command, pool->environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return tb_fail(error, TB_E_IO, "cannot start a worker (%s, log %s): %s", command[0], log,
                       strerror(failed));
    slot->pid = pid;
    slot->pidfd = pidfd_open(pid, 0);
    return TB_OK;
}

static tb_status start_cell(tb_pool *pool, tb_slot *slot, const tb_cell *cell, tb_error *error)
{
    *slot =
        (tb_slot){.cell = cell, .started = now(), .recent_return = NAN, .pidfd = -1, .pipe = -1};
    char *folder = tb_format("%s/%s", pool->def->results, cell->path);
    char *log = tb_format("%s/%s/log.txt", pool->def->results, cell->path);
    int ends[2] = {-1, -1};
    tb_status status = folder == NULL || log == NULL
                           ? tb_fail(error, TB_E_NOMEM, "no memory for a path")
                           : tb_make_folders(folder, error);
    if (status == TB_OK && pipe2(ends, O_CLOEXEC) != 0)
        status = tb_fail(error, TB_E_IO, "cannot make a pipe: %s", strerror(errno));
    if (status == TB_OK) {
        slot->attempt = tb_attempt_next(folder);
        char attempt[24];
        snprintf(attempt, sizeof attempt, "--attempt=%d", slot->attempt);
        char progress[] = "--progress-fd=3";
        char **base = tb_pool_command(pool->def->results, cell);
        if (base != NULL) {
            char *command[] = {base[0], base[1], progress, attempt, base[2], base[3], NULL};
            status = spawn(pool, slot, log, ends[1], command, error);
        } else {
            status = tb_fail(error, TB_E_NOMEM, "no memory for a command line");
        }
        tb_pool_free_command(base);
    }
    if (ends[1] >= 0)
        close(ends[1]);
    slot->pipe = ends[0];
    if (slot->pipe >= 0)
        fcntl(slot->pipe, F_SETFL, O_NONBLOCK);
    if (status == TB_OK && pool->def->timeout > 0)
        slot->deadline = slot->started + pool->def->timeout;
    if (status == TB_OK) {
        pool->started++;
        if (pool->def->on_start != NULL)
            pool->def->on_start(pool->def->ctx, slot);
    } else {
        if (slot->pipe >= 0)
            close(slot->pipe);
        slot->pipe = -1;
    }
    free(folder);
    free(log);
    return status;
}

/* ---- listening ---- */

static void take_line(tb_slot *slot)
{
    unsigned long long done, all, episodes;
    double recent;
    if (sscanf(slot->line, "steps %llu %llu %llu %lf", &done, &all, &episodes, &recent) == 4) {
        slot->steps = done;
        slot->steps_all = all;
        slot->episodes = episodes;
        slot->recent_return = recent;
    } else if (strcmp(slot->line, "done") == 0) {
        // what is left is to give back memory: that takes no time, unless a plugin hangs in it
        slot->said_done = 1;
        slot->deadline = now() + grace;
    } else if (strncmp(slot->line, "failed ", 7) == 0) {
        snprintf(slot->words, sizeof slot->words, "%s", slot->line + 7);
    }
}

static void listen_to(tb_slot *slot)
{
    char buffer[4096];
    ssize_t n;
    while (slot->pipe >= 0 && (n = read(slot->pipe, buffer, sizeof buffer)) != 0) {
        if (n < 0)
            return;
        for (ssize_t i = 0; i < n; i++) {
            if (buffer[i] == '\n') {
                slot->line[slot->line_length] = '\0';
                take_line(slot);
                slot->line_length = 0;
            } else if (slot->line_length + 1 < sizeof slot->line) {
                slot->line[slot->line_length++] = buffer[i];
            }
        }
    }
    // end of file: every writer is gone
    if (slot->pipe >= 0)
        close(slot->pipe);
    slot->pipe = -1;
}

/* ---- ends ---- */

static const char *signal_text(int signal)
{
    const char *text = sigdescr_np(signal);
    return text != NULL ? text : "unknown signal";
}

// what happened; *message for a worker that could not say it itself
static tb_cell_end judge(const tb_pool *pool, const tb_slot *slot, int complete, int wait_status,
                         char message[1024])
{
    message[0] = '\0';
    if (complete)
        return TB_CELL_OK;
    if (slot->timed_out) {
        snprintf(message, 1024, "not done within %g s", pool->def->timeout);
        return TB_CELL_TIMEOUT;
    }
    if (WIFSIGNALED(wait_status)) {
        int signal = WTERMSIG(wait_status);
        if (slot->terminated && (signal == SIGTERM || signal == SIGKILL))
            return TB_CELL_STOPPED;
        snprintf(message, 1024, "signal %d (%s)%s", signal, signal_text(signal),
                 signal == SIGKILL ? ": killed from outside, perhaps out of memory" : "");
        return TB_CELL_CRASHED;
    }
    int code = WEXITSTATUS(wait_status);
    if (code == TB_EXIT_AGAIN)
        return TB_CELL_STOPPED;
    if (slot->words[0] != '\0')
        snprintf(message, 1024, "%s", slot->words);
    else if (code == TB_EXIT_OK)
        snprintf(message, 1024, "ended early: something called exit(0) before the run was done");
    else
        snprintf(message, 1024, "ended with exit code %d; the end of its log.txt may tell why",
                 code);
    return TB_CELL_FAILED;
}

// the attempt's record, where the worker left none or one that is no longer true
static void record_end(const tb_slot *slot, const char *folder, tb_cell_end end, int wait_status,
                       const char *message)
{
    char state[16], told[512];
    if (end == TB_CELL_OK || (tb_attempt_state(folder, slot->attempt, state, told) &&
                              strcmp(state, tb_cell_end_name(end)) == 0))
        return;
    tb_attempt attempt = {.number = slot->attempt,
                          .state = tb_cell_end_name(end),
                          .message = message,
                          .exit_code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1,
                          .signal = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0,
                          .ended = tb_wall_clock()};
    attempt.started = attempt.ended - (now() - slot->started);
    tb_attempt_write(folder, &attempt, NULL);
}

static void count(tb_pool *pool, const tb_slot *slot, tb_cell_end end, const char *message)
{
    if (end == TB_CELL_OK)
        pool->result->ok++;
    else if (end == TB_CELL_STOPPED)
        pool->result->stopped++;
    else
        pool->result->failed++;
    if (pool->def->on_end != NULL)
        pool->def->on_end(pool->def->ctx, slot, end, message);
}

static void end_cell(tb_pool *pool, tb_slot *slot, int wait_status)
{
    char message[1024];
    listen_to(slot);
    char *folder = tb_format("%s/%s", pool->def->results, slot->cell->path);
    int complete = folder != NULL && tb_run_is_complete(folder);
    tb_cell_end end = judge(pool, slot, complete, wait_status, message);
    if (folder != NULL)
        record_end(slot, folder, end, wait_status, message);
    free(folder);
    if (slot->pipe >= 0)
        close(slot->pipe);
    if (slot->pidfd >= 0)
        close(slot->pidfd);
    slot->pid = 0;
    count(pool, slot, end, message);
    // an end is shown at once, however short the time to the next
    pool->last_shown = 0;
}

// 1 when the worker has ended; whatever it left running ends with it
static int reap(const tb_slot *slot, int *wait_status)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)slot->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return 0;
    // before the number is given back: it may belong to others a moment later
    kill((pid_t)-slot->pid, SIGKILL);
    return waitpid((pid_t)slot->pid, wait_status, 0) == (pid_t)slot->pid;
}

static void escalate(tb_slot *slot)
{
    if (slot->deadline == 0 || now() < slot->deadline)
        return;
    if (!slot->terminated) {
        slot->timed_out = !slot->said_done;
        slot->terminated = 1;
        slot->deadline = now() + grace;
        kill((pid_t)-slot->pid, SIGTERM);
    } else {
        slot->deadline = now() + grace;
        kill((pid_t)-slot->pid, SIGKILL);
    }
}

static void stop_all(tb_pool *pool)
{
    for (int i = 0; i < pool->def->jobs; i++) {
        tb_slot *slot = &pool->slots[i];
        if (slot->pid == 0 || slot->terminated)
            continue;
        slot->terminated = 1;
        slot->deadline = now() + grace;
        kill((pid_t)-slot->pid, SIGTERM);
    }
}

/* ---- the loop ---- */

static size_t running(const tb_pool *pool)
{
    size_t n = 0;
    for (int i = 0; i < pool->def->jobs; i++)
        n += pool->slots[i].pid != 0;
    return n;
}

// waits for news of any worker, a signal, or the time to look again
static void wait_for_news(tb_pool *pool, struct pollfd *fds)
{
    nfds_t n = 0;
    for (int i = 0; i < pool->def->jobs; i++) {
        if (pool->slots[i].pid == 0)
            continue;
        fds[n++] = (struct pollfd){.fd = pool->slots[i].pipe, .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = pool->slots[i].pidfd, .events = POLLIN};
    }
    sigset_t open;
    sigemptyset(&open);
    struct timespec wait = {.tv_nsec = (long)(refresh * 1e9)};
    if (*pool->def->stop == 0 || running(pool) > 0)
        ppoll(fds, n, &wait, &open);
}

static void serve(tb_pool *pool)
{
    for (int i = 0; i < pool->def->jobs; i++) {
        tb_slot *slot = &pool->slots[i];
        if (slot->pid == 0)
            continue;
        listen_to(slot);
        int wait_status;
        if (reap(slot, &wait_status))
            end_cell(pool, slot, wait_status);
        else
            escalate(slot);
    }
    if (pool->def->on_progress != NULL && now() - pool->last_shown >= refresh) {
        pool->last_shown = now();
        pool->def->on_progress(pool->def->ctx, pool->slots, (size_t)pool->def->jobs);
    }
}

// a cell that cannot even start has failed; it costs the others nothing
static void start_next(tb_pool *pool, tb_slot *slot, tb_error *first_error)
{
    const tb_cell *cell = pool->def->cells[pool->next++];
    tb_error error = {0};
    if (start_cell(pool, slot, cell, &error) == TB_OK)
        return;
    if (first_error->status == TB_OK)
        *first_error = error;
    char *folder = tb_format("%s/%s", pool->def->results, cell->path);
    tb_attempt attempt = {.number = slot->attempt > 0 ? slot->attempt : 1,
                          .state = "failed",
                          .message = error.message,
                          .exit_code = -1,
                          .started = tb_wall_clock(),
                          .ended = tb_wall_clock()};
    if (folder != NULL)
        tb_attempt_write(folder, &attempt, NULL);
    free(folder);
    count(pool, slot, TB_CELL_FAILED, error.message);
}

static void fill(tb_pool *pool, tb_error *first_error)
{
    for (int i = 0; i < pool->def->jobs && *pool->def->stop == 0; i++)
        while (pool->slots[i].pid == 0 && pool->next < pool->def->n_cells)
            start_next(pool, &pool->slots[i], first_error);
}

tb_status tb_pool_run(const tb_pool_def *def, tb_pool_result *result, tb_error *error)
{
    *result = (tb_pool_result){0};
    tb_pool pool = {.def = def, .result = result, .environment = make_environment(def->threads)};
    pool.slots = calloc((size_t)def->jobs, sizeof *pool.slots);
    struct pollfd *fds = calloc(2 * (size_t)def->jobs, sizeof *fds);
    tb_error first_error = {.status = TB_OK};
    tb_status status = TB_OK;
    if (pool.slots == NULL || fds == NULL || pool.environment == NULL)
        status = tb_fail(error, TB_E_NOMEM, "no memory for %d workers", def->jobs);
    while (status == TB_OK) {
        fill(&pool, &first_error);
        if (*def->stop != 0)
            stop_all(&pool);
        if (running(&pool) == 0 && (*def->stop != 0 || pool.next == def->n_cells))
            break;
        wait_for_news(&pool, fds);
        serve(&pool);
    }
    if (status == TB_OK && first_error.status != TB_OK && pool.started == 0)
        status = tb_fail(error, first_error.status, "%s", first_error.message);
    for (size_t i = 0; pool.environment != NULL && pool.environment[i] != NULL; i++)
        free(pool.environment[i]);
    free(pool.environment);
    free(pool.slots);
    free(fds);
    return status;
}
