# SPDX-License-Identifier: MIT
"""Counts CTest's results (a JUnit file): prints `PASSED FAILED SKIPPED`, then a line per test that did not pass."""

import sys
import xml.etree.ElementTree as xml


def tally(path):
    """(passed, failed, skipped, lines). A test that could not be started counts as failed, one that asked to be skipped does not."""
    passed = failed = skipped = 0
    lines = []
    for case in xml.parse(path).getroot().iter("testcase"):
        status, reason = case.get("status"), case.find("skipped")
        why = reason.get("message", "") if reason is not None else ""
        if status == "run":
            passed += 1
        elif status == "disabled" or "SKIP_" in why:
            skipped += 1
            lines.append(f"skipped: {case.get('name')}: {first_line(case, 'skipped:') or why or status}")
        else:
            failed += 1
            lines.append(f"failed: {case.get('name')}: {why or status}")
    return passed, failed, skipped, lines


def first_line(case, start):
    """The line of a test's output that begins with `start`, without it."""
    output = case.findtext("system-out") or ""
    for line in output.split("\n"):
        if line.lower().startswith(start):
            return line[len(start):].strip()
    return ""


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: tally.py JUNIT.xml")
    *counts, notes = tally(sys.argv[1])
    print(*counts)
    for note in notes:
        print(note)
