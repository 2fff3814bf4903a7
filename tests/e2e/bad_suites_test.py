# SPDX-License-Identifier: MIT
"""Suites and plugins that cannot work: refused before anything runs, with exit code 2 and where to look.

Every kind of mistake in a suite is tested beside the suite's own code; here one of each family, through the program.
"""

import os

import bench

GOOD = bench.suite()


class BadSuites(bench.Bench):
    def refuse(self, *messages, arguments=("e2e.toml",), code=2):
        """The exit code, the messages, and nothing written."""
        before = sorted(os.listdir(self.folder))
        out, err = self.expect(code, *arguments)
        for message in messages:
            self.assertIn(message, err)
        self.assertEqual(out, "")
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        return err

    def refuse_text(self, text, *messages):
        self.assertNotEqual(text, GOOD)
        self.put("e2e.toml", text)
        self.refuse("trpo-bench: e2e.toml:", *messages)

    def test_no_such_file(self):
        self.refuse("nosuch.toml: cannot open the suite: No such file", arguments=("nosuch.toml",), code=74)

    def test_a_folder(self):
        os.mkdir(self.path("folder.toml"))
        self.refuse("folder.toml: cannot read the suite: Is a directory", arguments=("folder.toml",), code=74)

    def test_empty_file(self):
        self.refuse_text("", "[suite]")

    def test_syntax(self):
        self.refuse_text(GOOD.replace("[defaults]", "[defaults"), "e2e.toml:")

    def test_binary(self):
        with open(self.path("e2e.toml"), "wb") as file:
            file.write(bytes(range(256)))
        self.refuse("e2e.toml:")

    def test_unknown_key(self):
        self.refuse_text(GOOD.replace("lanes = 4", "lnaes = 4"), 'unknown key "lnaes"', 'did you mean "lanes"')

    def test_unknown_section(self):
        self.refuse_text(GOOD.replace("[defaults]", "[default]"), "default", "defaults")

    def test_wrong_type(self):
        self.refuse_text(GOOD.replace("lanes = 4", 'lanes = "four"'), "lanes")

    def test_out_of_range(self):
        self.refuse_text(GOOD.replace("lanes = 4", "lanes = 0"), "lanes", "from 1 to 65536")

    def test_options_that_do_not_fit_together(self):
        self.refuse_text(GOOD.replace("lanes = 4", "lanes = 3"), "batch_steps")

    def test_unknown_environment(self):
        self.refuse_text(GOOD.replace("CartPole-v1", "CartPole-v2"), 'did you mean "classic/CartPole-v1"', "list envs")

    def test_unknown_policy(self):
        self.refuse_text(GOOD.replace('"linear"', '"linaer"'), 'did you mean "linear"')

    def test_unknown_algorithm(self):
        self.refuse_text(GOOD.replace('"trpo"', '"trop"'), 'did you mean "trpo"')

    def test_unknown_parameter(self):
        self.refuse_text(GOOD.replace('CartPole-v1"', 'CartPole-v1"\nparams = { gravty = 9.8 }'), "gravty", "gravity")

    def test_the_same_cell_twice(self):
        self.refuse_text(GOOD + '[[env]]\nid = "classic/CartPole-v1"\n', "classic/CartPole-v1", "name")

    def test_nothing_to_run(self):
        self.refuse_text(GOOD.replace('[[algorithm]]\nid = "trpo"', ""), "algorithm")

    def test_bad_name(self):
        self.refuse_text(GOOD.replace('name = "e2e"', 'name = "../e2e"'), "name")

    def test_command_line_overrides(self):
        self.put("e2e.toml", GOOD)
        self.refuse("max_lk", "max_kl", arguments=("e2e.toml", "--set", "max_lk=0.1"))
        self.refuse("max_kl", arguments=("e2e.toml", "--set", "max_kl=-3"))
        self.refuse("max_kl", arguments=("e2e.toml", "--set", "max_kl"))
        for seeds in ("x", "0", "3-1", "-1", "1,,2", ""):
            with self.subTest(seeds=seeds):
                self.refuse(arguments=("e2e.toml", f"--seeds={seeds}"))

    def test_filter(self):
        self.put("e2e.toml", GOOD)
        self.refuse('--filter "Pong" matches none of the 2 cells', "trpo-bench list cells", arguments=("e2e.toml", "--filter", "Pong"))
        self.refuse("(", arguments=("e2e.toml", "--filter", "("))

    # ---- plugins ----

    def with_plugin(self, path, env=bench.CARTPOLE):
        self.put_suite(envs=(env,), plugins=[path])

    def test_missing_plugin(self):
        self.with_plugin("no/such/plugin.so")
        self.refuse("no/such/plugin.so", "No such file")

    def test_wrong_abi(self):
        path = bench.broken("env-wrong-major")
        self.with_plugin(path, "broken/wrong-major-v1")
        self.refuse(path, "speaks plugin ABI 7.0, needed major version 1", "rebuild it")

    def test_a_file_that_is_no_plugin(self):
        self.put("noise.so", "no shared object")
        self.with_plugin(self.path("noise.so"))
        self.refuse("noise.so")

    def test_a_plugin_that_crashes_or_hangs_when_loaded(self):
        for kind, message in (("load-crash", "crashed (signal 11"), ("load-hang", "did not finish within")):
            with self.subTest(kind):
                path = bench.broken(f"env-{kind}")
                self.with_plugin(path)
                self.refuse(path, message)

    def test_a_refused_plugin_in_a_folder_costs_nothing(self):
        os.mkdir(self.path("plugins"))
        os.symlink(bench.broken("env-wrong-major"), self.path("plugins/old.so"))
        os.symlink(bench.broken("env-healthy"), self.path("plugins/healthy.so"))
        suite = self.put_suite(envs=(bench.CARTPOLE, "broken/healthy-v1"), plugins=["plugins"], seeds=1)
        _, err = self.expect(0, suite)
        self.assertIn("plugin left out: ", err)
        self.assertIn("plugins/old.so", err)
        self.assert_complete(2)

    def test_plugin_dir_and_search_path(self):
        self.put_suite(envs=("broken/healthy-v1",), seeds=1)
        self.refuse("broken/healthy-v1")
        self.expect(0, "e2e.toml", "--plugin-dir", bench.broken("env-healthy"), "-o", "a")
        os.mkdir(self.path("plugins"))
        os.symlink(bench.broken("env-healthy"), self.path("plugins/healthy.so"))
        self.expect(0, "e2e.toml", "-o", "b", environment={"TRPO_BENCH_PLUGIN_PATH": self.path("plugins")})
        self.assertEqual(self.hashes("a"), self.hashes("b"))


if __name__ == "__main__":
    bench.main()
