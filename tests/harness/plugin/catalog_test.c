/* SPDX-License-Identifier: MIT
 *
 * The catalog survives whatever a plugin file does. This program is its own scanner: called as
 * `<test> scan-plugin FILE` it does what trpo-bench does.
 */
#include "harness/plugin/catalog.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/cli/command.h"
#include "harness/plugin/scan.h"

#define BROKEN(name) TB_TEST_BINARY_DIR "/broken/" name ".so"

typedef struct folder {
    char path[64];
} folder;

static int make_folder(void **state)
{
    folder *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    snprintf(f->path, sizeof f->path, "/tmp/tb-catalog-XXXXXX");
    *state = f;
    unsetenv("TRPO_BENCH_PLUGIN_PATH");
    return mkdtemp(f->path) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    folder *f = *state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", f->path, f->path);
    int failed = system(command);
    free(f);
    return failed;
}

static void put_link(const folder *f, const char *name, const char *target)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    assert_int_equal(symlink(target, path), 0);
}

static tb_catalog *make(const char *path)
{
    tb_error error = {0};
    tb_catalog *catalog = NULL;
    if (tb_catalog_make(&path, 1, &catalog, &error) != TB_OK)
        fail_msg("%s", error.message);
    return catalog;
}

static void expect_refusal(const char *path, const char *why)
{
    tb_error error = {0};
    tb_catalog *catalog = NULL;
    assert_int_not_equal(tb_catalog_make(&path, 1, &catalog, &error), TB_OK);
    assert_null(catalog);
    if (strstr(error.message, path) != error.message || strstr(error.message, why) == NULL)
        fail_msg("\"%s\" does not begin with \"%s\" and say \"%s\"", error.message, path, why);
}

static void an_entry_holds_what_the_plugin_says(void **state)
{
    (void)state;
    tb_catalog *catalog = make(BROKEN("env-healthy"));
    const tb_catalog_entry *entry = tb_catalog_find(catalog, TB_CATALOG_ENV, "broken/healthy-v1");
    assert_non_null(entry);
    assert_string_equal(entry->path, BROKEN("env-healthy"));
    assert_string_equal(entry->build, "broken healthy");
    assert_int_equal(strlen(entry->sha256), 64);
    assert_int_equal(entry->abi_major, TB_ABI_MAJOR);
    assert_int_equal(entry->max_episode_steps, 100);
    assert_int_equal(entry->flags, TB_ENV_STOCHASTIC_STEP);
    assert_true(isnan(entry->reward_threshold));
    assert_true(entry->has_schema && entry->n_params == 1);
    assert_string_equal(entry->params[0].key, "noise");
    assert_true(entry->params[0].low == 0 && entry->params[0].high == 10);
    tb_catalog_free(catalog);
}

static void the_hash_is_that_of_the_file(void **state)
{
    (void)state;
    char command[512], line[65] = "";
    snprintf(command, sizeof command, "sha256sum '%s'", BROKEN("policy-healthy"));
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fread(line, 1, 64, pipe), 64);
    pclose(pipe);
    tb_catalog *catalog = make(BROKEN("policy-healthy"));
    const tb_catalog_entry *entry = tb_catalog_find(catalog, TB_CATALOG_POLICY, "broken-healthy");
    assert_non_null(entry);
    assert_string_equal(entry->sha256, line);
    assert_int_equal(entry->dtypes, TB_DTYPE_BIT(TB_F64) | TB_DTYPE_BIT(TB_F32));
    assert_false(entry->has_schema);
    tb_catalog_free(catalog);
}

static void a_misbehaving_file_is_refused_in_words(void **state)
{
    (void)state;
    expect_refusal(BROKEN("env-load-crash"),
                   "crashed (signal 11, segmentation fault) while being loaded");
    expect_refusal(BROKEN("env-load-exit"), "ended with exit code 3 while being loaded");
    expect_refusal(BROKEN("env-load-garbage"), "ended the scanning process while being loaded");
    expect_refusal(BROKEN("env-wrong-major"), "speaks plugin ABI 7.0, needed major version 1");
    expect_refusal(TB_TEST_SOURCE_DIR "/LICENSE", "cannot be loaded");
    expect_refusal("/nonexistent/folder", "No such file");
}

static void a_file_that_hangs_is_given_up(void **state)
{
    (void)state;
    tb__scan_timeout = 0.5;
    expect_refusal(BROKEN("env-load-hang"), "did not finish within 0.5 s while being loaded");
    tb__scan_timeout = 10;
}

// what it prints looks like an answer, on purpose
static void what_a_plugin_prints_is_not_taken_for_the_answer(void **state)
{
    (void)state;
    tb_catalog *catalog = make(BROKEN("env-load-print"));
    assert_non_null(tb_catalog_find(catalog, TB_CATALOG_ENV, "broken/load-print-v1"));
    tb_catalog_free(catalog);
}

static void a_folder_is_scanned_in_order_and_survives_bad_files(void **state)
{
    folder *f = *state;
    put_link(f, "c.so", BROKEN("env-healthy"));
    put_link(f, "b.so", BROKEN("env-load-crash"));
    put_link(f, "a.so", BROKEN("env-wrong-major"));
    put_link(f, "d.so", BROKEN("policy-healthy"));
    put_link(f, "e.txt", BROKEN("env-load-exit"));
    tb_catalog *catalog = make(f->path);
    assert_int_equal(catalog->n_refusals, 2);
    assert_non_null(strstr(catalog->refusals[0], "/a.so: "));
    assert_non_null(strstr(catalog->refusals[1], "/b.so: crashed"));
    assert_non_null(tb_catalog_find(catalog, TB_CATALOG_ENV, "broken/healthy-v1"));
    assert_non_null(tb_catalog_find(catalog, TB_CATALOG_POLICY, "broken-healthy"));
    for (size_t i = 1; i < catalog->n_entries; i++)
        assert_true(catalog->entries[i - 1].kind < catalog->entries[i].kind ||
                    strcmp(catalog->entries[i - 1].id, catalog->entries[i].id) < 0);
    tb_catalog_free(catalog);
}

static void copy_file(const char *from, const char *folder_path, const char *name)
{
    char command[512];
    snprintf(command, sizeof command, "cp '%s' '%s/%s'", from, folder_path, name);
    assert_int_equal(system(command), 0);
}

static void one_id_in_two_files_names_both(void **state)
{
    folder *f = *state;
    copy_file(BROKEN("env-healthy"), f->path, "one.so");
    copy_file(BROKEN("env-healthy"), f->path, "two.so");
    const char *path = f->path;
    tb_error error = {0};
    tb_catalog *catalog = NULL;
    assert_int_equal(tb_catalog_make(&path, 1, &catalog, &error), TB_E_PARAM);
    assert_non_null(strstr(error.message, "environment \"broken/healthy-v1\" is in two plugins"));
    assert_non_null(strstr(error.message, "/one.so"));
    assert_non_null(strstr(error.message, "/two.so"));
}

static void one_file_reached_twice_is_no_duplicate(void **state)
{
    folder *f = *state;
    put_link(f, "link.so", BROKEN("env-healthy"));
    const char *paths[] = {BROKEN("env-healthy"), f->path};
    tb_catalog *catalog = NULL;
    assert_int_equal(tb_catalog_make(paths, 2, &catalog, NULL), TB_OK);
    tb_catalog_free(catalog);
}

static void the_environment_variable_adds_places(void **state)
{
    folder *f = *state;
    char list[512];
    put_link(f, "a.so", BROKEN("policy-healthy"));
    snprintf(list, sizeof list, "%s::%s", f->path, BROKEN("env-healthy"));
    setenv("TRPO_BENCH_PLUGIN_PATH", list, 1);
    tb_catalog *catalog = NULL;
    assert_int_equal(tb_catalog_make(NULL, 0, &catalog, NULL), TB_OK);
    assert_non_null(tb_catalog_find(catalog, TB_CATALOG_ENV, "broken/healthy-v1"));
    assert_non_null(tb_catalog_find(catalog, TB_CATALOG_POLICY, "broken-healthy"));
    tb_catalog_free(catalog);

    setenv("TRPO_BENCH_PLUGIN_PATH", "/nonexistent/folder", 1);
    tb_error error = {0};
    assert_int_not_equal(tb_catalog_make(NULL, 0, &catalog, &error), TB_OK);
    assert_non_null(strstr(error.message, "TRPO_BENCH_PLUGIN_PATH: /nonexistent/folder: "));
    unsetenv("TRPO_BENCH_PLUGIN_PATH");
}

// permissions do not stop root
static void an_unreadable_folder_is_an_error(void **state)
{
    folder *f = *state;
    expect_refusal(TB_TEST_SOURCE_DIR "/LICENSE/plugins", "Not a directory");
    chmod(f->path, 0);
    if (geteuid() != 0)
        expect_refusal(f->path, "Permission denied");
}

static void an_unknown_id_gets_a_suggestion(void **state)
{
    (void)state;
    tb_catalog *catalog = make(BROKEN("env-healthy"));
    const tb_catalog_entry *entry;
    tb_error error = {0};
    assert_int_equal(
        tb_catalog_require(catalog, TB_CATALOG_ENV, "broken/healthy-v2", &entry, &error),
        TB_E_PARAM);
    assert_string_equal(error.message,
                        "no environment \"broken/healthy-v2\"; did you mean \"broken/healthy-v1\"? "
                        "(trpo-bench list envs shows all)");
    assert_int_equal(tb_catalog_require(catalog, TB_CATALOG_POLICY, "xyzzy", &entry, &error),
                     TB_E_PARAM);
    assert_string_equal(error.message, "no policy \"xyzzy\" (trpo-bench list policies shows all)");
    tb_catalog_free(catalog);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return tb_command_scan_plugin.run(argc - 1, argv + 1);
    // children must die of their signals, also when AddressSanitizer is there
    setenv("ASAN_OPTIONS", "handle_segv=0:handle_abort=0:detect_leaks=0", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_holds_what_the_plugin_says),
        cmocka_unit_test(the_hash_is_that_of_the_file),
        cmocka_unit_test(a_misbehaving_file_is_refused_in_words),
        cmocka_unit_test(a_file_that_hangs_is_given_up),
        cmocka_unit_test(what_a_plugin_prints_is_not_taken_for_the_answer),
        cmocka_unit_test_setup_teardown(a_folder_is_scanned_in_order_and_survives_bad_files,
                                        make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(one_id_in_two_files_names_both, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(one_file_reached_twice_is_no_duplicate, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(the_environment_variable_adds_places, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(an_unreadable_folder_is_an_error, make_folder,
                                        remove_folder),
        cmocka_unit_test(an_unknown_id_gets_a_suggestion),
    };
    return cmocka_run_group_tests_name("plugin catalog", tests, NULL, NULL);
}
