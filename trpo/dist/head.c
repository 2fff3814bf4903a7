/* SPDX-License-Identifier: MIT */
#include "trpo/dist/head.h"

#include <math.h>

const char *tb_distribution_name(int32_t distribution)
{
    static const char *const names[] = {
        "auto", "gaussian", "gaussian-state-std", "squashed-gaussian", "beta", "gsde"};
    TB_ASSERT(distribution >= TB_DISTRIBUTION_AUTO && distribution <= TB_DISTRIBUTION_GSDE);
    return names[distribution];
}

static const char *space_name(uint32_t kind)
{
    switch (kind) {
    case TB_SPACE_BOX: return "Box";
    case TB_SPACE_DISCRETE: return "Discrete";
    case TB_SPACE_MULTI_DISCRETE: return "MultiDiscrete";
    default: return "MultiBinary";
    }
}

static tb_status check_bounds(const tb_space *action, int32_t distribution, tb_error *error)
{
    for (size_t i = 0; i < action->count; i++) {
        double low = action->low[i], high = action->high[i];
        if (!(low < high) || !isfinite(high - low))
            return tb_fail(
                error, TB_E_UNSUPPORTED,
                "action_distribution = \"%s\" needs finite bounds with low < high; entry "
                "%zu of the Box action goes from %g to %g; use \"gaussian\"",
                tb_distribution_name(distribution), i, low, high);
    }
    return TB_OK;
}

static tb_status head_for_box(const tb_space *action, int32_t distribution, tb_head *out,
                              tb_error *error)
{
    size_t n = (size_t)action->count;
    *out = (tb_head){.n = n, .n_params = 2 * n, .n_action = n, .n_unif = n};
    switch (distribution) {
    case TB_DISTRIBUTION_GAUSSIAN_STATE_STD: out->api = &tb_head_gaussian_state_std; return TB_OK;
    case TB_DISTRIBUTION_SQUASHED_GAUSSIAN:
        out->api = &tb_head_squashed_gaussian;
        out->n_const = n;
        break;
    case TB_DISTRIBUTION_BETA: out->api = &tb_head_beta; break;
    case TB_DISTRIBUTION_GSDE:
        // the Gaussian, its log-std computed from the state
        out->api = &tb_head_gaussian;
        return TB_OK;
    default:
        out->api = &tb_head_gaussian;
        out->n_const = n;
        return TB_OK;
    }
    out->low = action->low;
    out->high = action->high;
    return check_bounds(action, distribution, error);
}

tb_status tb_head_for_space(const tb_space *action, int32_t distribution, tb_head *out,
                            tb_error *error)
{
    if (action->n_leaves != 1)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "the action has %llu leaves; policies can act on one leaf",
                       (unsigned long long)action->n_leaves);
    if (action->kind < TB_SPACE_BOX || action->kind > TB_SPACE_MULTI_BINARY)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "no distribution for actions of kind %u; there are Box (%u) to MultiBinary "
                       "(%u)",
                       action->kind, TB_SPACE_BOX, TB_SPACE_MULTI_BINARY);
    if (distribution != TB_DISTRIBUTION_AUTO && action->kind != TB_SPACE_BOX)
        return tb_fail(error, TB_E_UNSUPPORTED,
                       "action_distribution = \"%s\" is for Box actions, this environment's are "
                       "%s; use \"auto\"",
                       tb_distribution_name(distribution), space_name(action->kind));
    size_t n = (size_t)action->count, logits = 0;
    switch (action->kind) {
    case TB_SPACE_DISCRETE:
        n = (size_t)action->nvec[0];
        *out = (tb_head){
            .api = &tb_head_categorical, .n = n, .n_params = n, .n_action = 1, .n_unif = 1};
        return TB_OK;
    case TB_SPACE_MULTI_DISCRETE:
        for (size_t i = 0; i < n; i++)
            logits += (size_t)action->nvec[i];
        *out = (tb_head){.api = &tb_head_multi_categorical,
                         .n = n,
                         .n_params = logits,
                         .n_action = n,
                         .n_unif = n,
                         .counts = action->nvec};
        return TB_OK;
    case TB_SPACE_MULTI_BINARY:
        *out =
            (tb_head){.api = &tb_head_bernoulli, .n = n, .n_params = n, .n_action = n, .n_unif = n};
        return TB_OK;
    default: return head_for_box(action, distribution, out, error);
    }
}
