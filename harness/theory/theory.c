/* SPDX-License-Identifier: MIT */
#include "harness/theory/theory.h"

#include <stdlib.h>
#include <string.h>

#include "harness/plugin/loader.h"

enum { MOST_STATES = 2048 }; // each evaluation holds a matrix of S^2 doubles

// ---- processes ----

static tb_status read_model(const tb_env_api *api, tb_env *env, const tb_theory_env *from,
                            int shows_state, tb_mdp **out, tb_error *error)
{
    const tb_env_tabular *tabular = api->get_extension(env, TB_EXT_ENV_TABULAR);
    tb_tabular model = {.struct_size = sizeof model};
    if (tabular == NULL)
        return tb_fail(
            error, TB_E_PARAM,
            "%s does not tell its dynamics (%s), and nothing exact can be said about it; "
            "environments that do begin with \"tabular/\" (trpo-bench list envs)",
            from->label, TB_EXT_ENV_TABULAR);
    tb_status status = tabular->model(env, &model);
    if (status != TB_OK)
        return tb_fail(error, status, "%s: model() failed with %s", from->label,
                       tb_status_name(status));
    if (model.n_states > MOST_STATES)
        return tb_fail(error, TB_E_PARAM, "%s has %llu states; exact values are for up to %d",
                       from->label, (unsigned long long)model.n_states, (int)MOST_STATES);
    for (uint64_t s = 0; shows_state && model.observation != NULL && s < model.n_states; s++)
        if ((uint64_t)model.observation[s] != s)
            return tb_fail(error, TB_E_PARAM,
                           "%s shows observation %d in state %llu; estimators are for environments "
                           "that show their state",
                           from->label, (int)model.observation[s], (unsigned long long)s);
    status = tb_mdp_create(&model, from->config.gamma, out, error);
    return status == TB_OK ? TB_OK : tb_fail_prefix(error, status, "%s", from->label);
}

static tb_status create_process(const tb_plugin *plugin, tb_process *process, int shows_state,
                                tb_error *error)
{
    const tb_theory_env *from = process->env;
    const tb_env_api *api;
    tb_env *env = NULL;
    json_t *params = json_deep_copy(from->params);
    if (from->takes_seed)
        json_object_set_new(params, "seed", json_integer(process->seed));
    tb_status status =
        tb_plugin_create_env(plugin, from->plugin->id, params, &api, &env, NULL, error);
    json_decref(params);
    if (status != TB_OK)
        return status;
    status = read_model(api, env, from, shows_state, &process->mdp, error);
    api->destroy(env);
    return status;
}

static tb_status create_processes(tb_theory *theory, size_t e, tb_error *error)
{
    const tb_theory_suite *suite = theory->suite;
    tb_plugin *plugin;
    tb_status status = tb_plugin_load(suite->envs[e].plugin->path, &plugin, error);
    if (status != TB_OK)
        return status;
    for (size_t i = 0; i < suite->n_seeds && status == TB_OK; i++) {
        tb_process *process = &theory->processes[e * suite->n_seeds + i];
        process->env = &suite->envs[e];
        process->seed = suite->seeds[i];
        status = create_process(plugin, process, suite->n_estimators > 0, error);
        if (status == TB_OK)
            status = tb_process_prepare(process, suite, error);
    }
    tb_plugin_release(plugin, 0);
    return status;
}

// the first seeds' processes, with one plugin an environment
static tb_status measure_gradients(tb_theory *theory, tb_error *error)
{
    const tb_theory_suite *suite = theory->suite;
    size_t n = suite->n_estimators, seeds = (size_t)suite->config.estimator_seeds;
    theory->n_study_seeds = seeds < suite->n_seeds ? seeds : suite->n_seeds;
    theory->n_studies = suite->n_envs * theory->n_study_seeds * n;
    theory->studies = tb_alloc(theory->n_studies, sizeof *theory->studies);
    tb_plugin **plugins = tb_alloc(suite->n_envs, sizeof *plugins);
    tb_status status = theory->studies != NULL && plugins != NULL
                           ? TB_OK
                           : tb_fail(error, TB_E_NOMEM, "out of memory for the estimators");
    for (size_t e = 0; e < suite->n_envs && status == TB_OK; e++)
        status = tb_plugin_load(suite->envs[e].plugin->path, &plugins[e], error);
    if (status == TB_OK) {
#pragma omp parallel for schedule(dynamic)
        for (size_t i = 0; i < theory->n_studies; i++) {
            size_t e = i / n / theory->n_study_seeds, s = i / n % theory->n_study_seeds;
            tb_gradient_study *estimate = &theory->studies[i];
            estimate->env = &suite->envs[e];
            estimate->seed = suite->seeds[s];
            estimate->estimator = &suite->estimators[i % n];
            tb_gradient_study_measure(estimate, suite, plugins[e],
                                      theory->processes[e * suite->n_seeds + s].mdp);
        }
    }
    for (size_t e = 0; plugins != NULL && e < suite->n_envs; e++)
        if (plugins[e] != NULL)
            tb_plugin_release(plugins[e], 0);
    free(plugins);
    for (size_t i = 0; i < theory->n_studies && status == TB_OK; i++) {
        const tb_gradient_study *e = &theory->studies[i];
        theory->n_biased += (size_t)e->is_far;
        if (e->status != TB_OK)
            status = tb_fail(error, e->status, "%s, seed %lld, estimator %s: %s", e->env->label,
                             (long long)e->seed, e->estimator->label, e->message.message);
    }
    return status;
}

tb_status tb_theory_measure(const tb_theory_suite *suite, tb_theory *out, tb_error *error)
{
    *out = (tb_theory){.suite = suite, .n_processes = suite->n_envs * suite->n_seeds};
    out->processes = tb_alloc(out->n_processes, sizeof *out->processes);
    tb_status status = out->processes != NULL
                           ? TB_OK
                           : tb_fail(error, TB_E_NOMEM, "out of memory for the processes");
    for (size_t e = 0; e < suite->n_envs && status == TB_OK; e++)
        status = create_processes(out, e, error);
    if (status == TB_OK) {
#pragma omp parallel for schedule(dynamic)
        for (size_t i = 0; i < out->n_processes; i++)
            tb_process_measure(&out->processes[i], suite);
    }
    for (size_t i = 0; i < out->n_processes && status == TB_OK; i++) {
        const tb_process *p = &out->processes[i];
        out->n_triples += (size_t)suite->config.triples;
        out->n_lemma += p->n_lemma;
        out->n_theorem += p->n_theorem;
        out->n_coupling += p->n_coupling;
        out->n_monotone += p->n_monotone;
        if (p->status != TB_OK)
            status = tb_fail(error, p->status, "%s, seed %lld: %s", p->env->label,
                             (long long)p->seed, p->error.message);
    }
    if (status == TB_OK && suite->n_estimators > 0)
        status = measure_gradients(out, error);
    if (status != TB_OK)
        tb_theory_finish(out);
    return status;
}

size_t tb_theory_violations(const tb_theory *theory)
{
    return theory->n_lemma + theory->n_theorem + theory->n_coupling + theory->n_monotone +
           theory->n_biased;
}

void tb_theory_finish(tb_theory *theory)
{
    for (size_t i = 0; theory->processes != NULL && i < theory->n_processes; i++)
        tb_process_finish(&theory->processes[i], theory->suite->n_algorithms);
    free(theory->processes);
    free(theory->studies);
    *theory = (tb_theory){0};
}
