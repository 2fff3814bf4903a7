/* SPDX-License-Identifier: MIT
 *
 * From an environment's packed observation to the inputs of a network: leaves one after another,
 * Box elements as numbers (normalised), categories as one-hot, binaries as 0 and 1.
 */
#ifndef TRPO_NET_FEATURES_H
#define TRPO_NET_FEATURES_H

#include <trpo-bench/env.h>

#include "trpo/base/state.h"

/* Running mean and variance of each of n numbers, merged exactly (Chan, Golub & LeVeque 1983). */
typedef struct tb_moments {
    size_t n;
    double count;
    double *mean; /* [n] */
    double *m2;   /* [n] sum of squared deviations */
} tb_moments;

tb_status tb_moments_init(tb_moments *moments, size_t n, tb_error *error);
void tb_moments_finish(tb_moments *moments);
void tb_moments_clear(tb_moments *moments);
void tb_moments_add(tb_moments *moments, const double *x);       /* one row x [n] */
void tb_moments_merge(tb_moments *into, const tb_moments *from); /* order matters for the bits */
double tb_moments_std(const tb_moments *moments,
                      size_t i); /* population; 1 when count < 2 or it is 0 */
void tb_moments_visit(tb_moments *moments, const char *part, tb_state_visitor *visitor);

typedef struct tb_features {
    size_t n_leaves;
    tb_space *leaves;  /* [n_leaves] */
    size_t n_features; /* I */
    size_t bytes;      /* of a packed observation */
} tb_features;

tb_status tb_features_init(tb_features *features, const tb_env_api *api, tb_env *env,
                           tb_error *error);
void tb_features_finish(tb_features *features);

/* x [I] in double, not normalised. Reentrant. */
void tb_features_expand(const tb_features *features, const void *observation, double *x);

/* What is subtracted from and divided out of each feature: statistics frozen for one batch and its
 * update. */
typedef struct tb_scaler {
    size_t n;
    double *shift, *scale; /* [n] x = (x - shift) * scale */
    double clip;           /* then clipped to +-clip; INFINITY = not */
} tb_scaler;

tb_status tb_scaler_init(tb_scaler *scaler, size_t n,
                         tb_error *error); /* changes nothing until frozen */
void tb_scaler_finish(tb_scaler *scaler);
/* Box features get mean and 1 / std of `moments`; others, and all while `moments` is empty, stay as
 * they are. */
void tb_scaler_freeze(tb_scaler *scaler, const tb_features *features, const tb_moments *moments,
                      double clip);
void tb_scaler_apply(const tb_scaler *scaler, double *x);
void tb_scaler_visit(tb_scaler *scaler, const char *part, tb_state_visitor *visitor);

#endif
