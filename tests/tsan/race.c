/* SPDX-License-Identifier: MIT
 *
 * Wrong on purpose: threads add to one variable with nothing between them. The thread sanitizer
 * must say so.
 */
#include <stdio.h>

int main(void)
{
    double total = 0;
#pragma omp parallel for schedule(static, 1)
    for (int i = 0; i < 1000; i++)
        total += i; // no reduction clause: the race
    printf("total %g\n", total);
    return 0;
}
