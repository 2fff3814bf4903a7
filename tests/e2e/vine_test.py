# SPDX-License-Identifier: MIT
"""Vine sampling from the suite file to the result: the same bits for any threads, and refusals before anything runs."""

import csv
import os
import unittest

import bench

VINE = 'sampling = "vine"\nvine_states = 60\nvine_branch_steps = 10\n'
EXHAUSTIVE = VINE + 'vine_proposal = "exhaustive"\n'


class Vine(bench.Bench):
    def test_same_result_for_any_number_of_threads_and_jobs(self):
        for envs, defaults in (((bench.CARTPOLE,), EXHAUSTIVE), ((bench.CARTPOLE, bench.PENDULUM), VINE)):
            self.setUp()
            suite = self.put_suite(envs=envs, algorithms=("trpo", "npg"), seeds=1, steps=6000, defaults=defaults)
            found = []
            for number, threads in enumerate((("1", "1"), ("2", "1"), ("3", "2"))):
                self.expect(0, suite, "--no-report", "--threads", threads[0], "-j", threads[1], "-o", f"r{number}")
                found.append((self.hashes(f"r{number}"), self.contents(f"r{number}")))
            self.assertEqual(len(set(found[0][0].values())), 2 * len(envs))
            self.assertEqual(found[0], found[1])
            self.assertEqual(found[0], found[2])

    def test_branches_are_steps_in_every_file(self):
        suite = self.put_suite(seeds=1, steps=6000, defaults=EXHAUSTIVE)
        self.expect(0, suite, "--no-report")
        folder = self.run_folder("classic__CartPole-v1/linear/trpo/s0000")
        with open(f"{folder}/progress.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        steps = 0
        for row in rows:
            self.assertGreater(int(row["branch_steps"]), 0)
            steps += 500 + int(row["branch_steps"])
            self.assertEqual(int(row["step"]), steps)
        self.assertLessEqual(steps, 6000)
        (record,) = self.runs().values()
        self.assertEqual(record["steps"], steps)

    def test_study_of_common_random_numbers(self):
        suite = self.put_suite(envs=(bench.PENDULUM,), seeds=1, steps=6000, defaults=VINE + "gamma = 0.9\n")
        self.expect(0, suite, "--no-report")
        before = self.contents()
        out, _ = self.expect(0, "run-cell", "--study-vine", self.results(), "runs/classic__Pendulum-v1/linear/trpo/s0000")
        rows = list(csv.DictReader(out.splitlines(), delimiter="\t"))
        self.assertEqual([int(row["step"]) for row in rows][0], 0)
        self.assertEqual(len(rows), 3)
        for row in rows:
            self.assertEqual(int(row["states"]), 60)
            self.assertLess(float(row["ratio"]), 0.5)
            self.assertLess(float(row["ratio_median"]), 0.5)
        # a complete run stays as it is
        self.assertEqual(self.contents(), before)
        plain = self.put_suite("plain.toml", seeds=1, name="plain")
        self.expect(0, plain, "--no-report", "-o", "plain")
        _, err = self.expect(2, "run-cell", "--study-vine", self.results("plain"), "runs/classic__CartPole-v1/linear/trpo/s0000")
        self.assertIn("does not use vine sampling", err)

    def refuse(self, message, **options):
        """Exit code 2 and the message, and nothing has run."""
        suite = self.put_suite(seeds=2, **options)
        _, err = self.expect(2, suite)
        self.assertIn(message, err)
        self.assertIn("cannot run: ", err)
        self.assertFalse(os.path.exists(f"{self.results()}/runs"))
        return err

    def test_an_environment_without_snapshots(self):
        err = self.refuse("needs an environment whose state can be saved and restored (extension tb.env.snapshot/1)",
                          envs=(bench.CARTPOLE, "broken/snap-absent-v1"), plugins=[bench.broken("env-snap-absent")],
                          defaults=VINE)
        self.assertIn("broken/snap-absent-v1 linear trpo s0", err)

    def test_an_environment_without_snapshots_is_good_for_single_path(self):
        suite = self.put_suite(envs=("broken/snap-absent-v1",), plugins=[bench.broken("env-snap-absent")], seeds=1)
        self.expect(0, suite, "--no-report")

    def test_exhaustive_on_a_continuous_space(self):
        self.refuse('vine_proposal = "exhaustive" tries every action', envs=(bench.PENDULUM,), defaults=EXHAUSTIVE)

    def test_more_states_than_the_trunk_has(self):
        self.refuse("vine_states (501) cannot be drawn without replacement from a trunk of 500 steps",
                    defaults=VINE.replace("60", "501"))

    def test_one_action(self):
        self.refuse("vine_actions = 1 leaves nothing to compare", defaults=VINE + "vine_actions = 1\n")

    def test_a_budget_below_one_iteration(self):
        self.refuse("do not hold one trunk and the branches of one state", steps=510, defaults=VINE)

    def test_no_branch_steps(self):
        suite = self.put_suite(defaults='vine_branch_steps = 0\n')
        _, err = self.expect(2, suite)
        self.assertIn('"vine_branch_steps" must be', err)

    def test_a_snapshot_that_fails_costs_its_cell_only(self):
        suite = self.put_suite(envs=(bench.CARTPOLE, "broken/snap-garbage-v1", "broken/snap-overrun-v1"), seeds=1,
                               plugins=[bench.broken("env-snap-garbage"), bench.broken("env-snap-overrun")], defaults=VINE)
        code, _, err = self.call(suite, "--no-report")
        self.assertIn("classic__CartPole-v1/linear/trpo/s0000", self.runs(), err)
        self.assertIn(code, (0, 1))

    def test_presets(self):
        suite = self.put_suite(seeds=1, steps=100_000, defaults='vine_preset = "icml-swimmer"\nvine_trials = 2\n')
        out, _ = self.expect(0, "list", "cells", suite)
        self.assertIn("classic/CartPole-v1 linear trpo s0", out)
        # the suite's own keys are stronger: batch_steps 500 and lanes 4 are in every suite of these tests
        self.refuse("vine_states (1000) cannot be drawn without replacement from a trunk of 500 steps", steps=100_000,
                    defaults='vine_preset = "icml-swimmer"\n')


if __name__ == "__main__":
    bench.main()
