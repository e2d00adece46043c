"""Seasonal profiles: the mean deviation from a moving average, by the place in the season."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from throughtime.zero_shot.histories import Histories, sums_before

PRIOR = 0.3  # of an observation: a place that was seen once counts 1 / 1.3 of its deviation


class Profile(NamedTuple):
    """The seasonal profile of B histories; zeros for a series without a season.

    Attributes:
        past: (B, N) the profile at each step of the history.
        ahead: (B, F) the profile at the F steps after it.
        seasons: (B,) how many times each place was seen, on average.
    """

    past: Float[np.ndarray, "B N"]
    ahead: Float[np.ndarray, "B F"]
    seasons: Float[np.ndarray, "B"]


def profile(series: Histories, season: np.ndarray, horizon: int, *, recent: float | None = None) -> Profile:
    """Return the additive profile of classical decomposition (Hyndman & Athanasopoulos 2021, section 3.4).

    Args:
        series: B histories of N steps.
        season: (B,) the season in steps; 1 for none.
        horizon: F.
        recent: a deviation loses half of its weight with every ``recent`` seasons; None if all weigh the same.
    """
    steps = _steps(series)
    deviation, weight = _deviations(series, season)
    if recent is not None:
        weight = weight * 0.5 ** (-steps / (recent * season[:, None]))
    total, count = (_by_place(values, steps, season) for values in (deviation * weight, weight))
    by_place = total / (count + PRIOR)
    return Profile(
        np.take_along_axis(by_place, steps % season[:, None], axis=1),
        np.take_along_axis(by_place, np.arange(horizon) % season[:, None], axis=1),
        weight.sum(axis=1) / season,
    )


def seasonal_strength(series: Histories, season: np.ndarray) -> np.ndarray:
    """Return the share (B,) of the variance around the moving average that the season explains, adjusted for its size.

    The adjusted R squared of a regression on the places in the season: about 0 if there is no season, below 0 by
    chance. The idea, without the adjustment, is that of Wang, Smith & Hyndman 2006 (Data Mining and Knowledge
    Discovery 13, section 3.2).

    Args:
        series: B histories of N steps.
        season: (B,) the season in steps; 1 for none.

    Returns:
        1 where the history is too short to tell, or without movement.
    """
    steps = _steps(series)
    deviation, weight = _deviations(series, season)
    total, count = (_by_place(values, steps, season) for values in (deviation, weight))
    fitted = np.take_along_axis(total / np.maximum(count, 1), steps % season[:, None], axis=1)
    known, used = weight.sum(axis=1), (count > 0).sum(axis=1)
    mean = deviation.sum(axis=1, keepdims=True) / np.maximum(known, 1)[:, None]
    around_profile = (weight * (deviation - fitted) ** 2).sum(axis=1) / np.maximum(known - used, 1)
    around_mean = (weight * (deviation - mean) ** 2).sum(axis=1) / np.maximum(known - 1, 1)
    rounding = (1e-12 * np.abs(series.values).max(axis=1)) ** 2
    can_tell = (known > used) & (around_mean > rounding)
    return np.where(can_tell, 1 - around_profile / np.where(can_tell, around_mean, 1.0), 1.0)


def _steps(series: Histories) -> np.ndarray:
    """Return the numbers (N,) of the steps, counted from the first step ahead."""
    return np.arange(series.steps) - series.steps


def _by_place(values: np.ndarray, steps: np.ndarray, season: np.ndarray) -> np.ndarray:
    """Return the sums (B, places) of values (B, N) by the place of their steps (N,) in the season (B,)."""
    places = int(season.max())
    cell = np.arange(len(season))[:, None] * places + steps % season[:, None]
    return np.bincount(cell.ravel(), values.ravel(), len(season) * places).reshape(-1, places)


def _deviations(series: Histories, season: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the deviations (B, N) from the centered mean of one season, and 1 where there is one, else 0.

    The mean of an even season has half weights at both ends.
    """
    width, steps = season[:, None], np.arange(series.steps)
    sums = sums_before(series.values)
    left = steps - width // 2

    rows = np.arange(len(sums))[:, None]  # indices of both axes take half the time of np.take_along_axis

    def mean_from(start: np.ndarray) -> np.ndarray:
        return (sums[rows, np.minimum(start + width, series.steps)] - sums[rows, np.maximum(start, 0)]) / width

    even = width % 2 == 0
    mean = (mean_from(left) + mean_from(np.where(even, left + 1, left))) / 2
    whole = (left >= series.first[:, None]) & (left + even + width <= series.steps) & series.known & (width > 1)
    return np.where(whole, series.values - mean, 0.0), whole.astype(float)
