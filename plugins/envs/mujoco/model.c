/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trpo-bench/env_kit_bytes.h>

#include "engine.h"
#include "file.h"
#include "params.h"

// ---- calls into MuJoCo ----

typedef struct loading {
    const char *path;
    mjModel *m;
    mjData *d;
    char text[1024];
} loading;

static void load_xml(void *arg)
{
    loading *l = arg;
    l->m = mj_loadXML(l->path, NULL, l->text, (int)sizeof l->text);
}

static void make_data(void *arg)
{
    loading *l = arg;
    l->d = mj_makeData(l->m);
}

static void delete_data(void *arg)
{
    mj_deleteData(arg);
}

static void delete_model(void *arg)
{
    mj_deleteModel(arg);
}

mjData *tb_mj_data_create(const mjModel *m, char *err, uint64_t err_cap)
{
    loading l = {.m = (mjModel *)(uintptr_t)m};
    if (tb_mj_guarded(make_data, &l, err, err_cap) == TB_OK && l.d == NULL && err_cap > 0)
        snprintf(err, (size_t)err_cap, "MuJoCo has no memory for a simulation");
    return l.d;
}

void tb_mj_data_destroy(mjData *d)
{
    if (d != NULL)
        tb_mj_guarded(delete_data, d, NULL, 0);
}

// ---- the layout of a row ----

double *tb_mj_field(const mjModel *m, mjData *d, uint32_t which, uint64_t *n)
{
    uint64_t bodies = (uint64_t)m->nbody, nv = (uint64_t)m->nv;
    switch (which) {
    case TB_MJ_XPOS: *n = 3 * bodies; return d->xpos;
    case TB_MJ_CINERT: *n = 10 * bodies; return d->cinert;
    case TB_MJ_CVEL: *n = 6 * bodies; return d->cvel;
    case TB_MJ_QFRC_ACTUATOR: *n = nv; return d->qfrc_actuator;
    case TB_MJ_QFRC_CONSTRAINT: *n = nv; return d->qfrc_constraint;
    case TB_MJ_CFRC_EXT: *n = 6 * bodies; return d->cfrc_ext;
    default: *n = 0; return NULL;
    }
}

static void name_group(tb_mj_model *model, uint64_t *at, const char *name, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        snprintf(model->names[(*at)++], sizeof model->names[0], "%s%u", name, (unsigned)i);
}

static tb_status lay_out(tb_mj_model *model)
{
    const mjModel *m = model->m;
    uint64_t nq = (uint64_t)m->nq, nv = (uint64_t)m->nv, na = (uint64_t)m->na, at = 0, n;
    uint64_t carried = model->task->carries_position ? 2 : 0;
    mjData none = {0};
    model->n_vector = 1 + nq + nv + na + nv + carried;
    model->n_row = model->n_vector;
    for (const uint32_t *field = model->task->shown; *field != TB_MJ_NO_FIELD; field++) {
        tb_mj_field(m, &none, *field, &n);
        model->n_row += n;
    }
    model->names = calloc((size_t)model->n_vector, sizeof model->names[0]);
    if (model->names == NULL)
        return TB_E_NOMEM;
    name_group(model, &at, "time", 1);
    name_group(model, &at, "qpos", nq);
    name_group(model, &at, "qvel", nv);
    name_group(model, &at, "act", na);
    name_group(model, &at, "qacc_warmstart", nv);
    name_group(model, &at, "position", carried);
    return TB_OK;
}

// observations are unbounded; actions have the ranges of their actuators, as float32
static tb_status set_bounds(tb_mj_model *model)
{
    uint64_t n[2] = {model->n_obs, model->n_actions};
    for (int which = 0; which < 2; which++) {
        model->low[which] = malloc((size_t)n[which] * sizeof(double));
        model->high[which] = malloc((size_t)n[which] * sizeof(double));
        if (model->low[which] == NULL || model->high[which] == NULL)
            return TB_E_NOMEM;
        for (uint64_t i = 0; i < n[which]; i++) {
            int limited = which == TB_SPACE_ACTION && model->m->actuator_ctrllimited[i];
            const double *range = limited ? model->m->actuator_ctrlrange + 2 * i : NULL;
            model->low[which][i] = limited ? (double)(float)range[0] : -INFINITY;
            model->high[which][i] = limited ? (double)(float)range[1] : INFINITY;
        }
    }
    return TB_OK;
}

// ---- models ----

// what a model has that a row does not hold, or NULL
static const char *unsupported(const mjModel *m)
{
#if mjVERSION_HEADER >= 3017000
    if (m->npluginstate > 0 || m->nplugin > 0)
        return "engine plugins";
    if (m->nhistory > 0)
        return "delays of actuators or sensors";
    if (m->opt.enableflags & (mjENBL_SLEEP | mjENBL_IPC))
        return "sleeping bodies or contacts of flexes across steps (option flags sleep, ipc)";
#else
    (void)m;
#endif
    return NULL;
}

static tb_status refuse(const char *path, const char *why, char *err, uint64_t err_cap)
{
    if (err_cap > 0)
        snprintf(err, (size_t)err_cap, "model %s: %s", path, why);
    return TB_E_PARAM;
}

static tb_status compile(tb_mj_model *model, const char *path, char *err, uint64_t err_cap)
{
    loading l = {.path = path};
    char why[512];
    tb_status status = tb_mj_guarded(load_xml, &l, why, sizeof why);
    if (status != TB_OK || l.m == NULL)
        return refuse(path, l.text[0] != '\0' ? l.text : why, err, err_cap);
    model->m = l.m;
    if (unsupported(l.m) != NULL) {
        snprintf(why, sizeof why, "it uses %s, which snapshots here do not hold", unsupported(l.m));
        return refuse(path, why, err, err_cap);
    }
    tb_mj_view view = {.p = &model->params, .m = l.m};
    model->n_obs = model->task->fit(&view, why, sizeof why);
    if (model->n_obs == 0)
        return refuse(path, why, err, err_cap);
    model->n_actions = (uint64_t)l.m->nu;
    model->dt = l.m->opt.timestep * (double)model->params.frame_skip;
    status = lay_out(model);
    if (status == TB_OK)
        status = set_bounds(model);
    if (status != TB_OK && err_cap > 0)
        snprintf(err, (size_t)err_cap, "out of memory");
    return status;
}

// the file that params_read() asks for between two rows
static const char *hash_of_file(void *ctx, const tb_mj_params *p)
{
    tb_mj_file *file = ctx;
    tb_mj_file_find(file, p->xml_file, p->model);
    return file->sha256[0] != '\0' ? file->sha256 : NULL;
}

static tb_status check_hash(const tb_mj_model *model, const tb_mj_file *file, char *err,
                            uint64_t err_cap)
{
    char why[256];
    if (model->params.model_sha256[0] == '\0' ||
        strcmp(model->params.model_sha256, file->sha256) == 0)
        return TB_OK;
    snprintf(why, sizeof why, "its SHA-256 is %s, model_sha256 asks for %s", file->sha256,
             model->params.model_sha256);
    return refuse(file->path, why, err, err_cap);
}

static uint64_t hash_model(const tb_mj_model *model, const tb_mj_file *file)
{
    uint64_t hash = tb_mj_params_hash(&model->params);
    hash = tb__kit_hash_word(hash, (uint64_t)mj_version());
    return tb__kit_hash_text(hash, file->sha256);
}

static tb_status fill(tb_mj_model *model, const tb_params *params, tb_mj_file *file, char *err,
                      uint64_t err_cap)
{
    tb_status status =
        tb_mj_params_read(model->task, params, hash_of_file, file, &model->params, err, err_cap);
    if (status != TB_OK)
        return status;
    if (file->sha256[0] == '\0') {
        if (err_cap > 0)
            snprintf(err, (size_t)err_cap, "%s", file->err);
        return TB_E_IO;
    }
    if (mj_version() != mjVERSION_HEADER) {
        if (err_cap > 0)
            snprintf(err, (size_t)err_cap, "built for MuJoCo %d, the library is version %d",
                     mjVERSION_HEADER, mj_version());
        return TB_E_UNSUPPORTED;
    }
    status = check_hash(model, file, err, err_cap);
    if (status == TB_OK)
        status = compile(model, file->path, err, err_cap);
    model->id_hash = tb__kit_hash_text(TB__KIT_HASH_START, model->task->desc.id);
    model->model_hash = hash_model(model, file);
    return status;
}

tb_status tb_mj_model_load(const tb_mj_task *task, const tb_params *params, tb_mj_model **out,
                           char *err, uint64_t err_cap)
{
    tb_mj_model *model = calloc(1, sizeof *model);
    tb_mj_file file = {.sha256 = ""};
    if (model == NULL) {
        if (err_cap > 0)
            snprintf(err, (size_t)err_cap, "out of memory");
        return TB_E_NOMEM;
    }
    model->task = task;
    model->references = 1;
    tb_status status = fill(model, params, &file, err, err_cap);
    if (status != TB_OK) {
        tb_mj_model_release(model);
        return status;
    }
    *out = model;
    return TB_OK;
}

tb_mj_model *tb_mj_model_share(tb_mj_model *model)
{
    __atomic_add_fetch(&model->references, 1, __ATOMIC_RELAXED);
    return model;
}

void tb_mj_model_release(tb_mj_model *model)
{
    if (model == NULL || __atomic_sub_fetch(&model->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    if (model->m != NULL)
        tb_mj_guarded(delete_model, model->m, NULL, 0);
    for (int which = 0; which < 2; which++) {
        free(model->low[which]);
        free(model->high[which]);
    }
    free(model->names);
    free(model);
}
