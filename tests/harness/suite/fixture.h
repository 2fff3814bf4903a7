/* SPDX-License-Identifier: MIT
 *
 * What the tests of suites share: a catalog made by hand (no plugin, no process), three small
 * algorithms in place of the real ones, and a folder of its own for each test program.
 */
#ifndef TESTS_HARNESS_SUITE_FIXTURE_H
#define TESTS_HARNESS_SUITE_FIXTURE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/suite/suite.h"

/* ---- algorithms: the linker takes these instead of trpo/update/algorithm.c ---- */

typedef struct fake_config {
    double step, damping;
    int64_t iterations;
    int32_t mode;
} fake_config;

#define FAKE_END                                                                                   \
    {                                                                                              \
        NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL                                                \
    }

static const tb_option fake_trpo_options[] = {
    {"max_kl", TB_OPTION_F64, offsetof(fake_config, step), 0.01, 1e-12, 10, NULL, "Radius."},
    {"damping", TB_OPTION_F64, offsetof(fake_config, damping), 0.1, 0, 1, NULL, "Damping."},
    {"cg_iterations", TB_OPTION_I64, offsetof(fake_config, iterations), 10, 1, 100, NULL, "CG."},
    FAKE_END};
static const tb_option fake_npg_options[] = {
    {"step_size", TB_OPTION_F64, offsetof(fake_config, step), 0.05, 0, 10, NULL, "Step."},
    {"damping", TB_OPTION_F64, offsetof(fake_config, damping), 0.2, 0, 1, NULL, "Damping."},
    FAKE_END};
static const tb_option fake_vpg_options[] = {
    {"learning_rate", TB_OPTION_F64, offsetof(fake_config, step), 0.01, 0, 10, NULL, "Rate."},
    {"mode", TB_OPTION_ENUM, offsetof(fake_config, mode), 1, 0, 0, "mean|sum", "Mode."},
    FAKE_END};

static const tb_algorithm fake_trpo = {"trpo", "T.", sizeof(fake_config), fake_trpo_options, NULL,
                                       NULL,   NULL},
                          fake_npg = {"npg", "N.", sizeof(fake_config), fake_npg_options, NULL,
                                      NULL,  NULL},
                          fake_vpg = {"vpg", "V.", sizeof(fake_config), fake_vpg_options, NULL,
                                      NULL,  NULL};

#ifndef FIXTURE_REAL_ALGORITHMS
const tb_algorithm *const *tb_algorithms(size_t *n)
{
    static const tb_algorithm *const all[] = {&fake_trpo, &fake_npg, &fake_vpg};
    *n = 3;
    return all;
}

const tb_algorithm *tb_algorithm_find(const char *id)
{
    size_t n;
    const tb_algorithm *const *all = tb_algorithms(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i]->id, id) == 0)
            return all[i];
    return NULL;
}
#endif

/* ---- the catalog ---- */

static tb_catalog_param fake_cartpole_params[] = {
    {"g", "Gravity, m/s^2.", "9.8", NULL, TB_PARAM_F64, 0, 100},
    {"forces", "Two forces.", "[1, 2.5]", NULL, TB_PARAM_F64_ARRAY, -10, 10},
    {"odd", "A default that is no TOML.", "whatever", NULL, TB_PARAM_STR, 0, 0},
};
static tb_catalog_param fake_mlp_params[] = {
    {"hidden", "Sizes.", "[64, 64]", NULL, TB_PARAM_I64_ARRAY, 1, 4096},
    {"activation", "Activation.", "\"tanh\"", "tanh|relu", TB_PARAM_STR, 0, 0},
};

#define FAKE_ENV(ID, LIMIT, PARAMS, N)                                                             \
    {                                                                                              \
        .kind = TB_CATALOG_ENV, .id = (char *)ID, .summary = (char *)"An environment.",            \
        .path = (char *)"envs.so", .build = (char *)"b", .has_schema = 1, .params = PARAMS,        \
        .n_params = N, .max_episode_steps = LIMIT, .reward_threshold = NAN                         \
    }
#define FAKE_POLICY(ID, DTYPES, SCHEMA, PARAMS, N)                                                 \
    {                                                                                              \
        .kind = TB_CATALOG_POLICY, .id = (char *)ID, .summary = (char *)"A policy.",               \
        .path = (char *)"maps.so", .build = (char *)"b", .has_schema = SCHEMA, .params = PARAMS,   \
        .n_params = N, .dtypes = DTYPES                                                            \
    }
#define FAKE_BOTH (TB_DTYPE_BIT(TB_F32) | TB_DTYPE_BIT(TB_F64))

static tb_catalog_entry fake_entries[] = {
    FAKE_ENV("classic/Acrobot-v1", 500, NULL, 0),
    FAKE_ENV("classic/CartPole-v1", 500, fake_cartpole_params, 3),
    FAKE_ENV("classic/MountainCar-v0", 200, NULL, 0),
    FAKE_ENV("classic/MountainCarContinuous-v0", 999, NULL, 0),
    FAKE_ENV("classic/Pendulum-v1", 200, NULL, 0),
    FAKE_POLICY("exact", TB_DTYPE_BIT(TB_F64), 0, NULL, 0),
    FAKE_POLICY("linear", FAKE_BOTH, 1, NULL, 0),
    FAKE_POLICY("mlp", FAKE_BOTH, 1, fake_mlp_params, 2),
};

static const tb_catalog fake_catalog = {.entries = fake_entries,
                                        .n_entries = sizeof fake_entries / sizeof fake_entries[0]};

/* ---- files ---- */

static char test_folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(test_folder, "/tmp/tb-suite-XXXXXX");
    return mkdtemp(test_folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", test_folder);
    return system(command);
}

static inline const char *write_file(const char *name, const char *text, size_t length)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", test_folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline tb_status load_text(const char *text, const tb_suite_overrides *overrides,
                                  tb_suite **out, tb_error *error)
{
    const char *path = write_file("a.toml", text, strlen(text));
    return tb_suite_load(path, &fake_catalog, overrides, out, error);
}

/* A suite that must load. */
static inline tb_suite *must_load(const char *text, const tb_suite_overrides *overrides)
{
    tb_error error = {0};
    tb_suite *suite = NULL;
    if (load_text(text, overrides, &suite, &error) != TB_OK)
        fail_msg("%s", error.message);
    return suite;
}

/* Loading must fail with TB_E_PARAM and `message`, in which a leading ":" stands for the path. */
static inline void expect_error(const char *text, const tb_suite_overrides *overrides,
                                const char *message)
{
    tb_error error = {0};
    tb_suite *suite = NULL;
    char expected[1200];
    snprintf(expected, sizeof expected, "%s%s%s", message[0] == ':' ? test_folder : "",
             message[0] == ':' ? "/a.toml" : "", message);
    tb_status status = load_text(text, overrides, &suite, &error);
    if (status == TB_OK)
        fail_msg("loaded, but expected: %s", expected);
    assert_string_equal(error.message, expected);
    assert_int_equal(status, TB_E_PARAM);
    assert_null(suite);
}

/* The shortest suite, in pieces: three lines, then six. */
#define SUITE "[suite]\nname = \"a\"\nseeds = 2\n"
#define ENV "[[env]]\nid = \"classic/CartPole-v1\"\n"
#define POLICY "[[policy]]\nid = \"mlp\"\n"
#define ALGORITHM "[[algorithm]]\nid = \"trpo\"\n"
#define REST ENV POLICY ALGORITHM

#endif
