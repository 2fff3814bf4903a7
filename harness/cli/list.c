/* SPDX-License-Identifier: MIT
 *
 * trpo-bench list envs|policies|algorithms|plugins [ID...]
 * trpo-bench list cells SUITE
 *
 * Each kind is gathered as JSON; --json prints that, everything else is a view of it.
 */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/cli/command.h"
#include "harness/suite/reference.h"
#include "harness/suite/suite.h"

typedef struct list_arguments {
    const char *kind;
    char **names; /* what follows the kind: ids, or the suite */
    size_t n_names;
    const char **plugin_dirs; /* room for one an argument, as `set` */
    size_t n_plugin_dirs;
    tb_suite_overrides overrides;
    const char **set;
    const char *filter;
    int json, verbose, markdown;
} list_arguments;

// ---- tables on standard output ----

typedef struct column {
    const char *title, *key;
    int width_limit; /* longer texts are cut; 0 = no limit */
} column;

// What a table shows of a value; "-" for null.
static void cell_text(const json_t *value, int limit, char *out, size_t capacity)
{
    size_t n = 0;
    if (json_is_string(value) && limit > 0)
        snprintf(out, capacity, "%.*s", limit, json_string_value(value));
    else if (json_is_string(value))
        snprintf(out, capacity, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(out, capacity, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(out, capacity, "%.6g", json_real_value(value));
    else if (json_is_array(value) && json_array_size(value) > 0)
        for (size_t i = 0; i < json_array_size(value) && n < capacity; i++)
            n += (size_t)snprintf(out + n, capacity - n, "%s%s", i == 0 ? "" : ", ",
                                  json_string_value(json_array_get(value, i)));
    else
        snprintf(out, capacity, "-");
}

// Columns as wide as their widest entry; the last one runs free. columns end with a NULL title.
static void print_table(const json_t *rows, const column *columns, const char *indent)
{
    enum { max_columns = 8 };
    int widths[max_columns] = {0};
    char text[1024];
    size_t n = 0;
    for (; columns[n].title != NULL; n++) {
        TB_ASSERT(n < max_columns);
        widths[n] = (int)strlen(columns[n].title);
        for (size_t i = 0; i < json_array_size(rows); i++) {
            cell_text(json_object_get(json_array_get(rows, i), columns[n].key),
                      columns[n].width_limit, text, sizeof text);
            if ((int)strlen(text) > widths[n])
                widths[n] = (int)strlen(text);
        }
    }
    // row 0 is the titles
    for (size_t i = 0; i <= json_array_size(rows); i++) {
        for (size_t c = 0; c < n; c++) {
            if (i == 0)
                snprintf(text, sizeof text, "%s", columns[c].title);
            else
                cell_text(json_object_get(json_array_get(rows, i - 1), columns[c].key),
                          columns[c].width_limit, text, sizeof text);
            int last = c + 1 == n;
            printf("%s%-*s%s", c == 0 ? indent : "  ", last ? 0 : widths[c], text,
                   last ? "\n" : "");
        }
    }
}

static const column option_columns[] = {{"KEY", "key", 0},         {"TYPE", "type", 0},
                                        {"DEFAULT", "default", 0}, {"RANGE", "range", 0},
                                        {"MEANING", "doc", 0},     {NULL, NULL, 0}};

static void print_options(const char *title, const json_t *rows)
{
    printf("\n  %s\n", title);
    if (json_array_size(rows) > 0)
        print_table(rows, option_columns, "    ");
    else
        printf("    none\n");
}

// ---- gathering ----

static json_t *row_to_json(tb_reference_row row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "key", row.key, "type", row.type, "default",
                     row.default_text, "range", row.range, "doc", row.doc);
}

static json_t *options_to_json(const tb_option *table)
{
    json_t *rows = json_array();
    for (; table->key != NULL; table++)
        json_array_append_new(rows, row_to_json(tb_reference_option(table)));
    return rows;
}

static json_t *params_to_json(const tb_catalog_entry *entry)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < entry->n_params; i++)
        json_array_append_new(rows, row_to_json(tb_reference_param(&entry->params[i])));
    return rows;
}

static json_t *number_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *env_to_json(const tb_catalog_entry *entry)
{
    json_t *limit = entry->max_episode_steps == 0
                        ? json_null()
                        : json_integer((json_int_t)entry->max_episode_steps);
    return json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o, s:o, s:s, s:o}", "id", entry->id, "summary",
                     entry->summary, "reference", entry->reference, "max_episode_steps", limit,
                     "reward_threshold", number_or_null(entry->reward_threshold), "return_random",
                     number_or_null(entry->return_random), "return_ref",
                     number_or_null(entry->return_ref), "path", entry->path, "params",
                     params_to_json(entry));
}

static json_t *policy_to_json(const tb_catalog_entry *entry)
{
    json_t *types = json_array();
    if (entry->dtypes & TB_DTYPE_BIT(TB_F32))
        json_array_append_new(types, json_string("f32"));
    if (entry->dtypes & TB_DTYPE_BIT(TB_F64))
        json_array_append_new(types, json_string("f64"));
    return json_pack("{s:s, s:s, s:o, s:s, s:o}", "id", entry->id, "summary", entry->summary,
                     "precisions", types, "path", entry->path, "params", params_to_json(entry));
}

static json_t *entries_to_json(const tb_catalog *catalog, tb_catalog_kind kind)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < catalog->n_entries; i++) {
        const tb_catalog_entry *entry = &catalog->entries[i];
        if (entry->kind == kind)
            json_array_append_new(rows, kind == TB_CATALOG_ENV ? env_to_json(entry)
                                                               : policy_to_json(entry));
    }
    return rows;
}

static json_t *algorithms_to_json(void)
{
    size_t n;
    const tb_algorithm *const *all = tb_algorithms(&n);
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, json_pack("{s:s, s:s, s:o}", "id", all[i]->id, "summary",
                                              all[i]->summary, "options",
                                              options_to_json(all[i]->options)));
    return rows;
}

static json_t *find_row(const json_t *rows, const char *key, const char *text)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        const char *value = json_string_value(json_object_get(row, key));
        if (value != NULL && strcmp(value, text) == 0)
            return row;
    }
    return NULL;
}

// One row a file, with the ids it provides.
static json_t *plugins_to_json(const tb_catalog *catalog)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < catalog->n_entries; i++) {
        const tb_catalog_entry *entry = &catalog->entries[i];
        json_t *row = find_row(rows, "path", entry->path);
        if (row == NULL) {
            char abi[32];
            snprintf(abi, sizeof abi, "%u.%u", entry->abi_major, entry->abi_minor);
            row = json_pack("{s:s, s:s, s:s, s:s?, s:[]}", "path", entry->path, "abi", abi,
                            "sha256", entry->sha256, "build", entry->build, "provides");
            json_array_append_new(rows, row);
        }
        json_array_append_new(json_object_get(row, "provides"), json_string(entry->id));
    }
    return rows;
}

static json_t *cells_to_json(const tb_suite *suite, const tb_plan *plan)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < plan->n_cells; i++) {
        const tb_cell *cell = &plan->cells[i];
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "id",
                                              cell->id, "label", cell->label, "path", cell->path,
                                              "env", suite->envs[cell->env].label, "policy",
                                              suite->policies[cell->policy].label, "algorithm",
                                              suite->algorithms[cell->algorithm].label, "seed",
                                              (json_int_t)cell->seed, "steps",
                                              (json_int_t)suite->envs[cell->env].run.steps));
    }
    return rows;
}

// ---- showing ----

static void print_json(const json_t *json)
{
    // whether standard output took it is seen at the end
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    putchar('\n');
}

// Only the rows that the command line names, in that order; NULL when one is unknown.
static json_t *select_rows(const json_t *rows, const list_arguments *arguments, const char *noun)
{
    json_t *selected = json_array();
    for (size_t i = 0; i < arguments->n_names; i++) {
        json_t *row = find_row(rows, "id", arguments->names[i]);
        json_array_append(selected, row);
        if (row != NULL)
            continue;
        // name the nearest
        size_t n = json_array_size(rows);
        const char **ids = tb_alloc(n, sizeof *ids);
        for (size_t k = 0; k < n && ids != NULL; k++)
            ids[k] = json_string_value(json_object_get(json_array_get(rows, k), "id"));
        const char *nearest = ids == NULL ? NULL : tb_nearest(arguments->names[i], ids, n);
        fprintf(stderr, "trpo-bench: no %s \"%s\"%s%s%s (trpo-bench list %s shows all)\n", noun,
                arguments->names[i], nearest != NULL ? "; did you mean \"" : "",
                nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "", arguments->kind);
        free(ids);
        json_decref(selected);
        return NULL;
    }
    return selected;
}

// A table, or with --verbose one paragraph a row: the fields, then the rows of its key `options`.
static void print_rows(const json_t *rows, const column *columns, const column *details,
                       const char *options, int verbose)
{
    if (!verbose) {
        print_table(rows, columns, "");
        return;
    }
    char text[1024];
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        printf("%s%s\n", i == 0 ? "" : "\n", json_string_value(json_object_get(row, "id")));
        for (const column *detail = details; detail->title != NULL; detail++) {
            cell_text(json_object_get(row, detail->key), 0, text, sizeof text);
            printf("  %-17s %s\n", detail->title, text);
        }
        print_options(options, json_object_get(row, options));
    }
}

static int show_rows(json_t *rows, const list_arguments *arguments, const char *noun,
                     const column *columns, const column *details, const char *options)
{
    json_t *shown = rows;
    if (arguments->n_names > 0) {
        shown = select_rows(rows, arguments, noun);
        json_decref(rows);
        if (shown == NULL)
            return TB_EXIT_USAGE;
    }
    if (arguments->json)
        print_json(shown);
    else
        print_rows(shown, columns, details, options, arguments->verbose || arguments->n_names > 0);
    json_decref(shown);
    return TB_EXIT_OK;
}

static int list_envs(const tb_catalog *catalog, const list_arguments *arguments)
{
    static const column columns[] = {{"ID", "id", 0},
                                     {"LIMIT", "max_episode_steps", 0},
                                     {"SOLVED", "reward_threshold", 0},
                                     {"SUMMARY", "summary", 0},
                                     {NULL, NULL, 0}};
    static const column details[] = {{"summary", "summary", 0},
                                     {"reference", "reference", 0},
                                     {"max_episode_steps", "max_episode_steps", 0},
                                     {"reward_threshold", "reward_threshold", 0},
                                     {"return_random", "return_random", 0},
                                     {"return_ref", "return_ref", 0},
                                     {"plugin", "path", 0},
                                     {NULL, NULL, 0}};
    return show_rows(entries_to_json(catalog, TB_CATALOG_ENV), arguments, "environment", columns,
                     details, "params");
}

static int list_policies(const tb_catalog *catalog, const list_arguments *arguments)
{
    static const column columns[] = {{"ID", "id", 0},
                                     {"PRECISION", "precisions", 0},
                                     {"SUMMARY", "summary", 0},
                                     {NULL, NULL, 0}};
    static const column details[] = {{"summary", "summary", 0},
                                     {"precision", "precisions", 0},
                                     {"plugin", "path", 0},
                                     {NULL, NULL, 0}};
    return show_rows(entries_to_json(catalog, TB_CATALOG_POLICY), arguments, "policy", columns,
                     details, "params");
}

static int list_algorithms(const tb_catalog *catalog, const list_arguments *arguments)
{
    static const column columns[] = {{"ID", "id", 0}, {"SUMMARY", "summary", 0}, {NULL, NULL, 0}};
    static const column details[] = {{"summary", "summary", 0}, {NULL, NULL, 0}};
    (void)catalog;
    if (arguments->markdown) {
        tb_error error;
        tb_status status = tb_reference_markdown(stdout, &error);
        return status == TB_OK ? TB_EXIT_OK : tb_cli_error(&error, tb_cli_exit_code(status));
    }
    int code = show_rows(algorithms_to_json(), arguments, "algorithm", columns, details, "options");
    // what all of them share, once
    if (code == TB_EXIT_OK && arguments->verbose && !arguments->json) {
        json_t *learner = options_to_json(tb_learner_options);
        json_t *run = options_to_json(tb_run_options);
        printf("\nevery algorithm\n");
        print_options("learner options: [defaults], [[algorithm]], [env.override]", learner);
        print_options("run options: [suite], [[env]]", run);
        json_decref(learner);
        json_decref(run);
    }
    return code;
}

static int list_plugins(const tb_catalog *catalog, const list_arguments *arguments)
{
    static const column columns[] = {{"PATH", "path", 0},       {"ABI", "abi", 0},
                                     {"SHA-256", "sha256", 12}, {"PROVIDES", "provides", 0},
                                     {"BUILD", "build", 0},     {NULL, NULL, 0}};
    json_t *refused = json_array();
    for (size_t i = 0; i < catalog->n_refusals; i++)
        json_array_append_new(refused, json_string(catalog->refusals[i]));
    json_t *json = json_pack("{s:o, s:o}", "plugins", plugins_to_json(catalog), "refused", refused);
    if (arguments->json) {
        print_json(json);
    } else {
        print_table(json_object_get(json, "plugins"), columns, "");
        if (catalog->n_refusals > 0)
            printf("\nRefused:\n");
        for (size_t i = 0; i < catalog->n_refusals; i++)
            printf("  %s\n", catalog->refusals[i]);
    }
    json_decref(json);
    return TB_EXIT_OK;
}

// ---- cells ----

// The plugins of the suite, then those of the command line.
static tb_status make_catalog(const char *suite_path, const list_arguments *arguments,
                              tb_catalog **out, tb_error *error)
{
    char **own = NULL;
    size_t n_own = 0;
    if (suite_path != NULL) {
        tb_status status = tb_suite_plugin_paths(suite_path, &own, &n_own, error);
        if (status != TB_OK)
            return status;
    }
    size_t n = n_own + arguments->n_plugin_dirs;
    const char **paths = tb_alloc(n, sizeof *paths);
    tb_status status;
    if (paths == NULL) {
        status = tb_fail(error, TB_E_NOMEM, "out of memory");
    } else {
        for (size_t i = 0; i < n; i++)
            paths[i] = i < n_own ? own[i] : arguments->plugin_dirs[i - n_own];
        status = tb_catalog_make(paths, n, out, error);
    }
    free(paths);
    tb_suite_free_paths(own, n_own);
    return status;
}

static int list_cells(const tb_catalog *catalog, const list_arguments *arguments)
{
    static const column columns[] = {{"ID", "id", 0},
                                     {"STEPS", "steps", 0},
                                     {"CELL", "label", 0},
                                     {"PATH", "path", 0},
                                     {NULL, NULL, 0}};
    tb_error error;
    tb_suite *suite;
    tb_plan plan = {0};
    tb_status status =
        tb_suite_load(arguments->names[0], catalog, &arguments->overrides, &suite, &error);
    if (status == TB_OK)
        status = tb_plan_make(suite, arguments->filter, &plan, &error);
    int code = status == TB_OK ? TB_EXIT_OK : tb_cli_error(&error, tb_cli_exit_code(status));
    if (status == TB_OK) {
        json_t *rows = cells_to_json(suite, &plan);
        if (arguments->json)
            print_json(rows);
        else
            print_table(rows, columns, "");
        json_decref(rows);
    }
    tb_plan_free(&plan);
    tb_suite_free(suite);
    return code;
}

// ---- the command line ----

static const struct {
    const char *name;
    int (*show)(const tb_catalog *catalog, const list_arguments *arguments);
    int needs_catalog, needs_suite, takes_ids;
} kinds[] = {
    {"envs", list_envs, 1, 0, 1},
    {"policies", list_policies, 1, 0, 1},
    {"algorithms", list_algorithms, 0, 0, 1},
    {"plugins", list_plugins, 1, 0, 0},
    {"cells", list_cells, 1, 1, 0},
};
enum { n_kinds = sizeof kinds / sizeof kinds[0] };

enum { key_plugin_dir = 1000, key_json, key_seeds, key_filter, key_set, key_markdown };

static const struct argp_option options[] = {
    {"plugin-dir", key_plugin_dir, "DIR", 0, "Look for plugins in DIR too (repeatable)", 0},
    {"json", key_json, NULL, 0, "Print JSON", 0},
    {"verbose", 'v', NULL, 0, "Show parameters and options: type, default, range, meaning", 0},
    {"markdown", key_markdown, NULL, 0, "algorithms: the option tables as Markdown", 0},
    {NULL, 0, NULL, 0, "For cells, as in trpo-bench run:", 1},
    {"seeds", key_seeds, "SEEDS", 0, "A count (10), a range (0-9) or a list (0,3,5-7)", 1},
    {"filter", key_filter, "REGEX", 0, "Only the cells whose label matches", 1},
    {"set", key_set, "KEY=VALUE", 0, "Override an option (repeatable)", 1},
    {NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    list_arguments *arguments = state->input;
    switch (key) {
    case key_plugin_dir: arguments->plugin_dirs[arguments->n_plugin_dirs++] = value; break;
    case key_json: arguments->json = 1; break;
    case 'v': arguments->verbose = 1; break;
    case key_markdown: arguments->markdown = 1; break;
    case key_seeds: arguments->overrides.seeds = value; break;
    case key_filter: arguments->filter = value; break;
    case key_set: arguments->set[arguments->overrides.n_set++] = value; break;
    case ARGP_KEY_ARG:
        if (arguments->kind == NULL)
            arguments->kind = value;
        else
            arguments->names[arguments->n_names++] = value;
        break;
    case ARGP_KEY_END:
        if (arguments->kind == NULL)
            argp_error(state, "what to list? one of envs, policies, algorithms, plugins, cells");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int usage_error(const char *format, const char *a, const char *b)
{
    fputs("trpo-bench list: ", stderr);
    fprintf(stderr, format, a, b);
    fputs("; see trpo-bench list --help\n", stderr);
    return TB_EXIT_USAGE;
}

static int run_kind(const list_arguments *arguments)
{
    const char *names[n_kinds];
    size_t k = 0;
    for (size_t i = 0; i < n_kinds; i++)
        names[i] = kinds[i].name;
    while (k < n_kinds && strcmp(arguments->kind, names[k]) != 0)
        k++;
    if (k == n_kinds) {
        const char *nearest = tb_nearest(arguments->kind, names, n_kinds);
        return usage_error("cannot list \"%s\"; did you mean \"%s\"?", arguments->kind,
                           nearest != NULL ? nearest : "envs");
    }
    if (kinds[k].needs_suite && arguments->n_names != 1)
        return usage_error("%s needs one suite: trpo-bench list %s SUITE.toml", names[k], names[k]);
    if (!kinds[k].needs_suite && !kinds[k].takes_ids && arguments->n_names > 0)
        return usage_error("%s takes no argument, found \"%s\"", names[k], arguments->names[0]);
    tb_catalog *catalog = NULL;
    if (kinds[k].needs_catalog) {
        tb_error error;
        tb_status status = make_catalog(kinds[k].needs_suite ? arguments->names[0] : NULL,
                                        arguments, &catalog, &error);
        if (status != TB_OK)
            return tb_cli_error(&error, tb_cli_exit_code(status));
    }
    int code = kinds[k].show(catalog, arguments);
    tb_catalog_free(catalog);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("trpo-bench: cannot write to standard output\n", stderr);
        code = TB_EXIT_IO;
    }
    return code;
}

static int run_list(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse_option,
        "envs|policies|algorithms|plugins [ID...]\ncells SUITE.toml",
        "Lists what can be used in a suite, or the cells of one.\vWith an ID: everything about it.",
        NULL,
        NULL,
        NULL};
    list_arguments arguments = {0};
    // each argument of the command line is at most one entry of each list
    size_t n = (size_t)argc;
    arguments.names = tb_alloc(n, sizeof *arguments.names);
    arguments.plugin_dirs = tb_alloc(n, sizeof *arguments.plugin_dirs);
    arguments.set = tb_alloc(n, sizeof *arguments.set);
    int code = TB_EXIT_IO;
    if (arguments.names != NULL && arguments.plugin_dirs != NULL && arguments.set != NULL) {
        arguments.overrides.set = arguments.set;
        if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) == 0)
            code = run_kind(&arguments);
    }
    free(arguments.names);
    free(arguments.plugin_dirs);
    free(arguments.set);
    return code;
}

const tb_command tb_command_list = {
    "list", "show environments, policies, algorithms, plugins, or the cells of a suite", run_list};
