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

// values just outside what makes sense, and words that are none
static void test_update_options_are_validated(void **state)
{
    (void)state;
    const struct {
        const char *algorithm, *key;
        double value;
        const char *word, *message;
    } cases[] = {
        {"trpo", "fisher_fraction", 0, NULL, "from 1e-09 to 1"},
        {"npg", "fisher_fraction", 1.001, NULL, "from 1e-09 to 1"},
        {"npg", "damping", -1e-9, NULL, "from 0 to"},
        {"trpo", "damping_mode", 0, "rel", "absolute|relative"},
        {"trpo", "kl_slack", 0.999, NULL, "from 1 to"},
        {"trpo", "kl_slack", NAN, NULL, "from 1 to"},
        {"trpo", "kl_direction", 0, "new", "old-new|new-old"},
        {"trpo", "line_search_accept_ratio", -0.1, NULL, "from 0 to 1"},
        {"trpo", "line_search_accept_ratio", 10, NULL, "from 0 to 1"},
        {"trpo", "entropy_coefficient", -0.01, NULL, "from 0 to"},
        {"npg", "entropy_coefficient", -0.01, NULL, "from 0 to"},
        {"vpg", "entropy_coefficient", INFINITY, NULL, "from 0 to"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const tb_option *table = tb_algorithm_find(cases[i].algorithm)->options;
        const tb_option *option = tb_option_find(table, cases[i].key);
        assert_non_null(option);
        double config[32];
        assert_true(tb_algorithm_find(cases[i].algorithm)->config_size <= sizeof config);
        tb_options_default(table, config);
        tb_value value = {.type = cases[i].word != NULL ? TB_VALUE_STRING : TB_VALUE_F64,
                          .f64 = cases[i].value,
                          .string = cases[i].word};
        tb_error error = {0};
        assert_int_equal(tb_option_set(option, config, &value, &error), TB_E_PARAM);
        assert_message(&error, cases[i].key);
        assert_message(&error, cases[i].message);
    }
}

// what an update does unless a suite says otherwise: the paper's, on all states
static void test_defaults_are_the_plain_update(void **state)
{
    (void)state;
    const struct {
        const char *key;
        double value;
    } defaults[] = {{"fisher_fraction", 1},
                    {"damping", 0.1},
                    {"damping_mode", 0},
                    {"kl_slack", 1},
                    {"kl_direction", 0},
                    {"entropy_coefficient", 0},
                    {"line_search_accept_ratio", 0},
                    {"max_kl", 0.01}};
    const tb_option *table = tb_algorithm_find("trpo")->options;
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
        assert_near(tb_option_find(table, defaults[i].key)->def, defaults[i].value, 0);
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
        test_describe_options(all[i]->options, &text);
        assert_documented("algorithms.md", &text);
    }
    text.n = 0;
    test_describe_options(tb_learner_options, &text);
    assert_documented("algorithms.md", &text);
    text.n = 0;
    test_describe_options(tb_run_options, &text);
    assert_documented("algorithms.md", &text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_update_options_are_validated),
        cmocka_unit_test(test_defaults_are_the_plain_update),
        cmocka_unit_test(test_every_option_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
