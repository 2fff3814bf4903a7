/* SPDX-License-Identifier: MIT */
#define TB_KERNELS_LEVEL 1
#define TB_KERNELS_BITS 64
#define TB_KERNELS_TABLE tb__kernels_baseline_f64
#include "trpo/linalg/kernels_body.h"
