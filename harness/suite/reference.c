/* SPDX-License-Identifier: MIT */
#include "harness/suite/reference.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "trpo/config.h"
#include "trpo/update/algorithm.h"

static void describe_range(double low, double high, char *out, size_t capacity)
{
    out[0] = '\0';
    if (isfinite(low) && isfinite(high))
        snprintf(out, capacity, "%.15g to %.15g", low, high);
    else if (isfinite(low))
        snprintf(out, capacity, "at least %.15g", low);
    else if (isfinite(high))
        snprintf(out, capacity, "at most %.15g", high);
}

// "a|b" as "a, b"
static void describe_choices(const char *choices, char *out, size_t capacity)
{
    size_t at = 0;
    for (; *choices != '\0' && at + 3 < capacity; choices++) {
        out[at++] = *choices == '|' ? ',' : *choices;
        if (*choices == '|')
            out[at++] = ' ';
    }
    out[at] = '\0';
}

tb_reference_row tb_reference_option(const tb_option *option)
{
    static const char *const types[] = {"integer", "number", "boolean", "string"};
    tb_reference_row row = {.key = option->key, .doc = option->doc};
    snprintf(row.type, sizeof row.type, "%s", types[option->type]);
    char choice[64] = "";
    switch (option->type) {
    case TB_OPTION_BOOL:
        snprintf(row.default_text, sizeof row.default_text, "%s",
                 option->def != 0 ? "true" : "false");
        break;
    case TB_OPTION_ENUM:
        tb_option_choice(option, (int)option->def, choice);
        snprintf(row.default_text, sizeof row.default_text, "\"%s\"", choice);
        describe_choices(option->choices, row.range, sizeof row.range);
        break;
    case TB_OPTION_I64:
    case TB_OPTION_F64:
        snprintf(row.default_text, sizeof row.default_text, "%.15g", option->def);
        describe_range(option->low, option->high, row.range, sizeof row.range);
        break;
    }
    return row;
}

tb_reference_row tb_reference_param(const tb_catalog_param *param)
{
    static const char *const types[] = {"value",  "integer",          "number",           "boolean",
                                        "string", "array of numbers", "array of integers"};
    tb_reference_row row = {.key = param->key, .doc = param->doc != NULL ? param->doc : ""};
    uint32_t type = param->type <= TB_PARAM_I64_ARRAY ? param->type : 0;
    snprintf(row.type, sizeof row.type, "%s", types[type]);
    if (param->default_text != NULL)
        snprintf(row.default_text, sizeof row.default_text, "%s", param->default_text);
    if (param->choices != NULL)
        describe_choices(param->choices, row.range, sizeof row.range);
    else if (type != TB_PARAM_BOOL && type != TB_PARAM_STR)
        describe_range(param->low, param->high, row.range, sizeof row.range);
    return row;
}

// Text in a cell of a Markdown table: "|" would end the cell.
static void print_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void print_table(FILE *out, const char *title, const char *intro, const tb_option *table)
{
    fprintf(out,
            "\n### %s\n\n%s\n\n| key | type | default | range | meaning |\n|---|---|---|---|---|\n",
            title, intro);
    for (const tb_option *option = table; option->key != NULL; option++) {
        tb_reference_row row = tb_reference_option(option);
        fprintf(out, "| `%s` | %s | `%s` | %s | ", row.key, row.type, row.default_text, row.range);
        print_cell(out, row.doc);
        fputs(" |\n", out);
    }
}

tb_status tb_reference_markdown(FILE *out, tb_error *error)
{
    print_table(out, "Run options", "Keys of `[suite]` and `[[env]]`.", tb_run_options);
    print_table(out, "Learner options",
                "Keys of `[defaults]`, `[[algorithm]]` and `[env.override]`, for every algorithm.",
                tb_learner_options);
    size_t n;
    const tb_algorithm *const *algorithms = tb_algorithms(&n);
    for (size_t i = 0; i < n; i++) {
        char title[64];
        snprintf(title, sizeof title, "Options of `%s`", algorithms[i]->id);
        print_table(out, title, algorithms[i]->summary, algorithms[i]->options);
    }
    if (ferror(out))
        return tb_fail(error, TB_E_IO, "cannot write the option tables: %s", strerror(errno));
    return TB_OK;
}
