/* SPDX-License-Identifier: MIT
 *
 * The most multiply-adds that this machine does: independent chains in registers, at the level of
 * vector instructions that the kernels use (trpo/linalg/kernels.h).
 */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

/* Floating-point operations a second, float32, of `threads` threads together, over about
 * `seconds`. 0 where it is not known (no x86-64). */
double bench_peak(int threads, double seconds);

#endif
