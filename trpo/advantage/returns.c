/* SPDX-License-Identifier: MIT */
#include "trpo/advantage/returns.h"

void tb_returns(tb_batch *batch, double gamma)
{
    for (size_t lane = 0; lane < batch->lanes; lane++) {
        double next = batch->next_value[lane];
        for (size_t t = batch->steps; t-- > 0;) {
            size_t row = lane * batch->steps + t;
            if (tb_batch_ends(batch, row))
                next = tb_batch_value_behind(batch, row);
            next = batch->reward[row] + gamma * next;
            batch->target[row] = next;
            batch->advantage[row] = next - batch->value[row];
        }
    }
}
