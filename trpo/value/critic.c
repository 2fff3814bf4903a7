/* SPDX-License-Identifier: MIT */
#include "trpo/value/critic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trpo/advantage/gae.h"

extern const tb_critic_kind tb_critic_network, tb_critic_linear_features, tb_critic_none;

const tb_critic_kind *tb_critic_kind_of(const tb_learner_config *config)
{
    // one row a kind, in the order of the option's choices
    static const tb_critic_kind *const kinds[] = {&tb_critic_network, &tb_critic_linear_features,
                                                  &tb_critic_none};
    TB_ASSERT(config->critic_kind >= 0 &&
              (size_t)config->critic_kind < sizeof kinds / sizeof kinds[0]);
    return kinds[config->critic_kind];
}

tb_status tb_critic_init(tb_critic *critic, const tb_critic_def *def, tb_error *error)
{
    *critic = (tb_critic){.kind = tb_critic_kind_of(def->config),
                          .max_rows = def->max_rows,
                          .x_row_bytes = def->n_inputs * tb_dtype_size(def->dtype),
                          .rollback = def->config->critic_rollback};
    tb_status status = critic->kind->create(def, &critic->self, error);
    if (status != TB_OK)
        return status;
    critic->out = tb_alloc(def->max_rows, sizeof(double));
    if (critic->out == NULL)
        status = tb_fail(error, TB_E_NOMEM, "no memory for the values of %zu rows", def->max_rows);
    if (status == TB_OK && critic->rollback) {
        size_t size = 0;
        tb_state_visitor counter = tb_state_counter(&size);
        tb_critic_visit(critic, &counter);
        status = tb_state_image_init(&critic->kept, size, error);
    }
    if (status != TB_OK)
        tb_critic_finish(critic);
    return status;
}

void tb_critic_finish(tb_critic *critic)
{
    if (critic->kind != NULL)
        critic->kind->destroy(critic->self);
    tb_state_image_finish(&critic->kept);
    free(critic->out);
    memset(critic, 0, sizeof *critic);
}

const double *tb_critic_parameters(const tb_critic *critic, size_t *n)
{
    return critic->kind->parameters(critic->self, n);
}

void tb_critic_visit(tb_critic *critic, tb_state_visitor *visitor)
{
    critic->kind->visit(critic->self, visitor);
}

tb_status tb_critic_values(tb_critic *critic, const void *x, const double *time, size_t rows,
                           double *values, tb_error *error)
{
    tb_status status = TB_OK;
    for (size_t at = 0; status == TB_OK && at < rows; at += critic->max_rows) {
        size_t n = rows - at < critic->max_rows ? rows - at : critic->max_rows;
        status = critic->kind->values(critic->self, (const char *)x + at * critic->x_row_bytes,
                                      time + at, n, values + at, error);
    }
    return status;
}

tb_status tb_critic_value(tb_critic *critic, tb_batch *batch, tb_error *error)
{
    const tb_critic_kind *kind = critic->kind;
    tb_status status =
        kind->values(critic->self, batch->x, batch->time, batch->n_rows, batch->value, error);
    // more than max_rows of them when nearly every row is truncated
    for (size_t at = 0; status == TB_OK && at < batch->n_finals; at += critic->max_rows) {
        size_t left = batch->n_finals - at,
               rows = left < critic->max_rows ? left : critic->max_rows;
        status = kind->values(critic->self, (const char *)batch->final_x + at * batch->x_row_bytes,
                              batch->final_time + at, rows, critic->out, error);
        for (size_t i = 0; status == TB_OK && i < rows; i++)
            tb_batch_put_final_value(batch, at + i, critic->out[i]);
    }
    return status;
}

static double mean_squared_error(const double *values, const double *targets, double unit, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (values[i] - targets[i]) / unit;
        sum += d * d;
    }
    return sum / (double)n;
}

static void roll_back(tb_critic *critic, tb_iteration *log)
{
    tb_state_visitor loader = tb_state_loader(&critic->kept);
    tb_critic_visit(critic, &loader);
    log->critic_loss_after = log->critic_loss_before;
    log->explained_variance_after = log->explained_variance_before;
    log->critic_rolled_back++;
}

tb_status tb_critic_fit(tb_critic *critic, const tb_batch *batch, uint64_t iteration,
                        tb_iteration *log, tb_error *error)
{
    size_t n = batch->n_rows;
    log->value_mean = 0;
    for (size_t i = 0; i < n; i++)
        log->value_mean += batch->value[i] / (double)n;
    log->explained_variance_before = tb_explained_variance(batch->value, batch->target, n);
    if (critic->rollback) {
        tb_state_visitor saver = tb_state_saver(&critic->kept);
        tb_critic_visit(critic, &saver);
    }

    tb_status status = critic->kind->fit(critic->self, batch, iteration, error);
    if (status == TB_OK)
        status = critic->kind->values(critic->self, batch->x, batch->time, n, critic->out, error);
    if (status != TB_OK)
        return status;
    // both in the unit of after the fit, so that they can be compared
    double unit = critic->kind->unit(critic->self);
    log->critic_loss_before = mean_squared_error(batch->value, batch->target, unit, n);
    log->critic_loss_after = mean_squared_error(critic->out, batch->target, unit, n);
    log->explained_variance_after = tb_explained_variance(critic->out, batch->target, n);
    if (!isfinite(log->critic_loss_before))
        return tb_fail(error, TB_E_NUMERIC,
                       "the critic's values or targets are not finite in iteration %llu (loss %g)",
                       (unsigned long long)iteration, log->critic_loss_before);
    if (critic->rollback && !(log->critic_loss_after <= log->critic_loss_before))
        roll_back(critic, log);
    if (!isfinite(log->critic_loss_after))
        return tb_fail(error, TB_E_NUMERIC,
                       "the critic's fit diverged in iteration %llu (loss %g); set "
                       "critic_rollback, or lower critic_learning_rate",
                       (unsigned long long)iteration, log->critic_loss_after);
    return TB_OK;
}
