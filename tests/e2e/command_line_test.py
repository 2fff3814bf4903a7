# SPDX-License-Identifier: MIT
"""What a person types: help, versions, typing mistakes, --dry-run, lists."""

import os
import re
import shlex
import subprocess

import bench

COMMANDS = {
    "run": ["output", "jobs", "threads", "seeds", "filter", "set", "plugin-dir", "timeout", "dry-run", "no-report", "progress",
            "quiet"],
    "report": ["reps", "curve-reps", "ci", "seed", "filter", "no-plot"],
    "list": ["json", "verbose", "markdown", "plugin-dir", "seeds", "filter", "set"],
    "check": ["in-process", "json", "only", "seed", "timeout"],
    "replay": ["max-episode-steps", "plugin-dir", "reward-tolerance", "set", "tolerance"],
}


class Help(bench.Bench):
    def test_program(self):
        out, err = self.expect(0, "--help")
        self.assertEqual(err, "")
        for command in COMMANDS:
            self.assertRegex(out, rf"\n  {command} +\w")
        self.assertIn("Exit codes: 0 ", out)
        # what the program starts itself is nobody's command
        self.assertNotIn("run-cell", out)
        self.assertNotIn("scan-plugin", out)
        for word in ("-h", "help"):
            self.assertEqual(self.expect(0, word)[0], out)
        self.assertEqual(self.expect(2), ("", out))

    def test_every_command(self):
        for command, options in COMMANDS.items():
            with self.subTest(command):
                out, err = self.expect(0, command, "--help")
                self.assertEqual(err, "")
                self.assertIn(f"Usage: trpo-bench {command} ", out)
                for option in options:
                    self.assertRegex(out, rf"--{option}\b")

    def test_no_option_is_forgotten_here(self):
        for command, options in COMMANDS.items():
            out, _ = self.expect(0, command, "--help")
            found = set(re.findall(r"^ +(?:-\w, )?--([a-z-]+)", out, re.M)) - {"help", "usage", "version"}
            self.assertEqual(found, set(options), command)

    def test_version(self):
        out, _ = self.expect(0, "--version")
        self.assertRegex(out, r"^trpo-bench \d+\.\d+\.\d+\n$")
        for command in COMMANDS:
            self.assertEqual(self.expect(0, command, "--version")[0], out)


class Mistakes(bench.Bench):
    def refuse(self, message, *arguments):
        out, err = self.expect(2, *arguments)
        self.assertEqual(out, "")
        self.assertIn(message, err)
        self.assertEqual(os.listdir(self.folder), [])

    def test_commands(self):
        self.refuse('no command "reprot"; did you mean "report"?', "reprot", "results")
        self.refuse('"suite" is neither a suite (*.toml) nor a command; see trpo-bench --help', "suite")

    def test_options(self):
        self.refuse('no option "--sedes"; did you mean "--seeds"?', "e2e.toml", "--sedes", "3")
        self.refuse('no option "--dryrun"; did you mean "--dry-run"?', "run", "e2e.toml", "--dryrun")
        self.refuse("unrecognized option '--frobnicate'", "e2e.toml", "--frobnicate")
        self.refuse("trpo-bench run --help", "e2e.toml", "--frobnicate")
        for command in COMMANDS:
            self.refuse(f"trpo-bench {command} --help", command, "--frobnicate")

    def test_an_argument_that_looks_like_an_option(self):
        _, err = self.expect(74, "--filter", "--sedes", "nosuch.toml")
        self.assertIn("nosuch.toml", err)

    def test_values(self):
        for value in ("0", "-1", "x", "1.5", "", "99999999999999999999"):
            self.refuse("-j takes a whole number from 1 to 4096", "e2e.toml", f"--jobs={value}")
            self.refuse("--threads takes a whole number", "e2e.toml", f"--threads={value}")
        for value in ("0", "-1", "x", "nan", "inf", "", "5s"):
            self.refuse("--timeout takes seconds above 0", "e2e.toml", f"--timeout={value}")
        self.refuse("--progress takes auto, full, plain or none", "e2e.toml", "--progress=loud")

    def test_suites(self):
        self.refuse("no suite given", "run")
        self.refuse("no suite given", "-j2")
        self.refuse('one suite at a time: "a.toml" and "b.toml"', "a.toml", "b.toml")


class DryRun(bench.Bench):
    def test_nothing_is_written(self):
        suite = self.put_suite(seeds=2)
        before = sorted(os.listdir(self.folder))
        out, _ = self.expect(0, suite, "--dry-run")
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertIn("e2e: 2 cells (1 environments x 1 policies x 1 algorithms x 2 seeds), 0 done, 2 to run\n", out)
        self.assertRegex(out, r"\nresults: results/e2e-[0-9a-f]{8}\n")
        self.assertEqual(out.count("run-cell"), 2)

    def test_a_command_of_the_list_works_by_hand(self):
        suite = self.put_suite(seeds=3)
        folder = "with 'quotes' and blanks"
        self.expect(0, suite, "-o", "whole", "--no-report")
        self.expect(0, suite, "-o", folder, "--filter", "s0$", "--no-report")
        out, _ = self.expect(0, suite, "-o", folder, "--dry-run")
        commands = [line for line in out.splitlines() if "run-cell" in line]
        self.assertEqual([shlex.split(line)[-1] for line in commands],
                         [f"runs/classic__CartPole-v1/linear/trpo/s000{seed}" for seed in (1, 2)])
        for command in commands:
            done = subprocess.run(["sh", "-c", command], cwd=self.folder, env=bench.ENVIRONMENT, timeout=60,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual((done.returncode, done.stdout), (0, b""))
        self.assertEqual(self.hashes(folder), self.hashes("whole"))
        out, _ = self.expect(0, suite, "-o", folder, "--dry-run")
        self.assertIn("3 done, 0 to run", out)

    def test_a_complete_run_is_not_run_again_by_hand(self):
        """It would empty the files that run.json vouches for."""
        self.expect(0, self.put_suite(seeds=1))
        before = self.contents()
        run = "runs/classic__CartPole-v1/linear/trpo/s0000"
        _, err = self.expect(2, "run-cell", self.results(), run)
        self.assertIn("is complete already; to run it again, delete its run.json", err)
        self.assertEqual(self.contents(), before)
        self.assertEqual(len(self.attempts("classic__CartPole-v1/linear/trpo/s0000")), 1)

    def test_a_run_that_the_suite_does_not_have(self):
        self.expect(0, self.put_suite(seeds=1))
        _, err = self.expect(2, "run-cell", self.results(), "runs/nosuch")
        self.assertIn('holds no cell "runs/nosuch"', err)
        _, err = self.expect(74, "run-cell", "nosuch", "runs/nosuch")
        self.assertIn("nosuch", err)


class Lists(bench.Bench):
    def test_what_there_is(self):
        out, _ = self.expect(0, "list", "envs")
        for env in (bench.CARTPOLE, bench.PENDULUM):
            self.assertIn(env, out)
        out, _ = self.expect(0, "list", "policies")
        self.assertIn("linear", out)
        self.assertIn("mlp", out)
        out, _ = self.expect(0, "list", "algorithms")
        for algorithm in ("trpo", "npg", "vpg"):
            self.assertIn(algorithm, out)
        out, _ = self.expect(0, "list", "plugins")
        self.assertIn("cartpole.so", out)

    def test_cells(self):
        suite = self.put_suite(seeds=2)
        out, _ = self.expect(0, "list", "cells", suite)
        for seed in (0, 1):
            self.assertIn(f"classic/CartPole-v1 linear trpo s{seed}", out)
        out, _ = self.expect(0, "list", "cells", suite, "--filter", "s1$")
        self.assertIn("classic/CartPole-v1 linear trpo s1", out)
        self.assertNotIn("trpo s0", out)

    def test_mistakes(self):
        _, err = self.expect(2, "list", "evns")
        self.assertIn('did you mean "envs"', err)
        self.expect(2, "list")
        self.expect(2, "list", "cells")


class Quiet(bench.Bench):
    def test_quiet(self):
        out, err = self.expect(0, self.put_suite(seeds=1), "-q")
        self.assertEqual(err, "")
        self.assertIn("| classic/CartPole-v1 |", out)

    def test_words_of_run_are_optional(self):
        suite = self.put_suite(seeds=1)
        self.expect(0, "run", suite)
        self.expect(0, "-j", "1", suite)


if __name__ == "__main__":
    bench.main()
