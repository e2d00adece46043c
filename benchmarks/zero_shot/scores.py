"""Scores of quantiles, scaled as MASE is, and the seasonal naive forecast that they are divided by.

Shapes: N windows, F steps, Q quantiles at ``LEVELS``.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from throughtime.zero_shot import LEVELS, MIDDLE
from zero_shot.windows import Windows

DECILES = slice(2, 11)
INTERVALS = {80: (2, 10), 95: (0, 12)}  # places in LEVELS


class Score(NamedTuple):
    """The score of a forecast of all windows.

    Attributes:
        mase: the mean over windows of the median's absolute error, in units of seasonal naive's on the history.
        sql: the mean scaled quantile loss of the nine deciles, twice the pinball loss in the same units.
        coverage: (2, 3) the shares that the intervals of 80 and 95 % cover, by third of the horizon; NaN where a
            model has no such interval.
    """

    mase: float
    sql: float
    coverage: np.ndarray


def score(windows: Windows, quantiles: np.ndarray) -> Score:
    """Return the score of quantiles (N, F, Q); a window whose scale is zero has no MASE and no loss."""
    scale = np.array([_scale(history, windows.season) for history in windows.histories])
    used = scale > 0
    error = windows.truth[..., None] - quantiles
    levels = np.array(LEVELS)
    pinball = np.maximum(levels * error, (levels - 1) * error)[..., DECILES]
    mase = np.nanmean(np.abs(error[used, :, MIDDLE]), axis=1) / scale[used]
    sql = np.nanmean(2 * pinball[used], axis=(1, 2)) / scale[used]
    return Score(float(np.nanmean(mase)), float(np.nanmean(sql)), _coverage(windows.truth, quantiles))


def _scale(history: np.ndarray, season: int) -> float:
    """Return the mean absolute seasonal difference of a history."""
    return float(np.nanmean(np.abs(history[season:] - history[:-season])))


def _coverage(truth: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return the shares (2, 3) of known values inside the intervals."""
    horizon = truth.shape[1]
    third = np.broadcast_to(np.minimum(np.arange(horizon) * 3 // horizon, 2), truth.shape)
    shares = np.full((len(INTERVALS), 3), np.nan)
    for row, (low, high) in enumerate(INTERVALS.values()):
        lower, upper = quantiles[..., low], quantiles[..., high]
        known = np.isfinite(truth) & np.isfinite(lower) & np.isfinite(upper)
        inside = (truth >= lower) & (truth <= upper)
        for column in range(3):
            counted = known & (third == column)
            shares[row, column] = inside[counted].mean() if counted.any() else np.nan
    return shares


def seasonal_naive(windows: Windows) -> np.ndarray:
    """Return the last season again and again, with normal quantiles (Hyndman & Athanasopoulos 2021, section 5.5)."""
    season, steps = windows.season, np.arange(windows.horizon)
    width = norm.ppf(LEVELS) * np.sqrt(steps // season + 1)[:, None]
    forecasts = []
    for history in windows.histories:
        point = filled(history)[len(history) - season + steps % season]
        deviation = np.sqrt(np.nanmean((history[season:] - history[:-season]) ** 2))
        forecasts.append(point[:, None] + deviation * width)
    return np.stack(forecasts)


def filled(history: np.ndarray) -> np.ndarray:
    """Return a history with its gaps filled by straight lines."""
    places, known = np.arange(len(history)), np.isfinite(history)
    return np.interp(places, places[known], history[known])
