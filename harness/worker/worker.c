/* SPDX-License-Identifier: MIT */
#include "harness/worker/worker.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/cli/command.h"
#include "harness/plugin/loader.h"
#include "harness/store/file.h"
#include "harness/store/hash.h"
#include "harness/store/results.h"
#include "harness/suite/suite.h"
#include "harness/worker/logs.h"
#include "harness/worker/record.h"
#include "trpo/learner.h"

// returns averaged for the progress display
enum { recent_episodes = 20 };

typedef struct tb_worker {
    const tb_worker_def *def;
    int any_seed; // the seed is the path's, whichever the suite was last run with
    tb_suite *suite;
    tb_plan plan;
    const tb_cell *cell;
    const tb_suite_env *env;
    const tb_suite_policy *policy;
    const tb_suite_algorithm *algorithm;
    const tb_suite_setting *setting;
    json_t *plugins; // plugins.json
    tb_plugin *env_plugin, *policy_plugin, *critic_plugin;
    double reward_threshold;
    json_t *effective_env, *effective_policy, *effective_critic;
    char *folder;
    int attempt;
    tb_run_logs logs;
    tb_learner *learner;
    tb_episode *training, *evals; // all so far, for the hashes
    size_t n_training, room_training, n_evals, room_evals;
    double recent[recent_episodes];
} tb_worker;

// the suite with the one seed of ".../s0003"
static void take_seed_of_path(tb_worker *worker)
{
    const char *name = strrchr(worker->def->cell_path, '/');
    char *end;
    if (name == NULL || name[1] != 's' || name[2] < '0' || name[2] > '9')
        return;
    worker->suite->seeds[0] = strtoll(name + 2, &end, 10);
    worker->suite->n_seeds = 1;
}

static tb_status find_cell(tb_worker *worker, tb_error *error)
{
    tb_status status = tb_results_suite(worker->def->results, &worker->suite, error);
    if (status == TB_OK && worker->any_seed)
        take_seed_of_path(worker);
    if (status == TB_OK)
        status = tb_plan_make(worker->suite, NULL, &worker->plan, error);
    for (size_t i = 0; status == TB_OK && i < worker->plan.n_cells; i++)
        if (strcmp(worker->plan.cells[i].path, worker->def->cell_path) == 0)
            worker->cell = &worker->plan.cells[i];
    if (status != TB_OK)
        return status;
    if (worker->cell == NULL)
        return tb_fail(error, TB_E_PARAM, "%s holds no cell \"%s\"", worker->def->results,
                       worker->def->cell_path);
    const tb_suite *suite = worker->suite;
    worker->env = &suite->envs[worker->cell->env];
    worker->policy = &suite->policies[worker->cell->policy];
    worker->algorithm = &suite->algorithms[worker->cell->algorithm];
    worker->setting =
        &suite->settings[worker->cell->env * suite->n_algorithms + worker->cell->algorithm];
    worker->folder = tb_format("%s/%s", worker->def->results, worker->cell->path);
    if (worker->folder == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    return TB_OK;
}

// opening the logs would empty the files that run.json vouches for
static tb_status check_incomplete(const tb_worker *worker, tb_error *error)
{
    if (!tb_run_is_complete(worker->folder))
        return TB_OK;
    return tb_fail(error, TB_E_STATE,
                   "%s is complete already; to run it again, delete its run.json", worker->folder);
}

// the plugin file that plugins.json names; one that was loaded already is taken again
static tb_status load_plugin(tb_worker *worker, const char *kind, const char *id, tb_plugin **out,
                             tb_error *error)
{
    char *key = tb_format("%s:%s", kind, id);
    const char *path =
        key != NULL
            ? json_string_value(json_object_get(json_object_get(worker->plugins, key), "path"))
            : NULL;
    free(key);
    if (path == NULL)
        return tb_fail(error, TB_E_CORRUPT, "%s/plugins.json names no plugin for %s \"%s\"",
                       worker->def->results, kind, id);
    tb_plugin *loaded[] = {worker->env_plugin, worker->policy_plugin, worker->critic_plugin};
    for (size_t i = 0; i < 3; i++) {
        if (loaded[i] != NULL && strcmp(loaded[i]->path, path) == 0) {
            *out = loaded[i];
            return TB_OK;
        }
    }
    return tb_plugin_load(path, out, error);
}

static tb_status load_plugins(tb_worker *worker, tb_error *error)
{
    char *path = tb_format("%s/plugins.json", worker->def->results);
    json_error_t why;
    if (path == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    worker->plugins = json_load_file(path, 0, &why);
    free(path);
    if (worker->plugins == NULL)
        return tb_fail(error, TB_E_CORRUPT,
                       "%s/plugins.json:%d: %s; `trpo-bench SUITE.toml` writes it anew",
                       worker->def->results, why.line, why.text);
    tb_status status = load_plugin(worker, "env", worker->env->id, &worker->env_plugin, error);
    if (status == TB_OK)
        status = load_plugin(worker, "policy", worker->policy->id, &worker->policy_plugin, error);
    if (status == TB_OK)
        status =
            load_plugin(worker, "policy", worker->policy->critic_id, &worker->critic_plugin, error);
    if (status != TB_OK)
        return status;
    const tb_env_desc *desc = tb_plugin_describe(worker->env_plugin, worker->env->id);
    worker->reward_threshold = desc != NULL ? desc->reward_threshold : NAN;
    return TB_OK;
}

static tb_status make_env(void *ctx, const tb_env_api **api, tb_env **env, tb_error *error)
{
    tb_worker *worker = ctx;
    json_t **effective = worker->effective_env == NULL ? &worker->effective_env : NULL;
    return tb_plugin_create_env(worker->env_plugin, worker->env->id, worker->env->params, api, env,
                                effective, error);
}

static tb_status make_map(void *ctx, int critic, const tb_map_spec *spec, const tb_map_api **api,
                          tb_map **map, tb_error *error)
{
    tb_worker *worker = ctx;
    // the policy's may be made twice: gSDE asks one how many features there are
    json_t **effective = worker->effective_policy == NULL ? &worker->effective_policy : NULL;
    if (critic)
        return tb_plugin_create_map(worker->critic_plugin, worker->policy->critic_id, spec,
                                    worker->policy->critic_params, api, map,
                                    &worker->effective_critic, error);
    return tb_plugin_create_map(worker->policy_plugin, worker->policy->id, spec,
                                worker->policy->params, api, map, effective, error);
}

static tb_status append(tb_episode **list, size_t *n, size_t *room, const tb_episode *more,
                        size_t n_more, tb_error *error)
{
    if (*n + n_more > *room) {
        size_t wanted = 2 * (*n + n_more);
        tb_episode *grown = realloc(*list, wanted * sizeof **list);
        if (grown == NULL)
            return tb_fail(error, TB_E_NOMEM, "no memory for %zu episodes", wanted);
        *list = grown;
        *room = wanted;
    }
    if (n_more > 0)
        memcpy(*list + *n, more, n_more * sizeof *more);
    *n += n_more;
    return TB_OK;
}

static void tell_progress(tb_worker *worker)
{
    if (worker->def->progress_fd < 0)
        return;
    size_t n = worker->n_training < recent_episodes ? worker->n_training : recent_episodes;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += worker->training[worker->n_training - 1 - i].reward_sum;
    char line[160];
    int length = snprintf(line, sizeof line, "steps %llu %lld %zu %.9g\n",
                          (unsigned long long)tb_learner_steps(worker->learner),
                          (long long)worker->env->run.steps, worker->n_training,
                          n > 0 ? sum / (double)n : NAN);
    // a full pipe loses a line of display, nothing else
    ssize_t ignored = write(worker->def->progress_fd, line, (size_t)length);
    (void)ignored;
}

static tb_status evaluate(tb_worker *worker, int final, tb_error *error)
{
    const tb_run_config *run = &worker->env->run;
    size_t n = (size_t)(final ? run->final_eval_episodes : run->eval_episodes);
    tb_episode *episodes = tb_alloc(n, sizeof *episodes);
    if (episodes == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for %zu evaluation episodes", n);
    tb_status status = tb_learner_evaluate(worker->learner, final, n, episodes, error);
    if (status != TB_OK)
        status = tb_fail_prefix(error, status, "during evaluation");
    if (status == TB_OK)
        status =
            tb_run_logs_evaluation(&worker->logs, episodes, n, worker->reward_threshold, error);
    if (status == TB_OK)
        status = append(&worker->evals, &worker->n_evals, &worker->room_evals, episodes, n, error);
    free(episodes);
    return status;
}

static tb_status iterate(tb_worker *worker, uint64_t *next_eval, tb_error *error)
{
    tb_iteration log;
    tb_timing timing;
    uint64_t every = (uint64_t)worker->env->run.eval_every;
    tb_status status = tb_learner_iterate(worker->learner, &log, &timing, error);
    if (status != TB_OK)
        return tb_fail_prefix(error, status, "after %llu steps",
                              (unsigned long long)tb_learner_steps(worker->learner));
    size_t n;
    const tb_episode *episodes = tb_learner_episodes(worker->learner, &n);
    status =
        append(&worker->training, &worker->n_training, &worker->room_training, episodes, n, error);
    if (status != TB_OK)
        return status;
    // the evaluation at the end replaces the one that would fall on the last iteration
    double t = tb_wall_clock();
    if (every > 0 && tb_learner_steps(worker->learner) >= *next_eval &&
        !tb_learner_done(worker->learner)) {
        status = evaluate(worker, 0, error);
        while (*next_eval <= tb_learner_steps(worker->learner))
            *next_eval += every;
    }
    if (status == TB_OK)
        status = tb_run_logs_iteration(&worker->logs, &log, &timing, tb_wall_clock() - t, episodes,
                                       n, error);
    tell_progress(worker);
    return status;
}

static tb_status create_learner(tb_worker *worker, tb_error *error)
{
    tb_learner_def def = {
        .make_env = make_env,
        .make_map = make_map,
        .ctx = worker,
        .max_episode_steps = (uint64_t)worker->env->max_episode_steps,
        .run = worker->env->run,
        .learner = worker->setting->learner,
        .algorithm = worker->algorithm->algorithm,
        .algorithm_config = worker->setting->algorithm_config,
        .seed = (uint64_t)worker->cell->seed,
    };
    return tb_learner_create(&def, &worker->learner, error);
}

// TB_DISCARD: stopped by a signal
static tb_status train(tb_worker *worker, tb_error *error)
{
    tb_status status = create_learner(worker, error);
    // the untrained policy is the first point of every curve
    if (status == TB_OK && worker->env->run.eval_every > 0)
        status = evaluate(worker, 0, error);
    uint64_t next_eval = (uint64_t)worker->env->run.eval_every;
    while (status == TB_OK && !tb_learner_done(worker->learner)) {
        status = iterate(worker, &next_eval, error);
        if (status == TB_OK && *worker->def->stop)
            return tb_fail(error, TB_DISCARD, "stopped by a signal after %llu steps",
                           (unsigned long long)tb_learner_steps(worker->learner));
    }
    return status == TB_OK ? evaluate(worker, 1, error) : status;
}

static tb_status commit(tb_worker *worker, double started, tb_error *error)
{
    size_t n_policy, n_critic;
    const double *policy = tb_learner_parameters(worker->learner, 0, &n_policy);
    const double *critic = tb_learner_parameters(worker->learner, 1, &n_critic);
    tb_status status =
        tb_run_write_parameters(worker->folder, "policy.bin", policy, n_policy, error);
    if (status == TB_OK)
        status = tb_run_write_parameters(worker->folder, "critic.bin", critic, n_critic, error);
    if (status == TB_OK)
        status = tb_run_write_scaler(worker->folder, tb_learner_scaler(worker->learner), error);
    if (status == TB_OK)
        status = tb_run_logs_close(&worker->logs, error);
    if (status != TB_OK)
        return status;
    tb_run_record record = {
        .suite = worker->suite,
        .cell = worker->cell,
        .plugins = worker->plugins,
        .effective_env = worker->effective_env,
        .effective_policy = worker->effective_policy,
        .effective_critic = worker->effective_critic,
        .steps = tb_learner_steps(worker->learner),
        .episodes = worker->n_training,
        .n_policy = n_policy,
        .n_critic = n_critic,
        .started = started,
    };
    size_t n_final = (size_t)worker->env->run.final_eval_episodes;
    for (size_t i = 0; i < n_final; i++)
        record.final_return_mean +=
            worker->evals[worker->n_evals - n_final + i].reward_sum / (double)n_final;
    if (!isfinite(record.final_return_mean))
        return tb_fail(error, TB_E_NUMERIC, "the mean return of the final evaluation is %g",
                       record.final_return_mean);
    tb_result_hash(worker->training, worker->n_training, worker->evals, worker->n_evals, policy,
                   n_policy, critic, n_critic, &record.hashes);
    return tb_run_record_commit(&record, worker->folder, error);
}

static void finish(tb_worker *worker)
{
    tb_run_logs_close(&worker->logs, NULL);
    tb_learner_destroy(worker->learner);
    if (worker->critic_plugin != worker->policy_plugin &&
        worker->critic_plugin != worker->env_plugin)
        tb_plugin_release(worker->critic_plugin, 0);
    if (worker->policy_plugin != worker->env_plugin)
        tb_plugin_release(worker->policy_plugin, 0);
    tb_plugin_release(worker->env_plugin, 0);
    json_decref(worker->plugins);
    json_decref(worker->effective_env);
    json_decref(worker->effective_policy);
    json_decref(worker->effective_critic);
    tb_plan_free(&worker->plan);
    tb_suite_free(worker->suite);
    free(worker->folder);
    free(worker->training);
    free(worker->evals);
}

// "done", or "failed" and why, on one line
static void say_end(const tb_worker *worker, int code, const char *message)
{
    if (worker->def->progress_fd < 0 || code == TB_EXIT_AGAIN)
        return;
    char line[1100];
    int length = code == TB_EXIT_OK ? snprintf(line, sizeof line, "done\n")
                                    : snprintf(line, sizeof line, "failed %s\n", message);
    for (int i = 0; i + 1 < length; i++)
        line[i] = line[i] == '\n' ? ' ' : line[i];
    ssize_t ignored = write(worker->def->progress_fd, line, (size_t)length);
    (void)ignored;
}

static int run_cell(tb_worker *worker, tb_error *error)
{
    tb_attempt attempt = {
        .state = "running", .message = "", .exit_code = -1, .started = tb_wall_clock()};
    attempt.number =
        worker->def->attempt > 0 ? worker->def->attempt : tb_attempt_next(worker->folder);
    tb_status status = tb_make_folders(worker->folder, error);
    if (status == TB_OK)
        status = tb_attempt_write(worker->folder, &attempt, error);
    if (status == TB_OK)
        status = tb_run_logs_open(&worker->logs, worker->folder, worker->env->id, error);
    if (status != TB_OK)
        return TB_EXIT_IO;

    status = load_plugins(worker, error);
    if (status == TB_OK)
        status = train(worker, error);
    if (status == TB_OK)
        status = commit(worker, attempt.started, error);

    // how it ended
    int code = status == TB_OK        ? TB_EXIT_OK
               : status == TB_DISCARD ? TB_EXIT_AGAIN
               : status == TB_E_IO    ? TB_EXIT_IO
                                      : TB_EXIT_FAILED_CELLS;
    attempt.state = status == TB_OK ? "ok" : status == TB_DISCARD ? "stopped" : "failed";
    attempt.message = status == TB_OK ? "" : error->message;
    attempt.exit_code = code;
    attempt.ended = tb_wall_clock();
    // run.json decides; a record that a full disk swallows changes nothing
    tb_attempt_write(worker->folder, &attempt, NULL);
    return code;
}

int tb_worker_run(const tb_worker_def *def, tb_error *error)
{
    tb_worker worker = {.def = def};
    tb_status status = find_cell(&worker, error);
    if (status == TB_OK)
        status = check_incomplete(&worker, error);
    int code = status == TB_OK ? run_cell(&worker, error) : tb_cli_exit_code(status);
    say_end(&worker, code, error->message);
    finish(&worker);
    return code;
}

tb_status tb_worker_probe(const tb_worker_def *def, tb_error *error)
{
    tb_worker worker = {.def = def};
    tb_status status = find_cell(&worker, error);
    if (status == TB_OK)
        status = load_plugins(&worker, error);
    if (status == TB_OK)
        status = create_learner(&worker, error);
    finish(&worker);
    return status;
}

tb_status tb_worker_visit(const tb_worker_def *def,
                          tb_status (*work)(void *ctx, const tb_worker_cell *cell, tb_error *error),
                          void *ctx, tb_error *error)
{
    tb_worker worker = {.def = def, .any_seed = 1};
    tb_status status = find_cell(&worker, error);
    if (status == TB_OK)
        status = load_plugins(&worker, error);
    if (status == TB_OK)
        status = create_learner(&worker, error);
    if (status == TB_OK) {
        tb_worker_cell cell = {.folder = worker.folder,
                               .cell = worker.cell,
                               .env = worker.env,
                               .setting = worker.setting,
                               .learner = worker.learner};
        status = work(ctx, &cell, error);
    }
    finish(&worker);
    return status;
}

// trials of each branch of a study: the standard error of a variance is then below a fifth of it
enum { study_trials = 64 };

static tb_status study(tb_worker *worker, FILE *out, tb_error *error)
{
    tb_vine_study result;
    tb_status status = tb_learner_study_vine(worker->learner, study_trials, &result, error);
    if (status == TB_OK)
        fprintf(out, "%s\t%s\t%llu\t%zu\t%zu\t%zu\t%.6g\t%.6g\t%.4f\t%.4f\n", worker->env->label,
                worker->algorithm->label, (unsigned long long)tb_learner_steps(worker->learner),
                result.n_states, result.n_same, result.n_zero_common, result.variance_common,
                result.variance_apart, result.variance_common / result.variance_apart,
                result.ratio_median);
    return status;
}

tb_status tb_worker_study(const tb_worker_def *def, FILE *out, tb_error *error)
{
    tb_worker worker = {.def = def};
    tb_iteration log;
    tb_status status = find_cell(&worker, error);
    if (status == TB_OK && worker.setting->learner.sampling != TB_SAMPLING_VINE)
        status =
            tb_fail(error, TB_E_PARAM, "cell \"%s\" does not use vine sampling", def->cell_path);
    if (status == TB_OK)
        status = load_plugins(&worker, error);
    if (status == TB_OK)
        status = create_learner(&worker, error);
    if (status == TB_OK) {
        fprintf(out, "env\talgorithm\tstep\tstates\tsame\tzero_common\tvariance_common\t"
                     "variance_apart\tratio\tratio_median\n");
        status = study(&worker, out, error);
    }
    int half = 0;
    while (status == TB_OK && !tb_learner_done(worker.learner)) {
        status = tb_learner_iterate(worker.learner, &log, NULL, error);
        if (status != TB_OK || half ||
            2 * tb_learner_steps(worker.learner) < (uint64_t)worker.env->run.steps)
            continue;
        half = 1;
        status = study(&worker, out, error);
    }
    if (status == TB_OK)
        status = study(&worker, out, error);
    finish(&worker);
    return status;
}
