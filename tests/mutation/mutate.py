#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts known mistakes into a copy of the source, one at a time, and expects the tests to turn red.

The mistakes are in mutants.toml. A mutant is `killed` when one of the tests that it names fails, and has SURVIVED when all of them
pass: then a test is missing. What cannot be tried - the text is not found exactly once, the change does not compile - is an error.
The last line is `N passed, N failed`, where passed means killed; the exit code is 0 when nothing failed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, os.pardir, "tools"))

import sources

KEYS = {"id", "trap", "title", "file", "old", "new", "tests"}
TEST_SECONDS = 300


class Invalid(Exception):
    """A mutant that says nothing, whatever the tests do."""


def load(table):
    """The mutants of a table, as dictionaries, checked as far as one can without the source."""
    with open(table, "rb") as file:
        mutants = tomllib.load(file).get("mutant", [])
    known = set()
    for number, mutant in enumerate(mutants, 1):
        name = mutant.get("id", f"number {number}")
        if set(mutant) != KEYS:
            raise Invalid(f"{table}: mutant {name}: expected the keys {', '.join(sorted(KEYS))}; found {', '.join(sorted(mutant))}")
        if name in known:
            raise Invalid(f"{table}: two mutants are called {name}")
        if mutant["old"] == mutant["new"] or not mutant["tests"]:
            raise Invalid(f"{table}: mutant {name} changes nothing or names no test")
        known.add(name)
    return mutants


def mutated(mutant, text):
    """The file's text with the mistake in it."""
    found = text.count(mutant["old"])
    if found != 1:
        raise Invalid(f"mutant {mutant['id']}: its old text is {found} times in {mutant['file']}, expected once; "
                      "adapt it in mutants.toml to what the source says now")
    return text.replace(mutant["old"], mutant["new"])


def read(tree, path):
    try:
        with open(os.path.join(tree, path), encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        raise Invalid(f"there is no file {path} any more") from None


def write(tree, path, text):
    with open(os.path.join(tree, path), "w", encoding="utf-8") as file:
        file.write(text)


def working_files(tree):
    """What git tracks, and what is new and not ignored: a change is tried as it is, committed or not."""
    new = subprocess.run(["git", "-c", "safe.directory=*", "-C", tree, "ls-files", "-z", "--others", "--exclude-standard"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout.split("\0")
    return sorted(set(sources.tracked(tree)) | {path for path in new if path})


def copy_tree(tree, to):
    for path in working_files(tree):
        os.makedirs(os.path.dirname(os.path.join(to, path)), exist_ok=True)
        shutil.copy2(os.path.join(tree, path), os.path.join(to, path))


class Build:
    """One build of the copy, and its test programs."""

    def __init__(self, source, jobs):
        self.source, self.folder, self.jobs = source, os.path.join(source, "build", "mutation"), jobs

    def run(self, command, **options):
        return subprocess.run(command, cwd=self.source, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", **options)

    def configure(self):
        done = self.run(["cmake", "-S", ".", "-B", self.folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                         "-DCMAKE_C_FLAGS_DEBUG=-O1", "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DTB_BENCH=OFF"])
        if done.returncode != 0:
            raise Invalid("the copy cannot be configured:\n" + done.stdout)

    def build(self, tests):
        done = self.run(["ninja", "-C", self.folder, f"-j{self.jobs}", *(f"test-{test}" for test in tests)])
        if done.returncode != 0:
            raise Invalid("it does not compile:\n" + "\n".join(done.stdout.splitlines()[-20:]))

    def passes(self, test):
        """Whether a test is green. One that hangs is not."""
        try:
            # threads that wait without spinning: some tests start more than there are cores
            done = self.run([os.path.join(self.folder, "tests", f"test-{test}")], timeout=TEST_SECONDS,
                            env={**os.environ, "OMP_WAIT_POLICY": "passive"})
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def try_mutant(build, mutant):
    """The name of the test that turned red, or None. Leaves the source as it was, not the build."""
    text = read(build.source, mutant["file"])
    write(build.source, mutant["file"], mutated(mutant, text))
    try:
        build.build(mutant["tests"])
        return next((test for test in mutant["tests"] if not build.passes(test)), None)
    finally:
        write(build.source, mutant["file"], text)


def judge(build, mutant):
    """Prints the mutant's line and returns whether it was killed."""
    start = time.monotonic()
    label = f"trap {mutant['trap']:>2}  {mutant['id']}" if mutant["trap"] else f"         {mutant['id']}"
    try:
        killer = try_mutant(build, mutant)
    except Invalid as error:
        print(f"error     {label}: {error}", flush=True)
        return False
    seconds = time.monotonic() - start
    if killer is None:
        print(f"SURVIVED  {label}: {mutant['title']}; green: {', '.join(mutant['tests'])} ({seconds:.1f} s)", flush=True)
        return False
    print(f"killed    {label}: {killer} ({seconds:.1f} s)", flush=True)
    return True


def expect_green(build, tests):
    build.build(tests)
    red = [test for test in tests if not build.passes(test)]
    if red:
        raise Invalid(f"red without any mistake: {', '.join(red)}")


def run_all(build, mutants):
    """(killed, not killed). Before and after, every test must be green: a test that is always red kills everything."""
    tests = sorted({test for mutant in mutants for test in mutant["tests"]})
    build.configure()
    expect_green(build, tests)
    # one file after another: each is compiled back only once
    killed = sum(judge(build, mutant) for mutant in sorted(mutants, key=lambda mutant: mutant["file"]))
    expect_green(build, tests)
    return killed, len(mutants) - killed


def parse_arguments():
    parser = argparse.ArgumentParser(description="Puts known mistakes into a copy of the source and expects red tests.")
    parser.add_argument("--only", metavar="REGEX", help="only the mutants whose id matches")
    parser.add_argument("--list", action="store_true", help="print the mutants and try nothing")
    parser.add_argument("--keep", action="store_true", help="keep the copy and its build, and tell where they are")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, metavar="N", help="parallel compilations")
    parser.add_argument("--tree", default=os.path.join(HERE, os.pardir, os.pardir), help="the source (default: this one)")
    parser.add_argument("--table", default=os.path.join(HERE, "mutants.toml"), help="the mutants (default: mutants.toml beside this)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    mutants = [mutant for mutant in load(arguments.table) if re.search(arguments.only or "", mutant["id"])]
    if not mutants:
        raise Invalid("no mutant to try")
    if arguments.list:
        for mutant in mutants:
            print(f"{mutant['trap'] or '-':>2}  {mutant['id']:40} {mutant['file']}: {mutant['title']}")
        return 0
    folder = tempfile.mkdtemp(prefix="trpo-mutation-")
    try:
        copy_tree(os.path.abspath(arguments.tree), folder)
        killed, failed = run_all(Build(folder, arguments.j), mutants)
    finally:
        if arguments.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{killed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Invalid as problem:
        print(f"mutate.py: {problem}\n0 passed, 1 failed")
        sys.exit(1)
