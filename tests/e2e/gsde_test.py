# SPDX-License-Identifier: MIT
"""State-dependent exploration from the suite file to the score: a car that leaves its valley, and a policy that cannot."""

import unittest

import bench

SUITE = """
[suite]
name = "gsde"
seeds = [100]
steps = 30_000
eval_every = 0
final_eval_episodes = 20

[defaults]
lanes = 2
batch_steps = 4096
action_distribution = "gsde"
gsde_resample_steps = 4

[[env]]
id = "classic/MountainCarContinuous-v0"

[[policy]]
id = "mlp"

[[algorithm]]
id = "trpo"

[[algorithm]]
id = "trpo"
name = "plain"
action_distribution = "gaussian"
"""


class StateDependentExploration(bench.Bench):
    def final(self, algorithm):
        return self.runs()[f"classic__MountainCarContinuous-v0/mlp/{algorithm}/s0100"]["final_return_mean"]

    def test_leaves_the_valley(self):
        self.put("gsde.toml", SUITE)
        self.expect(0, "gsde.toml", "--no-report", "-j1", "--threads=1")
        # 0 without ever reaching the flag; the flag pays 100
        self.assertGreater(self.final("trpo"), 80)
        self.assertLess(self.final("trpo@plain"), 10)

    def test_same_result_for_any_number_of_threads(self):
        self.put("gsde.toml", SUITE.replace("30_000", "9_000").replace("lanes = 2", "lanes = 16"))
        hashes = []
        for threads in ("1", "2"):
            self.expect(0, "gsde.toml", "--no-report", "-j1", "--threads", threads, "-o", f"results{threads}")
            hashes.append(self.hashes(f"results{threads}"))
        self.assertEqual(len(set(hashes[0].values())), 2)
        self.assertEqual(hashes[0], hashes[1])

    def test_a_policy_without_features(self):
        suite = self.put_suite(envs=(bench.PENDULUM,), policies=("broken-features-absent",), seeds=1,
                               plugins=[bench.broken("policy-features-absent")], defaults='action_distribution = "gsde"')
        _, err = self.expect(1, suite)
        self.assertIn('action_distribution = "gsde" needs the features', err)
        self.assertIn("tb.map.features/1", err)


if __name__ == "__main__":
    bench.main()
