# SPDX-License-Identifier: MIT
"""The scripts, with the programs they call replaced by ones that only write down how they were called."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import tally

SOURCE = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.getcwd()
SHELL_SCRIPTS = ("scripts/setup.sh", "scripts/bench.sh", "scripts/test.sh", "scripts/lint.sh", "scripts/clean-root-test.sh",
                 "scripts/fetch-mujoco.sh", ".ci/run")
# what the scripts need of a system, besides what a test replaces
SYSTEM = ("bash", "cat", "env", "mkdir", "nproc", "printf", "tail", "rm", "sleep", "chmod", "cp", "sh", "python3", "sed", "dirname")


class Scripts(unittest.TestCase):
    """A copy of the scripts below a path with blanks, and a PATH that holds stand-ins."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="trpo-bench scripts ")
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = os.path.join(self.folder, "a clone")
        for name in ("scripts", ".ci"):
            shutil.copytree(os.path.join(SOURCE, name), os.path.join(self.root, name))
        os.makedirs(os.path.join(self.root, "tests", "tools"))
        shutil.copy(os.path.join(SOURCE, "tests/tools/tally.py"), os.path.join(self.root, "tests", "tools"))
        self.pretend_fetched()
        self.bin = os.path.join(self.folder, "bin")
        os.mkdir(self.bin)
        self.log = os.path.join(self.folder, "log")
        for name in SYSTEM:
            path = shutil.which(name)
            if path is not None:
                os.symlink(sys.executable if name == "python3" else path, os.path.join(self.bin, name))

    def pretend_fetched(self):
        """MuJoCo and Gymnasium are there already, in the versions that scripts/fetch-mujoco.sh pins."""
        with open(os.path.join(SOURCE, "scripts/fetch-mujoco.sh"), encoding="utf-8") as file:
            text = file.read()
        versions = [re.search(rf"^{name}=(\S+)$", text, re.MULTILINE).group(1) for name in ("mujoco", "gymnasium")]
        for folder in ("build/mujoco", "build/mujoco/venv"):
            os.makedirs(os.path.join(self.root, folder))
            with open(os.path.join(self.root, folder, "version"), "w", encoding="utf-8") as file:
                file.write(" ".join(versions) + "\n")

    def stand_in(self, name, body):
        """A program that logs its arguments, then does `body`."""
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\necho "{name} $*" >>"$LOG"\n{body}\n')
        os.chmod(path, 0o755)

    def run_script(self, name, *arguments, **environment):
        env = {"PATH": self.bin, "LOG": self.log, "HOME": self.folder, **environment}
        return subprocess.run([os.path.join(self.root, name), *arguments], cwd=self.folder, env=env, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def calls(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            return file.read().splitlines()


class All(Scripts):
    def test_they_are_programs_that_bash_can_read(self):
        for name in SHELL_SCRIPTS:
            path = os.path.join(SOURCE, name)
            self.assertTrue(os.access(path, os.X_OK), name)
            done = subprocess.run(["bash", "-n", path], stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_help_and_unknown_options(self):
        for name in ("scripts/setup.sh", "scripts/bench.sh", "scripts/test.sh", "scripts/lint.sh", "scripts/clean-root-test.sh",
                     "scripts/fetch-mujoco.sh"):
            done = self.run_script(name, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""), name)
            self.assertTrue(done.stdout.startswith("Usage: " + name), done.stdout)
        for name in ("scripts/setup.sh", "scripts/test.sh", "scripts/lint.sh", "scripts/clean-root-test.sh",
                     "scripts/fetch-mujoco.sh"):
            self.assertEqual(self.run_script(name, "--no-such-option").returncode, 2, name)
        self.assertEqual(self.run_script("scripts/bench.sh").returncode, 2)
        self.assertEqual(self.calls(), [])

    def test_no_host_is_named(self):
        for name in SHELL_SCRIPTS:
            with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
                text = file.read()
            self.assertIsNone(re.search(r"\w+://\w|\b\w+\.(org|com|net|io)\b", text), name)


class Packages(Scripts):
    """Scripts on a system where all packages are installed but those in $MISSING."""

    # dpkg-query prints `installed:<package>` for each package asked for that is not in $MISSING
    QUERY = 'for p; do case "$p" in -*|*status*) ;; *) case " $MISSING " in *" $p "*) ;; *) printf "installed:%s " "$p";; esac;; esac; done'

    def setUp(self):
        super().setUp()
        self.stand_in("dpkg-query", self.QUERY)
        self.stand_in("apt-get", 'case "$*" in *update*) exit "${UPDATE:-0}";; *) exit "${INSTALL:-0}";; esac')
        self.stand_in("sudo", 'exec "$@"')


class Setup(Packages):
    def apt(self):
        return [call for call in self.calls() if call.startswith("apt-get")]

    def test_nothing_missing_is_silent_and_asks_no_network(self):
        for arguments in ((), ("--tests",)):
            done = self.run_script("scripts/setup.sh", *arguments)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.apt(), [])

    def test_what_is_missing_is_named_and_installed(self):
        done = self.run_script("scripts/setup.sh", MISSING="gnuplot-nox cmake libcmocka-dev")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("cmake gnuplot-nox", done.stdout)
        self.assertNotIn("libcmocka-dev", done.stdout)
        update, install = self.apt()
        self.assertTrue(update.endswith(" update"))
        self.assertTrue(install.endswith(" install -y --no-install-recommends cmake gnuplot-nox"), install)
        self.assertIn("DPkg::Lock::Timeout=", install)

    def test_tests_want_more(self):
        self.run_script("scripts/setup.sh", "--tests", MISSING="libcmocka-dev cmake")
        self.assertTrue(self.apt()[-1].endswith(" cmake libcmocka-dev"))

    def test_watching_wants_more(self):
        self.run_script("scripts/setup.sh", "--watch", MISSING="ffmpeg libegl1 cmake libcmocka-dev")
        self.assertTrue(self.apt()[-1].endswith(" cmake ffmpeg libegl1"))
        self.run_script("scripts/setup.sh", MISSING="ffmpeg cmake")
        self.assertTrue(self.apt()[-1].endswith(" cmake"))

    def test_old_lists_may_do(self):
        done = self.run_script("scripts/setup.sh", MISSING="cmake", UPDATE="100")
        self.assertEqual(done.returncode, 0)
        self.assertIn("update failed", done.stderr)

    def test_a_failed_installation_is_told(self):
        done = self.run_script("scripts/setup.sh", MISSING="cmake", INSTALL="100")
        self.assertEqual(done.returncode, 1)
        self.assertIn("could not install: cmake", done.stderr)

    def test_without_sudo_the_command_is_told(self):
        if os.geteuid() == 0:
            # root needs no sudo
            os.remove(os.path.join(self.bin, "sudo"))
            self.assertEqual(self.run_script("scripts/setup.sh", MISSING="cmake").returncode, 0)
        else:
            os.remove(os.path.join(self.bin, "sudo"))
            done = self.run_script("scripts/setup.sh", MISSING="cmake")
            self.assertEqual(done.returncode, 1)
            self.assertIn("apt-get install cmake", done.stderr)
            self.assertEqual(self.apt(), [])

    def test_another_system_is_not_refused(self):
        os.remove(os.path.join(self.bin, "apt-get"))
        done = self.run_script("scripts/setup.sh")
        self.assertEqual(done.returncode, 0)
        self.assertIn("not a Debian", done.stderr)


class Fetch(Scripts):
    """scripts/fetch-mujoco.sh with a pip that brings small wheels, or none."""

    PIP = """case "$*" in
      *"pip --version"*) exit 0;;
      *download*) [ "${PIP:-0}" = 0 ] || exit 1
        while [ "$1" != --dest ]; do shift; done; shift; to=$1; shift
        for p; do "$REAL" - "$to" "$p" <<'END'
import sys, zipfile
folder, (name, version) = sys.argv[1], sys.argv[2].split("==")
files = {"mujoco": ["mujoco/libmujoco.so." + version, "mujoco/include/mujoco/mujoco.h", "LICENSE", "LICENSES_THIRD_PARTY.md"],
         "gymnasium": ["gymnasium/envs/mujoco/assets/half_cheetah.xml", "LICENSE"]}[name]
with zipfile.ZipFile(f"{folder}/{name}-{version}-py3-none-any.whl", "w") as wheel:
    for file in files:
        wheel.writestr(f"{name}-{version}.dist-info/licenses/{file}" if file.startswith("LICENSE") else file, file)
END
        done;;
      *zipfile*) exec "$REAL" "$@";;
      *) exit 9;;
    esac"""

    def setUp(self):
        super().setUp()
        shutil.rmtree(os.path.join(self.root, "build"))
        for name in ("mktemp", "mv", "pwd"):
            if not os.path.exists(os.path.join(self.bin, name)):
                os.symlink(shutil.which(name), os.path.join(self.bin, name))
        os.remove(os.path.join(self.bin, "python3"))
        self.stand_in("python3", self.PIP)

    def fetch(self, **environment):
        return self.run_script("scripts/fetch-mujoco.sh", REAL=sys.executable, **environment)

    def test_it_fetches_once(self):
        done = self.fetch()
        self.assertEqual(done.returncode, 0, done.stderr)
        found = sorted(os.listdir(os.path.join(self.root, "build", "mujoco")))
        self.assertEqual(found, ["gymnasium-version", "include", "lib", "licences", "models", "version"])
        self.assertEqual(os.listdir(os.path.join(self.root, "build")), ["mujoco"])
        calls = len(self.calls())
        done = self.fetch(PIP="1")
        self.assertEqual((done.returncode, done.stdout, len(self.calls())), (0, "", calls))

    def test_a_failed_download_is_told_and_leaves_nothing(self):
        done = self.fetch(PIP="1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("could not download mujoco==", done.stderr)
        self.assertEqual(os.listdir(os.path.join(self.root, "build")), [])


class Bench(Packages):
    PROGRAM = '#!/bin/sh\\npwd\\nfor a; do echo "<$a>"; done\\nexit 75\\n'

    def setUp(self):
        super().setUp()
        self.stand_in("cmake", 'case "$1" in --build) [ "${BUILD:-0}" = 0 ] || { echo broken; exit 1; }; mkdir -p "$2"; '
                      f"printf '{self.PROGRAM}' >\"$2/trpo-bench\"; chmod +x \"$2/trpo-bench\";; esac")

    def test_it_builds_and_hands_over(self):
        done = self.run_script("scripts/bench.sh", "suites/a b.toml", "-j", "2", "")
        self.assertEqual(done.returncode, 75, done.stderr)
        # the caller's folder, the caller's words, the program's exit code
        self.assertTrue(done.stdout.endswith(f"{self.folder}\n<suites/a b.toml>\n<-j>\n<2>\n<>\n"), done.stdout)
        cmake = [call for call in self.calls() if call.startswith("cmake")]
        self.assertEqual(cmake, ["cmake --preset release", f"cmake --build {self.root}/build/release"])

    def test_a_failed_build_is_shown(self):
        done = self.run_script("scripts/bench.sh", "x.toml", BUILD="1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("broken", done.stderr)
        self.assertIn("release.log", done.stderr)


class Test(Packages):
    SUITE = """<testsuite tests="4"><testcase name="a" status="run"/><testcase name="b" status="%s"/>
      <testcase name="c" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase></testsuite>"""

    def setUp(self):
        super().setUp()
        self.stand_in("cmake", 'case "$1" in --build) exit "${BUILD:-0}";; esac')
        self.stand_in("ctest", 'while [ "$1" != --output-junit ]; do shift; done; printf "%s" "$SUITE" >"$2"; exit "${CTEST:-0}"')

    def last(self, *arguments, script="scripts/test.sh", **environment):
        done = self.run_script(script, *arguments, **environment)
        return done.returncode, done.stdout.splitlines()[-1], done.stdout

    def test_quick_sums_over_its_stages(self):
        # set-up, configure, build, and twice a and b
        code, line, _ = self.last("--quick", SUITE=self.SUITE % "run")
        self.assertEqual((code, line), (0, "7 passed, 0 failed"))
        ctest = [call for call in self.calls() if call.startswith("ctest")]
        self.assertEqual(len(ctest), 2)
        self.assertIn("-L ^source$", ctest[0])

    def test_a_failed_test_fails_it(self):
        code, line, output = self.last("-R", "a", SUITE=self.SUITE % "fail", CTEST="8")
        self.assertEqual((code, line), (1, "3 passed, 1 failed"))
        self.assertIn("failed: b", output)
        self.assertIn("1 skipped", output)

    def test_a_failure_that_the_results_hide_is_counted(self):
        code, line, _ = self.last("-R", "a", SUITE=self.SUITE % "run", CTEST="8")
        self.assertEqual((code, line), (1, "4 passed, 1 failed"))
        code, line, _ = self.last("-R", "a", SUITE="nonsense", CTEST="0")
        self.assertEqual((code, line), (1, "2 passed, 1 failed"))

    def test_a_failed_build_ends_it(self):
        code, line, output = self.last(SUITE=self.SUITE % "run", BUILD="1")
        self.assertEqual((code, line), (1, "4 passed, 1 failed"))
        self.assertIn("failed: dev build", output)

    def test_continuous_integration_runs_the_same(self):
        code, line, _ = self.last("--quick", script=".ci/run", SUITE=self.SUITE % "run")
        self.assertEqual((code, line), (0, "7 passed, 0 failed"))

    def test_values_are_wanted(self):
        self.assertEqual(self.run_script("scripts/test.sh", "-R").returncode, 2)


class Tally(unittest.TestCase):
    CASES = """<testsuite>
      <testcase name="good" status="run"/>
      <testcase name="bad" status="fail"><failure message="x"/></testcase>
      <testcase name="told" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>Skipped: no tool
        </system-out></testcase>
      <testcase name="off" status="disabled"><skipped message="Disabled"/></testcase>
      <testcase name="gone" status="notrun"><skipped message="Unable to find executable"/></testcase></testsuite>"""

    def test_kinds_of_results(self):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(self.CASES)
            file.flush()
            passed, failed, skipped, lines = tally.tally(file.name)
        self.assertEqual((passed, failed, skipped), (1, 2, 2))
        self.assertEqual(lines, ["failed: bad: fail", "skipped: told: no tool", "skipped: off: Disabled",
                                 "failed: gone: Unable to find executable"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], buffer=True)
