/* SPDX-License-Identifier: MIT
 *
 * Sums, squares and norms with the bits of numpy, whose order of additions Gymnasium's rewards
 * inherit. Actions are float32, and with numpy 2 a float32 times a Python number stays float32:
 * a cost of actions is computed in float.
 */
#ifndef TB_MJ_SUMS_H
#define TB_MJ_SUMS_H

#include <stdint.h>

/* sum of x[i]^2, i < n: pairwise as numpy.sum does it, eight sums side by side up to 128 values. */
double tb_mj_square_sum(const double *x, uint64_t n);
float tb_mj_square_sum_f32(const float *x, uint64_t n);

/* The same of values limited to [low, high] (numpy.clip). */
double tb_mj_clipped_square_sum(const double *x, uint64_t n, double low, double high);

/* Length of (a - b) in 3D. The products are fused into the sum, as in the dot product that
 * numpy.linalg.norm() calls. */
double tb_mj_distance(const double a[3], const double b[3]);

/* numpy.clip(x, low, high): the upper bound wins. */
double tb_mj_clip(double x, double low, double high);

/* libm's pow(x, 2): what Python's x ** 2 computes. */
double tb_mj_pow2(double x);

#endif
