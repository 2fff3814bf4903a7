/* SPDX-License-Identifier: MIT
 *
 * What lanes.c (simulation) and snapshot.c (bytes) share.
 */
#ifndef TB_MJ_LANES_INTERNAL_H
#define TB_MJ_LANES_INTERNAL_H

#include "lanes.h"

enum { TB_MJ_FRESH, TB_MJ_RUNNING, TB_MJ_ENDED, TB_MJ_LOST };

/* The arrays that make a row: the five of the integrator, then the task's. */
enum { TB_MJ_READ = 5, TB_MJ_PIECES = TB_MJ_READ + TB_MJ_FIELDS };

typedef struct tb_mj_piece {
    double *in_data; /* in mjData */
    uint64_t at;     /* in the row */
    uint64_t n;
} tb_mj_piece;

struct tb_mj_lanes {
    tb_mj_model *model;
    mjData *d;
    tb_mj_view view;
    tb_mj_piece piece[TB_MJ_PIECES];
    uint64_t n_pieces;
    uint64_t n;      /* lanes */
    uint64_t stride; /* doubles from one row to the next: whole cache lines */
    double *rows;    /* [n][stride] */
    tb_rng *rng;     /* [n] */
    uint8_t *phase;  /* [n] TB_MJ_* */
    char *error;     /* TB_MJ_ERROR_CAP bytes; a pointer so that const calls can write it */
    int is_broken;   /* MuJoCo raised an error: d is undefined */
    uint32_t reserved0;
    double term[TB_MJ_TERMS];
};

/* Writes a reason and returns `status`. */
tb_status tb_mj_lanes_fail(const tb_mj_lanes *lanes, tb_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "step() called before the first reset(): ..." */
tb_status tb_mj_lanes_state_error(const tb_mj_lanes *lanes, uint64_t i, const char *call);

int tb_mj_has_state(const tb_mj_lanes *lanes, uint64_t i);

/* Copies the first n pieces of row i into mjData; all pieces out of it. */
void tb_mj_row_in(const tb_mj_lanes *lanes, uint64_t i, uint64_t n);
void tb_mj_row_out(const tb_mj_lanes *lanes, uint64_t i);

#endif
