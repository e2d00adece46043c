"""The share of values that intervals cover in a backtest, and how sure it is.

The values of one window share a history, so they count as one cluster: the range of the share follows Korn & Graubard
(1998), "Confidence intervals for proportions with small expected number of positive counts estimated from survey data".
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from throughtime.forecasting.results import MODEL

TOLERANCE = 0.04  # of coverage
NORMAL = 1.959964  # standard errors on each side of a range of 95 %
# The quantile of 97.5 % of Student's t at these degrees of freedom; between them it is nearly linear in their inverse.
DEGREES = (np.inf, 120, 60, 30, 15, 10, 7, 5, 4, 3, 2, 1)
T_QUANTILES = (NORMAL, 1.9799, 2.0003, 2.0423, 2.1314, 2.2281, 2.3646, 2.5706, 2.7764, 3.1824, 4.3027, 12.7062)


class Covered(NamedTuple):
    """The share of the observed values of a backtest that lie inside an interval.

    Attributes:
        level: of the interval, in per cent.
        share: of the values; NaN without any.
        low: the least share of more windows like these that the values leave possible, at 95 % confidence.
        high: the largest.
        values: how many there are.
        windows: how many windows of series they are from.
    """

    level: float
    share: float
    low: float
    high: float
    values: int
    windows: int

    @property
    def judgment(self) -> str:
        """Return "right", "narrow" or "wide", or "few" if there are too few windows to say.

        A gap of at most 4 points counts as right. A larger one counts if the level is outside of the range.
        """
        level = self.level / 100
        if self.low <= level <= self.high:
            return "right" if self.high - self.low <= 2 * TOLERANCE else "few"
        if abs(self.share - level) <= TOLERANCE:
            return "right"
        return "narrow" if self.share < level else "wide"


def covered(rows: Mapping[str, np.ndarray], level: float | int, model: str = MODEL) -> Covered:
    """Return the share of a backtest's observed values inside a model's interval, and its range.

    The range takes windows and series to be independent of each other, and values of one window not to be.

    Args:
        rows: ``unique_id, cutoff, y`` and the bounds of the interval.
        level: of the interval, in per cent.
        model: the column of the forecasts.
    """
    known = ~np.isnan(rows["y"])
    y, low, high = (rows[name][known] for name in ("y", f"{model}-lo-{level:g}", f"{model}-hi-{level:g}"))
    inside = (y >= low) & (y <= high)
    _, series = np.unique(rows["unique_id"][known].astype(str), return_inverse=True)
    _, cutoffs = np.unique(rows["cutoff"][known], return_inverse=True)
    _, windows = np.unique(np.stack([series, cutoffs]), axis=1, return_inverse=True)
    count, clusters = len(y), len(np.unique(windows))
    if clusters < 2:
        return Covered(float(level), float(inside.mean()) if count else np.nan, 0.0, 1.0, count, clusters)
    share = float(inside.mean())
    size = _effective_count(share, np.bincount(windows, inside - share), count)
    return Covered(float(level), share, *_wilson(share, size), count, clusters)


def _effective_count(share: float, surplus: np.ndarray, count: int) -> float:
    """Return how many independent values say as much; ``surplus`` (C,) of each cluster is its hits beyond the share."""
    clusters = len(surplus)
    variance = clusters / (clusters - 1) * np.sum(surplus**2) / count**2
    alone = share * (1 - share) / (count - 1)  # the variance if no two values had anything in common
    size = count * min(alone / variance, 1.0) if variance > 0 else count
    return float(size * (_t_quantile(count - 1) / _t_quantile(clusters - 1)) ** 2)


def _t_quantile(degrees: int) -> float:
    return float(np.interp(1 / degrees, 1 / np.array(DEGREES), T_QUANTILES))


def _wilson(share: float, count: float) -> tuple[float, float]:
    """Return Wilson's (1927) range of a share of ``count`` values."""
    z2 = NORMAL**2 / count
    middle, half = share + z2 / 2, np.sqrt(z2 * (share * (1 - share) + z2 / 4))
    return float((middle - half) / (1 + z2)), float((middle + half) / (1 + z2))
