/* SPDX-License-Identifier: MIT */
#include "trpo/sampling/vine.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/dist/enumerate.h"
#include "trpo/rng/streams.h"

// branches that are stepped together by one thread: one forward pass serves them all
enum { block_branches = 32, max_enumerated = 256 };

// what one thread plays blocks with
typedef struct tb_vine_worker {
    tb_lane *lanes;   // [branches]
    tb_stage stage;   // their environments
    tb_net_lane net;  // [branches] rows
    double *y;        // [branches][D]
    double *discount; // [branches] gamma^t of the next reward
    uint8_t *active;  // [branches]
    size_t *row_of;   // [branches] the active branches
    uint64_t steps;   // done in this batch
    size_t failed;    // block that failed first
    tb_status status; // of it
    tb_error error;
} tb_vine_worker;

struct tb_vine {
    const tb_task *task;
    const tb_net *policy;
    size_t max_states, n_actions, n_trials, max_steps; // N, K, S, T
    int32_t proposal, estimator;
    int common; // common random numbers
    double gamma;
    double uniform_log_q;  // of the uniform proposal
    size_t enumerated;     // number of actions, 0 = infinitely or too many
    size_t branches;       // of a block
    size_t snapshot_bytes; // from one snapshot to the next
    size_t x_row_bytes;

    uint64_t iteration;
    size_t n_states;    // of this iteration
    uint32_t *slot;     // [trunk rows] 1 + index in the rollout set; 0 = not in it
    size_t *row;        // [N] trunk row
    char *snapshots;    // [N][snapshot_bytes]
    size_t *used;       // [N]
    uint64_t *length;   // [N] steps of the episode done before
    uint32_t *shuffled; // [trunk rows]

    double *sums;         // [N K S] discounted rewards
    double *cut_discount; // [N K S] gamma^tau where the branch was cut, 0 where it terminated
    char *final_x;        // [N K S][I] of the cut branches
    double *final_time;   // [N K S]
    double *value;        // [N K S]
    size_t n_cuts;

    tb_vine_worker *workers;
    size_t n_workers;
};

/* ---- create ---- */

static void finish_worker(tb_vine_worker *worker)
{
    tb_stage_finish(&worker->stage);
    tb_net_lane_finish(&worker->net);
    free(worker->lanes);
    free(worker->y);
    free(worker->discount);
    free(worker->active);
    free(worker->row_of);
}

void tb_vine_destroy(tb_vine *vine)
{
    if (vine == NULL)
        return;
    for (size_t i = 0; vine->workers != NULL && i < vine->n_workers; i++)
        finish_worker(&vine->workers[i]);
    free(vine->workers);
    free(vine->slot);
    free(vine->row);
    free(vine->snapshots);
    free(vine->used);
    free(vine->length);
    free(vine->shuffled);
    free(vine->sums);
    free(vine->cut_discount);
    free(vine->final_x);
    free(vine->final_time);
    free(vine->value);
    free(vine);
}

static tb_status init_worker(tb_vine *vine, tb_vine_worker *worker, tb_error *error)
{
    size_t n = vine->branches;
    worker->lanes = tb_alloc(n, sizeof *worker->lanes);
    worker->y = tb_alloc(n * vine->task->head.n_params, sizeof(double));
    worker->discount = tb_alloc(n, sizeof(double));
    worker->active = tb_alloc(n, 1);
    worker->row_of = tb_alloc(n, sizeof *worker->row_of);
    if (!worker->lanes || !worker->y || !worker->discount || !worker->active || !worker->row_of)
        return tb_fail(error, TB_E_NOMEM, "no memory for %zu vine branches", n);
    tb_status status = tb_stage_init(&worker->stage, vine->task, worker->lanes, n, error);
    return status == TB_OK ? tb_net_lane_init(&worker->net, vine->policy, n, error) : status;
}

// K, and what the proposal and the estimator need of the actions
static tb_status init_actions(tb_vine *vine, const tb_learner_config *config, tb_error *error)
{
    const tb_head *head = &vine->task->head;
    const tb_space *action = &vine->task->action;
    vine->n_actions = (size_t)config->vine_actions;
    vine->enumerated = tb_head_n_actions(head, max_enumerated);
    if (vine->enumerated > max_enumerated)
        vine->enumerated = 0;
    if (vine->proposal == TB_VINE_EXHAUSTIVE) {
        if (vine->enumerated == 0)
            return tb_fail(error, TB_E_PARAM,
                           "vine_proposal = \"exhaustive\" tries every action, but the "
                           "environment's cannot be enumerated (%s, more than %d); take \"policy\" "
                           "or \"uniform\" with vine_actions",
                           head->api->id, max_enumerated);
        vine->n_actions = vine->enumerated;
        return TB_OK;
    }
    if (vine->n_actions < 2)
        return tb_fail(error, TB_E_PARAM,
                       "vine_actions = 1 leaves nothing to compare an action with; take 2 or more, "
                       "or vine_proposal = \"exhaustive\"");
    if (vine->proposal != TB_VINE_UNIFORM)
        return TB_OK;
    // q = 1 / number of actions, or 1 / volume of the box
    vine->uniform_log_q = vine->enumerated > 0 ? -log((double)vine->enumerated) : 0;
    for (size_t i = 0; vine->enumerated == 0 && i < head->n_action; i++) {
        double width = action->kind == TB_SPACE_BOX && head->api->to_env == NULL
                           ? action->high[i] - action->low[i]
                           : NAN;
        if (!(width > 0) || !isfinite(width))
            return tb_fail(error, TB_E_PARAM,
                           "vine_proposal = \"uniform\" cannot draw %s actions (entry %zu has no "
                           "finite bounds of its own); take \"policy\"",
                           head->api->id, i);
        vine->uniform_log_q -= log(width);
    }
    return TB_OK;
}

static tb_status check_rollout_set(const tb_learner_config *config, size_t trunk_rows,
                                   tb_error *error)
{
    if ((size_t)config->vine_states <= trunk_rows)
        return TB_OK;
    return tb_fail(error, TB_E_PARAM,
                   "vine_states (%lld) cannot be drawn without replacement from a trunk of %zu "
                   "steps; lower it, or raise batch_steps",
                   (long long)config->vine_states, trunk_rows);
}

static tb_status init_memory(tb_vine *vine, size_t trunk_rows, tb_error *error)
{
    size_t n = vine->max_states, branches = n * vine->n_actions * vine->n_trials;
    vine->slot = tb_alloc(trunk_rows, sizeof *vine->slot);
    vine->shuffled = tb_alloc(trunk_rows, sizeof *vine->shuffled);
    vine->row = tb_alloc(n, sizeof *vine->row);
    vine->snapshots = tb_alloc(n, vine->snapshot_bytes);
    vine->used = tb_alloc(n, sizeof *vine->used);
    vine->length = tb_alloc(n, sizeof *vine->length);
    vine->sums = tb_alloc(branches, sizeof(double));
    vine->cut_discount = tb_alloc(branches, sizeof(double));
    vine->final_x = tb_alloc(branches, vine->x_row_bytes);
    vine->final_time = tb_alloc(branches, sizeof(double));
    vine->value = tb_alloc(branches, sizeof(double));
    if (vine->slot && vine->shuffled && vine->row && vine->snapshots && vine->used &&
        vine->length && vine->sums && vine->cut_discount && vine->final_x && vine->final_time &&
        vine->value)
        return TB_OK;
    return tb_fail(error, TB_E_NOMEM,
                   "no memory for %zu vine branches; lower vine_states, vine_actions or "
                   "vine_trials",
                   branches);
}

static tb_status init_workers(tb_vine *vine, tb_error *error)
{
    // blocks of whole states
    size_t per_state = vine->n_actions * vine->n_trials;
    size_t states = per_state < block_branches ? block_branches / per_state : 1;
    vine->branches = (states < vine->max_states ? states : vine->max_states) * per_state;
    vine->n_workers = (size_t)omp_get_max_threads();
    vine->workers = tb_alloc(vine->n_workers, sizeof *vine->workers);
    if (vine->workers == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for vine branches");
    tb_status status = TB_OK;
    for (size_t i = 0; i < vine->n_workers && status == TB_OK; i++)
        status = init_worker(vine, &vine->workers[i], error);
    if (status != TB_OK)
        return status;
    size_t bytes = tb_stage_snapshot_bytes(&vine->workers[0].stage);
    if (bytes == 0)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "sampling = \"vine\" needs an environment whose state can be saved and "
                       "restored (extension %s), which this one cannot; take sampling = "
                       "\"single-path\"",
                       TB_EXT_ENV_SNAPSHOT);
    vine->snapshot_bytes = (bytes + 63) / 64 * 64;
    return TB_OK;
}

tb_status tb_vine_create(const tb_task *task, const tb_net *policy, const tb_learner_config *config,
                         size_t trunk_rows, tb_vine **out, tb_error *error)
{
    tb_vine *vine = tb_alloc(1, sizeof *vine);
    if (vine == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for vine sampling");
    vine->task = task;
    vine->policy = policy;
    vine->max_states = (size_t)config->vine_states;
    vine->n_trials = (size_t)config->vine_trials;
    vine->max_steps = (size_t)config->vine_branch_steps;
    vine->proposal = config->vine_proposal;
    vine->estimator = config->vine_estimator;
    vine->common = config->vine_common_random_numbers;
    vine->gamma = config->gamma;
    vine->x_row_bytes = policy->n_in * tb_dtype_size(policy->dtype);
    tb_status status = check_rollout_set(config, trunk_rows, error);
    if (status == TB_OK)
        status = init_actions(vine, config, error);
    if (status == TB_OK)
        status = init_workers(vine, error);
    if (status == TB_OK)
        status = init_memory(vine, trunk_rows, error);
    if (status == TB_OK)
        *out = vine;
    else
        tb_vine_destroy(vine);
    return status;
}

size_t tb_vine_states(const tb_vine *vine)
{
    return vine->max_states;
}

size_t tb_vine_actions(const tb_vine *vine)
{
    return vine->n_actions;
}

uint64_t tb_vine_steps_per_state(const tb_vine *vine)
{
    return (uint64_t)vine->n_actions * vine->n_trials * vine->max_steps;
}

/* ---- the rollout set ---- */

void tb_vine_choose(tb_vine *vine, uint64_t iteration, size_t trunk_rows, size_t n_states)
{
    TB_ASSERT(n_states <= trunk_rows && n_states <= vine->max_states);
    vine->iteration = iteration;
    vine->n_states = n_states;
    tb_rng rng;
    tb_rng_init(&rng, tb_stream_key(vine->task->seed, TB_STREAM_VINE_STATES, iteration, 0));
    // the first n_states of a Fisher-Yates shuffle: every set is equally likely
    for (size_t i = 0; i < trunk_rows; i++) {
        vine->shuffled[i] = (uint32_t)i;
        vine->slot[i] = 0;
    }
    for (size_t i = 0; i < n_states; i++) {
        size_t j = i + (size_t)(tb_rng_f64(&rng) * (double)(trunk_rows - i));
        uint32_t chosen = vine->shuffled[j];
        vine->shuffled[j] = vine->shuffled[i];
        vine->slot[chosen] = 1;
    }
    // numbered in the order of the trunk
    uint32_t n = 0;
    for (size_t row = 0; row < trunk_rows; row++) {
        if (!vine->slot[row])
            continue;
        vine->row[n] = row;
        vine->slot[row] = ++n;
    }
}

size_t tb_vine_slot(const tb_vine *vine, size_t row)
{
    return vine->slot[row];
}

tb_status tb_vine_keep(tb_vine *vine, const tb_stage *stage, size_t g, size_t row, tb_error *error)
{
    if (vine->slot[row] == 0)
        return TB_OK;
    size_t n = vine->slot[row] - 1;
    vine->length[n] = stage->lanes[g].length;
    return tb_stage_save(stage, g, vine->snapshots + n * vine->snapshot_bytes, &vine->used[n],
                         error);
}

/* ---- first actions ---- */

static void draw_uniforms(tb_rng *rng, double *u, size_t n)
{
    for (size_t i = 0; i < n; i++)
        u[i] = tb_rng_f64(rng);
}

static void draw_uniform_action(const tb_vine *vine, tb_rng *rng, double *a)
{
    const tb_space *action = &vine->task->action;
    if (vine->enumerated > 0) {
        tb_head_nth_action(&vine->task->head, (size_t)(tb_rng_f64(rng) * (double)vine->enumerated),
                           a);
        return;
    }
    for (size_t i = 0; i < vine->task->head.n_action; i++)
        a[i] = tb_rng_uniform(rng, action->low[i], action->high[i]);
}

// the K actions of state n, with the logarithms of their probabilities under policy and proposal
static void draw_actions(const tb_vine *vine, double *u, size_t n, tb_batch *out)
{
    const tb_head *head = &vine->task->head;
    const double *y = out->y_old + n * head->n_params;
    tb_rng rng;
    tb_rng_init(&rng, tb_stream_key(vine->task->seed, TB_STREAM_VINE_ACTION, vine->iteration, n));
    for (size_t k = 0; k < vine->n_actions; k++) {
        size_t at = n * vine->n_actions + k;
        double *a = out->action + at * head->n_action, log_q = 0;
        if (vine->proposal == TB_VINE_POLICY) {
            draw_uniforms(&rng, u, head->n_unif);
            head->api->sample(head, y, u, a);
        } else if (vine->proposal == TB_VINE_UNIFORM) {
            draw_uniform_action(vine, &rng, a);
            log_q = vine->uniform_log_q;
        } else {
            tb_head_nth_action(head, k, a);
        }
        out->log_prob_old[at] = head->api->log_prob(head, y, a);
        // every action was tried: the weights are the probabilities themselves
        out->log_proposal[at] = vine->proposal == TB_VINE_POLICY ? out->log_prob_old[at] : log_q;
    }
}

/* ---- branches ---- */

// stream of the branch (state n, action k, trial s): with common random numbers without k
static tb_key branch_key(const tb_vine *vine, uint64_t purpose, size_t n, size_t k, size_t s)
{
    tb_key state = tb_stream_key(vine->task->seed, purpose, vine->iteration, n);
    return tb_key_child(state, vine->common ? s : s * vine->n_actions + k);
}

static tb_status start_branch(tb_vine *vine, tb_vine_worker *worker, size_t i, size_t n, size_t k,
                              size_t s, const tb_batch *out)
{
    tb_lane *lane = &worker->lanes[i];
    const tb_head *head = &vine->task->head;
    lane->length = vine->length[n];
    lane->reward_sum = 0;
    tb_rng_init(&lane->noise, branch_key(vine, TB_STREAM_VINE_NOISE, n, k, s));
    tb_key key = branch_key(vine, TB_STREAM_VINE_ENV, n, k, s);
    tb_status status = tb_stage_load(&worker->stage, i, vine->snapshots + n * vine->snapshot_bytes,
                                     vine->used[n], &key, &worker->error);
    if (status != TB_OK)
        return status;
    worker->active[i] = 1;
    worker->discount[i] = 1;
    tb_lane_draw_held(lane, vine->task);
    memcpy(lane->act, out->action + (n * vine->n_actions + k) * head->n_action,
           head->n_action * sizeof(double));
    return tb_lane_pack(lane, vine->task, &worker->error);
}

// actions of the active branches after their first step
static tb_status follow_policy(tb_vine *vine, tb_vine_worker *worker, const tb_scaler *scaler,
                               size_t branches)
{
    const tb_head *head = &vine->task->head;
    size_t rows = 0;
    for (size_t i = 0; i < branches; i++) {
        if (!worker->active[i])
            continue;
        tb_lane *lane = &worker->lanes[i];
        tb_status status = tb_lane_observe(lane, vine->task, scaler, NULL, &worker->error);
        if (status != TB_OK)
            return status;
        tb_to_native(vine->policy->dtype, lane->features,
                     (char *)worker->net.x + rows * vine->x_row_bytes, vine->policy->n_in);
        worker->row_of[rows++] = i;
    }
    tb_status status = tb_net_lane_forward(&worker->net, rows, worker->y, &worker->error);
    for (size_t r = 0; r < rows && status == TB_OK; r++) {
        tb_lane *lane = &worker->lanes[worker->row_of[r]];
        tb_lane_draw(lane, vine->task, &worker->net, rows, r, worker->y + r * head->n_params);
        status = tb_lane_pack(lane, vine->task, &worker->error);
    }
    return status;
}

// where branch `at` was cut, for the critic
static tb_status record_cut(tb_vine *vine, tb_vine_worker *worker, size_t i, size_t at,
                            const tb_scaler *scaler)
{
    tb_lane *lane = &worker->lanes[i];
    tb_status status = tb_lane_observe(lane, vine->task, scaler, NULL, &worker->error);
    if (status != TB_OK)
        return status;
    tb_to_native(vine->policy->dtype, lane->features, vine->final_x + at * vine->x_row_bytes,
                 vine->policy->n_in);
    vine->final_time[at] = (double)lane->length;
    vine->cut_discount[at] = worker->discount[i];
    return TB_OK;
}

// what the step of branch i gave; `last` = it was the T-th
static tb_status take_step(tb_vine *vine, tb_vine_worker *worker, size_t i, size_t at,
                           const tb_scaler *scaler, int last)
{
    const tb_stage *stage = &worker->stage;
    tb_lane *lane = &worker->lanes[i];
    double reward = 0;
    uint8_t flags = 0;
    tb_status status = stage->status[i];
    status = tb_lane_take(lane, vine->task, status, status == TB_OK ? "" : tb_stage_text(stage, i),
                          stage->reward[i], stage->flags[i], &reward, &flags, &worker->error);
    if (status != TB_OK)
        return status;
    worker->steps++;
    vine->sums[at] += worker->discount[i] * reward;
    worker->discount[i] *= vine->gamma;
    if (flags == 0 && !last)
        return TB_OK;
    worker->active[i] = 0;
    return flags & TB_ROW_TERMINATED ? TB_OK : record_cut(vine, worker, i, at, scaler);
}

// states [first, first + count) of the rollout set
static tb_status play_block(tb_vine *vine, tb_vine_worker *worker, const tb_scaler *scaler,
                            tb_batch *out, size_t first, size_t count)
{
    size_t per_state = vine->n_actions * vine->n_trials, branches = count * per_state;
    tb_status status = TB_OK;
    memset(worker->active, 0, vine->branches);
    for (size_t b = 0; b < count; b++)
        draw_actions(vine, worker->lanes[0].unif, first + b, out);
    for (size_t i = 0; i < branches && status == TB_OK; i++) {
        size_t n = first + i / per_state, k = i % per_state / vine->n_trials;
        vine->sums[n * per_state + i % per_state] = 0;
        vine->cut_discount[n * per_state + i % per_state] = 0;
        status = start_branch(vine, worker, i, n, k, i % vine->n_trials, out);
    }
    for (size_t t = 0, left = branches; t < vine->max_steps && left > 0 && status == TB_OK; t++) {
        if (t > 0)
            status = follow_policy(vine, worker, scaler, branches);
        if (status != TB_OK)
            break;
        tb_stage_step(&worker->stage, worker->active);
        left = 0;
        for (size_t i = 0; i < branches && status == TB_OK; i++) {
            if (!worker->active[i])
                continue;
            status =
                take_step(vine, worker, i, first * per_state + i, scaler, t + 1 == vine->max_steps);
            left += worker->active[i];
        }
    }
    return status;
}

static void run_block(tb_vine *vine, size_t w, size_t block, const tb_scaler *scaler, tb_batch *out)
{
    tb_vine_worker *worker = &vine->workers[w];
    size_t states = vine->branches / (vine->n_actions * vine->n_trials), first = block * states;
    size_t count = vine->n_states - first < states ? vine->n_states - first : states;
    // a worker's blocks come in order: what it leaves out comes after its failure
    if (worker->status != TB_OK)
        return;
    worker->status = play_block(vine, worker, scaler, out, first, count);
    worker->failed = block;
}

// of several failures the first block's is told, whatever the threads
static tb_status first_failure(const tb_vine *vine, tb_error *error)
{
    const tb_vine_worker *failed = NULL;
    for (size_t w = 0; w < vine->n_workers; w++) {
        const tb_vine_worker *worker = &vine->workers[w];
        if (worker->status != TB_OK && (failed == NULL || worker->failed < failed->failed))
            failed = worker;
    }
    if (failed == NULL)
        return TB_OK;
    if (error != NULL)
        *error = failed->error;
    return tb_fail_prefix(error, failed->status, "vine branch");
}

// closes the gaps that terminated branches left
static void gather_cuts(tb_vine *vine)
{
    size_t branches = vine->n_states * vine->n_actions * vine->n_trials, n = 0;
    for (size_t at = 0; at < branches; at++) {
        if (vine->cut_discount[at] == 0)
            continue;
        if (n != at)
            memcpy(vine->final_x + n * vine->x_row_bytes, vine->final_x + at * vine->x_row_bytes,
                   vine->x_row_bytes);
        vine->final_time[n++] = vine->final_time[at];
    }
    vine->n_cuts = n;
}

tb_status tb_vine_run(tb_vine *vine, const tb_batch *trunk, const tb_scaler *scaler, tb_batch *out,
                      uint64_t *steps, tb_error *error)
{
    size_t d = vine->task->head.n_params;
    size_t states = vine->branches / (vine->n_actions * vine->n_trials);
    size_t blocks = (vine->n_states + states - 1) / states;
    out->n_rows = vine->n_states;
    out->n_draws = vine->n_actions;
    out->self_normalized =
        vine->proposal != TB_VINE_EXHAUSTIVE && vine->estimator == TB_VINE_SELF_NORMALIZED;
    out->draw_weight = vine->proposal == TB_VINE_EXHAUSTIVE ? 1 : 1 / (double)vine->n_actions;
    for (size_t n = 0; n < vine->n_states; n++) {
        memcpy((char *)out->x + n * vine->x_row_bytes,
               (const char *)trunk->x + vine->row[n] * vine->x_row_bytes, vine->x_row_bytes);
        out->time[n] = trunk->time[vine->row[n]];
        memcpy(out->y_old + n * d, trunk->y_old + vine->row[n] * d, d * sizeof(double));
    }
    for (size_t w = 0; w < vine->n_workers; w++) {
        vine->workers[w].status = TB_OK;
        vine->workers[w].steps = 0;
    }
    // one thread needs no team, which libgomp would allocate
    if (vine->n_workers == 1 || blocks == 1) {
        for (size_t b = 0; b < blocks; b++)
            run_block(vine, 0, b, scaler, out);
    } else {
#pragma omp parallel for schedule(dynamic, 1) num_threads((int)vine->n_workers)
        for (size_t b = 0; b < blocks; b++)
            run_block(vine, (size_t)omp_get_thread_num(), b, scaler, out);
    }
    *steps = 0;
    for (size_t w = 0; w < vine->n_workers; w++)
        *steps += vine->workers[w].steps;
    gather_cuts(vine);
    return first_failure(vine, error);
}

/* ---- Q ---- */

size_t tb_vine_cuts(tb_vine *vine, const void **x, const double **time, double **value)
{
    *x = vine->final_x;
    *time = vine->final_time;
    *value = vine->value;
    return vine->n_cuts;
}

void tb_vine_bootstrap(tb_vine *vine, tb_batch *out)
{
    const double *value = vine->value;
    size_t at = 0;
    for (size_t i = 0; i < out->n_rows * out->n_draws; i++) {
        double sum = 0;
        for (size_t s = 0; s < vine->n_trials; s++, at++) {
            if (vine->cut_discount[at] != 0)
                vine->sums[at] += vine->cut_discount[at] * *value++;
            sum += vine->sums[at];
        }
        out->advantage[i] = sum / (double)vine->n_trials;
    }
}

double tb_vine_trial(const tb_vine *vine, size_t n, size_t k, size_t s)
{
    return vine->sums[(n * vine->n_actions + k) * vine->n_trials + s];
}

void tb_vine_share_noise(tb_vine *vine, int common)
{
    vine->common = common;
}

double tb_vine_normalize(const tb_vine *vine, tb_batch *out, int normalize)
{
    size_t k = out->n_draws, n = out->n_rows * k;
    int exhaustive = vine->proposal == TB_VINE_EXHAUSTIVE;
    int center = normalize || (!exhaustive && vine->estimator == TB_VINE_MEAN_BASELINE);
    double squares = 0;
    for (size_t first = 0; first < n; first += k) {
        double *q = out->advantage + first, mean = 0;
        for (size_t i = 0; i < k; i++)
            mean += q[i] * (exhaustive ? exp(out->log_prob_old[first + i]) : 1 / (double)k);
        for (size_t i = 0; i < k; i++) {
            squares += tb_batch_weight(out, first / k) * ((q[i] - mean) * (q[i] - mean));
            q[i] -= center ? mean : 0;
        }
    }
    double deviation = sqrt(squares / (double)n);
    for (size_t i = 0; normalize && i < n; i++)
        out->advantage[i] /= deviation + 1e-8;
    return deviation;
}
