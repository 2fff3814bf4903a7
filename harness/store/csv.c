/* SPDX-License-Identifier: MIT */
#include "harness/store/csv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// what is read now: names the place of an error
typedef struct reader {
    const char *path;
    size_t line;             // 1-based
    const char *const *name; // [n] wanted columns
    size_t n;
    size_t *field; // [n] place of each wanted column in a row
    size_t n_fields;
    tb_error *error;
} reader;

static tb_status __attribute__((format(printf, 2, 3)))
fail_at(const reader *r, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return tb_fail(r->error, TB_E_CORRUPT, "%s:%zu: %s", r->path, r->line, message);
}

static size_t count_fields(const char *line)
{
    size_t n = 1;
    for (; *line != '\0'; line++)
        n += *line == ',';
    return n;
}

// cuts the field that starts at *cursor off its line; *cursor moves to the next, NULL at the end
static char *next_field(char **cursor)
{
    char *field = *cursor, *comma = strchr(field, ',');
    *cursor = comma != NULL ? comma + 1 : NULL;
    if (comma != NULL)
        *comma = '\0';
    return field;
}

static tb_status read_header(reader *r, char *line)
{
    char shown[200];
    snprintf(shown, sizeof shown, "%s", line);
    r->n_fields = count_fields(line);
    for (size_t i = 0; i < r->n; i++)
        r->field[i] = SIZE_MAX;
    char *cursor = line;
    for (size_t f = 0; cursor != NULL; f++) {
        const char *name = next_field(&cursor);
        for (size_t i = 0; i < r->n; i++)
            if (strcmp(name, r->name[i]) == 0)
                r->field[i] = f;
    }
    for (size_t i = 0; i < r->n; i++)
        if (r->field[i] == SIZE_MAX)
            return fail_at(r, "no column \"%s\" in the header \"%s\"", r->name[i], shown);
    return TB_OK;
}

static tb_status read_number(const reader *r, const char *name, const char *text, double *out)
{
    *out = NAN;
    if (*text == '\0')
        return TB_OK;
    char *end;
    *out = strtod(text, &end);
    if (end == text || *end != '\0')
        return fail_at(r, "\"%.60s\" in column \"%s\" is not a number", text, name);
    return TB_OK;
}

static tb_status read_row(const reader *r, char *line, double *row)
{
    size_t found = count_fields(line);
    if (found != r->n_fields)
        return fail_at(r, "%zu fields, but the header has %zu", found, r->n_fields);
    char *cursor = line;
    for (size_t f = 0; cursor != NULL; f++) {
        const char *text = next_field(&cursor);
        for (size_t i = 0; i < r->n; i++) {
            tb_status status = r->field[i] == f ? read_number(r, r->name[i], text, &row[i]) : TB_OK;
            if (status != TB_OK)
                return status;
        }
    }
    return TB_OK;
}

// checks and strips the end of a line of `length` bytes
static tb_status trim_line(const reader *r, char *line, size_t length)
{
    if (strlen(line) != length)
        return fail_at(r, "a NUL byte in the line");
    if (line[length - 1] != '\n')
        return fail_at(r, "the file ends inside this line: it was cut off");
    line[--length] = '\0';
    if (length > 0 && line[length - 1] == '\r')
        line[length - 1] = '\0';
    return TB_OK;
}

static int grow(tb_csv *csv, size_t *capacity)
{
    if (csv->n_rows < *capacity)
        return 1;
    size_t larger = *capacity * 2 + 64;
    double *values = realloc(csv->values, larger * csv->n_columns * sizeof *values);
    if (values == NULL)
        return 0;
    csv->values = values;
    *capacity = larger;
    return 1;
}

static tb_status read_lines(reader *r, FILE *file, tb_csv *csv)
{
    char *line = NULL;
    size_t size = 0, capacity = 0;
    ssize_t length;
    tb_status status = TB_OK;
    while (status == TB_OK && (length = getline(&line, &size, file)) > 0) {
        r->line++;
        status = trim_line(r, line, (size_t)length);
        if (status != TB_OK)
            break;
        if (r->line == 1) {
            status = read_header(r, line);
        } else if (!grow(csv, &capacity)) {
            status = tb_fail(r->error, TB_E_NOMEM, "%s: out of memory", r->path);
        } else {
            status = read_row(r, line, csv->values + csv->n_rows * csv->n_columns);
            csv->n_rows++;
        }
    }
    free(line);
    if (status == TB_OK && ferror(file))
        return tb_fail(r->error, TB_E_IO, "%s: cannot be read: %s", r->path, strerror(errno));
    if (status == TB_OK && r->line == 0) {
        r->line = 1;
        return fail_at(r, "the file is empty: a header line was expected");
    }
    return status;
}

tb_status tb_csv_read(const char *path, const char *const *columns, size_t n_columns, tb_csv *out,
                      tb_error *error)
{
    *out = (tb_csv){.n_columns = n_columns};
    size_t *field = tb_alloc(n_columns, sizeof *field);
    if (field == NULL)
        return tb_fail(error, TB_E_NOMEM, "%s: out of memory", path);
    reader r = {.path = path, .name = columns, .n = n_columns, .field = field, .error = error};
    FILE *file = fopen(path, "re");
    tb_status status;
    if (file == NULL) {
        status = tb_fail(error, TB_E_IO, "%s: cannot be opened: %s", path, strerror(errno));
    } else {
        status = read_lines(&r, file, out);
        fclose(file);
    }
    free(field);
    if (status != TB_OK)
        tb_csv_finish(out);
    return status;
}

void tb_csv_finish(tb_csv *csv)
{
    free(csv->values);
    *csv = (tb_csv){.values = NULL};
}
