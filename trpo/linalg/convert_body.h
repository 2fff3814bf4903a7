/* SPDX-License-Identifier: MIT
 *
 * Plain loops that the compiler turns into vectors of the level that the file is compiled for
 * (convert_<level>.c, which sets TB_CONVERT_TABLE). Nothing here can be contracted or reordered.
 */
#include "trpo/linalg/convert.h"

static void to_float(const double *restrict from, float *restrict to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (float)from[i];
}

static void to_double(const float *restrict from, double *restrict to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (double)from[i];
}

static void add_float(const float *restrict from, double *restrict sum, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += (double)from[i];
}

static void add_double(const double *restrict from, double *restrict sum, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += from[i];
}

const tb_convert TB_CONVERT_TABLE = {to_float, to_double, add_float, add_double};
