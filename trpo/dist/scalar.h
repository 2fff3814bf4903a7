/* SPDX-License-Identifier: MIT
 *
 * Functions of one number that several heads need.
 */
#ifndef TRPO_DIST_SCALAR_H
#define TRPO_DIST_SCALAR_H

#include <math.h>

/* log(1 + e^x), without overflow and with all digits for x << 0. */
static inline double tb__softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Its derivative 1 / (1 + e^-x); 1 - sigmoid(x) is sigmoid(-x). */
static inline double tb__sigmoid(double x)
{
    return 1 / (1 + exp(-x)); // an overflow of exp is the 0 that it should be
}

/* The middle of u's cell. u is a multiple of 2^-53 in [0, 1); the middle u + 2^-54 lies in (0, 1)
 * but is no double above 1/2, so there *upper is set and the distance from 1 is returned. In both
 * cases the result is in (0, 1/2]. */
static inline double tb__tail(double u, int *upper)
{
    *upper = !(u < 0.5);
    return *upper ? (1 - u) - 0x1p-54 : u + 0x1p-54;
}

#endif
