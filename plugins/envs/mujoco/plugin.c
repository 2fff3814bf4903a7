/* SPDX-License-Identifier: MIT
 *
 * The plugin's tables: entry, factories, instances, extensions. What they do is in lanes.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "lanes.h"
#include "params.h"
#include "render.h"
#include "terms.h"

// ---- the tasks, listed by CMake: TB_MJ_TASKS is TASK(ant) TASK(hopper) ... ----

#define TASK(name) extern const tb_mj_task tb_mj_##name;
TB_MJ_TASKS
#undef TASK

static const tb_mj_task *const tasks[] = {
#define TASK(name) &tb_mj_##name,
    TB_MJ_TASKS
#undef TASK
};

enum { n_tasks = sizeof tasks / sizeof tasks[0] };

static const tb_mj_task *find(const char *id)
{
    for (int i = 0; i < n_tasks; i++)
        if (strcmp(tasks[i]->desc.id, id) == 0)
            return tasks[i];
    return NULL;
}

// ---- one instance ----

// both opaque types are lanes; a tb_env has one
static tb_mj_lanes *lanes_of(const tb_env *env)
{
    return (tb_mj_lanes *)(uintptr_t)env;
}

static tb_mj_lanes *lanes_in(const tb_vec *vec)
{
    return (tb_mj_lanes *)(uintptr_t)vec;
}

static void destroy(tb_env *env)
{
    tb_mj_lanes_destroy(lanes_of(env));
}

static tb_status space(tb_env *env, uint32_t which, uint32_t leaf, tb_space *out)
{
    const tb_mj_model *model = tb_mj_lanes_model(lanes_of(env));
    if (which > TB_SPACE_ACTION || leaf != 0) {
        snprintf(tb_mj_lanes_error(lanes_of(env)), TB_MJ_ERROR_CAP,
                 "space %u has no leaf %u: there are spaces 0 (observation) and 1 (action) with "
                 "one leaf each",
                 (unsigned)which, (unsigned)leaf);
        return TB_E_INVALID;
    }
    int is_action = which == TB_SPACE_ACTION;
    tb_space full = {.struct_size = out->struct_size,
                     .kind = TB_SPACE_BOX,
                     .dtype = is_action ? TB_F32 : TB_F64,
                     .ndim = 1,
                     .count = is_action ? model->n_actions : model->n_obs,
                     .low = model->low[which],
                     .high = model->high[which],
                     .name = is_action ? "controls" : "observation",
                     .n_leaves = 1};
    full.shape[0] = full.count;
    full.bytes = full.count * (is_action ? sizeof(float) : sizeof(double));
    memcpy(out, &full, out->struct_size < sizeof full ? out->struct_size : sizeof full);
    return TB_OK;
}

static tb_status reset(tb_env *env, const tb_key *key, void *obs_out)
{
    return tb_mj_lane_reset(lanes_of(env), 0, key, obs_out);
}

static tb_status step(tb_env *env, const void *action, void *obs_out, tb_step *out)
{
    return tb_mj_lane_step(lanes_of(env), 0, action, obs_out, out);
}

static const char *last_error(tb_env *env)
{
    return tb_mj_lanes_error(lanes_of(env));
}

// ---- snapshot/1, state-vector/1, reward terms ----

static uint64_t max_bytes(tb_env *env)
{
    return tb_mj_lane_bytes(lanes_of(env));
}

static tb_status save(const tb_env *env, void *buf, uint64_t cap, uint64_t *used)
{
    return tb_mj_lane_save(lanes_of(env), 0, buf, cap, used);
}

static tb_status load(tb_env *env, const void *buf, uint64_t used)
{
    return tb_mj_lane_load(lanes_of(env), 0, buf, used);
}

static tb_status rekey(tb_env *env, const tb_key *key)
{
    return tb_mj_lane_rekey(lanes_of(env), 0, key);
}

static tb_status observe(tb_env *env, void *obs_out)
{
    return tb_mj_lane_observe(lanes_of(env), 0, obs_out);
}

static uint64_t vector_count(tb_env *env)
{
    return tb_mj_lanes_model(lanes_of(env))->n_vector;
}

static const char *vector_name(tb_env *env, uint64_t i)
{
    const tb_mj_model *model = tb_mj_lanes_model(lanes_of(env));
    return i < model->n_vector ? model->names[i] : NULL;
}

static tb_status vector_get(const tb_env *env, double *out)
{
    return tb_mj_lane_get(lanes_of(env), 0, out);
}

static tb_status vector_set(tb_env *env, const double *in)
{
    return tb_mj_lane_set(lanes_of(env), 0, in);
}

static const char *term_name(tb_env *env, uint64_t i)
{
    return i < TB_MJ_TERMS ? tb_mj_lanes_model(lanes_of(env))->task->term_names[i] : NULL;
}

static double term_get(tb_env *env, uint64_t i)
{
    return tb_mj_lanes_terms(lanes_of(env))[i];
}

// ---- vec/1 ----

static tb_status vec_create(tb_env *prototype, uint64_t n, tb_vec **out)
{
    tb_mj_lanes *from = lanes_of(prototype);
    char *error = tb_mj_lanes_error(from);
    if (n == 0) {
        snprintf(error, TB_MJ_ERROR_CAP, "0 lanes");
        return TB_E_INVALID;
    }
    tb_mj_lanes *lanes = tb_mj_lanes_create(tb_mj_lanes_model(from), n, error, TB_MJ_ERROR_CAP);
    if (lanes == NULL)
        return TB_E_NOMEM;
    *out = (tb_vec *)lanes;
    return TB_OK;
}

static void vec_destroy(tb_vec *vec)
{
    tb_mj_lanes_destroy(lanes_in(vec));
}

// notes what lane i gave; *first keeps the first failure, `text` its reason
static void note(const tb_mj_lanes *lanes, tb_status status, tb_status *slot, tb_status *first,
                 char text[TB_MJ_ERROR_CAP])
{
    *slot = status;
    if (status == TB_OK || *first != TB_OK)
        return;
    *first = status;
    memcpy(text, tb_mj_lanes_error(lanes), TB_MJ_ERROR_CAP);
}

static tb_status told(const tb_mj_lanes *lanes, tb_status first, const char *text)
{
    if (first != TB_OK)
        memcpy(tb_mj_lanes_error(lanes), text, TB_MJ_ERROR_CAP);
    return first;
}

static tb_status vec_reset(tb_vec *vec, const uint8_t *mask, const tb_key *keys, void *obs_out,
                           tb_status *status)
{
    tb_mj_lanes *lanes = lanes_in(vec);
    uint64_t n_obs = tb_mj_lanes_model(lanes)->n_obs, n = tb_mj_lanes_count(lanes);
    char text[TB_MJ_ERROR_CAP];
    tb_status first = TB_OK;
    for (uint64_t i = 0; i < n; i++)
        if (mask == NULL || mask[i])
            note(lanes, tb_mj_lane_reset(lanes, i, &keys[i], (double *)obs_out + i * n_obs),
                 &status[i], &first, text);
    return told(lanes, first, text);
}

static tb_status vec_step(tb_vec *vec, const uint8_t *mask, const void *actions, void *obs_out,
                          double *rewards, uint32_t *flags, tb_status *status)
{
    tb_mj_lanes *lanes = lanes_in(vec);
    const tb_mj_model *model = tb_mj_lanes_model(lanes);
    uint64_t n = tb_mj_lanes_count(lanes);
    char text[TB_MJ_ERROR_CAP];
    tb_status first = TB_OK;
    for (uint64_t i = 0; i < n; i++) {
        tb_step out = {.struct_size = sizeof out};
        if (mask != NULL && !mask[i])
            continue;
        note(lanes,
             tb_mj_lane_step(lanes, i, (const float *)actions + i * model->n_actions,
                             (double *)obs_out + i * model->n_obs, &out),
             &status[i], &first, text);
        if (status[i] == TB_OK) {
            rewards[i] = out.reward;
            flags[i] = out.flags;
        }
    }
    return told(lanes, first, text);
}

static const char *vec_last_error(tb_vec *vec)
{
    return tb_mj_lanes_error(lanes_in(vec));
}

static uint64_t vec_max_bytes(tb_vec *vec)
{
    return tb_mj_lane_bytes(lanes_in(vec));
}

static int has_lane(const tb_vec *vec, uint64_t lane, const char *call)
{
    uint64_t n = tb_mj_lanes_count(lanes_in(vec));
    if (lane >= n)
        snprintf(tb_mj_lanes_error(lanes_in(vec)), TB_MJ_ERROR_CAP,
                 "%s() of lane %llu: there are %llu", call, (unsigned long long)lane,
                 (unsigned long long)n);
    return lane < n;
}

static tb_status vec_save(const tb_vec *vec, uint64_t lane, void *buf, uint64_t cap, uint64_t *used)
{
    return has_lane(vec, lane, "save") ? tb_mj_lane_save(lanes_in(vec), lane, buf, cap, used)
                                       : TB_E_INVALID;
}

static tb_status vec_load(tb_vec *vec, uint64_t lane, const void *buf, uint64_t used)
{
    return has_lane(vec, lane, "load") ? tb_mj_lane_load(lanes_in(vec), lane, buf, used)
                                       : TB_E_INVALID;
}

static tb_status vec_rekey(tb_vec *vec, uint64_t lane, const tb_key *key)
{
    return has_lane(vec, lane, "rekey") ? tb_mj_lane_rekey(lanes_in(vec), lane, key) : TB_E_INVALID;
}

static tb_status vec_observe(tb_vec *vec, uint64_t lane, void *obs_out)
{
    return has_lane(vec, lane, "observe") ? tb_mj_lane_observe(lanes_in(vec), lane, obs_out)
                                          : TB_E_INVALID;
}

// ---- render/1 ----

static tb_status render_info(tb_env *env, tb_render_info *out)
{
    return tb_mj_render_info(lanes_of(env), out);
}

static tb_status render_create(tb_env *prototype, uint32_t width, uint32_t height, tb_render **out)
{
    return tb_mj_render_create(lanes_of(prototype), width, height, out);
}

static tb_status render_frame(tb_render *render, const tb_env *env, uint8_t *rgb)
{
    return tb_mj_render_frame(render, lanes_of(env), rgb);
}

// ---- tables ----

static const tb_env_snapshot snapshot_table = {
    sizeof(tb_env_snapshot), TB_SNAP_SAME_BINARY, max_bytes, save, load, rekey, observe};
static const tb_env_state_vector vector_table = {
    sizeof(tb_env_state_vector), 0, vector_count, vector_name, vector_get, vector_set};
static const tb_env_vec vec_table = {
    sizeof(tb_env_vec), TB_SNAP_SAME_BINARY, vec_create, vec_destroy, vec_reset, vec_step,
    vec_last_error,     vec_max_bytes,       vec_save,   vec_load,    vec_rekey, vec_observe};
static const tb_env_render render_table = {
    sizeof(tb_env_render), 0, render_info, render_create, tb_mj_render_destroy, render_frame,
    tb_mj_render_error};
static const tb_mj_terms terms_table = {sizeof(tb_mj_terms), 0, term_name, term_get};

static const void *get_extension(tb_env *env, const char *id)
{
    (void)env;
    if (strcmp(id, TB_EXT_ENV_SNAPSHOT) == 0)
        return &snapshot_table;
    if (strcmp(id, TB_EXT_ENV_STATE_VECTOR) == 0)
        return &vector_table;
    if (strcmp(id, TB_EXT_ENV_VEC) == 0)
        return &vec_table;
    if (strcmp(id, TB_EXT_ENV_RENDER) == 0)
        return &render_table;
    return strcmp(id, TB_MJ_EXT_TERMS) == 0 ? &terms_table : NULL;
}

static const tb_env_api env_api = {sizeof(tb_env_api), 0, destroy, space, reset, step, last_error,
                                   get_extension};

// ---- factories and entry ----

static uint32_t count(void)
{
    return n_tasks;
}

static const tb_env_desc *describe(uint32_t i)
{
    return i < n_tasks ? &tasks[i]->desc : NULL;
}

static tb_status create(const tb_host *host, const char *id, const tb_params *params,
                        const tb_env_api **api, tb_env **out, char *err, uint64_t err_cap)
{
    const tb_mj_task *task = find(id);
    tb_mj_model *model = NULL;
    (void)host;
    if (task == NULL) {
        if (err_cap > 0)
            snprintf(err, (size_t)err_cap, "no environment \"%s\" in this library", id);
        return TB_E_INVALID;
    }
    tb_status status = tb_mj_model_load(task, params, &model, err, err_cap);
    if (status != TB_OK)
        return status;
    tb_mj_lanes *lanes = tb_mj_lanes_create(model, 1, err, err_cap);
    tb_mj_model_release(model); // the lanes have their own share
    if (lanes == NULL)
        return TB_E_NOMEM;
    *api = &env_api;
    *out = (tb_env *)lanes;
    return TB_OK;
}

static uint32_t schema_count(const char *id)
{
    return tb_mj_params_count(find(id));
}

static tb_status schema_get(const char *id, uint32_t i, tb_param_info *out)
{
    return tb_mj_params_get(find(id), i, out);
}

static const void *get_factory(const char *id)
{
    static const tb_env_factory envs = {sizeof(tb_env_factory), 0, count, describe, create};
    static const tb_params_schema schema = {sizeof(tb_params_schema), 0, schema_count, schema_get};
    if (strcmp(id, TB_ENV_FACTORY) == 0)
        return &envs;
    return strcmp(id, TB_PARAMS_SCHEMA) == 0 ? &schema : NULL;
}

static tb_status init(const tb_host *host)
{
    (void)host;
    tb_mj_engine_start();
    return TB_OK;
}

TB_EXPORT const tb_entry *tb_plugin_entry(void)
{
    static const tb_entry entry = {.magic = TB_ABI_MAGIC,
                                   .struct_size = sizeof(tb_entry),
                                   .abi_major = TB_ABI_MAJOR,
                                   .abi_minor = TB_ABI_MINOR,
                                   .layout_crc = TB_ABI_LAYOUT_CRC,
                                   .build = TB_PLUGIN_BUILD ", " TB_MJ_BUILD,
                                   .init = init,
                                   .deinit = tb_mj_engine_stop,
                                   .get_factory = get_factory};
    return &entry;
}
