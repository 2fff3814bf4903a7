/* SPDX-License-Identifier: MIT */
#include "trpo/linalg/convert.h"

#include "trpo/linalg/kernels.h"

const tb_convert *tb_convert_get(void)
{
    const tb_kernels *kernels;
#if defined(__x86_64__)
    if (tb_kernels_get(&kernels, NULL) == TB_OK && kernels->fused)
        return kernels->isa[1] == '4' ? &tb__convert_v4 : &tb__convert_v3;
#else
    (void)kernels;
#endif
    return &tb__convert_baseline;
}
