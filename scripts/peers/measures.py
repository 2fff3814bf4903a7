# SPDX-License-Identifier: MIT
"""The numbers of a comparison: interquartile mean, bootstrap intervals, area under a curve, steps to a threshold."""

import numpy as np

RESAMPLES = 50_000
LEVEL = 0.95
WINDOW = 20  # training episodes whose mean has to reach the threshold


def iqm(values):
    """Interquartile mean of the last axis: floor(n / 4) values cut at each end (Agarwal et al. 2021, section 4.3)."""
    n = values.shape[-1]
    cut = n // 4
    return np.sort(values, axis=-1)[..., cut:n - cut].mean(axis=-1)


def mean(values):
    return values.mean(axis=-1)


def resampled(values, seed, statistic):
    """The statistic of RESAMPLES draws with replacement. values[n]."""
    rng = np.random.default_rng(seed)
    return statistic(values[rng.integers(0, len(values), (RESAMPLES, len(values)))])


def percentile_interval(samples):
    return tuple(np.quantile(samples, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0))


def interval(values, statistic=iqm):
    """Percentile interval of the statistic, (low, high); (nan, nan) for fewer than three values."""
    if len(values) < 3:
        return np.nan, np.nan
    return percentile_interval(resampled(values, 1, statistic))


def difference(ours, theirs, statistic=iqm):
    """(estimate, low, high) of statistic(ours) - statistic(theirs); the two samples are drawn independently."""
    estimate = float(statistic(ours) - statistic(theirs))
    if min(len(ours), len(theirs)) < 3:
        return estimate, np.nan, np.nan
    return (estimate, *percentile_interval(resampled(ours, 1, statistic) - resampled(theirs, 2, statistic)))


def band(curves, resamples=2000):
    """Pointwise (IQM, low, high) of curves[n][points]; every resample draws whole curves."""
    rng = np.random.default_rng(3)
    drawn = rng.integers(0, len(curves), (resamples, len(curves)))
    samples = iqm(np.moveaxis(curves[drawn], 1, 2))
    return (iqm(curves.T), *percentile_interval(samples))


def area(x, y, end):
    """Mean height of the curve through (x, y) over [x[0], end], straight between points; the last value is held."""
    points = np.union1d(x[x < end], [x[0], end])
    return float(np.trapezoid(np.interp(points, x, y), points) / (end - x[0]))


def steps_to(steps, returns, threshold):
    """The first step at which the mean return of the last WINDOW training episodes reaches the threshold; infinity
    when it never does: such a run counts as longer than all others, it is not dropped."""
    if len(returns) < WINDOW:
        return np.inf
    means = np.convolve(returns, np.full(WINDOW, 1 / WINDOW), "valid")
    reached = np.flatnonzero(means >= threshold - 1e-9)
    return float(steps[WINDOW - 1 + reached[0]]) if len(reached) else np.inf
