/* SPDX-License-Identifier: MIT
 *
 * Conservative policy iteration (Kakade & Langford 2002): the mixture
 *   pi_new = (1 - alpha) pi + alpha pi'   with pi' greedy.
 * Paper, eq. 6, with Abar(s) = sum_a pi'(a|s) A(s,a) and eps = max_s |Abar(s)|:
 *   eta(pi_new) >= L_pi(pi_new) - 2 eps gamma / (1 - gamma)^2 alpha^2,
 *   L_pi(pi_new) = eta + alpha sum_s rho(s) Abar(s),
 * which is largest at alpha = (1 - gamma)^2 sum rho Abar / (4 eps gamma), or at 1 if that is more.
 */
#include <math.h>
#include <string.h>

#include "trpo/linalg/vec.h"
#include "trpo/theory/algorithm.h"

enum { STEP_BOUND, STEP_REWARDS };

typedef struct tb_conservative_config {
    int32_t step;
    int32_t reserved;
} tb_conservative_config;

static const tb_option options[] = {
    {"mixture", TB_OPTION_ENUM, offsetof(tb_conservative_config, step), STEP_BOUND, 0, 0,
     "bound|rewards",
     "Where alpha comes from: the largest lower bound (paper, eq. 6), or the range of the rewards "
     "alone (Kakade & Langford 2002, corollary 4.2)."},
    {NULL, TB_OPTION_I64, 0, 0, 0, 0, NULL, NULL},
};

// sum_s rho(s) Abar(s), and eps
static double policy_advantage(const tb_exact *at, const double *greedy, double *eps)
{
    size_t n = at->mdp->n_actions;
    double sum = 0;
    *eps = 0;
    for (size_t s = 0; s < at->mdp->n_states; s++) {
        double shift = tb_vec_dot(greedy + s * n, at->advantage + s * n, n);
        sum += at->rho[s] * shift;
        *eps = fmax(*eps, fabs(shift));
    }
    return sum;
}

// Kakade & Langford scale returns by 1 - gamma: alpha = (1 - gamma) B / (4 R) with rewards in
// [0, R], B = (1 - gamma) sum_s (1 - gamma) rho(s) Abar(s)
static double alpha_of_rewards(const tb_mdp *mdp, double gain)
{
    double range = mdp->reward_high - mdp->reward_low, rest = 1 - mdp->gamma;
    return rest * rest * rest * gain / (4 * range);
}

static tb_status step(const void *config, const tb_exact *at, double *pi_new, double *work,
                      tb_exact_step *log, tb_error *error)
{
    (void)error;
    const tb_conservative_config *conservative = config;
    const tb_mdp *mdp = at->mdp;
    size_t pairs = mdp->n_states * mdp->n_actions;
    double *greedy = work, rest = 1 - mdp->gamma, eps;
    tb_greedy_policy(at, greedy);
    double gain = policy_advantage(at, greedy, &eps);
    memcpy(pi_new, at->pi, pairs * sizeof *pi_new);
    log->size = 0;
    log->promised = at->eta;
    // the greedy policy is no better: this one is optimal where it goes
    if (!(gain > 0))
        return TB_OK;
    double alpha = conservative->step == STEP_REWARDS ? alpha_of_rewards(mdp, gain)
                                                      : rest * rest * gain / (4 * eps * mdp->gamma);
    log->size = alpha = fmin(alpha, 1);
    log->promised = at->eta + alpha * gain - 2 * eps * mdp->gamma / (rest * rest) * alpha * alpha;
    for (size_t i = 0; i < pairs; i++)
        pi_new[i] = (1 - alpha) * at->pi[i] + alpha * greedy[i];
    return TB_OK;
}

const tb_exact_algorithm tb_exact_conservative = {
    .id = "conservative",
    .summary = "Conservative policy iteration: a mixture with the greedy policy (Kakade & Langford "
               "2002)",
    .step_name = "alpha",
    .config_size = sizeof(tb_conservative_config),
    .options = options,
    .monotonic = 1,
    .step = step,
};
