# SPDX-License-Identifier: MIT
"""records.py: which runs are missing, and their short form; episodes.py: where episodes start."""

import argparse
import csv
import json
import os
import tempfile
import unittest

import numpy as np

import episodes
import records

DOMAIN = records.Domain("family", ("A-v0", "B-v0"), {"A-v0": 100, "B-v0": 100}, {}, episodes.Seeded)


def write_run(place, task, seed, complete=True):
    folder = records.folder_of(place, DOMAIN, "peer", task, seed)
    os.makedirs(folder)
    files = {"timing.csv": "iteration,step,sample_s,advantage_s,update_s,critic_s,eval_s,total_s\n"
                           "1,50,1,nan,2,nan,0.5,4\n2,100,1.5,nan,4,nan,0.25,10\n",
             "evals.csv": "step,episode,return,length,success\n100,0,1.5,7,\n",
             "episodes.csv": "step,lane,episode,return,length\n7,0,0,1,7\n"}
    if complete:
        files["run.json"] = json.dumps({"state": "ok"})
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)
    return folder


class Records(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="trpo-bench peers ")
        self.addCleanup(temporary.cleanup)
        self.out, self.reference = (os.path.join(temporary.name, name) for name in ("out", "reference"))
        self.options = argparse.Namespace(out=self.out, reference=self.reference, seeds=[0, 1], tasks=DOMAIN.tasks)

    def test_the_first_seed_of_every_task_comes_first(self):
        self.assertEqual(records.missing(self.options, DOMAIN, "peer"),
                         [("A-v0", 0), ("B-v0", 0), ("A-v0", 1), ("B-v0", 1)])

    def test_complete_runs_of_either_place_are_not_repeated(self):
        write_run(self.out, "A-v0", 0)
        write_run(self.reference, "B-v0", 0)
        write_run(self.out, "A-v0", 1, complete=False)
        self.assertEqual(records.missing(self.options, DOMAIN, "peer"), [("A-v0", 1), ("B-v0", 1)])
        self.options.reference = None
        self.assertEqual(records.missing(self.options, DOMAIN, "peer"), [("B-v0", 0), ("A-v0", 1), ("B-v0", 1)])

    def test_short_form(self):
        write_run(self.out, "A-v0", 0)
        write_run(self.out, "B-v0", 1, complete=False)
        records.keep_older(self.options, DOMAIN, "peer")
        short = records.folder_of(self.reference, DOMAIN, "peer", "A-v0", 0)
        self.assertEqual(sorted(os.listdir(short)), ["evals.csv", "run.json", "timing.csv"])
        with open(os.path.join(short, "timing.csv"), encoding="ascii", newline="") as file:
            (row,) = csv.DictReader(file)
        self.assertEqual([float(row[name]) for name in ("iteration", "step", "sample_s", "update_s", "eval_s", "total_s")],
                         [2, 100, 2.5, 6, 0.75, 10])
        self.assertFalse(os.path.exists(records.folder_of(self.reference, DOMAIN, "peer", "B-v0", 1)))


class Seeded(unittest.TestCase):
    def setUp(self):
        self.episodes = episodes.Seeded(None, "CartPole-v1")

    def test_a_start_is_a_function_of_seed_purpose_and_episode(self):
        first = self.episodes.reset(0, 1, 6, 2)
        self.episodes.reset(1, 1, 6, 3)
        np.testing.assert_array_equal(first, self.episodes.reset(1, 1, 6, 2))
        for other in ((2, 6, 2), (1, 7, 2), (1, 6, 3)):
            self.assertFalse(np.array_equal(first, self.episodes.reset(0, *other)))

    def test_seeds_that_would_repeat_starts_are_refused(self):
        for seed, episode in ((1000, 0), (0, 1000), (-1, 0)):
            with self.assertRaises(ValueError):
                self.episodes.reset(0, seed, 6, episode)

    def test_episodes_end_one_by_one(self):
        returns, lengths = self.episodes.play(lambda rows: [0] * len(rows), 0, 6, 5)
        np.testing.assert_array_equal(returns, lengths)
        self.assertTrue(((lengths >= 8) & (lengths <= 11)).all())


if __name__ == "__main__":
    unittest.main()
