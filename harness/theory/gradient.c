/* SPDX-License-Identifier: MIT */
#include "harness/theory/gradient.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/theory/experiment.h"
#include "trpo/linalg/vec.h"
#include "trpo/theory/softmax.h"

/* Memory of one measurement: B batches, n = S A numbers. */
typedef struct scratch {
    tb_exact *at;
    double *pi;                   // [n]
    double *target, *expectation; // [n]
    double *mean, *block, *eta;   // [n]
    double *gradients;            // [B][n]
    uint64_t *steps;              // [B]
} scratch;

typedef struct source {
    const tb_plugin *plugin;
    const tb_theory_env *env;
    json_t *params;
} source;

static tb_status make_env(void *ctx, const tb_env_api **api, tb_env **env, tb_error *error)
{
    const source *s = ctx;
    return tb_plugin_create_env(s->plugin, s->env->plugin->id, s->params, api, env, NULL, error);
}

static double distance(const double *a, const double *b, size_t n)
{
    double squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(squares);
}

// sum over batches of |g - mean|^2, divided by B - 1: the trace of the covariance
static double covariance_trace(const scratch *m, size_t batches, size_t n)
{
    double sum = 0;
    for (size_t b = 0; b < batches; b++) {
        double d = distance(m->gradients + b * n, m->mean, n);
        sum += d * d;
    }
    return sum / (double)(batches - 1);
}

static void mean_of(const double *gradients, size_t batches, size_t n, double *out)
{
    memset(out, 0, n * sizeof *out);
    for (size_t b = 0; b < batches; b++)
        tb_vec_axpy(1 / (double)batches, gradients + b * n, out, n);
}

static double block_rms(const scratch *m, size_t batches, size_t size, size_t n)
{
    size_t blocks = batches / size;
    double squares = 0;
    if (blocks < 4)
        return NAN;
    for (size_t i = 0; i < blocks; i++) {
        mean_of(m->gradients + i * size * n, size, n, m->block);
        double d = distance(m->block, m->expectation, n);
        squares += d * d / (double)blocks;
    }
    return sqrt(squares);
}

static void sum_up(tb_gradient_study *e, const scratch *m, size_t batches, size_t n)
{
    double length = sqrt(tb_vec_dot(m->target, m->target, n)), steps = 0;
    mean_of(m->gradients, batches, n, m->mean);
    for (size_t b = 0; b < batches; b++)
        steps += (double)m->steps[b] / (double)batches;
    double trace = covariance_trace(m, batches, n), error = sqrt(trace / (double)batches);
    e->steps = steps;
    e->cosine = tb_vec_dot(m->target, m->eta, n) / length / sqrt(tb_vec_dot(m->eta, m->eta, n));
    e->bias_expected = distance(m->expectation, m->target, n) / length;
    e->bias = distance(m->mean, m->target, n) / length;
    e->error = error / length;
    e->distance = distance(m->mean, m->expectation, n) / error;
    e->variance = trace / (length * length) * steps / 1000;
    // without a gradient, or without any reward met, there is nothing to judge
    e->is_far = length > 0 && error > 0 && !(e->distance <= TB_STUDY_FAR);
    e->rate = NAN;
    for (size_t i = 0, size = 1; i < TB_STUDY_BLOCKS; i++, size *= 4) {
        e->rms[i] = block_rms(m, batches, size, n) / length;
        if (i > 0 && !isnan(e->rms[i]))
            e->rate = log(e->rms[i] / e->rms[0]) / log((double)size);
    }
}

// expectations are those of lanes that have played many episodes: all of them start in the first
// step of one
static tb_status check_length(tb_gradient_study *e, const tb_theory_suite *suite)
{
    const tb_learner_config *config = &e->estimator->config;
    uint64_t steps =
                 (uint64_t)suite->config.batches * (uint64_t)(config->batch_steps / config->lanes),
             least = 20 * e->env->plugin->max_episode_steps;
    // less than one step a lane is told by the learner
    return steps >= least || config->batch_steps < config->lanes
               ? TB_OK
               : tb_fail(&e->message, TB_E_PARAM,
                         "each lane plays batches * batch_steps / lanes = %llu steps, and "
                         "must play %llu, 20 episodes, for its mean to mean something; "
                         "raise batches or batch_steps, or lower lanes",
                         (unsigned long long)steps, (unsigned long long)least);
}

static tb_status measure(tb_gradient_study *e, const tb_theory_suite *suite,
                         const tb_plugin *plugin, scratch *m)
{
    const tb_mdp *mdp = m->at->mdp;
    size_t batches = (size_t)suite->config.batches;
    source from = {.plugin = plugin, .env = e->env, .params = json_deep_copy(e->env->params)};
    if (e->env->takes_seed)
        json_object_set_new(from.params, "seed", json_integer(e->seed));
    tb_estimator_def def = {.at = m->at,
                            .make_env = make_env,
                            .ctx = &from,
                            .max_episode_steps = e->env->plugin->max_episode_steps,
                            .config = e->estimator->config,
                            .seed = (uint64_t)e->seed};
    tb_process_start(mdp, e->seed, m->pi);
    tb_status status = tb_exact_evaluate(m->at, m->pi, &e->message);
    if (status == TB_OK && def.max_episode_steps > 0)
        status = check_length(e, suite);
    if (status == TB_OK && def.max_episode_steps == 0)
        status = tb_fail(&e->message, TB_E_PARAM,
                         "estimators need an environment with a time limit (max_episode_steps)");
    if (status == TB_OK)
        status = tb_estimator_expectation(&def, m->target, m->expectation, &e->message);
    if (status == TB_OK)
        status = tb_estimator_sample(&def, batches, m->gradients, m->steps, &e->message);
    if (status == TB_OK) {
        tb_softmax_gradient(m->at, m->at->rho, m->eta);
        sum_up(e, m, batches, mdp->n_states * mdp->n_actions);
    }
    json_decref(from.params);
    return status;
}

void tb_gradient_study_measure(tb_gradient_study *estimate, const tb_theory_suite *suite,
                               const tb_plugin *plugin, const tb_mdp *mdp)
{
    size_t n = mdp->n_states * mdp->n_actions, batches = (size_t)suite->config.batches;
    scratch m = {.pi = tb_alloc((batches + 6) * n, sizeof(double)),
                 .steps = tb_alloc(batches, sizeof(uint64_t))};
    estimate->status = tb_exact_create(mdp, &m.at, &estimate->message);
    if (estimate->status == TB_OK && (m.pi == NULL || m.steps == NULL))
        estimate->status = tb_fail(&estimate->message, TB_E_NOMEM,
                                   "out of memory for %zu batches of %zu numbers", batches, n);
    if (estimate->status == TB_OK) {
        m.target = m.pi + n;
        m.expectation = m.target + n;
        m.mean = m.expectation + n;
        m.block = m.mean + n;
        m.eta = m.block + n;
        m.gradients = m.eta + n;
        estimate->status = measure(estimate, suite, plugin, &m);
    }
    tb_exact_destroy(m.at);
    free(m.pi);
    free(m.steps);
}
