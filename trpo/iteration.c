/* SPDX-License-Identifier: MIT */
#include "trpo/iteration.h"

#include <math.h>

#include "trpo/base/base.h"

const char *tb_update_end_name(tb_update_end end)
{
    static const char *const names[TB_UPDATE_END_COUNT] = {
        "none",       "accepted",      "no_improvement", "kl_exceeded",
        "non_finite", "zero_gradient", "bad_curvature",
    };
    TB_ASSERT((int)end >= 0 && end < TB_UPDATE_END_COUNT);
    return names[end];
}

void tb_iteration_clear(tb_iteration *log)
{
#define TB_CLEAR_I(name) log->name = 0;
#define TB_CLEAR_F(name) log->name = NAN;
#define TB_CLEAR_E(name) log->name = TB_UPDATE_NONE;
#define TB_CLEAR(kind, name, meaning) TB_CLEAR_##kind(name)
    TB_ITERATION_COLUMNS(TB_CLEAR)
}
