/* SPDX-License-Identifier: MIT */
#include "trpo/sampling/presets.h"

// All of them: K = 4 actions of the policy, S = 1 trial, gamma = 0.99, common random numbers.
typedef struct tb_vine_preset {
    int64_t trunks, trunk_steps; // rollouts of the trunk, and their length
    int64_t states;              // N
    int64_t branch_steps;        // T
} tb_vine_preset;

static const tb_vine_preset presets[] = {
    {0},
    // Schulman et al. 2015, table 2; its 500 and 2500 Q-values a batch are N K
    {16, 1000, 125, 50},
    {16, 1000, 625, 100},
    {16, 1000, 625, 100},
    // the configurations in the authors' code of that time (rlreloaded, icml-*.yaml)
    {32, 1000, 200, 100},
    {32, 500, 1000, 100},
    {32, 1000, 5000, 100},
};

void tb_vine_preset_apply(tb_learner_config *config)
{
    size_t i = (size_t)config->vine_preset;
    TB_ASSERT(i < sizeof presets / sizeof presets[0]);
    if (i == 0)
        return;
    config->sampling = TB_SAMPLING_VINE;
    config->lanes = presets[i].trunks;
    config->batch_steps = presets[i].trunks * presets[i].trunk_steps;
    config->gamma = 0.99;
    config->vine_states = presets[i].states;
    config->vine_actions = 4;
    config->vine_trials = 1;
    config->vine_branch_steps = presets[i].branch_steps;
    config->vine_proposal = TB_VINE_POLICY;
    config->vine_common_random_numbers = 1;
}
