# SPDX-License-Identifier: MIT
"""compare.py on small results folders whose numbers are known."""

import os
import tempfile
import unittest

import numpy as np

import compare
import figure


def write_run(root, task, algorithm, seed, heights, returns, complete=True, critic="nan", domain="classic"):
    """Evaluations of the given mean heights over the budget; training episodes of the given returns, a step apart."""
    folder = os.path.join(root, "runs", f"{domain}__{task}", "mlp", algorithm, f"s{seed:04d}")
    os.makedirs(folder)
    budget = compare.DOMAINS[domain][task][0]
    with open(os.path.join(folder, "evals.csv"), "w", encoding="ascii") as file:
        file.write("step,episode,return,length,success\n")
        for step, height in zip(np.linspace(0, budget, len(heights)).astype(int), heights):
            file.write(f"{step},0,{height - 1},5,\n{step},1,{height + 1},5,\n")
    with open(os.path.join(folder, "episodes.csv"), "w", encoding="ascii") as file:
        file.write("step,lane,episode,return,length\n")
        file.writelines(f"{step + 1},0,{step},{value},1\n" for step, value in enumerate(returns))
    with open(os.path.join(folder, "timing.csv"), "w", encoding="ascii") as file:
        file.write("iteration,step,sample_s,advantage_s,update_s,critic_s,eval_s,total_s\n")
        file.write(f"1,{budget // 2},1,nan,2,{critic},50,53\n2,{budget},1,nan,6,{critic},50,113\n")
    if complete:
        with open(os.path.join(folder, "run.json"), "w", encoding="ascii") as file:
            file.write("{}\n")


class Compare(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="trpo-bench peers ")
        self.addCleanup(temporary.cleanup)
        self.root = temporary.name
        task = "CartPole-v1"
        for seed in range(4):
            # reaches 475 with the 20th episode; later by the seed
            write_run(self.root, task, "ours", seed, [0, 100, 200 + seed], [0] * seed + [480] * 20)
            write_run(self.root, task, "theirs", seed, [0, 200, 300 + seed], [480] * 20 if seed < 2 else [0] * 30,
                      critic="1")
        write_run(self.root, task, "theirs", 4, [0, 0, 0], [0], complete=False)
        self.programs = [compare.Program(f"{name}={self.root}:{name}") for name in ("ours", "theirs")]
        self.table = list(compare.rows(self.programs, {program.name: program for program in self.programs}))

    def test_score_area_and_speed(self):
        ours, theirs = self.table
        self.assertEqual((ours["final"], ours["worst"], ours["runs"], ours["incomplete"]), (201.5, 200, 4, 0))
        self.assertEqual((theirs["final"], theirs["runs"], theirs["incomplete"]), (301.5, 4, 1))
        self.assertAlmostEqual(ours["area"], (50 + 150 + 1.5 / 2) / 2)
        # the time of evaluations does not count; what was not measured apart counts nothing
        self.assertEqual(ours["speed"], (10_000, 10_000, 10_000))
        self.assertAlmostEqual(theirs["speed"][0], 100_000 / 12)
        self.assertEqual(ours["seconds"], 10)

    def test_runs_that_never_reach_the_threshold_count(self):
        ours, theirs = self.table
        self.assertEqual((ours["steps"], ours["reached"]), (21.5, 4))
        self.assertEqual((theirs["steps"], theirs["reached"]), (np.inf, 2))
        self.assertEqual(compare.speed_line(theirs)[2], "never (2 of 4)")

    def test_worse_is_bold(self):
        self.assertTrue(compare.score_line(self.table[1])[5].startswith("**-100.0 ["))
        self.assertEqual(compare.score_line(self.table[0])[5], "")
        turned = list(compare.rows(self.programs[::-1], {}))
        self.assertTrue(compare.score_line(turned[1])[5].startswith("100.0 ["))
        self.assertNotIn("time_difference", turned[1])
        # worse by the estimate, but the interval holds zero
        self.assertEqual(compare.with_interval((-1.0, -3.0, 2.0)), "-1.00 [-3.00, 2.00]")

    def test_area_by_the_clock_holds_the_last_value(self):
        # ours: 10 s of the 12; then its last value
        held = (10 * (50 + 150.75) / 2 + 2 * 201.5) / 12
        difference = self.table[1]["time_difference"][0]
        self.assertAlmostEqual(difference, held - (100 + 250.75) / 2)

    def test_page_and_figure(self):
        page = os.path.join(self.root, "page.md")
        with open(page, "w", encoding="utf-8") as file:
            file.write(f"before\n{compare.BEGIN}\nold\n{compare.END}\nafter\n")
        for _ in range(2):
            compare.update_page(page, compare.markdown(self.table, "ours", True))
        with open(page, encoding="utf-8") as file:
            text = file.read()
        self.assertTrue(text.startswith("before\n") and text.endswith("\nafter\n"))
        self.assertNotIn("\nold\n", text)
        self.assertEqual(text.count("| CartPole-v1 | theirs |"), 2)
        speeds = {(row["task"], row["program"]): row["speed"][0] for row in self.table}
        figure.write(self.root, {"CartPole-v1": (100_000, 475)}, self.programs, speeds)
        data = np.loadtxt(os.path.join(self.root, "CartPole-v1.0.tsv"), skiprows=1)
        np.testing.assert_allclose(data[:, :3], [[0, 0, 0], [50_000, 5, 100], [100_000, 10, 201.5]])


class Mujoco(unittest.TestCase):
    """Five runs of ours against three short ones of a reference, which have no training episodes."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="trpo-bench peers ")
        self.addCleanup(temporary.cleanup)
        self.root = temporary.name
        for task, theirs in (("Hopper-v5", (3000, 3100, 3200)), ("Swimmer-v5", (100, 200, 330))):
            for seed, final in enumerate((0, 100, 200, 300, 1000)):
                write_run(self.root, task, "trpo@a", seed, [0, final], [0], domain="mujoco")
            for seed, final in enumerate(theirs):
                write_run(self.root, task, "sb3", seed, [0, final], [0], domain="mujoco")
                os.remove(os.path.join(self.root, "runs", "mujoco__" + task, "mlp", "sb3", f"s{seed:04d}",
                                       "episodes.csv"))
        # a run of another domain, which is not counted
        write_run(self.root, "CartPole-v1", "sb3", 0, [0, 1], [0])
        self.programs = [compare.Program(f"{name}={self.root}:{algorithm}", "mujoco")
                         for name, algorithm in (("ours", "trpo*"), ("theirs", "sb3"))]
        self.table = list(compare.rows(self.programs, {}))

    def test_tasks_without_runs_have_no_row(self):
        self.assertEqual([(row["task"], row["program"], row["runs"]) for row in self.table],
                         [("Hopper-v5", "ours", 5), ("Hopper-v5", "theirs", 3), ("Swimmer-v5", "ours", 5),
                          ("Swimmer-v5", "theirs", 3)])

    def test_iqm_and_mean(self):
        ours, theirs = self.table[2:]
        # of five runs one goes at each end, of three none
        self.assertEqual((ours["final"], ours["mean"], theirs["final"], theirs["mean"]), (200, 320, 210, 210))
        self.assertAlmostEqual(theirs["sd"], np.std([100, 200, 330], ddof=1))
        self.assertEqual((theirs["final_difference"][0], theirs["mean_difference"][0]), (-10, 110))
        low, high = theirs["mean_interval"]
        self.assertEqual((low, high), (100, 330))  # 1 of 27 resamples is the smallest value thrice, over 2.5 %

    def test_only_what_is_certainly_worse_is_bold(self):
        hopper, swimmer = self.table[1], self.table[3]
        self.assertTrue(compare.mean_line(hopper)[4].startswith("**-2780 ["))
        self.assertTrue(compare.score_line(hopper)[5].startswith("**-2900 ["))
        self.assertTrue(compare.mean_line(swimmer)[4].startswith("110.0 ["))
        self.assertTrue(compare.score_line(swimmer)[5].startswith("-10.00 ["))

    def test_tables_without_thresholds(self):
        text = compare.markdown(self.table, "ours", False)
        self.assertEqual(text.count("| Hopper-v5 | theirs |"), 2)
        self.assertIn("sd over runs", text)
        self.assertNotIn("threshold", text)

    def test_figure_has_one_panel_a_task(self):
        speeds = {(row["task"], row["program"]): row["speed"][0] for row in self.table}
        tasks = {task: compare.DOMAINS["mujoco"][task] for task in ("Hopper-v5", "Swimmer-v5")}
        with open(figure.write(self.root, tasks, self.programs, speeds), encoding="utf-8") as file:
            script = file.read()
        self.assertEqual(script.count("set title"), len(tasks) * len(figure.TERMINALS))
        self.assertNotIn("logscale x;", script)


if __name__ == "__main__":
    unittest.main()
