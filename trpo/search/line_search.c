/* SPDX-License-Identifier: MIT */
#include "trpo/search/line_search.h"

#include <math.h>

tb_update_end tb_line_search_judge(const tb_line_search *search, double fraction,
                                   const tb_trial *trial)
{
    if (!isfinite(trial->objective) || !isfinite(trial->kl))
        return TB_UPDATE_NON_FINITE;
    // written so that no NaN can pass
    if (!(trial->kl <= search->max_kl))
        return TB_UPDATE_KL_EXCEEDED;
    // improvement / (fraction * expected) > accept_ratio, without a quotient that may underflow
    double improvement = trial->objective - search->objective_old;
    if (!(improvement > search->accept_ratio * fraction * search->expected))
        return TB_UPDATE_NO_IMPROVEMENT;
    return TB_UPDATE_ACCEPTED;
}

tb_status tb_line_search_run(const tb_line_search *search, tb_trial_fn trial, void *ctx,
                             tb_line_search_result *result, tb_error *error)
{
    *result = (tb_line_search_result){.end = TB_UPDATE_NO_IMPROVEMENT};
    double fraction = 1;
    while (result->steps < search->max_steps) {
        tb_status status = trial(ctx, fraction, &result->last, error);
        if (status != TB_OK)
            return status;
        result->steps++;
        result->ratio =
            (result->last.objective - search->objective_old) / (fraction * search->expected);
        result->end = tb_line_search_judge(search, fraction, &result->last);
        if (result->end == TB_UPDATE_ACCEPTED) {
            result->fraction = fraction;
            break;
        }
        fraction *= search->shrink;
    }
    return TB_OK;
}
