"""The forecasts that a model must beat."""

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
    z = np.array([NormalDist().inv_cdf(q) for q in quantiles])
    return point[:, None] + deviation * growth[:, None] * z
