"""Histories as arrays: B series that end at the same step, filled where values are missing."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


class Histories(NamedTuple):
    """The B histories of N steps, aligned at their ends.

    Attributes:
        values: (B, N) the known values; a missing one takes the value of a season ago, or else the one before it.
        known: (B, N) if a value was observed.
        first: (B,) the first observed step; the steps before it are padding.
        sums: (B, N + 1) the sums of the observed values before each step.
        counts: (B, N + 1) the numbers of observed values before each step.
    """

    values: Float[np.ndarray, "B N"]
    known: Bool[np.ndarray, "B N"]
    first: Int[np.ndarray, "B"]
    sums: Float[np.ndarray, "B N1"]
    counts: Int[np.ndarray, "B N1"]

    @property
    def steps(self) -> int:
        """Return N."""
        return self.values.shape[1]

    @property
    def last(self) -> np.ndarray:
        """Return the last value (B,)."""
        return self.values[:, -1]

    def deviation(self) -> np.ndarray:
        """Return the standard deviation (B,) of the observed values."""
        centered = np.where(self.known, self.values - self.mean(self.first, self.steps)[:, None], 0.0)
        return np.sqrt((centered**2).sum(axis=1) / np.maximum(self.counts[:, -1], 1))

    def with_values(self, values: np.ndarray) -> "Histories":
        """Return the histories with other values (B, N), such as their logarithms, observed at the same steps."""
        return self._replace(values=values, sums=sums_before(np.where(self.known, values, 0.0)))

    def mean(self, start: np.ndarray, stop: np.ndarray | int) -> np.ndarray:
        """Return the mean (B,) of the observed values from ``start`` (B,) to before ``stop``; 0 if there are none."""
        rows = np.arange(len(self.values))
        # np.clip takes several times as long for a few whole numbers.
        start, stop = (np.minimum(np.maximum(place, 0), self.steps) for place in (start, stop))
        count = self.counts[rows, stop] - self.counts[rows, start]
        return (self.sums[rows, stop] - self.sums[rows, start]) / np.maximum(count, 1)


def histories(values: np.ndarray, season: np.ndarray) -> Histories:
    """Return the histories of values (B, N), NaN where missing and before a series begins.

    Args:
        values: the values; each row with at least one that is not NaN.
        season: (B,) the season in steps, from which missing values are filled; 1 for none.
    """
    known = np.isfinite(values)
    first = known.argmax(axis=1)
    filled = _filled(np.where(known, values, 0.0), known, first, season)
    return Histories(filled, known, first, sums_before(np.where(known, filled, 0.0)), sums_before(known))


def sums_before(values: np.ndarray) -> np.ndarray:
    """Return the sums (B, N + 1) of all values before each step."""
    sums = np.cumsum(values, axis=1, dtype=np.int64 if values.dtype == bool else np.float64)
    return np.concatenate([np.zeros((len(values), 1), sums.dtype), sums], axis=1)


def _filled(values: np.ndarray, known: np.ndarray, first: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Return values (B, N) without gaps."""
    steps = np.arange(values.shape[1])
    latest = np.maximum.accumulate(np.where(known, steps, -1), axis=1)
    forward = np.take_along_axis(values, np.where(latest < 0, first[:, None], latest), axis=1)
    if known.all():
        return forward
    earlier = steps - season[:, None]
    seasonal = np.take_along_axis(forward, np.maximum(earlier, 0), axis=1)
    use_season = ~known & (earlier >= first[:, None]) & (season[:, None] > 1)
    return np.where(use_season, seasonal, forward)
