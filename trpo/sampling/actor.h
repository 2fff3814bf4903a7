/* SPDX-License-Identifier: MIT
 *
 * Environments being played: lanes that carry one environment each from step to step, and what
 * training rollouts and evaluation episodes share.
 */
#ifndef TRPO_SAMPLING_ACTOR_H
#define TRPO_SAMPLING_ACTOR_H

#include <trpo-bench/env.h>
#include <trpo-bench/rng.h>

#include "trpo/dist/head.h"
#include "trpo/net/features.h"
#include "trpo/net/net.h"
#include "trpo/sampling/batch.h"

/* One finished episode. */
typedef struct tb_episode {
    uint64_t lane;     /* evaluation: 0 */
    uint64_t index;    /* of the lane's episodes, from 0 */
    uint64_t step;     /* environment steps done over all lanes when it ended (training) or at the
                          evaluation */
    double reward_sum; /* raw, undiscounted */
    uint64_t length;   /* steps */
} tb_episode;

/* Creates one environment instance; called once a lane. */
typedef tb_status (*tb_env_maker)(void *ctx, const tb_env_api **api, tb_env **env, tb_error *error);

/* What every lane of a run shares. */
typedef struct tb_task {
    tb_env_maker make;
    void *make_ctx;
    uint64_t max_episode_steps; /* 0 = none */
    int clip_actions;
    uint64_t gsde_resample_steps; /* 0 = only at an episode's start */
    uint64_t seed;
    tb_features features;
    tb_space action; /* its low, high, nvec, start belong to the first lane's environment */
    tb_head head;
    size_t action_bytes;
    int snapshots; /* lanes will be saved and restored: rather scalar instances than a vec/1 that
                      cannot */
} tb_task;

typedef struct tb_lane {
    const tb_env_api *api;
    tb_env *env;       /* NULL: the lane is one of a tb_vec (stage.h) */
    void *rows;        /* what observation and action lie in when they are the lane's own */
    void *observation; /* packed, current */
    void *action;      /* packed */
    double *features;  /* [I] of the current observation, normalised */
    double *act;       /* [A] */
    double *unif;      /* [U] */
    double *eps;       /* [H + 1][A] gSDE: the noise that is held; A standard normals a feature */
    double *y;         /* [D] for evaluation */
    uint64_t episode;  /* index of the current episode */
    uint64_t length;   /* steps done in it */
    double reward_sum;
    tb_rng noise; /* the policy's random numbers of this episode */
} tb_lane;

/* A lane with an environment and rows of its own. */
tb_status tb_lane_init(tb_lane *lane, const tb_task *task, tb_error *error);
/* The rest of a lane whose `api` and `env` are set; both rows stay the caller's. On failure the
 * caller finishes the lane. */
tb_status tb_lane_init_rows(tb_lane *lane, const tb_task *task, void *observation, void *action,
                            tb_error *error);
void tb_lane_finish(tb_lane *lane);

/* Begins the episode named by (episode_purpose, i, j) and returns the key that its environment must
 * be reset with; the noise comes from (TB_STREAM_ACTION, i, j). */
tb_key tb_lane_begin(tb_lane *lane, const tb_task *task, uint64_t episode_purpose, uint64_t i,
                     uint64_t j);
/* The same, and resets the lane's environment. */
tb_status tb_lane_reset(tb_lane *lane, const tb_task *task, uint64_t episode_purpose, uint64_t i,
                        uint64_t j, tb_error *error);

/* Observation -> lane->features, scaled by `scaler`; checks that it is finite. `statistics` (may be
 * NULL) gets the unscaled ones added. */
tb_status tb_lane_observe(tb_lane *lane, const tb_task *task, const tb_scaler *scaler,
                          tb_moments *statistics, tb_error *error);

/* gSDE: draws the noise that is held anew, as an episode's start does. Nothing for other heads. */
void tb_lane_draw_held(tb_lane *lane, const tb_task *task);

/* Draws lane->act from the distribution y [D], with the episode's next random numbers. `net` made y
 * as row `row` of a batch of `rows`. With gSDE the noise is that of the state (trpo/net/gsde.h):
 * drawn anew where the episode begins and every gsde_resample_steps steps of it. */
void tb_lane_draw(tb_lane *lane, const tb_task *task, const tb_net_lane *net, size_t rows,
                  size_t row, const double *y);

/* lane->act, clipped and converted, into lane->action. TB_E_NUMERIC when it is not finite. */
tb_status tb_lane_pack(tb_lane *lane, const tb_task *task, tb_error *error);
/* What the environment gave for it: counts the step, enforces the time limit. *flags gets
 * TB_ROW_TERMINATED | TRUNCATED. `text` is the environment's, read when status is a failure. */
tb_status tb_lane_take(tb_lane *lane, const tb_task *task, tb_status status, const char *text,
                       double env_reward, uint32_t env_flags, double *reward, uint8_t *flags,
                       tb_error *error);
/* Packs, steps the lane's environment, takes. */
tb_status tb_lane_step(tb_lane *lane, const tb_task *task, double *reward, uint8_t *flags,
                       tb_error *error);
/* The same with what is in lane->action already. */
tb_status tb_lane_step_packed(tb_lane *lane, const tb_task *task, double *reward, uint8_t *flags,
                              tb_error *error);

/* Tells that the environment's `call` failed in step `step` (from 1; 0 = the reset) of the lane's
 * episode. */
tb_status tb_lane_error(const tb_lane *lane, const char *call, uint64_t step, tb_status status,
                        const char *text, tb_error *error);

/* An action for lane->action that is uniform in its space, with the episode's next random numbers;
 * entries without finite bounds are standard normal, and held within the bound that they have. */
void tb_lane_pack_uniform(tb_lane *lane, const tb_task *task);

/* Training rollouts. */
typedef struct tb_sampler {
    struct tb_vine *vine; /* whose rollout set is kept on the way, or NULL (trpo/sampling/vine.h) */
    tb_task *task;
    tb_lane *lanes;
    size_t n_lanes;
    tb_moments *lane_moments; /* [n_lanes] of the batch under way, raw Box features */
    struct tb_group *groups;
    size_t n_groups;
    uint64_t steps_done;  /* over all lanes */
    tb_episode *episodes; /* of the last batch, ordered by (step, lane) */
    size_t n_episodes, max_episodes;
    uint64_t clipped_actions; /* of the last batch: entries that lay outside their bounds */
} tb_sampler;

tb_status tb_sampler_init(tb_sampler *sampler, tb_task *task, const tb_net *policy, size_t n_lanes,
                          size_t max_steps, tb_error *error);
void tb_sampler_finish(tb_sampler *sampler);

/* Steps every lane `steps` times and fills *batch but for advantage, target and everything that is
 * a value, which the critic gives afterwards (final_value is set to 0). `scaler` is frozen
 * meanwhile; lane_moments are gathered anew. */
tb_status tb_sampler_run(tb_sampler *sampler, const tb_scaler *scaler, size_t steps,
                         tb_batch *batch, tb_error *error);

/* How actions are chosen where episodes are only watched. */
enum { TB_PLAY_MODE, TB_PLAY_SAMPLE, TB_PLAY_UNIFORM };

typedef struct tb_play {
    int actions; /* TB_PLAY_*: the mode of the policy, draws from it, or uniform ones without it */
    /* Called with each state of the episode, the first one included; `flags` are TB_ROW_TERMINATED
     * | TRUNCATED, not 0 at the last one. A failure ends the episode. May be NULL. */
    tb_status (*on_state)(void *ctx, const tb_lane *lane, uint8_t flags, tb_error *error);
    void *ctx;
} tb_play;

/* Plays episode k, which starts from key (purpose, 0, k), in a lane. With TB_PLAY_MODE it is the
 * episode of tb_evaluate to the bit. */
tb_status tb_play_episode(tb_task *task, tb_lane *lane, tb_net_lane *net, const tb_scaler *scaler,
                          uint64_t purpose, uint64_t step, uint64_t k, const tb_play *play,
                          tb_episode *out, tb_error *error);

/* Plays `n` episodes with the mode of the policy; episode k starts from key (purpose, 0, k) in lane
 * k modulo n_lanes of `lanes`. out [n]. The statistics stay as they are. */
tb_status tb_evaluate(tb_task *task, tb_lane *lanes, tb_net_lane *nets, size_t n_lanes,
                      const tb_scaler *scaler, uint64_t purpose, uint64_t step, size_t n,
                      tb_episode *out, tb_error *error);

#endif
