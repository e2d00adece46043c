"""Windows of synthetic series, with what real ones have: any length, gaps, noise, and seasons that are told wrong."""

from typing import NamedTuple

import numpy as np

from throughtime.pretraining.generators.draws import Rng, log_uniform
from throughtime.pretraining.pool import Pool
from throughtime.zero_shot import Seasons

MIXED = 0.15  # shares of windows
WHOLE = 0.35
NEGATED = 0.06
NOISY = 0.1
WITH_GAPS = 0.12
NO_SEASON = 0.07
WRONG_SEASON = 0.04
NO_LONG_SEASON = 0.15
WRONG_SEASONS = (4, 5, 7, 12, 24, 30)
LEAST_KNOWN = 6


class Drawn(NamedTuple):
    """B windows.

    Attributes:
        history: (B, N) the known values, NaN where missing and before a series begins.
        future: (B, F) the values after them.
        seasons: the seasons that are told.
    """

    history: np.ndarray
    future: np.ndarray
    seasons: Seasons


def draw_windows(rng: Rng, pool: Pool, count: int, steps: int, horizon: int) -> Drawn:
    """Draw windows of N known ``steps`` and F = ``horizon`` steps after them from a pool."""
    rows = rng.integers(0, len(pool.series), count)
    series = _mixed(rng, pool.series[rows].astype(float), pool.short[rows])
    cutoffs = rng.integers(steps, series.shape[1] - horizon + 1, count)
    places = cutoffs[:, None] + np.arange(-steps, horizon)
    values = _noisy(rng, np.take_along_axis(series, places, axis=1) * _signs(rng, count))
    history, future = values[:, :steps].copy(), values[:, steps:]
    lengths = _lengths(rng, pool.short[rows], steps)
    history[np.arange(steps) < steps - lengths[:, None]] = np.nan
    return Drawn(_with_gaps(rng, history, lengths), future, _told(rng, pool.short[rows], pool.long[rows]))


def _signs(rng: Rng, count: int) -> np.ndarray:
    return np.where(rng.random((count, 1)) < NEGATED, -1.0, 1.0)


def _mixed(rng: Rng, series: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Add to some series another one of the same season."""
    other = np.roll(np.arange(len(series)), 1)
    spread = series.std(axis=1, keepdims=True) + 1e-9
    size = rng.uniform(0, 0.6, (len(series), 1)) * spread / spread[other]
    added = size * (series[other] - series[other].mean(axis=1, keepdims=True))
    use = (rng.random(len(series)) < MIXED) & (season == season[other])
    return series + np.where(use[:, None], added, 0)


def _noisy(rng: Rng, values: np.ndarray) -> np.ndarray:
    """Add noise to some windows."""
    size = values.std(axis=1, keepdims=True) * log_uniform(rng, 0.01, 0.5, (len(values), 1))
    return values + size * (rng.random((len(values), 1)) < NOISY) * rng.standard_normal(values.shape)


def _lengths(rng: Rng, season: np.ndarray, steps: int) -> np.ndarray:
    """Draw how many of the steps are known: all, or from a few on, but at least a season and a bit."""
    least = np.where(season <= 12, season + 3, 2 * season)
    drawn = log_uniform(rng, 8 if steps <= 128 else 60, steps + 1, len(season)).astype(int)
    drawn = np.where(rng.random(len(season)) < WHOLE, steps, drawn)
    return np.clip(np.maximum(drawn, np.minimum(least, steps)), LEAST_KNOWN, steps)


def _with_gaps(rng: Rng, history: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Remove single values or a block from some histories; the last values may be missing."""
    steps = history.shape[1]
    for row in np.flatnonzero((rng.random(len(history)) < WITH_GAPS) & (lengths > 4 * LEAST_KNOWN)):
        gone = np.zeros(steps, bool)
        if rng.random() < 0.5:
            gone[rng.random(steps) < rng.uniform(0, 0.3)] = True
        else:
            begin = rng.integers(steps - lengths[row], steps)
            gone[begin : begin + rng.integers(1, lengths[row] // 6)] = True
        if np.isfinite(history[row][~gone]).sum() >= LEAST_KNOWN:
            history[row, gone] = np.nan
    return history


def _told(rng: Rng, short: np.ndarray, long: np.ndarray) -> Seasons:
    """Return the seasons that the network is told: mostly the true ones."""
    kind = rng.random(len(short))
    wrong = (kind >= NO_SEASON) & (kind < NO_SEASON + WRONG_SEASON)
    told = np.where(kind < NO_SEASON, 1, np.where(wrong, rng.choice(WRONG_SEASONS, len(short)), short))
    only_one = (kind < NO_SEASON + WRONG_SEASON) | (rng.random(len(short)) < NO_LONG_SEASON)
    return Seasons(told, np.where(only_one, 1, long))
