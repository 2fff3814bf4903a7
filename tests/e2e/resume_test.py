# SPDX-License-Identifier: MIT
"""A second start runs what is missing and nothing else."""

import os
import re
import shutil

import bench


class Resume(bench.Bench):
    def started(self, err):
        """Labels of the cells that were started."""
        return sorted(re.findall(r"^\[ *\d+/\d+\] start (.*?)(?: \(again\))?$", err, re.M))

    def stamps(self):
        """What a run that is left alone keeps: when each file was written."""
        folder = self.results()
        found = {}
        for run in self.runs():
            for name in os.listdir(f"{folder}/runs/{run}"):
                path = f"{folder}/runs/{run}/{name}"
                found[path] = (os.stat(path).st_mtime_ns, os.stat(path).st_ino)
        return found

    def test_nothing_to_do(self):
        suite = self.put_suite()
        first, _ = self.expect(0, suite)
        before = self.stamps()
        out, err = self.expect(0, suite)
        self.assertEqual(self.started(err), [])
        self.assertIn("2 cells, 2 done, 0 to run", err)
        self.assertEqual(self.stamps(), before)
        self.assertEqual(out, first)

    def test_one_run_is_missing(self):
        suite = self.put_suite(seeds=3)
        self.expect(0, suite)
        before, contents = self.hashes(), self.contents()
        os.unlink(f"{self.run_folder('classic__CartPole-v1/linear/trpo/s0001')}/run.json")
        _, err = self.expect(0, suite)
        self.assertEqual(self.started(err), ["classic/CartPole-v1 linear trpo s1"])
        self.assertIn("(again)", err)
        self.assertEqual(self.hashes(), before)
        self.assertEqual(self.contents(), contents)
        self.assertEqual([a["state"] for a in self.attempts("classic__CartPole-v1/linear/trpo/s0001")], ["ok", "ok"])

    def test_a_whole_folder_is_missing(self):
        suite = self.put_suite(seeds=2)
        self.expect(0, suite)
        before = self.hashes()
        shutil.rmtree(self.run_folder("classic__CartPole-v1"))
        _, err = self.expect(0, suite)
        self.assertEqual(len(self.started(err)), 2)
        self.assertEqual(self.hashes(), before)

    def test_more_seeds(self):
        suite = self.put_suite(seeds=2)
        self.expect(0, suite)
        _, err = self.expect(0, suite, "--seeds", "4")
        self.assertEqual(self.started(err), [f"classic/CartPole-v1 linear trpo s{seed}" for seed in (2, 3)])
        self.assertEqual(len(self.runs()), 4)
        _, err = self.expect(0, suite, "--seeds", "1,7-8")
        self.assertEqual(self.started(err), [f"classic/CartPole-v1 linear trpo s{seed}" for seed in (7, 8)])

    def test_fewer_seeds_keep_the_others_in_the_report(self):
        suite = self.put_suite(seeds=3)
        self.expect(0, suite)
        self.expect(0, suite, "--seeds", "1")
        scores = bench.read(f"{self.results()}/report/scores.csv")
        self.assertEqual(scores.count(",ok\n"), 3)

    def test_seeds_in_the_file_continue_the_same_folder(self):
        self.expect(0, self.put_suite(seeds=1))
        folder = self.results()
        _, err = self.expect(0, self.put_suite(seeds=3))
        self.assertEqual(self.results(), folder)
        self.assertEqual(len(self.started(err)), 2)

    def test_an_option_that_matters_is_another_folder(self):
        suite = self.put_suite(seeds=1)
        self.expect(0, suite)
        self.expect(0, suite, "--set", "max_kl=0.02")
        folders = sorted(os.listdir(self.path("results")))
        self.assertEqual(len(folders), 2)
        self.assertTrue(all(folder.startswith("e2e-") for folder in folders))

    def test_filter(self):
        suite = self.put_suite(envs=(bench.CARTPOLE, bench.PENDULUM), algorithms=("trpo", "vpg"), seeds=2)
        out, err = self.expect(0, suite, "--filter", "CartPole.* trpo s1")
        self.assertEqual(self.started(err), ["classic/CartPole-v1 linear trpo s1"])
        # what did not run is counted, not dropped
        scores = bench.read(f"{self.results()}/report/scores.csv")
        self.assertEqual((scores.count(",ok\n"), scores.count(",missing\n")), (1, 7))
        self.assertIn("classic/Pendulum-v1", out)
        _, err = self.expect(0, suite, "--filter", "vpg")
        self.assertEqual(len(self.started(err)), 4)
        _, err = self.expect(0, suite)
        self.assertEqual(len(self.started(err)), 3)
        self.assert_complete(8)

    def test_failed_cells_are_tried_again(self):
        suite = self.put_suite(envs=(bench.CARTPOLE, "broken/step-exit-v1"), seeds=1, plugins=[bench.broken("env-step-exit")])
        self.expect(1, suite)
        _, err = self.expect(1, suite)
        self.assertEqual(self.started(err), ["broken/step-exit-v1 linear trpo s0"])
        self.assertEqual([a["state"] for a in self.attempts("broken__step-exit-v1/linear/trpo/s0000")], ["failed", "failed"])

    def test_report_alone_gives_the_same_report(self):
        suite = self.put_suite(seeds=3)
        self.expect(0, suite)
        report = f"{self.results()}/report"
        names = ("table.md", "table.tex", "table.csv", "scores.csv")
        before = [bench.read(f"{report}/{name}") for name in names]
        shutil.rmtree(report)
        out, _ = self.expect(0, "report", self.results())
        self.assertEqual([bench.read(f"{report}/{name}") for name in names], before)
        self.assertEqual(out, before[0])

    def test_no_report(self):
        suite = self.put_suite(seeds=1)
        out, _ = self.expect(0, suite, "--no-report")
        self.assertEqual(out, "")
        self.assertFalse(os.path.exists(f"{self.results()}/report"))
        self.expect(0, "report", self.results())
        self.assert_complete(1)


if __name__ == "__main__":
    bench.main()
