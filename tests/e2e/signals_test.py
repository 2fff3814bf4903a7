# SPDX-License-Identifier: MIT
"""Stopping a running suite in every way loses at most the cells that were running."""

import glob
import os
import signal
import time

import bench

SLEEP = "broken/step-sleep-v1"
N_LONG = 8  # cells of the suite that is stopped half-way


class Signals(bench.Bench):
    def put_long_suite(self):
        # a cell takes some tenths of a second: time to be stopped half-way
        return self.put_suite(envs=(bench.CARTPOLE, bench.PENDULUM), policies=("mlp",), seeds=N_LONG // 2, steps=15000)

    def put_endless_suite(self, seeds=3):
        return self.put_suite("endless.toml", name="endless", envs=(SLEEP,), seeds=seeds, plugins=[bench.broken("env-step-sleep")])

    def wait_for_workers(self, process, n):
        """Process numbers of n workers that are at work: their signal handlers stand, their attempts are recorded."""
        def find():
            workers = bench.workers_of(process.pid)
            records = glob.glob(self.path("results/*/runs/*/*/*/*/attempts/*.json"))
            at_work = [path for path in records if bench.load(path)["state"] == "running"]
            return workers if len(workers) == n <= len(at_work) else None

        return bench.wait_until(find, f"{n} workers")

    def wait_for_first_run(self):
        bench.wait_until(lambda: glob.glob(self.path("results/*/runs/*/*/*/*/run.json")), "the first complete run")

    def assert_gone(self, workers, seconds=10):
        bench.wait_until(lambda: not any(map(bench.is_alive, workers)), f"workers {workers} end", seconds)

    whole = None

    def uninterrupted(self, suite):
        """(hashes, contents) of the suite that nobody stops; made once."""
        if Signals.whole is None:
            self.expect(0, suite, "-o", "whole", "--no-report", "-j2")
            Signals.whole = self.hashes("whole"), self.contents("whole")
        return Signals.whole

    def stop_and_go_on(self, number, code, name):
        suite = self.put_long_suite()
        process = self.start(suite, "-j2", "--threads=1")
        self.wait_for_first_run()
        workers = bench.workers_of(process.pid)
        process.send_signal(number)
        found, out, err = self.finish(process, 60)
        self.assertEqual(found, code, err)
        self.assertFalse(any(map(bench.is_alive, workers)))
        n_done = len(self.runs())
        self.assertTrue(1 <= n_done < N_LONG, n_done)
        self.assertIn(f"stopped by {name}; {n_done} of {N_LONG} cells are done, the same command goes on with the rest", err)
        self.assertEqual(out, "")
        self.assertFalse(os.path.exists(f"{self.results()}/report"))
        # those that were stopped say so, and are not failures; one that was about to end may have ended
        states = [bench.load(path)["state"] for path in glob.glob(f"{self.results()}/runs/*/*/*/*/attempts/1.json")]
        self.assertLessEqual(set(states), {"ok", "stopped"})
        self.assertEqual(states.count("ok"), n_done)

        _, err = self.expect(0, suite)
        self.assertIn(f"{N_LONG} cells, {n_done} done, {N_LONG - n_done} to run", err)
        hashes, contents = self.uninterrupted(suite)
        self.assertEqual(self.hashes(), hashes)
        self.assertEqual(self.contents(), contents)

    def test_interrupt(self):
        self.stop_and_go_on(signal.SIGINT, 130, "SIGINT")

    def test_terminate(self):
        self.stop_and_go_on(signal.SIGTERM, 143, "SIGTERM")

    def test_a_worker_that_does_not_listen(self):
        """A plugin that never returns is killed after some seconds."""
        process = self.start(self.put_endless_suite(), "-j2")
        workers = self.wait_for_workers(process, 2)
        process.send_signal(signal.SIGINT)
        code, _, err = self.finish(process, 30)
        self.assertEqual(code, 130)
        self.assertFalse(any(map(bench.is_alive, workers)))
        self.assertIn("stopping: waiting a few seconds", err)
        self.assertIn("0 of 3 cells are done", err)
        (attempt,) = self.attempts("broken__step-sleep-v1/linear/trpo/s0000")
        self.assertEqual((attempt["state"], attempt["signal"]), ("stopped", 9))

    def test_interrupt_of_the_whole_group(self):
        """Ctrl-C reaches every process of the terminal's foreground group: the workers are not in it."""
        suite = self.put_long_suite()
        process = self.start(suite, "-j2", "--threads=1", start_new_session=True)
        self.wait_for_first_run()
        os.killpg(process.pid, signal.SIGINT)
        code, _, err = self.finish(process, 60)
        self.assertEqual(code, 130, err)
        self.expect(0, suite, "--no-report")
        self.assertEqual(len(self.runs()), N_LONG)

    def test_kill(self):
        """Nothing can be said or done then; but no worker stays behind, and the next start goes on."""
        process = self.start(self.put_endless_suite(), "-j2")
        workers = self.wait_for_workers(process, 2)
        process.kill()
        self.finish(process)
        self.assert_gone(workers)
        (attempt,) = self.attempts("broken__step-sleep-v1/linear/trpo/s0000")
        self.assertEqual(attempt["state"], "running")
        # the lock went with its holder
        process = self.start(self.put_endless_suite(), "-j2")
        bench.wait_until(lambda: len(self.attempts("broken__step-sleep-v1/linear/trpo/s0000")) == 2, "a second attempt")

    def test_killed_half_way_gives_the_same_in_the_end(self):
        suite = self.put_long_suite()
        for _ in range(2):
            process = self.start(suite, "-j2", "--threads=1")
            time.sleep(0.7)
            process.kill()
            self.finish(process)
        self.expect(0, suite)
        hashes, contents = self.uninterrupted(suite)
        self.assertEqual(self.hashes(), hashes)
        self.assertEqual(self.contents(), contents)

    def test_a_worker_is_killed(self):
        """By a person or for want of memory: that cell failed, the rest goes on."""
        suite = self.put_suite("mixed.toml", envs=(SLEEP, bench.CARTPOLE), seeds=1, plugins=[bench.broken("env-step-sleep")])
        process = self.start(suite, "-j2")
        self.wait_for_first_run()
        (worker,) = self.wait_for_workers(process, 1)
        os.kill(worker, signal.SIGKILL)
        code, out, err = self.finish(process, 60)
        self.assertEqual(code, 1)
        self.assertIn("crashed broken/step-sleep-v1 linear trpo s0: signal 9 (Killed): killed from outside, perhaps out of memory",
                      err)
        self.assertIn("signal 9 (Killed)", out)
        self.assertEqual(len(self.runs()), 1)

    def test_a_worker_is_asked_to_stop(self):
        """Only the program itself may stop a cell without its counting as not done."""
        suite = self.put_suite(policies=("mlp",), seeds=1, steps=3000000)
        process = self.start(suite)
        (worker,) = self.wait_for_workers(process, 1)
        os.kill(worker, signal.SIGTERM)
        code, _, err = self.finish(process, 60)
        self.assertEqual(code, 1, err)
        self.assertIn("1 of 1 cells failed", err)
        self.assertEqual(self.attempts("classic__CartPole-v1/mlp/trpo/s0000")[0]["state"], "stopped")

    def test_suspended_program(self):
        """The workers run on while the program is stopped (Ctrl-Z); nothing is lost when it comes back."""
        suite = self.put_suite(policies=("mlp",), seeds=2, steps=15000)
        process = self.start(suite, "-j2", "--threads=1")
        workers = self.wait_for_workers(process, 2)
        process.send_signal(signal.SIGSTOP)
        self.assert_gone(workers, 60)
        process.send_signal(signal.SIGCONT)
        code, _, err = self.finish(process, 60)
        self.assertEqual(code, 0, err)
        self.assertEqual(len(self.runs()), 2)


if __name__ == "__main__":
    bench.main()
