# SPDX-License-Identifier: MIT
"""Trains tianshou's TRPO with the settings of its own benchmark (examples/mujoco/mujoco_trpo.py) on the five classic
tasks, and evaluates it on the starts of trpo-bench. tianshou has no settings for these tasks; discount and lambda are
those of rl-baselines3-zoo, so that all programs maximise the same thing."""

import functools
import sys
import time
import warnings

import gymnasium
import numpy as np
import torch
from tianshou.algorithm import TRPO
from tianshou.algorithm.modelfree.reinforce import DiscreteActorPolicy, ProbabilisticActorPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory, LRSchedulerFactoryLinear
from tianshou.data import Batch, Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv, VectorEnvNormObs
from tianshou.utils.net.common import Net
from tianshou.utils.net.continuous import ContinuousActorProbabilistic, ContinuousCritic
from tianshou.utils.net.discrete import DiscreteActor, DiscreteCritic
from tianshou.utils.torch_utils import policy_within_training_step
from torch.distributions import Independent, Normal

import records

N_ENVS, BATCH = 16, 1024
LEARNING_RATE, CRITIC_ITERATIONS, MAX_KL = 1e-3, 20, 0.01
HIDDEN = (64, 64)
GAMMA = {"Pendulum-v1": 0.9}
LAMBDA = {"CartPole-v1": 0.98}


def gaussian(loc_scale):
    loc, scale = loc_scale
    return Independent(Normal(loc, scale), 1)


def network(env):
    return Net(state_shape=env.observation_space.shape, hidden_sizes=HIDDEN, activation=torch.nn.Tanh)


def make_policy(env):
    """The policy and the critic with the example's initial values."""
    if isinstance(env.action_space, gymnasium.spaces.Discrete):
        actor = DiscreteActor(preprocess_net=network(env), action_shape=env.action_space.n, softmax_output=False)
        critic = DiscreteCritic(preprocess_net=network(env))
        last = actor.last
    else:
        actor = ContinuousActorProbabilistic(preprocess_net=network(env), action_shape=env.action_space.shape,
                                             unbounded=True)
        critic = ContinuousCritic(preprocess_net=network(env))
        torch.nn.init.constant_(actor.sigma_param, -0.5)
        last = actor.mu
    linear = [m for m in [*actor.modules(), *critic.modules()] if isinstance(m, torch.nn.Linear)]
    for layer in linear:
        torch.nn.init.orthogonal_(layer.weight, gain=np.sqrt(2))
        torch.nn.init.zeros_(layer.bias)
    # the policy begins near the middle of its actions
    for layer in last.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.weight.data.copy_(0.01 * layer.weight.data)
    if isinstance(env.action_space, gymnasium.spaces.Discrete):
        return DiscreteActorPolicy(actor=actor, action_space=env.action_space), critic
    return ProbabilisticActorPolicy(actor=actor, dist_fn=gaussian, action_space=env.action_space, action_scaling=True,
                                    action_bound_method="clip"), critic


class Lanes:
    """Counts steps and returns of the training environments, which are all stepped together."""

    def __init__(self, run):
        self.run, self.step = run, 0
        self.returns, self.lengths = np.zeros(N_ENVS), np.zeros(N_ENVS, int)

    def __call__(self, action_batch, rollout_batch):
        self.step += N_ENVS
        self.returns += rollout_batch.rew
        self.lengths += 1
        for lane in np.flatnonzero(rollout_batch.done):
            self.run.episode(self.step, lane, self.returns[lane], self.lengths[lane])
            self.returns[lane] = self.lengths[lane] = 0


def act(policy, envs, observations):
    """The distribution's mode, under the statistics of the training environments as they are now."""
    with torch.no_grad():
        mode = policy(Batch(obs=envs.get_obs_rms().norm(observations), info={})).dist.mode
    return policy.map_action(mode.numpy())


def train(run):
    # of every step of the line search; and that a policy without bounds has the bound 1
    warnings.filterwarnings("ignore", message="(Backtracking|Line search|action_scaling and)")
    torch.set_num_threads(1)
    np.random.seed(run.seed)
    torch.manual_seed(run.seed)
    envs = VectorEnvNormObs(DummyVectorEnv([functools.partial(gymnasium.make, run.task) for _ in range(N_ENVS)]))
    envs.seed(run.seed)
    policy, critic = make_policy(gymnasium.make(run.task))
    optim = AdamOptimizerFactory(lr=LEARNING_RATE).with_lr_scheduler_factory(
        LRSchedulerFactoryLinear(max_epochs=1, epoch_num_steps=run.steps, collection_step_num_env_steps=BATCH))
    algorithm = TRPO(policy=policy, critic=critic, optim=optim, max_kl=MAX_KL, optim_critic_iters=CRITIC_ITERATIONS,
                     gamma=GAMMA.get(run.task, 0.99), gae_lambda=LAMBDA.get(run.task, 0.95), return_scaling=True)
    lanes = Lanes(run)
    collector = Collector(policy, envs, VectorReplayBuffer(BATCH, N_ENVS), on_step_hook=lanes)
    collector.reset()
    mode = functools.partial(act, policy, envs)
    run.evaluate_if_due(0, mode)
    while lanes.step < run.steps:
        began, cpu = time.perf_counter(), time.process_time()
        with policy_within_training_step(policy):
            collector.collect(n_step=BATCH)
            sampled = time.perf_counter()
            algorithm.update(buffer=collector.buffer, batch_size=None, repeat=1)
            collector.reset_buffer(keep_statistics=True)
        run.iteration(lanes.step, sampled - began, time.perf_counter() - sampled, time.process_time() - cpu)
        if lanes.step < run.steps:
            run.end_iteration(run.evaluate_if_due(lanes.step, mode))
    run.finish(lanes.step, mode)


if __name__ == "__main__":
    sys.exit(records.main(__doc__, "tianshou", train))
