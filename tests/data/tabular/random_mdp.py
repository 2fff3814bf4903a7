#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""RandomMDP-v0 written a second time, from plugins/envs/random_mdp/README.md alone: its output is what the plugin must make."""

import os

HERE = os.path.dirname(os.path.abspath(__file__))
MASK = 0xFFFFFFFF


def philox(key, counter):
    """Philox4x32-10: two 64-bit words of a 128-bit counter."""
    k = [key & MASK, key >> 32]
    c = [counter >> 32 * i & MASK for i in range(4)]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & MASK, a >> 32 ^ c[3] ^ k[1], a & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c[0] | c[1] << 32, c[2] | c[3] << 32


class Stream:
    def __init__(self, seed, label):
        self.key = philox(seed, 0x4741524E4554 << 64 | 1 << 63 | label)
        self.n = 0

    def word(self, i):
        return philox(self.key[0], self.key[1] << 64 | i >> 1)[i & 1]

    def uniform(self):
        self.n += 1
        return (self.word(self.n - 1) >> 11) * 2.0 ** -53


def rows(states, actions, branching, reward_share, terminal_share, start, seed):
    n_terminal = min(int(terminal_share * states + 0.5), states - 1)
    live = states - n_terminal
    weights = [1.0] * live if start == "uniform" else [1.0] if start == "single" else \
        [1 - (Stream(seed, 0).word(2 * s) >> 11) * 2.0 ** -53 for s in range(live)]
    total = 0.0
    for weight in weights:
        total += weight
    for s, weight in enumerate(weights):
        yield "start", s, "", weight / total, "", "", ""
    b = min(branching, states)
    for s in range(states):
        for a in range(actions):
            stream = Stream(seed, 1 + s * actions + a)
            after = []
            for top in range(states - b, states):
                drawn = int(stream.uniform() * (top + 1))
                after.append(top if drawn in after else drawn)
            cuts = [0.0] + sorted(stream.uniform() for _ in range(b - 1)) + [1.0]
            reward = -1 + 2 * stream.uniform() if stream.uniform() < reward_share else 0.0
            for i in range(b):
                yield "step", s, a, cuts[i + 1] - cuts[i], after[i], reward, int(after[i] >= live)


def main():
    for name, keys in {
        "RandomMDP-v0": (50, 4, 3, 0.2, 0.1, "uniform", 0),
        "RandomMDP-v0.other": (5, 2, 9, 0.5, 0.3, "random", 9007199254740992),
    }.items():
        with open(os.path.join(HERE, name + ".csv"), "w") as out:
            out.write("kind,state,action,probability,next,reward,terminated\n")
            for row in rows(*keys):
                out.write(",".join(repr(x) if isinstance(x, float) else str(x) for x in row) + "\n")


if __name__ == "__main__":
    main()
