"""Outliers and shifts of level in a series, by robust statistics: marks for a chart, not a cleaning."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

NEIGHBORS = 4  # values on each side of the local median
FAR, MOST = 6.0, 0.02  # robust standard deviations of an outlier; a larger share than that is the series' own kind
LEAST_SIDE, LEAST_SIDES = 12, 6  # steps of a level, and how many of them a series must have
APART = 4.5  # robust standard deviations of a shift: false in 1 to 3 % of series of white noise or random walks
MOST_SHIFTS = 5
ROBUST = 1.4826  # the standard deviation of normal values over their median absolute deviation


class Oddities(NamedTuple):
    """The odd places of a series.

    Attributes:
        outliers: the steps of single values that are far from their neighbors, ascending.
        shifts: the steps from which the level is another, ascending.
    """

    outliers: NDArray[np.int64]
    shifts: NDArray[np.int64]


def oddities(values: NDArray[np.float64], season: int) -> Oddities:
    """Return the outliers and the shifts of level of a series.

    The profile of the season is removed first. An outlier is more than 6 robust standard deviations (of the median
    absolute deviation) away from the median of its 9 neighbors; there are none if that holds for more than one value in
    50. A shift is where the means of a season (or 12 steps) before and after differ by more than 4.5 robust standard
    deviations of all such differences, so that a trend or a random walk has none.

    Args:
        values: (T,) the series, NaN where missing.
        season: the period in steps, 1 if there is none.
    """
    known = np.flatnonzero(np.isfinite(values))
    none = np.empty(0, np.int64)
    if len(known) <= 2 * NEIGHBORS:
        return Oddities(none, none)
    filled = np.interp(np.arange(len(values)), known, values[known])
    rest = _without_season(filled, season)
    distance = rest - _local_median(rest, NEIGHBORS)
    scale = _spread(distance[known])
    outliers = known[np.abs(distance[known]) > FAR * scale] if scale > 0 else none
    if len(outliers) > MOST * len(known):
        outliers = none
    rest[outliers] -= distance[outliers]
    return Oddities(outliers, _shifts(rest, max(season, LEAST_SIDE)))


def _without_season(values: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """Return a series without the median of each phase of its season around the local median."""
    if season < 2 or len(values) < 3 * season:
        return values
    around = values - _local_median(values, season)
    seasons = -(-len(values) // season)
    padded = np.pad(around, (0, seasons * season - len(values)), constant_values=np.nan)
    profile = np.nanmedian(padded.reshape(seasons, season), axis=0)
    return values - np.resize(profile - profile.mean(), len(values))


def _shifts(values: NDArray[np.float64], side: int) -> NDArray[np.int64]:
    """Return the steps at which the mean of the next ``side`` steps is not that of the last ones."""
    if len(values) < LEAST_SIDES * side:
        return np.empty(0, np.int64)
    sums = np.append(0.0, np.cumsum(values - values.mean()))
    places = np.arange(side, len(values) - side + 1)
    jumps = (sums[places + side] - 2 * sums[places] + sums[places - side]) / side
    spread = _spread(jumps)
    if not spread > 1e-9 * np.abs(jumps).max():
        return np.empty(0, np.int64)
    sizes = np.abs(jumps - np.median(jumps)) / spread
    found: list[int] = []
    while len(found) < MOST_SHIFTS and sizes.max() > APART:
        largest = int(sizes.argmax())
        found.append(_sharpest(sums[largest : largest + 2 * side + 1], side // 2) + largest)
        sizes[max(largest - side, 0) : largest + side] = 0.0
    return np.unique(np.array(found, np.int64))


def _sharpest(sums: NDArray[np.float64], least: int) -> int:
    """Return the split of a stretch, given its cumulative sums (T + 1,), that explains most of its variance."""
    total = len(sums) - 1
    before = np.arange(least, total - least + 1)
    centered = sums - sums[0] - (sums[-1] - sums[0]) * np.arange(total + 1) / total
    return int(before[np.argmax(np.abs(centered[before]) / np.sqrt(before * (total - before)))])


def _local_median(values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Return the median of each value and ``side`` neighbors on both sides; the ends are repeated."""
    return np.median(sliding_window_view(np.pad(values, side, mode="edge"), 2 * side + 1), axis=1)


def _spread(values: NDArray[np.float64]) -> float:
    """Return a standard deviation that outliers do not change."""
    return float(ROBUST * np.median(np.abs(values - np.median(values))))
