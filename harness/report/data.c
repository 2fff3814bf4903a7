/* SPDX-License-Identifier: MIT */
#include "harness/report/data.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

tb_report_options tb_report_default(void)
{
    return (tb_report_options){.resamples = 50000, .curve_resamples = 2000, .level = 0.95};
}

static tb_status check_options(const tb_report_options *options, tb_error *error)
{
    if (options->resamples < 1 || options->curve_resamples < 1)
        return tb_fail(
            error, TB_E_PARAM, "the number of bootstrap resamples must be at least 1, not %lld",
            (long long)(options->resamples < 1 ? options->resamples : options->curve_resamples));
    if (!(options->level > 0 && options->level < 1))
        return tb_fail(error, TB_E_PARAM,
                       "the level of an interval must lie between 0 and 1, not %g", options->level);
    return TB_OK;
}

static tb_status no_memory(tb_error *error)
{
    return tb_fail(error, TB_E_NOMEM, "out of memory while reading the results");
}

static tb_status read_suite(tb__report *report, tb_error *error)
{
    char *path = tb__text("%s/suite.resolved.json", report->dir);
    if (path == NULL)
        return no_memory(error);
    json_t *json = NULL;
    tb_status status = tb__json_read(path, &json, error);
    if (status == TB_E_IO)
        tb_fail_prefix(error, status, "\"%s\" is not a results folder", report->dir);
    if (status == TB_OK) {
        status = tb_suite_from_json(json, &report->suite, error);
        if (status != TB_OK && status != TB_E_NOMEM) {
            tb_fail_prefix(error, status, "%s:1", path);
            status = TB_E_CORRUPT;
            if (error != NULL)
                error->status = status;
        }
    }
    json_decref(json);
    free(path);
    return status;
}

// a number of an environment's entry; null and absent are "unknown"
static double number_of(const json_t *entry, const char *key)
{
    const json_t *value = json_object_get(entry, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static tb_status read_scales(tb__report *report, tb_error *error)
{
    const tb_suite *suite = report->suite;
    report->scales = tb_alloc(suite->n_envs, sizeof *report->scales);
    char *path = tb__text("%s/plugins.json", report->dir);
    if (report->scales == NULL || path == NULL) {
        free(path);
        return no_memory(error);
    }
    json_t *json = NULL;
    tb_error found;
    tb_status status = tb__json_read(path, &json, &found);
    // without the file nothing is known, which is no reason to give no report
    if (status == TB_E_CORRUPT)
        tb_fail(error, status, "%s", found.message);
    for (size_t e = 0; status != TB_E_CORRUPT && e < suite->n_envs; e++) {
        char key[512];
        snprintf(key, sizeof key, "env:%s", suite->envs[e].id);
        const json_t *entry = json_object_get(json, key);
        report->scales[e] =
            (tb__scale){number_of(entry, "return_random"), number_of(entry, "return_ref"),
                        number_of(entry, "reward_threshold")};
    }
    json_decref(json);
    free(path);
    return status == TB_E_CORRUPT ? status : TB_OK;
}

// a growing set of seeds
typedef struct seed_set {
    int64_t *seeds;
    size_t n, capacity;
} seed_set;

static int add_seed(seed_set *set, int64_t seed)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->seeds[i] == seed)
            return 1;
    if (set->n == set->capacity) {
        size_t larger = 2 * set->capacity + 64;
        int64_t *seeds = realloc(set->seeds, larger * sizeof *seeds);
        if (seeds == NULL)
            return 0;
        set->seeds = seeds;
        set->capacity = larger;
    }
    set->seeds[set->n++] = seed;
    return 1;
}

// the seeds of all folders s<digits> beside the cell's own
static int add_seeds_on_disk(const char *dir, const tb_cell *cell, seed_set *set)
{
    char *folder = tb__text("%s/%s", dir, cell->path);
    if (folder == NULL)
        return 0;
    *strrchr(folder, '/') = '\0';
    DIR *entries = opendir(folder);
    int ok = 1;
    for (const struct dirent *entry; entries != NULL && ok && (entry = readdir(entries)) != NULL;) {
        const char *digits = entry->d_name + 1;
        size_t n = strspn(digits, "0123456789");
        if (entry->d_name[0] == 's' && n >= 4 && n <= 18 && digits[n] == '\0')
            ok = add_seed(set, strtoll(digits, NULL, 10));
    }
    if (entries != NULL)
        closedir(entries);
    free(folder);
    return ok;
}

static int compare_seeds(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// the suite's seeds and all those found on disk, ascending
static tb_status collect_seeds(const tb__report *report, const tb_plan *plan, seed_set *set,
                               tb_error *error)
{
    int ok = 1;
    for (size_t i = 0; ok && i < report->suite->n_seeds; i++)
        ok = add_seed(set, report->suite->seeds[i]);
    for (size_t i = 0; ok && i < plan->n_cells; i++)
        if (plan->cells[i].seed == plan->cells[0].seed) // once for each group
            ok = add_seeds_on_disk(report->dir, &plan->cells[i], set);
    if (!ok)
        return no_memory(error);
    if (set->n > 0)
        qsort(set->seeds, set->n, sizeof set->seeds[0], compare_seeds);
    return TB_OK;
}

// the plan as if the suite asked for every seed that is on disk
static tb_status make_plan(tb__report *report, tb_plan *plan, tb_error *error)
{
    tb_suite *suite = report->suite;
    tb_plan asked = {.cells = NULL};
    tb_status status = tb_plan_make(suite, NULL, &asked, error);
    if (status != TB_OK)
        return status;
    seed_set set = {.seeds = NULL};
    status = collect_seeds(report, &asked, &set, error);
    tb_plan_free(&asked);
    if (status == TB_OK) {
        // lend the suite the larger set: only the plan is made from it
        int64_t *seeds = suite->seeds;
        size_t n_seeds = suite->n_seeds;
        suite->seeds = set.seeds;
        suite->n_seeds = set.n;
        status = tb_plan_make(suite, report->options.filter, plan, error);
        suite->seeds = seeds;
        suite->n_seeds = n_seeds;
    }
    free(set.seeds);
    return status;
}

static int is_asked_for(const tb_suite *suite, int64_t seed)
{
    for (size_t i = 0; i < suite->n_seeds; i++)
        if (suite->seeds[i] == seed)
            return 1;
    return 0;
}

static void finish_run(tb__run *run)
{
    free(run->reason);
    free(run->path);
    free(run->evals);
}

// copies the name of one folder of "runs/<env>/<policy>/<algorithm>/<seed>": 1 = env, ...
static char *path_part(const char *path, int number)
{
    for (; number > 0; number--)
        path = strchr(path, '/') + 1;
    return strndup(path, strcspn(path, "/"));
}

static int start_group(tb__group *group, const tb_cell *cell, size_t n_seeds)
{
    *group = (tb__group){
        .env = cell->env,
        .policy = cell->policy,
        .algorithm = cell->algorithm,
        .env_name = path_part(cell->path, 1),
        .policy_name = path_part(cell->path, 2),
        .algorithm_name = path_part(cell->path, 3),
        .runs = tb_alloc(n_seeds, sizeof(tb__run)),
    };
    return group->env_name != NULL && group->policy_name != NULL && group->algorithm_name != NULL &&
           group->runs != NULL;
}

static int same_group(const tb__group *group, const tb_cell *cell)
{
    return group->env == cell->env && group->policy == cell->policy &&
           group->algorithm == cell->algorithm;
}

static int compare_cells(const void *a, const void *b)
{
    const tb_cell *x = a, *y = b;
    if (x->env != y->env)
        return x->env < y->env ? -1 : 1;
    if (x->policy != y->policy)
        return x->policy < y->policy ? -1 : 1;
    if (x->algorithm != y->algorithm)
        return x->algorithm < y->algorithm ? -1 : 1;
    return (x->seed > y->seed) - (x->seed < y->seed);
}

static void score(const tb__report *report, const tb__group *group, tb__run *run)
{
    const tb__scale *scale = &report->scales[group->env];
    double span = scale->return_ref - scale->return_random;
    run->normalised = span != 0 ? (run->raw - scale->return_random) / span : NAN;
}

static void count(tb_report_summary *summary, const tb__run *run)
{
    summary->n_ok += run->state == TB__RUN_OK;
    summary->n_failed += run->state == TB__RUN_FAILED;
    summary->n_missing += run->state == TB__RUN_MISSING;
}

// reads the cell's run into the group, unless nobody asked for it and there is nothing to say
static tb_status add_run(tb__report *report, tb__group *group, const tb_cell *cell, tb_error *error)
{
    tb__run *run = &group->runs[group->n_runs];
    run->seed = cell->seed;
    run->path = strdup(cell->path);
    if (run->path == NULL)
        return no_memory(error);
    tb_error *damage = &report->summary.damage, found = {.status = TB_OK};
    tb_status status = tb__run_read(report->dir, cell->id, run, &found, error);
    if (status != TB_OK ||
        (run->state == TB__RUN_MISSING && !is_asked_for(report->suite, run->seed))) {
        finish_run(run);
        *run = (tb__run){.path = NULL};
        return status;
    }
    if (found.status != TB_OK && report->summary.n_damaged++ == 0)
        *damage = found;
    score(report, group, run);
    count(&report->summary, run);
    group->n_runs++;
    return TB_OK;
}

static tb_status read_runs(tb__report *report, tb_plan *plan, tb_error *error)
{
    qsort(plan->cells, plan->n_cells, sizeof plan->cells[0], compare_cells);
    // no more groups and no more runs in one than cells
    report->groups = tb_alloc(plan->n_cells, sizeof *report->groups);
    if (report->groups == NULL)
        return no_memory(error);
    for (size_t i = 0; i < plan->n_cells; i++) {
        const tb_cell *cell = &plan->cells[i];
        if (report->n_groups == 0 || !same_group(&report->groups[report->n_groups - 1], cell)) {
            size_t n = 1;
            while (i + n < plan->n_cells && plan->cells[i + n].env == cell->env &&
                   plan->cells[i + n].policy == cell->policy &&
                   plan->cells[i + n].algorithm == cell->algorithm)
                n++;
            if (!start_group(&report->groups[report->n_groups++], cell, n))
                return no_memory(error);
        }
        tb_status status = add_run(report, &report->groups[report->n_groups - 1], cell, error);
        if (status != TB_OK)
            return status;
    }
    return TB_OK;
}

tb_status tb__report_gather(const char *dir, const tb_report_options *options, tb__report *out,
                            tb_error *error)
{
    *out = (tb__report){.dir = dir, .options = *options};
    tb_plan plan = {.cells = NULL};
    tb_status status = check_options(options, error);
    if (status == TB_OK)
        status = read_suite(out, error);
    if (status == TB_OK)
        status = read_scales(out, error);
    if (status == TB_OK)
        status = tb__published_read(dir, &out->published, error);
    if (status == TB_OK)
        status = make_plan(out, &plan, error);
    if (status == TB_OK) {
        status = read_runs(out, &plan, error);
        tb_plan_free(&plan);
    }
    if (status != TB_OK)
        tb__report_finish(out);
    return status;
}

void tb__report_finish(tb__report *report)
{
    for (size_t g = 0; g < report->n_groups; g++) {
        tb__group *group = &report->groups[g];
        for (size_t r = 0; r < group->n_runs; r++)
            finish_run(&group->runs[r]);
        free(group->runs);
        free(group->env_name);
        free(group->policy_name);
        free(group->algorithm_name);
    }
    free(report->groups);
    free(report->scales);
    json_decref(report->published);
    tb_suite_free(report->suite);
    *report = (tb__report){.dir = NULL};
}
