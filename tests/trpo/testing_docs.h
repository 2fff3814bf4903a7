/* SPDX-License-Identifier: MIT
 *
 * Tables in docs/ that must say what the code says: the test builds a table and looks for it in the
 * page; when it is missing it prints what belongs there.
 */
#ifndef TESTS_TRPO_TESTING_DOCS_H
#define TESTS_TRPO_TESTING_DOCS_H

#include <stdio.h>

#include "tests/trpo/testing.h"
#include "trpo/base/option.h"

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

static inline void test_describe_range(const tb_option *o, test_text *out)
{
    if (o->type == TB_OPTION_BOOL)
        test_print(out, "true, false");
    else if (o->type == TB_OPTION_ENUM)
        for (int i = 0; i < 64; i++) {
            char choice[64];
            if (!tb_option_choice(o, i, choice))
                break;
            test_print(out, "%s`\"%s\"`", i > 0 ? ", " : "", choice);
        }
    else if (isinf(o->high))
        test_print(out, "from %g", o->low);
    else
        test_print(out, "%g to %g", o->low, o->high);
}

/* The table of an option table, as docs/ shows it. */
static inline void test_describe_options(const tb_option *table, test_text *out)
{
    static const char *const types[] = {"integer", "number", "boolean", "choice"};
    test_print(out, "| key | type | default | range | meaning |\n|---|---|---|---|---|\n");
    for (const tb_option *o = table; o->key != NULL; o++) {
        char choice[64] = "";
        test_print(out, "| `%s` | %s | ", o->key, types[o->type]);
        if (o->type == TB_OPTION_BOOL)
            test_print(out, "%s", o->def != 0 ? "true" : "false");
        else if (o->type == TB_OPTION_ENUM && tb_option_choice(o, (int)o->def, choice))
            test_print(out, "`\"%s\"`", choice);
        else
            test_print(out, "%.10g", o->def);
        test_print(out, " | ");
        test_describe_range(o, out);
        test_print(out, " | ");
        // a bar in a sentence would end the cell
        for (const char *c = o->doc; *c != '\0'; c++)
            test_print(out, *c == '|' ? "\\%c" : "%c", *c);
        test_print(out, " |\n");
    }
    test_print(out, "\n"); // nothing follows
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
