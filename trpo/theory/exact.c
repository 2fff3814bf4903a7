/* SPDX-License-Identifier: MIT */
#include "trpo/theory/exact.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/linalg/vec.h"
#include "trpo/theory/solve.h"

tb_status tb_exact_create(const tb_mdp *mdp, tb_exact **out, tb_error *error)
{
    size_t n = mdp->n_states, pairs = n * mdp->n_actions;
    tb_exact *exact = *out = tb_alloc(1, sizeof *exact);
    if (exact == NULL)
        return tb_fail(error, TB_E_NOMEM, "out of memory for exact values");
    *exact = (tb_exact){.mdp = mdp};
    exact->pi = tb_alloc(pairs, sizeof *exact->pi);
    exact->v = tb_alloc(n, sizeof *exact->v);
    exact->q = tb_alloc(pairs, sizeof *exact->q);
    exact->advantage = tb_alloc(pairs, sizeof *exact->advantage);
    exact->rho = tb_alloc(n, sizeof *exact->rho);
    exact->lu = tb_alloc(n, n * sizeof *exact->lu);
    exact->pivot = tb_alloc(n, sizeof *exact->pivot);
    exact->queue = tb_alloc(n, sizeof *exact->queue);
    exact->reached = tb_alloc(n, sizeof *exact->reached);
    if (exact->pi != NULL && exact->v != NULL && exact->q != NULL && exact->advantage != NULL &&
        exact->rho != NULL && exact->lu != NULL && exact->pivot != NULL && exact->queue != NULL &&
        exact->reached != NULL)
        return TB_OK;
    tb_exact_destroy(exact);
    *out = NULL;
    return tb_fail(error, TB_E_NOMEM, "out of memory for exact values of %zu states", n);
}

void tb_exact_destroy(tb_exact *exact)
{
    if (exact == NULL)
        return;
    free(exact->pi);
    free(exact->v);
    free(exact->q);
    free(exact->advantage);
    free(exact->rho);
    free(exact->lu);
    free(exact->pivot);
    free(exact->queue);
    free(exact->reached);
    free(exact);
}

static tb_status check_policy(const tb_mdp *mdp, const double *pi, tb_error *error)
{
    for (size_t s = 0; s < mdp->n_states; s++) {
        double sum = 0;
        for (size_t a = 0; a < mdp->n_actions; a++) {
            double p = pi[s * mdp->n_actions + a];
            if (!(p >= 0))
                return tb_fail(error, TB_E_PARAM,
                               "state %zu: the policy takes action %zu with probability %g", s, a,
                               p);
            sum += p;
        }
        if (!(fabs(sum - 1) <= 1e-9))
            return tb_fail(error, TB_E_PARAM,
                           "state %zu: the policy's probabilities must add up to 1, not %.12g", s,
                           sum);
    }
    return TB_OK;
}

// lu = I - gamma P_pi, v = r_pi
static void set_up(tb_exact *exact)
{
    const tb_mdp *mdp = exact->mdp;
    size_t n = mdp->n_states;
    memset(exact->lu, 0, n * n * sizeof *exact->lu);
    for (size_t s = 0; s < n; s++) {
        double *row = exact->lu + s * n;
        row[s] = 1;
        exact->v[s] = 0;
        for (size_t a = 0; a < mdp->n_actions; a++) {
            size_t pair = s * mdp->n_actions + a;
            exact->v[s] += exact->pi[pair] * mdp->reward[pair];
            for (size_t t = mdp->first[pair]; t < mdp->first[pair + 1]; t++)
                row[mdp->next[t]] -= mdp->gamma * exact->pi[pair] * mdp->probability[t];
        }
    }
}

static void reach(tb_exact *exact, size_t s, size_t *n_queued)
{
    if (exact->reached[s])
        return;
    exact->reached[s] = 1;
    exact->queue[(*n_queued)++] = s;
}

// what pi never gets to has rho = 0; the solver's rounding leaves 1e-16 of either sign there
static void clear_unreached(tb_exact *exact)
{
    const tb_mdp *mdp = exact->mdp;
    size_t n_queued = 0;
    memset(exact->reached, 0, mdp->n_states);
    for (size_t s = 0; s < mdp->n_states; s++)
        if (mdp->start[s] > 0)
            reach(exact, s, &n_queued);
    // gamma = 0: only the first states count
    for (size_t i = 0; i < n_queued && mdp->gamma > 0; i++)
        for (size_t a = 0; a < mdp->n_actions; a++) {
            size_t pair = exact->queue[i] * mdp->n_actions + a;
            for (size_t t = mdp->first[pair]; exact->pi[pair] > 0 && t < mdp->first[pair + 1]; t++)
                reach(exact, mdp->next[t], &n_queued);
        }
    for (size_t s = 0; s < mdp->n_states; s++)
        exact->rho[s] = exact->reached[s] ? fmax(exact->rho[s], 0) : 0;
}

static void set_advantages(tb_exact *exact)
{
    const tb_mdp *mdp = exact->mdp;
    exact->advantage_max = 0;
    for (size_t pair = 0; pair < mdp->n_states * mdp->n_actions; pair++) {
        double next = 0;
        for (size_t t = mdp->first[pair]; t < mdp->first[pair + 1]; t++)
            next += mdp->probability[t] * exact->v[mdp->next[t]];
        exact->q[pair] = mdp->reward[pair] + mdp->gamma * next;
        exact->advantage[pair] = exact->q[pair] - exact->v[pair / mdp->n_actions];
        exact->advantage_max = fmax(exact->advantage_max, fabs(exact->advantage[pair]));
    }
}

tb_status tb_exact_evaluate(tb_exact *exact, const double *pi, tb_error *error)
{
    const tb_mdp *mdp = exact->mdp;
    size_t n = mdp->n_states;
    tb_status status = check_policy(mdp, pi, error);
    if (status != TB_OK)
        return status;
    memmove(exact->pi, pi, n * mdp->n_actions * sizeof *pi);
    set_up(exact);
    status = tb_lu_factor(exact->lu, exact->pivot, n, error);
    if (status != TB_OK)
        return status;
    tb_lu_solve(exact->lu, exact->pivot, n, exact->v);
    memcpy(exact->rho, mdp->start, n * sizeof *exact->rho);
    tb_lu_solve_transposed(exact->lu, exact->pivot, n, exact->rho);
    clear_unreached(exact);
    set_advantages(exact);
    exact->rho_sum = tb_vec_sum(exact->rho, n);
    exact->eta = tb_vec_dot(mdp->start, exact->v, n);
    return TB_OK;
}

// p_next = discount p P_pi
static void move(const tb_exact *exact, double discount, const double *p, double *p_next)
{
    const tb_mdp *mdp = exact->mdp;
    memset(p_next, 0, mdp->n_states * sizeof *p_next);
    for (size_t pair = 0; pair < mdp->n_states * mdp->n_actions; pair++) {
        double from = discount * p[pair / mdp->n_actions] * exact->pi[pair];
        for (size_t t = mdp->first[pair]; t < mdp->first[pair + 1]; t++)
            p_next[mdp->next[t]] += from * mdp->probability[t];
    }
}

void tb_exact_visits(const tb_exact *exact, double discount, size_t horizon, double *visits,
                     double *work)
{
    size_t n = exact->mdp->n_states;
    double *now = work, *next = work + n;
    memset(visits, 0, n * sizeof *visits);
    memcpy(now, exact->mdp->start, n * sizeof *now);
    for (size_t t = 0; t < horizon; t++) {
        tb_vec_axpy(1, now, visits, n);
        move(exact, discount, now, next);
        double *old = now;
        now = next;
        next = old;
    }
}

void tb_uniform_policy(const tb_mdp *mdp, double *pi)
{
    for (size_t pair = 0; pair < mdp->n_states * mdp->n_actions; pair++)
        pi[pair] = 1 / (double)mdp->n_actions;
}

void tb_greedy_policy(const tb_exact *exact, double *pi)
{
    size_t n = exact->mdp->n_actions;
    for (size_t s = 0; s < exact->mdp->n_states; s++) {
        size_t best = 0;
        for (size_t a = 1; a < n; a++)
            if (exact->q[s * n + a] > exact->q[s * n + best])
                best = a;
        for (size_t a = 0; a < n; a++)
            pi[s * n + a] = a == best;
    }
}

double tb_performance_difference(const tb_exact *old, const tb_exact *new_)
{
    size_t n = old->mdp->n_actions;
    double sum = 0;
    for (size_t s = 0; s < old->mdp->n_states; s++)
        sum += new_->rho[s] * tb_vec_dot(new_->pi + s * n, old->advantage + s * n, n);
    return old->eta + sum;
}
