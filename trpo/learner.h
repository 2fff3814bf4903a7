/* SPDX-License-Identifier: MIT
 *
 * One training run: sample, estimate advantages, update the policy, fit the critic, fold the
 * observations' statistics; and its evaluations. The caller drives it iteration by iteration and
 * does all input and output.
 *
 *   tb_learner_create -> { tb_learner_iterate, tb_learner_evaluate }* -> tb_learner_destroy
 *
 * Everything that comes out is a pure function of the definition: not of threads, time or machine
 * load.
 */
#ifndef TRPO_LEARNER_H
#define TRPO_LEARNER_H

#include "trpo/base/state.h"
#include "trpo/config.h"
#include "trpo/iteration.h"
#include "trpo/sampling/actor.h"
#include "trpo/update/algorithm.h"

/* Creates the network of the policy (critic = 0) or the critic (critic = 1). */
typedef tb_status (*tb_map_maker)(void *ctx, int critic, const tb_map_spec *spec,
                                  const tb_map_api **api, tb_map **map, tb_error *error);

typedef struct tb_learner_def {
    tb_env_maker make_env;
    tb_map_maker make_map;
    void *ctx;                  /* of both; outlives the learner */
    uint64_t max_episode_steps; /* 0 = none */
    tb_run_config run;
    tb_learner_config learner;
    const tb_algorithm *algorithm;
    const void *algorithm_config; /* outlives the learner */
    uint64_t seed;                /* below 2^63 */
} tb_learner_def;

typedef struct tb_learner tb_learner;

tb_status tb_learner_create(const tb_learner_def *def, tb_learner **out, tb_error *error);
void tb_learner_destroy(tb_learner *learner); /* takes NULL */

/* Environment steps done over all lanes. */
uint64_t tb_learner_steps(const tb_learner *learner);

/* 1 when another iteration would exceed the budget of run.steps. The last batch is cut to what is
 * left, so that the budget is never exceeded, and missed by less than one step a lane. */
int tb_learner_done(const tb_learner *learner);

/* One iteration. `timing` may be NULL. After an error the learner can only be destroyed. */
tb_status tb_learner_iterate(tb_learner *learner, tb_iteration *log, tb_timing *timing,
                             tb_error *error);

/* Training episodes that ended in the last iteration, ordered by (step, lane). */
const tb_episode *tb_learner_episodes(const tb_learner *learner, size_t *n);

/* Plays n episodes with the mode of the policy and the statistics in force. `final` chooses the
 * starts of the evaluation at the end; they are the same for every algorithm of the same seed. out
 * [n]. */
tb_status tb_learner_evaluate(tb_learner *learner, int final, size_t n, tb_episode *out,
                              tb_error *error);

/* Plays episode k of the evaluation at the end, in an environment of its own, as `play` says. */
tb_status tb_learner_play(tb_learner *learner, size_t k, const tb_play *play, tb_episode *out,
                          tb_error *error);

/* The environment that tb_learner_play plays in; the learner's, to ask it for extensions. */
void tb_learner_player(const tb_learner *learner, const tb_env_api **api, tb_env **env);

/* What common random numbers do to the differences of Q between two actions of a state. */
typedef struct tb_vine_study {
    size_t n_states;        /* of the rollout set; the first two actions of each are compared */
    size_t n_same;          /* states where both variances are 0, or both actions are the same */
    double variance_common; /* mean over the others of the difference's variance over the trials */
    double variance_apart;  /* the same without common random numbers */
    double ratio_median;    /* median over the others of the one by the other; above 1 where common
                               random numbers hurt */
    size_t n_zero_common;   /* of the others: variance 0 with common random numbers */
} tb_vine_study;

/* Plays a trunk with the policy in force and, twice, `trials` branches from each state of a rollout
 * set: with and without common random numbers. For learners with vine sampling; the lanes move on,
 * so the run is no longer the one that it would have been. */
tb_status tb_learner_study_vine(tb_learner *learner, size_t trials, tb_vine_study *out,
                                tb_error *error);

/* Parameters in force, [*n]; critic = 0 or 1. A critic without any gives n = 0. */
const double *tb_learner_parameters(const tb_learner *learner, int critic, size_t *n);

/* What evaluations do to observations: the statistics of the last batch, frozen. Without
 * normalize_observations it changes nothing. */
const tb_scaler *tb_learner_scaler(const tb_learner *learner);

/* Puts a trained policy in: parameters [n], as of tb_learner_parameters(learner, 0), and what is
 * done to observations (NULL: nothing), copied. TB_E_CORRUPT when the sizes are not this learner's.
 */
tb_status tb_learner_set_policy(tb_learner *learner, const double *theta, size_t n,
                                const tb_scaler *scaler, tb_error *error);

/* Shows everything that training has made so far: parameters, the algorithm's and the critic's
 * optimiser, statistics, the last record of the log. Where the lanes stand (the environments' own
 * state) is not among it. Between iterations only. */
void tb_learner_visit(tb_learner *learner, tb_state_visitor *visitor);

#endif
