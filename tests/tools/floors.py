# SPDX-License-Identifier: MIT
"""The floors: a file includes only from its own floor or below, and no headers include each other in a circle.

    plugins -> include      trpo -> include      harness -> trpo, include      include -> itself

A plugin includes nothing of another plugin's folder, so that one `rm -r` removes it. The algorithm library neither prints nor
opens files or libraries. Tests and benchmarks (X_test.c, X_bench.c) may reach anywhere.
"""

import os
import re
import sys

import sources

FLOORS = {"include": ("include",), "trpo": ("trpo", "include"), "harness": ("harness", "trpo", "include"), "plugins": ("include",)}
# libraries that have one place in the house: what is included -> folders that may
LIBRARIES = {
    "dlfcn.h": ("harness/", "plugins/envs/mujoco/gl.c"),  # gl.c: OpenGL only when a picture is asked for (ADR 0015)
    "jansson.h": ("harness/",),
    "sodium.h": ("harness/",),
    "toml++/": ("harness/suite/",),
    "cblas.h": ("trpo/",),
    "omp.h": ("trpo/", "harness/"),
}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)
QUIET = re.compile(r"(?<![\w.>])(printf|puts|putchar|fopen|freopen|open|dlopen|system|exit)[ \t]*\(")


def without_comments(text):
    """The same text, line by line, with comments and the insides of string literals blanked."""
    def blank(match):
        found = match.group(0)
        if found.startswith("/"):
            return re.sub(r"[^\n]", " ", found)
        return '"' + " " * (len(found) - 2) + '"'
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.DOTALL)


def blank_comments_only(text):
    """Like without_comments, but leaves strings: the file name of an #include is one."""
    def blank(match):
        found = match.group(0)
        return re.sub(r"[^\n]", " ", found) if found.startswith("/") else found
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.DOTALL)


def includes(text):
    """(line number, name, quoted?) of every #include."""
    text = blank_comments_only(text)
    for match in INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(1) or match.group(2), match.group(1) is not None


def resolve(path, name, files):
    """The tree's file that `path` means by `name`, or None when it is a system's."""
    beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
    for candidate in (beside, name, os.path.join("include", name)):
        if candidate in files:
            return candidate
    return None


def may_include(path, target):
    floor, target_floor = path.split("/")[0], target.split("/")[0]
    if floor == "plugins" and target_floor == "plugins":
        return path.split("/")[:3] == target.split("/")[:3]
    return target_floor in FLOORS[floor]


def check_file(path, text, files, edges):
    floor = path.split("/")[0]
    for line, name, quoted in includes(text):
        target = resolve(path, name, files)
        if target is None:
            ours = name.split("/")[0] in ("trpo", "harness", "plugins", "include", "tests", "bench", "trpo-bench")
            if quoted or ours:
                yield f"{path}:{line}: includes \"{name}\", which is no file of the tree"
            for library, folders in LIBRARIES.items():
                if name.startswith(library) and not path.startswith(folders):
                    yield f"{path}:{line}: includes <{name}>, which belongs in {' and '.join(folders)}"
            continue
        if path.endswith(".h"):
            edges.setdefault(path, []).append(target)
        if not may_include(path, target):
            allowed = "include" if floor == "plugins" else ", ".join(FLOORS[floor])
            yield f"{path}:{line}: includes {target}; {floor}/ may include only {allowed}"
    if floor == "trpo":
        code = without_comments(text)
        for match in QUIET.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: calls {match.group(1)}(); trpo/ prints nothing, opens nothing and never exits"


def circles(edges):
    """One message per circle of headers, by depth-first search."""
    done, found = set(), []

    def visit(path, trail):
        if path in trail:
            found.append("circle of includes: " + " -> ".join(trail[trail.index(path):] + [path]))
            return
        if path in done:
            return
        for target in edges.get(path, ()):
            visit(target, trail + [path])
        done.add(path)

    for path in sorted(edges):
        visit(path, [])
    return found


def check(root):
    """(violations, number of files looked at)"""
    files = set(sources.tracked(root))
    violations, edges, checked = [], {}, 0
    for path in sorted(files):
        if path.split("/")[0] in FLOORS and path.endswith(sources.C_ENDINGS) and not sources.is_test(path):
            checked += 1
            violations += check_file(path, sources.read(root, path), files, edges)
    return violations + circles(edges), checked


if __name__ == "__main__":
    sys.exit(sources.report(*(lambda found: (found[0], "floors", found[1]))(check(sources.root_argument()))))
