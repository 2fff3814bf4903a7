# SPDX-License-Identifier: MIT
"""Trains sb3_contrib.TRPO with the hyper-parameters of rl-baselines3-zoo (hyperparams/trpo.yml, the tuned v4 entries) on
Gymnasium's MuJoCo tasks, v5. Evaluation episodes start where Gymnasium's own seeding says (episodes.py)."""

import sys

import gymnasium

import episodes
import records
import sb3

DEFAULTS = dict(n_steps=1024, batch_size=128, gamma=0.99, gae_lambda=0.95, learning_rate=1e-3, n_critic_updates=20,
                cg_max_steps=25, cg_damping=0.1, sub_sampling_factor=1)
ZOO = {"Hopper-v5": DEFAULTS, "Walker2d-v5": DEFAULTS, "HalfCheetah-v5": dict(DEFAULTS, target_kl=0.04),
       "Ant-v5": DEFAULTS, "Swimmer-v5": dict(DEFAULTS, gamma=0.9999)}
DOMAIN = records.Domain("mujoco", tuple(ZOO), {task: 1_000_000 for task in ZOO},
                        {task: gymnasium.spec(task).reward_threshold for task in ZOO}, episodes.Seeded)


def train(run):
    sb3.learn(run, ZOO[run.task], normalized=True)


if __name__ == "__main__":
    sys.exit(records.main(__doc__, "sb3", train, DOMAIN))
