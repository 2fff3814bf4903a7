/* SPDX-License-Identifier: MIT
 *
 * Named sets of vine options: the settings of published experiments. A preset takes the place of
 * the options' defaults; whatever a suite says wins.
 */
#ifndef TRPO_SAMPLING_PRESETS_H
#define TRPO_SAMPLING_PRESETS_H

#include "trpo/config.h"

/* The choices of the option `vine_preset`; the first is none. */
#define TB_VINE_PRESETS                                                                            \
    "none|paper-swimmer|paper-hopper|paper-walker|icml-cartpole|icml-swimmer|icml-locomotion"

/* Sets what preset number config->vine_preset says: lanes, batch_steps, gamma and the vine_ options
 * it is about. The number stays. */
void tb_vine_preset_apply(tb_learner_config *config);

#endif
