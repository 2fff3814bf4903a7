/* SPDX-License-Identifier: MIT
 *
 * Generalised state-dependent exploration (gSDE: Raffin, Kober and Stulp 2021, arXiv 2005.05719): a
 * Gaussian policy whose noise is a linear function of features of the state,
 *
 *     a_j = mean_j(s) + sum_k z_k(s) sigma_kj eps_kj + sqrt(floor) eps_Hj,   eps ~ N(0, 1),
 *
 * where eps is drawn now and then and held in between, so that within a stretch the action is a
 * smooth function of the state. z(s) are the features that the policy architecture's last layer
 * reads ("tb.map.features/1"), sigma_kj = exp(l_kj) are parameters. Given s alone the action is
 * Gaussian (their section 3.2), with
 *
 *     log_std_j(s) = log(sum_k z_k(s)^2 exp(2 l_kj) + floor) / 2.
 *
 * That is what likelihoods, KL and the Fisher metric are of: none of them knows that eps was held.
 *
 * The construct is a map over a map: the architecture, made with l as its constant outputs, inside;
 * (mean, log_std), what the Gaussian head reads, outside. In the derivatives of log_std the
 * features are data: l gets a gradient by way of it, the layers below do not. *Rationale:* as
 * stable-baselines3 does by default (learn_features = False); else the features would be bent to
 * scale noise. The Fisher matrix is the exact one of that family.
 *
 * Legend: B rows, A actions, H features, P parameters of the architecture.
 *   z [B][H]    l, sigma [H][A]    eps [H + 1][A]
 */
#ifndef TRPO_NET_GSDE_H
#define TRPO_NET_GSDE_H

#include <trpo-bench/policy.h>

#include "trpo/base/base.h"

/* The floor of the variance, as in stable-baselines3. The noise has it too, as if of one more
 * feature, sqrt(floor), with deviation 1: the likelihood is that of the sampled action. */
#define TB_GSDE_FLOOR 1e-6

/* H of an architecture. TB_E_UNSUPPORTED when it has no "tb.map.features/1", TB_E_INVALID when that
 * is not usable. */
tb_status tb_gsde_features(const tb_map_api *api, const tb_map *map, size_t *n_features,
                           tb_error *error);

/* Makes the map x -> (mean, log_std) [B][2 A] of `map`, whose outputs are (mean, l) [B][A + H A],
 * l constant, l_kj at A + k A + j; `spec` is what it was made with. Takes `map` over, on failure
 * too. The parameters are those of `map`. */
tb_status tb_gsde_create(const tb_map_api *api, tb_map *map, const tb_map_spec *spec,
                         const tb_map_api **out_api, tb_map **out, tb_error *error);

/* noise [A] of row `row` at the last forward() of `ws`, which had `batch` rows, for eps
 * [H + 1][A]. `map` is one of tb_gsde_create. */
void tb_gsde_noise(const tb_map *map, const void *ws, size_t batch, size_t row, const double *eps,
                   double *noise);

#endif
