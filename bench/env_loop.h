/* SPDX-License-Identifier: MIT
 *
 * An environment's physics without the plugin ABI: the yardstick of env_bench.c.
 */
#ifndef BENCH_ENV_LOOP_H
#define BENCH_ENV_LOOP_H

#include <stdint.h>

enum { tb_loop_lanes = 64 };

typedef struct tb_loop {
    const char *id; /* "classic/CartPole-v1" */
    /* Steps tb_loop_lanes lanes `steps` times each with the actions of `table` (`rows` rows of
     * tb_loop_lanes actions of 4 bytes, again and again). Lanes that end, or reach `limit` steps,
     * start the next episode. Returns the sum of all rewards. */
    double (*run)(uint64_t steps, const void *table, uint64_t rows, uint64_t limit);
} tb_loop;

#endif
