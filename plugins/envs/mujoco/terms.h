/* SPDX-License-Identifier: MIT
 *
 * Extension of this plugin's environments: the parts of the last reward, under the names and with
 * the signs that Gymnasium gives them in `info`.
 */
#ifndef TB_MJ_TERMS_H
#define TB_MJ_TERMS_H

#include <trpo-bench/env.h>

#define TB_MJ_EXT_TERMS "mujoco.reward-terms/1"
typedef struct tb_mj_terms {
    uint32_t struct_size;
    uint32_t reserved0;
    const char *(*name)(tb_env *, uint64_t i); /* NULL behind the last one */
    double (*get)(tb_env *, uint64_t i);       /* of the last step(); 0 before the first */
} tb_mj_terms;

#endif
