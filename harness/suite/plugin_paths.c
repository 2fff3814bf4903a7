/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/suite/reader.h"

enum { max_file = 16 << 20 }; /* bytes of a suite: more is some other file */

tb_status tb__read_file(const char *path, char **text, size_t *length, tb_error *error)
{
    *text = NULL;
    *length = 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return tb_fail(error, TB_E_IO, "%s: cannot open the suite: %s", path, strerror(errno));
    size_t capacity = 1 << 14;
    tb_status status = TB_OK;
    char *buffer = malloc(capacity);
    while (buffer != NULL) {
        *length += fread(buffer + *length, 1, capacity - 1 - *length, file);
        if (*length < capacity - 1 || *length > max_file)
            break;
        capacity *= 2;
        char *larger = realloc(buffer, capacity);
        if (larger == NULL)
            free(buffer);
        buffer = larger;
    }
    if (buffer == NULL) {
        fclose(file);
        return tb__no_memory(error);
    }
    if (ferror(file))
        status = tb_fail(error, TB_E_IO, "%s: cannot read the suite: %s", path, strerror(errno));
    else if (*length > max_file)
        status = tb_fail(error, TB_E_PARAM, "%s: larger than 16 MiB: this is no suite", path);
    fclose(file);
    if (status != TB_OK) {
        free(buffer);
        return status;
    }
    buffer[*length] = '\0';
    *text = buffer;
    return TB_OK;
}

char *tb__suite_path(const char *suite_path, const char *given)
{
    const char *slash = strrchr(suite_path, '/');
    if (given[0] == '/' || slash == NULL)
        return strdup(given);
    char *path = NULL;
    int n = (int)(slash - suite_path);
    return asprintf(&path, "%.*s/%s", n, suite_path, given) < 0 ? NULL : path;
}

static tb_status read_path(const tb_toml *value, const char *suite_path, char **out,
                           tb_error *error)
{
    if (value->type != TB_TOML_STRING)
        return tb_toml_fail(value, error, "a plugin must be a path in quotes, not %s",
                            tb_toml_type_name(value->type));
    if (value->string[0] == '\0')
        return tb_toml_fail(value, error, "a plugin's path must not be empty");
    char *path = tb__suite_path(suite_path, value->string);
    if (path == NULL)
        return tb__no_memory(error);
    if (access(path, F_OK) != 0) {
        tb_status status =
            tb_toml_fail(value, error,
                         "no plugin file or folder %s: %s (paths are relative to the "
                         "suite's folder)",
                         path, strerror(errno));
        free(path);
        return status;
    }
    *out = path;
    return TB_OK;
}

tb_status tb__plugin_paths(const tb_toml *root, const char *suite_path, char ***paths, size_t *n,
                           tb_error *error)
{
    *paths = NULL;
    *n = 0;
    const tb_toml *array = tb_toml_get(tb_toml_get(root, "suite"), "plugins");
    if (array == NULL)
        return TB_OK;
    if (array->type != TB_TOML_ARRAY)
        return tb_toml_fail(array, error,
                            "\"plugins\" must be a list of paths ([\"my.so\"]), not %s",
                            tb_toml_type_name(array->type));
    size_t count = 0;
    for (const tb_toml *value = array->children; value != NULL; value = value->next)
        count++;
    *paths = tb_alloc(count, sizeof **paths);
    if (*paths == NULL)
        return tb__no_memory(error);
    for (const tb_toml *value = array->children; value != NULL; value = value->next) {
        tb_status status = read_path(value, suite_path, &(*paths)[*n], error);
        if (status != TB_OK) {
            tb_suite_free_paths(*paths, *n);
            *paths = NULL;
            *n = 0;
            return status;
        }
        (*n)++;
    }
    return TB_OK;
}

tb_status tb_suite_plugin_paths(const char *path, char ***paths, size_t *n, tb_error *error)
{
    *paths = NULL;
    *n = 0;
    char *text;
    size_t length;
    tb_status status = tb__read_file(path, &text, &length, error);
    if (status != TB_OK)
        return status;
    tb_toml *root;
    status = tb_toml_parse(path, text, length, &root, error);
    if (status == TB_OK)
        status = tb__plugin_paths(root, path, paths, n, error);
    tb_toml_free(root);
    free(text);
    return status;
}

void tb_suite_free_paths(char **paths, size_t n)
{
    for (size_t i = 0; paths != NULL && i < n; i++)
        free(paths[i]);
    free(paths);
}
