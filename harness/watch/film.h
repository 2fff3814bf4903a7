/* SPDX-License-Identifier: MIT
 *
 * A film from raw pictures: ffmpeg, started without a shell and fed through a pipe.
 */
#ifndef HARNESS_WATCH_FILM_H
#define HARNESS_WATCH_FILM_H

#include "trpo/base/base.h"

typedef struct tb_film_def {
    const char *path; /* ends in .mp4 or .gif */
    uint32_t width, height;
    double pictures_per_second;
} tb_film_def;

typedef struct tb_film tb_film;

/* The most pictures a second that players of such a file show: 60, .gif 50. 0 when the name is
 * neither that of an mp4 nor of a gif. */
double tb_film_fastest(const char *path);

/* Starts ffmpeg: the one on the PATH, or TRPO_BENCH_FFMPEG. TB_E_UNSUPPORTED, with what to install,
 * when there is none. What it makes is called `path`.part until tb_film_close. SIGPIPE is ignored
 * while the film is open. */
tb_status tb_film_open(const tb_film_def *def, tb_film **out, tb_error *error);

/* One picture, rgb [height][width][3], rows from the top. TB_E_IO with ffmpeg's last words when it
 * has ended. */
tb_status tb_film_add(tb_film *film, const uint8_t *rgb, tb_error *error);

/* Waits for ffmpeg and gives the film its name; the film is gone, whatever is returned. */
tb_status tb_film_close(tb_film *film, tb_error *error);

/* Ends ffmpeg and removes what it has made. Takes NULL. */
void tb_film_abandon(tb_film *film);

#endif
