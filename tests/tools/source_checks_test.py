# SPDX-License-Identifier: MIT
"""The checks of the sources see what they are there to see: each is shown a tree with one planted violation."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import conventions
import floors
import format as layout
import sources

SPDX = "/* SPDX-License-Identifier: MIT */\n"
SOUND = {
    "include/trpo-bench/plugin.h": SPDX + "#include <stdint.h>\n",
    "include/trpo-bench/env.h": SPDX + '#include "plugin.h"\n',
    "trpo/base/base.h": SPDX + "#include <trpo-bench/plugin.h>\n",
    "trpo/base/base.c": SPDX + '#include "trpo/base/base.h"\n#include <cblas.h>\n',
    "harness/cli/main.c": SPDX + '#include "harness/cli/command.h"\n#include "trpo/base/base.h"\n',
    "harness/cli/command.h": SPDX,
    "harness/plugin/loader.c": SPDX + "#include <dlfcn.h>\n",
    "plugins/envs/pole/pole.c": SPDX + '#include "pole.h"\n#include <trpo-bench/env.h>\n',
    "plugins/envs/pole/pole.h": SPDX,
    "plugins/envs/car/car.c": SPDX,
    "plugins/envs/pole/pole_test.c": SPDX + '#include "harness/cli/command.h"\n',
}


class Tree(unittest.TestCase):
    """A temporary tree that is sound but for what a test changes in it."""

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="trpo-bench-sources-")
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in SOUND.items():
            self.write(path, text)

    def write(self, path, text):
        os.makedirs(os.path.join(self.root, os.path.dirname(path)), exist_ok=True)
        with open(os.path.join(self.root, path), "w", encoding="utf-8") as file:
            file.write(text)

    def assert_one(self, violations, *words):
        self.assertEqual(len(violations), 1, violations)
        for word in words:
            self.assertIn(word, violations[0])


class Floors(Tree):
    def violations(self):
        return floors.check(self.root)[0]

    def plant(self, path, line):
        self.write(path, SOUND.get(path, SPDX) + line + "\n")
        return self.violations()

    def test_a_sound_tree_is_clean(self):
        violations, checked = floors.check(self.root)
        self.assertEqual(violations, [])
        self.assertEqual(checked, len(SOUND) - 1)

    def test_include_stands_alone(self):
        self.assert_one(self.plant("include/trpo-bench/env.h", '#include "trpo/base/base.h"'), "env.h:3", "trpo/base/base.h")

    def test_the_library_does_not_know_the_program(self):
        self.assert_one(self.plant("trpo/base/base.c", '#include "harness/cli/command.h"'), "base.c:4", "harness/cli/command.h")

    def test_a_way_around_by_dots_is_seen(self):
        self.assert_one(self.plant("trpo/base/base.c", '#include "../../harness/cli/command.h"'), "harness/cli/command.h")

    def test_angle_brackets_do_not_hide(self):
        self.assert_one(self.plant("trpo/base/base.c", "#  include <harness/cli/command.h>"), "harness/cli/command.h")

    def test_plugins_use_the_abi_only(self):
        self.assert_one(self.plant("plugins/envs/pole/pole.c", '#include "trpo/base/base.h"'), "pole.c:4")

    def test_plugins_do_not_share_files(self):
        self.assert_one(self.plant("plugins/envs/car/car.c", '#include "../pole/pole.h"'), "car.c:2", "pole.h")

    def test_a_missing_header_is_seen(self):
        self.assert_one(self.plant("trpo/base/base.c", '#include "trpo/base/gone.h"'), "gone.h", "no file")

    def test_a_comment_is_no_include(self):
        self.assertEqual(self.plant("trpo/base/base.c", '/*\n#include "harness/cli/command.h"\n*/'), [])

    def test_a_tool_outside_its_place_is_seen(self):
        self.assert_one(self.plant("trpo/base/base.c", "#include <dlfcn.h>"), "dlfcn.h", "harness/")
        self.write("trpo/base/base.c", SOUND["trpo/base/base.c"])
        self.assert_one(self.plant("harness/cli/main.c", "#include <toml++/toml.h>"), "harness/suite/")

    def test_circles_are_seen(self):
        self.write("trpo/a.h", SPDX + '#include "trpo/b.h"\n')
        self.write("trpo/b.h", SPDX + '#include "trpo/c.h"\n')
        self.assertIn("no file", self.violations()[0])
        self.write("trpo/c.h", SPDX + '#include "trpo/a.h"\n')
        self.assert_one(self.violations(), "trpo/a.h -> trpo/b.h -> trpo/c.h -> trpo/a.h")

    def test_a_header_that_includes_itself_is_a_circle(self):
        self.assert_one(self.plant("harness/cli/command.h", '#include "command.h"'), "circle")

    def test_the_library_is_quiet(self):
        self.assert_one(self.plant("trpo/base/base.c", 'void f(void) { printf("x"); }'), "base.c:4", "printf()")
        quiet = 'void f(void) { snprintf(s, 2, "printf()"); /* exit() */ reopen(1); x->open(2); }'
        self.write("trpo/base/base.c", SOUND["trpo/base/base.c"] + quiet + "\n")
        self.assertEqual(self.violations(), [])


class Conventions(Tree):
    def violations(self, check):
        return conventions.CHECKS[check](self.root, sources.tracked(self.root))[0]

    def test_a_sound_tree_is_clean(self):
        for check in conventions.CHECKS:
            self.assertEqual(self.violations(check), [], check)

    def test_a_missing_licence_is_seen(self):
        for path in ("docs/guide.md", "suites/a.toml", "scripts/go", "trpo/x.c", "tests/CMakeLists.txt"):
            self.write(path, "#!/bin/sh\n")
            self.assert_one(self.violations("licences"), path)
            os.remove(os.path.join(self.root, path))

    def test_another_licence_is_seen(self):
        self.write("trpo/x.c", "/* SPDX-License-Identifier: BSD-3-Clause */\n")
        self.assert_one(self.violations("licences"), "trpo/x.c")

    def test_data_needs_no_licence(self):
        self.write("tests/data/trace.csv", "a,b\n1,2\n")
        self.write("docs/picture.png", "\0\0")
        self.assertEqual(self.violations("licences"), [])

    def test_paths_of_a_machine_are_seen(self):
        for name in ("work", "home", "root"):
            self.write("README.md", f"see /{name}/me\n")
            self.assert_one(self.violations("words"), "README.md:1", f"/{name}/me")
        self.write("README.md", "$folder/root and $(x)/home, the frame/work and /workshop\n")
        self.assertEqual(self.violations("words"), [])

    def test_notes_to_self_are_seen(self):
        for word in ("TO" + "DO", "FIX" + "ME", "XX" + "X"):
            self.write("trpo/x.c", SPDX + f"// {word}: later\n")
            self.assert_one(self.violations("words"), "trpo/x.c:2")

    def test_ends_of_lines_are_seen(self):
        self.write("trpo/x.c", SPDX + "int x; \n")
        self.assert_one(self.violations("words"), "trpo/x.c:2", "blanks")
        self.write("trpo/x.c", SPDX + "int x;")
        self.assert_one(self.violations("words"), "trpo/x.c", "newline")

    @staticmethod
    def function(name, lines):
        return f"static int {name}(int a,\n    int b)\n{{\n" + "    a++;\n" * (lines - 2) + "}\n"

    def test_long_functions_are_seen(self):
        few = self.function("small", 5) * 40
        self.write("trpo/x.c", SPDX + few + self.function("long_one", 100))
        self.assertEqual(self.violations("sizes"), [])
        self.write("trpo/x.c", SPDX + few + self.function("endless", 130))
        self.assert_one(self.violations("sizes"), "endless()", "130 lines")

    def test_many_long_functions_are_seen(self):
        self.write("trpo/x.c", SPDX + self.function("small", 5) * 20 + self.function("long_one", 61) * 2)
        self.assert_one(self.violations("sizes"), "2 of 22")

    def test_a_high_median_is_seen(self):
        self.write("trpo/x.c", SPDX + self.function("middling", 30) * 9)
        self.assert_one(self.violations("sizes"), "median")

    def test_lengths_are_counted_from_brace_to_brace(self):
        text = self.function("one", 61) + "struct a {\n    int b;\n};\n" + self.function("two", 3)
        self.assertEqual([(name, length) for _, name, length in conventions.functions(text)], [("one", 61), ("two", 3)])


class Layout(Tree):
    def test_a_line_out_of_style_is_seen(self):
        program = layout.find_program("clang-format")
        if program is None:
            self.skipTest("clang-format 14 is not installed")
        style = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".clang-format")
        shutil.copy(style, os.path.join(self.root, ".clang-format"))
        self.assertEqual(layout.check(self.root, program), ([], len(SOUND)))
        self.write("trpo/x.c", SPDX + "int  x;\n")
        self.assert_one(layout.check(self.root, program)[0], "trpo/x.c")


class Lint(Tree):
    def lint(self, text):
        """Exit code and output of lint.py over one file with this text."""
        self.write("trpo/x.c", SPDX + text)
        here = os.path.dirname(os.path.abspath(__file__))
        shutil.copy(os.path.join(here, "..", "..", ".clang-tidy"), os.path.join(self.root, ".clang-tidy"))
        entry = {"directory": self.root, "file": os.path.join(self.root, "trpo/x.c"), "command": "gcc -c trpo/x.c -o x.o"}
        self.write("build/compile_commands.json", json.dumps([entry]))
        done = subprocess.run([sys.executable, "-B", os.path.join(here, "lint.py"), "--root", self.root,
                               "--build", os.path.join(self.root, "build")], stdout=subprocess.PIPE, text=True)
        return done.returncode, done.stdout

    def test_a_planted_mistake_is_seen_until_it_is_mended(self):
        if layout.find_program("clang-tidy") is None:
            self.skipTest("clang-tidy 14 is not installed")
        mistake = "int f(const int *p);\nint f(const int *p)\n{\n    return p == 0 ? *p : 0;\n}\n"
        for _ in range(2):
            code, output = self.lint(mistake)
            self.assertEqual(code, 1)
            self.assertIn("NullDereference", output)
        for _ in range(2):
            code, output = self.lint(mistake.replace("==", "!="))
            self.assertEqual(code, 0, output)
        self.assertEqual(self.lint(mistake)[0], 1)


class Files(Tree):
    def test_without_git_products_are_left_out(self):
        self.write("build/x.c", SPDX)
        self.write("results/a/x.md", SPDX)
        self.assertEqual(sources.tracked(self.root), sorted(SOUND))

    def test_with_git_only_tracked_files_count(self):
        def git(*arguments):
            subprocess.run(["git", "-C", self.root, *arguments], check=True, stdout=subprocess.DEVNULL)
        if shutil.which("git") is None:
            self.skipTest("git is not installed")
        git("init", "-q")
        git("add", "trpo")
        self.assertEqual(sources.tracked(self.root), ["trpo/base/base.c", "trpo/base/base.h"])
        os.remove(os.path.join(self.root, "trpo/base/base.c"))
        self.assertEqual(sources.tracked(self.root), ["trpo/base/base.h"])

    def test_a_check_of_nothing_fails(self):
        self.assertEqual(sources.report([], "nothing", 0), 1)
        self.assertEqual(sources.report([], "something", 1), 0)


if __name__ == "__main__":
    unittest.main(buffer=True)
