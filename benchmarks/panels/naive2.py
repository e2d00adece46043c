"""Naive2, the benchmark that M4 divides by (Makridakis, Spiliotis & Assimakopoulos 2020).

The last value, after the season was taken off where a test finds one, and put on again: the definitions of the
competition's own code (Mcompetitions/M4-methods, "Benchmarks and Evaluation.R") and of R's ``acf`` and ``decompose``.
"""

import numpy as np

NORMAL_90 = 1.645  # two-sided, 90 %


def naive2(y: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """(F,) the forecast after the history ``y`` (T,)."""
    if not is_seasonal(y, season):
        return np.full(horizon, y[-1])
    indices = seasonal_indices(y, season)
    steps = len(y) + np.arange(horizon)
    return y[-1] / indices[(len(y) - 1) % season] * indices[steps % season]


def is_seasonal(y: np.ndarray, season: int) -> bool:
    """Whether the autocorrelation at the lag of the season differs from zero at 90 %, by Bartlett's formula.

    R's ``acf`` looks as far as 10 log10(T) lags; beyond, and below three seasons, a series counts as not seasonal.
    """
    if season == 1 or len(y) < 3 * season or season > int(10 * np.log10(len(y))):
        return False
    deviation = y - y.mean()
    total = deviation @ deviation
    if total == 0:
        return False
    r = np.array([deviation[lag:] @ deviation[:-lag] for lag in range(1, season + 1)]) / total
    limit = NORMAL_90 * np.sqrt((1 + 2 * np.sum(r[:-1] ** 2)) / len(y))
    return bool(abs(r[-1]) > limit)


def seasonal_indices(y: np.ndarray, season: int) -> np.ndarray:
    """(m,) the factors of the classical multiplicative decomposition for the steps 0, 1, ... m - 1, with mean 1."""
    weights = np.ones(season) if season % 2 else np.array([0.5, *np.ones(season - 1), 0.5])
    trend = np.convolve(y, weights / season, mode="valid")
    first = season // 2
    ratios = y[first : first + len(trend)] / trend
    places = (first + np.arange(len(trend))) % season
    means = np.bincount(places, ratios, season) / np.bincount(places, minlength=season)
    return means / means.mean()
