/* SPDX-License-Identifier: MIT
 *
 * The suites that are shipped, and docs/suites.md against the option tables. The algorithms here
 * are the program's own.
 */
#define FIXTURE_REAL_ALGORITHMS
#include "tests/harness/suite/fixture.h"

#include "harness/suite/reference.h"

static tb_suite *load_shipped(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, TB_TEST_SOURCE_DIR "/%s", name);
    tb_error error = {0};
    tb_suite *suite = NULL;
    if (tb_suite_load(path, &fake_catalog, NULL, &suite, &error) != TB_OK)
        fail_msg("%s", error.message);
    return suite;
}

// Every batch is whole, so that all runs of an environment have the same number of updates.
static void expect_whole_batches(const tb_suite *suite)
{
    for (size_t i = 0; i < suite->n_envs * suite->n_algorithms; i++)
        assert_int_equal(suite->envs[i / suite->n_algorithms].run.steps %
                             suite->settings[i].learner.batch_steps,
                         0);
}

static void classic(void **state)
{
    (void)state;
    tb_suite *suite = load_shipped("suites/classic.toml");
    assert_int_equal(suite->n_envs, 5);
    assert_int_equal(suite->n_policies, 1);
    assert_int_equal(suite->n_algorithms, 3);
    assert_int_equal(suite->n_seeds, 10);
    for (size_t e = 0; e < 5; e++)
        assert_int_equal(suite->envs[e].run.steps,
                         strstr(suite->envs[e].id, "Continuous") != NULL ? 50000 : 100000);
    expect_whole_batches(suite);
    tb_suite_free(suite);
}

static void smoke(void **state)
{
    (void)state;
    tb_suite *suite = load_shipped("suites/smoke.toml");
    assert_int_equal(suite->n_envs * suite->n_policies * suite->n_algorithms * suite->n_seeds, 12);
    expect_whole_batches(suite);
    tb_suite_free(suite);
}

// The example in the manual is a suite.
static void manual_example(void **state)
{
    (void)state;
    FILE *file = fopen(TB_TEST_SOURCE_DIR "/docs/suites.md", "rb");
    assert_non_null(file);
    static char text[65536];
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *begin = strstr(text, "```toml\n");
    assert_non_null(begin);
    begin += strlen("```toml\n");
    char *end = strstr(begin, "```");
    assert_non_null(end);
    *end = '\0';
    tb_suite_free(must_load(begin, NULL));
}

// docs/suites.md holds what `trpo-bench list algorithms --markdown` prints, between two marks.
static void manual_tables(void **state)
{
    (void)state;
    FILE *file = fopen(TB_TEST_SOURCE_DIR "/docs/suites.md", "rb");
    assert_non_null(file);
    static char text[65536];
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    static const char begin_mark[] = "<!-- options: begin -->\n",
                      end_mark[] = "\n<!-- options: end";
    char *begin = strstr(text, begin_mark), *end = strstr(text, end_mark);
    assert_non_null(begin);
    assert_non_null(end);
    *end = '\0';
    char *tables = NULL;
    size_t n;
    FILE *memory = open_memstream(&tables, &n);
    assert_non_null(memory);
    assert_int_equal(tb_reference_markdown(memory, NULL), TB_OK);
    fclose(memory);
    // the file drifted from the tables: replace the section by what the program prints
    assert_string_equal(begin + strlen(begin_mark), tables);
    free(tables);
}

// A key means one thing: run options, learner options and structural keys have none in common, nor
// has an algorithm's own with any of them.
static void keys_are_distinct(void **state)
{
    (void)state;
    static const char *const structural[] = {
        "id",       "name",  "params",   "critic", "seeds",  "plugins",  "description",
        "override", "suite", "defaults", "env",    "policy", "algorithm"};
    const tb_option *tables[32] = {tb_run_options, tb_learner_options};
    size_t n;
    const tb_algorithm *const *algorithms = tb_algorithms(&n);
    assert_true(n >= 3);
    for (size_t i = 0; i < n; i++)
        tables[2 + i] = algorithms[i]->options;
    for (size_t t = 0; t < n + 2; t++)
        for (const tb_option *option = tables[t]; option->key != NULL; option++) {
            for (size_t i = 0; i < sizeof structural / sizeof structural[0]; i++)
                assert_string_not_equal(option->key, structural[i]);
            assert_null(t == 0 ? NULL : tb_option_find(tb_run_options, option->key));
            assert_null(t <= 1 ? NULL : tb_option_find(tb_learner_options, option->key));
        }
}

// Defaults lie in their ranges and every row says something.
static void rows_are_complete(void **state)
{
    (void)state;
    size_t n;
    const tb_algorithm *const *algorithms = tb_algorithms(&n);
    for (size_t t = 0; t < n + 2; t++) {
        const tb_option *option = t == 0   ? tb_run_options
                                  : t == 1 ? tb_learner_options
                                           : algorithms[t - 2]->options;
        for (; option->key != NULL; option++) {
            assert_true(option->doc != NULL && strlen(option->doc) > 10);
            char choice[64];
            if (option->type == TB_OPTION_ENUM)
                assert_true(tb_option_choice(option, (int)option->def, choice));
            else
                assert_true(option->def >= option->low && option->def <= option->high);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classic),           cmocka_unit_test(smoke),
        cmocka_unit_test(manual_example),    cmocka_unit_test(manual_tables),
        cmocka_unit_test(keys_are_distinct), cmocka_unit_test(rows_are_complete),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
