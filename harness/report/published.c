/* SPDX-License-Identifier: MIT
 *
 * The report's section of published results: published.json of the results folder, which the suite
 * named, beside the means of this report.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/report/grid.h"
#include "harness/report/write.h"

// most columns that a table has room for, beside the first four
enum { max_sources = TB__GRID_MAX_COLUMNS - 4 };

static int is_pair(const json_t *pair)
{
    size_t n = json_array_size(pair);
    for (size_t i = 0; i < n; i++)
        if (!json_is_number(json_array_get(pair, i)))
            return 0;
    return n == 1 || n == 2;
}

static int is_source(const json_t *source)
{
    static const char *const texts[] = {"name", "citation", "protocol"};
    size_t n_texts = 0;
    const char *key, *env;
    json_t *value, *pair;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        n_texts += json_is_string(json_object_get(source, texts[i])) ? 1 : 0;
    if (n_texts != sizeof texts / sizeof texts[0])
        return 0;
    json_object_foreach((json_t *)(uintptr_t)source, key, value)
    {
        if (json_is_string(value))
            continue;
        if (!json_is_object(value))
            return 0;
        json_object_foreach(value, env, pair) if (!is_pair(pair)) return 0;
    }
    return 1;
}

// what harness/suite/published.c has checked, after a stay on a disk
static tb_status check(const char *path, const json_t *json, tb_error *error)
{
    const json_t *sources = json_object_get(json, "source");
    int sound = json_is_array(sources) && json_array_size(sources) <= max_sources;
    for (size_t i = 0; sound && i < json_array_size(sources); i++)
        sound = is_source(json_array_get(sources, i));
    return sound ? TB_OK
                 : tb_fail(error, TB_E_CORRUPT,
                           "%s:1: these are no published results; delete the file, or run the "
                           "suite again, which writes it",
                           path);
}

tb_status tb__published_read(const char *dir, json_t **out, tb_error *error)
{
    *out = NULL;
    char *path = tb__text("%s/published.json", dir);
    if (path == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory");
    tb_status status = access(path, F_OK) == 0 ? tb__json_read(path, out, error) : TB_OK;
    if (status == TB_OK && *out != NULL)
        status = check(path, *out, error);
    if (status != TB_OK) {
        json_decref(*out);
        *out = NULL;
    }
    free(path);
    return status;
}

// "2046 ± 1038", as many digits as the spread has use for; without one as they were given
static void add_pair(tb__grid *grid, double mean, double spread)
{
    char text[2 * TB__NUMBER_SIZE + 8], m[TB__NUMBER_SIZE], s[TB__NUMBER_SIZE];
    int decimals = tb__decimals(spread);
    tb__format_number(m, mean, decimals < 0 ? 1 : decimals);
    tb__format_number(s, spread, decimals < 0 ? 1 : decimals);
    if (isfinite(spread))
        snprintf(text, sizeof text, "%s ± %s", m, s);
    else
        snprintf(text, sizeof text, "%.6g", mean);
    tb__grid_add(grid, isfinite(mean) ? text : "-");
}

static void add_published(const json_t *source, const char *algorithm, const char *env,
                          tb__grid *grid)
{
    const json_t *pair = json_object_get(json_object_get(source, algorithm), env);
    double mean = json_is_array(pair) ? json_number_value(json_array_get(pair, 0)) : NAN;
    double spread = json_array_size(pair) > 1 ? json_number_value(json_array_get(pair, 1)) : NAN;
    add_pair(grid, mean, spread);
}

// whether a source knows this environment and algorithm
static int is_published(const json_t *sources, const char *algorithm, const char *env)
{
    size_t i;
    const json_t *source;
    json_array_foreach(sources, i, source) if (json_object_get(json_object_get(source, algorithm),
                                                               env) != NULL) return 1;
    return 0;
}

static void say_sources(const json_t *sources, FILE *out)
{
    size_t i;
    const json_t *source;
    fputs("Ours: mean ± standard deviation between runs. The others are context: their versions "
          "and protocols differ.\n\n",
          out);
    json_array_foreach(sources, i, source)
    {
        fputs("- ", out);
        tb__put_markdown(out, json_string_value(json_object_get(source, "name")));
        fputs(": ", out);
        tb__put_markdown(out, json_string_value(json_object_get(source, "protocol")));
        fputs(" Source: ", out);
        tb__put_markdown(out, json_string_value(json_object_get(source, "citation")));
        fputc('\n', out);
    }
}

int tb__published_put(const tb__report *report, const tb__tables *tables, FILE *out)
{
    if (report->published == NULL)
        return 1;
    const json_t *sources = json_object_get(report->published, "source"), *source;
    const tb_suite *suite = report->suite;
    tb__grid_column columns[TB__GRID_MAX_COLUMNS] = {
        {"Environment", 0}, {"Policy", 0}, {"Algorithm", 0}, {"Ours", 1}};
    size_t n = 4, i;
    json_array_foreach(sources, i, source) if (n < TB__GRID_MAX_COLUMNS) columns[n++] =
        (tb__grid_column){json_string_value(json_object_get(source, "name")), 1};
    tb__grid grid;
    tb__grid_init(&grid, columns, n);
    for (size_t r = 0; r < tables->n_rows; r++) {
        const tb__row *row = &tables->rows[r];
        const tb_suite_env *env = &suite->envs[row->group->env];
        const tb_suite_algorithm *algorithm = &suite->algorithms[row->algorithm];
        if (!is_published(sources, algorithm->algorithm->id, env->id))
            continue;
        tb__grid_add(&grid, env->label);
        tb__grid_add(&grid, suite->policies[row->policy].label);
        tb__grid_add(&grid, algorithm->label);
        add_pair(&grid, row->mean.point, row->sd);
        for (size_t s = 0; s + 4 < n; s++)
            add_published(json_array_get(sources, s), algorithm->algorithm->id, env->id, &grid);
    }
    if (grid.n_rows > 0) {
        fputs("\n## Published results\n\n", out);
        tb__grid_markdown(&grid, out);
        fputc('\n', out);
        say_sources(sources, out);
    }
    int complete = !grid.failed;
    tb__grid_finish(&grid);
    return complete;
}
