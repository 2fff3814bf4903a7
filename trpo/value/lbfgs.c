/* SPDX-License-Identifier: MIT */
#include "trpo/value/lbfgs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/linalg/vec.h"

tb_status tb_lbfgs_init(tb_lbfgs *lbfgs, size_t n, size_t history, tb_error *error)
{
    TB_ASSERT(history > 0);
    *lbfgs = (tb_lbfgs){.n = n, .history = history};
    lbfgs->s = tb_alloc(history * n, sizeof(double));
    lbfgs->y = tb_alloc(history * n, sizeof(double));
    lbfgs->rho = tb_alloc(history, sizeof(double));
    lbfgs->alpha = tb_alloc(history, sizeof(double));
    lbfgs->g = tb_alloc(n, sizeof(double));
    lbfgs->g_old = tb_alloc(n, sizeof(double));
    lbfgs->old = tb_alloc(n, sizeof(double));
    lbfgs->direction = tb_alloc(n, sizeof(double));
    if (lbfgs->s && lbfgs->y && lbfgs->rho && lbfgs->alpha && lbfgs->g && lbfgs->g_old &&
        lbfgs->old && lbfgs->direction)
        return TB_OK;
    tb_lbfgs_finish(lbfgs);
    return tb_fail(error, TB_E_NOMEM, "no memory for %zu L-BFGS pairs of %zu numbers", history, n);
}

void tb_lbfgs_finish(tb_lbfgs *lbfgs)
{
    free(lbfgs->s);
    free(lbfgs->y);
    free(lbfgs->rho);
    free(lbfgs->alpha);
    free(lbfgs->g);
    free(lbfgs->g_old);
    free(lbfgs->old);
    free(lbfgs->direction);
    memset(lbfgs, 0, sizeof *lbfgs);
}

// the place of the pair that was kept `age` pairs ago; 0 is the newest
static size_t place(const tb_lbfgs *lbfgs, size_t age)
{
    return (lbfgs->next + lbfgs->history - 1 - age) % lbfgs->history;
}

// direction = -H g by the two loops (algorithm 7.4)
static void set_direction(tb_lbfgs *lbfgs)
{
    size_t n = lbfgs->n;
    double *q = lbfgs->direction;
    for (size_t i = 0; i < n; i++)
        q[i] = -lbfgs->g[i];
    if (lbfgs->pairs == 0)
        return;
    for (size_t age = 0; age < lbfgs->pairs; age++) {
        size_t k = place(lbfgs, age);
        lbfgs->alpha[k] = lbfgs->rho[k] * tb_vec_dot(lbfgs->s + k * n, q, n);
        tb_vec_axpy(-lbfgs->alpha[k], lbfgs->y + k * n, q, n);
    }
    // H_0 = s'y / y'y of the newest pair (eq. 7.20)
    const double *newest = lbfgs->y + place(lbfgs, 0) * n;
    double scale = 1 / (lbfgs->rho[place(lbfgs, 0)] * tb_vec_dot(newest, newest, n));
    for (size_t i = 0; i < n; i++)
        q[i] *= scale;
    for (size_t age = lbfgs->pairs; age-- > 0;) {
        size_t k = place(lbfgs, age);
        double beta = lbfgs->rho[k] * tb_vec_dot(lbfgs->y + k * n, q, n);
        tb_vec_axpy(lbfgs->alpha[k] - beta, lbfgs->s + k * n, q, n);
    }
}

// keeps s = theta - old and y = g - g_old in place of the oldest pair
static void keep_pair(tb_lbfgs *lbfgs, const double *theta)
{
    size_t n = lbfgs->n;
    double *s = lbfgs->s + lbfgs->next * n, *y = lbfgs->y + lbfgs->next * n;
    for (size_t i = 0; i < n; i++) {
        s[i] = theta[i] - lbfgs->old[i];
        y[i] = lbfgs->g[i] - lbfgs->g_old[i];
    }
    double sy = tb_vec_dot(s, y, n);
    // positive but for rounding: a pair without curvature would spoil H
    if (!(sy > 1e-12 * tb_vec_dot(y, y, n)))
        return;
    lbfgs->rho[lbfgs->next] = 1 / sy;
    lbfgs->next = (lbfgs->next + 1) % lbfgs->history;
    if (lbfgs->pairs < lbfgs->history)
        lbfgs->pairs++;
}

typedef struct tb_line {
    tb_lbfgs_function f;
    void *ctx;
    double value, slope; // at the line's beginning
    double step;         // the first one to try
} tb_line;

// theta = old + step * direction; *value and lbfgs->g there
static tb_status move(tb_lbfgs *lbfgs, const tb_line *line, double step, double *theta,
                      double *value, tb_error *error)
{
    for (size_t i = 0; i < lbfgs->n; i++)
        theta[i] = lbfgs->old[i] + step * lbfgs->direction[i];
    return line->f(line->ctx, theta, value, lbfgs->g, error);
}

// *found: whether both conditions hold at theta. Otherwise theta is the longest step that was seen
// to decrease f enough, which may be none
static tb_status search(tb_lbfgs *lbfgs, const tb_line *line, double *theta, double *value,
                        int *found, tb_error *error)
{
    const double armijo = 1e-4, flatten = 0.9;
    enum { most_tries = 30 };
    double low = 0, high = INFINITY, step = line->step;
    *found = 0;
    for (int i = 0; i < most_tries; i++) {
        tb_status status = move(lbfgs, line, step, theta, value, error);
        if (status != TB_OK)
            return status;
        if (!(*value <= line->value + armijo * step * line->slope)) {
            high = step; // too long, or NaN
        } else if (!(tb_vec_dot(lbfgs->g, lbfgs->direction, lbfgs->n) >= flatten * line->slope)) {
            low = step; // too short
        } else {
            *found = 1;
            return TB_OK;
        }
        step = isinf(high) ? 2 * low : (low + high) / 2;
    }
    return move(lbfgs, line, low, theta, value, error);
}

tb_status tb_lbfgs_minimize(tb_lbfgs *lbfgs, tb_lbfgs_function f, void *ctx, double *theta,
                            int64_t iterations, tb_error *error)
{
    size_t n = lbfgs->n;
    lbfgs->pairs = lbfgs->next = 0;
    double value;
    tb_status status = f(ctx, theta, &value, lbfgs->g, error);
    int found, go_on = 1;
    for (int64_t k = 0; status == TB_OK && go_on && k < iterations; k++) {
        set_direction(lbfgs);
        tb_line line = {f, ctx, value, tb_vec_dot(lbfgs->g, lbfgs->direction, n), 1};
        if (!(line.slope < 0) || !isfinite(value) || !isfinite(line.slope))
            return TB_OK; // a minimum, or nothing to go by
        // nothing is known of the curvature yet: a first step of length 1 at most
        if (lbfgs->pairs == 0)
            line.step = fmin(1, 1 / sqrt(-line.slope));
        memcpy(lbfgs->old, theta, n * sizeof *theta);
        memcpy(lbfgs->g_old, lbfgs->g, n * sizeof *theta);
        status = search(lbfgs, &line, theta, &value, &found, error);
        go_on = found && line.value - value > 1e-9 * fabs(line.value);
        if (status == TB_OK && go_on)
            keep_pair(lbfgs, theta);
    }
    return status;
}
