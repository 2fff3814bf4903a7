/* SPDX-License-Identifier: MIT */
#define MLP_LEVEL 4
#include "mlp_level.h"

const mlp_kernel_set mlp_kernels_v4 = LEVEL_KERNELS;
