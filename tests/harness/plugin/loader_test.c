/* SPDX-License-Identifier: MIT
 *
 * Every refusal names the path, what was found and what is needed.
 */
#include "harness/plugin/loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/plugin/fpcontrol.h"

#define BROKEN(name) TB_TEST_BINARY_DIR "/broken/" name ".so"

static void expect_text(const char *message, const char *part)
{
    if (strstr(message, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", message, part);
}

static void a_refusal_names_path_found_and_needed(void **state)
{
    (void)state;
    static const struct {
        const char *path, *found, *needed;
    } rows[] = {
        {BROKEN("env-wrong-magic"), "0x0000000000000001", "0x3142415f42505254"},
        {BROKEN("env-short-entry"), "struct_size is 16", "at least 64"},
        {BROKEN("env-wrong-major"), "ABI 7.0", "major version 1"},
        {BROKEN("env-newer-host"), "1.99", "this one speaks 1.2"},
        {BROKEN("env-wrong-crc"), "0x12345678", "needed 0x"},
        {BROKEN("env-needs-cpu"), "(unknown bits)", "build it for this machine"},
        {BROKEN("env-null-build"), "build is NULL", "must be set"},
        {BROKEN("env-null-slot"), "NULL at offset 24", "every function must be there"},
        {BROKEN("env-no-factory"), "neither", "tb.env-factory/1"},
        {BROKEN("env-init-fails"), "TB_E_IO", "must return TB_OK"},
        {BROKEN("no-such-file"), "cannot be read", "No such file"},
        {TB_TEST_SOURCE_DIR "/LICENSE", "cannot be loaded", "exports tb_plugin_entry"},
        {"libm.so.6", "cannot be read", "No such file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tb_error error = {0};
        tb_plugin *plugin = NULL;
        assert_int_not_equal(tb_plugin_load(rows[i].path, &plugin, &error), TB_OK);
        assert_null(plugin);
        assert_ptr_equal(strstr(error.message, rows[i].path), error.message);
        expect_text(error.message, rows[i].found);
        expect_text(error.message, rows[i].needed);
    }
}

static void a_library_that_is_no_plugin_is_refused(void **state)
{
    (void)state;
    static const char *const places[] = {"/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6",
                                         "/lib/aarch64-linux-gnu/libm.so.6"};
    tb_error error = {0};
    tb_plugin *plugin;
    size_t i = 0;
    while (i < 2 && access(places[i], R_OK) != 0)
        i++;
    assert_int_not_equal(tb_plugin_load(places[i], &plugin, &error), TB_OK);
    expect_text(error.message, "does not export tb_plugin_entry");
}

static tb_plugin *load(const char *path)
{
    tb_error error = {0};
    tb_plugin *plugin = NULL;
    if (tb_plugin_load(path, &plugin, &error) != TB_OK)
        fail_msg("%s", error.message);
    return plugin;
}

static void a_healthy_plugin_loads_and_describes_itself(void **state)
{
    (void)state;
    tb_plugin *plugin = load(BROKEN("env-healthy"));
    assert_non_null(plugin->envs);
    assert_null(plugin->maps);
    assert_non_null(plugin->schema);
    const tb_env_desc *desc = tb_plugin_describe(plugin, "broken/healthy-v1");
    assert_non_null(desc);
    assert_int_equal(desc->max_episode_steps, 100);
    assert_null(tb_plugin_describe(plugin, "broken/healthy-v2"));
    tb_plugin_release(plugin, 1);
}

// a policy and a critic of one file load it twice: init() runs once (the plugin refuses a second)
static void loading_twice_initialises_once(void **state)
{
    (void)state;
    tb_plugin *first = load(BROKEN("env-init-once"));
    tb_plugin *second = load(BROKEN("env-init-once"));
    assert_ptr_equal(first->entry, second->entry);
    tb_plugin_release(first, 0);
    tb_plugin_release(second, 0);
}

static void floating_point_control_is_put_back(void **state)
{
    (void)state;
    uint32_t before = tb_fp_control_get();
    tb_plugin *plugin = load(BROKEN("env-load-mxcsr"));
    assert_int_equal(tb_fp_control_get(), before);
    tb_plugin_release(plugin, 1);
}

static void release_takes_null(void **state)
{
    (void)state;
    tb_plugin_release(NULL, 1);
}

// ---- creating ----

static tb_status create(const char *json, json_t **effective, tb_error *error)
{
    tb_plugin *plugin = load(BROKEN("env-healthy"));
    json_t *params = json_loads(json, 0, NULL);
    assert_non_null(params);
    const tb_env_api *api;
    tb_env *env;
    tb_status status =
        tb_plugin_create_env(plugin, "broken/healthy-v1", params, &api, &env, effective, error);
    if (status == TB_OK)
        api->destroy(env);
    json_decref(params);
    tb_plugin_release(plugin, 1);
    return status;
}

static void effective_parameters_hold_defaults(void **state)
{
    (void)state;
    json_t *effective = NULL;
    assert_int_equal(create("{}", &effective, NULL), TB_OK);
    assert_true(json_real_value(json_object_get(effective, "noise")) == 1.0);
    json_decref(effective);
    assert_int_equal(create("{\"noise\": 2}", &effective, NULL), TB_OK);
    assert_true(json_real_value(json_object_get(effective, "noise")) == 2.0);
    json_decref(effective);
}

static void bad_parameters_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *params, *why;
    } rows[] = {
        {"{\"noize\": 2}", "unknown parameter \"noize\" (did you mean \"noise\"?)"},
        {"{\"a_long_key\": 2}", "unknown parameter \"a_long_key\""},
        {"{\"noise\": \"fast\"}", "\"noise\" must be a number, not \"fast\""},
        {"{\"noise\": -1}", "noise must be from 0 to 10, not -1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tb_error error = {0};
        assert_int_equal(create(rows[i].params, NULL, &error), TB_E_PARAM);
        expect_text(error.message, rows[i].why);
        expect_text(error.message, BROKEN("env-healthy") ": broken/healthy-v1: ");
    }
}

static void what_a_plugin_does_not_offer_is_an_error(void **state)
{
    (void)state;
    tb_plugin *plugin = load(BROKEN("env-healthy"));
    tb_error error = {0};
    const tb_env_api *api;
    tb_env *env;
    const tb_map_api *map_api;
    tb_map *map;
    tb_map_spec spec = {.struct_size = sizeof spec, .dtype = TB_F64, .n_in = 1, .n_out = 1};
    assert_int_equal(tb_plugin_create_env(plugin, "a/B-v1", NULL, &api, &env, NULL, &error),
                     TB_E_INVALID);
    expect_text(error.message, "no environment \"a/B-v1\"");
    assert_int_equal(tb_plugin_create_map(plugin, "mlp", &spec, NULL, &map_api, &map, NULL, &error),
                     TB_E_UNSUPPORTED);
    expect_text(error.message, "offers no policies");
    tb_plugin_release(plugin, 1);
}

static void a_map_is_created(void **state)
{
    (void)state;
    tb_plugin *plugin = load(BROKEN("policy-healthy"));
    const tb_map_api *api;
    tb_map *map;
    tb_map_spec spec = {.struct_size = sizeof spec, .dtype = TB_F64, .n_in = 3, .n_out = 2};
    assert_int_equal(
        tb_plugin_create_map(plugin, "broken-healthy", &spec, NULL, &api, &map, NULL, NULL), TB_OK);
    assert_int_equal(api->n_params(map), 8);
    api->destroy(map);
    tb_plugin_release(plugin, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_names_path_found_and_needed),
        cmocka_unit_test(a_library_that_is_no_plugin_is_refused),
        cmocka_unit_test(a_healthy_plugin_loads_and_describes_itself),
        cmocka_unit_test(loading_twice_initialises_once),
        cmocka_unit_test(floating_point_control_is_put_back),
        cmocka_unit_test(release_takes_null),
        cmocka_unit_test(effective_parameters_hold_defaults),
        cmocka_unit_test(bad_parameters_are_named),
        cmocka_unit_test(what_a_plugin_does_not_offer_is_an_error),
        cmocka_unit_test(a_map_is_created),
    };
    return cmocka_run_group_tests_name("plugin loader", tests, NULL, NULL);
}
