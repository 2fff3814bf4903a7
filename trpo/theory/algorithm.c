/* SPDX-License-Identifier: MIT */
#include "trpo/theory/algorithm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/linalg/vec.h"

extern const tb_exact_algorithm tb_exact_policy_iteration, tb_exact_conservative,
    tb_exact_monotonic, tb_exact_penalized, tb_exact_npg, tb_exact_trpo;

// one row an algorithm
static const tb_exact_algorithm *const algorithms[] = {
    &tb_exact_policy_iteration, &tb_exact_conservative, &tb_exact_monotonic,
    &tb_exact_penalized,        &tb_exact_npg,          &tb_exact_trpo,
};

const tb_exact_algorithm *const *tb_exact_algorithms(size_t *n)
{
    *n = sizeof algorithms / sizeof algorithms[0];
    return algorithms;
}

const tb_exact_algorithm *tb_exact_algorithm_find(const char *id)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (strcmp(algorithms[i]->id, id) == 0)
            return algorithms[i];
    return NULL;
}

// step, bound, evaluation
static tb_status iterate(tb_exact *at, const tb_exact_algorithm *algorithm, const void *config,
                         double *pi_new, double *work, tb_exact_record *record, tb_error *error)
{
    record->step = (tb_exact_step){.size = NAN, .promised = NAN, .end = TB_UPDATE_NONE};
    tb_status status = algorithm->step(config, at, pi_new, work, &record->step, error);
    if (status != TB_OK)
        return status;
    tb_bound_measure(at, pi_new, &record->bound);
    status = tb_exact_evaluate(at, pi_new, error);
    record->eta = at->eta;
    return status;
}

tb_status tb_exact_run(const tb_mdp *mdp, const tb_exact_algorithm *algorithm, const void *config,
                       const double *pi0, size_t iterations, tb_exact_record *records,
                       double *pi_end, tb_error *error)
{
    size_t pairs = mdp->n_states * mdp->n_actions;
    double *memory = tb_alloc(pairs, (1 + TB_EXACT_WORK) * sizeof *memory);
    tb_exact *at = NULL;
    tb_status status = tb_exact_create(mdp, &at, error);
    if (status == TB_OK && memory == NULL)
        status = tb_fail(error, TB_E_NOMEM, "out of memory for an exact run");
    if (status == TB_OK)
        status = tb_exact_evaluate(at, pi0, error);
    if (status == TB_OK)
        records[0] = (tb_exact_record){.eta = at->eta};
    for (size_t i = 1; status == TB_OK && i <= iterations; i++)
        status = iterate(at, algorithm, config, memory, memory + pairs, &records[i], error);
    if (status == TB_OK && pi_end != NULL)
        memcpy(pi_end, at->pi, pairs * sizeof *pi_end);
    tb_exact_destroy(at);
    free(memory);
    return status;
}

tb_status tb_exact_optimum(const tb_mdp *mdp, double *pi, double *eta, tb_error *error)
{
    size_t pairs = mdp->n_states * mdp->n_actions;
    tb_exact *at = NULL;
    double *best = tb_alloc(pairs, 2 * sizeof *best), *next = best + pairs;
    tb_status status = tb_exact_create(mdp, &at, error);
    if (status == TB_OK && best == NULL)
        status = tb_fail(error, TB_E_NOMEM, "out of memory for policy iteration");
    if (status == TB_OK) {
        tb_uniform_policy(mdp, next);
        status = tb_exact_evaluate(at, next, error);
    }
    // no state gets worse, so the sum of all values grows until the policy is optimal; eta may
    // stand still meanwhile. Ends: there are finitely many policies
    double sum = -INFINITY;
    while (status == TB_OK && tb_vec_sum(at->v, mdp->n_states) > sum) {
        sum = tb_vec_sum(at->v, mdp->n_states);
        *eta = at->eta;
        memcpy(best, at->pi, pairs * sizeof *best);
        tb_greedy_policy(at, next);
        status = tb_exact_evaluate(at, next, error);
    }
    if (status == TB_OK && pi != NULL)
        memcpy(pi, best, pairs * sizeof *pi);
    free(best);
    tb_exact_destroy(at);
    return status;
}
