# SPDX-License-Identifier: MIT
"""Every C and C++ file is as clang-format 14 leaves it (other versions lay out some lines differently)."""

import re
import shutil
import subprocess
import sys

import sources

SKIPPED = 77


def find_program(name, version=14):
    """clang-format or clang-tidy of that major version, or None."""
    for candidate in (f"{name}-{version}", name):
        path = shutil.which(candidate)
        if path is None:
            continue
        text = subprocess.run([path, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
        if re.search(rf"version {version}\.", text):
            return path
    return None


def check(root, program):
    paths = [path for path in sources.tracked(root) if path.endswith(sources.C_ENDINGS)]
    violations = []
    if paths:
        done = subprocess.run([program, "--dry-run", "-Werror", "-style=file", *paths], cwd=root,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        lines = done.stdout.decode().split("\n")
        names = dict.fromkeys(line.split(":")[0] for line in lines if "[-Wclang-format-violations]" in line)
        violations = [f"{name}: not formatted; run: clang-format -i {name}" for name in names]
        if done.returncode != 0 and not violations:
            violations = [line for line in lines if line]
    return violations, len(paths)


if __name__ == "__main__":
    clang_format = find_program("clang-format")
    if clang_format is None:
        print("skipped: clang-format 14 is not installed (scripts/setup.sh --tests)")
        sys.exit(SKIPPED)
    found, looked_at = check(sources.root_argument(), clang_format)
    sys.exit(sources.report(found, "format", looked_at))
