/* SPDX-License-Identifier: MIT
 *
 * A table as a network: y = sum_i x_i theta[i][.], theta [I][O] in double. Of one-hot inputs it is
 * row i of the table, so a policy is softmax logits theta(s, a) and a critic V(s): what theorems
 * are about, played by the code that trains networks.
 */
#ifndef TRPO_THEORY_TABLE_MAP_H
#define TRPO_THEORY_TABLE_MAP_H

#include <trpo-bench/policy.h>

#include "trpo/base/base.h"

/* A map that begins as `table` [spec->n_in][spec->n_out], which is copied. spec->dtype must be
 * TB_F64. TB_E_NOMEM. */
tb_status tb_table_map_create(const tb_map_spec *spec, const double *table, const tb_map_api **api,
                              tb_map **out, tb_error *error);

#endif
