"""The forecasts that a model must beat."""

from functools import cache
from statistics import NormalDist

import numpy as np


def seasonal_naive(
    values: np.ndarray, offsets: np.ndarray, origins: np.ndarray, *, season: int, horizon: int
) -> np.ndarray:
    """Each step ahead is the value one season before it (Hyndman & Athanasopoulos 2021, section 5.2).

    Args:
        values: (P,) the filled values of N series, one after the other.
        offsets: (N,) where each begins.
        origins: (N,) how many values of each are known, at least 1.
        season: the period in steps; 1 repeats the last value.
        horizon: F.

    Returns:
        (N, F). A series shorter than one season repeats its last value.
    """
    steps = np.arange(horizon)
    places = origins[:, None] - season + steps % season
    places = np.where(origins[:, None] >= season, places, origins[:, None] - 1)
    return values[offsets[:, None] + places]


def naive_quantiles(history: np.ndarray, point: np.ndarray, *, season: int, quantiles: tuple[float, ...]) -> np.ndarray:
    """Normal quantiles around one series' seasonal naive forecast (the same, section 5.5).

    The standard deviation is that of the history's errors one season ahead, and grows with the square root of the
    number of seasons that lie between.

    Args:
        history: (T,) what was observed, NaN where missing.
        point: (F,) the forecast.
        season: the period in steps.
        quantiles: Q levels.

    Returns:
        (F, Q); all equal to the forecast where the history shows no error to measure.
    """
    lag = season if len(history) > season else 1
    errors = history[lag:] - history[:-lag]
    errors = errors[~np.isnan(errors)]
    largest = np.max(np.abs(errors), initial=0.0)
    deviation = largest * np.sqrt(np.mean((errors / largest) ** 2)) if largest > 0 else 0.0  # no square is too large
    growth = np.sqrt(np.arange(len(point)) // lag + 1)
    return point[:, None] + deviation * growth[:, None] * normal_scores(quantiles)


def drift_quantiles(history: np.ndarray, *, horizon: int, quantiles: tuple[float, ...]) -> np.ndarray:
    """The line through the first and the last observation, and normal quantiles around it (the same, 5.2 and 5.5).

    The standard deviation of what one step departs from the line grows h steps ahead by ``sqrt(h (1 + h / (T - 1)))``.

    Args:
        history: (T,) what was observed, NaN where missing, with at least one observation.
        horizon: F.
        quantiles: Q levels.

    Returns:
        (F, Q); all equal to the point where there are fewer than two steps to measure a deviation with.
    """
    known = np.flatnonzero(~np.isnan(history))
    first, last = known[0], known[-1]
    span = max(last - first, 1)
    slope = history[last] / span - history[first] / span  # no difference is too large
    ahead = len(history) - last + np.arange(horizon)
    residuals = np.diff(history) - slope
    residuals = residuals[~np.isnan(residuals)]
    deviation = 0.0
    if len(residuals) > 1:
        largest = np.max(np.abs(residuals))
        squares = np.sum((residuals / (largest or 1.0)) ** 2)
        deviation = largest * np.sqrt(squares / (len(residuals) - 1))
    growth = np.sqrt(ahead * (1 + ahead / span))
    return (history[last] + slope * ahead)[:, None] + deviation * growth[:, None] * normal_scores(quantiles)


@cache
def normal_scores(quantiles: tuple[float, ...]) -> np.ndarray:
    """(Q,) where a standard normal distribution has its quantiles."""
    return np.array([NormalDist().inv_cdf(q) for q in quantiles])
