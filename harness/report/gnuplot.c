/* SPDX-License-Identifier: MIT
 *
 * Calls gnuplot: no shell, no user settings, its messages kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/report/write.h"

static const char *program(void)
{
    const char *name = getenv("TRPO_BENCH_GNUPLOT");
    return name != NULL && *name != '\0' ? name : "gnuplot";
}

// reads to the end and keeps the first bytes, with a NUL
static void drain(int fd, char *words, size_t size)
{
    size_t kept = 0;
    char buffer[512];
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) != 0;) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        size_t take = (size_t)n < size - 1 - kept ? (size_t)n : size - 1 - kept;
        memcpy(words + kept, buffer, take);
        kept += take;
    }
    words[kept] = '\0';
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// runs argv in `folder` (NULL: here); keeps what it prints on both streams. Returns the exit code,
// -1 when it cannot be started
static int run(char *const argv[], const char *folder, char *words, size_t size)
{
    int pipe_fds[2];
    words[0] = '\0';
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 2);
    if (folder != NULL)
        posix_spawn_file_actions_addchdir_np(&actions, folder);
    pid_t pid;
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    if (!failed)
        drain(pipe_fds[0], words, size);
    close(pipe_fds[0]);
    return failed ? -1 : wait_for(pid);
}

// fills *summary unless there is a gnuplot of version 5.4 or newer
static int is_usable(tb_report_summary *summary)
{
    char words[256];
    char *const argv[] = {(char *)program(), (char *)"--version", NULL};
    int major = 0, minor = 0;
    summary->figures = TB_REPORT_FIGURES_NO_GNUPLOT;
    if (run(argv, NULL, words, sizeof words) != 0 ||
        sscanf(words, "gnuplot %d.%d", &major, &minor) != 2) {
        snprintf(summary->figures_message, sizeof summary->figures_message,
                 "\"%s\" is not there, so no figure was drawn; install gnuplot 5.4 or newer and "
                 "run the report again (scripts and data are written)",
                 program());
        return 0;
    }
    if (major < 5 || (major == 5 && minor < 4)) {
        snprintf(summary->figures_message, sizeof summary->figures_message,
                 "\"%s\" is version %d.%d, 5.4 or newer is needed: no figure was drawn (scripts "
                 "and data are written)",
                 program(), major, minor);
        return 0;
    }
    return 1;
}

static int is_written(const char *folder, const char *name, const char *kind)
{
    struct stat info;
    char *path = tb__text("%s/%s.%s", folder, name, kind);
    int written = path != NULL && stat(path, &info) == 0 && info.st_size > 0;
    free(path);
    return written;
}

static const char *const kinds[] = {"svg", "pdf", "png"};

// an older picture would contradict the new tables
static void remove_old(const char *folder, const char *name)
{
    for (size_t k = 0; k < 3; k++) {
        char *path = tb__text("%s/%s.%s", folder, name, kinds[k]);
        if (path != NULL)
            unlink(path);
        free(path);
    }
}

// one line for a person: the last words that gnuplot said
static void blame(tb_report_summary *summary, const char *folder, const char *name, int code,
                  char *words)
{
    for (char *c = words; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
    summary->figures = TB_REPORT_FIGURES_FAILED;
    snprintf(summary->figures_message, sizeof summary->figures_message,
             "gnuplot could not draw %.200s/%.200s.gp (exit code %d): %.400s", folder, name, code,
             *words != '\0' ? words : "it said nothing, but a picture is missing");
}

static void draw(tb_report_summary *summary, const char *folder, const char *name)
{
    char words[2048], script[512];
    snprintf(script, sizeof script, "%s.gp", name);
    // -d: not the settings in the user's home
    char *const argv[] = {(char *)program(), (char *)"-d", script, NULL};
    int code = run(argv, folder, words, sizeof words);
    int written = 1;
    for (size_t k = 0; k < 3; k++)
        written = written && is_written(folder, name, kinds[k]);
    if (code != 0 || !written)
        blame(summary, folder, name, code, words);
}

void tb__draw_scripts(const char *folder, const char *const *names, size_t n, int no_plot,
                      tb_report_summary *summary)
{
    for (size_t i = 0; i < n; i++)
        remove_old(folder, names[i]);
    summary->figures_message[0] = '\0';
    if (no_plot) {
        summary->figures = TB_REPORT_FIGURES_NOT_ASKED;
    } else if (is_usable(summary)) {
        summary->figures = TB_REPORT_FIGURES_DRAWN;
        for (size_t i = 0; summary->figures == TB_REPORT_FIGURES_DRAWN && i < n; i++)
            draw(summary, folder, names[i]);
    }
}

tb_status tb__draw_figures(tb__report *report, tb_error *error)
{
    char *folder = tb__text("%s/report/fig", report->dir);
    const char **names = tb_alloc(report->n_groups + 1, sizeof *names);
    tb_status status = TB_OK;
    if (folder == NULL || names == NULL) {
        status = tb_fail(error, TB_E_NOMEM, "out of memory for the figures");
    } else {
        // the groups of one environment follow each other
        size_t n = 0;
        names[n++] = "curves";
        for (size_t g = 0; g < report->n_groups; g++)
            if (g == 0 || report->groups[g].env != report->groups[g - 1].env)
                names[n++] = report->groups[g].env_name;
        tb__draw_scripts(folder, names, n, report->options.no_plot, &report->summary);
    }
    free(names);
    free(folder);
    return status;
}
