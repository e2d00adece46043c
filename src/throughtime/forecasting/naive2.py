"""Naive2, which the M4 competition measured all others by (Makridakis, Spiliotis & Assimakopoulos 2020)."""

import numpy as np

from throughtime.forecasting.baselines import naive_quantiles

CRITICAL = 1.645  # of a normal distribution, 90 % two-sided: the competition's
LEAST_SEASONS = 3


def naive2_quantiles(history: np.ndarray, *, season: int, horizon: int, quantiles: tuple[float, ...]) -> np.ndarray:
    """The last value of the seasonally adjusted series, with the season put back; normal quantiles around it.

    As in the competition's own R code: adjusted where :func:`is_seasonal` says so, by classical multiplicative
    decomposition. A series with a value that is not positive has no such factors and is not adjusted.

    Args:
        history: (T,) without gaps.
        season: the period in steps.
        horizon: F.
        quantiles: Q levels.

    Returns:
        (F, Q); the quantiles are those of the naive forecast of the adjusted series, times the season's factors.
    """
    factors = np.ones(season)
    if (history > 0).all() and is_seasonal(history, season):
        factors = seasonal_factors(history, season)
    adjusted = history / factors[np.arange(len(history)) % season]
    ahead = factors[(len(history) + np.arange(horizon)) % season]
    naive = naive_quantiles(adjusted, np.repeat(adjusted[-1], horizon), season=1, quantiles=quantiles)
    return naive * ahead[:, None]


def is_seasonal(history: np.ndarray, season: int) -> bool:
    """The competition's test: whether the autocorrelation at the season is outside its 90 % limits.

    Never for fewer than three seasons, nor where the season lies beyond the ``10 log10(T)`` lags that R's ``acf`` has
    by default, which the competition's code did not change.
    """
    length = len(history)
    if season < 2 or length < LEAST_SEASONS * season or season > int(10 * np.log10(length)):
        return False
    centred = history - history.mean()
    largest = np.abs(centred).max()
    if largest == 0:
        return False
    centred = centred / largest  # no square is too large
    variance = centred @ centred
    lags = np.array([centred[lag:] @ centred[:-lag] / variance for lag in range(1, season + 1)])
    limit = CRITICAL * np.sqrt((1 + 2 * np.sum(lags[:-1] ** 2)) / length)
    return bool(np.abs(lags[-1]) > limit)


def seasonal_factors(history: np.ndarray, season: int) -> np.ndarray:
    """(season,) of classical multiplicative decomposition, with a mean of 1 (Hyndman & Athanasopoulos 2021, 3.4)."""
    weights = np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    trend = np.convolve(history, weights / season, mode="valid")
    first = len(weights) // 2
    ratios = history[first : first + len(trend)] / trend
    place = (first + np.arange(len(trend))) % season
    factors = np.bincount(place, ratios, season) / np.bincount(place, minlength=season)
    return factors / factors.mean()
