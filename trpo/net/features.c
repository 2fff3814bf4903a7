/* SPDX-License-Identifier: MIT */
#include "trpo/net/features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

tb_status tb_moments_init(tb_moments *moments, size_t n, tb_error *error)
{
    *moments = (tb_moments){
        .n = n, .mean = tb_alloc(n, sizeof(double)), .m2 = tb_alloc(n, sizeof(double))};
    if (moments->mean != NULL && moments->m2 != NULL)
        return TB_OK;
    tb_moments_finish(moments);
    return tb_fail(error, TB_E_NOMEM, "no memory for the statistics of %zu numbers", n);
}

void tb_moments_finish(tb_moments *moments)
{
    free(moments->mean);
    free(moments->m2);
    memset(moments, 0, sizeof *moments);
}

void tb_moments_clear(tb_moments *moments)
{
    moments->count = 0;
    memset(moments->mean, 0, moments->n * sizeof(double));
    memset(moments->m2, 0, moments->n * sizeof(double));
}

void tb_moments_add(tb_moments *moments, const double *x)
{
    // Welford 1962
    moments->count += 1;
    for (size_t i = 0; i < moments->n; i++) {
        double d = x[i] - moments->mean[i];
        moments->mean[i] += d / moments->count;
        moments->m2[i] += d * (x[i] - moments->mean[i]);
    }
}

void tb_moments_merge(tb_moments *into, const tb_moments *from)
{
    if (from->count == 0)
        return;
    double total = into->count + from->count;
    // exactly 1 when `into` is empty: what is merged into nothing stays as it is
    double share = from->count / total;
    for (size_t i = 0; i < into->n; i++) {
        double d = from->mean[i] - into->mean[i];
        into->m2[i] += from->m2[i] + d * d * into->count * share;
        into->mean[i] += d * share;
    }
    into->count = total;
}

double tb_moments_std(const tb_moments *moments, size_t i)
{
    if (moments->count < 2)
        return 1;
    double std = sqrt(moments->m2[i] / moments->count);
    return std > 0 ? std : 1;
}

void tb_moments_visit(tb_moments *moments, const char *part, tb_state_visitor *visitor)
{
    tb_state_visit(visitor, part, "count", &moments->count, sizeof moments->count);
    tb_state_visit(visitor, part, "mean", moments->mean, moments->n * sizeof *moments->mean);
    tb_state_visit(visitor, part, "m2", moments->m2, moments->n * sizeof *moments->m2);
}

static size_t leaf_features(const tb_space *leaf)
{
    if (leaf->kind == TB_SPACE_BOX || leaf->kind == TB_SPACE_MULTI_BINARY)
        return (size_t)leaf->count;
    size_t n = 0;
    for (uint64_t i = 0; i < leaf->count; i++)
        n += (size_t)leaf->nvec[i];
    return n;
}

// what expanding would trip over
static tb_status check_leaf(const tb_space *leaf, size_t i, tb_error *error)
{
    int categories = leaf->kind == TB_SPACE_DISCRETE || leaf->kind == TB_SPACE_MULTI_DISCRETE;
    if (!categories && leaf->kind != TB_SPACE_BOX && leaf->kind != TB_SPACE_MULTI_BINARY)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "leaf %zu of the observation has the unknown kind %u", i, leaf->kind);
    for (uint64_t k = 0; categories && k < leaf->count; k++)
        if (leaf->nvec == NULL || leaf->nvec[k] < 1)
            return tb_fail(error, TB_E_INVALID,
                           "entry %llu of leaf %zu of the observation has no categories",
                           (unsigned long long)k, i);
    size_t size = leaf->dtype == TB_F64 ? 8 : leaf->dtype == TB_U8 ? 1 : 4;
    if (leaf->dtype < TB_F64 || leaf->dtype > TB_U8 || leaf->bytes / size < leaf->count)
        return tb_fail(error, TB_E_INVALID,
                       "leaf %zu of the observation has %llu elements of dtype %u in %llu bytes", i,
                       (unsigned long long)leaf->count, leaf->dtype,
                       (unsigned long long)leaf->bytes);
    return TB_OK;
}

tb_status tb_features_init(tb_features *features, const tb_env_api *api, tb_env *env,
                           tb_error *error)
{
    memset(features, 0, sizeof *features);
    tb_space first = {.struct_size = sizeof first};
    tb_status status = api->space(env, TB_SPACE_OBSERVATION, 0, &first);
    if (status != TB_OK)
        return tb_fail(error, status, "the environment does not tell its observation space (%s)",
                       api->last_error(env));
    features->n_leaves = (size_t)first.n_leaves;
    features->leaves = tb_alloc(features->n_leaves, sizeof *features->leaves);
    if (features->leaves == NULL)
        return tb_fail(error, TB_E_NOMEM, "no memory for an observation of %zu leaves",
                       features->n_leaves);
    for (size_t i = 0; i < features->n_leaves; i++) {
        tb_space *leaf = &features->leaves[i];
        leaf->struct_size = sizeof *leaf;
        status = api->space(env, TB_SPACE_OBSERVATION, (uint32_t)i, leaf);
        status = status == TB_OK
                     ? check_leaf(leaf, i, error)
                     : tb_fail(error, status,
                               "the environment does not tell leaf %zu of its observation", i);
        if (status != TB_OK) {
            tb_features_finish(features);
            return status;
        }
        features->n_features += leaf_features(leaf);
        size_t end = (size_t)(leaf->offset + leaf->bytes);
        if (end > features->bytes)
            features->bytes = end;
    }
    return TB_OK;
}

void tb_features_finish(tb_features *features)
{
    free(features->leaves);
    memset(features, 0, sizeof *features);
}

static double element(const tb_space *leaf, const void *observation, size_t i)
{
    const char *at = (const char *)observation + leaf->offset;
    switch (leaf->dtype) {
    case TB_F64: return ((const double *)(const void *)at)[i];
    case TB_F32: return (double)((const float *)(const void *)at)[i];
    case TB_I32: return (double)((const int32_t *)(const void *)at)[i];
    default: return (double)((const uint8_t *)at)[i];
    }
}

static double *expand_categories(const tb_space *leaf, const void *observation, double *x)
{
    for (size_t i = 0; i < leaf->count; i++) {
        size_t n = (size_t)leaf->nvec[i];
        double start = leaf->start != NULL ? (double)leaf->start[i] : 0;
        double index = element(leaf, observation, i) - start;
        for (size_t k = 0; k < n; k++)
            x[k] = (double)k == index;
        x += n;
    }
    return x;
}

void tb_features_expand(const tb_features *features, const void *observation, double *x)
{
    for (size_t l = 0; l < features->n_leaves; l++) {
        const tb_space *leaf = &features->leaves[l];
        if (leaf->kind == TB_SPACE_DISCRETE || leaf->kind == TB_SPACE_MULTI_DISCRETE) {
            x = expand_categories(leaf, observation, x);
            continue;
        }
        for (size_t i = 0; i < leaf->count; i++)
            *x++ = element(leaf, observation, i);
    }
}

tb_status tb_scaler_init(tb_scaler *scaler, size_t n, tb_error *error)
{
    *scaler = (tb_scaler){
        .n = n, .shift = tb_alloc(n, sizeof(double)), .scale = tb_alloc(n, sizeof(double))};
    if (scaler->shift == NULL || scaler->scale == NULL) {
        tb_scaler_finish(scaler);
        return tb_fail(error, TB_E_NOMEM, "no memory for the normalisation of %zu inputs", n);
    }
    for (size_t i = 0; i < n; i++)
        scaler->scale[i] = 1;
    scaler->clip = INFINITY;
    return TB_OK;
}

void tb_scaler_finish(tb_scaler *scaler)
{
    free(scaler->shift);
    free(scaler->scale);
    memset(scaler, 0, sizeof *scaler);
}

void tb_scaler_freeze(tb_scaler *scaler, const tb_features *features, const tb_moments *moments,
                      double clip)
{
    if (moments->count == 0)
        return;
    scaler->clip = clip;
    size_t at = 0;
    for (size_t l = 0; l < features->n_leaves; l++) {
        size_t n = leaf_features(&features->leaves[l]);
        for (size_t i = at; features->leaves[l].kind == TB_SPACE_BOX && i < at + n; i++) {
            scaler->shift[i] = moments->mean[i];
            // a constant input has deviation 1: it stays at 0
            scaler->scale[i] = 1 / (tb_moments_std(moments, i) + 1e-8);
        }
        at += n;
    }
}

void tb_scaler_apply(const tb_scaler *scaler, double *x)
{
    for (size_t i = 0; i < scaler->n; i++) {
        double z = (x[i] - scaler->shift[i]) * scaler->scale[i];
        x[i] = z > scaler->clip ? scaler->clip : z < -scaler->clip ? -scaler->clip : z;
    }
}

void tb_scaler_visit(tb_scaler *scaler, const char *part, tb_state_visitor *visitor)
{
    tb_state_visit(visitor, part, "shift", scaler->shift, scaler->n * sizeof *scaler->shift);
    tb_state_visit(visitor, part, "scale", scaler->scale, scaler->n * sizeof *scaler->scale);
    tb_state_visit(visitor, part, "clip", &scaler->clip, sizeof scaler->clip);
}
