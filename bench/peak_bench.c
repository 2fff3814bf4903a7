/* SPDX-License-Identifier: MIT
 *
 * The multiply-add peak alone, for bench/cells: whoever measures other processes starts this beside
 * them.
 */
#include <stdio.h>

#include "bench/measure.h"
#include "bench/peak.h"
#include "trpo/linalg/kernels.h"

int main(int argc, char **argv)
{
    const bench_options options = bench_parse(argc, argv,
                                              "The multiply-add peak, on one core and on two: "
                                              "medians, GFLOP/s. Always JSON, without figures.");
    static double peaks[2][BENCH_MAX_ROUNDS];
    const tb_kernels *kernels = NULL;
    for (int round = 0; round < options.rounds; round++)
        for (int t = 0; t < 2; t++)
            peaks[t][round] = 1e-9 * bench_peak(t + 1, options.seconds);
    (void)tb_kernels_get(&kernels, NULL);
    printf("{\"isa\": \"%s\", \"compiler\": \"%s\", \"peak_gflops\": [%.1f, %.1f]}\n",
           kernels ? kernels->isa : "", __VERSION__, bench_median(peaks[0], options.rounds),
           bench_median(peaks[1], options.rounds));
    return 0;
}
