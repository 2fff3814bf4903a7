# SPDX-License-Identifier: MIT
"""The vector width changes no bit: AVX2 and AVX-512 kernels, and the choice between them."""

import bench

SUITE = dict(envs=(bench.CARTPOLE, bench.PENDULUM), policies=("mlp",), steps=2000)


def cpu_has(*flags):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        have = next((line.split() for line in file if line.startswith("flags")), [])
    return all(flag in have for flag in flags)


class Isa(bench.Bench):
    def run_with(self, level, **options):
        suite = self.put_suite(**SUITE, **options)
        self.expect(0, suite, "--no-report", "-o", level, environment={"TRPO_BENCH_ISA": level})
        return self.contents(level)

    def assert_no_difference(self, **options):
        if not cpu_has("avx2", "fma", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"):
            self.skipTest("this CPU has not both AVX2 and AVX-512")
        self.assertEqual(self.run_with("v3", **options), self.run_with("v4", **options))
        self.assertEqual(self.hashes("v3"), self.hashes("v4"))
        self.assertEqual(len(self.hashes("v3")), 4)

    def test_avx2_and_avx512_give_equal_bits_in_float(self):
        self.assert_no_difference()

    def test_avx2_and_avx512_give_equal_bits_in_double(self):
        self.assert_no_difference(head='precision = "f64"')

    def test_every_cpu_runs_the_baseline(self):
        self.run_with("baseline")
        self.assertEqual(len(self.runs("baseline")), 4)

    def test_an_unknown_level_is_refused(self):
        """By name, whatever the policy: never a silent change to something slower."""
        for policy in ("mlp", "linear"):
            suite = self.put_suite(policies=(policy,))
            code, out, err = self.call(suite, "-o", policy, environment={"TRPO_BENCH_ISA": "v5"})
            self.assertIn(code, (1, 2), out + err)
            self.assertIn('TRPO_BENCH_ISA = "v5": expected baseline, v3 or v4', out + err)


if __name__ == "__main__":
    bench.main()
