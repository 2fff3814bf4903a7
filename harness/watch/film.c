/* SPDX-License-Identifier: MIT */
#include "harness/watch/film.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/store/file.h"

struct tb_film {
    char *path, *part; // its name, and the name until it is whole
    size_t picture;    // bytes
    pid_t pid;         // of ffmpeg, 0 = not running
    int pipe;          // its standard input
    int words;         // what it says on standard error: a file in memory
    struct sigaction before;
};

static int has_ending(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcasecmp(path + n - m, ending) == 0;
}

double tb_film_fastest(const char *path)
{
    // a gif counts hundredths of a second, and players take less than two for ten
    return has_ending(path, ".mp4") ? 60 : has_ending(path, ".gif") ? 50 : 0;
}

static const char *program(void)
{
    const char *name = getenv("TRPO_BENCH_FFMPEG");
    return name != NULL && *name != '\0' ? name : "ffmpeg";
}

// the last line that ffmpeg said, without what a terminal cannot show
static void last_words(const tb_film *film, char *line, size_t size)
{
    char text[512];
    off_t end = lseek(film->words, 0, SEEK_END);
    off_t from = end > (off_t)sizeof text - 1 ? end - (off_t)sizeof text + 1 : 0;
    ssize_t n = pread(film->words, text, sizeof text - 1, from);
    while (n > 0 && (unsigned char)text[n - 1] <= ' ')
        n--;
    text[n > 0 ? n : 0] = '\0';
    const char *last = strrchr(text, '\n');
    snprintf(line, size, "%s", last != NULL ? last + 1 : text);
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
}

// waits for ffmpeg; TB_E_IO when it did not end well
static tb_status wait_for(tb_film *film, tb_error *error)
{
    int status;
    char words[512];
    if (film->pipe >= 0)
        close(film->pipe);
    film->pipe = -1;
    while (waitpid(film->pid, &status, 0) < 0)
        if (errno != EINTR)
            return tb_fail(error, TB_E_IO, "cannot wait for ffmpeg: %s", strerror(errno));
    film->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return TB_OK;
    last_words(film, words, sizeof words);
    return tb_fail(error, TB_E_IO, "ffmpeg could not write %s: %s", film->path,
                   words[0] != '\0' ? words : "it ended without a word");
}

static void discard(tb_film *film)
{
    if (film->pipe >= 0)
        close(film->pipe);
    if (film->words >= 0)
        close(film->words);
    sigaction(SIGPIPE, &film->before, NULL);
    free(film->path);
    free(film->part);
    free(film);
}

// starts argv with the pipe's other end as its standard input; an errno
static int start(tb_film *film, char *const argv[])
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return errno;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, fds[0], 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, film->words, 2);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int failed = posix_spawnp(&film->pid, argv[0], &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[0]);
    film->pipe = fds[1];
    if (failed)
        film->pid = 0;
    return failed;
}

static tb_status start_ffmpeg(tb_film *film, const tb_film_def *def, tb_error *error)
{
    int gif = has_ending(def->path, ".gif");
    char size[32], rate[32];
    char *to = tb_format("file:%s", film->part);
    snprintf(size, sizeof size, "%ux%u", (unsigned)def->width, (unsigned)def->height);
    snprintf(rate, sizeof rate, "%.6f", def->pictures_per_second);
    // mp4: players want even sizes and 4:2:0. gif: a palette of 256 colours for each picture
    const char *filter =
        gif ? "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"
            : "pad=ceil(iw/2)*2:ceil(ih/2)*2,format=yuv420p";
    const char *argv[] = {program(),
                          "-nostdin",
                          "-y",
                          "-loglevel",
                          "error",
                          "-f",
                          "rawvideo",
                          "-pix_fmt",
                          "rgb24",
                          "-video_size",
                          size,
                          "-framerate",
                          rate,
                          "-i",
                          "pipe:0",
                          "-an",
                          "-filter_complex",
                          filter,
                          "-f",
                          gif ? "gif" : "mp4",
                          to,
                          NULL};
    if (to == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    int failed = start(film, (char *const *)(uintptr_t)argv);
    free(to);
    if (!failed)
        return TB_OK;
    if (failed != ENOENT && failed != EACCES)
        return tb_fail(error, TB_E_IO, "cannot start %s: %s", program(), strerror(failed));
    return tb_fail(error, TB_E_UNSUPPORTED,
                   "a film needs ffmpeg, and there is no \"%s\" on the PATH; install it (Debian: "
                   "apt-get install ffmpeg), or play without a film: --no-film",
                   program());
}

tb_status tb_film_open(const tb_film_def *def, tb_film **out, tb_error *error)
{
    TB_ASSERT(tb_film_fastest(def->path) > 0);
    tb_film *film = tb_alloc(1, sizeof *film);
    if (film == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a film");
    film->pipe = -1;
    film->words = memfd_create("ffmpeg", MFD_CLOEXEC);
    film->path = tb_format("%s", def->path);
    film->part = tb_format("%s.part", def->path);
    film->picture = (size_t)def->width * def->height * 3;
    // a pipe that nobody reads any more is an error, not the end
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &film->before);
    tb_status status = film->path == NULL || film->part == NULL || film->words < 0
                           ? tb_fail(error, TB_E_NOMEM, "no memory for a film")
                           : start_ffmpeg(film, def, error);
    if (status != TB_OK) {
        discard(film);
        return status;
    }
    *out = film;
    return TB_OK;
}

tb_status tb_film_add(tb_film *film, const uint8_t *rgb, tb_error *error)
{
    for (size_t done = 0; done < film->picture;) {
        ssize_t n = write(film->pipe, rgb + done, film->picture - done);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            break;
        if (done == film->picture)
            return TB_OK;
    }
    tb_status status = wait_for(film, error);
    return status != TB_OK
               ? status
               : tb_fail(error, TB_E_IO, "ffmpeg ended before the film %s did", film->path);
}

tb_status tb_film_close(tb_film *film, tb_error *error)
{
    tb_status status = wait_for(film, error);
    if (status == TB_OK && rename(film->part, film->path) != 0)
        status = tb_fail(error, TB_E_IO, "%s: cannot be renamed to %s: %s", film->part, film->path,
                         strerror(errno));
    if (status != TB_OK)
        unlink(film->part);
    discard(film);
    return status;
}

void tb_film_abandon(tb_film *film)
{
    if (film == NULL)
        return;
    if (film->pid > 0)
        wait_for(film, NULL);
    unlink(film->part);
    discard(film);
}
