/* SPDX-License-Identifier: MIT
 *
 * Tables in docs/ that must say what the code says: the test builds a table and looks for it in the
 * page; when it is missing it prints what belongs there.
 */
#ifndef TESTS_TRPO_TESTING_DOCS_H
#define TESTS_TRPO_TESTING_DOCS_H

#include <stdio.h>

#include "tests/trpo/testing.h"

/* A growing text, at most as long as its buffer. */
typedef struct test_text {
    char text[32768];
    size_t n;
} test_text;

static inline void __attribute__((format(printf, 2, 3)))
test_print(test_text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(t->text + t->n, sizeof t->text - t->n, format, arguments);
    va_end(arguments);
    assert_true(n >= 0 && (size_t)n < sizeof t->text - t->n);
    t->n += (size_t)n;
}

/* Passes when docs/<page> holds `table` word for word. */
static inline void assert_documented(const char *page, const test_text *table)
{
    static char text[131072];
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/%s", TB_TEST_SOURCE_DIR, page);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    if (strstr(text, table->text) == NULL) {
        // cmocka's own messages are cut at 1024 characters
        fputs(table->text, stderr);
        fail_msg("docs/%s does not hold the table above", page);
    }
}

#endif
