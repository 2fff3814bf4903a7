/* SPDX-License-Identifier: MIT */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/rng/streams.h"
#include "trpo/sampling/actor.h"
#include "trpo/sampling/stage.h"
#include "trpo/sampling/vine.h"

// lanes that are stepped together by one thread: one forward pass serves them all
enum { group_lanes = 8 };

typedef struct tb_group {
    size_t first, count;  // lanes
    tb_stage stage;       // their environments
    tb_net_lane policy;   // group_lanes rows
    double *y;            // [group_lanes][D]
    tb_episode *episodes; // ended in this batch, in order of (t, lane)
    size_t n_episodes, max_episodes;
    size_t n_gathered;            // of them
    size_t n_finals[group_lanes]; // each lane's in this batch
    uint64_t clipped;
    tb_status status;
    tb_error error;
} tb_group;

// the next episode of lane g: told to the lane, started by the next tb_stage_reset()
static void begin_episode(tb_sampler *sampler, tb_group *group, size_t g, uint64_t episode)
{
    group->stage.key[g] = tb_lane_begin(&group->stage.lanes[g], sampler->task, TB_STREAM_EPISODE,
                                        group->first + g, episode);
    group->stage.mask[g] = 1;
}

static tb_status init_stage(tb_sampler *sampler, tb_group *group, tb_error *error)
{
    tb_status status = tb_stage_init(&group->stage, sampler->task, sampler->lanes + group->first,
                                     group->count, error);
    if (status != TB_OK)
        return status;
    for (size_t g = 0; g < group->count; g++)
        begin_episode(sampler, group, g, 0);
    return tb_stage_reset(&group->stage, error);
}

tb_status tb_sampler_init(tb_sampler *sampler, tb_task *task, const tb_net *policy, size_t n_lanes,
                          size_t max_steps, tb_error *error)
{
    *sampler = (tb_sampler){
        .task = task, .n_lanes = n_lanes, .n_groups = (n_lanes + group_lanes - 1) / group_lanes};
    sampler->lanes = tb_alloc(n_lanes, sizeof *sampler->lanes);
    sampler->lane_moments = tb_alloc(n_lanes, sizeof *sampler->lane_moments);
    sampler->groups = tb_alloc(sampler->n_groups, sizeof *sampler->groups);
    sampler->max_episodes = n_lanes * max_steps;
    sampler->episodes = tb_alloc(sampler->max_episodes, sizeof *sampler->episodes);
    tb_status status = TB_OK;
    if (!sampler->lanes || !sampler->lane_moments || !sampler->groups || !sampler->episodes) {
        status = tb_fail(error, TB_E_NOMEM, "no memory for %zu lanes", n_lanes);
        goto fail;
    }
    for (size_t i = 0; i < n_lanes && status == TB_OK; i++)
        status = tb_moments_init(&sampler->lane_moments[i], task->features.n_features, error);
    for (size_t i = 0; i < sampler->n_groups && status == TB_OK; i++) {
        tb_group *group = &sampler->groups[i];
        group->first = i * group_lanes;
        group->count = n_lanes - group->first < group_lanes ? n_lanes - group->first : group_lanes;
        group->max_episodes = group->count * max_steps;
        group->y = tb_alloc(group_lanes * task->head.n_params, sizeof(double));
        group->episodes = tb_alloc(group->max_episodes, sizeof *group->episodes);
        if (!group->y || !group->episodes)
            status = tb_fail(error, TB_E_NOMEM, "no memory for %zu lanes", n_lanes);
        if (status == TB_OK)
            status = init_stage(sampler, group, error);
        if (status == TB_OK)
            status = tb_net_lane_init(&group->policy, policy, group_lanes, error);
    }
    if (status == TB_OK)
        return TB_OK;
fail:
    tb_sampler_finish(sampler);
    return status;
}

void tb_sampler_finish(tb_sampler *sampler)
{
    for (size_t i = 0; sampler->lane_moments != NULL && i < sampler->n_lanes; i++)
        tb_moments_finish(&sampler->lane_moments[i]);
    for (size_t i = 0; sampler->groups != NULL && i < sampler->n_groups; i++) {
        tb_stage_finish(&sampler->groups[i].stage);
        tb_net_lane_finish(&sampler->groups[i].policy);
        free(sampler->groups[i].y);
        free(sampler->groups[i].episodes);
    }
    free(sampler->lanes);
    free(sampler->lane_moments);
    free(sampler->groups);
    free(sampler->episodes);
    memset(sampler, 0, sizeof *sampler);
}

// features of lane g into row g of the group's network input
static void load_row(const tb_net_lane *net, size_t g, const double *features)
{
    size_t bytes = net->net->n_in * tb_dtype_size(net->net->dtype);
    tb_to_native(net->net->dtype, features, (char *)net->x + g * bytes, net->net->n_in);
}

// observes every lane of the group and runs the policy on them: group->y
static tb_status group_forward(tb_sampler *sampler, tb_group *group, const tb_scaler *scaler)
{
    for (size_t g = 0; g < group->count; g++) {
        tb_lane *lane = &sampler->lanes[group->first + g];
        tb_status status = tb_lane_observe(lane, sampler->task, scaler,
                                           &sampler->lane_moments[group->first + g], &group->error);
        if (status != TB_OK)
            return status;
        load_row(&group->policy, g, lane->features);
    }
    return tb_net_lane_forward(&group->policy, group->count, group->y, &group->error);
}

static uint64_t count_clipped(const tb_task *task, const double *a)
{
    uint64_t n = 0;
    // an entry that is mapped into the bounds is never outside them
    if (task->action.kind == TB_SPACE_BOX && task->head.api->to_env == NULL)
        for (size_t i = 0; i < task->action.count; i++)
            n += a[i] < task->action.low[i] || a[i] > task->action.high[i];
    return n;
}

// where lane g stands, for the critic: behind the truncated row `row`, or behind its last one. Each
// lane has room of its own until gather_finals()
static tb_status record_final(tb_sampler *sampler, tb_group *group, size_t g,
                              const tb_scaler *scaler, size_t row, tb_batch *batch)
{
    tb_lane *lane = &sampler->lanes[group->first + g];
    tb_status status = tb_lane_observe(lane, sampler->task, scaler, NULL, &group->error);
    if (status != TB_OK)
        return status;
    size_t at = (group->first + g) * (batch->steps + 1) + group->n_finals[g]++;
    const tb_net *net = group->policy.net;
    tb_to_native(net->dtype, lane->features, (char *)batch->final_x + at * batch->x_row_bytes,
                 net->n_in);
    batch->final_time[at] = (double)lane->length;
    batch->final_row[at] = row;
    return TB_OK;
}

static void record_episode(tb_sampler *sampler, tb_group *group, size_t g, size_t t)
{
    const tb_lane *lane = &sampler->lanes[group->first + g];
    TB_ASSERT(group->n_episodes < group->max_episodes);
    group->episodes[group->n_episodes++] = (tb_episode){
        .lane = group->first + g,
        .index = lane->episode,
        .step = sampler->steps_done + (t + 1) * sampler->n_lanes,
        .reward_sum = lane->reward_sum,
        .length = lane->length,
    };
}

// draws every lane's action and keeps what the update will need of this step
static tb_status group_draw(tb_sampler *sampler, tb_group *group, size_t t, tb_batch *batch)
{
    const tb_task *task = sampler->task;
    const tb_head *head = &task->head;
    size_t x_bytes = group->policy.net->n_in * tb_dtype_size(group->policy.net->dtype);
    for (size_t g = 0; g < group->count; g++) {
        tb_lane *lane = &sampler->lanes[group->first + g];
        size_t row = (group->first + g) * batch->steps + t;
        const double *y = group->y + g * head->n_params;

        memcpy((char *)batch->x + row * x_bytes, (const char *)group->policy.x + g * x_bytes,
               x_bytes);
        memcpy(batch->y_old + row * head->n_params, y, head->n_params * sizeof *y);
        tb_lane_draw(lane, task, &group->policy, group->count, g, y);
        memcpy(batch->action + row * head->n_action, lane->act, head->n_action * sizeof(double));
        batch->log_prob_old[row] = head->api->log_prob(head, y, lane->act);
        group->clipped += count_clipped(task, lane->act);
        tb_status status = tb_lane_pack(lane, task, &group->error);
        if (status == TB_OK && sampler->vine != NULL)
            status = tb_vine_keep(sampler->vine, &group->stage, g, row, &group->error);
        if (status != TB_OK)
            return status;
    }
    return TB_OK;
}

// what lane g's step gave: its row, the value of a final observation, the end of an episode
static tb_status take_step(tb_sampler *sampler, tb_group *group, size_t g, const tb_scaler *scaler,
                           size_t t, tb_batch *batch)
{
    const tb_stage *stage = &group->stage;
    tb_lane *lane = &stage->lanes[g];
    size_t row = (group->first + g) * batch->steps + t;
    uint8_t start = lane->length == 0 ? TB_ROW_START : 0, end = 0;
    tb_status status = stage->status[g];
    status =
        tb_lane_take(lane, sampler->task, status, status == TB_OK ? "" : tb_stage_text(stage, g),
                     stage->reward[g], stage->flags[g], &batch->reward[row], &end, &group->error);
    if (status != TB_OK)
        return status;
    batch->flags[row] = start | end;
    batch->time[row] = (double)(lane->length - 1);
    batch->final_value[row] = 0;
    if (end == TB_ROW_TRUNCATED)
        status = record_final(sampler, group, g, scaler, row, batch);
    if (status == TB_OK && end != 0) {
        record_episode(sampler, group, g, t);
        begin_episode(sampler, group, g, lane->episode + 1);
    }
    return status;
}

static tb_status group_act(tb_sampler *sampler, tb_group *group, const tb_scaler *scaler, size_t t,
                           tb_batch *batch)
{
    tb_status status = group_draw(sampler, group, t, batch);
    if (status != TB_OK)
        return status;
    tb_stage_step(&group->stage, NULL);
    size_t n_before = group->n_episodes;
    for (size_t g = 0; g < group->count && status == TB_OK; g++)
        status = take_step(sampler, group, g, scaler, t, batch);
    if (status != TB_OK || group->n_episodes == n_before)
        return status;
    return tb_stage_reset(&group->stage, &group->error);
}

static tb_status play_group(tb_sampler *sampler, tb_group *group, const tb_scaler *scaler,
                            tb_batch *batch)
{
    group->n_episodes = 0;
    group->clipped = 0;
    memset(group->n_finals, 0, sizeof group->n_finals);
    for (size_t t = 0; t < batch->steps; t++) {
        tb_status status = group_forward(sampler, group, scaler);
        if (status == TB_OK)
            status = group_act(sampler, group, scaler, t, batch);
        if (status != TB_OK)
            return status;
    }
    // where each lane stands now: seen again, and counted, as the first row of the next batch
    tb_status status = TB_OK;
    for (size_t g = 0; g < group->count && status == TB_OK; g++)
        status = record_final(sampler, group, g, scaler, batch->n_rows + group->first + g, batch);
    return status;
}

// moves the group's episodes that ended at `step` to the sampler's list
static void gather_group(tb_sampler *sampler, tb_group *group, uint64_t step)
{
    while (group->n_gathered < group->n_episodes &&
           group->episodes[group->n_gathered].step == step) {
        TB_ASSERT(sampler->n_episodes < sampler->max_episodes);
        sampler->episodes[sampler->n_episodes++] = group->episodes[group->n_gathered++];
    }
}

// a merge in order of (step, lane): qsort would allocate
static void gather_episodes(tb_sampler *sampler, size_t steps)
{
    sampler->n_episodes = 0;
    sampler->clipped_actions = 0;
    for (size_t i = 0; i < sampler->n_groups; i++) {
        sampler->groups[i].n_gathered = 0;
        sampler->clipped_actions += sampler->groups[i].clipped;
    }
    for (size_t t = 0; t < steps; t++)
        for (size_t i = 0; i < sampler->n_groups; i++)
            gather_group(sampler, &sampler->groups[i],
                         sampler->steps_done + (t + 1) * sampler->n_lanes);
}

// closes the gaps between the lanes' final observations
static void gather_finals(const tb_sampler *sampler, tb_batch *batch)
{
    char *x = batch->final_x;
    batch->n_finals = 0;
    for (size_t l = 0; l < sampler->n_lanes; l++) {
        size_t from = l * (batch->steps + 1), to = batch->n_finals;
        size_t n = sampler->groups[l / group_lanes].n_finals[l % group_lanes];
        memmove(x + to * batch->x_row_bytes, x + from * batch->x_row_bytes, n * batch->x_row_bytes);
        memmove(batch->final_time + to, batch->final_time + from, n * sizeof(double));
        memmove(batch->final_row + to, batch->final_row + from, n * sizeof *batch->final_row);
        batch->n_finals += n;
    }
}

static void play_groups(tb_sampler *sampler, const tb_scaler *scaler, tb_batch *batch)
{
    // one thread needs no team, which libgomp would allocate
    if (sampler->n_groups == 1 || omp_get_max_threads() == 1) {
        for (size_t i = 0; i < sampler->n_groups; i++)
            sampler->groups[i].status = play_group(sampler, &sampler->groups[i], scaler, batch);
        return;
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t i = 0; i < sampler->n_groups; i++)
        sampler->groups[i].status = play_group(sampler, &sampler->groups[i], scaler, batch);
}

tb_status tb_sampler_run(tb_sampler *sampler, const tb_scaler *scaler, size_t steps,
                         tb_batch *batch, tb_error *error)
{
    batch->lanes = sampler->n_lanes;
    batch->steps = steps;
    batch->n_rows = batch->lanes * steps;
    TB_ASSERT(batch->n_rows <= batch->max_rows);
    for (size_t i = 0; i < sampler->n_lanes; i++)
        tb_moments_clear(&sampler->lane_moments[i]);
    play_groups(sampler, scaler, batch);
    for (size_t i = 0; i < sampler->n_groups; i++) {
        if (sampler->groups[i].status != TB_OK) {
            if (error != NULL)
                *error = sampler->groups[i].error;
            return sampler->groups[i].status;
        }
    }
    gather_finals(sampler, batch);
    gather_episodes(sampler, steps);
    sampler->steps_done += batch->n_rows;
    return TB_OK;
}
