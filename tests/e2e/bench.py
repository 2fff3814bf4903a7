# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: a folder for each test, small suites, and the program's answers.

Each script is called as `X_test.py PROGRAM BUILD_FOLDER SOURCE_FOLDER` and writes below a temporary folder only.
"""

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM, BUILD, SOURCE = (os.path.abspath(argument) for argument in sys.argv[1:4])

# no settings of the person who runs the tests; a sanitizer must leave crashes as they are
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("TRPO_BENCH_", "OMP_", "GOMP_"))}
ENVIRONMENT["ASAN_OPTIONS"] = ":".join(filter(None, (
    os.environ.get("ASAN_OPTIONS", ""), "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0")))
ENVIRONMENT.pop("NO_COLOR", None)

CARTPOLE, PENDULUM = "classic/CartPole-v1", "classic/Pendulum-v1"
COMPARED = ("progress.csv", "episodes.csv", "evals.csv", "policy.bin", "critic.bin", "observations.csv")


def broken(kind):
    """Path of a plugin that makes one mistake (tests/broken/README.md)."""
    return f"{BUILD}/broken/{kind}.so"


def suite(envs=(CARTPOLE,), policies=("linear",), algorithms=("trpo",), seeds=2, steps=1000, plugins=(), head="", defaults="",
          name="e2e"):
    """A suite whose cells take some hundredths of a second."""
    text = f'[suite]\nname = "{name}"\nseeds = {seeds}\nsteps = {steps}\neval_every = {max(steps // 2, 1)}\n'
    text += "eval_episodes = 1\nfinal_eval_episodes = 3\n"
    if plugins:
        text += f"plugins = {json.dumps(list(plugins))}\n"
    text += f"{head}\n[defaults]\nbatch_steps = 500\nlanes = 4\ncritic_epochs = 1\n{defaults}\n"
    for kind, ids in (("env", envs), ("policy", policies), ("algorithm", algorithms)):
        for entry in ids:
            text += f'\n[[{kind}]]\nid = "{entry}"\n'
    return text


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def wait_until(condition, what, seconds=60):
    """Waits for `condition()` to become true and returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def workers_of(parent):
    """Process numbers of the children that run a cell."""
    found = []
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            pid = int(path.split("/")[2])
            fields = read(path).rpartition(")")[2].split()
            words = read(f"/proc/{pid}/cmdline").split("\0")
        except (OSError, ValueError):
            continue
        if int(fields[1]) == parent and "run-cell" in words:
            found.append(pid)
    return found


def is_alive(pid):
    try:
        return read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def default_signals():
    # a shell's background jobs ignore SIGINT, and children inherit that
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Bench(unittest.TestCase):
    """A test in a folder of its own (self.folder), which is also where the program runs."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="trpo-bench-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        # some other user's programs may leave cores here: none of ours does
        self.addCleanup(self.assert_no_cores)

    def assert_no_cores(self):
        self.assertEqual(glob.glob(f"{self.folder}/core*"), [])

    def path(self, name):
        return os.path.join(self.folder, name)

    def put(self, name, text):
        write(self.path(name), text)
        return name

    def put_suite(self, file_name="e2e.toml", **options):
        return self.put(file_name, suite(**options))

    def start(self, *arguments, environment=None, command=None, **options):
        """The program in the background; standard output and error are pipes."""
        process = subprocess.Popen([*(command or [PROGRAM]), *arguments], cwd=self.folder,
                                   env={**ENVIRONMENT, **(environment or {})}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                                   preexec_fn=default_signals, **options)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def finish(self, process, timeout=120):
        """Exit code, standard output and standard error of a started program."""
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err

    def call(self, *arguments, timeout=120, **options):
        return self.finish(self.start(*arguments, **options), timeout)

    def expect(self, code, *arguments, **options):
        """Runs the program; it must end with this exit code. Returns (standard output, standard error)."""
        found, out, err = self.call(*arguments, **options)
        self.assertEqual(found, code, f"{' '.join(arguments)}\n{out}\n{err}")
        return out, err

    def results(self, base="results"):
        """The one results folder."""
        folders = glob.glob(self.path(f"{base}/*-*"))
        self.assertEqual(len(folders), 1, folders)
        return folders[0]

    def runs(self, base="results"):
        """{"classic__CartPole-v1/linear/trpo/s0000": run.json} of the complete runs."""
        folder = self.results(base)
        paths = sorted(glob.glob(f"{folder}/runs/*/*/*/*/run.json"))
        return {os.path.relpath(os.path.dirname(path), f"{folder}/runs"): load(path) for path in paths}

    def run_folder(self, run, base="results"):
        return f"{self.results(base)}/runs/{run}"

    def hashes(self, base="results"):
        return {run: record["result_hash"] for run, record in self.runs(base).items()}

    def attempts(self, run, base="results"):
        """The records of a run's attempts, oldest first."""
        paths = glob.glob(f"{self.run_folder(run, base)}/attempts/*.json")
        return [load(path) for path in sorted(paths, key=lambda path: int(os.path.basename(path)[:-5]))]

    def contents(self, base="results"):
        """The bytes of every file that must be reproduced."""
        folder = self.results(base)
        found = {}
        for name in COMPARED:
            for path in glob.glob(f"{folder}/runs/*/*/*/*/{name}"):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder)] = file.read()
        return found

    def assert_complete(self, n_runs, base="results"):
        self.assertEqual(len(self.runs(base)), n_runs)
        for name in ("scores.csv", "table.md", "table.tex", "table.csv"):
            self.assertTrue(os.path.getsize(f"{self.results(base)}/report/{name}") > 0, name)


def main():
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
