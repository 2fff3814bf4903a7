/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/gae.h"

#include <math.h>

void tb_gae(tb_batch *batch, double gamma, double lambda)
{
    for (size_t lane = 0; lane < batch->lanes; lane++) {
        size_t first = lane * batch->steps;
        double next_value = batch->next_value[lane], next_advantage = 0;
        for (size_t t = batch->steps; t-- > 0;) {
            size_t row = first + t;
            if (tb_batch_ends(batch, row)) {
                // an end cuts the recursion
                next_value = tb_batch_value_behind(batch, row);
                next_advantage = 0;
            }
            double delta = batch->reward[row] + gamma * next_value - batch->value[row];
            batch->advantage[row] = delta + gamma * lambda * next_advantage;
            batch->target[row] = batch->advantage[row] + batch->value[row];
            next_advantage = batch->advantage[row];
            next_value = batch->value[row];
        }
    }
}

// weights w [n] sum to n; NULL = all 1
static void mean_and_variance(const double *x, const double *w, size_t n, double *mean,
                              double *variance)
{
    double sum = 0, rest = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += (w != NULL ? w[i] : 1) * x[i];
    *mean = sum / (double)n;
    // what rounding left out: the mean of equal numbers must be that number, or they seem to vary
    for (size_t i = 0; i < n; i++)
        rest += (w != NULL ? w[i] : 1) * (x[i] - *mean);
    *mean += rest / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (w != NULL ? w[i] : 1) * ((x[i] - *mean) * (x[i] - *mean));
    *variance = squares / (double)n;
}

void tb_normalize_advantages(tb_batch *batch)
{
    double mean, variance;
    mean_and_variance(batch->advantage, batch->weight, batch->n_rows, &mean, &variance);
    double scale = 1 / (sqrt(variance) + 1e-8);
    for (size_t i = 0; i < batch->n_rows; i++)
        batch->advantage[i] = (batch->advantage[i] - mean) * scale;
}

double tb_explained_variance(const double *value, const double *target, size_t n)
{
    // in one pass over the residuals, without memory for them
    double mean_target, var_target, mean = 0, squares = 0;
    mean_and_variance(target, NULL, n, &mean_target, &var_target);
    for (size_t i = 0; i < n; i++)
        mean += target[i] - value[i];
    mean /= (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (target[i] - value[i] - mean) * (target[i] - value[i] - mean);
    return var_target > 0 ? 1 - squares / (double)n / var_target : NAN;
}
