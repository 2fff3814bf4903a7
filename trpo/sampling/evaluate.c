/* SPDX-License-Identifier: MIT */
#include "trpo/sampling/actor.h"

// one step with an action of the policy
static tb_status act(tb_task *task, tb_lane *lane, tb_net_lane *net, const tb_scaler *scaler,
                     int actions, double *reward, uint8_t *flags, tb_error *error)
{
    tb_status status = tb_lane_observe(lane, task, scaler, NULL, error);
    if (status != TB_OK)
        return status;
    tb_to_native(net->net->dtype, lane->features, net->x, net->net->n_in);
    status = tb_net_lane_forward(net, 1, lane->y, error);
    if (status != TB_OK)
        return status;
    if (actions == TB_PLAY_SAMPLE)
        tb_lane_draw(lane, task, net, 1, 0, lane->y);
    else
        task->head.api->mode(&task->head, lane->y, lane->act);
    return tb_lane_step(lane, task, reward, flags, error);
}

tb_status tb_play_episode(tb_task *task, tb_lane *lane, tb_net_lane *net, const tb_scaler *scaler,
                          uint64_t purpose, uint64_t step, uint64_t k, const tb_play *play,
                          tb_episode *out, tb_error *error)
{
    tb_status status = tb_lane_reset(lane, task, purpose, 0, k, error);
    uint8_t flags = 0;
    double reward;
    if (status == TB_OK && play->on_state != NULL)
        status = play->on_state(play->ctx, lane, flags, error);
    while (status == TB_OK && flags == 0) {
        if (play->actions == TB_PLAY_UNIFORM) {
            tb_lane_pack_uniform(lane, task);
            status = tb_lane_step_packed(lane, task, &reward, &flags, error);
        } else {
            status = act(task, lane, net, scaler, play->actions, &reward, &flags, error);
        }
        if (status == TB_OK && play->on_state != NULL)
            status = play->on_state(play->ctx, lane, flags, error);
    }
    *out = (tb_episode){
        .index = k, .step = step, .reward_sum = lane->reward_sum, .length = lane->length};
    return status;
}

tb_status tb_evaluate(tb_task *task, tb_lane *lanes, tb_net_lane *nets, size_t n_lanes,
                      const tb_scaler *scaler, uint64_t purpose, uint64_t step, size_t n,
                      tb_episode *out, tb_error *error)
{
    const tb_play mode = {.actions = TB_PLAY_MODE};
    tb_status failed = TB_OK;
    size_t failed_lane = n_lanes;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t l = 0; l < n_lanes; l++) {
        tb_error lane_error = {0};
        tb_status status = TB_OK;
        for (size_t k = l; k < n && status == TB_OK; k += n_lanes)
            status = tb_play_episode(task, &lanes[l], &nets[l], scaler, purpose, step, k, &mode,
                                     &out[k], &lane_error);
        if (status != TB_OK) {
            // of several failures the first lane's is told, whatever the threads
#pragma omp critical
            if (l < failed_lane) {
                failed = status;
                failed_lane = l;
                if (error != NULL)
                    *error = lane_error;
            }
        }
    }
    return failed;
}
