/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/net/gsde.h"
#include "trpo/rng/streams.h"
#include "trpo/sampling/actor.h"

// (H + 1) A of gSDE
static size_t eps_count(const tb_head *head)
{
    return head->n_features > 0 ? (head->n_features + 1) * head->n_action : 0;
}

tb_status tb_lane_init(tb_lane *lane, const tb_task *task, tb_error *error)
{
    memset(lane, 0, sizeof *lane);
    tb_status status = task->make(task->make_ctx, &lane->api, &lane->env, error);
    if (status != TB_OK)
        return status;
    // both rows begin at a multiple of 64 bytes
    size_t observation = (task->features.bytes + 63) / 64 * 64;
    void *rows = tb_alloc(1, observation + task->action_bytes);
    lane->rows = rows;
    status = rows == NULL ? tb_fail(error, TB_E_NOMEM, "no memory for an environment lane")
                          : tb_lane_init_rows(lane, task, rows, (char *)rows + observation, error);
    if (status != TB_OK)
        tb_lane_finish(lane);
    return status;
}

tb_status tb_lane_init_rows(tb_lane *lane, const tb_task *task, void *observation, void *action,
                            tb_error *error)
{
    lane->observation = observation;
    lane->action = action;
    lane->features = tb_alloc(task->features.n_features, sizeof(double));
    lane->act = tb_alloc(task->head.n_action, sizeof(double));
    lane->unif = tb_alloc(task->head.n_unif, sizeof(double));
    lane->y = tb_alloc(task->head.n_params, sizeof(double));
    lane->eps = tb_alloc(eps_count(&task->head), sizeof(double));
    if (lane->features && lane->act && lane->unif && lane->y && lane->eps)
        return TB_OK;
    return tb_fail(error, TB_E_NOMEM, "no memory for an environment lane");
}

void tb_lane_finish(tb_lane *lane)
{
    if (lane->env != NULL)
        lane->api->destroy(lane->env);
    free(lane->rows);
    free(lane->features);
    free(lane->act);
    free(lane->unif);
    free(lane->y);
    free(lane->eps);
    memset(lane, 0, sizeof *lane);
}

tb_status tb_lane_error(const tb_lane *lane, const char *call, uint64_t step, tb_status status,
                        const char *text, tb_error *error)
{
    return tb_fail(error, status < 0 ? status : TB_E_STATE,
                   "the environment's %s failed with %s in step %llu of its "
                   "episode %llu%s%s",
                   call, tb_status_name(status), (unsigned long long)step,
                   (unsigned long long)lane->episode, text[0] != '\0' ? ": " : "", text);
}

tb_key tb_lane_begin(tb_lane *lane, const tb_task *task, uint64_t episode_purpose, uint64_t i,
                     uint64_t j)
{
    lane->episode = j;
    lane->length = 0;
    lane->reward_sum = 0;
    tb_rng_init(&lane->noise, tb_stream_key(task->seed, TB_STREAM_ACTION, i, j));
    return tb_stream_key(task->seed, episode_purpose, i, j);
}

tb_status tb_lane_reset(tb_lane *lane, const tb_task *task, uint64_t episode_purpose, uint64_t i,
                        uint64_t j, tb_error *error)
{
    tb_key key = tb_lane_begin(lane, task, episode_purpose, i, j);
    tb_status status = lane->api->reset(lane->env, &key, lane->observation);
    if (status == TB_OK)
        return TB_OK;
    return tb_lane_error(lane, "reset", 0, status, lane->api->last_error(lane->env), error);
}

tb_status tb_lane_observe(tb_lane *lane, const tb_task *task, const tb_scaler *scaler,
                          tb_moments *statistics, tb_error *error)
{
    tb_features_expand(&task->features, lane->observation, lane->features);
    for (size_t k = 0; k < task->features.n_features; k++)
        if (!isfinite(lane->features[k]))
            return tb_fail(error, TB_E_NUMERIC,
                           "the environment returned %g as entry %zu of its observation in step "
                           "%llu of its episode %llu",
                           lane->features[k], k, (unsigned long long)lane->length,
                           (unsigned long long)lane->episode);
    if (statistics != NULL)
        tb_moments_add(statistics, lane->features);
    tb_scaler_apply(scaler, lane->features);
    return TB_OK;
}

void tb_lane_draw_held(tb_lane *lane, const tb_task *task)
{
    for (size_t i = 0; i < eps_count(&task->head); i++)
        lane->eps[i] = tb_normal_of_uniform(tb_rng_f64(&lane->noise));
}

void tb_lane_draw(tb_lane *lane, const tb_task *task, const tb_net_lane *net, size_t rows,
                  size_t row, const double *y)
{
    const tb_head *head = &task->head;
    if (head->n_features == 0) {
        for (size_t i = 0; i < head->n_unif; i++)
            lane->unif[i] = tb_rng_f64(&lane->noise);
        head->api->sample(head, y, lane->unif, lane->act);
        return;
    }
    if (lane->length == 0 ||
        (task->gsde_resample_steps > 0 && lane->length % task->gsde_resample_steps == 0))
        tb_lane_draw_held(lane, task);
    // a = mean + noise
    tb_gsde_noise(net->net->map, net->ws, rows, row, lane->eps, lane->act);
    for (size_t i = 0; i < head->n_action; i++)
        lane->act[i] += y[i];
}

// nearest number of an integer type; converting what does not fit would be undefined
static double fit(double value, double low, double high)
{
    return value >= high ? high : value >= low ? nearbyint(value) : low;
}

static void store_action(const tb_space *space, void *to, size_t i, double value)
{
    switch (space->dtype) {
    case TB_F64: ((double *)to)[i] = value; break;
    case TB_F32: ((float *)to)[i] = (float)value; break;
    case TB_I32: ((int32_t *)to)[i] = (int32_t)fit(value, INT32_MIN, INT32_MAX); break;
    default: ((uint8_t *)to)[i] = (uint8_t)fit(value, 0, UINT8_MAX); break;
    }
}

static void pack_action(tb_lane *lane, const tb_task *task)
{
    const tb_space *space = &task->action;
    void *to = (char *)lane->action + space->offset;
    const tb_head *head = &task->head;
    for (size_t i = 0; i < space->count; i++) {
        double a = lane->act[i];
        if (head->api->to_env != NULL)
            a = head->api->to_env(head, i, a);
        if (space->kind != TB_SPACE_BOX)
            a += space->start != NULL ? (double)space->start[i] : 0;
        else if (task->clip_actions)
            a = a < space->low[i] ? space->low[i] : a > space->high[i] ? space->high[i] : a;
        store_action(space, to, i, a);
    }
}

tb_status tb_lane_pack(tb_lane *lane, const tb_task *task, tb_error *error)
{
    for (size_t i = 0; i < task->head.n_action; i++)
        if (!isfinite(lane->act[i]))
            return tb_fail(error, TB_E_NUMERIC,
                           "the policy's action has %g as entry %zu in step %llu of episode %llu: "
                           "its parameters have grown too large; lower the step",
                           lane->act[i], i, (unsigned long long)lane->length + 1,
                           (unsigned long long)lane->episode);
    pack_action(lane, task);
    return TB_OK;
}

static double uniform_entry(const tb_space *space, size_t i, double u)
{
    if (space->kind == TB_SPACE_MULTI_BINARY)
        return u < 0.5 ? 0 : 1;
    if (space->kind != TB_SPACE_BOX)
        return floor(u * (double)space->nvec[i]) +
               (space->start != NULL ? (double)space->start[i] : 0);
    double low = space->low[i], high = space->high[i];
    if (isfinite(low) && isfinite(high))
        return low + (high - low) * u;
    return fmin(fmax(tb_normal_of_uniform(u), low), high);
}

void tb_lane_pack_uniform(tb_lane *lane, const tb_task *task)
{
    const tb_space *space = &task->action;
    for (size_t i = 0; i < space->count; i++)
        store_action(space, (char *)lane->action + space->offset, i,
                     uniform_entry(space, i, tb_rng_f64(&lane->noise)));
}

tb_status tb_lane_take(tb_lane *lane, const tb_task *task, tb_status status, const char *text,
                       double env_reward, uint32_t env_flags, double *reward, uint8_t *flags,
                       tb_error *error)
{
    if (status != TB_OK)
        return tb_lane_error(lane, "step", lane->length + 1, status, text, error);
    lane->length++;
    if (!isfinite(env_reward))
        return tb_fail(error, TB_E_NUMERIC,
                       "the environment returned the reward %g in step %llu of its episode %llu",
                       env_reward, (unsigned long long)lane->length,
                       (unsigned long long)lane->episode);
    lane->reward_sum += env_reward;
    *reward = env_reward;
    *flags = 0;
    if (env_flags & TB_TERMINATED)
        *flags |= TB_ROW_TERMINATED;
    // the time limit belongs to the host
    if ((env_flags & TB_TRUNCATED) ||
        (task->max_episode_steps > 0 && lane->length >= task->max_episode_steps))
        *flags |= TB_ROW_TRUNCATED;
    return TB_OK;
}

tb_status tb_lane_step_packed(tb_lane *lane, const tb_task *task, double *reward, uint8_t *flags,
                              tb_error *error)
{
    tb_step step = {.struct_size = sizeof step};
    tb_status status = lane->api->step(lane->env, lane->action, lane->observation, &step);
    const char *text = status == TB_OK ? "" : lane->api->last_error(lane->env);
    return tb_lane_take(lane, task, status, text, step.reward, step.flags, reward, flags, error);
}

tb_status tb_lane_step(tb_lane *lane, const tb_task *task, double *reward, uint8_t *flags,
                       tb_error *error)
{
    tb_status status = tb_lane_pack(lane, task, error);
    return status == TB_OK ? tb_lane_step_packed(lane, task, reward, flags, error) : status;
}
