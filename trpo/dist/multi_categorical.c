/* SPDX-License-Identifier: MIT
 *
 * n independent categorical distributions: y holds their logits one after the other. Everything is
 * the categorical head's, summed over the components.
 */
#include "trpo/dist/head.h"

// component i as a head of its own; its logits start where those of the components before it end
static tb_head component(const tb_head *head, size_t i)
{
    return (tb_head){.api = &tb_head_categorical, .n = (size_t)head->counts[i]};
}

static void sample(const tb_head *head, const double *y, const double *u, double *a)
{
    for (size_t i = 0; i < head->n; i++) {
        tb_head one = component(head, i);
        one.api->sample(&one, y, u + i, a + i);
        y += one.n;
    }
}

static void mode(const tb_head *head, const double *y, double *a)
{
    for (size_t i = 0; i < head->n; i++) {
        tb_head one = component(head, i);
        one.api->mode(&one, y, a + i);
        y += one.n;
    }
}

static double log_prob(const tb_head *head, const double *y, const double *a)
{
    double sum = 0;
    for (size_t i = 0; i < head->n; i++) {
        tb_head one = component(head, i);
        sum += one.api->log_prob(&one, y, a + i);
        y += one.n;
    }
    return sum;
}

static void log_prob_grad(const tb_head *head, const double *y, const double *a, double *dy)
{
    for (size_t i = 0; i < head->n; i++) {
        tb_head one = component(head, i);
        one.api->log_prob_grad(&one, y, a + i, dy);
        y += one.n;
        dy += one.n;
    }
}

static double kl(const tb_head *head, const double *y_old, const double *y_new)
{
    double sum = 0;
    for (size_t i = 0; i < head->n; i++) {
        tb_head one = component(head, i);
        sum += one.api->kl(&one, y_old, y_new);
        y_old += one.n;
        y_new += one.n;
    }
    return sum;
}

static void kl_grad(const tb_head *head, const double *y_old, const double *y_new, double *dy)
{
    for (size_t i = 0; i < head->n; i++) {
        tb_head one = component(head, i);
        one.api->kl_grad(&one, y_old, y_new, dy);
        y_old += one.n;
        y_new += one.n;
        dy += one.n;
    }
}

static double entropy(const tb_head *head, const double *y)
{
    double sum = 0;
    for (size_t i = 0; i < head->n; i++) {
        tb_head one = component(head, i);
        sum += one.api->entropy(&one, y);
        y += one.n;
    }
    return sum;
}

static void entropy_grad(const tb_head *head, const double *y, double *dy)
{
    for (size_t i = 0; i < head->n; i++) {
        tb_head one = component(head, i);
        one.api->entropy_grad(&one, y, dy);
        y += one.n;
        dy += one.n;
    }
}

// M: one block a component
static void fisher(const tb_head *head, const double *y, const double *v, double *mv)
{
    for (size_t i = 0; i < head->n; i++) {
        tb_head one = component(head, i);
        one.api->fisher(&one, y, v, mv);
        y += one.n;
        v += one.n;
        mv += one.n;
    }
}

const tb_head_api tb_head_multi_categorical = {
    "multi-categorical", sample, mode, log_prob, log_prob_grad, kl, kl_grad, entropy,
    entropy_grad,        fisher, NULL,
};
