/* SPDX-License-Identifier: MIT */
#include "trpo/dist/enumerate.h"

// values that entry i of the action takes; 0 = any number
static size_t n_values(const tb_head *head, size_t i)
{
    if (head->api == &tb_head_categorical)
        return head->n;
    if (head->api == &tb_head_multi_categorical)
        return (size_t)head->counts[i];
    return head->api == &tb_head_bernoulli ? 2 : 0;
}

size_t tb_head_n_actions(const tb_head *head, size_t limit)
{
    size_t product = 1;
    for (size_t i = 0; i < head->n_action; i++) {
        size_t n = n_values(head, i);
        if (n > 0 && product > limit / n)
            return limit + 1;
        product *= n;
    }
    return product;
}

void tb_head_nth_action(const tb_head *head, size_t k, double *a)
{
    for (size_t i = head->n_action; i-- > 0;) {
        size_t n = n_values(head, i);
        TB_ASSERT(n > 0);
        a[i] = (double)(k % n);
        k /= n;
    }
}
