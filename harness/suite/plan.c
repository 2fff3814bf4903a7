/* SPDX-License-Identifier: MIT */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/suite/reader.h"

char *tb__path_name(const char *label)
{
    char *out = tb_alloc(2 * strlen(label) + 1, 1), *at = out;
    for (; out != NULL && *label != '\0'; label++) {
        if (*label == '/')
            *at++ = '_';
        *at++ = *label == '/' ? '_' : *label;
    }
    return out;
}

// runs/<env>/<policy>/<algorithm>/s0003
static char *make_path(const char *env, const char *policy, const char *algorithm, int64_t seed)
{
    char *names[3] = {tb__path_name(env), tb__path_name(policy), tb__path_name(algorithm)};
    char *path = NULL;
    if (names[0] == NULL || names[1] == NULL || names[2] == NULL ||
        asprintf(&path, "runs/%s/%s/%s/s%04lld", names[0], names[1], names[2], (long long)seed) < 0)
        path = NULL;
    for (int i = 0; i < 3; i++)
        free(names[i]);
    return path;
}

static tb_status make_id(const tb_suite *suite, tb_cell *cell, tb_error *error)
{
    char hash[65];
    json_t *json = json_pack("{s:o, s:I, s:i}", "config", tb_cell_config_json(suite, cell), "seed",
                             (json_int_t)cell->seed, "schema_version", TB_SCHEMA_VERSION);
    tb_status status = tb__json_hash(json, hash);
    json_decref(json);
    if (status != TB_OK)
        return tb__no_memory(error);
    memcpy(cell->id, hash, 16);
    cell->id[16] = '\0';
    return TB_OK;
}

// Appends the cell unless the filter leaves it out.
static tb_status add_cell(const tb_suite *suite, const regex_t *filter, tb_cell cell, tb_plan *plan,
                          tb_error *error)
{
    const char *env = suite->envs[cell.env].label, *policy = suite->policies[cell.policy].label,
               *algorithm = suite->algorithms[cell.algorithm].label;
    if (asprintf(&cell.label, "%s %s %s s%lld", env, policy, algorithm, (long long)cell.seed) < 0)
        return tb__no_memory(error);
    if (filter != NULL && regexec(filter, cell.label, 0, NULL, 0) != 0) {
        free(cell.label);
        return TB_OK;
    }
    cell.path = make_path(env, policy, algorithm, cell.seed);
    tb_status status = cell.path == NULL ? tb__no_memory(error) : make_id(suite, &cell, error);
    // from here on the plan owns it
    plan->cells[plan->n_cells++] = cell;
    return status;
}

static tb_status add_cells(const tb_suite *suite, const regex_t *filter, tb_plan *plan,
                           tb_error *error)
{
    tb_status status = TB_OK;
    for (size_t s = 0; s < suite->n_seeds; s++)
        for (size_t e = 0; e < suite->n_envs; e++)
            for (size_t p = 0; p < suite->n_policies; p++)
                for (size_t a = 0; a < suite->n_algorithms && status == TB_OK; a++)
                    status = add_cell(
                        suite, filter,
                        (tb_cell){.env = e, .policy = p, .algorithm = a, .seed = suite->seeds[s]},
                        plan, error);
    return status;
}

tb_status tb_plan_make(const tb_suite *suite, const char *filter, tb_plan *out, tb_error *error)
{
    memset(out, 0, sizeof *out);
    regex_t regex;
    if (filter != NULL) {
        int code = regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB);
        if (code != 0) {
            char why[128];
            regerror(code, &regex, why, sizeof why);
            return tb_fail(error, TB_E_PARAM, "--filter \"%s\" is no regular expression: %s",
                           filter, why);
        }
    }
    size_t n = suite->n_seeds * suite->n_envs * suite->n_policies * suite->n_algorithms;
    out->cells = tb_alloc(n, sizeof *out->cells);
    tb_status status = out->cells == NULL
                           ? tb__no_memory(error)
                           : add_cells(suite, filter != NULL ? &regex : NULL, out, error);
    if (filter != NULL)
        regfree(&regex);
    if (status == TB_OK && out->n_cells == 0)
        status =
            tb_fail(error, TB_E_PARAM,
                    "--filter \"%s\" matches none of the %zu cells; it is compared with labels "
                    "such as \"%s %s %s s%lld\" (trpo-bench list cells SUITE shows all)",
                    filter, n, suite->envs[0].label, suite->policies[0].label,
                    suite->algorithms[0].label, (long long)suite->seeds[0]);
    if (status != TB_OK)
        tb_plan_free(out);
    return status;
}

void tb_plan_free(tb_plan *plan)
{
    for (size_t i = 0; plan->cells != NULL && i < plan->n_cells; i++) {
        free(plan->cells[i].path);
        free(plan->cells[i].label);
    }
    free(plan->cells);
    memset(plan, 0, sizeof *plan);
}
