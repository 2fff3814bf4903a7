/* SPDX-License-Identifier: MIT
 *
 * trpo-bench replay ENV-ID TRACE.csv: a recorded trace against an environment.
 */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/check/replay.h"
#include "harness/cli/command.h"
#include "harness/plugin/catalog.h"

enum { option_folder = 256, option_tolerance, option_reward, option_set, option_limit };

static const struct argp_option options[] = {
    {"plugin-dir", option_folder, "PATH", 0, "Look for plugins here too (a file or a folder)", 0},
    {"tolerance", option_tolerance, "T", 0,
     "Largest absolute deviation of states and observations (default 0)", 0},
    {"reward-tolerance", option_reward, "T", 0,
     "Largest deviation of rewards, relative to max(1, |reward|) (default 1e-12)", 0},
    {"max-episode-steps", option_limit, "N", 0, "Time limit (default: the environment's)", 0},
    {"set", option_set, "KEY=VALUE", 0, "A parameter of the environment; VALUE as in TOML", 0},
    {0},
};

enum { max_folders = 64 };

typedef struct arguments {
    tb_replay_options replay;
    const char *folders[max_folders];
    size_t n_folders;
    json_t *params;
} arguments;

static double parse_tolerance(struct argp_state *state, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end != '\0' || !(x >= 0))
        argp_error(state, "a tolerance must be a number from 0 on, not \"%s\"", text);
    return x;
}

static uint64_t parse_limit(struct argp_state *state, const char *text)
{
    char *end;
    unsigned long long x = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || x == 0 || x > INT64_MAX)
        argp_error(state, "--max-episode-steps must be an integer from 1 on, not \"%s\"", text);
    return x;
}

// TOML's numbers, booleans, strings and flat arrays are JSON; a bare word is taken as a string
static void parse_set(struct argp_state *state, json_t *params, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        argp_error(state, "--set needs key=value, not \"%s\"", text);
        return;
    }
    json_t *value = json_loads(equals + 1, JSON_DECODE_ANY, NULL);
    if (value == NULL)
        value = json_string(equals + 1);
    char *key = strndup(text, (size_t)(equals - text));
    if (key == NULL || value == NULL || json_object_set_new(params, key, value) != 0)
        argp_error(state, "--set: \"%s\" is not UTF-8", text);
    free(key);
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case option_folder:
        if (a->n_folders == max_folders)
            argp_error(state, "at most %d times --plugin-dir", (int)max_folders);
        else
            a->folders[a->n_folders++] = value;
        return 0;
    case option_tolerance: a->replay.tolerance = parse_tolerance(state, value); return 0;
    case option_reward: a->replay.reward_tolerance = parse_tolerance(state, value); return 0;
    case option_limit: a->replay.max_episode_steps = parse_limit(state, value); return 0;
    case option_set: parse_set(state, a->params, value); return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 1)
            return ARGP_ERR_UNKNOWN;
        *(state->arg_num == 0 ? &a->replay.id : &a->replay.trace) = value;
        return 0;
    case ARGP_KEY_END:
        if (a->replay.trace == NULL)
            argp_error(state, "an environment and a trace are needed");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void print_report(const tb_replay_options *o, const tb_replay_report *report)
{
    printf("%-12s %-24s %-12s %s\n", "column", "largest deviation", "allowed", "line");
    for (size_t i = 0; i < report->n_columns; i++) {
        const tb_replay_column *c = &report->columns[i];
        printf("%-12s %-24.17g %-12g ", c->name, c->deviation, c->tolerance);
        if (c->line > 0)
            printf("%zu%s\n", c->line, c->deviation <= c->tolerance ? "" : "  too large");
        else
            puts("-");
    }
    printf("%s, %s: %zu episodes, %zu steps: %s\n", o->id, o->trace, report->n_resets,
           report->n_steps, report->within ? "within tolerance" : "NOT within tolerance");
}

static int replay(arguments *a)
{
    tb_error error = {0};
    tb_catalog *catalog = NULL;
    const tb_catalog_entry *entry;
    tb_replay_report report;
    tb_status status = tb_catalog_make(a->folders, a->n_folders, &catalog, &error);
    if (status == TB_OK)
        status = tb_catalog_require(catalog, TB_CATALOG_ENV, a->replay.id, &entry, &error);
    if (status == TB_OK)
        status = tb_catalog_check_params(entry, a->params, NULL, &error);
    if (status == TB_OK) {
        a->replay.plugin = entry->path;
        a->replay.params = a->params;
        status = tb_replay(&a->replay, &report, &error);
    }
    int exit_code = TB_EXIT_OK;
    if (status == TB_OK) {
        print_report(&a->replay, &report);
        exit_code = report.within ? TB_EXIT_OK : TB_EXIT_MISMATCH;
        tb_replay_report_finish(&report);
    } else {
        exit_code = tb_cli_error(&error, tb_cli_exit_code(status));
    }
    tb_catalog_free(catalog);
    return exit_code;
}

static int run(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        "ENV-ID TRACE.csv",
        "Sets each recorded state, applies the recorded action (never clipped) and compares state, "
        "observation, reward and flags.\vExit codes: 0 within tolerance; 2 usage or a malformed "
        "trace; 3 the environment deviates.",
        NULL,
        NULL,
        NULL};
    arguments a = {.replay = {.reward_tolerance = 1e-12}, .params = json_object()};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    int exit_code = replay(&a);
    json_decref(a.params);
    return exit_code;
}

const tb_command tb_command_replay = {"replay", "compare an environment with a recorded trace",
                                      run};
