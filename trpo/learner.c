/* SPDX-License-Identifier: MIT */
#include "trpo/learner.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/advantage/advantage.h"
#include "trpo/advantage/return_scaler.h"
#include "trpo/net/gsde.h"
#include "trpo/rng/streams.h"
#include "trpo/sampling/vine.h"
#include "trpo/update/policy.h"
#include "trpo/value/critic.h"

// environments that evaluation episodes are dealt to
enum { eval_lanes = 8 };

struct tb_learner {
    tb_learner_def def;
    tb_task task;
    tb_policy policy;
    tb_critic critic;
    tb_sampler sampler;
    tb_batch batch;
    tb_moments observations;  // of all batches before this one
    tb_scaler scaler;         // frozen from them
    tb_return_scaler returns; // with normalize_returns
    tb_vine *vine;            // NULL with single-path sampling
    tb_batch rollout;         // vine: the rollout set, which the update is about
    uint64_t branch_steps;    // of the last batch
    double *algorithm_state;
    tb_iteration last;           // the counters go on from here
    const tb_env_api *probe_api; // of an instance that is never played: the spaces point into it
    tb_env *probe;
    tb_lane eval_lane[eval_lanes];
    tb_net_lane eval_net[eval_lanes];
};

static tb_status check_action_space(const tb_space *action, tb_error *error)
{
    int categories = action->kind == TB_SPACE_DISCRETE || action->kind == TB_SPACE_MULTI_DISCRETE;
    if (action->count < 1)
        return tb_fail(error, TB_E_INVALID, "the environment's action has no entries");
    for (size_t i = 0; categories && i < action->count; i++)
        if (action->nvec == NULL || action->nvec[i] < 1)
            return tb_fail(error, TB_E_INVALID,
                           "the environment's %s action has no categories (entry %zu)",
                           action->kind == TB_SPACE_DISCRETE ? "Discrete" : "MultiDiscrete", i);
    if (action->kind == TB_SPACE_BOX && (action->low == NULL || action->high == NULL))
        return tb_fail(error, TB_E_INVALID, "the environment's Box action has no bounds");
    return TB_OK;
}

// asks one environment what it sees and does
static tb_status init_task(tb_learner *learner, tb_error *error)
{
    tb_task *task = &learner->task;
    const tb_learner_def *def = &learner->def;
    *task = (tb_task){.make = def->make_env,
                      .make_ctx = def->ctx,
                      .max_episode_steps = def->max_episode_steps,
                      .clip_actions = def->learner.clip_actions,
                      .gsde_resample_steps = (uint64_t)def->learner.gsde_resample_steps,
                      .snapshots = def->learner.sampling == TB_SAMPLING_VINE,
                      .seed = def->seed};
    tb_status status = def->make_env(def->ctx, &learner->probe_api, &learner->probe, error);
    if (status != TB_OK)
        return status;
    const tb_env_api *api = learner->probe_api;
    tb_env *env = learner->probe;
    status = tb_features_init(&task->features, api, env, error);
    if (status != TB_OK)
        return status;
    task->action.struct_size = sizeof task->action;
    status = api->space(env, TB_SPACE_ACTION, 0, &task->action);
    if (status != TB_OK)
        return tb_fail(error, status, "the environment does not tell its action space (%s)",
                       api->last_error(env));
    task->action_bytes = (size_t)(task->action.offset + task->action.bytes);
    status = check_action_space(&task->action, error);
    if (status == TB_OK)
        status =
            tb_head_for_space(&task->action, def->learner.action_distribution, &task->head, error);
    task->head.log_std_init = def->learner.log_std_init;
    return status;
}

static size_t max_rows(const tb_learner_def *def)
{
    return (size_t)(def->learner.batch_steps / def->learner.lanes * def->learner.lanes);
}

static tb_map_spec map_spec(const tb_learner *learner, int critic)
{
    const tb_head *head = &learner->task.head;
    const tb_learner_config *config = &learner->def.learner;
    const tb_features *features = &learner->task.features;
    int time = critic && config->critic_time_feature;
    // one-hot inputs, several leaves, and an observation with the time have no shape
    int shaped = features->n_leaves == 1 && features->leaves[0].kind == TB_SPACE_BOX && !time;
    return (tb_map_spec){
        .struct_size = sizeof(tb_map_spec),
        .dtype = learner->def.run.precision == TB_PRECISION_F64 ? TB_F64 : TB_F32,
        .n_in = features->n_features + (size_t)time,
        .n_out = critic ? 1 : head->n_params,
        .n_const_out = critic ? 0 : head->n_const,
        .in_shape = shaped ? features->leaves[0].shape : NULL,
        .in_ndim = shaped ? features->leaves[0].ndim : 0,
        .const_init = critic ? 0 : config->log_std_init,
        .out_gain = critic ? 1 : config->policy_out_gain,
    };
}

static tb_status init_critic(tb_learner *learner, tb_error *error)
{
    const tb_learner_def *def = &learner->def;
    tb_map_spec spec = map_spec(learner, 1);
    tb_critic_def critic = {
        .config = &def->learner,
        .n_inputs = learner->task.features.n_features,
        .dtype = spec.dtype,
        .max_rows = max_rows(def),
        .time_scale = 1 / (def->max_episode_steps > 0 ? (double)def->max_episode_steps : 1000),
        .seed = def->seed,
        .spec = &spec,
    };
    tb_status status = TB_OK;
    if (tb_critic_kind_of(&def->learner)->needs_map)
        status = def->make_map(def->ctx, 1, &spec, &critic.api, &critic.map, error);
    return status == TB_OK ? tb_critic_init(&learner->critic, &critic, error) : status;
}

// the number of features that gSDE's noise is made of: asked of a map that is never used
static tb_status count_features(tb_learner *learner, tb_error *error)
{
    const tb_learner_def *def = &learner->def;
    tb_head *head = &learner->task.head;
    const tb_map_api *api;
    tb_map *map;
    tb_map_spec spec = map_spec(learner, 0);
    spec.n_out = head->n;
    tb_status status = def->make_map(def->ctx, 0, &spec, &api, &map, error);
    if (status != TB_OK)
        return status;
    status = tb_gsde_features(api, map, &head->n_features, error);
    api->destroy(map);
    return status;
}

// the policy's network of what the head reads; with gSDE it is made around the architecture
static tb_status make_policy_map(tb_learner *learner, const tb_map_spec *spec,
                                 const tb_map_api **api, tb_map **map, tb_error *error)
{
    const tb_learner_def *def = &learner->def;
    const tb_head *head = &learner->task.head;
    if (def->learner.action_distribution != TB_DISTRIBUTION_GSDE)
        return def->make_map(def->ctx, 0, spec, api, map, error);
    tb_status status = count_features(learner, error);
    if (status != TB_OK)
        return status;
    // (mean, log of each feature's sigma for each action)
    tb_map_spec inner = *spec;
    inner.n_const_out = head->n_features * head->n;
    inner.n_out = head->n + inner.n_const_out;
    status = def->make_map(def->ctx, 0, &inner, api, map, error);
    return status == TB_OK ? tb_gsde_create(*api, *map, &inner, api, map, error) : status;
}

// rows of the batch that the policy is updated on
static size_t max_update_rows(const tb_learner_def *def)
{
    return def->learner.sampling == TB_SAMPLING_VINE ? (size_t)def->learner.vine_states
                                                     : max_rows(def);
}

static tb_status init_networks(tb_learner *learner, tb_error *error)
{
    const tb_learner_def *def = &learner->def;
    const tb_map_api *api;
    tb_map *map;
    tb_map_spec spec = map_spec(learner, 0);
    tb_status status = make_policy_map(learner, &spec, &api, &map, error);
    if (status == TB_OK)
        status = tb_policy_init(&learner->policy, api, map, &spec, &learner->task.head,
                                max_update_rows(def), def->seed, error);
    if (status == TB_OK)
        status = def->algorithm->prepare(def->algorithm_config, &learner->policy, error);
    if (status != TB_OK)
        return status;
    status = init_critic(learner, error);
    if (status != TB_OK || def->algorithm->state_count == NULL)
        return status;
    size_t n = def->algorithm->state_count(learner->policy.net.n_params);
    learner->algorithm_state = tb_alloc(n, sizeof(double));
    return learner->algorithm_state != NULL
               ? TB_OK
               : tb_fail(error, TB_E_NOMEM, "no memory for %zu numbers", n);
}

static tb_status init_evaluation(tb_learner *learner, tb_error *error)
{
    tb_status status = TB_OK;
    for (size_t i = 0; i < eval_lanes && status == TB_OK; i++) {
        status = tb_lane_init(&learner->eval_lane[i], &learner->task, error);
        if (status == TB_OK)
            status = tb_net_lane_init(&learner->eval_net[i], &learner->policy.net, 1, error);
    }
    return status;
}

static tb_status init_vine(tb_learner *learner, tb_error *error)
{
    const tb_learner_def *def = &learner->def;
    const tb_net *net = &learner->policy.net;
    const tb_head *head = &learner->task.head;
    if (def->learner.sampling != TB_SAMPLING_VINE)
        return TB_OK;
    if (def->learner.normalize_returns)
        return tb_fail(error, TB_E_PARAM,
                       "normalize_returns does not go with sampling = \"vine\": branches add up "
                       "raw rewards; critic_normalize_targets (the default) does the same for the "
                       "critic");
    tb_status status =
        tb_vine_create(&learner->task, net, &def->learner, max_rows(def), &learner->vine, error);
    if (status != TB_OK)
        return status;
    uint64_t least = max_rows(def) + tb_vine_steps_per_state(learner->vine);
    if ((uint64_t)def->run.steps < least)
        return tb_fail(error, TB_E_PARAM,
                       "steps (%lld) do not hold one trunk and the branches of one state (%llu "
                       "steps: batch_steps + actions * trials * vine_branch_steps)",
                       (long long)def->run.steps, (unsigned long long)least);
    learner->sampler.vine = learner->vine;
    size_t draws = tb_vine_actions(learner->vine);
    status = tb_policy_reserve_draws(&learner->policy, draws, error);
    if (status == TB_OK)
        status = tb_batch_init_draws(&learner->rollout, tb_vine_states(learner->vine), draws,
                                     net->n_in * tb_dtype_size(net->dtype), head->n_action,
                                     head->n_params, error);
    if (status == TB_OK && def->learner.discounted_states)
        status = tb_batch_reserve_weights(&learner->rollout, error);
    return status;
}

tb_status tb_learner_create(const tb_learner_def *def, tb_learner **out, tb_error *error)
{
    const tb_learner_config *config = &def->learner;
    if (config->batch_steps < config->lanes)
        return tb_fail(error, TB_E_PARAM, "batch_steps (%lld) must be at least lanes (%lld)",
                       (long long)config->batch_steps, (long long)config->lanes);
    if (def->run.steps < config->lanes)
        return tb_fail(error, TB_E_PARAM, "steps (%lld) must be at least lanes (%lld)",
                       (long long)def->run.steps, (long long)config->lanes);
    if (config->advantage == TB_ADVANTAGE_VTRACE && config->vtrace_c_bar > config->vtrace_rho_bar)
        return tb_fail(error, TB_E_PARAM, "vtrace_c_bar (%g) must be at most vtrace_rho_bar (%g)",
                       config->vtrace_c_bar, config->vtrace_rho_bar);
    tb_learner *learner = tb_alloc(1, sizeof *learner);
    if (learner == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a learner");
    learner->def = *def;
    tb_iteration_clear(&learner->last);
    tb_status status = init_task(learner, error);
    if (status == TB_OK)
        status = tb_moments_init(&learner->observations, learner->task.features.n_features, error);
    if (status == TB_OK)
        status = tb_scaler_init(&learner->scaler, learner->task.features.n_features, error);
    if (status == TB_OK && config->normalize_returns)
        status = tb_return_scaler_init(&learner->returns, (size_t)config->lanes, error);
    if (status == TB_OK)
        status = init_networks(learner, error);
    if (status == TB_OK)
        status = init_evaluation(learner, error);
    if (status == TB_OK) {
        const tb_net *net = &learner->policy.net;
        status = tb_batch_init(&learner->batch, max_rows(def), (size_t)config->lanes,
                               net->n_in * tb_dtype_size(net->dtype), learner->task.head.n_action,
                               learner->task.head.n_params, error);
    }
    if (status == TB_OK && config->discounted_states)
        status = tb_batch_reserve_weights(&learner->batch, error);
    if (status == TB_OK)
        status =
            tb_sampler_init(&learner->sampler, &learner->task, &learner->policy.net,
                            (size_t)config->lanes, max_rows(def) / (size_t)config->lanes, error);
    if (status == TB_OK)
        status = init_vine(learner, error);
    if (status != TB_OK) {
        tb_learner_destroy(learner);
        return status;
    }
    *out = learner;
    return TB_OK;
}

void tb_learner_destroy(tb_learner *learner)
{
    if (learner == NULL)
        return;
    tb_vine_destroy(learner->vine);
    tb_batch_finish(&learner->rollout);
    tb_sampler_finish(&learner->sampler);
    tb_batch_finish(&learner->batch);
    for (size_t i = 0; i < eval_lanes; i++) {
        tb_net_lane_finish(&learner->eval_net[i]);
        tb_lane_finish(&learner->eval_lane[i]);
    }
    tb_critic_finish(&learner->critic);
    tb_return_scaler_finish(&learner->returns);
    tb_policy_finish(&learner->policy);
    tb_scaler_finish(&learner->scaler);
    tb_moments_finish(&learner->observations);
    tb_features_finish(&learner->task.features);
    if (learner->probe_api != NULL)
        learner->probe_api->destroy(learner->probe);
    free(learner->algorithm_state);
    free(learner);
}

uint64_t tb_learner_steps(const tb_learner *learner)
{
    return learner->sampler.steps_done;
}

static uint64_t steps_left(const tb_learner *learner)
{
    uint64_t budget = (uint64_t)learner->def.run.steps, done = learner->sampler.steps_done;
    return budget > done ? budget - done : 0;
}

// states of the next rollout set: as many as the budget surely holds the branches of
static size_t next_states(const tb_learner *learner)
{
    uint64_t left = steps_left(learner), trunk = max_rows(&learner->def);
    uint64_t states = left > trunk ? (left - trunk) / tb_vine_steps_per_state(learner->vine) : 0;
    size_t full = tb_vine_states(learner->vine);
    return states < full ? (size_t)states : full;
}

// steps a lane of the next batch: a full batch, or what is left of the budget. A vine's trunk is
// never cut, its rollout set is
static size_t next_steps(const tb_learner *learner)
{
    size_t lanes = learner->sampler.n_lanes, full = max_rows(&learner->def) / lanes;
    uint64_t left = steps_left(learner) / lanes;
    if (learner->vine != NULL)
        return next_states(learner) > 0 ? full : 0;
    return left < full ? (size_t)left : full;
}

int tb_learner_done(const tb_learner *learner)
{
    return next_steps(learner) == 0;
}

const tb_episode *tb_learner_episodes(const tb_learner *learner, size_t *n)
{
    *n = learner->sampler.n_episodes;
    return learner->sampler.episodes;
}

const double *tb_learner_parameters(const tb_learner *learner, int critic, size_t *n)
{
    if (critic)
        return tb_critic_parameters(&learner->critic, n);
    *n = learner->policy.net.n_params;
    return learner->policy.net.theta;
}

const tb_scaler *tb_learner_scaler(const tb_learner *learner)
{
    return &learner->scaler;
}

tb_status tb_learner_set_policy(tb_learner *learner, const double *theta, size_t n,
                                const tb_scaler *scaler, tb_error *error)
{
    tb_scaler *own = &learner->scaler;
    size_t n_params = learner->policy.net.n_params;
    if (n != n_params)
        return tb_fail(error, TB_E_CORRUPT, "there are %zu parameters; this policy has %zu", n,
                       n_params);
    if (scaler != NULL && scaler->n != own->n)
        return tb_fail(error, TB_E_CORRUPT,
                       "there are statistics of %zu inputs; this environment gives %zu", scaler->n,
                       own->n);
    tb_net_set(&learner->policy.net, theta);
    for (size_t i = 0; i < own->n; i++) {
        own->shift[i] = scaler != NULL ? scaler->shift[i] : 0;
        own->scale[i] = scaler != NULL ? scaler->scale[i] : 1;
    }
    own->clip = scaler != NULL ? scaler->clip : INFINITY;
    return TB_OK;
}

void tb_learner_visit(tb_learner *learner, tb_state_visitor *visitor)
{
    const tb_algorithm *algorithm = learner->def.algorithm;
    tb_net *policy = &learner->policy.net;
    tb_net_visit(policy, "policy", visitor);
    if (algorithm->state_count != NULL)
        tb_state_visit(visitor, "algorithm", "state", learner->algorithm_state,
                       algorithm->state_count(policy->n_params) * sizeof(double));
    tb_critic_visit(&learner->critic, visitor);
    tb_moments_visit(&learner->observations, "observations", visitor);
    // evaluations use the scaler of the last batch, which lags behind the statistics
    tb_scaler_visit(&learner->scaler, "scaler", visitor);
    if (learner->def.learner.normalize_returns)
        tb_return_scaler_visit(&learner->returns, visitor);
    tb_state_visit(visitor, "log", "last", &learner->last, sizeof learner->last);
}

// counters of the record before, and what sampling tells
static void start_log(const tb_learner *learner, tb_iteration *log)
{
    const tb_sampler *sampler = &learner->sampler;
    const tb_batch *batch = &learner->batch;
    tb_iteration_clear(log);
    log->updates_rejected = learner->last.updates_rejected;
    log->negative_curvature = learner->last.negative_curvature;
    log->non_finite = learner->last.non_finite;
    log->critic_rolled_back = learner->last.critic_rolled_back;
    log->iteration = learner->last.iteration + 1;
    log->step = (int64_t)sampler->steps_done;
    log->batch_episodes = (int64_t)sampler->n_episodes;
    log->episodes = learner->last.episodes + log->batch_episodes;
    double n = (double)sampler->n_episodes, returns = 0, lengths = 0;
    for (size_t i = 0; i < sampler->n_episodes; i++) {
        double r = sampler->episodes[i].reward_sum;
        returns += r;
        lengths += (double)sampler->episodes[i].length;
        log->return_min = i == 0 || r < log->return_min ? r : log->return_min;
        log->return_max = i == 0 || r > log->return_max ? r : log->return_max;
    }
    if (sampler->n_episodes > 0) {
        log->return_mean = returns / n;
        log->length_mean = lengths / n;
    }
    double rewards = 0;
    for (size_t i = 0; i < batch->n_rows; i++)
        rewards += batch->reward[i];
    log->reward_mean = rewards / (double)batch->n_rows;
    if (learner->task.action.kind == TB_SPACE_BOX)
        log->clipped_actions = (double)sampler->clipped_actions /
                               (double)(batch->n_rows * learner->task.head.n_action);
}

static tb_status sample(tb_learner *learner, tb_error *error)
{
    const tb_learner_config *config = &learner->def.learner;
    // statistics stay frozen from here to the end of the update
    if (config->normalize_observations)
        tb_scaler_freeze(&learner->scaler, &learner->task.features, &learner->observations,
                         config->observation_clip);
    size_t steps = next_steps(learner);
    if (learner->vine != NULL)
        tb_vine_choose(learner->vine, (uint64_t)learner->last.iteration + 1,
                       steps * learner->sampler.n_lanes, next_states(learner));
    tb_status status =
        tb_sampler_run(&learner->sampler, &learner->scaler, steps, &learner->batch, error);
    if (status != TB_OK || learner->vine == NULL)
        return status;
    status = tb_vine_run(learner->vine, &learner->batch, &learner->scaler, &learner->rollout,
                         &learner->branch_steps, error);
    learner->sampler.steps_done += learner->branch_steps;
    return status;
}

static tb_status estimate_advantages(tb_learner *learner, tb_error *error)
{
    tb_batch *batch = &learner->batch;
    const tb_learner_config *config = &learner->def.learner;
    tb_status status = tb_critic_value(&learner->critic, batch, error);
    if (status != TB_OK)
        return status;
    if (config->normalize_returns)
        tb_return_scaler_apply(&learner->returns, batch, config->gamma, config->reward_clip);
    if (config->discounted_states)
        tb_batch_discount_states(batch, config->gamma);
    tb_estimate_advantages(config, batch);
    return TB_OK;
}

// Q of the rollout set, with the critic that was in force during sampling
static tb_status estimate_q(tb_learner *learner, tb_iteration *log, tb_error *error)
{
    const void *x;
    const double *time;
    double *value;
    size_t n = tb_vine_cuts(learner->vine, &x, &time, &value);
    tb_status status = tb_critic_values(&learner->critic, x, time, n, value, error);
    if (status != TB_OK)
        return status;
    tb_vine_bootstrap(learner->vine, &learner->rollout);
    if (learner->def.learner.discounted_states)
        tb_batch_discount_states(&learner->rollout, learner->def.learner.gamma);
    log->branch_steps = (int64_t)learner->branch_steps;
    log->q_deviation = tb_vine_normalize(learner->vine, &learner->rollout,
                                         learner->def.learner.normalize_advantages);
    return TB_OK;
}

tb_status tb_learner_iterate(tb_learner *learner, tb_iteration *log, tb_timing *timing,
                             tb_error *error)
{
    const tb_learner_def *def = &learner->def;
    tb_timing unused;
    if (timing == NULL)
        timing = &unused;
    TB_ASSERT(!tb_learner_done(learner));

    double t0 = tb_seconds();
    tb_status status = sample(learner, error);
    if (status != TB_OK)
        return status;
    double t1 = tb_seconds();
    start_log(learner, log);
    status = estimate_advantages(learner, error);
    if (status == TB_OK && learner->vine != NULL)
        status = estimate_q(learner, log, error);
    if (status != TB_OK)
        return status;
    double t2 = tb_seconds();
    learner->policy.cg_s = learner->policy.line_search_s = 0;
    status = def->algorithm->update(def->algorithm_config, &learner->policy,
                                    learner->vine != NULL ? &learner->rollout : &learner->batch,
                                    learner->algorithm_state, log, error);
    if (status != TB_OK)
        return status;
    double t3 = tb_seconds();
    // after the advantages and the update: both used the critic of the sampling
    status = tb_critic_fit(&learner->critic, &learner->batch, (uint64_t)log->iteration, log, error);
    if (status != TB_OK)
        return status;
    double t4 = tb_seconds();
    *timing = (tb_timing){.sample_s = t1 - t0,
                          .advantage_s = t2 - t1,
                          .update_s = t3 - t2,
                          .critic_s = t4 - t3,
                          .cg_s = learner->policy.cg_s,
                          .line_search_s = learner->policy.line_search_s};

    // once a batch, in lane order
    for (size_t i = 0; i < learner->sampler.n_lanes; i++)
        tb_moments_merge(&learner->observations, &learner->sampler.lane_moments[i]);
    learner->last = *log;
    return TB_OK;
}

// variance over the trials of Q(s_n, a_1) - Q(s_n, a_0)
static double difference_variance(const tb_vine *vine, size_t n, size_t trials)
{
    double mean = 0, squares = 0;
    for (size_t s = 0; s < trials; s++)
        mean += (tb_vine_trial(vine, n, 1, s) - tb_vine_trial(vine, n, 0, s)) / (double)trials;
    for (size_t s = 0; s < trials; s++) {
        double d = tb_vine_trial(vine, n, 1, s) - tb_vine_trial(vine, n, 0, s) - mean;
        squares += d * d;
    }
    // what rounding leaves of a difference that is always the same
    double variance = squares / (double)(trials - 1);
    return variance > 1e-20 * mean * mean ? variance : 0;
}

// plays the branches of the study's rollout set; variance [N]
static tb_status study_branches(tb_learner *learner, tb_vine *vine, tb_batch *rollout,
                                size_t trials, int common, double *variance, tb_error *error)
{
    const void *x;
    const double *time;
    double *value;
    uint64_t steps;
    tb_vine_share_noise(vine, common);
    tb_status status = tb_vine_run(vine, &learner->batch, &learner->scaler, rollout, &steps, error);
    if (status != TB_OK)
        return status;
    size_t n = tb_vine_cuts(vine, &x, &time, &value);
    status = tb_critic_values(&learner->critic, x, time, n, value, error);
    if (status != TB_OK)
        return status;
    tb_vine_bootstrap(vine, rollout);
    for (size_t i = 0; i < rollout->n_rows; i++)
        variance[i] = difference_variance(vine, i, trials);
    return TB_OK;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// variance [2 N]: with common random numbers, then without; the ratios take its place
static void sum_up(const tb_batch *rollout, double *variance, tb_vine_study *out)
{
    size_t n = rollout->n_rows, bytes = rollout->n_action * sizeof(double), others = 0;
    *out = (tb_vine_study){.n_states = n};
    for (size_t i = 0; i < n; i++) {
        const double *a = rollout->action + i * rollout->n_draws * rollout->n_action;
        double common = variance[i], apart = variance[n + i];
        if ((common == 0 && apart == 0) || memcmp(a, a + rollout->n_action, bytes) == 0) {
            out->n_same++;
            continue;
        }
        out->n_zero_common += common == 0;
        out->variance_common += common;
        out->variance_apart += apart;
        variance[others++] = common / apart;
    }
    out->variance_common /= (double)others;
    out->variance_apart /= (double)others;
    qsort(variance, others, sizeof *variance, ascending);
    out->ratio_median =
        others > 0 ? 0.5 * (variance[(others - 1) / 2] + variance[others / 2]) : NAN;
}

tb_status tb_learner_study_vine(tb_learner *learner, size_t trials, tb_vine_study *out,
                                tb_error *error)
{
    TB_ASSERT(learner->vine != NULL && trials >= 2);
    const tb_net *net = &learner->policy.net;
    const tb_head *head = &learner->task.head;
    tb_learner_config config = learner->def.learner;
    config.vine_trials = (int64_t)trials;
    tb_vine *vine = NULL;
    tb_batch rollout = {0};
    size_t rows = max_rows(&learner->def), states = (size_t)config.vine_states;
    double *variance = tb_alloc(2 * states, sizeof(double));
    tb_status status = variance == NULL
                           ? tb_fail(error, TB_E_NOMEM, "no memory for a study")
                           : tb_vine_create(&learner->task, net, &config, rows, &vine, error);
    if (status == TB_OK)
        status = tb_batch_init_draws(&rollout, states, tb_vine_actions(vine),
                                     net->n_in * tb_dtype_size(net->dtype), head->n_action,
                                     head->n_params, error);
    if (status == TB_OK) {
        tb_vine_choose(vine, (uint64_t)learner->last.iteration + 1, rows, states);
        learner->sampler.vine = vine;
        status = tb_sampler_run(&learner->sampler, &learner->scaler,
                                rows / learner->sampler.n_lanes, &learner->batch, error);
        learner->sampler.vine = learner->vine;
        // a study costs the run nothing of its budget
        learner->sampler.steps_done -= status == TB_OK ? rows : 0;
    }
    if (status == TB_OK)
        status = study_branches(learner, vine, &rollout, trials, 1, variance, error);
    if (status == TB_OK)
        status = study_branches(learner, vine, &rollout, trials, 0, variance + states, error);
    if (status == TB_OK)
        sum_up(&rollout, variance, out);
    tb_batch_finish(&rollout);
    tb_vine_destroy(vine);
    free(variance);
    return status;
}

tb_status tb_learner_evaluate(tb_learner *learner, int final, size_t n, tb_episode *out,
                              tb_error *error)
{
    // the scaler of the last batch: what the policy was trained with
    return tb_evaluate(&learner->task, learner->eval_lane, learner->eval_net, eval_lanes,
                       &learner->scaler, final ? TB_STREAM_EVAL_FINAL : TB_STREAM_EVAL,
                       learner->sampler.steps_done, n, out, error);
}

tb_status tb_learner_play(tb_learner *learner, size_t k, const tb_play *play, tb_episode *out,
                          tb_error *error)
{
    return tb_play_episode(&learner->task, &learner->eval_lane[0], &learner->eval_net[0],
                           &learner->scaler, TB_STREAM_EVAL_FINAL, learner->sampler.steps_done, k,
                           play, out, error);
}

void tb_learner_player(const tb_learner *learner, const tb_env_api **api, tb_env **env)
{
    *api = learner->eval_lane[0].api;
    *env = learner->eval_lane[0].env;
}
