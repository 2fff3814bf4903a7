# SPDX-License-Identifier: MIT
"""`trpo-bench theory`: the shipped suite with fewer seeds, its files from their definitions, and what it refuses."""

import csv
import glob
import hashlib
import math
import os
import shutil

import bench

SHIPPED = f"{bench.SOURCE}/suites/theory.toml"
FILES = ["algorithms.csv", "courses.csv", "data", "estimators.csv", "fig", "proof.csv", "steps.csv", "table.md", "triples.csv"]

SMALL = """[theory]
name = "small"
seeds = 3
triples = 4
iterations = 6

[[env]]
id = "tabular/RandomMDP-v0"
params = { states = 6, actions = 2 }
gamma = 0.8

[[algorithm]]
id = "monotonic"

[[algorithm]]
id = "penalized"
penalty = 2
"""

ESTIMATORS = """
[[estimator]]
name = "path"
lanes = 2
batch_steps = 200

[[estimator]]
name = "vine"
sampling = "vine"
lanes = 2
batch_steps = 100
vine_states = 30
vine_actions = 2
vine_branch_steps = 3
"""


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Theory(bench.Bench):
    def theory(self, *arguments, code=0, **options):
        return self.expect(code, "theory", *arguments, **options)

    def results(self, name="small"):
        found = glob.glob(f"{self.folder}/results/{name}-*")
        self.assertEqual(len(found), 1)
        return found[0]

    def test_shipped_suite(self):
        out, _ = self.theory(SHIPPED, "--seeds", "5", "--set", "iterations=20", "--set", "batches=64",
                             "--set", "estimator_seeds=1", "--no-plot")
        self.assertIn("52 estimates: 0 away from their expectation", out)
        self.assertIn("20 processes, 80 pairs of policies: 0 violations of lemma 1, 0 of theorem 1, 0 of lemma 2, 0 broken promises", out)
        folder = self.results("theory")
        summary = bench.load(f"{folder}/theory.json")
        self.assertIn(f"result_hash {summary['result_hash']}", out)
        self.assertTrue(folder.endswith("/theory-" + summary["suite_hash"][:8]))
        self.assertEqual(bench.read(f"{folder}/theory.toml"), bench.read(SHIPPED))
        self.assertEqual(sorted(os.listdir(f"{folder}/report")), FILES)
        for name, sha in summary["files"].items():
            with open(f"{folder}/{name}", "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), sha)
        # every data file but the table, which is made of them
        on_disk = {os.path.relpath(path, folder) for kind in ("csv", "tsv") for path in glob.glob(f"{folder}/report/**/*.{kind}", recursive=True)}
        self.assertEqual(on_disk, set(summary["files"]))

    def test_rows_from_their_definitions(self):
        self.put("small.toml", SMALL)
        self.theory("small.toml", "--no-plot", "-q")
        folder = self.results()
        triples = rows(f"{folder}/report/triples.csv")
        self.assertEqual(len(triples), 12)
        for row in triples:
            x = {key: float(value) for key, value in row.items() if key != "env"}
            self.assertAlmostEqual(x["lower_tv"], x["surrogate"] - x["penalty"] * x["tv_max"] ** 2, places=9)
            self.assertAlmostEqual(x["lower_kl"], x["surrogate"] - x["penalty"] * x["kl_max"], places=9)
            # epsilon from the penalty, C = 4 epsilon gamma / (1 - gamma)^2
            epsilon = x["penalty"] * 0.2 ** 2 / (4 * 0.8)
            self.assertAlmostEqual(x["shift_bound"], 2 * x["tv_max"] * epsilon, places=12)
            self.assertGreaterEqual(x["eta_new"], x["lower_tv"])
            self.assertLessEqual(x["tv_max"] ** 2, x["kl_max"])
            self.assertLessEqual(x["kl_mean"], x["kl_max"])
            self.assertLess(abs(x["lemma_error"]), 1e-12)
        # each seed is another process: the first states' eta differ
        self.assertEqual(len({row["eta"] for row in triples}), 12)
        courses = rows(f"{folder}/report/courses.csv")
        self.assertEqual(len(courses), 6)
        for row in courses:
            self.assertLessEqual(float(row["eta_last"]), float(row["optimum"]) + 1e-12)
            self.assertGreater(float(row["eta_last"]), float(row["eta_first"]))
        steps = rows(f"{folder}/report/steps.csv")
        self.assertEqual(len(steps), 3 * 17)
        for row in steps:
            self.assertLess(float(row["used_tv"]), 1)
        proof, = rows(f"{folder}/report/proof.csv")
        self.assertEqual(float(proof["lemma_error_max"]), max(abs(float(row["lemma_error"])) for row in triples))
        self.assertEqual(float(proof["used_tv_max"]), max(float(row["used_tv"]) for row in steps))
        closed = sorted((float(row["eta_last"]) - float(row["eta_first"])) / (float(row["optimum"]) - float(row["eta_first"]))
                        for row in courses if row["algorithm"] == "monotonic")
        table = {row["algorithm"]: row for row in rows(f"{folder}/report/algorithms.csv")}
        self.assertTrue(math.isclose(float(table["monotonic"]["closed_q2"]), closed[1], rel_tol=1e-12))
        # what the figures are drawn from
        data = bench.read(f"{folder}/report/data/courses.tabular__RandomMDP-v0.tsv").splitlines()
        self.assertEqual(len(data), 7)
        self.assertTrue(math.isclose(float(data[-1].split("\t")[2]), closed[1], rel_tol=1e-12))
        promised = bench.read(f"{folder}/report/data/minorisation.tabular__RandomMDP-v0.tsv").splitlines()
        for line in promised[1:]:
            gained, bound = (float(line.split("\t")[i]) for i in (2, 5))
            self.assertGreater(gained, bound)
            self.assertGreater(bound, 0)
            self.assertEqual(line.split("\t")[11], "nan")

    def test_estimators(self):
        self.put("small.toml", SMALL.replace("[theory]", "[theory]\nbatches = 64\nestimator_seeds = 2") + ESTIMATORS)
        out, err = self.theory("small.toml")
        self.assertIn("2 estimators x 64 batches", err)
        self.assertIn("4 estimates: 0 away from their expectation", out)
        folder = self.results()
        found = rows(f"{folder}/report/estimators.csv")
        self.assertEqual([(row["seed"], row["estimator"]) for row in found],
                         [("0", "path"), ("0", "vine"), ("1", "path"), ("1", "vine")])
        for row in found:
            x = {key: float(value) for key, value in row.items() if key not in ("env", "seed", "estimator")}
            self.assertLess(x["distance"], 5)
            self.assertAlmostEqual(x["bias_expected"], 0 if row["estimator"] == "path" else 0.5, places=12)
            self.assertGreater(x["rms_1"], x["rms_4"])
            self.assertTrue(math.isnan(x["rms_64"]))
            # the variance is of the batches that rms_1 is about, for 1,000 steps
            self.assertAlmostEqual(x["variance_1000"] / (x["rms_1"] ** 2 * x["steps"] / 1000), 1, delta=0.1)
        # the figure's data: steps and error of each estimator
        data = bench.read(f"{folder}/report/data/estimators.tabular__RandomMDP-v0.tsv").splitlines()
        self.assertEqual(data[0].split("\t"), ["batches", "path steps", "path error", "vine steps", "vine error"])
        self.assertEqual(float(data[2].split("\t")[1]), 4 * float(data[1].split("\t")[1]))
        if shutil.which("gnuplot"):
            self.assertIn("path", bench.read(f"{folder}/report/fig/estimators.svg"))

    def test_processes_with_one_start(self):
        # whose values grow behind the start first
        self.put("cliff.toml", SMALL.replace("tabular/RandomMDP-v0", "tabular/CliffWalking-v1").replace("params = { states = 6, actions = 2 }", "")
                 .replace("gamma = 0.8", "gamma = 0.99").replace("seeds = 3", "seeds = 1").replace('"monotonic"', '"policy-iteration"')
                 .replace("iterations = 6", "iterations = 40"))
        self.theory("cliff.toml", "--no-plot")
        row = next(row for row in rows(f"{self.results()}/report/courses.csv") if row["algorithm"] == "policy-iteration")
        # 13 steps along the cliff, -1 each
        best = -(1 - 0.99 ** 13) / (1 - 0.99)
        self.assertAlmostEqual(float(row["optimum"]), best, places=9)
        self.assertAlmostEqual(float(row["eta_last"]), best, places=9)

    def test_threads_and_repeats_give_the_same_bytes(self):
        self.put("small.toml", SMALL)
        hashes = set()
        for threads in ("1", "2", "3"):
            self.theory("small.toml", "--no-plot", environment={"OMP_NUM_THREADS": threads})
            hashes.add(bench.load(f"{self.results()}/theory.json")["result_hash"])
        self.assertEqual(len(hashes), 1)
        # other seeds are other results, in another folder
        self.theory("small.toml", "--no-plot", "--seeds", "0-3", "-o", "other")
        other, = glob.glob(f"{self.folder}/other/small-*")
        self.assertNotIn(bench.load(f"{other}/theory.json")["result_hash"], hashes)

    @bench.unittest.skipUnless(shutil.which("gnuplot"), "no gnuplot here")
    def test_figures(self):
        self.put("small.toml", SMALL)
        self.theory("small.toml")
        for name in ("courses", "minorisation", "tightness"):
            for kind in ("gp", "svg", "pdf", "png"):
                self.assertGreater(os.path.getsize(f"{self.results()}/report/fig/{name}.{kind}"), 500)
        self.assertIn("monotonic", bench.read(f"{self.results()}/report/fig/courses.svg"))

    def test_violations_end_with_3(self):
        # no allowance for rounding
        self.put("small.toml", SMALL)
        out, err = self.theory("small.toml", "--no-plot", "--set", "tolerance=0", code=3)
        self.assertIn("statements do not hold", err)
        self.assertNotIn(": 0 violations of lemma 1", out)
        summary = bench.load(f"{self.results()}/theory.json")
        self.assertGreater(summary["counts"]["lemma_1_violations"], 0)

    def refuse(self, *messages, text=None, arguments=(), code=2):
        self.put("bad.toml", text if text is not None else SMALL)
        _, err = self.theory("bad.toml", "--no-plot", *arguments, code=code)
        for message in messages:
            self.assertIn(message, err)
        self.assertFalse(os.path.exists(self.path("results")))

    def test_refusals(self):
        self.assertNotEqual(SMALL.replace("monotonic", "x"), SMALL)
        self.refuse("bad.toml:13:6:", 'no exact algorithm "monotone"; did you mean "monotonic"?',
                    text=SMALL.replace('"monotonic"', '"monotone"'))
        self.refuse("expected one of: policy-iteration, conservative", text=SMALL.replace('"monotonic"', '"reinforce"'))
        self.refuse("classic/CartPole-v1 does not tell its dynamics",
                    text=SMALL.replace("tabular/RandomMDP-v0", "classic/CartPole-v1").replace("params = { states = 6, actions = 2 }", ""))
        self.refuse('unknown key "itrations"', 'did you mean "iterations"?', text=SMALL.replace("iterations", "itrations"))
        self.refuse("gamma", text=SMALL.replace("gamma = 0.8", "gamma = 1.0"))
        self.refuse('[theory] needs seeds', text=SMALL.replace("seeds = 3", ""))
        self.refuse("it has no [theory] table (trpo-bench run takes suites with [suite])", text=bench.suite())
        self.refuse("no [[env]]", text=SMALL[:SMALL.index("[[env]]")] + '[[algorithm]]\nid = "npg"\n')
        self.refuse('[[estimator]] needs name = "..."', text=SMALL + ESTIMATORS.replace('name = "path"', ""))
        self.refuse('"max_kl"', text=SMALL + ESTIMATORS + "max_kl = 1\n")
        self.refuse('[[estimator]] "path" is there already', text=SMALL + ESTIMATORS.replace('"vine"\nsampling', '"path"\nsampling'))
        self.refuse("RandomMDP-v0, seed 0, estimator vine: vine_states (400) cannot be drawn",
                    text=SMALL + ESTIMATORS.replace("vine_states = 30", "vine_states = 400"))
        self.refuse("is there already", text=SMALL + '[[algorithm]]\nid = "monotonic"\n')
        self.refuse("--set penalti=1", arguments=("--set", "penalti=1"))
        self.refuse("--seeds x", arguments=("--seeds", "x"))
        self.refuse("4096 states", text=SMALL.replace("states = 6", "states = 4096"))
        self.expect(2, "theory")
        self.expect(74, "theory", "nosuch.toml")

    def test_run_says_where_theory_suites_belong(self):
        _, err = self.expect(2, SHIPPED)
        self.assertIn("trpo-bench theory", err)

    def test_help(self):
        out, _ = self.expect(0, "theory", "--help")
        self.assertIn("lemma 1, theorem 1", out)
        out, _ = self.expect(0, "--help")
        self.assertIn("theory     test the paper's theory", out)


if __name__ == "__main__":
    bench.main()
