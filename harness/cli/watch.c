/* SPDX-License-Identifier: MIT
 *
 * trpo-bench watch RUN
 */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/cli/command.h"
#include "harness/store/file.h"
#include "harness/watch/film.h"
#include "harness/watch/watch.h"

enum {
    OPTION_START = 256,
    OPTION_SIZE,
    OPTION_FPS,
    OPTION_STOCHASTIC,
    OPTION_RANDOM,
    OPTION_NO_FILM
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "the film, .mp4 or .gif (default: watch.mp4 in the run's folder)",
     0},
    {"episodes", 'n', "N", 0, "play N episodes (default 1)", 0},
    {"start", OPTION_START, "K", 0,
     "begin with start K of the final evaluation (default 0); beyond its end they go on", 0},
    {"size", OPTION_SIZE, "WxH", 0, "pixels (default: what suits the environment)", 0},
    {"fps", OPTION_FPS, "N", 0,
     "N pictures a second, one for each step (default: the environment's own time, at most 60, "
     "with steps left out; 30 where it has none)",
     0},
    {"stochastic", OPTION_STOCHASTIC, NULL, 0,
     "draw actions as in training (default: the most likely action, as in evaluations)", 0},
    {"random", OPTION_RANDOM, NULL, 0,
     "uniformly random actions instead of the policy's; the run need not be complete", 0},
    {"no-film", OPTION_NO_FILM, NULL, 0, "only play, and compare with the final evaluation", 0},
    {0},
};

typedef struct arguments {
    tb_watch_def watch;
    const char *results, *cell; // as run-cell takes them; cell NULL: `results` is the run's folder
} arguments;

static uint64_t parse_count(struct argp_state *state, const char *option, const char *text,
                            uint64_t least)
{
    char *end;
    unsigned long long x = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || x < least || x > INT32_MAX)
        argp_error(state, "--%s must be an integer from %" PRIu64 " on, not \"%s\"", option, least,
                   text);
    return x;
}

static void parse_size(struct argp_state *state, const char *text, tb_watch_def *def)
{
    char *end = (char *)(uintptr_t)text;
    unsigned long width = 0, height = 0;
    if (text[0] >= '0' && text[0] <= '9')
        width = strtoul(text, &end, 10);
    if (*end == 'x' && end[1] >= '0' && end[1] <= '9')
        height = strtoul(end + 1, &end, 10);
    if (*end != '\0' || width < 1 || height < 1 || width > TB_WATCH_LARGEST_SIDE ||
        height > TB_WATCH_LARGEST_SIDE)
        argp_error(state, "--size must be like 640x480, each from 1 to %d, not \"%s\"",
                   (int)TB_WATCH_LARGEST_SIDE, text);
    def->width = (uint32_t)width;
    def->height = (uint32_t)height;
}

static double parse_speed(struct argp_state *state, const char *text)
{
    char *end;
    double x = strtod(text, &end);
    if (end == text || *end != '\0' || !(x >= 0.01 && x <= 1000))
        argp_error(state, "--fps must be a number from 0.01 to 1000, not \"%s\"", text);
    return x;
}

static void set_actions(struct argp_state *state, tb_watch_def *def, int actions)
{
    if (def->actions != TB_PLAY_MODE && def->actions != actions)
        argp_error(state, "--stochastic and --random exclude each other");
    def->actions = actions;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case 'o':
        if (tb_film_fastest(text) <= 0)
            argp_error(state, "a film's name ends in .mp4 or .gif, not like \"%s\"", text);
        a->watch.film = text;
        break;
    case 'n': a->watch.n = parse_count(state, "episodes", text, 1); break;
    case OPTION_START: a->watch.first = parse_count(state, "start", text, 0); break;
    case OPTION_SIZE: parse_size(state, text, &a->watch); break;
    case OPTION_FPS: a->watch.speed = parse_speed(state, text); break;
    case OPTION_STOCHASTIC: set_actions(state, &a->watch, TB_PLAY_SAMPLE); break;
    case OPTION_RANDOM: set_actions(state, &a->watch, TB_PLAY_UNIFORM); break;
    case OPTION_NO_FILM: a->watch.no_film = 1; break;
    case ARGP_KEY_ARG:
        if (state->arg_num == 0)
            a->results = text;
        else if (state->arg_num == 1)
            a->cell = text;
        else
            argp_usage(state);
        break;
    case ARGP_KEY_END:
        if (a->results == NULL)
            argp_error(state, "no run given; one is a folder like "
                              "results/NAME/runs/ENVIRONMENT/POLICY/ALGORITHM/s0000");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp parser = {
    options,
    parse,
    "RUN\nRESULTS CELL",
    "Plays a trained policy from the starts of its run's final evaluation and makes a film of it."
    "\vRUN is the folder of a run, results/NAME/runs/ENVIRONMENT/POLICY/ALGORITHM/s0000. Needs "
    "ffmpeg, and an environment whose plugin can draw (tb.env.render/1). Each episode's return is "
    "printed and compared, to the last bit, with that of the final evaluation. Exit codes: 0 done; "
    "2 usage, no such run, no way to draw, no ffmpeg; 3 damaged files, or an episode is not the "
    "evaluation's; 74 input/output error, or ffmpeg failed.",
    NULL,
    NULL,
    NULL};

static int run(int argc, char **argv)
{
    arguments a = {.watch = {.n = 1, .actions = TB_PLAY_MODE, .out = stdout}};
    if (!tb_cli_check_options(options, argc, argv))
        return TB_EXIT_USAGE;
    if (argp_parse(&parser, argc, argv, 0, NULL, &a) != 0)
        return TB_EXIT_USAGE;
    tb_error error = {0};
    tb_watch_result result;
    char *folder = a.cell != NULL ? tb_format("%s/%s", a.results, a.cell) : strdup(a.results);
    a.watch.run = folder;
    tb_status status = folder != NULL ? tb_watch(&a.watch, &result, &error)
                                      : tb_fail(&error, TB_E_NOMEM, "no memory for a path");
    free(folder);
    if (status != TB_OK)
        return tb_cli_error(&error,
                            status == TB_E_CORRUPT ? TB_EXIT_MISMATCH : tb_cli_exit_code(status));
    if (result.n_different == 0)
        return TB_EXIT_OK;
    fprintf(stderr,
            "trpo-bench: %" PRIu64 " of %" PRIu64
            " episodes are not those of the final evaluation: this program, a plugin or the "
            "machine is another one than the run's (run.json says which)\n",
            result.n_different, result.n_compared);
    return TB_EXIT_MISMATCH;
}

const tb_command tb_command_watch = {"watch", "make a film of a trained policy", run};
