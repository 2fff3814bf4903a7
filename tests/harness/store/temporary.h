/* SPDX-License-Identifier: MIT
 *
 * A folder of its own for each test, gone afterwards: for cmocka_unit_test_setup_teardown.
 */
#ifndef TESTS_HARNESS_STORE_TEMPORARY_H
#define TESTS_HARNESS_STORE_TEMPORARY_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/store/file.h"

static char temporary[64];

static inline int make_temporary(void **state)
{
    (void)state;
    strcpy(temporary, "/tmp/tb-test-XXXXXX");
    return mkdtemp(temporary) == NULL;
}

static inline int remove_temporary(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", temporary);
    return system(command);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_temporary, remove_temporary)

/* "<folder>/<name>"; four at a time. */
static inline const char *in_temporary(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", temporary, name);
    return path;
}

static inline void put_file(const char *name, const char *text)
{
    FILE *file = fopen(in_temporary(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void assert_file(const char *name, const char *expected)
{
    char *text = NULL;
    assert_int_equal(tb_read_file(in_temporary(name), &text, NULL, NULL), TB_OK);
    assert_string_equal(text, expected);
    free(text);
}

/* Entries of a folder inside, but "." and "..". */
static inline int count_entries(const char *name)
{
    DIR *folder = opendir(in_temporary(name));
    assert_non_null(folder);
    int n = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return n;
}

/* The message must hold each of the texts (NULL ends them). */
static inline void assert_message(const tb_error *error, ...)
{
    va_list texts;
    va_start(texts, error);
    for (const char *text; (text = va_arg(texts, const char *)) != NULL;)
        if (strstr(error->message, text) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error->message, text);
    va_end(texts);
}

#endif
