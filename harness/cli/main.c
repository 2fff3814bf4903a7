/* SPDX-License-Identifier: MIT
 *
 * trpo-bench SUITE.toml | COMMAND ...
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/cli/command.h"

static void print_help(FILE *out)
{
    size_t n;
    const tb_command *const *commands = tb_commands(&n);
    fprintf(out, "Usage: trpo-bench SUITE.toml [OPTION...]     run a suite and write its report\n"
                 "       trpo-bench COMMAND [ARGUMENT...]\n\n"
                 "Benchmarks TRPO and its relatives over environments, policies and seeds; writes "
                 "tables and figures.\n\n"
                 "Commands (each has --help):\n");
    for (size_t i = 0; i < n; i++)
        if (commands[i]->summary != NULL)
            fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(out, "\n      --help     show this text\n      --version  show the version\n\n"
                 "Exit codes: 0 every cell done; 1 some cell failed (the report is still written); "
                 "2 usage, suite or plugin\n"
                 "error, nothing ran; 3 data mismatch; 74 input/output error; 130, 143 stopped by "
                 "SIGINT, SIGTERM.\n\n"
                 "Start with: trpo-bench suites/smoke.toml\n");
}

static const tb_command *find_command(const char *name)
{
    size_t n;
    const tb_command *const *commands = tb_commands(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int has_suffix(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static int unknown_command(const char *word)
{
    size_t n;
    const tb_command *const *commands = tb_commands(&n);
    const char *names[32];
    size_t n_names = 0;
    for (size_t i = 0; i < n && n_names < 32; i++)
        if (commands[i]->summary != NULL)
            names[n_names++] = commands[i]->name;
    const char *nearest = tb_nearest(word, names, n_names);
    if (nearest != NULL)
        fprintf(
            stderr,
            "trpo-bench: no command \"%s\"; did you mean \"%s\"? (trpo-bench --help lists all)\n",
            word, nearest);
    else
        fprintf(
            stderr,
            "trpo-bench: \"%s\" is neither a suite (*.toml) nor a command; see trpo-bench --help\n",
            word);
    return TB_EXIT_USAGE;
}

// a results file that got the number of a closed standard stream would receive its messages
static void open_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

// what standard output could not take is an error, even when it shows at the end only
static int flush_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "trpo-bench: cannot write to standard output: %s\n", strerror(errno));
    return code == TB_EXIT_OK ? TB_EXIT_IO : code;
}

int main(int argc, char **argv)
{
    open_standard_streams();
    argp_err_exit_status = TB_EXIT_USAGE;
    argp_program_version = "trpo-bench " TB_VERSION;
    if (argc < 2) {
        print_help(stderr);
        return TB_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return flush_output(TB_EXIT_OK);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts(argp_program_version);
        return flush_output(TB_EXIT_OK);
    }
    // `trpo-bench SUITE.toml` and `trpo-bench -j2 SUITE.toml` mean `trpo-bench run ...`
    const tb_command *command = find_command(argv[1]);
    if (command == NULL && (has_suffix(argv[1], ".toml") || argv[1][0] == '-')) {
        argv[0] = (char *)"trpo-bench run";
        return flush_output(tb_command_run.run(argc, argv));
    }
    if (command == NULL)
        return unknown_command(argv[1]);
    char name[64];
    snprintf(name, sizeof name, "trpo-bench %s", command->name);
    argv[1] = name;
    return flush_output(command->run(argc - 1, argv + 1));
}
