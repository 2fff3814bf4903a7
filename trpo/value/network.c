/* SPDX-License-Identifier: MIT */
#include "trpo/value/network.h"

#include <stdlib.h>
#include <string.h>

#include "trpo/rng/streams.h"
#include "trpo/value/adam.h"

static void destroy(void *self)
{
    tb_network_critic *critic = self;
    if (critic == NULL)
        return;
    tb_net_batch_destroy(critic->whole);
    tb_net_batch_destroy(critic->part);
    tb_net_finish(&critic->net);
    tb_moments_finish(&critic->targets);
    tb_lbfgs_finish(&critic->lbfgs);
    free(critic->gradient);
    free(critic->out);
    free(critic->wanted);
    free(critic->inputs);
    free(critic->state);
    free(critic->x);
    free(critic->order);
    free(critic);
}

static tb_status init_adam(tb_network_critic *critic, const tb_critic_def *def, tb_error *error)
{
    const tb_learner_config *config = def->config;
    size_t size = tb_dtype_size(critic->net.dtype);
    critic->epochs = config->critic_epochs;
    critic->learning_rate = config->critic_learning_rate;
    critic->minibatch =
        config->critic_minibatch > 0 && (size_t)config->critic_minibatch < def->max_rows
            ? (size_t)config->critic_minibatch
            : def->max_rows;
    critic->state = tb_alloc(tb_adam_state_count(critic->net.n_params), sizeof(double));
    critic->x = tb_alloc(critic->minibatch * critic->net.n_in, size);
    critic->wanted = tb_alloc(critic->minibatch, sizeof(double));
    critic->order = tb_alloc(def->max_rows, sizeof *critic->order);
    if (!critic->state || !critic->x || !critic->wanted || !critic->order)
        return tb_fail(error, TB_E_NOMEM, "no memory for the critic");
    return tb_net_batch_create(&critic->net, critic->minibatch, &critic->part, error);
}

static tb_status init_lbfgs(tb_network_critic *critic, const tb_critic_def *def, tb_error *error)
{
    critic->iterations = def->config->critic_lbfgs_iterations;
    critic->wanted = tb_alloc(def->max_rows, sizeof(double));
    if (critic->wanted == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for the critic");
    return tb_lbfgs_init(&critic->lbfgs, critic->net.n_params,
                         (size_t)def->config->critic_lbfgs_history, error);
}

static tb_status init(tb_network_critic *critic, const tb_critic_def *def, tb_error *error)
{
    const tb_learner_config *config = def->config;
    critic->scale = 1;
    critic->seed = def->seed;
    critic->normalize_targets = config->critic_normalize_targets;
    critic->optimizer = config->critic_optimizer;
    critic->time_scale = def->time_scale;
    TB_ASSERT(def->spec->n_in == def->n_inputs + (size_t)config->critic_time_feature);
    tb_key key = tb_stream_key(def->seed, TB_STREAM_CRITIC_INIT, 0, 0);
    tb_status status = tb_net_init(&critic->net, def->api, def->map, def->spec, &key, error);
    if (status == TB_OK)
        status = tb_net_batch_create(&critic->net, def->max_rows, &critic->whole, error);
    if (status == TB_OK)
        status = tb_moments_init(&critic->targets, 1, error);
    if (status != TB_OK)
        return status;
    critic->gradient = tb_alloc(critic->net.n_params, sizeof(double));
    critic->out = tb_alloc(def->max_rows, sizeof(double));
    if (config->critic_time_feature)
        critic->inputs =
            tb_alloc(def->max_rows * critic->net.n_in, tb_dtype_size(critic->net.dtype));
    if (!critic->gradient || !critic->out || (config->critic_time_feature && !critic->inputs))
        return tb_fail(error, TB_E_NOMEM, "no memory for the critic");
    return critic->optimizer == TB_OPTIMIZER_LBFGS ? init_lbfgs(critic, def, error)
                                                   : init_adam(critic, def, error);
}

static tb_status create(const tb_critic_def *def, void **self, tb_error *error)
{
    tb_network_critic *critic = tb_alloc(1, sizeof *critic);
    if (critic == NULL) {
        def->api->destroy(def->map);
        return tb_fail(error, TB_E_NOMEM, "no memory for the critic");
    }
    tb_status status = init(critic, def, error);
    if (status == TB_OK)
        *self = critic;
    else
        destroy(critic);
    return status;
}

/* ---- values ---- */

// the network's inputs: x itself, or x with the time behind each row
static const void *network_inputs(tb_network_critic *critic, const void *x, const double *time,
                                  size_t rows)
{
    if (critic->inputs == NULL)
        return x;
    size_t size = tb_dtype_size(critic->net.dtype), row_bytes = critic->net.n_in * size;
    for (size_t i = 0; i < rows; i++) {
        char *row = (char *)critic->inputs + i * row_bytes;
        double scaled = time[i] * critic->time_scale;
        memcpy(row, (const char *)x + i * (row_bytes - size), row_bytes - size);
        tb_to_native(critic->net.dtype, &scaled, row + row_bytes - size, 1);
    }
    return critic->inputs;
}

static void store_outputs(void *ctx, size_t shard, size_t begin, size_t end, const double *in,
                          double *out)
{
    (void)shard;
    (void)out;
    memcpy((double *)ctx + begin, in, (end - begin) * sizeof *in);
}

static tb_status values(void *self, const void *x, const double *time, size_t rows, double *out,
                        tb_error *error)
{
    tb_network_critic *critic = self;
    tb_status status = tb_net_batch_forward(critic->whole, network_inputs(critic, x, time, rows),
                                            rows, store_outputs, out, error);
    for (size_t i = 0; status == TB_OK && i < rows; i++)
        out[i] = critic->shift + critic->scale * out[i];
    return status;
}

/* ---- the fit ---- */

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
static void shuffle(tb_network_critic *critic, size_t n, uint64_t iteration, uint64_t epoch)
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

// one step of Adam on `n` rows of x [N][inputs]
static tb_status fit_rows(tb_network_critic *critic, const void *x, const double *target,
                          const uint32_t *rows, size_t n, tb_error *error)
{
    // gather inputs, and targets in the network's units
    size_t row_bytes = critic->net.n_in * tb_dtype_size(critic->net.dtype);
    for (size_t i = 0; i < n; i++) {
        memcpy((char *)critic->x + i * row_bytes, (const char *)x + rows[i] * row_bytes, row_bytes);
        critic->wanted[i] = (target[rows[i]] - critic->shift) / critic->scale;
    }
    tb_fit_rows fit = {critic->out, critic->wanted, n};
    tb_status status =
        tb_net_batch_forward(critic->part, critic->x, n, store_outputs, critic->out, error);
    if (status == TB_OK)
        status = tb_net_batch_vjp(critic->part, loss_gradient, &fit, critic->gradient, error);
    if (status != TB_OK)
        return status;
    tb_adam_step(critic->net.theta, critic->gradient, critic->state, critic->net.n_params,
                 critic->learning_rate);
    tb_net_set(&critic->net, critic->net.theta);
    return TB_OK;
}

static tb_status fit_adam(tb_network_critic *critic, const void *x, const tb_batch *batch,
                          uint64_t iteration, tb_error *error)
{
    size_t n = batch->n_rows;
    for (int64_t epoch = 0; epoch < critic->epochs; epoch++) {
        shuffle(critic, n, iteration, (uint64_t)epoch);
        for (size_t at = 0; at < n; at += critic->minibatch) {
            size_t rows = n - at < critic->minibatch ? n - at : critic->minibatch;
            tb_status status = fit_rows(critic, x, batch->target, critic->order + at, rows, error);
            if (status != TB_OK)
                return status;
        }
    }
    return TB_OK;
}

typedef struct tb_whole_fit {
    tb_network_critic *critic;
    const void *x; // [N][inputs]
    size_t n;
} tb_whole_fit;

// mean (output - wanted)^2 of the whole batch at theta, and its gradient
static tb_status whole_loss(void *ctx, const double *theta, double *loss, double *gradient,
                            tb_error *error)
{
    const tb_whole_fit *fit = ctx;
    tb_network_critic *critic = fit->critic;
    tb_net_set(&critic->net, theta);
    tb_fit_rows rows = {critic->out, critic->wanted, fit->n};
    tb_status status =
        tb_net_batch_forward(critic->whole, fit->x, fit->n, store_outputs, critic->out, error);
    if (status == TB_OK)
        status = tb_net_batch_vjp(critic->whole, loss_gradient, &rows, gradient, error);
    *loss = 0;
    for (size_t i = 0; i < fit->n; i++) {
        double d = critic->out[i] - critic->wanted[i];
        *loss += d * d / (double)fit->n;
    }
    return status;
}

static tb_status fit_lbfgs(tb_network_critic *critic, const void *x, const tb_batch *batch,
                           tb_error *error)
{
    size_t n = batch->n_rows;
    for (size_t i = 0; i < n; i++)
        critic->wanted[i] = (batch->target[i] - critic->shift) / critic->scale;
    tb_whole_fit fit = {critic, x, n};
    memcpy(critic->gradient, critic->net.theta, critic->net.n_params * sizeof(double));
    tb_status status = tb_lbfgs_minimize(&critic->lbfgs, whole_loss, &fit, critic->gradient,
                                         critic->iterations, error);
    tb_net_set(&critic->net, critic->gradient);
    return status;
}

static void follow_targets(tb_network_critic *critic, const tb_batch *batch)
{
    for (size_t i = 0; i < batch->n_rows; i++)
        tb_moments_add(&critic->targets, &batch->target[i]);
    critic->shift = critic->targets.mean[0];
    critic->scale = tb_moments_std(&critic->targets, 0) + 1e-8;
}

static tb_status fit(void *self, const tb_batch *batch, uint64_t iteration, tb_error *error)
{
    tb_network_critic *critic = self;
    if (critic->normalize_targets)
        follow_targets(critic, batch);
    const void *x = network_inputs(critic, batch->x, batch->time, batch->n_rows);
    return critic->optimizer == TB_OPTIMIZER_LBFGS ? fit_lbfgs(critic, x, batch, error)
                                                   : fit_adam(critic, x, batch, iteration, error);
}

/* ---- the rest of the table ---- */

static double unit(const void *self)
{
    return ((const tb_network_critic *)self)->scale;
}

static const double *parameters(const void *self, size_t *n)
{
    const tb_network_critic *critic = self;
    *n = critic->net.n_params;
    return critic->net.theta;
}

static void visit(void *self, tb_state_visitor *visitor)
{
    tb_network_critic *critic = self;
    tb_net_visit(&critic->net, "critic", visitor);
    tb_moments_visit(&critic->targets, "critic_targets", visitor);
    tb_state_visit(visitor, "critic", "shift", &critic->shift, sizeof critic->shift);
    tb_state_visit(visitor, "critic", "scale", &critic->scale, sizeof critic->scale);
    if (critic->optimizer == TB_OPTIMIZER_ADAM)
        tb_state_visit(visitor, "critic", "adam", critic->state,
                       tb_adam_state_count(critic->net.n_params) * sizeof(double));
}

extern const tb_critic_kind tb_critic_network;
const tb_critic_kind tb_critic_network = {
    .id = "network",
    .needs_map = 1,
    .create = create,
    .destroy = destroy,
    .values = values,
    .fit = fit,
    .unit = unit,
    .parameters = parameters,
    .visit = visit,
};
