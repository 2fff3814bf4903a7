/* SPDX-License-Identifier: MIT */
#include "trpo/sampling/stage.h"

#include <stdlib.h>
#include <string.h>

// vec/1 wants packed rows; a scalar instance its buffers aligned to 64 bytes
static size_t row_stride(const tb_stage *stage, size_t bytes, size_t n_leaves)
{
    if (stage->api == NULL)
        return (bytes + 63) / 64 * 64;
    return n_leaves > 1 ? (bytes + 7) / 8 * 8 : bytes;
}

static tb_status init_rows(tb_stage *stage, const tb_task *task, tb_error *error)
{
    size_t n = stage->n;
    size_t observation = row_stride(stage, task->features.bytes, task->features.n_leaves);
    size_t action = row_stride(stage, task->action_bytes, 1);
    stage->observations = tb_alloc(n, observation);
    stage->actions = tb_alloc(n, action);
    stage->reward = tb_alloc(n, sizeof *stage->reward);
    stage->flags = tb_alloc(n, sizeof *stage->flags);
    stage->status = tb_alloc(n, sizeof *stage->status);
    stage->key = tb_alloc(n, sizeof *stage->key);
    stage->mask = tb_alloc(n, sizeof *stage->mask);
    if (!stage->observations || !stage->actions || !stage->reward || !stage->flags ||
        !stage->status || !stage->key || !stage->mask)
        return tb_fail(error, TB_E_NOMEM, "no memory for %zu environment lanes", n);
    tb_status status = TB_OK;
    for (size_t i = 0; i < n && status == TB_OK; i++)
        status =
            tb_lane_init_rows(&stage->lanes[i], task, (char *)stage->observations + i * observation,
                              (char *)stage->actions + i * action, error);
    return status;
}

static tb_status init_vec(tb_stage *stage, const tb_env_api *api, tb_env *env, tb_error *error)
{
    tb_status status = stage->api->create(env, stage->n, &stage->vec);
    if (status == TB_OK)
        return TB_OK;
    return tb_fail(error, status < 0 ? status : TB_E_STATE,
                   "the environment's vec/1 cannot make %zu lanes (%s): %s", stage->n,
                   tb_status_name(status), api->last_error(env));
}

// the first environment tells whether there is vec/1; if so it is only the prototype
static tb_status init_environments(tb_stage *stage, const tb_task *task, tb_error *error)
{
    tb_lane *lanes = stage->lanes;
    tb_status status = task->make(task->make_ctx, &lanes[0].api, &lanes[0].env, error);
    if (status != TB_OK)
        return status;
    const tb_env_vec *vec = lanes[0].api->get_extension(lanes[0].env, TB_EXT_ENV_VEC);
    if (vec != NULL && TB_HAS(tb_env_vec, vec, observe) && (vec->scope != 0 || !task->snapshots)) {
        stage->api = vec;
        status = init_vec(stage, lanes[0].api, lanes[0].env, error);
        lanes[0].api->destroy(lanes[0].env);
        lanes[0].api = NULL;
        lanes[0].env = NULL;
        return status;
    }
    const tb_env_snapshot *snapshot =
        lanes[0].api->get_extension(lanes[0].env, TB_EXT_ENV_SNAPSHOT);
    if (snapshot != NULL && TB_HAS(tb_env_snapshot, snapshot, observe))
        stage->snapshot = snapshot;
    for (size_t i = 1; i < stage->n && status == TB_OK; i++)
        status = task->make(task->make_ctx, &lanes[i].api, &lanes[i].env, error);
    return status;
}

tb_status tb_stage_init(tb_stage *stage, const tb_task *task, tb_lane *lanes, size_t n,
                        tb_error *error)
{
    *stage = (tb_stage){.n = n, .lanes = lanes};
    memset(lanes, 0, n * sizeof *lanes);
    tb_status status = init_environments(stage, task, error);
    if (status == TB_OK)
        status = init_rows(stage, task, error);
    if (status != TB_OK)
        tb_stage_finish(stage);
    return status;
}

void tb_stage_finish(tb_stage *stage)
{
    for (size_t i = 0; i < stage->n; i++)
        tb_lane_finish(&stage->lanes[i]);
    if (stage->vec != NULL)
        stage->api->destroy(stage->vec);
    free(stage->observations);
    free(stage->actions);
    free(stage->reward);
    free(stage->flags);
    free(stage->status);
    free(stage->key);
    free(stage->mask);
    memset(stage, 0, sizeof *stage);
}

void tb_stage_step(tb_stage *stage, const uint8_t *active)
{
    if (stage->api != NULL) {
        // what it returns is in status too
        (void)stage->api->step(stage->vec, active, stage->actions, stage->observations,
                               stage->reward, stage->flags, stage->status);
        return;
    }
    for (size_t i = 0; i < stage->n; i++) {
        tb_lane *lane = &stage->lanes[i];
        tb_step step = {.struct_size = sizeof step};
        if (active != NULL && !active[i])
            continue;
        stage->status[i] = lane->api->step(lane->env, lane->action, lane->observation, &step);
        stage->reward[i] = step.reward;
        stage->flags[i] = step.flags;
    }
}

tb_status tb_stage_reset(tb_stage *stage, tb_error *error)
{
    if (stage->api != NULL)
        (void)stage->api->reset(stage->vec, stage->mask, stage->key, stage->observations,
                                stage->status);
    tb_status status = TB_OK;
    for (size_t i = 0; i < stage->n; i++) {
        tb_lane *lane = &stage->lanes[i];
        if (!stage->mask[i])
            continue;
        stage->mask[i] = 0;
        if (stage->api == NULL)
            stage->status[i] = lane->api->reset(lane->env, &stage->key[i], lane->observation);
        if (stage->status[i] != TB_OK && status == TB_OK)
            status =
                tb_lane_error(lane, "reset", 0, stage->status[i], tb_stage_text(stage, i), error);
    }
    return status;
}

const char *tb_stage_text(const tb_stage *stage, size_t i)
{
    return stage->api != NULL ? stage->api->last_error(stage->vec)
                              : stage->lanes[i].api->last_error(stage->lanes[i].env);
}

size_t tb_stage_snapshot_bytes(const tb_stage *stage)
{
    if (stage->api != NULL)
        return stage->api->scope != 0 ? (size_t)stage->api->max_bytes(stage->vec) : 0;
    return stage->snapshot != NULL ? (size_t)stage->snapshot->max_bytes(stage->lanes[0].env) : 0;
}

tb_status tb_stage_save(const tb_stage *stage, size_t i, void *buf, size_t *used, tb_error *error)
{
    const tb_lane *lane = &stage->lanes[i];
    uint64_t cap = tb_stage_snapshot_bytes(stage), n = 0;
    tb_status status = stage->api != NULL ? stage->api->save(stage->vec, i, buf, cap, &n)
                                          : stage->snapshot->save(lane->env, buf, cap, &n);
    if (status != TB_OK)
        return tb_lane_error(lane, "snapshot save", lane->length, status, tb_stage_text(stage, i),
                             error);
    if (n == 0 || n > cap)
        return tb_fail(error, TB_E_STATE,
                       "the environment's snapshot save says it wrote %llu bytes, where its "
                       "max_bytes allows 1 to %llu",
                       (unsigned long long)n, (unsigned long long)cap);
    *used = (size_t)n;
    return TB_OK;
}

tb_status tb_stage_load(tb_stage *stage, size_t i, const void *buf, size_t used, const tb_key *key,
                        tb_error *error)
{
    const tb_lane *lane = &stage->lanes[i];
    const char *call = "snapshot load";
    tb_status status = stage->api != NULL ? stage->api->load(stage->vec, i, buf, used)
                                          : stage->snapshot->load(lane->env, buf, used);
    if (status == TB_OK) {
        call = "snapshot rekey";
        status = stage->api != NULL ? stage->api->rekey(stage->vec, i, key)
                                    : stage->snapshot->rekey(lane->env, key);
    }
    if (status == TB_OK)
        return TB_OK;
    return tb_lane_error(lane, call, lane->length, status, tb_stage_text(stage, i), error);
}
