/* SPDX-License-Identifier: MIT */
#include "trpo/theory/mdp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUM_TOLERANCE 1e-9 // of probabilities

static tb_status check_outcome(const tb_tabular *model, size_t pair, size_t o, tb_error *error)
{
    size_t s = pair / model->n_actions, a = pair % model->n_actions;
    double p = model->probability[o];
    if (!(p >= 0 && p <= 1))
        return tb_fail(error, TB_E_PARAM,
                       "state %zu, action %zu: the probability of outcome %zu must be from 0 to 1, "
                       "not %g",
                       s, a, o, p);
    if (model->next[o] >= model->n_states)
        return tb_fail(error, TB_E_PARAM,
                       "state %zu, action %zu: outcome %zu leads to state %lu, but there are %lu",
                       s, a, o, (unsigned long)model->next[o], (unsigned long)model->n_states);
    if (!isfinite(model->reward[o]))
        return tb_fail(error, TB_E_PARAM,
                       "state %zu, action %zu: the reward of outcome %zu is not finite", s, a, o);
    return TB_OK;
}

static tb_status check_pairs(const tb_tabular *model, tb_error *error)
{
    size_t pairs = model->n_states * model->n_actions;
    if (model->first[0] != 0)
        return tb_fail(error, TB_E_PARAM, "the first outcome must have number 0, not %lu",
                       (unsigned long)model->first[0]);
    for (size_t pair = 0; pair < pairs; pair++) {
        size_t s = pair / model->n_actions, a = pair % model->n_actions;
        if (model->first[pair + 1] < model->first[pair])
            return tb_fail(error, TB_E_PARAM,
                           "state %zu, action %zu: the numbers of outcomes must ascend", s, a);
        double sum = 0;
        for (size_t o = model->first[pair]; o < model->first[pair + 1]; o++) {
            tb_status status = check_outcome(model, pair, o, error);
            if (status != TB_OK)
                return status;
            sum += model->probability[o];
        }
        if (!(fabs(sum - 1) <= SUM_TOLERANCE))
            return tb_fail(error, TB_E_PARAM,
                           "state %zu, action %zu: the probabilities of the outcomes must add up "
                           "to 1, not %.12g",
                           s, a, sum);
    }
    return TB_OK;
}

static tb_status check(const tb_tabular *model, double gamma, tb_error *error)
{
    if (model->n_states < 1 || model->n_actions < 1)
        return tb_fail(error, TB_E_PARAM, "a process needs at least one state and one action");
    if (!(gamma >= 0 && gamma < 1))
        return tb_fail(error, TB_E_PARAM,
                       "gamma must be at least 0 and below 1, not %g: exact values need a sum that "
                       "converges",
                       gamma);
    double sum = 0;
    for (size_t s = 0; s < model->n_states; s++) {
        if (!(model->start[s] >= 0))
            return tb_fail(error, TB_E_PARAM, "state %zu: the probability to start there is %g", s,
                           model->start[s]);
        sum += model->start[s];
    }
    if (!(fabs(sum - 1) <= SUM_TOLERANCE))
        return tb_fail(error, TB_E_PARAM,
                       "the probabilities of the first state must add up to 1, not %.12g", sum);
    return check_pairs(model, error);
}

// reward and transitions of one pair; the transitions go to the end of the list
static void add_pair(const tb_tabular *model, size_t pair, tb_mdp *mdp)
{
    size_t n = mdp->first[pair];
    for (size_t o = model->first[pair]; o < model->first[pair + 1]; o++) {
        double p = model->probability[o];
        if (p == 0)
            continue;
        // r(s,a) = sum P r
        mdp->reward[pair] += p * model->reward[o];
        mdp->reward_low = fmin(mdp->reward_low, model->reward[o]);
        mdp->reward_high = fmax(mdp->reward_high, model->reward[o]);
        if (model->terminated[o])
            continue;
        mdp->next[n] = model->next[o];
        mdp->probability[n++] = p;
    }
    mdp->first[pair + 1] = n;
}

tb_status tb_mdp_create(const tb_tabular *model, double gamma, tb_mdp **out, tb_error *error)
{
    *out = NULL;
    tb_status status = check(model, gamma, error);
    if (status != TB_OK)
        return status;
    size_t pairs = model->n_states * model->n_actions, outcomes = model->first[pairs];
    tb_mdp *mdp = tb_alloc(1, sizeof *mdp);
    if (mdp == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory for a decision process");
    *mdp = (tb_mdp){.n_states = model->n_states, .n_actions = model->n_actions, .gamma = gamma};
    mdp->start = tb_alloc(model->n_states, sizeof *mdp->start);
    mdp->reward = tb_alloc(pairs, sizeof *mdp->reward);
    mdp->first = tb_alloc(pairs + 1, sizeof *mdp->first);
    mdp->next = tb_alloc(outcomes, sizeof *mdp->next);
    mdp->probability = tb_alloc(outcomes, sizeof *mdp->probability);
    if (mdp->start == NULL || mdp->reward == NULL || mdp->first == NULL || mdp->next == NULL ||
        mdp->probability == NULL) {
        tb_mdp_destroy(mdp);
        return tb_fail(error, TB_E_NOMEM, "out of memory for a decision process");
    }
    memcpy(mdp->start, model->start, model->n_states * sizeof *mdp->start);
    for (size_t pair = 0; pair < pairs; pair++)
        add_pair(model, pair, mdp);
    *out = mdp;
    return TB_OK;
}

void tb_mdp_destroy(tb_mdp *mdp)
{
    if (mdp == NULL)
        return;
    free(mdp->start);
    free(mdp->reward);
    free(mdp->first);
    free(mdp->next);
    free(mdp->probability);
    free(mdp);
}
