# SPDX-License-Identifier: MIT
"""The files of the tree, as the checks of this folder see them."""

import os
import subprocess
import sys

C_ENDINGS = (".c", ".h", ".cpp")
SKIPPED_FOLDERS = {".git", "build", "results", "__pycache__"}


def tracked(root):
    """Paths relative to `root` that git tracks; without git, every file that is no product of a build."""
    try:
        listing = subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z"],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
        paths = [path for path in listing.split("\0") if path]
    except (OSError, subprocess.CalledProcessError):
        paths = []
    if not paths:
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
            paths += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    # a file that is deleted but not yet committed is still in git's list
    return sorted(path for path in paths if os.path.isfile(os.path.join(root, path)))


def read(root, path):
    """Text of a file; None for one that is not UTF-8 text, such as a picture."""
    with open(os.path.join(root, path), "rb") as file:
        data = file.read()
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def is_test(path):
    """Tests and benchmarks may reach into any floor."""
    stem = os.path.splitext(path)[0]
    return stem.endswith(("_test", "_bench")) or path.startswith(("tests/", "bench/"))


def report(violations, what, checked):
    """Prints a check's outcome and returns the exit code. A check that looked at nothing has failed."""
    for violation in violations:
        print(violation)
    if checked == 0:
        print(f"{what}: there was nothing to check")
        return 1
    print(f"{what}: {checked} files, {len(violations)} violations")
    return 1 if violations else 0


def root_argument():
    if len(sys.argv) != 2:
        sys.exit(f"Usage: {os.path.basename(sys.argv[0])} ROOT")
    return sys.argv[1]
