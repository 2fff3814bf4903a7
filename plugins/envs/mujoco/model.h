/* SPDX-License-Identifier: MIT
 *
 * A task with its parameters and its model: loaded once, constant from then on, shared by an
 * instance and all lanes that are made from it.
 *
 * What a state is made of is laid down here: a row of doubles. Its first `n_vector` are what the
 * next step and its reward read (state-vector/1 shows them); the rest are arrays that only
 * observations read, as the last step left them.
 */
#ifndef TB_MJ_MODEL_H
#define TB_MJ_MODEL_H

#include "task.h"

typedef struct tb_mj_model {
    const tb_mj_task *task;
    tb_mj_params params;
    mjModel *m;
    double dt;           /* s from one step of the task to the next */
    uint64_t n_obs;      /* observed values */
    uint64_t n_actions;  /* m->nu */
    uint64_t n_vector;   /* doubles of a row that the next step reads */
    uint64_t n_row;      /* all doubles of a row */
    uint64_t id_hash;    /* of the task's id */
    uint64_t model_hash; /* of parameters, model file and MuJoCo's version */
    double *low[2];      /* bounds by TB_SPACE_*: [n_obs], [n_actions] */
    double *high[2];
    char (*names)[32];   /* [n_vector] "qpos3" */
    uint64_t references; /* atomic */
} tb_mj_model;

/* Loads the model that the parameters ask for. TB_E_PARAM, TB_E_IO or TB_E_NOMEM with a reason in
 * err; *out then stays untouched. */
tb_status tb_mj_model_load(const tb_mj_task *task, const tb_params *params, tb_mj_model **out,
                           char *err, uint64_t err_cap);

/* One more user; one less, and the end of it after the last. release() takes NULL. */
tb_mj_model *tb_mj_model_share(tb_mj_model *model);
void tb_mj_model_release(tb_mj_model *model);

/* The array of d that field `which` (TB_MJ_XPOS ...) names, and how many doubles it has. */
double *tb_mj_field(const mjModel *m, mjData *d, uint32_t which, uint64_t *n);

/* mjData for the model, or NULL with a reason in err. */
mjData *tb_mj_data_create(const mjModel *m, char *err, uint64_t err_cap);
void tb_mj_data_destroy(mjData *d);

#endif
