/* SPDX-License-Identifier: MIT
 *
 * A results folder made by hand, below a folder of its own that is removed at the end: what a suite
 * and its workers would have written (docs/results.md).
 */
#ifndef TESTS_HARNESS_REPORT_SYNTHETIC_H
#define TESTS_HARNESS_REPORT_SYNTHETIC_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/report/report.h"
#include "harness/suite/suite.h"
#include "tests/harness/stats/assert_near.h"

typedef struct synthetic {
    char dir[128]; /* the results folder */
    tb_suite *suite;
} synthetic;

// all NULL-terminated
typedef struct synthetic_def {
    const char *envs[8], *policies[4], *algorithms[4];
    const char *seeds; /* TOML: "10", "[0, 1, 2]" */
} synthetic_def;

static inline char *text_of(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    assert_true(vasprintf(&text, format, args) >= 0);
    va_end(args);
    return text;
}

static inline void write_text(const char *dir, const char *name, const char *text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

// the whole file, allocated; NULL when it is not there
static inline char *read_text(const char *dir, const char *name)
{
    char path[1024], *text = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    size_t size = 0;
    if (getdelim(&text, &size, '\0', file) < 0)
        text[0] = '\0';
    fclose(file);
    return text;
}

static inline int exists(const synthetic *s, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    return access(path, F_OK) == 0;
}

static inline void put_toml_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++)
        fprintf(out, strchr("\"\\", *text) != NULL ? "\\%c" : "%c", *text);
    fputc('"', out);
}

static inline size_t put_sections(FILE *out, const char *section, const char *const *ids)
{
    size_t n = 0;
    for (; ids[n] != NULL; n++) {
        fprintf(out, "[[%s]]\nid = ", section);
        put_toml_string(out, ids[n]);
        fputc('\n', out);
    }
    return n;
}

static inline void synthetic_init(synthetic *s, const synthetic_def *def)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(s->dir, sizeof s->dir, "%s/trpo-bench-report-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(s->dir));
    char path[256];
    snprintf(path, sizeof path, "%s/suite.toml", s->dir);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "[suite]\nname = \"made_up\"\nsteps = 100000\nseeds = %s\n", def->seeds);
    size_t n_envs = put_sections(out, "env", def->envs);
    size_t n_policies = put_sections(out, "policy", def->policies);
    put_sections(out, "algorithm", def->algorithms);
    assert_int_equal(fclose(out), 0);
    // the catalog is a plain struct: no plugin has to exist
    tb_catalog_entry entries[16];
    memset(entries, 0, sizeof entries);
    for (size_t i = 0; i < n_envs + n_policies; i++) {
        entries[i].kind = i < n_envs ? TB_CATALOG_ENV : TB_CATALOG_POLICY;
        entries[i].id = (char *)(i < n_envs ? def->envs[i] : def->policies[i - n_envs]);
        entries[i].summary = entries[i].path = entries[i].build = (char *)"";
        entries[i].reward_threshold = entries[i].return_random = entries[i].return_ref = NAN;
        entries[i].max_episode_steps = 500;
        entries[i].dtypes = UINT32_MAX;
    }
    const tb_catalog catalog = {.entries = entries, .n_entries = n_envs + n_policies};
    tb_error error = {.message = ""};
    if (tb_suite_load(path, &catalog, NULL, &s->suite, &error) != TB_OK)
        fail_msg("%s", error.message);
    json_t *json = tb_suite_to_json(s->suite);
    snprintf(path, sizeof path, "%s/suite.resolved.json", s->dir);
    assert_int_equal(json_dump_file(json, path, JSON_INDENT(1) | JSON_SORT_KEYS), 0);
    json_decref(json);
}

static inline void synthetic_finish(synthetic *s)
{
    tb_suite_free(s->suite);
    char *command = text_of("rm -rf '%s'", s->dir);
    assert_int_equal(system(command), 0);
    free(command);
}

// the plan's cell, also for seeds that the suite does not have; free path and label
static inline tb_cell synthetic_cell(const synthetic *s, size_t env, size_t policy,
                                     size_t algorithm, int64_t seed)
{
    tb_suite copy = *s->suite;
    copy.seeds = &seed;
    copy.n_seeds = 1;
    tb_plan plan;
    assert_int_equal(tb_plan_make(&copy, NULL, &plan, NULL), TB_OK);
    tb_cell found = {.path = NULL};
    for (size_t i = 0; i < plan.n_cells; i++)
        if (plan.cells[i].env == env && plan.cells[i].policy == policy &&
            plan.cells[i].algorithm == algorithm) {
            found = plan.cells[i];
            found.path = strdup(found.path);
            found.label = NULL;
        }
    tb_plan_free(&plan);
    assert_non_null(found.path);
    return found;
}

static inline void synthetic_file(const synthetic *s, const tb_cell *cell, const char *name,
                                  const char *text)
{
    char *path = text_of("%s/%s", cell->path, name);
    write_text(s->dir, path, text);
    free(path);
}

// a complete run with this evals.csv
static inline void synthetic_ok_with(const synthetic *s, size_t env, size_t policy,
                                     size_t algorithm, int64_t seed, const char *evals)
{
    tb_cell cell = synthetic_cell(s, env, policy, algorithm, seed);
    char *json =
        text_of("{\"schema_version\": %d, \"state\": \"ok\", \"cell\": {\"id\": \"%s\"}}\n",
                TB_SCHEMA_VERSION, cell.id);
    synthetic_file(s, &cell, "run.json", json);
    synthetic_file(s, &cell, "evals.csv", evals);
    free(json);
    free(cell.path);
}

// a complete run whose two final episodes average to `score`, after an evaluation under way
static inline void synthetic_ok(const synthetic *s, size_t env, size_t policy, size_t algorithm,
                                int64_t seed, double score)
{
    char *evals = text_of("step,episode,return,length,success\n50000,0,%.17g,10,0\n"
                          "100000,0,%.17g,10,0\n100000,1,%.17g,10,1\n",
                          score / 2, score - 1, score + 1);
    synthetic_ok_with(s, env, policy, algorithm, seed, evals);
    free(evals);
}

static inline void synthetic_attempt(const synthetic *s, size_t env, size_t policy,
                                     size_t algorithm, int64_t seed, int number, const char *json)
{
    tb_cell cell = synthetic_cell(s, env, policy, algorithm, seed);
    char *name = text_of("attempts/%d.json", number);
    synthetic_file(s, &cell, name, json);
    free(name);
    free(cell.path);
}

#endif
