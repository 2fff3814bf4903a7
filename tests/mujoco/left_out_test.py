# SPDX-License-Identifier: MIT
"""Without MuJoCo, and without Python, the rest is configured as ever, and it is said that the plugin is left out.

Usage: left_out_test.py CMAKE SOURCE. That all of the rest also builds and passes is what the preset `coverage` shows (TB_MUJOCO=OFF).
"""

import os
import subprocess
import sys
import tempfile
import unittest

CMAKE, SOURCE = sys.argv[1:3] if len(sys.argv) == 3 else ("", "")


class LeftOut(unittest.TestCase):
    def configure(self, *options):
        with tempfile.TemporaryDirectory(prefix="trpo-bench mujoco ") as build:
            # a fetched MuJoCo of this tree does not count; nor does a Python
            done = subprocess.run(
                [CMAKE, "-G", "Ninja", "-S", SOURCE, "-B", build, "-DTB_TESTS=OFF", "-DTB_BENCH=OFF",
                 "-DCMAKE_DISABLE_FIND_PACKAGE_Python3=ON", f"-DTB_MUJOCO_FILES={build}/nothing", *options],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
            targets = subprocess.run([CMAKE, "--build", build, "--target", "help"], stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, text=True).stdout if done.returncode == 0 else ""
        return done.returncode, " ".join(done.stdout.split()), targets

    def test_nothing_fetched(self):
        code, output, targets = self.configure()
        self.assertEqual(code, 0, output)
        self.assertIn("plugin mujoco is left out: no models in", output)
        self.assertIn("run scripts/fetch-mujoco.sh", output)
        self.assertIn("plugin-cartpole", targets)
        self.assertNotIn("plugin-mujoco", targets)

    def test_switched_off(self):
        code, output, targets = self.configure("-DTB_MUJOCO=OFF")
        self.assertEqual(code, 0, output)
        self.assertIn("plugin mujoco is left out: TB_MUJOCO=OFF", output)
        self.assertNotIn("plugin-mujoco", targets)

    def test_asked_for_and_not_there(self):
        for value in ("wheel", "system", "/no/such/folder"):
            code, output, _ = self.configure(f"-DTB_MUJOCO={value}")
            self.assertNotEqual(code, 0)
            self.assertIn(f"TB_MUJOCO={value}: no models in", output)


if __name__ == "__main__":
    if not SOURCE:
        sys.exit("Usage: left_out_test.py CMAKE SOURCE")
    unittest.main(argv=sys.argv[:1])
