/* SPDX-License-Identifier: MIT
 *
 * The state-value function V(s): what every kind of critic has in common - the values of a batch,
 * the log of a fit, its roll-back. A kind is one table; a new one is one new file and one row in
 * critic.c.
 *
 * Legend: N rows, I inputs of a row (the policy's), F final observations.
 */
#ifndef TRPO_VALUE_CRITIC_H
#define TRPO_VALUE_CRITIC_H

#include "trpo/base/state.h"
#include "trpo/config.h"
#include "trpo/iteration.h"
#include "trpo/net/net.h"
#include "trpo/sampling/batch.h"

/* What a critic is made from. */
typedef struct tb_critic_def {
    const tb_learner_config *config; /* read while the critic is made */
    size_t n_inputs;                 /* I */
    uint32_t dtype;                  /* of the inputs */
    size_t max_rows;                 /* of a batch */
    double time_scale;               /* what one step of an episode adds to the time feature */
    uint64_t seed;
    /* the network of a kind that needs one, with I inputs, one more with critic_time_feature, and
     * one output; taken over */
    const tb_map_api *api;
    tb_map *map;
    const tb_map_spec *spec;
} tb_critic_def;

/* One kind. `self` is what create made. */
typedef struct tb_critic_kind {
    const char *id; /* the suite's `critic_kind` */
    int needs_map;
    tb_status (*create)(const tb_critic_def *def, void **self, tb_error *error);
    void (*destroy)(void *self); /* takes NULL */
    /* values [rows] of x [rows][I] after `time` [rows] steps of their episodes; rows <= max_rows */
    tb_status (*values)(void *self, const void *x, const double *time, size_t rows, double *values,
                        tb_error *error);
    /* fits batch->target; `iteration` names what is random */
    tb_status (*fit)(void *self, const tb_batch *batch, uint64_t iteration, tb_error *error);
    /* what an error of 1 in the logged loss is in value units */
    double (*unit)(const void *self);
    const double *(*parameters)(const void *self, size_t *n);
    void (*visit)(void *self, tb_state_visitor *visitor);
} tb_critic_kind;

typedef struct tb_critic {
    const tb_critic_kind *kind;
    void *self;
    size_t max_rows;
    size_t x_row_bytes;
    double *out;         /* [max_rows] */
    int rollback;        /* a fit that made things worse is undone */
    tb_state_image kept; /* the critic before the fit, with rollback */
} tb_critic;

/* The kind that a configuration asks for. */
const tb_critic_kind *tb_critic_kind_of(const tb_learner_config *config);

/* Makes a critic of the configuration's kind. The map is taken over in any case. */
tb_status tb_critic_init(tb_critic *critic, const tb_critic_def *def, tb_error *error);
void tb_critic_finish(tb_critic *critic);

/* values [rows] of x [rows][I] after time [rows] steps of their episodes; any number of rows. */
tb_status tb_critic_values(tb_critic *critic, const void *x, const double *time, size_t rows,
                           double *values, tb_error *error);

/* Fills value, final_value and next_value of a sampled batch. */
tb_status tb_critic_value(tb_critic *critic, tb_batch *batch, tb_error *error);

/* Fits batch->target and fills the critic part of *log. With rollback, a fit that leaves a larger
 * mean squared error on the batch than batch->value has, or none that is finite, leaves the critic
 * as it was to the last bit, and is counted in log->critic_rolled_back; without, an error that is
 * not finite is TB_E_NUMERIC. Targets that are not finite always are. */
tb_status tb_critic_fit(tb_critic *critic, const tb_batch *batch, uint64_t iteration,
                        tb_iteration *log, tb_error *error);

/* Parameters in force, [*n]; a critic that has none gives n = 0. */
const double *tb_critic_parameters(const tb_critic *critic, size_t *n);

void tb_critic_visit(tb_critic *critic, tb_state_visitor *visitor);

#endif
