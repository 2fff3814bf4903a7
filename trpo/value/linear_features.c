/* SPDX-License-Identifier: MIT
 *
 * The linear-feature baseline of Duan, Chen, Houthooft, Schulman and Abbeel 2016 (arXiv
 * 1604.06778): V = w'phi, phi = [o, o^2, t / 100, (t / 100)^2, (t / 100)^3, 1] of the inputs o and
 * the steps t done of the episode, with w by ridge least squares on each batch. w is 0 before the
 * first.
 */
#include <stdlib.h>
#include <string.h>

#include "trpo/linalg/least_squares.h"
#include "trpo/linalg/vec.h"
#include "trpo/value/critic.h"

typedef struct tb_linear_critic {
    size_t n_inputs, n_features; // I, K = 2 I + 4
    uint32_t dtype;
    double ridge;
    tb_least_squares system;
    double *weights; // [K]
    double *phi;     // [K]
} tb_linear_critic;

static void destroy(void *self)
{
    tb_linear_critic *critic = self;
    if (critic == NULL)
        return;
    tb_least_squares_finish(&critic->system);
    free(critic->weights);
    free(critic->phi);
    free(critic);
}

static tb_status create(const tb_critic_def *def, void **self, tb_error *error)
{
    tb_linear_critic *critic = tb_alloc(1, sizeof *critic);
    if (critic == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for the critic");
    critic->n_inputs = def->n_inputs;
    critic->n_features = 2 * def->n_inputs + 4;
    critic->dtype = def->dtype;
    critic->ridge = def->config->critic_ridge;
    critic->weights = tb_alloc(critic->n_features, sizeof(double));
    critic->phi = tb_alloc(critic->n_features, sizeof(double));
    tb_status status = critic->weights != NULL && critic->phi != NULL
                           ? tb_least_squares_init(&critic->system, critic->n_features, error)
                           : tb_fail(error, TB_E_NOMEM, "no memory for the critic");
    if (status == TB_OK)
        *self = critic;
    else
        destroy(critic);
    return status;
}

// critic->phi of one row
static const double *features(tb_linear_critic *critic, const void *x, double time)
{
    size_t n = critic->n_inputs;
    double *phi = critic->phi, t = time / 100;
    tb_from_native(critic->dtype, x, phi, n);
    for (size_t i = 0; i < n; i++)
        phi[n + i] = phi[i] * phi[i];
    phi[2 * n] = t;
    phi[2 * n + 1] = t * t;
    phi[2 * n + 2] = t * t * t;
    phi[2 * n + 3] = 1;
    return phi;
}

static tb_status values(void *self, const void *x, const double *time, size_t rows, double *out,
                        tb_error *error)
{
    (void)error;
    tb_linear_critic *critic = self;
    size_t row_bytes = critic->n_inputs * tb_dtype_size(critic->dtype);
    for (size_t i = 0; i < rows; i++)
        out[i] =
            tb_vec_dot(critic->weights, features(critic, (const char *)x + i * row_bytes, time[i]),
                       critic->n_features);
    return TB_OK;
}

static tb_status fit(void *self, const tb_batch *batch, uint64_t iteration, tb_error *error)
{
    (void)iteration;
    (void)error;
    tb_linear_critic *critic = self;
    tb_least_squares_clear(&critic->system, critic->ridge);
    for (size_t i = 0; i < batch->n_rows; i++)
        tb_least_squares_add(
            &critic->system,
            features(critic, (const char *)batch->x + i * batch->x_row_bytes, batch->time[i]),
            batch->target[i]);
    // targets that are not finite leave the weights; the loss tells of them
    tb_least_squares_solve(&critic->system, critic->weights);
    return TB_OK;
}

static double unit(const void *self)
{
    (void)self;
    return 1;
}

static const double *parameters(const void *self, size_t *n)
{
    const tb_linear_critic *critic = self;
    *n = critic->n_features;
    return critic->weights;
}

static void visit(void *self, tb_state_visitor *visitor)
{
    tb_linear_critic *critic = self;
    tb_state_visit(visitor, "critic", "theta", critic->weights,
                   critic->n_features * sizeof(double));
}

extern const tb_critic_kind tb_critic_linear_features;
const tb_critic_kind tb_critic_linear_features = {
    .id = "linear-features",
    .create = create,
    .destroy = destroy,
    .values = values,
    .fit = fit,
    .unit = unit,
    .parameters = parameters,
    .visit = visit,
};
