/* SPDX-License-Identifier: MIT */
#include "trpo/update/algorithm.h"

#include <string.h>

extern const tb_algorithm tb_algorithm_trpo, tb_algorithm_npg, tb_algorithm_vpg;

// one row an algorithm
static const tb_algorithm *const algorithms[] = {&tb_algorithm_trpo, &tb_algorithm_npg,
                                                 &tb_algorithm_vpg};

const tb_algorithm *const *tb_algorithms(size_t *n)
{
    *n = sizeof algorithms / sizeof algorithms[0];
    return algorithms;
}

const tb_algorithm *tb_algorithm_find(const char *id)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++)
        if (strcmp(algorithms[i]->id, id) == 0)
            return algorithms[i];
    return NULL;
}
