/* SPDX-License-Identifier: MIT */
#include "harness/cli/command.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

// the order of the help text
static const tb_command *const commands[] = {
    &tb_command_run,    &tb_command_report,   &tb_command_watch,
    &tb_command_list,   &tb_command_check,    &tb_command_replay,
    &tb_command_theory, &tb_command_run_cell, &tb_command_scan_plugin,
};

const tb_command *const *tb_commands(size_t *n)
{
    *n = sizeof commands / sizeof commands[0];
    return commands;
}

int tb_cli_error(const tb_error *error, int exit_code)
{
    fprintf(stderr, "trpo-bench: %s\n", error->message);
    return exit_code;
}

int tb_cli_exit_code(tb_status status)
{
    return status == TB_E_IO ? TB_EXIT_IO : TB_EXIT_USAGE;
}

/* ---- misspelt options ---- */

// the option that `word` names, in full or abbreviated; NULL = none
static const struct argp_option *find_option(const struct argp_option *options, const char *word)
{
    size_t n = strcspn(word, "=");
    for (; options->name != NULL || options->doc != NULL; options++)
        if (options->name != NULL && strncmp(options->name, word, n) == 0)
            return options;
    return NULL;
}

static int takes_next_word(const struct argp_option *options, const char *word)
{
    if (word[1] != '-' && word[1] != '\0' && word[2] == '\0') {
        for (; options->name != NULL || options->doc != NULL; options++)
            if (options->key == word[1])
                return options->arg != NULL;
        return 0;
    }
    const struct argp_option *option = word[1] == '-' ? find_option(options, word + 2) : NULL;
    return option != NULL && option->arg != NULL && strchr(word, '=') == NULL;
}

int tb_cli_check_options(const struct argp_option *options, int argc, char **argv)
{
    static const struct argp_option common[] = {{"help", 0, NULL, 0, "", 0},
                                                {"usage", 0, NULL, 0, "", 0},
                                                {"version", 0, NULL, 0, "", 0},
                                                {0}};
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *word = argv[i];
        if (word[0] != '-') {
            continue;
        } else if (takes_next_word(options, word)) {
            i++;
            continue;
        } else if (word[1] != '-' || find_option(options, word + 2) != NULL ||
                   find_option(common, word + 2) != NULL) {
            continue;
        }
        const char *names[64];
        size_t n_names = 0;
        for (size_t k = 0; (options[k].name != NULL || options[k].doc != NULL) && n_names < 64; k++)
            if (options[k].name != NULL)
                names[n_names++] = options[k].name;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
        const char *nearest = tb_nearest(name, names, n_names);
        if (nearest == NULL)
            continue; // argp says that there is no such option
        fprintf(stderr, "%s: no option \"--%s\"; did you mean \"--%s\"? (%s --help lists all)\n",
                argv[0], name, nearest, argv[0]);
        return 0;
    }
    return 1;
}
