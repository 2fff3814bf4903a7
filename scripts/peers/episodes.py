# SPDX-License-Identifier: MIT
"""Evaluation episodes on Gymnasium's environments, time limit included, raw rewards."""

import gymnasium
import numpy as np


class Seeded:
    """Episodes that Gymnasium's own seeding starts: episode e of run s is `reset(seed=1000000 p + 1000 s + e)`, where p
    is 6 for evaluations under way and 7 for the one at the end (keys.py). Training environments have seeds s, s + 1, ...,
    so no evaluation repeats a training episode."""

    def __init__(self, options, task):
        self.task, self.envs = task, []

    def env(self, i):
        while len(self.envs) <= i:
            self.envs.append(gymnasium.make(self.task, disable_env_checker=True))
        return self.envs[i]

    def reset(self, i, seed, purpose, episode):
        """Puts environment i at the start of an episode; returns the observation."""
        if not (0 <= seed < 1000 and 0 <= episode < 1000):
            raise ValueError(f"seed {seed} and episode {episode} must lie below 1000, or starts would repeat")
        return self.env(i).reset(seed=1_000_000 * purpose + 1000 * seed + episode)[0]

    def play(self, act, seed, purpose, n):
        """Return and length of episodes 0 to n - 1; act maps rows of observations to rows of actions."""
        observations = np.stack([self.reset(i, seed, purpose, i) for i in range(n)])
        returns, lengths, running = np.zeros(n), np.zeros(n, int), list(range(n))
        while running:
            actions = act(observations[running])
            still = []
            for action, i in zip(actions, running):
                observations[i], reward, terminated, truncated, _ = self.envs[i].step(action)
                returns[i] += float(reward)
                lengths[i] += 1
                if not (terminated or truncated):
                    still.append(i)
            running = still
        return returns, lengths
