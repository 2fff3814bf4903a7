# SPDX-License-Identifier: MIT
"""The benchmarks run, and what they print can be compared and made into the page."""

import json
import math
import os
import subprocess
import tempfile
import unittest

import bench

PROGRAMS = ("cells", "env", "kernel", "update")


def script(name, *arguments):
    return subprocess.run([f"{bench.SOURCE}/bench/{name}", *arguments], capture_output=True, text=True, check=False)


class Benchmarks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="trpo-bench-benchmarks-")
        cls.addClassCleanup(cls.work.cleanup)
        cls.done = script("run", "--quick", f"--build={bench.BUILD}", f"--output={cls.work.name}/json",
                          f"--page={cls.work.name}/page.md")

    def load(self, name):
        return bench.load(f"{self.work.name}/json/{name}.json")

    def changed(self, name, figure_name, factor):
        """A copy of a benchmark's output in which one figure alone is another."""
        data = self.load(name)
        for figure in data["figures"]:
            if figure["name"] == figure_name:
                for key in ("median", "best"):
                    figure[key] *= factor
                figure.pop("share", None)
        path = f"{self.work.name}/changed.json"
        bench.write(path, json.dumps(data))
        return path

    def test_each_runs_and_has_figures(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        for name in PROGRAMS:
            data = self.load(name)
            self.assertGreater(len(data["figures"]), 5)
            names = [figure["name"] for figure in data["figures"]]
            self.assertEqual(len(names), len(set(names)), "compare tells figures by their names")
            for figure in data["figures"]:
                for key in ("median", "best", "share"):
                    self.assertTrue(math.isfinite(figure.get(key, 1)) and figure.get(key, 1) > 0, (name, figure))

    def test_phases_are_the_whole_of_training(self):
        figures = {figure["name"]: figure for figure in self.load("cells")["figures"]}
        phases = [figure for figure in figures.values() if "part" in figure]
        self.assertEqual(len(phases), 6)
        self.assertAlmostEqual(sum(figure["part"] for figure in phases), 1)
        # one round: the times add up as well
        self.assertAlmostEqual(sum(figure["median"] for figure in phases), 1e6 / figures["training, one cell on one core"]["median"])

    def test_the_page_has_every_figure(self):
        page = bench.read(f"{self.work.name}/page.md")
        for name in PROGRAMS:
            for figure in self.load(name)["figures"]:
                self.assertIn(f"| {figure['name']} | {figure['median']:.4g} |", page)

    def test_compare_knows_better_from_worse(self):
        same = f"{self.work.name}/json/cells.json"
        self.assertEqual(script("compare", same, same).returncode, 0)
        for figure, factor, code in (("critic", 2, 1), ("critic", 0.5, 0), ("training, one cell on one core", 2, 0),
                                     ("training, one cell on one core", 0.5, 1)):
            done = script("compare", same, self.changed("cells", figure, factor))
            self.assertEqual(done.returncode, code, done.stdout)
            line = next(line for line in done.stdout.splitlines() if line.startswith(f"{figure} "))
            self.assertTrue(line.endswith("-" if code else "+"), line)

    def test_only_keeps_the_limit(self):
        done = subprocess.run([f"{bench.BUILD}/bench/env-bench", "--only=CartPole-v1, load, vec/1", "--rounds=1", "--seconds=0.0001",
                               "--json"], capture_output=True, text=True, check=True)
        names = [figure["name"] for figure in json.loads(done.stdout)["figures"]]
        self.assertEqual(len(names), 2, names)
        self.assertTrue(names[0].startswith("CartPole-v1, copy of"))

    def test_a_wrong_option_is_refused(self):
        for name in ("run", "cells"):
            done = script(name, "--rounds=none")
            self.assertEqual(done.returncode, 2)
            self.assertIn("Usage", done.stderr)
        self.assertIn("holds no benchmarks", script("run", f"--build={os.path.join(self.work.name, 'none')}").stderr)


if __name__ == "__main__":
    bench.main()
