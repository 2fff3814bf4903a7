/* SPDX-License-Identifier: MIT
 *
 * No critic: V = 0 everywhere, also where an episode was truncated and at the end of a batch, as if
 * nothing followed. Advantages are then sums of rewards.
 */
#include <string.h>

#include "trpo/value/critic.h"

static tb_status create(const tb_critic_def *def, void **self, tb_error *error)
{
    (void)def, (void)error;
    *self = NULL;
    return TB_OK;
}

static void destroy(void *self)
{
    (void)self;
}

static tb_status values(void *self, const void *x, const double *time, size_t rows, double *out,
                        tb_error *error)
{
    (void)self, (void)x, (void)time, (void)error;
    memset(out, 0, rows * sizeof *out);
    return TB_OK;
}

static tb_status fit(void *self, const tb_batch *batch, uint64_t iteration, tb_error *error)
{
    (void)self, (void)batch, (void)iteration, (void)error;
    return TB_OK;
}

static double unit(const void *self)
{
    (void)self;
    return 1;
}

static const double *parameters(const void *self, size_t *n)
{
    static const double nothing;
    (void)self;
    *n = 0;
    return &nothing;
}

static void visit(void *self, tb_state_visitor *visitor)
{
    (void)self, (void)visitor;
}

extern const tb_critic_kind tb_critic_none;
const tb_critic_kind tb_critic_none = {
    .id = "none",
    .create = create,
    .destroy = destroy,
    .values = values,
    .fit = fit,
    .unit = unit,
    .parameters = parameters,
    .visit = visit,
};
