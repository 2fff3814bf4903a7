/* SPDX-License-Identifier: MIT */
#include "harness/plugin/child.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { max_output = 16 << 20 };

// how deep children may start children. A program that links the harness without being trpo-bench,
// and has not set TRPO_BENCH_PROGRAM, would start itself again and again
enum { max_depth = 4 };
static const char depth_name[] = "TRPO_BENCH_DEPTH";

const char *tb_program_path(void)
{
    const char *path = getenv("TRPO_BENCH_PROGRAM");
    return path != NULL && path[0] != '\0' ? path : "/proc/self/exe";
}

tb_status tb_program_folder(char *buffer, size_t size, tb_error *error)
{
    char resolved[PATH_MAX];
    if (realpath(tb_program_path(), resolved) == NULL)
        return tb_fail(error, TB_E_IO, "%s: %s", tb_program_path(), strerror(errno));
    *strrchr(resolved, '/') = '\0';
    if ((size_t)snprintf(buffer, size, "%s", resolved) >= size)
        return tb_fail(error, TB_E_IO, "%s: path too long", resolved);
    return TB_OK;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// ---- reading the child's two pipes ----

typedef struct stream {
    int fd; // -1 after the end
    char *text;
    size_t size, capacity;
} stream;

static void stream_close(stream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

// reads once; a stream that ended, failed or grew too long is closed
static void stream_read(stream *s)
{
    if (s->capacity - s->size < 4096) {
        size_t capacity = s->capacity * 2 + 8192;
        char *text = capacity <= max_output ? realloc(s->text, capacity) : NULL;
        if (text == NULL) {
            stream_close(s);
            return;
        }
        s->text = text;
        s->capacity = capacity;
    }
    ssize_t n = read(s->fd, s->text + s->size, s->capacity - s->size - 1);
    if (n > 0)
        s->size += (size_t)n;
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        stream_close(s);
}

// reads until both streams have ended, the child has ended, or `deadline`. A grandchild may hold
// the pipes open: so look at the child too
static int pump(pid_t pid, stream streams[2], double deadline, int *wait_status)
{
    int reaped = 0;
    while (now() < deadline) {
        struct pollfd fds[2] = {{.fd = streams[0].fd, .events = POLLIN},
                                {.fd = streams[1].fd, .events = POLLIN}};
        int open = streams[0].fd >= 0 || streams[1].fd >= 0;
        int ready = poll(fds, 2, reaped ? 0 : open ? 50 : 1);
        for (int i = 0; i < 2 && ready > 0; i++)
            if (fds[i].fd >= 0 && fds[i].revents != 0)
                stream_read(&streams[i]);
        if (reaped && ready <= 0)
            break;
        if (ready <= 0 && !reaped)
            reaped = waitpid(pid, wait_status, WNOHANG) == pid;
    }
    return reaped;
}

// ---- starting it ----

// the environment of a child: ours, one level deeper. NULL when out of memory
static char **deeper(int depth, char text[32])
{
    size_t n = 0, used = 0, length = strlen(depth_name);
    while (environ[n] != NULL)
        n++;
    char **copy = calloc(n + 2, sizeof *copy);
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (strncmp(environ[i], depth_name, length) != 0 || environ[i][length] != '=')
            copy[used++] = environ[i];
    snprintf(text, 32, "%s=%d", depth_name, depth + 1);
    copy[used] = text;
    return copy;
}

static tb_status spawn(const char *const *argv, const int out[2], const int err[2], pid_t *pid,
                       tb_error *error)
{
    const char *depth_text = getenv(depth_name);
    int depth = depth_text != NULL ? atoi(depth_text) : 0;
    if (depth >= max_depth)
        return tb_fail(error, TB_E_STATE,
                       "%s: started by itself %d times over; a program that links the harness "
                       "without being trpo-bench must set TRPO_BENCH_PROGRAM",
                       argv[0], depth);
    char text[32], **environment = deeper(depth, text);
    if (environment == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for an environment");
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawn(pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv,
                             environment);
    free(environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return tb_fail(error, TB_E_IO, "%s: cannot be started: %s", argv[0], strerror(failed));
    return TB_OK;
}

static void last_line(const stream *s, char *buffer, size_t size)
{
    size_t end = s->size;
    while (end > 0 && isspace((unsigned char)s->text[end - 1]))
        end--;
    size_t begin = end;
    while (begin > 0 && s->text[begin - 1] != '\n')
        begin--;
    snprintf(buffer, size, "%.*s", (int)(end - begin), end > 0 ? s->text + begin : "");
}

tb_status tb_child_run(const char *const *argv, double timeout, tb_child_result *result,
                       tb_error *error)
{
    *result = (tb_child_result){0};
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0)
        return tb_fail(error, TB_E_IO, "cannot make a pipe: %s", strerror(errno));
    if (pipe2(err, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return tb_fail(error, TB_E_IO, "cannot make a pipe: %s", strerror(errno));
    }
    pid_t pid = -1;
    tb_status status = spawn(argv, out, err, &pid, error);
    close(out[1]);
    close(err[1]);
    stream streams[2] = {{.fd = out[0]}, {.fd = err[0]}};
    if (status == TB_OK) {
        int wait_status = 0;
        if (!pump(pid, streams, now() + timeout, &wait_status)) {
            // out of time
            kill(pid, SIGKILL);
            while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
                ;
            result->end = TB_CHILD_TIMED_OUT;
        } else if (WIFSIGNALED(wait_status)) {
            result->end = TB_CHILD_SIGNALLED;
            result->code = WTERMSIG(wait_status);
        } else {
            result->code = WEXITSTATUS(wait_status);
        }
        last_line(&streams[1], result->complaint, sizeof result->complaint);
        if (streams[0].text != NULL)
            streams[0].text[streams[0].size] = '\0';
        result->out = streams[0].text != NULL ? streams[0].text : calloc(1, 1);
        result->out_size = streams[0].size;
        streams[0].text = NULL;
    }
    for (int i = 0; i < 2; i++) {
        stream_close(&streams[i]);
        free(streams[i].text);
    }
    return status;
}

void tb_child_finish(tb_child_result *result)
{
    free(result->out);
    result->out = NULL;
}

const char *tb_child_describe(const tb_child_result *result, double timeout, char *buffer,
                              size_t size)
{
    if (result->end == TB_CHILD_TIMED_OUT) {
        snprintf(buffer, size, "did not finish within %g s", timeout);
    } else if (result->end == TB_CHILD_SIGNALLED) {
        int n = snprintf(buffer, size, "crashed (signal %d, ", result->code);
        snprintf(buffer + n, size - (size_t)n, "%s)", strsignal(result->code));
        buffer[n] = (char)tolower((unsigned char)buffer[n]);
    } else {
        snprintf(buffer, size, "ended with exit code %d", result->code);
    }
    return buffer;
}

void tb_child_die_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int tb_child_take_stdout(void)
{
    fflush(stdout);
    int fd = fcntl(1, F_DUPFD_CLOEXEC, 64);
    if (fd < 0 || dup2(2, 1) < 0)
        return -1;
    return fd;
}
