/* SPDX-License-Identifier: MIT */
#define TB_KERNELS_LEVEL 1
#define TB_KERNELS_BITS 32
#define TB_KERNELS_TABLE tb__kernels_baseline_f32
#include "trpo/linalg/kernels_body.h"
