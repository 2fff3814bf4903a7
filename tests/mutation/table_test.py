# SPDX-License-Identifier: MIT
"""mutants.toml against the source and docs/traps.md: no mutant may rot, and none may be missing from the page."""

import os
import re
import sys
import unittest

SOURCE = os.path.abspath(sys.argv.pop(1))
sys.dont_write_bytecode = True

import mutate

MUTANTS = mutate.load(os.path.join(SOURCE, "tests", "mutation", "mutants.toml"))
# what a row of the page's table starts with, and the mutants that are named in a row
ROW = re.compile(r"^\| (\d+) \|.*\|$", re.MULTILINE)
NAME = re.compile(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`")


def test_source(name):
    """Where the program of a CTest name comes from."""
    if name.startswith("plugin-"):
        plugin = name.removeprefix("plugin-")
        kind = "policies" if os.path.isdir(os.path.join(SOURCE, "plugins", "policies", plugin)) else "envs"
        return os.path.join("plugins", kind, plugin, f"{plugin}_test.c")
    return os.path.join("tests", *name.split("-")) + "_test.c"


class Table(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        page = mutate.read(SOURCE, os.path.join("docs", "traps.md"))
        cls.rows = {int(row.group(1)): row.group(0) for row in ROW.finditer(page)}

    def test_every_old_text_is_in_the_source_once(self):
        for mutant in MUTANTS:
            with self.subTest(mutant["id"]):
                mutate.mutated(mutant, mutate.read(SOURCE, mutant["file"]))

    def test_every_test_has_a_source(self):
        for mutant in MUTANTS:
            for test in mutant["tests"]:
                with self.subTest(mutant["id"]):
                    self.assertTrue(os.path.isfile(os.path.join(SOURCE, test_source(test))), test_source(test))

    def test_the_page_has_all_25_traps_and_row_0(self):
        self.assertEqual(sorted(self.rows), list(range(26)))

    def test_every_mutant_is_in_the_row_of_its_trap_with_file_and_tests(self):
        for mutant in MUTANTS:
            with self.subTest(mutant["id"]):
                row = self.rows[mutant["trap"]]
                self.assertIn(f"`{mutant['id']}`", row)
                self.assertIn(f"`{mutant['file']}`", row)
                for test in mutant["tests"]:
                    self.assertIn(f"`{test}`", row)

    def test_the_page_names_no_other_mutant(self):
        for number, row in self.rows.items():
            expected = {mutant["id"] for mutant in MUTANTS if mutant["trap"] == number}
            # the last cell
            self.assertEqual(set(NAME.findall(row.rsplit(" | ", 1)[1])), expected, f"row {number}")


if __name__ == "__main__":
    unittest.main()
