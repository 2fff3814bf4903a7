/* SPDX-License-Identifier: MIT */
#include "trpo/update/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/dist/rows.h"
#include "trpo/linalg/vec.h"
#include "trpo/rng/streams.h"
#include "trpo/update/draws.h"

tb_status tb_policy_init(tb_policy *policy, const tb_map_api *api, tb_map *map,
                         const tb_map_spec *spec, const tb_head *head, size_t max_rows,
                         uint64_t seed, tb_error *error)
{
    *policy = (tb_policy){
        .head = *head, .seed = seed, .max_rows = max_rows, .max_draws = 1, .fisher_fraction = 1};
    tb_key key = tb_stream_key(seed, TB_STREAM_POLICY_INIT, 0, 0);
    tb_status status = tb_net_init(&policy->net, api, map, spec, &key, error);
    if (status == TB_OK)
        status = tb_net_batch_create(&policy->net, max_rows, &policy->rows, error);
    if (status != TB_OK)
        goto fail;
    policy->y = tb_alloc(max_rows * head->n_params, sizeof(double));
    policy->log_prob = tb_alloc(max_rows, sizeof(double));
    policy->shard_sums = tb_alloc(tb_net_shards(max_rows) * 4, sizeof(double));
    policy->shard_dy = tb_alloc(tb_net_shards(max_rows) * head->n_params, sizeof(double));
    policy->scratch = tb_alloc(5 * policy->net.n_params, sizeof(double));
    if (policy->y && policy->log_prob && policy->shard_sums && policy->shard_dy && policy->scratch)
        return TB_OK;
    status = tb_fail(error, TB_E_NOMEM, "no memory for the policy's batch of %zu rows", max_rows);
fail:
    tb_policy_finish(policy);
    return status;
}

void tb_policy_finish(tb_policy *policy)
{
    tb_net_batch_destroy(policy->rows);
    tb_net_finish(&policy->net);
    free(policy->y);
    free(policy->log_prob);
    free(policy->shard_sums);
    free(policy->shard_dy);
    free(policy->fisher_x);
    free(policy->fisher_weight);
    free(policy->scratch);
    memset(policy, 0, sizeof *policy);
}

tb_status tb_policy_reserve_draws(tb_policy *policy, size_t max_draws, tb_error *error)
{
    free(policy->log_prob);
    policy->max_draws = max_draws;
    policy->log_prob = tb_alloc(policy->max_rows * max_draws, sizeof(double));
    return policy->log_prob != NULL
               ? TB_OK
               : tb_fail(error, TB_E_NOMEM, "no memory for %zu actions of each of %zu states",
                         max_draws, policy->max_rows);
}

// the share of n rows that Fisher products use: to the nearest number, at least one
static size_t fisher_rows_of(const tb_policy *policy, size_t n)
{
    double share = round(policy->fisher_fraction * (double)n);
    return share < 1 ? 1 : (size_t)share;
}

tb_status tb_policy_prepare(tb_policy *policy, const tb_objective *objective,
                            double fisher_fraction, tb_error *error)
{
    TB_ASSERT(fisher_fraction > 0 && fisher_fraction <= 1);
    policy->objective = *objective;
    policy->fisher_fraction = fisher_fraction;
    free(policy->fisher_x);
    free(policy->fisher_weight);
    policy->fisher_x = NULL;
    policy->fisher_weight = NULL;
    if (fisher_fraction >= 1)
        return TB_OK;
    size_t share = fisher_rows_of(policy, policy->max_rows);
    policy->fisher_x = tb_alloc(share * policy->net.n_in, tb_dtype_size(policy->net.dtype));
    policy->fisher_weight = tb_alloc(share, sizeof(double));
    return policy->fisher_x != NULL && policy->fisher_weight != NULL
               ? TB_OK
               : tb_fail(error, TB_E_NOMEM, "no memory for the inputs of %zu rows", share);
}

double tb_policy_objective(const tb_policy *policy, double surrogate, double entropy)
{
    double coefficient = policy->objective.entropy_coefficient;
    // without a bonus an infinite entropy is nobody's concern
    return coefficient > 0 ? surrogate + coefficient * entropy : surrogate;
}

// the larger; NaN when either is
static double larger(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

typedef struct tb_rows {
    tb_policy *policy;
    const tb_batch *batch;
} tb_rows;

static void evaluate_rows(void *ctx, size_t shard, size_t begin, size_t end, const double *in,
                          double *out)
{
    (void)out;
    const tb_rows *rows = ctx;
    tb_policy *policy = rows->policy;
    const tb_batch *batch = rows->batch;
    const tb_head *head = &policy->head;
    size_t d = head->n_params;
    memcpy(policy->y + begin * d, in, (end - begin) * d * sizeof *in);
    double surrogate = 0, kl = 0, entropy = 0, ratio_error = 0;
    double kl_rows[TB_SHARD_ROWS], entropy_rows[TB_SHARD_ROWS];
    int draws = batch->n_draws > 1;
    if (!draws)
        tb_head_log_prob_rows(head, end - begin, policy->y + begin * d,
                              batch->action + begin * head->n_action, policy->log_prob + begin);
    const double *y_old = batch->y_old + begin * d, *y = policy->y + begin * d;
    if (policy->objective.kl_direction == TB_KL_OLD_NEW)
        tb_head_kl_rows(head, end - begin, y_old, y, kl_rows);
    else
        tb_head_kl_rows(head, end - begin, y, y_old, kl_rows);
    tb_head_entropy_rows(head, end - begin, y, entropy_rows);
    for (size_t i = begin; i < end; i++) {
        double weight = tb_batch_weight(batch, i);
        if (draws) {
            surrogate +=
                weight * tb_draws_value(head, batch, i, policy->y + i * d,
                                        policy->log_prob + i * batch->n_draws, &ratio_error);
        } else {
            double ratio = exp(policy->log_prob[i] - batch->log_prob_old[i]);
            surrogate += weight * (ratio * batch->advantage[i]);
            ratio_error = larger(fabs(ratio - 1), ratio_error);
        }
        kl += weight * kl_rows[i - begin];
        entropy += weight * entropy_rows[i - begin];
    }
    double *sums = policy->shard_sums + shard * 4;
    sums[0] = surrogate;
    sums[1] = kl;
    sums[2] = entropy;
    sums[3] = ratio_error;
}

tb_status tb_policy_evaluate(tb_policy *policy, const tb_batch *batch, tb_surrogate *out,
                             tb_error *error)
{
    tb_rows rows = {policy, batch};
    tb_status status =
        tb_net_batch_forward(policy->rows, batch->x, batch->n_rows, evaluate_rows, &rows, error);
    if (status != TB_OK)
        return status;
    policy->n_rows = batch->n_rows;
    policy->weight = batch->weight;
    policy->weight_sum = (double)batch->n_rows;
    memset(out, 0, sizeof *out);
    for (size_t s = 0; s < tb_net_shards(batch->n_rows); s++) {
        const double *sums = policy->shard_sums + s * 4;
        out->surrogate += sums[0];
        out->kl += sums[1];
        out->entropy += sums[2];
        out->ratio_error = larger(sums[3], out->ratio_error);
    }
    double n = (double)batch->n_rows;
    out->surrogate /= n;
    out->kl /= n;
    out->entropy /= n;
    out->objective = tb_policy_objective(policy, out->surrogate, out->entropy);
    return TB_OK;
}

// w = weight * ratio * advantage * d log pi(a|s) / dy / N, of rows with one action
static void ratio_gradient_rows(const tb_policy *policy, const tb_batch *batch, size_t begin,
                                size_t end, double *w)
{
    const tb_head *head = &policy->head;
    size_t d = head->n_params;
    tb_head_log_prob_grad_rows(head, end - begin, policy->y + begin * d,
                               batch->action + begin * head->n_action, w);
    for (size_t i = begin; i < end; i++) {
        double *row = w + (i - begin) * d;
        double ratio = exp(policy->log_prob[i] - batch->log_prob_old[i]);
        double scale =
            tb_batch_weight(batch, i) * (ratio * batch->advantage[i] / (double)batch->n_rows);
        for (size_t k = 0; k < d; k++)
            row[k] *= scale;
    }
}

// w = (ratio * advantage * d log pi(a|s) / dy + entropy_coefficient * d entropy / dy) / N
static void gradient_rows(void *ctx, size_t shard, size_t begin, size_t end, const double *in,
                          double *w)
{
    (void)in;
    const tb_rows *rows = ctx;
    const tb_policy *policy = rows->policy;
    const tb_batch *batch = rows->batch;
    const tb_head *head = &policy->head;
    size_t d = head->n_params;
    double *dy = policy->shard_dy + shard * d;
    if (batch->n_draws > 1)
        for (size_t i = begin; i < end; i++)
            tb_draws_gradient(head, batch, i, policy->y + i * d,
                              policy->log_prob + i * batch->n_draws, dy, w + (i - begin) * d);
    else
        ratio_gradient_rows(policy, batch, begin, end, w);
    double coefficient = policy->objective.entropy_coefficient / (double)batch->n_rows;
    if (!(coefficient > 0))
        return;
    for (size_t i = begin; i < end; i++) {
        double weight = tb_batch_weight(batch, i) * coefficient;
        head->api->entropy_grad(head, policy->y + i * d, dy);
        for (size_t k = 0; k < d; k++)
            w[(i - begin) * d + k] += weight * dy[k];
    }
}

tb_status tb_policy_gradient(tb_policy *policy, const tb_batch *batch, double *g, tb_error *error)
{
    tb_rows rows = {policy, batch};
    return tb_net_batch_vjp(policy->rows, gradient_rows, &rows, g, error);
}

// keeps y of the drawn rows
static void drawn_rows(void *ctx, size_t shard, size_t begin, size_t end, const double *in,
                       double *out)
{
    (void)shard;
    (void)out;
    const tb_policy *policy = ctx;
    size_t d = policy->head.n_params;
    memcpy(policy->y + begin * d, in, (end - begin) * d * sizeof *in);
}

tb_status tb_policy_draw_fisher_rows(tb_policy *policy, const tb_batch *batch, uint64_t iteration,
                                     tb_error *error)
{
    size_t n = batch->n_rows, share = fisher_rows_of(policy, n);
    if (share == n)
        return TB_OK;
    size_t bytes = policy->net.n_in * tb_dtype_size(policy->net.dtype), drawn = 0;
    tb_rng rng;
    tb_rng_init(&rng, tb_stream_key(policy->seed, TB_STREAM_FISHER_ROWS, iteration, 0));
    // selection sampling (Knuth, The Art of Computer Programming 2, section 3.4.2, algorithm S):
    // row i is taken with the probability that makes every choice of `share` rows equally likely
    policy->weight_sum = 0;
    for (size_t i = 0; drawn < share; i++) {
        if (!(tb_rng_f64(&rng) * (double)(n - i) < (double)(share - drawn)))
            continue;
        memcpy((char *)policy->fisher_x + drawn * bytes, (const char *)batch->x + i * bytes, bytes);
        policy->fisher_weight[drawn++] = tb_batch_weight(batch, i);
        policy->weight_sum += tb_batch_weight(batch, i);
    }
    // rows that all count nothing: F is 0, not 0 / 0
    if (!(policy->weight_sum > 0))
        policy->weight_sum = 1;
    policy->n_rows = share;
    policy->weight = batch->weight != NULL ? policy->fisher_weight : NULL;
    return tb_net_batch_forward(policy->rows, policy->fisher_x, share, drawn_rows, policy, error);
}

// M J v
static void fisher_rows(void *ctx, size_t shard, size_t begin, size_t end, const double *jv,
                        double *mjv)
{
    (void)shard;
    const tb_policy *policy = ctx;
    size_t d = policy->head.n_params;
    tb_head_fisher_rows(&policy->head, end - begin, policy->y + begin * d, jv, mjv);
    for (size_t i = begin; policy->weight != NULL && i < end; i++)
        for (size_t k = 0; k < d; k++)
            mjv[(i - begin) * d + k] *= policy->weight[i];
}

tb_status tb_policy_fisher(tb_policy *policy, double damping, const double *v, double *fv,
                           tb_error *error)
{
    tb_status status = tb_net_batch_gauss_newton(policy->rows, v, fisher_rows, policy, fv, error);
    for (size_t i = 0; status == TB_OK && i < policy->net.n_params; i++)
        fv[i] = fv[i] / policy->weight_sum + damping * v[i];
    return status;
}

tb_status tb_policy_evaluate_old(tb_policy *policy, const tb_batch *batch, tb_iteration *log,
                                 tb_error *error)
{
    tb_surrogate old;
    tb_status status = tb_policy_evaluate(policy, batch, &old, error);
    if (status != TB_OK)
        return status;
    log->surrogate_before = old.surrogate;
    log->surrogate_after = old.surrogate;
    log->entropy = old.entropy;
    log->entropy_after = old.entropy;
    log->ratio_error = old.ratio_error;
    log->kl = 0;
    log->step_norm = 0;
    log->step_fraction = 0;
    if (!isfinite(old.ratio_error) || !isfinite(old.kl))
        return tb_fail(
            error, TB_E_NUMERIC,
            "the policy's outputs on the batch hold NaN or infinity (largest |ratio - 1| "
            "is %g, mean KL %g): the parameters have grown too large; lower the step",
            old.ratio_error, old.kl);
    // the same parameters on the same inputs: only a map whose rows depend on the batch's size or
    // order can differ
    double tolerance = policy->net.dtype == TB_F64 ? 1e-9 : 1e-3;
    if (!(old.ratio_error <= tolerance) || !(fabs(old.kl) <= tolerance))
        return tb_fail(error, TB_E_NUMERIC,
                       "at the parameters that sampled the batch, the largest |ratio - 1| is %g "
                       "and the mean KL %g, "
                       "instead of 0: the policy architecture is not batch-invariant (trpo-bench "
                       "check tells more)",
                       old.ratio_error, old.kl);
    return TB_OK;
}

tb_status tb_policy_keep_finite_step(tb_policy *policy, const tb_batch *batch, const double *old,
                                     tb_iteration *log, tb_error *error)
{
    tb_surrogate at;
    tb_status status = tb_policy_evaluate(policy, batch, &at, error);
    if (status != TB_OK)
        return status;
    double before = tb_policy_objective(policy, log->surrogate_before, log->entropy);
    log->improvement_ratio = (at.objective - before) / log->surrogate_expected;
    log->kl_tried = at.kl;
    if (!isfinite(at.objective) || !isfinite(at.kl) ||
        !tb_vec_finite(policy->net.theta, policy->net.n_params)) {
        tb_net_set(&policy->net, old);
        log->update_end = TB_UPDATE_NON_FINITE;
        log->non_finite++;
        log->updates_rejected++;
        log->step_norm = 0;
        return TB_OK;
    }
    log->update_end = TB_UPDATE_ACCEPTED;
    log->kl = at.kl;
    log->surrogate_after = at.surrogate;
    log->entropy_after = at.entropy;
    log->step_fraction = 1;
    return TB_OK;
}
