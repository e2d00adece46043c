"""Far horizons in coarse steps: means over several steps are forecast, then the pattern within them is put back."""

import numpy as np

from throughtime.zero_shot.levels import LEVELS, MIDDLE, normal_scores

LEAST_COARSE = 60  # coarse steps at the end from which the pattern within them is found
SEASONS = 6  # or this many seasons
PRIOR = 0.5  # of a season, with which the pattern is drawn to zero


def coarse_step(horizon: int, most: int, season: int) -> int:
    """Return the number of steps to join, so that a horizon is at most ``most`` joined steps; it divides the season."""
    size = -(-horizon // most)
    while season > 1 and season % size and size < season:
        size += 1
    return size


def means(history: np.ndarray, size: int) -> np.ndarray:
    """Return the means of each ``size`` steps of a history (N,), NaN where all are missing.

    The first steps are cut, unless all that is known is among them.
    """
    first = len(history) % size
    if not np.isfinite(history[first:]).any():
        history, first = np.concatenate([np.full(-len(history) % size, np.nan), history]), 0
    groups = history[first:].reshape(-1, size)
    known = np.isfinite(groups)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, groups, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def fine_quantiles(history: np.ndarray, coarse: np.ndarray, size: int, season: int, horizon: int) -> np.ndarray:
    """Return quantiles (F, Q) of single steps from those of coarse ones.

    The median is interpolated between the middles of coarse steps, and the seasonal pattern around it is that of the
    history. The width adds the variance within a coarse step to that between them.

    Args:
        history: (N,) the known values, NaN where missing.
        coarse: (C, Q) quantiles of the means at ``LEVELS``.
        size: the steps of a coarse step.
        season: in steps.
        horizon: F, at most C times ``size``.
    """
    joined = means(history, size)
    last = joined[np.isfinite(joined)][-1]
    pattern, deviation = _within(history, joined, size, season, horizon)
    steps = np.arange(horizon)
    middles = np.r_[-(size + 1) / 2, np.arange(len(coarse)) * size + (size - 1) / 2]
    median = np.interp(steps, middles, np.r_[last, coarse[:, MIDDLE]]) + pattern
    scores = normal_scores(LEVELS)
    between = np.repeat(coarse - coarse[:, MIDDLE : MIDDLE + 1], size, axis=0)[:horizon]
    return median[:, None] + np.sign(scores) * np.hypot(between, scores * deviation)


def _within(history: np.ndarray, joined: np.ndarray, size: int, season: int, horizon: int) -> tuple[np.ndarray, float]:
    """Return the seasonal pattern (F,) around interpolated means, and the deviation of the values from both."""
    since_known = len(joined) - np.flatnonzero(np.isfinite(joined))[-1]
    count = min(len(joined), max(SEASONS * season // size, LEAST_COARSE, since_known))
    tail, means_of_tail = history[-count * size :], joined[-count:]
    known = np.isfinite(means_of_tail)
    middles = np.arange(count) * size + (size - 1) / 2
    line = np.interp(np.arange(len(tail)), middles[known], means_of_tail[known])
    rest = tail - line
    if season == 1:
        return np.zeros(horizon), float(np.nanstd(rest))
    place, seen = (np.arange(len(tail)) - len(tail)) % season, np.isfinite(rest)
    total = np.bincount(place[seen], rest[seen], season)
    by_place = total / (np.bincount(place[seen], minlength=season) + PRIOR)
    return by_place[np.arange(horizon) % season], float(np.nanstd(rest - by_place[place]))
