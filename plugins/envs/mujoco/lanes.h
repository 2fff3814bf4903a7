/* SPDX-License-Identifier: MIT
 *
 * n lanes of one task over one model and one mjData; a scalar instance is one lane.
 *
 * The state of a lane is a row of doubles (model.h), and mjData is scratch: a step copies the row
 * in, steps, and copies the row out. So nothing can be left over from another lane, an earlier
 * episode or a failure, a snapshot is a copy of a row, and a lane costs kilobytes. The copies cost
 * less than a hundredth of a step.
 */
#ifndef TB_MJ_LANES_H
#define TB_MJ_LANES_H

#include "model.h"

typedef struct tb_mj_lanes tb_mj_lanes;

enum { TB_MJ_ERROR_CAP = 512 };

/* NULL with a reason in err. Shares the model. Nothing after it allocates. */
tb_mj_lanes *tb_mj_lanes_create(tb_mj_model *model, uint64_t n, char *err, uint64_t err_cap);
void tb_mj_lanes_destroy(tb_mj_lanes *lanes);

tb_mj_model *tb_mj_lanes_model(const tb_mj_lanes *lanes);
uint64_t tb_mj_lanes_count(const tb_mj_lanes *lanes);
/* TB_MJ_ERROR_CAP bytes, for the reason of a failure. */
char *tb_mj_lanes_error(const tb_mj_lanes *lanes);
/* The parts of the last reward, in the order of the task's term_names. */
const double *tb_mj_lanes_terms(const tb_mj_lanes *lanes);

/* As in env.h, for lane i < n. */
tb_status tb_mj_lane_reset(tb_mj_lanes *lanes, uint64_t i, const tb_key *key, double *obs_out);
tb_status tb_mj_lane_step(tb_mj_lanes *lanes, uint64_t i, const float *action, double *obs_out,
                          tb_step *out);

uint64_t tb_mj_lane_bytes(const tb_mj_lanes *lanes);
tb_status tb_mj_lane_save(const tb_mj_lanes *lanes, uint64_t i, void *buf, uint64_t cap,
                          uint64_t *used);
tb_status tb_mj_lane_load(tb_mj_lanes *lanes, uint64_t i, const void *buf, uint64_t used);
tb_status tb_mj_lane_rekey(tb_mj_lanes *lanes, uint64_t i, const tb_key *key);
tb_status tb_mj_lane_observe(tb_mj_lanes *lanes, uint64_t i, double *obs_out);

tb_status tb_mj_lane_get(const tb_mj_lanes *lanes, uint64_t i, double *out);
/* Arrays that only observations read become those of mj_forward() at this state. */
tb_status tb_mj_lane_set(tb_mj_lanes *lanes, uint64_t i, const double *in);

#endif
