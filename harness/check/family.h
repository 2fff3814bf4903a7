/* SPDX-License-Identifier: MIT
 *
 * Tests that live in files of their own but belong to the table of a family.
 */
#ifndef HARNESS_CHECK_FAMILY_H
#define HARNESS_CHECK_FAMILY_H

#include "harness/check/fixture.h"

/* environment.c: bytes that this process has allocated */
size_t tb_check_allocated_bytes(void);

/* action.c */
void tb_check_actions(tb_check *c);
void tb_check_action_buffer(tb_check *c);
void tb_check_denormals(tb_check *c);

/* tabular.c: whether a model says that steps have nothing random; 0 when there is no model */
int tb_check_steps_are_fixed(const tb_check_env *e);

/* params.c */
void tb_check_env_params(tb_check *c);
void tb_check_policy_params(tb_check *c);

/* policy_numbers.c */
void tb_check_adjoint(tb_check *c);
void tb_check_differences(tb_check *c);
void tb_check_linear(tb_check *c);
void tb_check_fisher(tb_check *c);
void tb_check_influence(tb_check *c);
void tb_check_precisions(tb_check *c);

#endif
