/* SPDX-License-Identifier: MIT */
#include "harness/store/results.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "harness/store/file.h"

char *tb_results_path(const char *base, const tb_suite *suite)
{
    return tb_format("%s/%s-%.8s", base, suite->name, suite->hash);
}

static tb_status write_json(const char *folder, const char *name, json_t *json, tb_error *error)
{
    char *path = tb_format("%s/%s", folder, name);
    char *text = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    tb_status status = path == NULL || text == NULL
                           ? tb_fail(error, TB_E_NOMEM, "no memory for %s", name)
                           : tb_replace_file(path, text, strlen(text), error);
    free(path);
    free(text);
    return status;
}

// NaN has no place in JSON
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static tb_status add_plugin(json_t *plugins, const tb_catalog *catalog, tb_catalog_kind kind,
                            const char *id, tb_error *error)
{
    const tb_catalog_entry *entry;
    tb_status status = tb_catalog_require(catalog, kind, id, &entry, error);
    if (status != TB_OK)
        return status;
    char *path = realpath(entry->path, NULL);
    char *key = tb_format("%s:%s", kind == TB_CATALOG_ENV ? "env" : "policy", id);
    json_t *value = json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "path", path != NULL ? path : entry->path, "sha256",
        entry->sha256, "build", entry->build, "summary", entry->summary, "return_random",
        kind == TB_CATALOG_ENV ? number(entry->return_random) : json_null(), "return_ref",
        kind == TB_CATALOG_ENV ? number(entry->return_ref) : json_null(), "reward_threshold",
        kind == TB_CATALOG_ENV ? number(entry->reward_threshold) : json_null());
    int failed = key == NULL || value == NULL || json_object_set_new(plugins, key, value) != 0;
    free(path);
    free(key);
    return failed ? tb_fail(error, TB_E_NOMEM, "no memory for the list of plugins") : TB_OK;
}

static tb_status write_plugins(const char *folder, const tb_suite *suite, const tb_catalog *catalog,
                               tb_error *error)
{
    json_t *plugins = json_object();
    tb_status status = TB_OK;
    for (size_t i = 0; i < suite->n_envs && status == TB_OK; i++)
        status = add_plugin(plugins, catalog, TB_CATALOG_ENV, suite->envs[i].id, error);
    for (size_t i = 0; i < suite->n_policies && status == TB_OK; i++) {
        status = add_plugin(plugins, catalog, TB_CATALOG_POLICY, suite->policies[i].id, error);
        if (status == TB_OK)
            status = add_plugin(plugins, catalog, TB_CATALOG_POLICY, suite->policies[i].critic_id,
                                error);
    }
    if (status == TB_OK)
        status = write_json(folder, "plugins.json", plugins, error);
    json_decref(plugins);
    return status;
}

tb_status tb_results_suite(const char *folder, tb_suite **out, tb_error *error)
{
    char *path = tb_format("%s/suite.resolved.json", folder);
    if (path == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    if (access(path, R_OK) != 0) {
        tb_status status = tb_fail(error, TB_E_IO, "%s: %s; is %s a results folder?", path,
                                   strerror(errno), folder);
        free(path);
        return status;
    }
    json_error_t why;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    tb_status status;
    if (json == NULL) {
        status =
            tb_fail(error, TB_E_CORRUPT,
                    "%s:%d:%d: damaged: %s; delete this file and run the suite again: complete "
                    "runs are kept",
                    path, why.line, why.column, why.text);
    } else {
        status = tb_suite_from_json(json, out, error);
        if (status != TB_OK)
            status = tb_fail_prefix(error, status, "%s", path);
    }
    json_decref(json);
    free(path);
    return status;
}

// the folder's name holds the hash; a folder that holds another suite was put there by hand
static tb_status check_same_suite(const char *folder, const tb_suite *suite, tb_error *error)
{
    char *path = tb_format("%s/suite.resolved.json", folder);
    int exists = path != NULL && access(path, F_OK) == 0;
    free(path);
    if (!exists)
        return TB_OK;
    tb_suite *old;
    tb_status status = tb_results_suite(folder, &old, error);
    if (status != TB_OK)
        return status;
    if (strcmp(old->hash, suite->hash) != 0)
        status = tb_fail(error, TB_E_CORRUPT,
                         "%s holds results of another suite (hash %.8s, this suite's is %.8s); "
                         "choose another folder with -o",
                         folder, old->hash, suite->hash);
    tb_suite_free(old);
    return status;
}

// what an earlier start of the suite named goes when this one names nothing
static tb_status write_published(const char *folder, const tb_suite *suite, tb_error *error)
{
    if (suite->published != NULL)
        return write_json(folder, "published.json", suite->published, error);
    char *path = tb_format("%s/published.json", folder);
    tb_status status = TB_OK;
    if (path == NULL)
        status = tb_fail(error, TB_E_NOMEM, "no memory for a path");
    else if (unlink(path) != 0 && errno != ENOENT)
        status = tb_fail(error, TB_E_IO, "%s: cannot be removed: %s", path, strerror(errno));
    free(path);
    return status;
}

tb_status tb_results_prepare(const char *folder, const tb_suite *suite, const tb_catalog *catalog,
                             tb_error *error)
{
    tb_status status = check_same_suite(folder, suite, error);
    if (status == TB_OK && suite->source_text != NULL) {
        char *path = tb_format("%s/suite.toml", folder);
        status = path == NULL
                     ? tb_fail(error, TB_E_NOMEM, "no memory for a path")
                     : tb_replace_file(path, suite->source_text, strlen(suite->source_text), error);
        free(path);
    }
    if (status == TB_OK) {
        json_t *json = tb_suite_to_json(suite);
        status = write_json(folder, "suite.resolved.json", json, error);
        json_decref(json);
    }
    if (status == TB_OK)
        status = write_published(folder, suite, error);
    return status == TB_OK ? write_plugins(folder, suite, catalog, error) : status;
}

// another process has it, or the folder cannot be locked at all
static tb_status lock_refused(const char *folder, int fd, tb_error *error)
{
    if (errno != EWOULDBLOCK)
        return tb_fail(error, TB_E_IO,
                       "%s: cannot be locked: %s; choose a folder on another disk with -o", folder,
                       strerror(errno));
    char holder[32] = "";
    ssize_t n = read(fd, holder, sizeof holder - 1);
    holder[n > 0 ? n : 0] = '\0';
    return tb_fail(error, TB_E_STATE,
                   "another trpo-bench (process %s) is writing into %s; wait for it or choose "
                   "another folder with -o",
                   holder[0] != '\0' ? holder : "unknown", folder);
}

tb_status tb_results_lock(const char *folder, int *lock, tb_error *error)
{
    *lock = -1;
    tb_status status = tb_make_folders(folder, error);
    if (status != TB_OK)
        return tb_fail_prefix(error, status, "cannot write results; choose another folder with -o");
    char *path = tb_format("%s/.lock", folder);
    if (path == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        status = tb_fail(error, TB_E_IO, "%s: cannot write here: %s; choose another folder with -o",
                         folder, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        status = lock_refused(folder, fd, error);
    } else {
        char holder[32];
        int n = snprintf(holder, sizeof holder, "%ld", (long)getpid());
        errno = ENOSPC;
        if (ftruncate(fd, 0) != 0 || write(fd, holder, (size_t)n) != n)
            status =
                tb_fail(error, TB_E_IO, "%s: cannot write here: %s; choose another folder with -o",
                        folder, strerror(errno));
    }
    if (status == TB_OK)
        *lock = fd;
    else if (fd >= 0)
        close(fd);
    free(path);
    return status;
}

int tb_run_is_complete(const char *run_folder)
{
    char *path = tb_format("%s/run.json", run_folder);
    int complete = path != NULL && access(path, F_OK) == 0;
    free(path);
    return complete;
}

double tb_wall_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Jansson takes UTF-8 only; a message may hold a plugin's bytes, or end inside a character
static char *as_utf8(const char *text)
{
    char *copy = strdup(text);
    json_t *whole = copy != NULL ? json_string(copy) : NULL;
    for (char *at = copy; copy != NULL && whole == NULL && *at != '\0'; at++)
        *at = (unsigned char)*at < 128 ? *at : '?';
    json_decref(whole);
    return copy;
}

tb_status tb_attempt_write(const char *run_folder, const tb_attempt *attempt, tb_error *error)
{
    char *folder = tb_format("%s/attempts", run_folder);
    if (folder == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for a path");
    tb_status status = tb_make_folders(folder, error);
    if (status == TB_OK) {
        char *message = as_utf8(attempt->message);
        json_t *json =
            json_pack("{s:i, s:s, s:s, s:o, s:o, s:f, s:o}", "attempt", attempt->number, "state",
                      attempt->state, "message", message, "exit_code",
                      attempt->exit_code >= 0 ? json_integer(attempt->exit_code) : json_null(),
                      "signal", attempt->signal > 0 ? json_integer(attempt->signal) : json_null(),
                      "started", attempt->started, "ended",
                      attempt->ended > 0 ? json_real(attempt->ended) : json_null());
        char name[32];
        snprintf(name, sizeof name, "%d.json", attempt->number);
        status = json != NULL
                     ? write_json(folder, name, json, error)
                     : tb_fail(error, TB_E_NOMEM, "%s/%s: no memory to write it", folder, name);
        json_decref(json);
        free(message);
    }
    free(folder);
    return status;
}

int tb_attempt_next(const char *run_folder)
{
    char *path = tb_format("%s/attempts", run_folder);
    DIR *folder = path != NULL ? opendir(path) : NULL;
    int largest = 0;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char *end;
        long n = strtol(entry->d_name, &end, 10);
        if (strcmp(end, ".json") == 0 && n > largest && n < 1000000)
            largest = (int)n;
    }
    if (folder != NULL)
        closedir(folder);
    free(path);
    return largest + 1;
}

int tb_attempt_state(const char *run_folder, int number, char state[16], char message[512])
{
    char *path = tb_format("%s/attempts/%d.json", run_folder, number);
    json_t *json = path != NULL ? json_load_file(path, 0, NULL) : NULL;
    const char *s = json_string_value(json_object_get(json, "state"));
    const char *m = json_string_value(json_object_get(json, "message"));
    snprintf(state, 16, "%s", s != NULL ? s : "");
    snprintf(message, 512, "%s", m != NULL ? m : "");
    json_decref(json);
    free(path);
    return s != NULL;
}
