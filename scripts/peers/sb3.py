# SPDX-License-Identifier: MIT
"""Trains sb3_contrib.TRPO with the hyper-parameters of rl-baselines3-zoo (hyperparams/trpo.yml) on the five classic
tasks, and evaluates it on the starts of trpo-bench."""

import sys
import time

import torch
from sb3_contrib import TRPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

import records

# two environments each; what is not here has the default of sb3_contrib
ZOO = {
    "CartPole-v1": dict(n_steps=512, batch_size=512, cg_damping=1e-3, gae_lambda=0.98, gamma=0.99, learning_rate=1e-3,
                        n_critic_updates=20),
    "Acrobot-v1": dict(n_steps=1024),
    "MountainCar-v0": dict(n_steps=1024, n_critic_updates=20),
    "Pendulum-v1": dict(n_steps=1024, n_critic_updates=15, gamma=0.9, use_sde=True, sde_sample_freq=4),
    "MountainCarContinuous-v0": dict(use_sde=True, sde_sample_freq=4),
}
NORMALIZED = ("Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0")
N_ENVS = 2


class Recorder(BaseCallback):
    """Sees a rollout begin, every step, and the rollout's end; what lies between a rollout's end and the next one's
    beginning is the update."""

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.sample_s = 0.0

    def act(self, observations):
        # VecNormalize's statistics as they are now, without this batch being added to them
        normalizer = self.model.get_vec_normalize_env()
        if normalizer is not None:
            observations = normalizer.normalize_obs(observations)
        return self.model.predict(observations, deterministic=True)[0]

    def end_iteration(self):
        now, cpu = time.perf_counter(), time.process_time()
        self.run.iteration(self.num_timesteps, self.sample_s, now - self.sampled, cpu - self.cpu)

    def _on_rollout_start(self):
        step = self.num_timesteps
        if step > 0:
            self.end_iteration()
        eval_s = self.run.evaluate_if_due(step, self.act)
        if step > 0:
            self.run.end_iteration(eval_s)
        self.began, self.cpu = time.perf_counter(), time.process_time()

    def _on_step(self):
        for lane, info in enumerate(self.locals["infos"]):
            if "episode" in info:
                self.run.episode(self.num_timesteps, lane, info["episode"]["r"], info["episode"]["l"])
        return True

    def _on_rollout_end(self):
        self.sampled = time.perf_counter()
        self.sample_s = self.sampled - self.began


def learn(run, settings, normalized):
    torch.set_num_threads(1)
    env = make_vec_env(run.task, n_envs=N_ENVS, seed=run.seed)
    if normalized:
        # the zoo scales rewards by the spread of the return that the algorithm maximises
        env = VecNormalize(env, gamma=settings.get("gamma", 0.99))
    model = TRPO("MlpPolicy", env, seed=run.seed, device="cpu", **settings)
    recorder = Recorder(run)
    model.learn(run.steps, callback=recorder, log_interval=None)
    recorder.end_iteration()
    run.finish(model.num_timesteps, recorder.act)


def train(run):
    learn(run, ZOO[run.task], run.task in NORMALIZED)


if __name__ == "__main__":
    sys.exit(records.main(__doc__, "sb3", train))
