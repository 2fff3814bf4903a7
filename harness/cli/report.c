/* SPDX-License-Identifier: MIT
 *
 * trpo-bench report DIR
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/cli/command.h"
#include "harness/report/report.h"

enum { KEY_REPS = 0x100, KEY_CURVE_REPS, KEY_CI, KEY_SEED, KEY_NO_PLOT, KEY_FILTER };

static const struct argp_option options[] = {
    {"reps", KEY_REPS, "N", 0, "Bootstrap resamples of each interval in the tables (50000)", 0},
    {"curve-reps", KEY_CURVE_REPS, "N", 0, "The same of each point of a learning curve (2000)", 0},
    {"ci", KEY_CI, "LEVEL", 0, "Level of every interval, between 0 and 1 (0.95)", 0},
    {"seed", KEY_SEED, "S", 0, "Seed of the bootstrap (0)", 0},
    {"filter", KEY_FILTER, "REGEX", 0,
     "Only cells whose label (\"env policy algorithm s3\") matches", 0},
    {"no-plot", KEY_NO_PLOT, 0, 0, "Do not call gnuplot; its scripts and data are still written",
     0},
    {0},
};

typedef struct arguments {
    const char *dir;
    tb_report_options report;
} arguments;

static int64_t parse_integer(const struct argp_state *state, const char *option, const char *text,
                             int64_t least)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > 1000000000)
        argp_error(state, "--%s must be a whole number from %lld to 1000000000, not \"%s\"", option,
                   (long long)least, text);
    return value;
}

static double parse_level(const struct argp_state *state, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0 && value < 1))
        argp_error(state, "--ci must be a number between 0 and 1 such as 0.95, not \"%s\"", text);
    return value;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case KEY_REPS: a->report.resamples = parse_integer(state, "reps", text, 1); break;
    case KEY_CURVE_REPS:
        a->report.curve_resamples = parse_integer(state, "curve-reps", text, 1);
        break;
    case KEY_CI: a->report.level = parse_level(state, text); break;
    case KEY_SEED: a->report.seed = (uint64_t)parse_integer(state, "seed", text, 0); break;
    case KEY_FILTER: a->report.filter = text; break;
    case KEY_NO_PLOT: a->report.no_plot = 1; break;
    case ARGP_KEY_ARG:
        if (a->dir != NULL)
            argp_error(state, "one results folder at a time: \"%s\" is too much", text);
        a->dir = text;
        break;
    case ARGP_KEY_END:
        if (a->dir == NULL)
            argp_error(state, "which results folder? (results/<suite>-<hash>)");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp parser = {
    options,
    parse,
    "DIR",
    "Write the tables and figures of a results folder to DIR/report/.\v"
    "The table goes to standard output, the paths to standard error. TRPO_BENCH_GNUPLOT names "
    "another gnuplot.\n\n"
    "Exit codes: 0 every run complete; 1 some run failed or is missing (the report is written and "
    "says which); 2 usage; 3 a file is damaged (a damaged run counts as failed, the report is "
    "written); 74 input/output error or gnuplot failed.",
    NULL,
    NULL,
    NULL};

// the Markdown table on standard output
static int show(const char *dir)
{
    char path[4096], buffer[4096];
    snprintf(path, sizeof path, "%s/report/table.md", dir);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
        fwrite(buffer, 1, n, stdout);
    fclose(file);
    return fflush(stdout) == 0;
}

static void show_paths(const char *dir, const tb_report_summary *summary)
{
    fprintf(stderr, "%s/report/scores.csv\n%s/report/table.{md,tex,csv}\n%s/report/captions.md\n",
            dir, dir, dir);
    fprintf(stderr, "%s/report/fig/%s\n", dir,
            summary->figures == TB_REPORT_FIGURES_DRAWN ? "curves.{svg,pdf,png,gp}" : "curves.gp");
    if (summary->figures_message[0] != '\0')
        fprintf(stderr, "trpo-bench: %s\n", summary->figures_message);
    if (summary->n_damaged > 0)
        fprintf(stderr, "trpo-bench: %zu damaged run%s, counted as failed: %s\n",
                summary->n_damaged, summary->n_damaged == 1 ? "" : "s", summary->damage.message);
}

static int exit_code(const tb_report_summary *summary)
{
    if (summary->n_damaged > 0)
        return TB_EXIT_MISMATCH;
    if (summary->figures == TB_REPORT_FIGURES_FAILED)
        return TB_EXIT_IO;
    return summary->n_failed + summary->n_missing > 0 ? TB_EXIT_FAILED_CELLS : TB_EXIT_OK;
}

static int run(int argc, char **argv)
{
    arguments a = {.report = tb_report_default()};
    argp_parse(&parser, argc, argv, 0, NULL, &a);
    tb_report_summary summary;
    tb_error error;
    tb_status status = tb_report_write(a.dir, &a.report, &summary, &error);
    if (status == TB_E_CORRUPT)
        return tb_cli_error(&error, TB_EXIT_MISMATCH);
    if (status != TB_OK)
        return tb_cli_error(&error, tb_cli_exit_code(status));
    if (!show(a.dir)) {
        fprintf(stderr, "trpo-bench: %s/report/table.md: cannot be shown: %s\n", a.dir,
                strerror(errno));
        return TB_EXIT_IO;
    }
    show_paths(a.dir, &summary);
    return exit_code(&summary);
}

const tb_command tb_command_report = {"report", "write tables and figures of a results folder",
                                      run};
