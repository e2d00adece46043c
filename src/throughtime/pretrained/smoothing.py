"""Exponential smoothing of B series at once: levels, and damped trends whose smoothing is chosen on a grid."""

from itertools import product

import numpy as np
from scipy.signal import lfilter

START = 6  # observations whose mean is the first level
TAIL = 160  # steps at the end that choose the smoothing of a trend
MEMORY = 0.985  # weight of the errors so far, from step to step
LEVELS = (0.08, 0.25, 0.5, 0.85)
TRENDS = ((0.0, 0.0), (0.1, 0.9), (0.3, 0.97), (0.0, 1.0))  # smoothing of the slope over that of the level, damping
GRID = np.array([(alpha, share * alpha, damping) for alpha, (share, damping) in product(LEVELS, TRENDS)])


def first_level(values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the mean (B,) of the first six steps of each series."""
    steps = np.arange(values.shape[1])
    begins = (steps >= first[:, None]) & (steps < first[:, None] + START)
    return np.where(begins, values, 0.0).sum(axis=1) / np.maximum(begins.sum(axis=1), 1)


def last_level(values: np.ndarray, start: np.ndarray, alpha: float) -> np.ndarray:
    """Return the level (B, 1) after simple exponential smoothing (Hyndman & Athanasopoulos 2021, eq. 8.1).

    Args:
        values: (B, N), equal to ``start`` before a series begins.
        start: (B,) the level before the first step.
        alpha: the weight of each new value.
    """
    levels, _ = lfilter([alpha], [1, alpha - 1], values, axis=1, zi=(1 - alpha) * start[:, None])
    return levels[:, -1:]


def damped_trend(values: np.ndarray, known: np.ndarray, first: np.ndarray, horizon: int) -> np.ndarray:
    """Forecast (B, F) by Holt's damped trend, with the smoothing that has the least errors one step ahead.

    Gardner & McKenzie 1985; Hyndman & Athanasopoulos 2021, section 8.2. All settings of ``GRID`` run side by side over
    the last 160 steps.

    Args:
        values: (B, N).
        known: (B, N) if a value was observed; the errors of others do not count.
        first: (B,) the step at which each series begins.
        horizon: F.
    """
    cut = max(0, values.shape[1] - TAIL)
    values, known, first = values[:, cut:], known[:, cut:], np.maximum(first - cut, 0)
    alpha, beta, damping = GRID.T[:, None]
    level, trend = _starts(values, first)
    errors = np.zeros_like(level)
    for step in range(int(first.min()) + 1, values.shape[1]):
        begun = (step > first)[:, None]
        ahead = level + damping * trend
        error = values[:, step : step + 1] - ahead
        errors = MEMORY * errors + np.abs(error) * (begun & known[:, step : step + 1])
        level = np.where(begun, ahead + alpha * error, level)
        trend = np.where(begun, damping * trend + beta * error, trend)
    rows, best = np.arange(len(values)), errors.argmin(axis=1)
    growth = np.cumsum(GRID[best, 2][:, None] ** np.arange(1, horizon + 1), axis=1)
    return level[rows, best][:, None] + trend[rows, best][:, None] * growth


def _starts(values: np.ndarray, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first level and slope (B, settings): a smoothed slope starts with half of that of the first third."""
    rows, steps = np.arange(len(values)), values.shape[1]
    third = np.minimum(first + np.maximum((steps - first) // 3, 4), steps - 1)
    begin = values[rows, first]
    early = (values[rows, third] - begin) / np.maximum(third - first, 1)
    whole = (values[:, -1] - begin) / np.maximum(steps - 1 - first, 1)
    slopes = np.stack([0 * early, early / 2, early / 2, whole], axis=1)
    return np.repeat(begin[:, None], len(GRID), axis=1), np.tile(slopes, len(LEVELS))
