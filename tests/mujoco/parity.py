# SPDX-License-Identifier: MIT
"""Replays every trace of a folder that record.py has written, each with its own parameters.

    python3 tests/mujoco/parity.py PROGRAM FOLDER [--state-tolerance 0] [--reward-tolerance 1e-12]

One line for each trace: the largest deviations of states, observations and rewards. Exit code 1 when one is beyond its tolerance,
2 when there was nothing to replay, 77 when the plugin was built with another MuJoCo.
"""

import argparse
import json
import os
import subprocess
import sys

GROUPS = {"s": "states", "o": "observations", "r": "rewards", "t": "flags"}


def replay(program, folder, trace, tolerance, reward_tolerance, plugins):
    arguments = [program, "replay", trace["id"], os.path.join(folder, trace["file"]),
                 "--tolerance", str(tolerance), "--reward-tolerance", str(reward_tolerance)]
    for path in plugins:
        arguments += ["--plugin-dir", path]
    for key, value in trace["params"].items():
        arguments += ["--set", f"{key}={json.dumps(value)}"]
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode()


def largest(report):
    """The largest deviation of each group of columns, and the line below them."""
    found = dict.fromkeys(GROUPS.values(), 0.0)
    for line in report.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 4 and fields[0][0] in GROUPS and not fields[0].endswith(","):
            try:
                group = GROUPS[fields[0][0]]
                found[group] = max(found[group], float(fields[1]))
            except ValueError:
                continue
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--state-tolerance", type=float, default=0.0, help="of states and observations, absolute")
    parser.add_argument("--reward-tolerance", type=float, default=1e-12, help="relative to max(1, |reward|)")
    parser.add_argument("--plugin-dir", action="append", default=[])
    parser.add_argument("--mujoco", metavar="VERSION", help="what the plugin was built with: traces of another one are skipped (77)")
    arguments = parser.parse_args()
    with open(os.path.join(arguments.folder, "traces.json"), encoding="ascii") as file:
        index = json.load(file)
    if arguments.mujoco and arguments.mujoco != index["mujoco"]:
        print(f"Skipped: recorded with MuJoCo {index['mujoco']}, built with {arguments.mujoco}: another version gives other bits")
        return 77
    failed = 0
    for trace in index["traces"]:
        code, report = replay(arguments.program, arguments.folder, trace, arguments.state_tolerance, arguments.reward_tolerance,
                              arguments.plugin_dir)
        figures = " ".join(f"{group} {value:.3g}" for group, value in largest(report).items())
        print(f"{'ok  ' if code == 0 else 'FAIL'} {trace['file']:34} {figures}")
        if code != 0:
            failed += 1
            print("\n".join(line for line in report.splitlines() if "too large" in line or "trpo-bench" in line or ":" in line)[:3000])
    print(f"MuJoCo {index['mujoco']}, seed {index['seed']}: {len(index['traces'])} traces, {failed} failed")
    return 2 if not index["traces"] else 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
