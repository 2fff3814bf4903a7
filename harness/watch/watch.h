/* SPDX-License-Identifier: MIT
 *
 * Watching a trained policy: what a run folder holds, made alive again, played from the starts of
 * the run's final evaluation, and filmed. With the policy's mode an episode is the evaluation's to
 * the bit; that is compared.
 */
#ifndef HARNESS_WATCH_WATCH_H
#define HARNESS_WATCH_WATCH_H

#include <stdio.h>

#include "trpo/learner.h"

/* Pixels: the widest and highest picture. */
enum { TB_WATCH_LARGEST_SIDE = 8192 };

typedef struct tb_watch_def {
    const char *run;   /* the run's folder */
    const char *film;  /* .mp4 or .gif; NULL = watch.mp4 in the run's folder */
    int no_film;       /* only play and compare */
    uint64_t first, n; /* episodes: starts of the final evaluation, which go on behind its end */
    int actions;       /* TB_PLAY_* */
    uint32_t width, height; /* of the film; 0 = what suits the environment */
    double speed; /* steps a second, each a picture; 0 = the task's own time, 30 where it has
                     none, and steps are left out where players are too slow for all */
    FILE *out;    /* one line for each episode, one for the film */
} tb_watch_def;

typedef struct tb_watch_result {
    uint64_t n_compared, n_different; /* episodes, with those of the final evaluation */
} tb_watch_result;

/* TB_E_UNSUPPORTED when the environment cannot be drawn or there is no ffmpeg; TB_E_IO,
 * TB_E_CORRUPT for what is missing in the folder. */
tb_status tb_watch(const tb_watch_def *def, tb_watch_result *result, tb_error *error);

#endif
