/* SPDX-License-Identifier: MIT */
#define MLP_LEVEL 3
#include "mlp_level.h"

const mlp_kernel_set mlp_kernels_v3 = LEVEL_KERNELS;
