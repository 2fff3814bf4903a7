/* SPDX-License-Identifier: MIT
 *
 * trpo-bench theory SUITE.toml
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/cli/command.h"
#include "harness/store/file.h"
#include "harness/theory/theory.h"

enum { OPTION_SEEDS = 256, OPTION_SET, OPTION_PLUGIN_DIR, OPTION_NO_PLOT };
enum { max_lists = 64 };

static const struct argp_option options[] = {
    {"output", 'o', "DIR", 0, "results go to DIR/<suite>-<hash> (default: results)", 0},
    {"seeds", OPTION_SEEDS, "LIST", 0,
     "instead of the suite's: a count (10), a range (0-9), a list (0,3,5-7)", 0},
    {"set", OPTION_SET, "KEY=VALUE", 0,
     "override an option everywhere, for example iterations=50; makes another suite", 0},
    {"plugin-dir", OPTION_PLUGIN_DIR, "PATH", 0, "look for plugins here too (a folder or a file)",
     0},
    {"no-plot", OPTION_NO_PLOT, NULL, 0,
     "do not call gnuplot; its scripts and data are still written", 0},
    {"quiet", 'q', NULL, 0, "print nothing but errors", 0},
    {0},
};

typedef struct arguments {
    const char *suite, *output, *seeds;
    const char *set[max_lists], *plugin_dirs[max_lists];
    size_t n_set, n_plugin_dirs;
    int no_plot, quiet;
} arguments;

static void add(const char **list, size_t *n, const char *value, struct argp_state *state)
{
    if (*n == max_lists)
        argp_error(state, "at most %d of these options", (int)max_lists);
    else
        list[(*n)++] = value;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    arguments *a = state->input;
    switch (key) {
    case 'o':
        if (text[0] == '\0')
            argp_error(state, "-o takes a folder, not an empty text");
        a->output = text;
        break;
    case 'q': a->quiet = 1; break;
    case OPTION_SEEDS: a->seeds = text; break;
    case OPTION_SET: add(a->set, &a->n_set, text, state); break;
    case OPTION_PLUGIN_DIR: add(a->plugin_dirs, &a->n_plugin_dirs, text, state); break;
    case OPTION_NO_PLOT: a->no_plot = 1; break;
    case ARGP_KEY_ARG:
        if (a->suite != NULL)
            argp_error(state, "one suite at a time: \"%s\" and \"%s\"", a->suite, text);
        a->suite = text;
        break;
    case ARGP_KEY_END:
        if (a->suite == NULL)
            argp_error(state, "no suite given; try suites/theory.toml");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp parser = {
    options,
    parse,
    "SUITE.toml",
    "Tests the paper's theory on finite processes whose dynamics are known, with exact values: "
    "lemma 1, theorem 1, that algorithm 1 never gets worse, and that sampled gradients have the "
    "expectations they should; writes tables and figures."
    "\vThe suite has [theory] in the place of [suite] (docs/theory.md). Exit codes: 0 everything "
    "holds; 2 usage, suite or plugin error; 3 a statement is violated (the files are written and "
    "say which); 74 input/output error, or gnuplot failed.",
    NULL,
    NULL,
    NULL};

static void show(const tb_theory *theory, const char *dir)
{
    char *path = tb_format("%s/report/table.md", dir), *text = NULL;
    if (path != NULL && tb_read_file(path, &text, NULL, NULL) == TB_OK)
        fputs(text, stdout);
    free(text);
    free(path);
    printf("\n%zu processes, %zu pairs of policies: %zu violations of lemma 1, %zu of theorem 1, "
           "%zu of lemma 2, %zu broken promises\n",
           theory->n_processes, theory->n_triples, theory->n_lemma, theory->n_theorem,
           theory->n_coupling, theory->n_monotone);
    if (theory->n_studies > 0)
        printf("%zu estimates: %zu away from their expectation\n", theory->n_studies,
               theory->n_biased);
    printf("result_hash %s\n", theory->result_hash);
    fflush(stdout);
    fprintf(stderr, "results: %s\n", dir);
}

static int finish(const arguments *a, const tb_theory *theory, const char *dir)
{
    if (!a->quiet)
        show(theory, dir);
    if (theory->figures.figures_message[0] != '\0')
        fprintf(stderr, "trpo-bench: %s\n", theory->figures.figures_message);
    size_t violations = tb_theory_violations(theory);
    if (violations > 0) {
        fprintf(stderr,
                "trpo-bench: %zu statements do not hold; "
                "%s/report/{triples,steps,courses,estimators}.csv "
                "show where\n",
                violations, dir);
        return TB_EXIT_MISMATCH;
    }
    return theory->figures.figures == TB_REPORT_FIGURES_FAILED ? TB_EXIT_IO : TB_EXIT_OK;
}

static int measure_and_write(const arguments *a, const tb_theory_suite *suite, tb_error *error)
{
    if (!a->quiet)
        fprintf(stderr,
                "%s: %zu environments x %zu seeds, %lld pairs of policies each, %zu algorithms x "
                "%lld iterations, %zu estimators x %lld batches\n",
                suite->name, suite->n_envs, suite->n_seeds, (long long)suite->config.triples,
                suite->n_algorithms, (long long)suite->config.iterations, suite->n_estimators,
                (long long)suite->config.batches);
    tb_theory theory;
    tb_status status = tb_theory_measure(suite, &theory, error);
    if (status != TB_OK)
        return tb_cli_error(error, tb_cli_exit_code(status));
    char *dir = tb_format("%s/%s-%.8s", a->output, suite->name, suite->hash);
    status = dir != NULL ? tb_theory_write(&theory, dir, a->no_plot, error)
                         : tb_fail(error, TB_E_NOMEM, "out of memory for a path");
    int code =
        status == TB_OK ? finish(a, &theory, dir) : tb_cli_error(error, tb_cli_exit_code(status));
    free(dir);
    tb_theory_finish(&theory);
    return code;
}

static int run(int argc, char **argv)
{
    arguments a = {.output = "results"};
    if (!tb_cli_check_options(options, argc, argv))
        return TB_EXIT_USAGE;
    if (argp_parse(&parser, argc, argv, 0, NULL, &a) != 0)
        return TB_EXIT_USAGE;
    tb_error error = {0};
    tb_catalog *catalog = NULL;
    tb_theory_suite *suite = NULL;
    tb_suite_overrides overrides = {.seeds = a.seeds, .set = a.set, .n_set = a.n_set};
    tb_status status = tb_catalog_make(a.plugin_dirs, a.n_plugin_dirs, &catalog, &error);
    if (status == TB_OK)
        status = tb_theory_suite_load(a.suite, catalog, &overrides, &suite, &error);
    int code = status == TB_OK ? measure_and_write(&a, suite, &error)
                               : tb_cli_error(&error, tb_cli_exit_code(status));
    tb_theory_suite_free(suite);
    tb_catalog_free(catalog);
    return code;
}

const tb_command tb_command_theory = {"theory", "test the paper's theory on finite processes", run};
