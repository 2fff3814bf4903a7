/* SPDX-License-Identifier: MIT */
#if defined(__x86_64__)
#define TB_KERNELS_LEVEL 4
#define TB_KERNELS_BITS 64
#define TB_KERNELS_TABLE tb__kernels_v4_f64
#include "trpo/linalg/kernels_body.h"
#else
typedef int tb__no_kernels; // no such level here
#endif
