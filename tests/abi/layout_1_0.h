/* SPDX-License-Identifier: MIT
 *
 * The layout of plugin ABI 1.0, frozen: every field of every struct with its offset and size in
 * bytes on a 64-bit machine. Never edited within major version 1; fields that a later minor version
 * appends get a file of their own. frozen_1_0_test.c asserts it and computes TB_ABI_LAYOUT_CRC from
 * it.
 */
#ifndef TESTS_ABI_LAYOUT_1_0_H
#define TESTS_ABI_LAYOUT_1_0_H

/* clang-format off */
#define TB_LAYOUT_1_0_STRUCTS(X) \
    X(tb_key, 16) \
    X(tb_host, 48) \
    X(tb_params, 64) \
    X(tb_param_info, 56) \
    X(tb_params_schema, 24) \
    X(tb_entry, 64) \
    X(tb_space, 152) \
    X(tb_env_desc, 64) \
    X(tb_step, 16) \
    X(tb_env_api, 56) \
    X(tb_env_factory, 32) \
    X(tb_env_snapshot, 48) \
    X(tb_env_state_vector, 40) \
    X(tb_env_vec, 88) \
    X(tb_map_spec, 64) \
    X(tb_map_api, 88) \
    X(tb_map_factory, 40)

#define TB_LAYOUT_1_0_FIELDS(X) \
    X(tb_key, w, 0, 16) \
    X(tb_host, struct_size, 0, 4) \
    X(tb_host, abi_minor, 4, 4) \
    X(tb_host, ctx, 8, 8) \
    X(tb_host, name, 16, 8) \
    X(tb_host, version, 24, 8) \
    X(tb_host, log, 32, 8) \
    X(tb_host, get_extension, 40, 8) \
    X(tb_params, struct_size, 0, 4) \
    X(tb_params, reserved0, 4, 4) \
    X(tb_params, ctx, 8, 8) \
    X(tb_params, get_i64, 16, 8) \
    X(tb_params, get_f64, 24, 8) \
    X(tb_params, get_bool, 32, 8) \
    X(tb_params, get_str, 40, 8) \
    X(tb_params, get_f64_array, 48, 8) \
    X(tb_params, get_i64_array, 56, 8) \
    X(tb_param_info, struct_size, 0, 4) \
    X(tb_param_info, type, 4, 4) \
    X(tb_param_info, key, 8, 8) \
    X(tb_param_info, doc, 16, 8) \
    X(tb_param_info, default_text, 24, 8) \
    X(tb_param_info, choices, 32, 8) \
    X(tb_param_info, low, 40, 8) \
    X(tb_param_info, high, 48, 8) \
    X(tb_params_schema, struct_size, 0, 4) \
    X(tb_params_schema, reserved0, 4, 4) \
    X(tb_params_schema, count, 8, 8) \
    X(tb_params_schema, get, 16, 8) \
    X(tb_entry, magic, 0, 8) \
    X(tb_entry, struct_size, 8, 4) \
    X(tb_entry, abi_major, 12, 4) \
    X(tb_entry, abi_minor, 16, 4) \
    X(tb_entry, min_host_minor, 20, 4) \
    X(tb_entry, layout_crc, 24, 4) \
    X(tb_entry, cpu_required, 28, 4) \
    X(tb_entry, build, 32, 8) \
    X(tb_entry, init, 40, 8) \
    X(tb_entry, deinit, 48, 8) \
    X(tb_entry, get_factory, 56, 8) \
    X(tb_space, struct_size, 0, 4) \
    X(tb_space, kind, 4, 4) \
    X(tb_space, dtype, 8, 4) \
    X(tb_space, ndim, 12, 4) \
    X(tb_space, shape, 16, 64) \
    X(tb_space, count, 80, 8) \
    X(tb_space, low, 88, 8) \
    X(tb_space, high, 96, 8) \
    X(tb_space, nvec, 104, 8) \
    X(tb_space, start, 112, 8) \
    X(tb_space, name, 120, 8) \
    X(tb_space, n_leaves, 128, 8) \
    X(tb_space, offset, 136, 8) \
    X(tb_space, bytes, 144, 8) \
    X(tb_env_desc, struct_size, 0, 4) \
    X(tb_env_desc, flags, 4, 4) \
    X(tb_env_desc, id, 8, 8) \
    X(tb_env_desc, summary, 16, 8) \
    X(tb_env_desc, reference, 24, 8) \
    X(tb_env_desc, max_episode_steps, 32, 8) \
    X(tb_env_desc, reward_threshold, 40, 8) \
    X(tb_env_desc, return_random, 48, 8) \
    X(tb_env_desc, return_ref, 56, 8) \
    X(tb_step, struct_size, 0, 4) \
    X(tb_step, flags, 4, 4) \
    X(tb_step, reward, 8, 8) \
    X(tb_env_api, struct_size, 0, 4) \
    X(tb_env_api, reserved0, 4, 4) \
    X(tb_env_api, destroy, 8, 8) \
    X(tb_env_api, space, 16, 8) \
    X(tb_env_api, reset, 24, 8) \
    X(tb_env_api, step, 32, 8) \
    X(tb_env_api, last_error, 40, 8) \
    X(tb_env_api, get_extension, 48, 8) \
    X(tb_env_factory, struct_size, 0, 4) \
    X(tb_env_factory, reserved0, 4, 4) \
    X(tb_env_factory, count, 8, 8) \
    X(tb_env_factory, describe, 16, 8) \
    X(tb_env_factory, create, 24, 8) \
    X(tb_env_snapshot, struct_size, 0, 4) \
    X(tb_env_snapshot, scope, 4, 4) \
    X(tb_env_snapshot, max_bytes, 8, 8) \
    X(tb_env_snapshot, save, 16, 8) \
    X(tb_env_snapshot, load, 24, 8) \
    X(tb_env_snapshot, rekey, 32, 8) \
    X(tb_env_snapshot, observe, 40, 8) \
    X(tb_env_state_vector, struct_size, 0, 4) \
    X(tb_env_state_vector, reserved0, 4, 4) \
    X(tb_env_state_vector, count, 8, 8) \
    X(tb_env_state_vector, name, 16, 8) \
    X(tb_env_state_vector, get, 24, 8) \
    X(tb_env_state_vector, set, 32, 8) \
    X(tb_env_vec, struct_size, 0, 4) \
    X(tb_env_vec, scope, 4, 4) \
    X(tb_env_vec, create, 8, 8) \
    X(tb_env_vec, destroy, 16, 8) \
    X(tb_env_vec, reset, 24, 8) \
    X(tb_env_vec, step, 32, 8) \
    X(tb_env_vec, last_error, 40, 8) \
    X(tb_env_vec, max_bytes, 48, 8) \
    X(tb_env_vec, save, 56, 8) \
    X(tb_env_vec, load, 64, 8) \
    X(tb_env_vec, rekey, 72, 8) \
    X(tb_env_vec, observe, 80, 8) \
    X(tb_map_spec, struct_size, 0, 4) \
    X(tb_map_spec, dtype, 4, 4) \
    X(tb_map_spec, n_in, 8, 8) \
    X(tb_map_spec, n_out, 16, 8) \
    X(tb_map_spec, n_const_out, 24, 8) \
    X(tb_map_spec, in_shape, 32, 8) \
    X(tb_map_spec, in_ndim, 40, 8) \
    X(tb_map_spec, const_init, 48, 8) \
    X(tb_map_spec, out_gain, 56, 8) \
    X(tb_map_api, struct_size, 0, 4) \
    X(tb_map_api, reserved0, 4, 4) \
    X(tb_map_api, destroy, 8, 8) \
    X(tb_map_api, n_params, 16, 8) \
    X(tb_map_api, block, 24, 8) \
    X(tb_map_api, init, 32, 8) \
    X(tb_map_api, ws_bytes, 40, 8) \
    X(tb_map_api, forward, 48, 8) \
    X(tb_map_api, jvp, 56, 8) \
    X(tb_map_api, vjp, 64, 8) \
    X(tb_map_api, explain, 72, 8) \
    X(tb_map_api, get_extension, 80, 8) \
    X(tb_map_factory, struct_size, 0, 4) \
    X(tb_map_factory, dtypes, 4, 4) \
    X(tb_map_factory, count, 8, 8) \
    X(tb_map_factory, id, 16, 8) \
    X(tb_map_factory, summary, 24, 8) \
    X(tb_map_factory, create, 32, 8)
/* clang-format on */

#endif
