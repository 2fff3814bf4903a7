# SPDX-License-Identifier: MIT
"""suites/smoke.toml: one command, and everything docs/results.md promises is there."""

import csv
import hashlib
import json
import os
import struct
import time

import bench

RUNS = [f"{env}/mlp/{algorithm}/s000{seed}" for env in ("classic__CartPole-v1", "classic__Pendulum-v1")
        for algorithm in ("npg", "trpo", "vpg") for seed in (0, 1)]


def table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Smoke(bench.Bench):
    @classmethod
    def setUpClass(cls):
        # one run of the suite serves every test, which only looks
        cls.once = cls("test_time")
        bench.Bench.setUp(cls.once)
        cls.addClassCleanup(cls.once.doCleanups)
        begin = time.monotonic()
        cls.out, cls.err = cls.once.expect(0, f"{bench.SOURCE}/suites/smoke.toml")
        cls.seconds = time.monotonic() - begin
        cls.folder = cls.once.folder

    def setUp(self):
        pass

    def test_time(self):
        # 10 s on an idle machine with two cores; this one may be busy or under a sanitizer
        self.assertLess(self.seconds, 60)

    def test_every_run_is_complete(self):
        self.assertEqual(sorted(self.runs()), sorted(RUNS))

    def test_files_of_the_suite(self):
        folder = self.results()
        self.assertEqual(bench.read(f"{folder}/suite.toml"), bench.read(f"{bench.SOURCE}/suites/smoke.toml"))
        resolved = bench.load(f"{folder}/suite.resolved.json")
        self.assertTrue(folder.endswith("/smoke-" + resolved["hash"][:8]))
        plugins = bench.load(f"{folder}/plugins.json")
        self.assertEqual(sorted(plugins), ["env:classic/CartPole-v1", "env:classic/Pendulum-v1", "policy:mlp"])
        for plugin in plugins.values():
            with open(plugin["path"], "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), plugin["sha256"])

    def test_files_of_a_run(self):
        expected = ["attempts", "critic.bin", "episodes.csv", "episodes.monitor.csv", "evals.csv", "log.txt",
                    "observations.csv", "policy.bin", "progress.csv", "run.json", "timing.csv"]
        for run in RUNS:
            self.assertEqual(sorted(os.listdir(self.run_folder(run))), expected)
            self.assertEqual(bench.read(f"{self.run_folder(run)}/log.txt"), "")
            (attempt,) = self.attempts(run)
            self.assertEqual((attempt["state"], attempt["exit_code"], attempt["signal"]), ("ok", 0, None))
            self.assertLessEqual(attempt["started"], attempt["ended"])

    def test_record(self):
        for run, record in self.runs().items():
            env, policy, algorithm, seed = run.split("/")
            cell = record["cell"]
            self.assertEqual((record["schema_version"], record["state"], record["steps"]), (1, "ok", 4000))
            self.assertEqual(cell["path"], f"runs/{run}")
            self.assertEqual(cell["label"], f"{env.replace('__', '/')} {policy} {algorithm} s{int(seed[1:])}")
            self.assertEqual(cell["seed"], int(seed[1:]))
            self.assertRegex(cell["id"], "^[0-9a-f]{16}$")
            self.assertEqual(cell["configuration"]["algorithm"]["id"], algorithm)
            self.assertEqual(record["effective_params"]["policy"]["hidden"], [16, 16])
            for name in ("train_hash", "eval_hash", "result_hash"):
                self.assertRegex(record[name], "^[0-9a-f]{64}$")
            self.assertGreater(record["ended"], record["started"])
            for part in ("tool", "host", "plugins"):
                self.assertTrue(record[part])
            self.assertEqual(len(record["plugins"]), 2)

    def test_record_vouches_for_the_files(self):
        for run, record in self.runs().items():
            self.assertEqual(sorted(record["files"]), sorted(bench.COMPARED))
            for name, expected in record["files"].items():
                with open(f"{self.run_folder(run)}/{name}", "rb") as file:
                    self.assertEqual(hashlib.sha256(file.read()).hexdigest(), expected, f"{run}/{name}")

    def test_different_seeds_differ(self):
        self.assertEqual(len(set(self.hashes().values())), len(RUNS))

    def test_final_return_is_that_of_the_last_evaluation(self):
        for run, record in self.runs().items():
            rows = table(f"{self.run_folder(run)}/evals.csv")
            steps = [int(row["step"]) for row in rows]
            self.assertEqual(steps, sorted(steps))
            self.assertEqual(sorted(set(steps)), [0, 2000, 4000])
            final = [float(row["return"]) for row in rows if int(row["step"]) == 4000]
            self.assertEqual(len(final), 5)
            self.assertAlmostEqual(sum(final) / 5, record["final_return_mean"], places=9)
            threshold = 475 if "CartPole" in run else None
            for row in rows:
                success = "" if threshold is None else str(int(float(row["return"]) >= threshold))
                self.assertEqual(row["success"], success)

    def test_result_hash_from_the_files(self):
        """The hashes as harness/store/hash.h describes them, from what the run's folder holds."""
        def u64(text):
            return struct.pack("<Q", int(text))

        def f64(text):
            return struct.pack("<d", float(text))

        for run, record in self.runs().items():
            folder = self.run_folder(run)
            episodes = sorted(table(f"{folder}/episodes.csv"), key=lambda row: (int(row["lane"]), int(row["episode"])))
            train = b"trpo-bench train 1"
            for row in episodes:
                train += u64(row["lane"]) + u64(row["episode"]) + f64(row["return"]) + u64(row["length"])
            for name in ("policy.bin", "critic.bin"):
                with open(f"{folder}/{name}", "rb") as file:
                    values = file.read()
                train += u64(len(values) // 8) + values
            evals = b"trpo-bench eval 1"
            for row in table(f"{folder}/evals.csv"):
                evals += u64(row["step"]) + u64(row["episode"]) + f64(row["return"]) + u64(row["length"])
            train, evals = hashlib.sha256(train), hashlib.sha256(evals)
            result = hashlib.sha256(b"trpo-bench result 1" + train.digest() + evals.digest())
            self.assertEqual((train.hexdigest(), evals.hexdigest(), result.hexdigest()),
                             (record["train_hash"], record["eval_hash"], record["result_hash"]))

    def test_progress(self):
        for run, record in self.runs().items():
            rows = table(f"{self.run_folder(run)}/progress.csv")
            self.assertEqual([int(row["iteration"]) for row in rows], [1, 2, 3, 4])
            self.assertEqual([int(row["step"]) for row in rows], [1000, 2000, 3000, 4000])
            self.assertEqual(int(rows[-1]["episodes"]), record["episodes"])
            self.assertEqual(len(table(f"{self.run_folder(run)}/episodes.csv")), record["episodes"])
            self.assertEqual([int(row["step"]) for row in table(f"{self.run_folder(run)}/timing.csv")], [1000, 2000, 3000, 4000])
            if run.split("/")[2] == "trpo":
                for row in rows:
                    self.assertLessEqual(float(row["kl"]), 0.01)

    def test_monitor_is_readable_as_stable_baselines_reads_it(self):
        for run, record in self.runs().items():
            with open(f"{self.run_folder(run)}/episodes.monitor.csv", encoding="utf-8", newline="") as file:
                first = file.readline()
                self.assertEqual(first[0], "#")
                header = json.loads(first[1:])
                rows = list(csv.DictReader(file))
            self.assertEqual(sorted(header), ["env_id", "t_start"])
            self.assertEqual(header["env_id"].replace("/", "__"), run.split("/")[0])
            self.assertEqual(list(rows[0]), ["r", "l", "t"])
            self.assertEqual(len(rows), record["episodes"])
            times = [float(row["t"]) for row in rows]
            self.assertEqual(times, sorted(times))
            plain = table(f"{self.run_folder(run)}/episodes.csv")
            for row, other in zip(rows, plain):
                self.assertEqual(row["l"], other["length"])
                self.assertAlmostEqual(float(row["r"]), float(other["return"]), delta=1e-6)

    def test_scores(self):
        rows = table(f"{self.results()}/report/scores.csv")
        self.assertEqual(len(rows), len(RUNS))
        for row in rows:
            run = f"{row['env'].replace('/', '__')}/{row['policy']}/{row['algorithm']}/s{int(row['seed']):04d}"
            self.assertEqual((row["suite"], row["metric"], row["state"]), ("smoke", "final", "ok"))
            self.assertAlmostEqual(float(row["raw"]), self.runs()[run]["final_return_mean"], places=9)

    def test_report(self):
        report = f"{self.results()}/report"
        self.assertEqual(self.out, bench.read(f"{report}/table.md"))
        for algorithm in ("trpo", "npg", "vpg"):
            self.assertIn(f"| mlp    | {algorithm} ", self.out)
        for name in ("table.tex", "table.csv", "fig/curves.gp"):
            self.assertGreater(os.path.getsize(f"{report}/{name}"), 100, name)
        self.assertTrue(os.listdir(f"{report}/data"))
        for name in ("svg", "pdf", "png"):
            self.assertGreater(os.path.getsize(f"{report}/fig/curves.{name}"), 1000, name)

    def test_messages(self):
        self.assertIn("smoke: 12 cells, 0 done, 12 to run -> results/smoke-", self.err)
        self.assertEqual(self.err.count("] done  "), 12)
        self.assertNotIn("\033", self.err)
        self.assertTrue(self.err.rstrip().endswith("results: " + os.path.relpath(self.results(), self.folder)))


if __name__ == "__main__":
    bench.main()
