/* SPDX-License-Identifier: MIT
 *
 * One run's folder: its state is derived from the files in it (docs/results.md).
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/report/data.h"
#include "harness/store/csv.h"

char *tb__text(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return n < 0 ? NULL : text;
}

tb_status tb__json_read(const char *path, json_t **out, tb_error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return tb_fail(error, TB_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    json_error_t json_error;
    *out = json_loadf(file, JSON_REJECT_DUPLICATES, &json_error);
    fclose(file);
    if (*out == NULL)
        return tb_fail(error, TB_E_CORRUPT, "%s:%d:%d: not valid JSON: %s", path, json_error.line,
                       json_error.column, json_error.text);
    return TB_OK;
}

// a reason that the allocator refused is still a failed run: the caller sees TB_E_NOMEM
static tb_status set_state(tb__run *run, tb__run_state state, char *reason, tb_error *error)
{
    free(run->reason);
    run->state = state;
    run->reason = reason;
    return state == TB__RUN_OK || reason != NULL ? TB_OK
                                                 : tb_fail(error, TB_E_NOMEM, "out of memory");
}

// number of the newest attempts/<n>.json, -1 when there is none
static long newest_attempt(const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return -1;
    long newest = -1;
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char *end;
        long number = strtol(entry->d_name, &end, 10);
        if (end != entry->d_name && strcmp(end, ".json") == 0 && number > newest)
            newest = number;
    }
    closedir(dir);
    return newest;
}

static const char *string_of(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : otherwise;
}

// a run without run.json: its newest attempt says whether it failed or is only missing
static tb_status judge_attempts(const char *folder, tb__run *run, tb_error *error)
{
    char *attempts = tb__text("%s/attempts", folder);
    if (attempts == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    long number = newest_attempt(attempts);
    char *path = tb__text("%s/%ld.json", attempts, number);
    json_t *attempt = NULL;
    // a torn record of a start that was killed tells no more than a missing one
    if (number >= 0 && path != NULL)
        tb__json_read(path, &attempt, NULL);
    const char *state = string_of(attempt, "state", "");
    const char *message = string_of(attempt, "message", "");
    tb_status status;
    if (strcmp(state, "failed") == 0 || strcmp(state, "crashed") == 0 ||
        strcmp(state, "timeout") == 0)
        status = set_state(run, TB__RUN_FAILED,
                           tb__text("%s%s%s", state, *message != '\0' ? ": " : "", message), error);
    else if (*state != '\0')
        status = set_state(run, TB__RUN_MISSING, tb__text("not finished (last attempt: %s)", state),
                           error);
    else
        status = set_state(run, TB__RUN_MISSING, tb__text("not started"), error);
    json_decref(attempt);
    free(path);
    free(attempts);
    return status;
}

static int compare_evals(const void *a, const void *b)
{
    double x = ((const tb__eval *)a)->step, y = ((const tb__eval *)b)->step;
    return (x > y) - (x < y);
}

// rows (step, return) in file order -> one mean for each step, steps ascending
static void average_steps(const tb_csv *csv, tb__run *run)
{
    for (size_t row = 0; row < csv->n_rows; row++)
        run->evals[row] = (tb__eval){csv->values[2 * row], csv->values[2 * row + 1]};
    // rows of one step stay in file order where they already are: sums do not depend on qsort
    int sorted = 1;
    for (size_t row = 1; row < csv->n_rows; row++)
        sorted = sorted && run->evals[row - 1].step <= run->evals[row].step;
    if (!sorted)
        qsort(run->evals, csv->n_rows, sizeof run->evals[0], compare_evals);
    size_t n = 0;
    for (size_t row = 0; row < csv->n_rows;) {
        const double step = run->evals[row].step;
        double sum = 0;
        size_t episodes = 0;
        for (; row < csv->n_rows && run->evals[row].step == step; row++, episodes++)
            sum += run->evals[row].mean_return;
        run->evals[n++] = (tb__eval){step, sum / (double)episodes};
    }
    run->n_evals = n;
    run->raw = run->evals[n - 1].mean_return;
}

static tb_status read_evals(const char *folder, tb__run *run, tb_error *error)
{
    static const char *const columns[] = {"step", "return"};
    char *path = tb__text("%s/evals.csv", folder);
    if (path == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    tb_csv csv;
    tb_status status = tb_csv_read(path, columns, 2, &csv, error);
    if (status == TB_OK && csv.n_rows == 0)
        status = tb_fail(error, TB_E_CORRUPT, "%s:2: no evaluation in a complete run", path);
    for (size_t row = 0; status == TB_OK && row < csv.n_rows; row++)
        if (!(csv.values[2 * row] >= 0 && csv.values[2 * row] < 1e15))
            status =
                tb_fail(error, TB_E_CORRUPT, "%s:%zu: \"step\" must be a number from 0, not %g",
                        path, row + 2, csv.values[2 * row]);
    if (status == TB_OK) {
        run->evals = tb_alloc(csv.n_rows, sizeof *run->evals);
        if (run->evals == NULL)
            status = tb_fail(error, TB_E_NOMEM, "out of memory");
        else
            average_steps(&csv, run);
    }
    tb_csv_finish(&csv);
    free(path);
    return status;
}

// run.json must be what this cell's worker committed
static tb_status check_run_json(const char *path, const char *cell_id, const json_t *json,
                                tb_error *error)
{
    const char *state = string_of(json, "state", "");
    if (strcmp(state, "ok") != 0)
        return tb_fail(error, TB_E_CORRUPT, "%s:1: \"state\" is \"%s\", expected \"ok\"", path,
                       state);
    const json_t *version = json_object_get(json, "schema_version");
    if (json_integer_value(version) != TB_SCHEMA_VERSION)
        return tb_fail(error, TB_E_CORRUPT,
                       "%s:1: \"schema_version\" is %lld, this program reads %d", path,
                       (long long)json_integer_value(version), TB_SCHEMA_VERSION);
    const char *id = string_of(json_object_get(json, "cell"), "id", "");
    if (strcmp(id, cell_id) != 0)
        return tb_fail(error, TB_E_CORRUPT,
                       "%s:1: the run is of cell \"%s\", but suite.resolved.json asks here for "
                       "\"%s\"; was the folder copied or the suite edited?",
                       path, id, cell_id);
    return TB_OK;
}

static tb_status read_complete(const char *folder, const char *path, const char *cell_id,
                               tb__run *run, tb_error *error)
{
    json_t *json = NULL;
    tb_status status = tb__json_read(path, &json, error);
    if (status == TB_OK)
        status = check_run_json(path, cell_id, json, error);
    json_decref(json);
    return status == TB_OK ? read_evals(folder, run, error) : status;
}

tb_status tb__run_read(const char *dir, const char *cell_id, tb__run *run, tb_error *damage,
                       tb_error *error)
{
    run->raw = run->normalised = NAN;
    char *folder = tb__text("%s/%s", dir, run->path), *path = tb__text("%s/run.json", folder);
    tb_status status = TB_OK;
    if (folder == NULL || path == NULL) {
        status = tb_fail(error, TB_E_NOMEM, "out of memory");
        goto done;
    }
    if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        status = judge_attempts(folder, run, error);
        goto done;
    }
    tb_error found = {.status = TB_OK};
    if (read_complete(folder, path, cell_id, run, &found) != TB_OK) {
        if (damage->status == TB_OK)
            *damage = found;
        status = set_state(run, TB__RUN_FAILED, tb__text("damaged: %s", found.message), error);
    } else if (!isfinite(run->raw)) {
        status = set_state(run, TB__RUN_FAILED, tb__text("final return is %g", run->raw), error);
    } else {
        status = set_state(run, TB__RUN_OK, NULL, error);
    }
done:
    free(path);
    free(folder);
    return status;
}
