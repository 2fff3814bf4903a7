/* SPDX-License-Identifier: MIT */
#include "trpo/dist/head.h"

tb_status tb_head_for_space(const tb_space *action, tb_head *out, tb_error *error)
{
    if (action->n_leaves != 1)
        return tb_fail(
            error, TB_E_UNSUPPORTED,
            "the action has %llu leaves; policies can act on one Discrete or one Box leaf",
            (unsigned long long)action->n_leaves);
    size_t n = (size_t)action->count;
    switch (action->kind) {
    case TB_SPACE_DISCRETE:
        n = (size_t)action->nvec[0];
        *out = (tb_head){&tb_head_categorical, n, n, 0, 1, 1};
        return TB_OK;
    case TB_SPACE_BOX: *out = (tb_head){&tb_head_gaussian, n, 2 * n, n, n, n}; return TB_OK;
    default:
        return tb_fail(
            error, TB_E_UNSUPPORTED,
            "no distribution for actions of kind %u; supported are Discrete (%u) and Box (%u)",
            action->kind, TB_SPACE_DISCRETE, TB_SPACE_BOX);
    }
}
