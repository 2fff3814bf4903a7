#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Records models and traces of Gymnasium's tabular environments into this folder; README.md explains the files.

Run it with the Gymnasium whose environments are wanted: 1.4.0 records everything but Taxi-v3, 1.2.3 records Taxi-v3.
"""

import os
import random
import sys

import gymnasium

HERE = os.path.dirname(os.path.abspath(__file__))
CUSTOM = dict(desc=["SFHFS", "FFFGF", "HFSFF"], success_rate=0.7, reward_schedule=(5, -1, -0.01))
MODELS_1_4 = {
    "FrozenLake-v1": ("FrozenLake-v1", {}),
    "FrozenLake-v1.dry": ("FrozenLake-v1", dict(is_slippery=False)),
    "FrozenLake-v1.custom": ("FrozenLake-v1", CUSTOM),
    "FrozenLake8x8-v1": ("FrozenLake8x8-v1", {}),
    "CliffWalking-v1": ("CliffWalking-v1", {}),
    "CliffWalkingSlippery-v1": ("CliffWalkingSlippery-v1", {}),
    "Taxi-v4": ("Taxi-v4", {}),
    "Taxi-v4.rainy": ("Taxi-v4", dict(is_rainy=True)),
    "Taxi-v4.fickle": ("Taxi-v4", dict(is_rainy=True, rainy_probability=0.7, fickle_passenger=True)),
}
MODELS_1_2 = {
    "Taxi-v3": ("Taxi-v3", {}),
    "Taxi-v3.rainy": ("Taxi-v3", dict(is_rainy=True)),
}
TRACES = {
    "FrozenLake-v1.dry": ("FrozenLake-v1", dict(is_slippery=False)),
    "CliffWalking-v1": ("CliffWalking-v1", {}),
    "Taxi-v4": ("Taxi-v4", {}),
}


class Script:
    """Stands in for the random numbers of one step: uniform ones in turn, then the k-th choice."""

    def __init__(self, uniform, k):
        self.uniform, self.k, self.choices = uniform, k, 0

    def random(self):
        return self.uniform

    def choice(self, among):
        self.choices = len(among)
        return among[self.k]


def fickle_outcomes(env, state, action):
    """What a step of an undecided passenger leads to, found by letting Gymnasium step once for each random outcome."""
    below = 0.0
    for probability, *_ in env.P[state][action]:
        k, choices = 0, 1
        while k < choices:
            script = Script(below + probability / 2, k)
            env.s, env.fickle_step, env.np_random = state, True, script
            seen, reward, terminated, _, _ = env.step(action)
            choices = max(script.choices, 1)
            yield probability / choices, seen + 500 * int(env.fickle_step), reward, terminated
            k += 1
        below += probability


def model_rows(env, fickle):
    if not fickle:
        for state, probability in enumerate(env.initial_state_distrib):
            if probability != 0:
                yield "start", state, "", float(probability), "", "", ""
    for state in env.P:
        if fickle and state // 4 % 5 != 4:
            continue  # without a passenger in the taxi nothing differs
        for action in env.P[state]:
            outcomes = fickle_outcomes(env, state, action) if fickle else env.P[state][action]
            for probability, after, reward, terminated in outcomes:
                yield "step", state + 500 * fickle, action, float(probability), int(after), float(reward), int(terminated)


def write(name, header, rows):
    with open(os.path.join(HERE, name), "w") as out:
        out.write(header + "\n")
        for row in rows:
            out.write(",".join(repr(x) if isinstance(x, float) else str(x) for x in row) + "\n")


def trace_action(env, name, state, actions, episode):
    """Random, but for a purpose: some episodes reach their end."""
    if "Taxi" in name:
        mask = env.unwrapped.action_mask(state)
        return 4 if mask[4] else actions.choice([a for a in range(6) if mask[a] or actions.random() < 0.05])
    if "Cliff" in name and episode >= 3 and actions.random() < 0.8:
        return 2 if state % 12 == 11 else 1 if state < 36 else 0  # down at the east end, else along the cliff
    return actions.randrange(4)


def trace_rows(env, name):
    actions = random.Random(name)
    for episode in range(6):
        state, _ = env.reset(seed=episode)
        yield "R", episode, 0, "", state, state, "", 0, 0
        for t in range(1, 201):
            action = trace_action(env, name, state, actions, episode)
            state, reward, terminated, truncated, _ = env.step(action)
            yield "S", episode, t, action, state, state, float(reward), int(terminated), int(truncated)
            if terminated or truncated:
                break


def main():
    version = gymnasium.__version__
    models = {"1.4.0": MODELS_1_4, "1.2.3": MODELS_1_2}.get(version)
    if models is None:
        sys.exit(f"Gymnasium 1.4.0 or 1.2.3 is needed, not {version}")
    for name, (gym_id, options) in models.items():
        env = gymnasium.make(gym_id, **options).unwrapped
        write(name + ".csv", "kind,state,action,probability,next,reward,terminated",
              model_rows(env, options.get("fickle_passenger", False)))
    if version == "1.4.0":
        for name, (gym_id, options) in TRACES.items():
            write(name + ".trace.csv", "kind,episode,t,action,s0,obs0,reward,terminated,truncated",
                  trace_rows(gymnasium.make(gym_id, **options), name))


if __name__ == "__main__":
    main()
