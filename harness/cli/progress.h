/* SPDX-License-Identifier: MIT
 *
 * What a person sees of a running suite, on standard error: on a terminal a bar and a line for each
 * worker, redrawn in place; elsewhere one plain line for each change of a cell's state.
 */
#ifndef HARNESS_CLI_PROGRESS_H
#define HARNESS_CLI_PROGRESS_H

#include "harness/worker/pool.h"

typedef enum tb_progress_style {
    TB_PROGRESS_AUTO, /* full on a terminal, else plain; plain when TERM is unset or "dumb" or
                         NO_COLOR is set */
    TB_PROGRESS_FULL,
    TB_PROGRESS_PLAIN,
    TB_PROGRESS_NONE
} tb_progress_style;

typedef struct tb_progress {
    tb_progress_style style;
    size_t n_cells, n_ended, n_failed;
    uint64_t steps_all;   /* of all cells to run */
    uint64_t steps_ended; /* of those that ended */
    const tb_suite *suite;
    double started;                    /* monotonic seconds */
    int lines;                         /* on the screen, to be redrawn */
    const volatile sig_atomic_t *stop; /* not 0: the pool is stopping; NULL = never */
    int told_stop;
} tb_progress;

void tb_progress_begin(tb_progress *progress, tb_progress_style style, const tb_suite *suite,
                       const tb_cell *const *cells, size_t n_cells);

/* The pool's callbacks; ctx is the tb_progress. */
void tb_progress_on_start(void *ctx, const tb_slot *slot);
void tb_progress_on_progress(void *ctx, const tb_slot *slots, size_t n_slots);
void tb_progress_on_end(void *ctx, const tb_slot *slot, tb_cell_end end, const char *message);

/* Clears what is redrawn in place. */
void tb_progress_end(tb_progress *progress);

/* "3 h 07 min", "2 min 05 s", "8 s". */
void tb_format_duration(double seconds, char out[32]);

#endif
