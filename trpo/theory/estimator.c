/* SPDX-License-Identifier: MIT */
#include "trpo/theory/estimator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/learner.h"
#include "trpo/linalg/vec.h"
#include "trpo/theory/snis.h"
#include "trpo/theory/softmax.h"
#include "trpo/theory/table_map.h"
#include "trpo/update/policy.h"

const tb_option *tb_estimator_options(void)
{
    static const char *const keys[] = {"sampling",
                                       "lanes",
                                       "batch_steps",
                                       "lambda",
                                       "advantage",
                                       "discounted_states",
                                       "vine_states",
                                       "vine_actions",
                                       "vine_trials",
                                       "vine_branch_steps",
                                       "vine_proposal",
                                       "vine_estimator",
                                       "vine_common_random_numbers"};
    enum { n = sizeof keys / sizeof keys[0] };
    static tb_option table[n + 1]; // the last one ends it
    for (size_t i = 0; i < n; i++) {
        const tb_option *option = tb_option_find(tb_learner_options, keys[i]);
        TB_ASSERT(option != NULL);
        table[i] = *option;
    }
    return table;
}

/* ---- an algorithm that keeps the gradient and follows none ---- */

typedef struct keeper {
    double *gradient; // of the batch
} keeper;

static tb_status prepare(const void *config, tb_policy *policy, tb_error *error)
{
    static const tb_objective plain;
    (void)config;
    return tb_policy_prepare(policy, &plain, 1, error);
}

static tb_status keep(const void *config, tb_policy *policy, const tb_batch *batch, double *state,
                      tb_iteration *log, tb_error *error)
{
    double *g = ((const keeper *)config)->gradient;
    (void)state;
    tb_status status = tb_policy_evaluate_old(policy, batch, log, error);
    if (status == TB_OK)
        status = tb_policy_gradient(policy, batch, g, error);
    for (size_t i = 0; status == TB_OK && i < policy->net.n_params; i++)
        g[i] *= batch->mean_weight;
    return status;
}

static const tb_option no_options[] = {{NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL}};
static const tb_algorithm keeping = {
    .id = "keep", .options = no_options, .prepare = prepare, .update = keep};

/* ---- the learner ---- */

typedef struct source {
    const tb_estimator_def *def;
    double *theta; // [S A] logits
} source;

static tb_status make_env(void *ctx, const tb_env_api **api, tb_env **env, tb_error *error)
{
    const source *s = ctx;
    return s->def->make_env(s->def->ctx, api, env, error);
}

static tb_status make_map(void *ctx, int critic, const tb_map_spec *spec, const tb_map_api **api,
                          tb_map **map, tb_error *error)
{
    const source *s = ctx;
    const tb_mdp *mdp = s->def->at->mdp;
    if (spec->n_in != mdp->n_states || (!critic && spec->n_out != mdp->n_actions))
        return tb_fail(error, TB_E_PARAM,
                       "the environment shows %zu observations and takes %zu actions, its model "
                       "has %zu states and %zu actions: estimators are for those that show their "
                       "state",
                       (size_t)spec->n_in, (size_t)spec->n_out, mdp->n_states, mdp->n_actions);
    return tb_table_map_create(spec, critic ? s->def->at->v : s->theta, api, map, error);
}

static tb_learner_def learner_def(const tb_estimator_def *def, source *from, const keeper *kept)
{
    tb_learner_def out = {.make_env = make_env,
                          .make_map = make_map,
                          .ctx = from,
                          .max_episode_steps = def->max_episode_steps,
                          .learner = def->config,
                          .algorithm = &keeping,
                          .algorithm_config = kept,
                          .seed = def->seed};
    tb_options_default(tb_run_options, &out.run);
    out.run.steps = (int64_t)1 << 60;
    out.run.precision = TB_PRECISION_F64;
    out.learner.gamma = def->at->mdp->gamma;
    out.learner.normalize_observations = out.learner.normalize_advantages = 0;
    out.learner.normalize_returns = out.learner.critic_normalize_targets = 0;
    // the critic is V, and stays it
    out.learner.critic_epochs = 0;
    return out;
}

tb_status tb_estimator_sample(const tb_estimator_def *def, size_t n_batches, double *gradients,
                              uint64_t *steps, tb_error *error)
{
    const tb_mdp *mdp = def->at->mdp;
    size_t n = mdp->n_states * mdp->n_actions;
    keeper kept;
    source from = {.def = def, .theta = tb_alloc(n, sizeof(double))};
    tb_learner *learner = NULL;
    if (from.theta == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for %zu numbers", n);
    tb_softmax_parameters(mdp, def->at->pi, from.theta);
    tb_learner_def make = learner_def(def, &from, &kept);
    tb_status status = tb_learner_create(&make, &learner, error);
    for (size_t i = 0; i < n_batches && status == TB_OK; i++) {
        tb_iteration log;
        uint64_t before = tb_learner_steps(learner);
        kept.gradient = gradients + i * n;
        status = tb_learner_iterate(learner, &log, NULL, error);
        steps[i] = tb_learner_steps(learner) - before;
    }
    tb_learner_destroy(learner);
    free(from.theta);
    return status;
}

/* ---- expectations ---- */

// share [S] of the states in the rows; work [2 S]
static void measure_shares(const tb_estimator_def *def, double *share, double *work)
{
    const tb_exact *at = def->at;
    size_t n = at->mdp->n_states;
    tb_exact_visits(at, 1, (size_t)def->max_episode_steps, share, work);
    double rows = tb_vec_sum(share, n);
    if (def->config.discounted_states)
        tb_exact_visits(at, at->mdp->gamma, (size_t)def->max_episode_steps, share, work);
    for (size_t s = 0; s < n; s++)
        share[s] /= rows;
}

// expectation of the self-normalised estimate in state s, of weight `share`; row [A]
static tb_status self_normalised(const tb_estimator_def *def, size_t s, double share, double *row,
                                 tb_error *error)
{
    const tb_exact *at = def->at;
    size_t n = at->mdp->n_actions;
    double q[64];
    tb_snis_def snis = {.n_actions = n,
                        .n_samples = (size_t)def->config.vine_actions,
                        .pi = at->pi + s * n,
                        .q = q,
                        .value = at->q + s * n};
    tb_snis out = {.gradient = row};
    if (n > 64)
        return tb_fail(error, TB_E_PARAM,
                       "self-normalised weights are enumerated for up to 64 "
                       "actions");
    for (size_t a = 0; a < n; a++)
        q[a] = def->config.vine_proposal == TB_VINE_UNIFORM ? 1 / (double)n : snis.pi[a];
    tb_status status = tb_snis_expectation(&snis, &out, error);
    for (size_t a = 0; status == TB_OK && a < n; a++)
        row[a] *= share;
    return status;
}

tb_status tb_estimator_expectation(const tb_estimator_def *def, double *target, double *expectation,
                                   tb_error *error)
{
    const tb_mdp *mdp = def->at->mdp;
    const tb_learner_config *config = &def->config;
    size_t states = mdp->n_states, n = states * mdp->n_actions;
    TB_ASSERT(def->max_episode_steps > 0);
    double *share = tb_alloc(3 * states, sizeof *share);
    if (share == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for %zu states", states);
    measure_shares(def, share, share + states);
    tb_softmax_gradient(def->at, share, target);
    memcpy(expectation, target, n * sizeof *target);
    int sampled =
        config->sampling == TB_SAMPLING_VINE && config->vine_proposal != TB_VINE_EXHAUSTIVE;
    tb_status status = TB_OK;
    // the mean of the K values is their own baseline: docs/theory.md
    double kept = 1 - 1 / (double)config->vine_actions;
    if (sampled && config->vine_estimator == TB_VINE_MEAN_BASELINE)
        for (size_t i = 0; i < n; i++)
            expectation[i] *= kept;
    else if (sampled)
        for (size_t s = 0; s < states && status == TB_OK; s++)
            status = self_normalised(def, s, share[s], expectation + s * mdp->n_actions, error);
    free(share);
    return status;
}
