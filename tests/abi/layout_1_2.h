/* SPDX-License-Identifier: MIT
 *
 * What plugin ABI 1.2 appended to 1.1 (layout_1_1.h), frozen: the structs of "tb.env.render/1".
 * Never edited within major version 1. No part of TB_ABI_LAYOUT_CRC.
 */
#ifndef TESTS_ABI_LAYOUT_1_2_H
#define TESTS_ABI_LAYOUT_1_2_H

/* clang-format off */
#define TB_LAYOUT_1_2_STRUCTS(X) \
    X(tb_render_info, 24) \
    X(tb_env_render, 48)

#define TB_LAYOUT_1_2_FIELDS(X) \
    X(tb_render_info, struct_size, 0, 4) \
    X(tb_render_info, reserved0, 4, 4) \
    X(tb_render_info, width, 8, 4) \
    X(tb_render_info, height, 12, 4) \
    X(tb_render_info, steps_per_second, 16, 8) \
    X(tb_env_render, struct_size, 0, 4) \
    X(tb_env_render, reserved0, 4, 4) \
    X(tb_env_render, info, 8, 8) \
    X(tb_env_render, create, 16, 8) \
    X(tb_env_render, destroy, 24, 8) \
    X(tb_env_render, frame, 32, 8) \
    X(tb_env_render, last_error, 40, 8)
/* clang-format on */

#endif
