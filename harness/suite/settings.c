/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/suite/reader.h"
#include "trpo/advantage/advantage.h"
#include "trpo/sampling/presets.h"

// The tables that a setting is made of, weakest first; some may be NULL.
enum { n_setting_layers = 4, n_run_layers = 2 };

static void setting_layers(const tb__reader *reader, size_t env, size_t algorithm,
                           const tb_toml *layers[n_setting_layers])
{
    const tb_toml *override = tb_toml_get(tb__entry(reader, "env", env), "override");
    const tb_toml *own = tb_toml_get(override, reader->suite->algorithms[algorithm].name);
    layers[0] = tb_toml_get(reader->root, "defaults");
    layers[1] = tb__entry(reader, "algorithm", algorithm);
    layers[2] = override;
    // an option may have an algorithm's name; only a table is meant for the algorithm
    layers[3] = own != NULL && own->type == TB_TOML_TABLE ? own : NULL;
}

static void run_layers(const tb__reader *reader, size_t env, const tb_toml *layers[n_run_layers])
{
    layers[0] = tb_toml_get(reader->root, "suite");
    layers[1] = tb__entry(reader, "env", env);
}

tb_status tb__apply_layer(const tb_toml *layer, const tb_option *table, void *base, tb_error *error)
{
    for (const tb_toml *value = layer == NULL ? NULL : layer->children; value != NULL;
         value = value->next) {
        const tb_option *option = tb_option_find(table, value->key);
        if (option == NULL || value->type == TB_TOML_TABLE)
            continue;
        tb_status status = tb__option_apply(value, option, base, error);
        if (status != TB_OK)
            return status;
    }
    return TB_OK;
}

// The layers, then --set, over what `base` holds.
static tb_status apply_layers(tb__reader *reader, const tb_toml *const *layers, size_t n_layers,
                              const tb_option *table, void *base)
{
    tb_status status = TB_OK;
    for (size_t i = 0; i < n_layers && status == TB_OK; i++)
        status = tb__apply_layer(layers[i], table, base, reader->error);
    for (size_t i = 0; i < reader->n_sets && status == TB_OK; i++)
        status = tb__apply_layer(reader->sets[i], table, base, reader->error);
    return status;
}

static tb_status resolve_table(tb__reader *reader, const tb_toml *const *layers, size_t n_layers,
                               const tb_option *table, void *base)
{
    tb_options_default(table, base);
    return apply_layers(reader, layers, n_layers, table, base);
}

// A preset is known once the layers are: then it takes the place of the defaults.
static tb_status resolve_learner(tb__reader *reader, const tb_toml *const *layers, size_t n_layers,
                                 tb_learner_config *learner)
{
    tb_status status = resolve_table(reader, layers, n_layers, tb_learner_options, learner);
    if (status != TB_OK || learner->vine_preset == 0)
        return status;
    int32_t preset = learner->vine_preset;
    tb_options_default(tb_learner_options, learner);
    learner->vine_preset = preset;
    tb_vine_preset_apply(learner);
    return apply_layers(reader, layers, n_layers, tb_learner_options, learner);
}

tb_status tb__resolve(tb__reader *reader)
{
    tb_suite *suite = reader->suite;
    suite->settings = tb_alloc(suite->n_envs * suite->n_algorithms, sizeof *suite->settings);
    if (suite->settings == NULL)
        return tb__no_memory(reader->error);
    for (size_t e = 0; e < suite->n_envs; e++) {
        const tb_toml *layers[n_setting_layers];
        run_layers(reader, e, layers);
        tb_status status =
            resolve_table(reader, layers, n_run_layers, tb_run_options, &suite->envs[e].run);
        for (size_t a = 0; a < suite->n_algorithms && status == TB_OK; a++) {
            const tb_algorithm *algorithm = suite->algorithms[a].algorithm;
            tb_suite_setting *setting = &suite->settings[e * suite->n_algorithms + a];
            setting->algorithm_config = tb_alloc(1, algorithm->config_size);
            if (setting->algorithm_config == NULL)
                return tb__no_memory(reader->error);
            setting_layers(reader, e, a, layers);
            status = resolve_learner(reader, layers, n_setting_layers, &setting->learner);
            if (status == TB_OK)
                status = resolve_table(reader, layers, n_setting_layers, algorithm->options,
                                       setting->algorithm_config);
        }
        if (status != TB_OK)
            return status;
    }
    return TB_OK;
}

// ---- what must hold between options ----

// An option's value in the file, and how strong its layer is (-1: nowhere, it is the default).
typedef struct origin {
    const tb_toml *value;
    int strength;
} origin;

static origin find_origin(const tb__reader *reader, const tb_toml *const *layers, int n_layers,
                          const char *key)
{
    origin found = {NULL, -1};
    for (int i = 0; i < n_layers; i++) {
        const tb_toml *value = tb_toml_get(layers[i], key);
        if (value != NULL && value->type != TB_TOML_TABLE)
            found = (origin){value, i};
    }
    for (size_t i = 0; i < reader->n_sets; i++) {
        const tb_toml *value = tb_toml_get(reader->sets[i], key);
        if (value != NULL)
            found = (origin){value, n_setting_layers + (int)i};
    }
    return found;
}

// The place to name when two options do not fit together: the stronger layer's.
static const tb_toml *blame(const tb__reader *reader, origin a, origin b)
{
    const tb_toml *value = b.strength > a.strength ? b.value : a.value;
    return value != NULL ? value : reader->root;
}

static tb_status check_pair(tb__reader *reader, size_t e, size_t a)
{
    const tb_suite *suite = reader->suite;
    const tb_learner_config *learner = &suite->settings[e * suite->n_algorithms + a].learner;
    const tb_run_config *run = &suite->envs[e].run;
    const tb_toml *layers[n_setting_layers];
    setting_layers(reader, e, a, layers);
    origin lanes = find_origin(reader, layers, n_setting_layers, "lanes");
    if (learner->batch_steps % learner->lanes != 0) {
        origin batch = find_origin(reader, layers, n_setting_layers, "batch_steps");
        // the multiples around it; 0 is none
        int64_t below = learner->batch_steps / learner->lanes * learner->lanes;
        int64_t first = below > 0 ? below : learner->lanes, second = first + learner->lanes;
        return tb_toml_fail(
            blame(reader, batch, lanes), reader->error,
            "\"batch_steps\" must be a multiple of \"lanes\", but %lld is none of %lld (%s with "
            "%s); the nearest are %lld and %lld",
            (long long)learner->batch_steps, (long long)learner->lanes, suite->envs[e].label,
            suite->algorithms[a].label, (long long)first, (long long)second);
    }
    if (run->steps < learner->lanes) {
        const tb_toml *of_run[n_setting_layers];
        run_layers(reader, e, of_run);
        origin steps = find_origin(reader, of_run, n_run_layers, "steps");
        // [suite] and [[env]] are as strong as anything that says "lanes"
        return tb_toml_fail(
            blame(reader, steps.value != NULL ? (origin){steps.value, 99} : steps, lanes),
            reader->error,
            "\"steps\" must be at least \"lanes\", but %lld is less than %lld (%s with %s)",
            (long long)run->steps, (long long)learner->lanes, suite->envs[e].label,
            suite->algorithms[a].label);
    }
    return TB_OK;
}

static tb_status check_vtrace(tb__reader *reader, size_t e, size_t a)
{
    const tb_suite *suite = reader->suite;
    const tb_learner_config *learner = &suite->settings[e * suite->n_algorithms + a].learner;
    if (learner->advantage != TB_ADVANTAGE_VTRACE ||
        learner->vtrace_c_bar <= learner->vtrace_rho_bar)
        return TB_OK;
    const tb_toml *layers[n_setting_layers];
    setting_layers(reader, e, a, layers);
    return tb_toml_fail(blame(reader,
                              find_origin(reader, layers, n_setting_layers, "vtrace_rho_bar"),
                              find_origin(reader, layers, n_setting_layers, "vtrace_c_bar")),
                        reader->error,
                        "\"vtrace_c_bar\" must be at most \"vtrace_rho_bar\", but %g is more than "
                        "%g (%s with %s)",
                        learner->vtrace_c_bar, learner->vtrace_rho_bar, suite->envs[e].label,
                        suite->algorithms[a].label);
}

static int has_precision(const tb__reader *reader, const char *policy, int32_t precision)
{
    const tb_catalog_entry *entry = tb_catalog_find(reader->catalog, TB_CATALOG_POLICY, policy);
    uint32_t dtype = precision == TB_PRECISION_F32 ? TB_F32 : TB_F64;
    return entry != NULL && (entry->dtypes & TB_DTYPE_BIT(dtype)) != 0;
}

static tb_status check_precision(tb__reader *reader, size_t e, size_t p)
{
    const tb_suite_env *env = &reader->suite->envs[e];
    const tb_suite_policy *policy = &reader->suite->policies[p];
    const tb_toml *entry = tb__entry(reader, "policy", p), *at = tb_toml_get(entry, "id");
    const char *id = policy->id;
    if (has_precision(reader, id, env->run.precision)) {
        id = policy->critic_id;
        if (has_precision(reader, id, env->run.precision))
            return TB_OK;
        at = tb_toml_get(tb_toml_get(entry, "critic"), "id");
    }
    TB_ASSERT(at != NULL);
    int f32 = env->run.precision == TB_PRECISION_F32;
    return tb_toml_fail(at, reader->error,
                        "\"%s\" cannot compute in %s, which %s asks for; set precision = \"%s\" in "
                        "[suite] or [[env]]",
                        id, f32 ? "f32" : "f64", env->label, f32 ? "f64" : "f32");
}

tb_status tb__check_grid(tb__reader *reader)
{
    const tb_suite *suite = reader->suite;
    tb_status status = TB_OK;
    for (size_t e = 0; e < suite->n_envs && status == TB_OK; e++) {
        for (size_t a = 0; a < suite->n_algorithms && status == TB_OK; a++) {
            status = check_pair(reader, e, a);
            if (status == TB_OK)
                status = check_vtrace(reader, e, a);
        }
        for (size_t p = 0; p < suite->n_policies && status == TB_OK; p++)
            status = check_precision(reader, e, p);
    }
    return status;
}
