# SPDX-License-Identifier: MIT
"""Results that cannot be written, belong to others or are damaged; figures that cannot be drawn."""

import os
import shutil
import subprocess
import unittest

import bench

CARTPOLE_RUN = "classic__CartPole-v1/linear/trpo/s000{}"


def find_unshare():
    """A command that gives a mount namespace of its own, or None: containers may forbid both ways."""
    for command in (["unshare", "-m"], ["unshare", "-rm"]):
        try:
            subprocess.run([*command, "sh", "-c", "mount -t tmpfs tmpfs /mnt"], check=True, capture_output=True, timeout=20)
            return command
        except (OSError, subprocess.SubprocessError):
            pass
    return None


UNSHARE = find_unshare()
NEEDS_MOUNT = unittest.skipIf(UNSHARE is None, "no mount namespace here (unshare -m and unshare -rm fail): "
                                               "full and read-only disks are not tested")


class BadFolders(bench.Bench):
    def in_namespace(self, script, *arguments):
        """Runs a shell script with its own mounts; "$@" are the arguments."""
        return self.call(*arguments, command=[*UNSHARE, "sh", "-c", script, bench.PROGRAM])

    # ---- folders that cannot be written ----

    def test_below_a_file(self):
        self.put("file", "")
        _, err = self.expect(74, self.put_suite(), "-o", "file/results")
        self.assertIn("cannot write results; choose another folder with -o: file/results: ", err)
        self.assertIn("Not a directory", err)

    def test_a_place_where_nobody_can_write(self):
        _, err = self.expect(74, self.put_suite(), "-o", "/proc/trpo-bench")
        self.assertIn("/proc/trpo-bench: cannot make this folder", err)
        self.assertIn("-o", err)

    def test_empty_name(self):
        _, err = self.expect(2, self.put_suite(), "-o", "")
        self.assertIn("-o takes a folder", err)

    @NEEDS_MOUNT
    def test_read_only_disk(self):
        suite = self.put_suite()
        os.mkdir(self.path("disk"))
        code, out, err = self.in_namespace(
            'mount -t tmpfs tmpfs disk && mount -o remount,ro disk && exec "$0" "$@"', suite, "-o", "disk")
        self.assertEqual((code, out), (74, ""), err)
        self.assertIn("Read-only file system", err)
        self.assertIn("choose another folder with -o", err)

    @NEEDS_MOUNT
    def test_read_only_results_of_another_day(self):
        suite = self.put_suite()
        self.expect(0, suite, "-o", "kept")
        os.mkdir(self.path("disk"))
        code, _, err = self.in_namespace(
            'mount -t tmpfs tmpfs disk && cp -r kept/. disk && mount -o remount,ro disk && exec "$0" "$@"', suite, "-o", "disk")
        self.assertEqual(code, 74, err)
        self.assertIn("cannot write here: Read-only file system", err)

    @NEEDS_MOUNT
    def test_full_disk(self):
        """Nothing is lost: with room again, the same command finishes, and the results are the same."""
        suite = self.put_suite(seeds=6)
        self.expect(0, suite, "-o", "whole", "--no-report")
        os.mkdir(self.path("disk"))
        os.mkdir(self.path("copy"))
        # room for some runs; then full; then empty again
        script = """
            mount -t tmpfs -o size=400k tmpfs disk || exit 90
            dd if=/dev/zero of=disk/filler bs=1k count=250 2>/dev/null || exit 91
            "$0" "$@"
            code=$?
            rm disk/filler
            mount -o remount,size=50m disk || exit 92
            "$0" "$@" 2>second || exit 93
            cp -r disk/. copy
            exit $code"""
        code, _, err = self.in_namespace(script, suite, "-o", "disk", "-j1")
        self.assertIn(code, (1, 74), err)
        self.assertIn("No space left on device", err)
        n_done = err.count("] done  ")
        self.assertTrue(0 < n_done < 6, err)
        self.assertIn(f"6 cells, {n_done} done, {6 - n_done} to run", bench.read(self.path("second")))
        self.assertEqual(self.hashes("copy"), self.hashes("whole"))
        self.assertEqual(self.contents("copy"), self.contents("whole"))

    def test_a_file_where_a_run_belongs(self):
        """That cell fails, and says so in the report; the others finish."""
        suite = self.put_suite(seeds=3)
        self.expect(0, suite)
        runs = os.path.dirname(self.run_folder(CARTPOLE_RUN.format(0)))
        shutil.rmtree(runs)
        os.mkdir(runs)
        bench.write(f"{runs}/s0001", "")
        out, err = self.expect(1, suite)
        self.assertIn("failed classic/CartPole-v1 linear trpo s1: ", err)
        self.assertIn("s0001: cannot use this as a folder", err)
        self.assertIn("1 of 3 cells failed", err)
        self.assertEqual(len(self.runs()), 2)
        self.assertIn("| classic/CartPole-v1 | linear | trpo ", out)

    # ---- folders of others ----

    def test_two_programs(self):
        """The second is refused and changes nothing, not even the plan of the first."""
        suite = self.put_suite(policies=("mlp",), seeds=4, steps=8000)
        first = self.start(suite, "-j1", "--threads=1")
        bench.wait_until(lambda: bench.workers_of(first.pid), "a worker")
        _, err = self.expect(2, suite, "--seeds", "1")
        self.assertIn(f"another trpo-bench (process {first.pid}) is writing into results/e2e-", err)
        self.assertIn("-o", err)
        code, _, err = self.finish(first)
        self.assertEqual(code, 0, err)
        self.assert_complete(4)

    def test_the_lock_ends_with_its_holder(self):
        suite = self.put_suite(seeds=1)
        self.expect(0, suite)
        self.assertTrue(os.path.exists(f"{self.results()}/.lock"))
        self.expect(0, suite)

    def test_results_of_another_suite(self):
        self.expect(0, self.put_suite(seeds=1), "-o", "a", "--no-report")
        other = self.put_suite("other.toml", seeds=1, steps=1500)
        self.expect(0, other, "-o", "b", "--no-report")
        mine, before = os.path.basename(self.results("a")), self.hashes("b")
        os.rename(self.results("b"), self.path(f"b/{mine}"))
        _, err = self.expect(3, "e2e.toml", "-o", "b")
        self.assertIn("holds results of another suite", err)
        self.assertIn("choose another folder with -o", err)
        self.assertEqual(self.hashes("b"), before)

    # ---- damage ----

    def cut(self, path, keep=0.5):
        with open(path, "rb") as file:
            content = file.read()
        with open(path, "wb") as file:
            file.write(content[:int(len(content) * keep)])

    def test_damaged_evaluations(self):
        suite = self.put_suite(seeds=3)
        self.expect(0, suite)
        path = f"{self.run_folder(CARTPOLE_RUN.format(1))}/evals.csv"
        bench.write(path, bench.read(path).replace("\n", "\nx", 1))
        for arguments in (("report", self.results()), (suite,)):
            with self.subTest(arguments[0]):
                out, err = self.expect(3, *arguments)
                self.assertIn("evals.csv:2:", err)
                self.assertIn("1 damaged run", err)
                # the report is written all the same
                self.assertIn("seed 1: damaged: ", out)
        # what the message says: without the folder, the run is made anew
        shutil.rmtree(os.path.dirname(path))
        self.expect(0, suite)

    def test_damaged_record(self):
        self.expect(0, self.put_suite(seeds=2))
        self.cut(f"{self.run_folder(CARTPOLE_RUN.format(0))}/run.json")
        _, err = self.expect(3, "report", self.results())
        self.assertIn("run.json", err)

    def test_a_run_that_was_copied(self):
        self.expect(0, self.put_suite(seeds=2))
        shutil.copy(f"{self.run_folder(CARTPOLE_RUN.format(0))}/run.json",
                    f"{self.run_folder(CARTPOLE_RUN.format(1))}/run.json")
        _, err = self.expect(3, "report", self.results())
        self.assertIn("was the folder copied", err)

    def test_damaged_suite(self):
        suite = self.put_suite(seeds=2)
        self.expect(0, suite)
        before = self.hashes()
        path = f"{self.results()}/suite.resolved.json"
        self.cut(path)
        _, err = self.expect(3, "report", self.results())
        self.assertIn("suite.resolved.json:", err)
        _, err = self.expect(3, suite)
        self.assertIn("suite.resolved.json:", err)
        self.assertIn("delete this file and run the suite again", err)
        os.unlink(path)
        _, err = self.expect(0, suite)
        self.assertIn("2 cells, 2 done, 0 to run", err)
        self.assertEqual(self.hashes(), before)

    def test_no_results_folder(self):
        _, err = self.expect(74, "report", "nosuch")
        self.assertIn('"nosuch" is not a results folder', err)

    # ---- figures ----

    def without_gnuplot(self, environment):
        suite = self.put_suite(seeds=3)
        out, err = self.expect(0, suite, environment=environment)
        self.assertIn("gnuplot", err)
        self.assertIn("| classic/CartPole-v1 |", out)
        self.assert_complete(3)
        report = f"{self.results()}/report"
        self.assertTrue(os.path.exists(f"{report}/fig/curves.gp"))
        self.assertTrue(os.listdir(f"{report}/data"))
        self.assertFalse(os.path.exists(f"{report}/fig/curves.svg"))
        return err

    def test_no_gnuplot_on_the_path(self):
        err = self.without_gnuplot({"PATH": self.path("nothing")})
        self.assertIn("install gnuplot", err)
        # with it, the report draws what was missing
        self.expect(0, "report", self.results())
        self.assertTrue(os.path.exists(f"{self.results()}/report/fig/curves.svg"))

    def test_another_gnuplot_that_is_not_there(self):
        err = self.without_gnuplot({"TRPO_BENCH_GNUPLOT": "/nonexistent/gnuplot"})
        self.assertIn("/nonexistent/gnuplot", err)

    def test_a_gnuplot_that_fails(self):
        self.put("gnuplot", "#!/bin/sh\n[ $1 = --version ] && echo gnuplot 5.4 patchlevel 4 && exit\necho 'no fonts' >&2\nexit 1\n")
        os.chmod(self.path("gnuplot"), 0o755)
        out, err = self.expect(74, self.put_suite(seeds=1), environment={"TRPO_BENCH_GNUPLOT": self.path("gnuplot")})
        self.assertIn("no fonts", err)
        self.assertIn("| classic/CartPole-v1 |", out)

    # ---- standard streams ----

    def test_standard_output_that_is_full(self):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([bench.PROGRAM, self.put_suite(seeds=1)], cwd=self.folder, env=bench.ENVIRONMENT,
                                     stdout=full, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual(process.returncode, 74)
        self.assertIn(b"cannot write to standard output: No space left on device", process.stderr)
        self.assert_complete(1)

    def test_closed_standard_streams(self):
        """No results file gets the number of a closed stream and with it the program's messages."""
        suite = self.put_suite(seeds=1)
        subprocess.run(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', bench.PROGRAM, suite], cwd=self.folder,
                       env=bench.ENVIRONMENT, timeout=60, check=True)
        self.assert_complete(1)
        self.assertRegex(bench.read(f"{self.results()}/.lock"), "^[0-9]+$")
        self.assertEqual(bench.read(f"{self.run_folder(CARTPOLE_RUN.format(0))}/log.txt"), "")


if __name__ == "__main__":
    bench.main()
