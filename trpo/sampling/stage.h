/* SPDX-License-Identifier: MIT
 *
 * The environments of a group of lanes: one vec/1 instance where the environment offers it, else
 * one scalar instance a lane. Both give the same bits.
 */
#ifndef TRPO_SAMPLING_STAGE_H
#define TRPO_SAMPLING_STAGE_H

#include "trpo/sampling/actor.h"

typedef struct tb_stage {
    size_t n; /* lanes */
    tb_lane *lanes;
    const tb_env_vec *api; /* NULL: every lane has an environment of its own */
    tb_vec *vec;
    void *observations, *actions;    /* [n] rows: the lanes' observation and action */
    double *reward;                  /* [n] of the last step, like the next two */
    uint32_t *flags;                 /* [n] TB_TERMINATED | TB_TRUNCATED */
    tb_status *status;               /* [n] of the last call */
    tb_key *key;                     /* [n] of the episodes that begin */
    uint8_t *mask;                   /* [n] lanes that the next tb_stage_reset() is about */
    const tb_env_snapshot *snapshot; /* [n] scalar instances: the first one's, or NULL */
} tb_stage;

/* Makes the environments of lanes[0 .. n-1] and initialises the lanes, which stay the caller's but
 * are finished by tb_stage_finish(). Nothing is reset. On failure the stage is finished. */
tb_status tb_stage_init(tb_stage *stage, const tb_task *task, tb_lane *lanes, size_t n,
                        tb_error *error);
void tb_stage_finish(tb_stage *stage);

/* Steps the lanes whose `active` [n] is not 0 (NULL: every lane) with the action they have packed:
 * reward, flags, status of those lanes. */
void tb_stage_step(tb_stage *stage, const uint8_t *active);

/* Starts the episode key[i] in every lane whose mask is not 0; clears the mask. The error names the
 * first lane's failure. */
tb_status tb_stage_reset(tb_stage *stage, tb_error *error);

/* Bytes that a snapshot of one lane takes at most; 0 when the environment has no snapshot/1. */
size_t tb_stage_snapshot_bytes(const tb_stage *stage);

/* Saves lane i into buf [tb_stage_snapshot_bytes()]; *used gets the bytes written. */
tb_status tb_stage_save(const tb_stage *stage, size_t i, void *buf, size_t *used, tb_error *error);

/* Puts a snapshot of any stage of the same environment into lane i and gives it the random stream
 * of `key`. The lane's row of observations is not written. */
tb_status tb_stage_load(tb_stage *stage, size_t i, const void *buf, size_t used, const tb_key *key,
                        tb_error *error);

/* The text that the environment gives for the failure of lane i, the first one that failed. */
const char *tb_stage_text(const tb_stage *stage, size_t i);

#endif
