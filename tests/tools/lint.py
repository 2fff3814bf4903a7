# SPDX-License-Identifier: MIT
"""clang-tidy over a build's files, in parallel; remembers which were clean by what they were made of."""

import argparse
import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from format import SKIPPED, find_program
from sources import is_test

# The analyser does not know that cmocka's assertions never return, and takes every pointer checked by one for NULL (the sanitizers
# run the tests instead); tests replace the C library's allocator under the names it has.
NOT_FOR_TESTS = "-clang-analyzer-*,-bugprone-reserved-identifier,-readability-inconsistent-declaration-parameter-name"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True, help="top of the tree")
    parser.add_argument("--build", required=True, help="folder with compile_commands.json")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("files", nargs="*", help="only these")
    return parser.parse_args()


def entries(build, files):
    """The compile commands of `files` (all when empty), once per file."""
    try:
        with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
            commands = {os.path.realpath(entry["file"]): entry for entry in json.load(file)}
    except OSError as error:
        sys.exit(f"lint: {error}; configure first: cmake --preset dev")
    wanted = [os.path.realpath(path) for path in files] or sorted(commands)
    unknown = [path for path in wanted if path not in commands]
    if unknown:
        sys.exit("lint: not compiled by this build: " + ", ".join(unknown))
    return [commands[path] for path in wanted]


def fingerprint(entry, config):
    """Hash of all that decides clang-tidy's answer: the command, the configuration, the source and every header."""
    command = shlex.split(entry["command"])
    at = command.index("-o")
    listing = subprocess.run(command[:at] + command[at + 2:] + ["-M", "-MF", "-"], cwd=entry["directory"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if listing.returncode != 0:
        return None
    digest = hashlib.sha256((entry["command"] + config).encode())
    for path in shlex.split(listing.stdout.decode().replace("\\\n", " "))[1:]:
        with open(os.path.join(entry["directory"], path), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def lint(program, build, root, config, entry):
    """(path, output, clean?, seconds); a clean file leaves a stamp in the build folder."""
    path = os.path.relpath(entry["file"], root)
    key = fingerprint(entry, config)
    stamp = os.path.join(build, "lint", key) if key else None
    if stamp and os.path.exists(stamp):
        return path, "", True, 0.0
    extra = ["--extra-arg=-Wno-unknown-warning-option"]
    if path.endswith(".cpp") and "-std=" not in entry["command"]:
        # CMake leaves out what is gcc's default; clang 14 has another
        extra.append("--extra-arg=-std=gnu++17")
    if is_test(path):
        extra.append("--checks=" + NOT_FOR_TESTS)
    start = time.monotonic()
    done = subprocess.run([program, "-p", build, "--quiet", "--warnings-as-errors=*", *extra, entry["file"]],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output = done.stdout.decode()
    if done.returncode != 0:
        output += done.stderr.decode()
    elif stamp:
        with open(stamp, "w", encoding="utf-8"):
            pass
    return path, output, done.returncode == 0, time.monotonic() - start


def main():
    options = arguments()
    program = find_program("clang-tidy")
    if program is None:
        print("skipped: clang-tidy 14 is not installed (scripts/setup.sh --tests)")
        return SKIPPED
    with open(os.path.join(options.root, ".clang-tidy"), encoding="utf-8") as file:
        config = file.read() + NOT_FOR_TESTS
    os.makedirs(os.path.join(options.build, "lint"), exist_ok=True)
    work = entries(options.build, options.files)
    failed, slowest = [], (0.0, "")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(lint, program, options.build, options.root, config, entry) for entry in work]
        for job in concurrent.futures.as_completed(jobs):
            path, output, clean, seconds = job.result()
            slowest = max(slowest, (seconds, path))
            if not clean:
                failed.append(path)
                print(output, flush=True)
    for path in sorted(failed):
        print(f"lint: {path}: not clean")
    print(f"lint: {len(work)} files, {len(failed)} not clean; the slowest took {slowest[0]:.1f} s {slowest[1]}")
    return 1 if failed or not work else 0


if __name__ == "__main__":
    sys.exit(main())
