/* SPDX-License-Identifier: MIT
 *
 * published = "FILE" of [suite]: results that others have published, for the report to show beside
 * ours. TOML, read and checked here, JSON from there on:
 *
 *   [[source]]
 *   name = "Tianshou 1M"           a column of the report
 *   citation = "..."               where the numbers are from
 *   protocol = "..."               what they are: versions, steps, runs, what was averaged
 *   [source.trpo]                  an algorithm's id
 *   "mujoco/Hopper-v5" = [2046.0, 1037.9]     mean, and its spread or none: [2046.0]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/suite/reader.h"

// most columns that a table has room for, beside environment, algorithm and ours
enum { max_sources = 12 };

static tb_status check_number_pair(const tb_toml *value, tb_error *error)
{
    size_t n = 0;
    if (value->type == TB_TOML_ARRAY)
        for (const tb_toml *item = value->children; item != NULL; item = item->next, n++)
            if (item->type != TB_TOML_F64 && item->type != TB_TOML_I64)
                n = 3;
    return n == 1 || n == 2
               ? TB_OK
               : tb_toml_fail(value, error,
                              "\"%s\" must be [mean] or [mean, spread], two numbers, not %s",
                              value->key, tb_toml_type_name(value->type));
}

static tb_status check_algorithm(const tb_toml *table, tb_error *error)
{
    if (tb_algorithm_find(table->key) == NULL)
        return tb_toml_fail_key(table, error,
                                "\"%s\" is no algorithm (trpo-bench list algorithms), and none of "
                                "name, citation, protocol",
                                table->key);
    if (table->type != TB_TOML_TABLE)
        return tb_toml_fail(table, error, "\"%s\" must be a table: write [source.%s]", table->key,
                            table->key);
    tb_status status = TB_OK;
    for (const tb_toml *value = table->children; value != NULL && status == TB_OK;
         value = value->next)
        status = check_number_pair(value, error);
    return status;
}

static tb_status check_source(const tb_toml *source, tb_error *error)
{
    static const char *const texts[] = {"name", "citation", "protocol"};
    enum { n_texts = sizeof texts / sizeof texts[0] };
    if (source->type != TB_TOML_TABLE)
        return tb_toml_fail(source, error, "a source must be a table: write [[source]]");
    for (size_t i = 0; i < n_texts; i++) {
        const tb_toml *text = tb_toml_get(source, texts[i]);
        if (text == NULL || text->type != TB_TOML_STRING || text->string[0] == '\0')
            return tb_toml_fail(text != NULL ? text : source, error,
                                "[[source]] needs %s = \"...\"", texts[i]);
    }
    tb_status status = TB_OK;
    for (const tb_toml *child = source->children; child != NULL && status == TB_OK;
         child = child->next) {
        int known = 0;
        for (size_t i = 0; i < n_texts; i++)
            known |= strcmp(child->key, texts[i]) == 0;
        if (!known)
            status = check_algorithm(child, error);
    }
    return status;
}

static tb_status check(const tb_toml *root, tb_error *error)
{
    const tb_toml *sources = tb_toml_get(root, "source");
    if (sources == NULL || sources->type != TB_TOML_ARRAY || sources != root->children ||
        sources->next != NULL)
        return tb_toml_fail(root, error,
                            "published results are [[source]] tables and nothing else");
    size_t n = 0;
    tb_status status = TB_OK;
    for (const tb_toml *source = sources->children; source != NULL && status == TB_OK;
         source = source->next, n++)
        status = n < max_sources ? check_source(source, error)
                                 : tb_toml_fail(source, error, "at most %d sources have room",
                                                (int)max_sources);
    return status;
}

static tb_status load(const char *path, json_t **out, tb_error *error)
{
    char *text;
    size_t length;
    tb_toml *root = NULL;
    tb_status status = tb__read_file(path, &text, &length, error);
    if (status != TB_OK)
        return status;
    status = tb_toml_parse(path, text, length, &root, error);
    if (status == TB_OK)
        status = check(root, error);
    if (status == TB_OK) {
        *out = tb_toml_to_json(root);
        if (*out == NULL)
            status = tb__no_memory(error);
    }
    tb_toml_free(root);
    free(text);
    return status;
}

tb_status tb__read_published(tb__reader *reader, const tb_toml *table)
{
    const char *given;
    tb_status status = tb__string(reader, table, "published", NULL, &given);
    if (status != TB_OK || given == NULL)
        return status;
    const tb_toml *value = tb_toml_get(table, "published");
    char *path = tb__suite_path(reader->suite->source_path, given);
    if (path == NULL)
        return tb__no_memory(reader->error);
    // reading a folder or nothing at all is told by the place that named it
    struct stat file;
    if (stat(path, &file) != 0)
        status = tb_toml_fail(value, reader->error,
                              "no file of published results %s: %s (paths are relative to the "
                              "suite's folder)",
                              path, strerror(errno));
    else if (!S_ISREG(file.st_mode))
        status = tb_toml_fail(value, reader->error, "%s is no file of published results", path);
    else
        status = load(path, &reader->suite->published, reader->error);
    free(path);
    return status;
}
