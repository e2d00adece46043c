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
    steps = np.arange(series.steps) - series.steps  # counted from the first step ahead
    deviation, weight = _deviations(series, season)
    if recent is not None:
        weight = weight * 0.5 ** (-steps / (recent * season[:, None]))
    places = int(season.max())
    cell = np.arange(len(season))[:, None] * places + steps % season[:, None]
    total = np.bincount(cell.ravel(), (deviation * weight).ravel(), len(season) * places).reshape(-1, places)
    count = np.bincount(cell.ravel(), weight.ravel(), len(season) * places).reshape(-1, places)
    by_place = total / (count + PRIOR)
    return Profile(
        np.take_along_axis(by_place, steps % season[:, None], axis=1),
        np.take_along_axis(by_place, np.arange(horizon) % season[:, None], axis=1),
        weight.sum(axis=1) / season,
    )


def _deviations(series: Histories, season: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the deviations (B, N) from the centered mean of one season, and 1 where there is one, else 0.

    The mean of an even season has half weights at both ends.
    """
    width, steps = season[:, None], np.arange(series.steps)
    sums = sums_before(series.values)
    left = steps - width // 2

    def mean_from(start: np.ndarray) -> np.ndarray:
        start, stop = np.clip(start, 0, series.steps), np.clip(start + width, 0, series.steps)
        return (np.take_along_axis(sums, stop, axis=1) - np.take_along_axis(sums, start, axis=1)) / width

    even = width % 2 == 0
    mean = (mean_from(left) + mean_from(np.where(even, left + 1, left))) / 2
    whole = (left >= series.first[:, None]) & (left + even + width <= series.steps) & series.known & (width > 1)
    return np.where(whole, series.values - mean, 0.0), whole.astype(float)
