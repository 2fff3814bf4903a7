# SPDX-License-Identifier: MIT
"""measures.py against values that are known by hand or by counting; starts.py against the plugins it is given."""

import sys
import types
import unittest

import numpy as np

import keys
import measures
import starts

PLUGINS = sys.argv[1]
OPTIONS = types.SimpleNamespace(plugins=PLUGINS)


class Measures(unittest.TestCase):
    def test_iqm_cuts_a_quarter_rounded_down_at_each_end(self):
        # ten values: two at each end go; order does not matter
        self.assertEqual(measures.iqm(np.array([9.0, 1, 8, 2, 7, 3, 6, 4, 1000, -1000])), 5.0)
        self.assertEqual(measures.iqm(np.array([1.0, 2, 6])), 3.0)

    def test_interval_covers_as_often_as_it_says(self):
        rng = np.random.default_rng(0)
        inside = sum(low <= 0 <= high for low, high in
                     (measures.interval(rng.normal(size=30)) for _ in range(200)))
        self.assertGreater(inside, 170)
        self.assertLess(inside, 200)

    def test_difference_of_a_shifted_sample(self):
        ours = np.arange(10.0)
        estimate, low, high = measures.difference(ours + 3, ours)
        self.assertEqual(estimate, 3)
        self.assertLess(low, 3)
        self.assertGreater(high, 3)
        # independent draws: a program compared with itself is not certain to be equal
        same = measures.difference(ours, ours)
        self.assertLess(same[1], -0.5)

    def test_no_interval_from_two_values(self):
        self.assertTrue(np.isnan(measures.interval(np.array([1.0, 2]))).all())

    def test_area_of_straight_lines(self):
        x, y = np.array([0.0, 10, 20]), np.array([0.0, 10, 10])
        self.assertAlmostEqual(measures.area(x, y, 20), 7.5)
        self.assertAlmostEqual(measures.area(x, y, 15), (50 + 50) / 15)
        # held behind its end: a program that has finished keeps its last value
        self.assertAlmostEqual(measures.area(x, y, 40), (50 + 300) / 40)

    def test_steps_to_threshold(self):
        steps = np.arange(1, 61) * 10
        returns = np.where(np.arange(60) < 30, 0.0, 1.0)
        # the window of 20 is all ones from episode 30 + 19 on
        self.assertEqual(measures.steps_to(steps, returns, 1), steps[49])
        self.assertEqual(measures.steps_to(steps, returns, 0.5), steps[39])
        self.assertEqual(measures.steps_to(steps, returns, 1.01), np.inf)
        self.assertEqual(measures.steps_to(steps[:19], np.ones(19), 0), np.inf)

    def test_band_is_the_iqm_of_curves(self):
        curves = np.arange(10.0)[:, None] + np.array([0.0, 100])
        middle, low, high = measures.band(curves)
        self.assertEqual(list(middle), [4.5, 104.5])
        self.assertTrue((low < middle).all() and (middle < high).all())
        np.testing.assert_allclose(high[1] - high[0], 100)


class Starts(unittest.TestCase):
    def test_gymnasium_shows_what_the_plugin_shows_at_every_start(self):
        for task in starts.TASKS:
            episodes = starts.Episodes(OPTIONS, task)
            seen = {tuple(episodes.reset(0, seed, keys.STREAM_EVAL_FINAL, episode))
                    for seed in range(10) for episode in range(100)}
            seen |= {tuple(episodes.reset(0, seed, keys.STREAM_EVAL, episode))
                     for seed in range(10) for episode in range(10)}
            self.assertEqual(len(seen), 1100, task)

    def test_a_start_depends_on_nothing_before_it(self):
        for task in starts.TASKS:
            one, other = starts.Starts(PLUGINS, task), starts.Starts(PLUGINS, task)
            other.start(5, keys.STREAM_EVAL, 7)
            np.testing.assert_array_equal(one.start(3, keys.STREAM_EVAL, 1)[0], other.start(3, keys.STREAM_EVAL, 1)[0])

    def test_the_time_limit_is_there(self):
        # no push, or always the same one: MountainCar's car never leaves the valley
        returns, lengths = starts.Episodes(OPTIONS, "MountainCar-v0").play(
            lambda observations: np.ones(len(observations), int), 0, keys.STREAM_EVAL, 3)
        self.assertEqual((list(returns), list(lengths)), ([-200.0] * 3, [200] * 3))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
