/* SPDX-License-Identifier: MIT */
#define MLP_LEVEL 1
#include "mlp_level.h"

const mlp_kernel_set mlp_kernels_baseline = LEVEL_KERNELS;
