# SPDX-License-Identifier: MIT
"""Suites with what the smoke suite does not use: variants, overrides, double precision, odd sizes, other options."""

import bench

ALL = """
[suite]
name = "variants"
description = "a ) b | c & d % e _ f"
seeds = [3, 0]
steps = 2000
eval_every = 0
final_eval_episodes = 3

[defaults]
batch_steps = 500
lanes = 4
critic_epochs = 1

[[env]]
id = "classic/CartPole-v1"

[[env]]
id = "classic/CartPole-v1"
name = "moon"
params = { gravity = 1.6 }
steps = 1000
max_episode_steps = 50
[env.override]
gamma = 0.9
[env.override.careful]
max_kl = 0.001

[[policy]]
id = "linear"

[[policy]]
id = "mlp"
name = "small"
params = { hidden = [4] }
critic = { id = "linear" }

[[algorithm]]
id = "trpo"

[[algorithm]]
id = "trpo"
name = "careful"
max_kl = 0.002
"""


class Variants(bench.Bench):
    def configuration(self, run):
        return self.runs()[run]["cell"]["configuration"]

    def test_grid_of_variants(self):
        self.put("variants.toml", ALL)
        out, _ = self.expect(0, "variants.toml")
        expected = sorted(f"{env}/{policy}/{algorithm}/s000{seed}"
                          for env in ("classic__CartPole-v1", "classic__CartPole-v1@moon")
                          for policy in ("linear", "mlp@small") for algorithm in ("trpo", "trpo@careful") for seed in (0, 3))
        self.assertEqual(sorted(self.runs()), expected)
        self.assertEqual(len(set(self.hashes().values())), len(expected))
        self.assertIn("classic/CartPole-v1@moon", out)

        # layers: default < algorithm < environment's override < override of one algorithm
        def options(env, algorithm):
            return self.configuration(f"{env}/linear/{algorithm}/s0003")

        plain = options("classic__CartPole-v1", "trpo@careful")
        self.assertEqual((plain["algorithm"]["options"]["max_kl"], plain["learner"]["gamma"]), (0.002, 0.99))
        self.assertEqual((plain["run"]["steps"], plain["env"]["max_episode_steps"]), (2000, 500))
        moon = options("classic__CartPole-v1@moon", "trpo@careful")
        self.assertEqual((moon["algorithm"]["options"]["max_kl"], moon["learner"]["gamma"]), (0.001, 0.9))
        self.assertEqual((moon["run"]["steps"], moon["env"]["max_episode_steps"]), (1000, 50))
        self.assertEqual(moon["env"]["params"]["gravity"], 1.6)
        self.assertEqual(options("classic__CartPole-v1@moon", "trpo")["algorithm"]["options"]["max_kl"], 0.01)

        # another architecture for the critic
        record = self.runs()["classic__CartPole-v1/mlp@small/trpo/s0000"]
        self.assertEqual(record["effective_params"]["policy"]["hidden"], [4])
        self.assertNotIn("hidden", record["effective_params"]["critic"])
        self.assertIn("policy:linear", record["plugins"])

        # the time limit holds
        lengths = [int(row.split(",")[4]) for row in
                   bench.read(f"{self.run_folder('classic__CartPole-v1@moon/linear/trpo/s0000')}/episodes.csv").split()[1:]]
        self.assertTrue(lengths and max(lengths) <= 50)

    def test_only_the_final_evaluation(self):
        self.put("variants.toml", ALL)
        self.expect(0, "variants.toml", "--filter", "^classic/CartPole-v1 linear trpo s0", "--no-report")
        rows = bench.read(f"{self.run_folder('classic__CartPole-v1/linear/trpo/s0000')}/evals.csv").split()[1:]
        self.assertEqual([row.split(",")[0] for row in rows], ["2000"] * 3)

    def test_override_on_the_command_line_is_the_strongest(self):
        self.put("variants.toml", ALL)
        self.expect(0, "variants.toml", "--set", "max_kl=0.03", "--set", "steps=500", "--seeds", "1", "--no-report")
        for record in self.runs().values():
            self.assertEqual(record["cell"]["configuration"]["algorithm"]["options"]["max_kl"], 0.03)
            self.assertEqual(record["steps"], 500)

    def test_double_precision(self):
        self.expect(0, self.put_suite("f64.toml", policies=("mlp", "linear"), head='precision = "f64"'), "-o", "f64")
        self.expect(0, self.put_suite("f32.toml", policies=("mlp", "linear")), "-o", "f32")
        self.assertEqual({r["cell"]["configuration"]["run"]["precision"] for r in self.runs("f64").values()}, {"f64"})
        f64, f32 = self.hashes("f64"), self.hashes("f32")
        self.assertEqual(sorted(f64), sorted(f32))
        self.assertFalse(set(f64.values()) & set(f32.values()))

    def put_with(self, steps, lanes, batch_steps):
        self.put_suite(seeds=1, steps=steps)
        text = bench.read(self.path("e2e.toml"))
        text = text.replace("lanes = 4", f"lanes = {lanes}").replace("batch_steps = 500", f"batch_steps = {batch_steps}")
        return self.put("e2e.toml", text)

    def only_run(self):
        """(run.json, rows of progress.csv, rows of evals.csv) of the one run."""
        ((run, record),) = self.runs().items()
        progress, evals = ([row.split(",") for row in bench.read(f"{self.run_folder(run)}/{name}.csv").split()[1:]]
                           for name in ("progress", "evals"))
        return record, progress, evals

    def test_more_lanes_than_steps_of_training(self):
        _, err = self.expect(2, self.put_with(steps=60, lanes=64, batch_steps=64))
        self.assertIn('"steps" must be at least "lanes", but 60 is less than 64', err)

    def test_as_many_lanes_as_steps(self):
        self.expect(0, self.put_with(steps=64, lanes=64, batch_steps=64))
        record, progress, _ = self.only_run()
        self.assertEqual((record["steps"], [row[1] for row in progress]), (64, ["64"]))

    def test_steps_that_are_no_multiple_of_the_batch(self):
        """The last batch is smaller: never more steps than asked for, and fewer by less than one a lane."""
        self.expect(0, self.put_with(steps=1203, lanes=4, batch_steps=500))
        record, progress, evals = self.only_run()
        self.assertEqual(record["steps"], 1200)
        self.assertEqual([row[1] for row in progress], ["500", "1000", "1200"])
        self.assertEqual(evals[-1][0], "1200")

    def test_an_episode_longer_than_training(self):
        """No training episode ends; that is no error."""
        suite = self.put_suite(envs=(bench.PENDULUM,), seeds=1, steps=100)
        self.put(suite, bench.read(self.path(suite)).replace("batch_steps = 500", "batch_steps = 100"))
        self.expect(0, suite)
        (record,) = self.runs().values()
        self.assertEqual((record["steps"], record["episodes"]), (100, 0))
        self.assertEqual(bench.read(f"{self.run_folder(next(iter(self.runs())))}/episodes.csv"),
                         "step,lane,episode,return,length\n")

    def test_more_jobs_than_cells(self):
        self.expect(0, self.put_suite(seeds=2), "-j64", "--threads=3")
        self.assert_complete(2)

    def test_large_seeds(self):
        self.expect(0, self.put_suite(seeds=1), "--seeds", "0,12345,9223372036854775807", "--no-report")
        seeds = sorted(record["cell"]["seed"] for record in self.runs().values())
        self.assertEqual(seeds, [0, 12345, 9223372036854775807])

    def test_a_folder_name_with_blanks(self):
        self.expect(0, self.put_suite(seeds=1), "-o", "my results/of \u00fcbermorgen")
        self.assert_complete(1, "my results/of \u00fcbermorgen")


if __name__ == "__main__":
    bench.main()
