/* SPDX-License-Identifier: MIT
 *
 * The kernels that the host offers (include/trpo-bench/kernels.h), one set for each instruction set
 * level: x86-64-v4 (AVX-512) and x86-64-v3 (AVX2 and FMA) give the same bits; the baseline has no
 * fused multiply-add and differs in the last ones.
 */
#ifndef TRPO_LINALG_KERNELS_H
#define TRPO_LINALG_KERNELS_H

#include <trpo-bench/kernels.h>

#include "trpo/base/base.h"

/* The kernels of the level `isa` ("v4", "v3", "baseline"), or NULL: unknown, or not for this CPU.
 */
const tb_kernels *tb_kernels_level(const char *isa);

/* The best level that this CPU runs, or the one that the environment variable TRPO_BENCH_ISA names
 * (for tests). Chosen at the first call, the same for the whole process. TB_E_UNSUPPORTED when the
 * variable names no level of this CPU; *out is then NULL. */
tb_status tb_kernels_get(const tb_kernels **out, tb_error *error);

/* One table per level and element type, each from its own translation unit. */
extern const tb_kernels_table tb__kernels_baseline_f32, tb__kernels_baseline_f64;
extern const tb_kernels_table tb__kernels_v3_f32, tb__kernels_v3_f64;
extern const tb_kernels_table tb__kernels_v4_f32, tb__kernels_v4_f64;

#endif
