/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/vtrace.h"

#include <math.h>

void tb_vtrace(tb_batch *batch, const double *ratio, double gamma, double rho_bar, double c_bar)
{
    for (size_t lane = 0; lane < batch->lanes; lane++) {
        double next_value = batch->next_value[lane], next_target = next_value;
        for (size_t t = batch->steps; t-- > 0;) {
            size_t row = lane * batch->steps + t;
            if (tb_batch_ends(batch, row))
                next_target = next_value = tb_batch_value_behind(batch, row);
            double w = ratio != NULL ? ratio[row] : 1, value = batch->value[row];
            double rho = fmin(rho_bar, w), c = fmin(c_bar, w);
            double delta = rho * (batch->reward[row] + gamma * next_value - value);
            batch->advantage[row] = rho * (batch->reward[row] + gamma * next_target - value);
            batch->target[row] = value + delta + gamma * c * (next_target - next_value);
            next_target = batch->target[row];
            next_value = value;
        }
    }
}
