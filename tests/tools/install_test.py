# SPDX-License-Identifier: MIT
"""`cmake --install` gives a folder that stands alone: program, plugins, headers, CMake package, suites."""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

CMAKE, SOURCE, BUILD = sys.argv[1:4] if len(sys.argv) >= 4 else ("", "", "")


def plugin_names():
    """Of what was built: mujoco may have been left out."""
    folders = {os.path.basename(os.path.dirname(path)) for path in glob.glob(f"{SOURCE}/plugins/*/*/CMakeLists.txt")}
    built = {os.path.basename(path)[:-3] for path in glob.glob(f"{glob.escape(BUILD)}/plugins/*.so")}
    return sorted(folders - ({"mujoco"} - built))


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # a blank in the path, and not where the build was configured to install: the result can be moved
        cls.folder = tempfile.mkdtemp(prefix="trpo-bench install ")
        cls.prefix = os.path.join(cls.folder, "prefix")
        done = subprocess.run([CMAKE, "--install", BUILD, "--prefix", cls.prefix],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        cls.output, cls.code = done.stdout.decode(), done.returncode

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def setUp(self):
        self.assertEqual(self.code, 0, self.output)

    def installed(self, pattern):
        return sorted(os.path.basename(path) for path in glob.glob(os.path.join(glob.escape(self.prefix), pattern), recursive=True))

    def run_program(self, *arguments):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TRPO_BENCH_")}
        return subprocess.run([os.path.join(self.prefix, "bin", "trpo-bench"), *arguments], cwd=self.folder, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=60)

    def test_program(self):
        done = self.run_program("--version")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"trpo-bench ", done.stdout)

    def test_every_plugin_and_nothing_else(self):
        files = [name + ".so" for name in plugin_names()] + (["mujoco"] if "mujoco" in plugin_names() else [])
        self.assertEqual(self.installed("lib/**/trpo-bench/plugins/*"), sorted(files))
        self.assertGreaterEqual(len(plugin_names()), 7)

    def test_headers(self):
        headers = sorted(os.listdir(f"{SOURCE}/include/trpo-bench"))
        self.assertEqual(self.installed("include/trpo-bench/*"), headers)

    def test_cmake_package(self):
        package = self.installed("lib/**/cmake/trpo-bench/*")
        for name in ("trpo-bench-config.cmake", "trpo-bench-config-version.cmake", "trpo-bench-targets.cmake",
                     "TrpoBench.cmake", "plugin.map"):
            self.assertIn(name, package)

    def test_suites(self):
        suites = sorted(os.path.basename(path) for path in glob.glob(f"{SOURCE}/suites/*.toml"))
        self.assertEqual(self.installed("share/trpo-bench/suites/*.toml"), suites)
        self.assertIn("classic.toml", suites)

    def test_the_installed_program_finds_its_plugins(self):
        done = self.run_program("list", "envs")
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "Pendulum-v1", "MountainCarContinuous-v0"):
            self.assertIn("classic/" + name, done.stdout.decode())

    @unittest.skipUnless("mujoco" in plugin_names(), "no MuJoCo in this build")
    def test_mujoco_stands_alone(self):
        # the library and the models beside the plugin, not those of the build
        folder = glob.glob(os.path.join(glob.escape(self.prefix), "lib", "**", "plugins", "mujoco"), recursive=True)[0]
        self.assertIn("half_cheetah.xml", os.listdir(folder))
        with open(os.path.join(folder, "half_cheetah.xml"), "w", encoding="ascii") as file:
            file.write("<mujoco/>")
        done = self.run_program("check", "--only", "E1 mujoco/HalfCheetah", os.path.dirname(folder) + "/mujoco.so")
        self.assertIn(os.path.join(os.path.realpath(folder), "half_cheetah.xml"), done.stdout.decode())
        done = subprocess.run(["ldd", os.path.dirname(folder) + "/mujoco.so"], stdout=subprocess.PIPE, text=True)
        library = next(line.split("=>")[1].rsplit("(", 1)[0].strip() for line in done.stdout.splitlines() if "libmujoco" in line)
        self.assertTrue(os.path.realpath(library).startswith(os.path.realpath(folder)) or library.startswith("/usr/lib"), library)

    def test_it_finds_them_in_its_own_folder(self):
        # hidden from the installed program, the build's plugins must not stand in for them
        plugins = glob.glob(os.path.join(glob.escape(self.prefix), "lib", "**", "trpo-bench", "plugins"), recursive=True)[0]
        os.rename(plugins, plugins + "-away")
        try:
            self.assertNotIn("classic/CartPole-v1", self.run_program("list", "envs").stdout.decode())
        finally:
            os.rename(plugins + "-away", plugins)


if __name__ == "__main__":
    if not BUILD:
        sys.exit("Usage: install_test.py CMAKE SOURCE BUILD")
    unittest.main(argv=sys.argv[:1])
