/* SPDX-License-Identifier: MIT */
#include "trpo/update/draws.h"

#include <math.h>
#include <string.h>

// log of what all weights of row i are divided by, for no matter if they are self-normalised: the
// largest one, or those of actions that are all unlikely would underflow to 0 / 0
static double log_unit(const tb_batch *batch, size_t i, const double *log_prob)
{
    size_t n = batch->n_draws;
    double largest = -INFINITY;
    for (size_t k = 0; k < n; k++)
        largest = fmax(largest, log_prob[k] - batch->log_proposal[i * n + k]);
    return batch->self_normalized ? largest : 0;
}

// sum_k w_k and sum_k w_k Q_k of row i, with w_k in units of exp(log_unit)
static void weigh(const tb_batch *batch, size_t i, const double *log_prob, double unit, double *sum,
                  double *weighted)
{
    size_t n = batch->n_draws;
    *sum = *weighted = 0;
    for (size_t k = 0; k < n; k++) {
        double w = exp(log_prob[k] - batch->log_proposal[i * n + k] - unit);
        *sum += w;
        *weighted += w * batch->advantage[i * n + k];
    }
}

double tb_draws_value(const tb_head *head, const tb_batch *batch, size_t i, const double *y,
                      double *log_prob, double *ratio_error)
{
    size_t n = batch->n_draws;
    for (size_t k = 0; k < n; k++) {
        size_t at = i * n + k;
        log_prob[k] = head->api->log_prob(head, y, batch->action + at * head->n_action);
        double error = fabs(exp(log_prob[k] - batch->log_prob_old[at]) - 1);
        *ratio_error = error > *ratio_error || isnan(error) ? error : *ratio_error;
    }
    double sum, weighted;
    weigh(batch, i, log_prob, log_unit(batch, i, log_prob), &sum, &weighted);
    return batch->self_normalized ? weighted / sum : batch->draw_weight * weighted;
}

// d w_k / dy = w_k d log pi(a_k|s) / dy, so that
//   d (sum w Q) / dy           = sum_k w_k Q_k d log pi_k / dy
//   d (sum w Q / sum w) / dy   = sum_k (w_k / sum w) (Q_k - L) d log pi_k / dy
void tb_draws_gradient(const tb_head *head, const tb_batch *batch, size_t i, const double *y,
                       const double *log_prob, double *dy, double *w)
{
    size_t n = batch->n_draws, d = head->n_params;
    double sum, weighted, unit = log_unit(batch, i, log_prob);
    weigh(batch, i, log_prob, unit, &sum, &weighted);
    double center = batch->self_normalized ? weighted / sum : 0;
    double factor =
        (batch->self_normalized ? 1 / sum : batch->draw_weight) * tb_batch_weight(batch, i);
    memset(w, 0, d * sizeof *w);
    for (size_t k = 0; k < n; k++) {
        size_t at = i * n + k;
        double c = exp(log_prob[k] - batch->log_proposal[at] - unit) * factor *
                   (batch->advantage[at] - center) / (double)batch->n_rows;
        head->api->log_prob_grad(head, y, batch->action + at * head->n_action, dy);
        for (size_t j = 0; j < d; j++)
            w[j] += c * dy[j];
    }
}
