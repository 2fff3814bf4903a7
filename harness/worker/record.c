/* SPDX-License-Identifier: MIT */
#include "harness/worker/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "harness/store/file.h"
#include "harness/store/results.h"

static json_t *string_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

// the processor's name, or NULL; freed by the caller
static char *cpu_model(void)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[512], *model = NULL;
    while (file != NULL && model == NULL && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            colon[1 + strcspn(colon + 1, "\n")] = '\0';
            model = strdup(colon + 2);
        }
    }
    if (file != NULL)
        fclose(file);
    return model;
}

static json_t *host_json(void)
{
    struct utsname name;
    uname(&name);
    char *cpu = cpu_model();
    json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:I}", "system", name.sysname, "release",
                             name.release, "machine", name.machine, "cpu", string_or_null(cpu),
                             "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN));
    free(cpu);
    return json;
}

static json_t *tool_json(void)
{
    return json_pack("{s:s, s:s, s:s}", "name", "trpo-bench", "version", TB_VERSION, "build",
                     TB_BUILD_FLAGS);
}

static json_t *environment_json(void)
{
    static const char *const names[] = {"OMP_NUM_THREADS", "GOMP_SPINCOUNT", "TRPO_BENCH_ISA",
                                        "LD_PRELOAD", "LC_ALL"};
    json_t *json = json_object();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        json_object_set_new(json, names[i], string_or_null(getenv(names[i])));
    return json;
}

// the plugins of this cell, out of all of the suite's
static json_t *used_plugins(const tb_run_record *record)
{
    const tb_suite_env *env = &record->suite->envs[record->cell->env];
    const tb_suite_policy *policy = &record->suite->policies[record->cell->policy];
    char *keys[] = {tb_format("env:%s", env->id), tb_format("policy:%s", policy->id),
                    tb_format("policy:%s", policy->critic_id)};
    json_t *json = json_object();
    for (size_t i = 0; i < 3; i++) {
        if (keys[i] != NULL)
            json_object_set(json, keys[i], json_object_get(record->plugins, keys[i]));
        free(keys[i]);
    }
    return json;
}

static tb_status add_files(json_t *files, const char *run_folder, tb_error *error)
{
    static const char *const names[] = {"progress.csv", "episodes.csv", "evals.csv",
                                        "policy.bin",   "critic.bin",   "observations.csv"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char hex[65];
        char *path = tb_format("%s/%s", run_folder, names[i]);
        tb_status status = path != NULL ? tb_file_sha256(path, hex, error)
                                        : tb_fail(error, TB_E_NOMEM, "no memory for a path");
        free(path);
        if (status != TB_OK)
            return status;
        json_object_set_new(files, names[i], json_string(hex));
    }
    return TB_OK;
}

static json_t *cell_json(const tb_run_record *record)
{
    const tb_cell *cell = record->cell;
    return json_pack("{s:s, s:s, s:s, s:I, s:o}", "id", cell->id, "path", cell->path, "label",
                     cell->label, "seed", (json_int_t)cell->seed, "configuration",
                     tb_cell_config_json(record->suite, cell));
}

tb_status tb_run_record_commit(const tb_run_record *record, const char *run_folder, tb_error *error)
{
    json_t *files = json_object();
    tb_status status = add_files(files, run_folder, error);
    if (status != TB_OK) {
        json_decref(files);
        return status;
    }
    double ended = tb_wall_clock();
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    json_t *json = json_pack(
        "{s:i, s:s, s:o, s:s, s:I, s:I, s:f, s:s, s:s, s:s, s:{s:O?, s:O?, s:O?}, s:{s:I, s:I}, "
        "s:o, s:o, s:o, s:o, "
        "s:o, s:f, s:f, s:f, s:f, s:I}",
        "schema_version", TB_SCHEMA_VERSION, "state", "ok", "cell", cell_json(record), "suite_hash",
        record->suite->hash, "steps", (json_int_t)record->steps, "episodes",
        (json_int_t)record->episodes, "final_return_mean", record->final_return_mean, "train_hash",
        record->hashes.train, "eval_hash", record->hashes.eval, "result_hash",
        record->hashes.result, "effective_params", "env", record->effective_env, "policy",
        record->effective_policy, "critic", record->effective_critic, "n_params", "policy",
        (json_int_t)record->n_policy, "critic", (json_int_t)record->n_critic, "plugins",
        used_plugins(record), "tool", tool_json(), "host", host_json(), "environment",
        environment_json(), "files", files, "started", record->started, "ended", ended, "wall_s",
        ended - record->started, "cpu_s",
        (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
            1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec),
        "max_rss_kib", (json_int_t)usage.ru_maxrss);
    char *text = json != NULL
                     ? json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(17))
                     : NULL;
    char *path = tb_format("%s/run.json", run_folder);
    status = text == NULL || path == NULL ? tb_fail(error, TB_E_NOMEM, "no memory for run.json")
                                          : tb_commit_file(path, text, strlen(text), NULL, error);
    free(text);
    free(path);
    json_decref(json);
    return status;
}
