/* SPDX-License-Identifier: MIT
 *
 * From a task's rows to values, and to params-schema/1.
 */
#ifndef TB_MJ_PARAMS_H
#define TB_MJ_PARAMS_H

#include "task.h"

/* Reads every row; the first failure counts. *out is zeroed first. model_sha256 stays empty unless
 * the host gave one. `file_sha256` is asked for the hash of the model file, once xml_file and model
 * are known, and recorded as the value in force of model_sha256; NULL: none can be had. */
tb_status tb_mj_params_read(const tb_mj_task *task, const tb_params *source,
                            const char *(*file_sha256)(void *ctx, const tb_mj_params *p), void *ctx,
                            tb_mj_params *out, char *err, uint64_t err_cap);

/* Number of rows; 0 for task = NULL. */
uint32_t tb_mj_params_count(const tb_mj_task *task);
tb_status tb_mj_params_get(const tb_mj_task *task, uint32_t i, tb_param_info *out);

/* Hash of all values but the names of files. */
uint64_t tb_mj_params_hash(const tb_mj_params *p);

#endif
