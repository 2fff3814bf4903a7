# SPDX-License-Identifier: MIT
"""Conventions of the text itself: licence lines, no paths of one machine, no notes to self, sizes of files and functions."""

import os
import re
import statistics
import sys

import sources

LICENCE = "SPDX-License-Identifier: " + "MIT"
LICENSED_ENDINGS = (".c", ".h", ".cpp", ".py", ".sh", ".cmake", ".md", ".toml", ".map", ".gp", ".yml", ".yaml")
LICENSED_NAMES = ("CMakeLists.txt", ".clang-format", ".clang-tidy")
MACHINE = re.compile(r"(?<![\w.$})\]])/(?:work|home|root)\b")
NOTE = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
DATA_ENDINGS = (".csv", ".tsv", ".json")

FILE_LINES = 700       # more is a warning
FUNCTION_LINES = 60    # of a function's body, braces included
LONG_SHARE = 0.05      # of all functions may be longer
FUNCTION_LIMIT = 120   # no function may be
MEDIAN_LINES = 20


def wants_licence(path, text):
    name = os.path.basename(path)
    return name.endswith(LICENSED_ENDINGS) or name in LICENSED_NAMES or text.startswith("#!")


def check_licences(root, paths):
    violations, checked = [], 0
    for path in paths:
        text = sources.read(root, path)
        if text is None or not wants_licence(path, text):
            continue
        checked += 1
        if LICENCE not in "\n".join(text.split("\n")[:5]):
            violations.append(f"{path}:1: the first lines must hold \"{LICENCE}\"")
    return violations, checked


def check_words(root, paths):
    violations, checked = [], 0
    for path in paths:
        text = sources.read(root, path)
        if text is None or path.endswith(DATA_ENDINGS):
            continue
        checked += 1
        for number, line in enumerate(text.split("\n"), 1):
            if MACHINE.search(line):
                violations.append(f"{path}:{number}: an absolute path of one machine: {line.strip()}")
            if NOTE.search(line):
                violations.append(f"{path}:{number}: a note to self: {line.strip()}")
            if line != line.rstrip() and not path.endswith(".md"):
                violations.append(f"{path}:{number}: blanks at the end of the line")
        if text and not text.endswith("\n"):
            violations.append(f"{path}: no newline at the end")
    return violations, checked


def functions(text):
    """(line, name, lines) of every function: the house style puts its braces alone in column 0."""
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            signature = " ".join(lines[max(0, start - 5):start - 1])
            names = re.findall(r"(\w+)\s*\(", signature.split(";")[-1].split("}")[-1])
            yield start, names[0] if names else "?", number - start + 1
            start = None


def check_sizes(root, paths):
    violations, lengths, long, checked = [], [], [], 0
    for path in paths:
        if not path.endswith(sources.C_ENDINGS):
            continue
        checked += 1
        text = sources.read(root, path)
        lines = text.count("\n")
        if lines > FILE_LINES:
            print(f"{path}: warning: {lines} lines; files have at most {FILE_LINES}: divide it by idea")
        if sources.is_test(path):
            continue
        for number, name, length in functions(text):
            lengths.append(length)
            message = f"{path}:{number}: {name}() has {length} lines; functions have at most {FUNCTION_LINES}"
            if length > FUNCTION_LIMIT:
                violations.append(message)
            elif length > FUNCTION_LINES:
                long.append(message)
    for message in long:
        print(message.replace(": ", ": warning: ", 1))
    if lengths:
        print(f"{len(lengths)} functions, median {statistics.median(lengths):g} lines, {len(long)} over {FUNCTION_LINES}")
        if len(long) > LONG_SHARE * len(lengths):
            violations.append(f"{len(long)} of {len(lengths)} functions are long; at most {LONG_SHARE:.0%} may be")
        if statistics.median(lengths) > MEDIAN_LINES:
            violations.append(f"the median function has {statistics.median(lengths):g} lines; at most {MEDIAN_LINES}")
    return violations, checked


CHECKS = {"licences": check_licences, "words": check_words, "sizes": check_sizes}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in CHECKS:
        sys.exit("Usage: conventions.py licences|words|sizes ROOT")
    found, looked_at = CHECKS[sys.argv[1]](sys.argv[2], sources.tracked(sys.argv[2]))
    sys.exit(sources.report(found, sys.argv[1], looked_at))
