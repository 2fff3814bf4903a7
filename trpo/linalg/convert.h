/* SPDX-License-Identifier: MIT
 *
 * Between float and double, and sums of them, element by element at the CPU's full width: rounding
 * is the same at every level.
 */
#ifndef TRPO_LINALG_CONVERT_H
#define TRPO_LINALG_CONVERT_H

#include <stddef.h>

typedef struct tb_convert {
    void (*to_float)(const double *from, float *to, size_t n);
    void (*to_double)(const float *from, double *to, size_t n);
    void (*add_float)(const float *from, double *sum, size_t n);   /* sum += from */
    void (*add_double)(const double *from, double *sum, size_t n); /* sum += from */
} tb_convert;

/* Of the CPU's best level. Constant. */
const tb_convert *tb_convert_get(void);

extern const tb_convert tb__convert_baseline, tb__convert_v3, tb__convert_v4;

#endif
