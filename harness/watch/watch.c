/* SPDX-License-Identifier: MIT */
#include "harness/watch/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/store/csv.h"
#include "harness/store/file.h"
#include "harness/store/results.h"
#include "harness/watch/film.h"
#include "harness/worker/logs.h"
#include "harness/worker/worker.h"

enum { columns = 4, default_speed = 30 };

typedef struct watch {
    const tb_watch_def *def;
    tb_watch_result *result;
    const tb_worker_cell *cell;
    tb_csv evals; // episode, step, return, length
    // the film
    const tb_env_render *api; // NULL = none
    tb_render *render;
    uint8_t *rgb;
    char *path;
    tb_film *film;
    uint64_t every; // steps from picture to picture
    uint64_t n_pictures;
} watch;

// ---- the policy ----

static tb_status read_policy(const watch *w, tb_error *error)
{
    const tb_worker_cell *cell = w->cell;
    double *theta = NULL;
    size_t n = 0;
    tb_scaler scaler;
    tb_status status = tb_run_read_parameters(cell->folder, "policy.bin", &theta, &n, error);
    if (status != TB_OK)
        return status;
    status = tb_run_read_scaler(cell->folder, &scaler, error);
    int is_old = status == TB_DISCARD;
    if (is_old && cell->setting->learner.normalize_observations)
        status = tb_fail(error, TB_E_CORRUPT,
                         "%s has no observations.csv: it was run by an older trpo-bench, which did "
                         "not keep the statistics that its policy needs; delete it and run the "
                         "suite again",
                         cell->folder);
    else if (status == TB_OK || is_old)
        status = tb_learner_set_policy(cell->learner, theta, n, is_old ? NULL : &scaler, error);
    if (status == TB_E_CORRUPT)
        status = tb_fail_prefix(error, status, "%s", cell->folder);
    tb_scaler_finish(&scaler);
    free(theta);
    return status;
}

// whether the files that are read are those that run.json tells of
static tb_status check_files(const char *folder, tb_error *error)
{
    static const char *const names[] = {"policy.bin", "observations.csv", "evals.csv"};
    char *path = tb_format("%s/run.json", folder);
    json_t *run = path != NULL ? json_load_file(path, JSON_REJECT_DUPLICATES, NULL) : NULL;
    tb_status status = path == NULL  ? tb_fail(error, TB_E_NOMEM, "no memory for a path")
                       : run == NULL ? tb_fail(error, TB_E_CORRUPT, "%s: not valid JSON", path)
                                     : TB_OK;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && status == TB_OK; i++) {
        const char *told =
            json_string_value(json_object_get(json_object_get(run, "files"), names[i]));
        char found[65], *file = tb_format("%s/%s", folder, names[i]);
        // older runs have no observations.csv, and do not tell of one
        if (told != NULL && file != NULL)
            status = tb_file_sha256(file, found, error);
        if (told != NULL && file != NULL && status == TB_OK && strcmp(told, found) != 0)
            status = tb_fail(error, TB_E_CORRUPT,
                             "%s is not the file that the run wrote (its SHA-256 is not that in "
                             "run.json); delete the run's folder and run its suite again",
                             file);
        free(file);
    }
    json_decref(run);
    free(path);
    return status;
}

// a policy and what it is compared with
static tb_status read_run(watch *w, tb_error *error)
{
    static const char *const names[columns] = {"episode", "step", "return", "length"};
    const char *folder = w->cell->folder;
    if (w->def->actions == TB_PLAY_UNIFORM)
        return TB_OK;
    if (!tb_run_is_complete(folder))
        return tb_fail(error, TB_E_STATE,
                       "%s is not complete: it has no run.json, so there is no trained policy; run "
                       "its suite first, or watch random actions: --random",
                       folder);
    tb_status status = check_files(folder, error);
    if (status != TB_OK)
        return status;
    char *path = tb_format("%s/evals.csv", folder);
    status = path != NULL ? tb_csv_read(path, names, columns, &w->evals, error)
                          : tb_fail(error, TB_E_NOMEM, "no memory for a path");
    free(path);
    return status == TB_OK ? read_policy(w, error) : status;
}

// the row of episode k in the final evaluation: that with the largest step; NULL = none
static const double *final_row(const watch *w, uint64_t k)
{
    const double *found = NULL;
    double last = 0;
    for (size_t i = 0; i < w->evals.n_rows; i++)
        last = fmax(last, w->evals.values[columns * i + 1]);
    for (size_t i = 0; i < w->evals.n_rows; i++) {
        const double *row = w->evals.values + columns * i;
        if (row[1] >= last && row[0] == (double)k)
            found = row;
    }
    return found;
}

// ---- the film ----

static tb_status open_renderer(watch *w, tb_film_def *film, tb_render_info *info, tb_error *error)
{
    const tb_env_api *api;
    tb_env *env;
    const char *id = w->cell->env->id;
    tb_learner_player(w->cell->learner, &api, &env);
    w->api = api->get_extension(env, TB_EXT_ENV_RENDER);
    if (w->api == NULL)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "%s cannot be drawn: its plugin does not offer %s; play without a film: "
                       "--no-film",
                       id, TB_EXT_ENV_RENDER);
    tb_status status = w->api->info(env, info);
    film->width = w->def->width > 0 ? w->def->width : info->width;
    film->height = w->def->height > 0 ? w->def->height : info->height;
    if (status == TB_OK &&
        (film->width > TB_WATCH_LARGEST_SIDE || film->height > TB_WATCH_LARGEST_SIDE))
        return tb_fail(error, TB_E_PARAM, "%s: pictures of %u x %u; at most %d", id,
                       (unsigned)film->width, (unsigned)film->height, (int)TB_WATCH_LARGEST_SIDE);
    if (status == TB_OK)
        status = w->api->create(env, film->width, film->height, &w->render);
    if (status != TB_OK)
        return tb_fail(error, status, "%s cannot be drawn here: %s", id, api->last_error(env));
    w->rgb = tb_alloc((size_t)film->width * film->height, 3);
    return w->rgb != NULL ? TB_OK
                          : tb_fail(error, TB_E_NOMEM, "no memory for a picture of %u x %u",
                                    (unsigned)film->width, (unsigned)film->height);
}

static tb_status open_film(watch *w, tb_error *error)
{
    const tb_watch_def *def = w->def;
    tb_film_def film = {0};
    tb_render_info info = {.struct_size = sizeof info, .steps_per_second = NAN};
    if (def->no_film)
        return TB_OK;
    w->path =
        def->film != NULL ? tb_format("%s", def->film) : tb_format("%s/watch.mp4", w->cell->folder);
    if (w->path == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    tb_status status = open_renderer(w, &film, &info, error);
    if (status != TB_OK)
        return status;
    // a plugin's word, within reason
    double speed = isfinite(info.steps_per_second) && info.steps_per_second > 0
                       ? fmin(fmax(info.steps_per_second, 0.1), 1e6)
                       : default_speed;
    w->every = 1;
    if (def->speed > 0)
        speed = def->speed;
    else
        w->every = (uint64_t)fmax(1, ceil(speed / tb_film_fastest(w->path)));
    film.path = w->path;
    film.pictures_per_second = speed / (double)w->every;
    return tb_film_open(&film, &w->film, error);
}

static tb_status take_picture(void *ctx, const tb_lane *lane, uint8_t flags, tb_error *error)
{
    watch *w = ctx;
    if (w->film == NULL || (lane->length % w->every != 0 && flags == 0))
        return TB_OK;
    tb_status status = w->api->frame(w->render, lane->env, w->rgb);
    if (status != TB_OK)
        return tb_fail(error, status, "%s cannot be drawn in step %" PRIu64 ": %s",
                       w->cell->env->id, lane->length, w->api->last_error(w->render));
    w->n_pictures++;
    return tb_film_add(w->film, w->rgb, error);
}

// ---- playing ----

static int same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void tell(watch *w, const tb_episode *episode)
{
    const double *row = w->def->actions == TB_PLAY_MODE ? final_row(w, episode->index) : NULL;
    fprintf(w->def->out, "episode %" PRIu64 ": return %.17g, %" PRIu64 " steps", episode->index,
            episode->reward_sum, episode->length);
    if (row != NULL) {
        int equal = same(row[2], episode->reward_sum) && row[3] == (double)episode->length;
        w->result->n_compared++;
        w->result->n_different += !equal;
        if (equal)
            fprintf(w->def->out, ", as in the final evaluation");
        else
            fprintf(w->def->out, "; the final evaluation had %.17g, %.0f steps", row[2], row[3]);
    }
    fprintf(w->def->out, "\n");
    fflush(w->def->out);
}

static tb_status play(watch *w, tb_error *error)
{
    tb_play how = {.actions = w->def->actions, .on_state = take_picture, .ctx = w};
    tb_status status = TB_OK;
    for (uint64_t k = 0; k < w->def->n && status == TB_OK; k++) {
        tb_episode episode;
        status = tb_learner_play(w->cell->learner, w->def->first + k, &how, &episode, error);
        if (status == TB_OK)
            tell(w, &episode);
    }
    return status;
}

static tb_status watch_cell(void *ctx, const tb_worker_cell *cell, tb_error *error)
{
    watch *w = ctx;
    w->cell = cell;
    tb_status status = read_run(w, error);
    if (status == TB_OK)
        status = open_film(w, error);
    if (status == TB_OK)
        status = play(w, error);
    if (status == TB_OK && w->film != NULL) {
        status = tb_film_close(w->film, error);
        w->film = NULL;
        if (status == TB_OK)
            fprintf(w->def->out, "%s: %" PRIu64 " pictures\n", w->path, w->n_pictures);
    }
    tb_film_abandon(w->film);
    if (w->render != NULL)
        w->api->destroy(w->render);
    tb_csv_finish(&w->evals);
    free(w->path);
    free(w->rgb);
    return status;
}

// RESULTS/runs/ENV/POLICY/ALGORITHM/SEED: `whole` is cut behind RESULTS, *cell points behind it
static tb_status divide(char *whole, const char *given, char **cell, tb_error *error)
{
    char *found = NULL;
    for (char *at = whole; (at = strstr(at, "/runs/")) != NULL; at++)
        found = at;
    int slashes = 0;
    for (const char *c = found; c != NULL && *c != '\0'; c++)
        slashes += *c == '/';
    if (slashes != 5)
        return tb_fail(error, TB_E_PARAM,
                       "%s is not the folder of a run; one is called "
                       "RESULTS/runs/ENVIRONMENT/POLICY/ALGORITHM/s0000",
                       given);
    *found = '\0';
    *cell = found + 1;
    return TB_OK;
}

tb_status tb_watch(const tb_watch_def *def, tb_watch_result *result, tb_error *error)
{
    *result = (tb_watch_result){0};
    watch w = {.def = def, .result = result};
    char *whole = realpath(def->run, NULL), *cell = NULL;
    if (whole == NULL)
        return tb_fail(error, TB_E_IO, "%s: %s", def->run, strerror(errno));
    tb_status status = divide(whole, def->run, &cell, error);
    if (status == TB_OK) {
        tb_worker_def worker = {
            .results = whole[0] != '\0' ? whole : "/", .cell_path = cell, .progress_fd = -1};
        status = tb_worker_visit(&worker, watch_cell, &w, error);
    }
    free(whole);
    return status;
}
