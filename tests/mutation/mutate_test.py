# SPDX-License-Identifier: MIT
"""mutate.py on a program of three lines: it must tell a killed mutant from one that survives, from one that says nothing."""

import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mutate.py")
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(tiny C)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
add_executable(test-sum sum.c)
"""
PROGRAM = """// SPDX-License-Identifier: MIT
static int sum(int a, int b) { return a + b; }
static int unused(void) { return 7; }
int main(void) { return sum(2, 2) == 4 ? 0 : 1 + 0 * unused(); }
"""
MUTANT = """[[mutant]]
id = "{0}"
trap = 0
title = "{0}"
file = "sum.c"
old = "{1}"
new = "{2}"
tests = ["sum"]
"""


class Mutate(unittest.TestCase):
    def run_on(self, *mutants, program=PROGRAM, arguments=()):
        with tempfile.TemporaryDirectory(prefix="trpo-bench ") as folder:
            tree = os.path.join(folder, "tree")
            os.mkdir(tree)
            texts = {"tree/CMakeLists.txt": PROJECT, "tree/sum.c": program,
                     "table.toml": "".join(MUTANT.format(*mutant) for mutant in mutants)}
            for name, text in texts.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run([sys.executable, "-B", SCRIPT, "--tree", tree, "--table", os.path.join(folder, "table.toml"),
                                   *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  env={**os.environ, "TMPDIR": folder}, check=False)
            with open(os.path.join(tree, "sum.c"), encoding="utf-8") as file:
                self.assertEqual(file.read(), program, "the source itself was changed")
            self.assertEqual(sorted(os.listdir(folder)), ["table.toml", "tree"], "the copy was left behind")
        lines = done.stdout.splitlines()
        return done.returncode, lines, lines[-1]

    def test_killed(self):
        code, lines, last = self.run_on(("wrong", "a + b", "a * b + 1"))
        self.assertEqual((code, last), (0, "1 passed, 0 failed"))
        self.assertTrue(lines[0].startswith("killed") and "wrong: sum" in lines[0], lines)

    def test_one_that_survives_is_told_and_leaves_no_trace_in_the_next(self):
        # 2 * 2 is 2 + 2: the test is too weak
        code, lines, last = self.run_on(("weak", "a + b", "a * b"), ("wrong", "a + b", "a - b"))
        self.assertEqual((code, last), (1, "1 passed, 1 failed"))
        self.assertTrue(lines[0].startswith("SURVIVED") and "weak" in lines[0], lines)
        self.assertTrue(lines[1].startswith("killed") and "wrong" in lines[1], lines)

    def test_a_change_that_does_not_compile_is_no_success(self):
        code, lines, last = self.run_on(("broken", "a + b", "a +"))
        self.assertEqual((code, last), (1, "0 passed, 1 failed"))
        self.assertTrue(lines[0].startswith("error") and "does not compile" in lines[0], lines)

    def test_a_text_that_is_gone_or_ambiguous_is_named(self):
        code, lines, last = self.run_on(("gone", "a - b", "a"), ("twice", "static int", "int"))
        self.assertEqual((code, last), (1, "0 passed, 2 failed"))
        self.assertIn("mutant gone: its old text is 0 times in sum.c", lines[0])
        self.assertIn("mutant twice: its old text is 2 times in sum.c", lines[1])

    def test_a_test_that_is_red_anyway_kills_nothing(self):
        code, lines, last = self.run_on(("wrong", "a + b", "a - b"), program=PROGRAM.replace("== 4", "== 5"))
        self.assertEqual((code, last), (1, "0 passed, 1 failed"))
        self.assertIn("red without any mistake: sum", lines[0])

    def test_only_and_list(self):
        code, lines, last = self.run_on(("weak", "a + b", "a * b"), ("wrong", "a + b", "a - b"), arguments=("--only", "^wr"))
        self.assertEqual((code, last), (0, "1 passed, 0 failed"))
        code, lines, _ = self.run_on(("weak", "a + b", "a * b"), ("wrong", "a + b", "a - b"), arguments=("--list",))
        self.assertEqual((code, len(lines)), (0, 2))
        self.assertEqual(self.run_on(("weak", "a + b", "a * b"), arguments=("--only", "none"))[0], 1)


if __name__ == "__main__":
    unittest.main()
