/* SPDX-License-Identifier: MIT */
#include "trpo/value/critic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/advantage/gae.h"
#include "trpo/rng/streams.h"
#include "trpo/value/adam.h"

tb_status tb_critic_init(tb_critic *critic, const tb_map_api *api, tb_map *map,
                         const tb_map_spec *spec, const tb_learner_config *config, size_t max_rows,
                         uint64_t seed, tb_error *error)
{
    memset(critic, 0, sizeof *critic);
    critic->seed = seed;
    critic->scale = 1;
    critic->minibatch = config->critic_minibatch > 0 && (size_t)config->critic_minibatch < max_rows
                            ? (size_t)config->critic_minibatch
                            : max_rows;
    tb_key key = tb_stream_key(seed, TB_STREAM_CRITIC_INIT, 0, 0);
    tb_status status = tb_net_init(&critic->net, api, map, spec, &key, error);
    if (status == TB_OK)
        status = tb_net_batch_create(&critic->net, max_rows, &critic->whole, error);
    if (status == TB_OK)
        status = tb_net_batch_create(&critic->net, critic->minibatch, &critic->part, error);
    if (status == TB_OK)
        status = tb_moments_init(&critic->targets, 1, error);
    if (status != TB_OK)
        goto fail;
    size_t n = critic->net.n_params;
    critic->state = tb_alloc(tb_adam_state_count(n), sizeof(double));
    critic->gradient = tb_alloc(n, sizeof(double));
    critic->out = tb_alloc(max_rows, sizeof(double));
    critic->x = tb_alloc(critic->minibatch * critic->net.n_in, tb_dtype_size(critic->net.dtype));
    critic->wanted = tb_alloc(critic->minibatch, sizeof(double));
    critic->order = tb_alloc(max_rows, sizeof *critic->order);
    if (critic->state && critic->gradient && critic->out && critic->x && critic->wanted &&
        critic->order)
        return TB_OK;
    status = tb_fail(error, TB_E_NOMEM, "no memory for the critic");
fail:
    tb_critic_finish(critic);
    return status;
}

void tb_critic_finish(tb_critic *critic)
{
    tb_net_batch_destroy(critic->whole);
    tb_net_batch_destroy(critic->part);
    tb_net_finish(&critic->net);
    tb_moments_finish(&critic->targets);
    free(critic->state);
    free(critic->gradient);
    free(critic->out);
    free(critic->x);
    free(critic->wanted);
    free(critic->order);
    memset(critic, 0, sizeof *critic);
}

static void store_outputs(void *ctx, size_t shard, size_t begin, size_t end, const double *in,
                          double *out)
{
    (void)shard;
    (void)out;
    memcpy((double *)ctx + begin, in, (end - begin) * sizeof *in);
}

tb_status tb_critic_values(tb_critic *critic, const void *x, size_t rows, double *values,
                           tb_error *error)
{
    tb_status status = tb_net_batch_forward(critic->whole, x, rows, store_outputs, values, error);
    for (size_t i = 0; status == TB_OK && i < rows; i++)
        values[i] = critic->shift + critic->scale * values[i];
    return status;
}

// w = d/d output of mean (output - wanted)^2
typedef struct tb_fit_rows {
    const double *output, *wanted;
    size_t n;
} tb_fit_rows;

static void loss_gradient(void *ctx, size_t shard, size_t begin, size_t end, const double *in,
                          double *w)
{
    (void)shard;
    (void)in;
    const tb_fit_rows *rows = ctx;
    for (size_t i = begin; i < end; i++)
        w[i - begin] = 2 * (rows->output[i] - rows->wanted[i]) / (double)rows->n;
}

// Fisher-Yates; the order is a pure function of (seed, iteration, epoch)
static void shuffle(tb_critic *critic, size_t n, uint64_t iteration, uint64_t epoch)
{
    tb_rng rng;
    tb_rng_init(&rng, tb_stream_key(critic->seed, TB_STREAM_CRITIC_FIT, iteration, epoch));
    for (size_t i = 0; i < n; i++)
        critic->order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)(tb_rng_f64(&rng) * (double)i);
        uint32_t swap = critic->order[i - 1];
        critic->order[i - 1] = critic->order[j];
        critic->order[j] = swap;
    }
}

static tb_status fit_rows(tb_critic *critic, const tb_batch *batch, const uint32_t *rows, size_t n,
                          double rate, tb_error *error)
{
    // gather inputs, and targets in the network's units
    size_t row_bytes = critic->net.n_in * tb_dtype_size(critic->net.dtype);
    for (size_t i = 0; i < n; i++) {
        memcpy((char *)critic->x + i * row_bytes, (const char *)batch->x + rows[i] * row_bytes,
               row_bytes);
        critic->wanted[i] = (batch->target[rows[i]] - critic->shift) / critic->scale;
    }
    tb_fit_rows fit = {critic->out, critic->wanted, n};
    tb_status status =
        tb_net_batch_forward(critic->part, critic->x, n, store_outputs, critic->out, error);
    if (status == TB_OK)
        status = tb_net_batch_vjp(critic->part, loss_gradient, &fit, critic->gradient, error);
    if (status != TB_OK)
        return status;
    tb_adam_step(critic->net.theta, critic->gradient, critic->state, critic->net.n_params, rate);
    tb_net_set(&critic->net, critic->net.theta);
    return TB_OK;
}

static double mean_squared_error(const tb_critic *critic, const double *values,
                                 const double *targets, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (values[i] - targets[i]) / critic->scale;
        sum += d * d;
    }
    return sum / (double)n;
}

static void follow_targets(tb_critic *critic, const tb_batch *batch)
{
    for (size_t i = 0; i < batch->n_rows; i++)
        tb_moments_add(&critic->targets, &batch->target[i]);
    critic->shift = critic->targets.mean[0];
    critic->scale = tb_moments_std(&critic->targets, 0) + 1e-8;
}

tb_status tb_critic_fit(tb_critic *critic, const tb_learner_config *config, const tb_batch *batch,
                        uint64_t iteration, tb_iteration *log, tb_error *error)
{
    size_t n = batch->n_rows;
    log->value_mean = 0;
    for (size_t i = 0; i < n; i++)
        log->value_mean += batch->value[i] / (double)n;
    log->explained_variance_before = tb_explained_variance(batch->value, batch->target, n);
    if (config->critic_normalize_targets)
        follow_targets(critic, batch);
    log->critic_loss_before = mean_squared_error(critic, batch->value, batch->target, n);

    for (int64_t epoch = 0; epoch < config->critic_epochs; epoch++) {
        shuffle(critic, n, iteration, (uint64_t)epoch);
        for (size_t at = 0; at < n; at += critic->minibatch) {
            size_t rows = n - at < critic->minibatch ? n - at : critic->minibatch;
            tb_status status = fit_rows(critic, batch, critic->order + at, rows,
                                        config->critic_learning_rate, error);
            if (status != TB_OK)
                return status;
        }
    }
    tb_status status = tb_critic_values(critic, batch->x, n, critic->out, error);
    if (status != TB_OK)
        return status;
    log->critic_loss_after = mean_squared_error(critic, critic->out, batch->target, n);
    log->explained_variance_after = tb_explained_variance(critic->out, batch->target, n);
    if (!isfinite(log->critic_loss_after))
        return tb_fail(
            error, TB_E_NUMERIC,
            "the critic's fit diverged in iteration %llu (loss %g); lower critic_learning_rate",
            (unsigned long long)iteration, log->critic_loss_after);
    return TB_OK;
}
