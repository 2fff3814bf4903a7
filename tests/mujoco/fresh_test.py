# SPDX-License-Identifier: MIT
"""Parity on data that the code has never seen: records Gymnasium's tasks with a seed drawn now, and replays them.

Also compares every keyword parameter of Gymnasium's tasks, and its default, with the plugin's. Usage:
fresh_test.py PROGRAM VENV MUJOCO-VERSION PLUGIN. Exit code 77 (skipped) without Gymnasium or with another MuJoCo.
"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main(program, venv, version, plugin):
    python = os.path.join(venv, "bin", "python")
    if not os.path.exists(os.path.join(venv, "version")):
        print("Skipped: no Gymnasium (scripts/fetch-mujoco.sh --tests installs it)")
        return 77
    with open(os.path.join(venv, "version"), encoding="ascii") as file:
        recorded_with = file.read().split()[0]
    if recorded_with != version:
        print(f"Skipped: Gymnasium here runs MuJoCo {recorded_with}, the plugin was built with {version}")
        return 77
    seed = str(int.from_bytes(os.urandom(3), "little"))
    record = [python, "-B", os.path.join(HERE, "record.py")]
    with tempfile.TemporaryDirectory(prefix="trpo-bench mujoco ") as folder:
        print(f"seed {seed}", flush=True)
        subprocess.run([*record, folder, "--seed", seed], check=True, stdin=subprocess.DEVNULL)
        parity = subprocess.run([sys.executable, "-B", os.path.join(HERE, "parity.py"), program, folder, "--plugin-dir", plugin])
        listed = os.path.join(folder, "list.json")
        with open(listed, "wb") as file:
            subprocess.run([program, "list", "envs", "--json", "--plugin-dir", plugin], check=True, stdout=file)
        schema = subprocess.run([*record, "--schema", listed])
    return 1 if parity.returncode or schema.returncode else 0


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("Usage: fresh_test.py PROGRAM VENV MUJOCO-VERSION PLUGIN")
    sys.exit(main(*sys.argv[1:]))
