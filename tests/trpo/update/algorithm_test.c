/* SPDX-License-Identifier: MIT */
#include "trpo/update/algorithm.h"

#include "tests/trpo/testing_docs.h"
#include "trpo/config.h"

static void test_find(void **state)
{
    (void)state;
    size_t n;
    const tb_algorithm *const *all = tb_algorithms(&n);
    assert_true(n >= 3);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(tb_algorithm_find(all[i]->id), all[i]);
    assert_null(tb_algorithm_find("trp"));
    assert_null(tb_algorithm_find(""));
}

static int known(const tb_option *table, const char *key)
{
    return tb_option_find(table, key) != NULL;
}

// defaults lie in their ranges, members in their structs, and no key means two things
static void check_table(const tb_option *table, size_t size)
{
    for (const tb_option *o = table; o->key != NULL; o++) {
        size_t bytes = o->type == TB_OPTION_I64 || o->type == TB_OPTION_F64 ? 8 : 4;
        assert_true(o->offset + bytes <= size);
        assert_true(o->type == TB_OPTION_ENUM || (o->def >= o->low && o->def <= o->high));
        assert_true(strlen(o->doc) > 10 && o->doc[strlen(o->doc) - 1] == '.');
        for (const tb_option *other = table; other < o; other++) {
            assert_string_not_equal(other->key, o->key);
            assert_int_not_equal(other->offset, o->offset);
        }
    }
}

static void test_tables(void **state)
{
    (void)state;
    size_t n;
    const tb_algorithm *const *all = tb_algorithms(&n);
    check_table(tb_run_options, sizeof(tb_run_config));
    check_table(tb_learner_options, sizeof(tb_learner_config));
    for (size_t i = 0; i < n; i++) {
        check_table(all[i]->options, all[i]->config_size);
        // a suite gives both kinds of keys in one table
        for (const tb_option *o = all[i]->options; o->key != NULL; o++)
            assert_false(known(tb_learner_options, o->key) || known(tb_run_options, o->key));
    }
    for (const tb_option *o = tb_learner_options; o->key != NULL; o++)
        assert_false(known(tb_run_options, o->key));
}

static void describe_range(const tb_option *o, test_text *out)
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

static void describe(const tb_option *table, test_text *out)
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
        describe_range(o, out);
        test_print(out, " | ");
        // a bar in a sentence would end the cell
        for (const char *c = o->doc; *c != '\0'; c++)
            test_print(out, *c == '|' ? "\\%c" : "%c", *c);
        test_print(out, " |\n");
    }
    test_print(out, "\n"); // nothing follows
}

static void test_every_option_is_documented(void **state)
{
    (void)state;
    static test_text text;
    size_t n;
    const tb_algorithm *const *all = tb_algorithms(&n);
    for (size_t i = 0; i < n; i++) {
        text.n = 0;
        test_print(&text, "## `%s`\n\n%s.\n\n", all[i]->id, all[i]->summary);
        describe(all[i]->options, &text);
        assert_documented("algorithms.md", &text);
    }
    text.n = 0;
    describe(tb_learner_options, &text);
    assert_documented("algorithms.md", &text);
    text.n = 0;
    describe(tb_run_options, &text);
    assert_documented("algorithms.md", &text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_every_option_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
