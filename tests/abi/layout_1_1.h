/* SPDX-License-Identifier: MIT
 *
 * What plugin ABI 1.1 appended to 1.0 (layout_1_0.h), frozen: the structs of "tb.env.tabular/1".
 * Never edited within major version 1. No part of TB_ABI_LAYOUT_CRC.
 */
#ifndef TESTS_ABI_LAYOUT_1_1_H
#define TESTS_ABI_LAYOUT_1_1_H

/* clang-format off */
#define TB_LAYOUT_1_1_STRUCTS(X) \
    X(tb_tabular, 88) \
    X(tb_env_tabular, 32)

#define TB_LAYOUT_1_1_FIELDS(X) \
    X(tb_tabular, struct_size, 0, 4) \
    X(tb_tabular, reserved0, 4, 4) \
    X(tb_tabular, n_states, 8, 8) \
    X(tb_tabular, n_actions, 16, 8) \
    X(tb_tabular, n_outcomes, 24, 8) \
    X(tb_tabular, first, 32, 8) \
    X(tb_tabular, next, 40, 8) \
    X(tb_tabular, probability, 48, 8) \
    X(tb_tabular, reward, 56, 8) \
    X(tb_tabular, terminated, 64, 8) \
    X(tb_tabular, start, 72, 8) \
    X(tb_tabular, observation, 80, 8) \
    X(tb_env_tabular, struct_size, 0, 4) \
    X(tb_env_tabular, reserved0, 4, 4) \
    X(tb_env_tabular, model, 8, 8) \
    X(tb_env_tabular, get, 16, 8) \
    X(tb_env_tabular, set, 24, 8)
/* clang-format on */

#endif
