# SPDX-License-Identifier: MIT
"""Same suite, same seed: the same bits, whatever the threads, the jobs, the order, the second time."""

import bench

SMOKE = f"{bench.SOURCE}/suites/smoke.toml"


class Reproducible(bench.Bench):
    def assert_same_everywhere(self, suite, variants, n_runs, **options):
        for i, arguments in enumerate(variants):
            self.expect(0, suite, "--no-report", "-o", f"r{i}", *arguments, **options)
            self.assertEqual(len(self.runs(f"r{i}")), n_runs)
            self.assertEqual(self.hashes(f"r{i}"), self.hashes("r0"), f"{arguments} against {variants[0]}")
            found, expected = self.contents(f"r{i}"), self.contents("r0")
            self.assertEqual(sorted(found), sorted(expected))
            for path, content in expected.items():
                self.assertEqual(found[path], content, f"{path} with {arguments}")

    def test_smoke_suite_over_threads_jobs_and_repeats(self):
        variants = [(f"--threads={threads}", f"-j{jobs}") for threads in (1, 2) for jobs in (1, 2)] * 2
        self.assert_same_everywhere(SMOKE, variants, 12)

    def test_double_precision_and_more_threads_than_lanes(self):
        suite = self.put_suite(envs=(bench.CARTPOLE, bench.PENDULUM), policies=("mlp", "linear"), steps=2000, seeds=1,
                               head='precision = "f64"')
        self.assert_same_everywhere(suite, [("--threads=1",), ("--threads=7",)], 4)

    def test_order_of_cells(self):
        """A cell's result does not depend on the cells that ran beside or before it."""
        whole = self.put_suite(envs=(bench.CARTPOLE, bench.PENDULUM), seeds=3)
        self.expect(0, whole, "--no-report", "-o", "whole")
        for part in ("Pendulum.* s2$", "CartPole.* s1$", "s0$"):
            self.expect(0, whole, "--no-report", "-o", "parts", "--filter", part)
        self.expect(0, whole, "--no-report", "-o", "parts")
        self.assertEqual(self.hashes("parts"), self.hashes("whole"))
        self.assertEqual(self.contents("parts"), self.contents("whole"))

    def test_another_seed_is_another_result(self):
        suite = self.put_suite(seeds=4)
        self.expect(0, suite, "--no-report")
        self.assertEqual(len(set(self.hashes().values())), 4)

    def test_locale_and_working_directory_do_not_matter(self):
        suite = self.put_suite()
        self.expect(0, suite, "--no-report", "-o", "r0")
        self.expect(0, suite, "--no-report", "-o", "r1",
                    environment={"LC_ALL": "de_DE.UTF-8", "LANG": "tr_TR.UTF-8", "OMP_NUM_THREADS": "5"})
        self.assertEqual(self.contents("r0"), self.contents("r1"))


if __name__ == "__main__":
    bench.main()
