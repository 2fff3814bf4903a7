# SPDX-License-Identifier: MIT
"""Plugins that misbehave while a cell runs: the cell is a failure in every table, the others finish."""

import csv
import unittest

import bench

# plugin, what the attempt says, what the message holds
ENVIRONMENTS = {
    "create-crash": ("crashed", "signal 11 (Segmentation fault)"),
    "reset-crash": ("crashed", "signal 11 (Segmentation fault)"),
    "step-crash": ("crashed", "signal 11 (Segmentation fault)"),
    "step-exit": ("failed", "something called exit(0) before the run was done"),
    "step-hang": ("timeout", "not done within 4 s"),
    "step-sleep": ("timeout", "not done within 4 s"),
    "nan-reward": ("failed", "the environment returned the reward nan in step 3"),
    "nan-observation": ("failed", "the environment returned nan as entry 1 of its observation in step 3"),
}
POLICIES = {
    "crash-forward": ("crashed", "signal 6 (Aborted)"),
    "nan-forward": ("failed", "nan"),
}


def scores(folder):
    with open(f"{folder}/report/scores.csv", encoding="utf-8", newline="") as file:
        return {(row["env"], row["policy"]): row for row in csv.DictReader(file)}


class BadCells(bench.Bench):
    def expect_failure(self, run, label, state, message, out, err):
        (attempt,) = self.attempts(run)
        self.assertEqual(attempt["state"], state, attempt)
        self.assertIn(message.lower(), attempt["message"].lower())
        # the person who watches and the report are told the same
        self.assertIn(f" {state} {label}: {attempt['message']}\n", err.replace("  ", " "))
        env, policy, algorithm, _ = label.split()
        self.assertIn(f"- {env} {policy} {algorithm}, seed 0: {state}: {attempt['message']}", out.replace("\\|", "|"))
        row = scores(self.results())[env, policy]
        self.assertEqual((row["state"], row["raw"]), ("failed", "nan"))

    def test_environments(self):
        ids = {kind: f"broken/{kind}-v1" for kind in ENVIRONMENTS}
        suite = self.put_suite(envs=(bench.CARTPOLE, *ids.values(), bench.PENDULUM), seeds=1,
                               plugins=[bench.broken(f"env-{kind}") for kind in ENVIRONMENTS])
        out, err = self.expect(1, suite, "--timeout", "4", "-j2")
        self.assertEqual(sorted(self.runs()), [f"classic__{name}/linear/trpo/s0000" for name in ("CartPole-v1", "Pendulum-v1")])
        for kind, (state, message) in ENVIRONMENTS.items():
            with self.subTest(kind):
                self.expect_failure(f"broken__{kind}-v1/linear/trpo/s0000", f"{ids[kind]} linear trpo s0", state, message,
                                    out, err)
        self.assertIn("8 of 10 cells failed", err)
        self.assertIn("Failed runs (8)", out)
        for env in (bench.CARTPOLE, bench.PENDULUM):
            self.assertEqual(scores(self.results())[env, "linear"]["state"], "ok")
        # `report` says the same, by itself
        again, _ = self.expect(1, "report", self.results())
        self.assertEqual(again, out)

    def test_policies(self):
        suite = self.put_suite(policies=("linear", *(f"broken-{kind}" for kind in POLICIES)), seeds=1,
                               plugins=[bench.broken(f"policy-{kind}") for kind in POLICIES])
        out, err = self.expect(1, suite)
        self.assertEqual(sorted(self.runs()), ["classic__CartPole-v1/linear/trpo/s0000"])
        for kind, (state, message) in POLICIES.items():
            with self.subTest(kind):
                self.expect_failure(f"classic__CartPole-v1/broken-{kind}/trpo/s0000",
                                    f"{bench.CARTPOLE} broken-{kind} trpo s0", state, message, out, err)

    def test_what_a_plugin_prints_is_in_the_log(self):
        suite = self.put_suite(envs=("broken/prints-v1",), seeds=1, plugins=[bench.broken("env-prints")])
        code, out, err = self.call(suite, "--no-report")
        self.assertEqual((code, out), (0, ""), err)
        self.assertNotEqual(bench.read(f"{self.run_folder('broken__prints-v1/linear/trpo/s0000')}/log.txt"), "")

    def test_why_a_cell_failed_is_in_its_log(self):
        suite = self.put_suite(envs=("broken/nan-reward-v1",), seeds=1, plugins=[bench.broken("env-nan-reward")])
        self.expect(1, suite, "--no-report")
        self.assertIn("returned the reward nan", bench.read(f"{self.run_folder('broken__nan-reward-v1/linear/trpo/s0000')}/log.txt"))

    def test_every_cell_fails(self):
        suite = self.put_suite(envs=("broken/step-crash-v1",), seeds=3, plugins=[bench.broken("env-step-crash")])
        out, err = self.expect(1, suite)
        self.assertIn("3 of 3 cells failed", err)
        self.assertIn("Failed runs (3)", out)

    def test_a_time_limit_that_is_long_enough(self):
        self.expect(0, self.put_suite(seeds=1), "--timeout", "100")
        self.assert_complete(1)


if __name__ == "__main__":
    unittest.TestCase.longMessage = True
    bench.main()
