/* SPDX-License-Identifier: MIT
 *
 * Random processes and policies for the tests of trpo/theory/: no plugin needed.
 */
#ifndef TESTS_TRPO_THEORY_TESTING_MDP_H
#define TESTS_TRPO_THEORY_TESTING_MDP_H

#include "tests/trpo/testing.h"
#include "trpo/theory/exact.h"

enum { mdp_max_states = 40, mdp_max_actions = 6, mdp_max_branches = 5 };
enum {
    mdp_max_pairs = mdp_max_states * mdp_max_actions,
    mdp_max_outcomes = mdp_max_pairs * mdp_max_branches
};

/* The arrays of a definition, to be changed before tb_mdp_create. */
typedef struct mdp_arrays {
    tb_tabular model;
    double gamma;
    uint64_t first[mdp_max_pairs + 1];
    uint32_t next[mdp_max_outcomes];
    double probability[mdp_max_outcomes], reward[mdp_max_outcomes], start[mdp_max_states];
    uint8_t terminated[mdp_max_outcomes];
} mdp_arrays;

/* Weights [n] from [0, 1) to a distribution. */
static inline void mdp_normalise(double *p, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    for (size_t i = 0; i < n; i++)
        p[i] /= sum;
}

/* Garnet-like: each pair leads to `branches` random states with random probabilities and a reward
 * in [-1, 1) for each; an outcome ends the episode with probability `ends`. */
static inline void mdp_random_arrays(mdp_arrays *m, uint64_t seed, size_t states, size_t actions,
                                     size_t branches, double gamma, double ends)
{
    tb_rng rng = test_rng(seed);
    uint64_t n = 0;
    for (size_t pair = 0; pair < states * actions; pair++) {
        m->first[pair] = n;
        for (size_t b = 0; b < branches; b++, n++) {
            m->next[n] = (uint32_t)(tb_rng_f64(&rng) * (double)states);
            m->probability[n] = tb_rng_f64(&rng);
            m->reward[n] = tb_rng_uniform(&rng, -1, 1);
            m->terminated[n] = tb_rng_f64(&rng) < ends;
        }
        mdp_normalise(m->probability + n - branches, branches);
    }
    m->first[states * actions] = n;
    for (size_t s = 0; s < states; s++)
        m->start[s] = tb_rng_f64(&rng);
    mdp_normalise(m->start, states);
    m->gamma = gamma;
    m->model = (tb_tabular){.n_states = states,
                            .n_actions = actions,
                            .n_outcomes = n,
                            .first = m->first,
                            .next = m->next,
                            .probability = m->probability,
                            .reward = m->reward,
                            .terminated = m->terminated,
                            .start = m->start};
}

static inline tb_mdp *mdp_create(const tb_tabular *model, double gamma)
{
    tb_error error = {0};
    tb_mdp *mdp = NULL;
    assert_ok(tb_mdp_create(model, gamma, &mdp, &error), &error);
    return mdp;
}

static inline tb_mdp *mdp_random(uint64_t seed, size_t states, size_t actions, size_t branches,
                                 double gamma, double ends)
{
    static mdp_arrays m;
    mdp_random_arrays(&m, seed, states, actions, branches, gamma, ends);
    return mdp_create(&m.model, m.gamma);
}

/* A random size, gamma and share of ends for each seed. */
static inline tb_mdp *mdp_any(uint64_t seed)
{
    static const double gammas[] = {0.5, 0.9, 0.95, 0.99};
    tb_rng rng = test_rng(1000000 + seed);
    size_t states = 1 + (size_t)(tb_rng_f64(&rng) * 12);
    size_t actions = 2 + (size_t)(tb_rng_f64(&rng) * 4);
    size_t branches = 1 + (size_t)(tb_rng_f64(&rng) * mdp_max_branches);
    return mdp_random(seed, states, actions, branches, gammas[seed % 4], seed % 3 == 0 ? 0.2 : 0);
}

/* pi [S][A] with probabilities in proportion to exp(sharpness u), u uniform in [-1, 1). */
static inline void mdp_random_policy(const tb_mdp *mdp, uint64_t seed, double sharpness, double *pi)
{
    size_t n = mdp->n_actions;
    tb_rng rng = test_rng(2000000 + seed);
    for (size_t s = 0; s < mdp->n_states; s++) {
        for (size_t a = 0; a < n; a++)
            pi[s * n + a] = exp(tb_rng_uniform(&rng, -sharpness, sharpness));
        mdp_normalise(pi + s * n, n);
    }
}

/* A policy near pi: its probabilities times exp(distance u). */
static inline void mdp_near_policy(const tb_mdp *mdp, const double *pi, uint64_t seed,
                                   double distance, double *out)
{
    size_t n = mdp->n_actions;
    tb_rng rng = test_rng(3000000 + seed);
    for (size_t s = 0; s < mdp->n_states; s++) {
        for (size_t a = 0; a < n; a++)
            out[s * n + a] = pi[s * n + a] * exp(tb_rng_uniform(&rng, -distance, distance));
        mdp_normalise(out + s * n, n);
    }
}

static inline tb_exact *mdp_evaluate(const tb_mdp *mdp, const double *pi)
{
    tb_error error = {0};
    tb_exact *exact = NULL;
    assert_ok(tb_exact_create(mdp, &exact, &error), &error);
    assert_ok(tb_exact_evaluate(exact, pi, &error), &error);
    return exact;
}

/* eta of a policy alone. */
static inline double mdp_eta(const tb_mdp *mdp, const double *pi)
{
    tb_exact *exact = mdp_evaluate(mdp, pi);
    double eta = exact->eta;
    tb_exact_destroy(exact);
    return eta;
}

#endif
