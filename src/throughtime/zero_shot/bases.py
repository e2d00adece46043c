"""Simple forecasts of B series at once, from the whole history: the network mixes them and corrects the mixture.

Each one is a few lines of :func:`bases`; ``BASES`` has their names in the order of the weights.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from throughtime.zero_shot.autoregression import autoregressive_forecast
from throughtime.zero_shot.histories import Histories
from throughtime.zero_shot.profiles import Profile, profile
from throughtime.zero_shot.smoothing import damped_trend, first_level, last_level

BASES = (
    "last value",
    "seasonal naive",
    "seasonal naive of the long season",
    "mean of the last season",
    "level .1 and profile",
    "level .3 and profile",
    "level .7 and profile",
    "theta",
    "local damped trend and profile",
    "level .3 and two profiles",
    "drift and profile",
    "multiplicative theta",
    "damped trend of logarithms and profile",
    "mean and profile",
    "seasonal naive with drift",
    "damped trend and profile",
    "autoregression and profile",
    "level .3 and recent profile",
)
DAMPING = 0.88  # of the local trend, from step to step
LEAST_TREND = 10  # steps from which a local trend is estimated
HALF_LIFE = 2.0  # seasons, of the recent profile
BEYOND = 8  # standard deviations above the level that an exponential forecast may reach at most
LARGEST_LOG = 700.0  # exp of more is infinite


class Decomposed(NamedTuple):
    """The B histories without their season.

    Attributes:
        series: the histories.
        profile: the season.
        rest: (B, N) the values without the profile, equal to ``start`` before a series begins.
        start: (B,) the mean of the first steps of the rest.
    """

    series: Histories
    profile: Profile
    rest: Float[np.ndarray, "B N"]
    start: Float[np.ndarray, "B"]

    def level(self, alpha: float) -> np.ndarray:
        """Return the smoothed level (B, 1) of the rest."""
        return last_level(self.rest, self.start, alpha)

    def slope(self, begin: np.ndarray) -> np.ndarray:
        """Return the slope (B, 1) of the line through the rest from the step ``begin`` (B,) on, by least squares."""
        steps = np.arange(self.rest.shape[1])
        used = self.series.known & (steps >= begin[:, None])
        count = used.sum(axis=1, keepdims=True)
        at = np.where(used, steps - (steps * used).sum(axis=1, keepdims=True) / np.maximum(count, 1), 0.0)
        value = np.where(used, self.rest - (self.rest * used).sum(axis=1, keepdims=True) / np.maximum(count, 1), 0.0)
        return (at * value).sum(axis=1, keepdims=True) / np.maximum((at**2).sum(axis=1, keepdims=True), 1e-9)

    def trend(self, horizon: int) -> np.ndarray:
        """Return the damped trend (B, F) of the rest."""
        return damped_trend(self.rest, self.series.known, self.series.first, horizon)


def decompose(series: Histories, season: Profile) -> Decomposed:
    """Return the histories without a seasonal profile."""
    rest = series.values - season.past
    start = first_level(rest, series.first)
    begun = np.arange(series.steps) >= series.first[:, None]
    return Decomposed(series, season, np.where(begun, rest, start[:, None]), start)


def bases(series: Histories, short: np.ndarray, long: np.ndarray, horizon: int) -> Float[np.ndarray, "B K F"]:
    """Return the K forecasts of ``BASES`` for the F steps after B histories, in the data's own units.

    Args:
        series: the histories.
        short: (B,) the season in steps, 1 for none.
        long: (B,) the longer season, equal to the short one if there is none.
        horizon: F.
    """
    ahead = np.arange(horizon)
    level, drift = _recent_levels(series, short)
    season = profile(series, short, horizon)
    plain = decompose(series, season)
    both = decompose(series, _joined(season, profile(series, long, horizon), short != long))
    recent = decompose(series, profile(series, short, horizon, recent=HALF_LIFE))
    trend = plain.slope(series.first)
    local = plain.slope(series.steps - np.maximum(short, LEAST_TREND))
    theta = plain.level(0.5) + trend / 2 * (ahead + 1)
    naive = _seasonal_naive(series, short, horizon, series.last[:, None] + 0.0 * ahead)
    begun = (np.arange(series.steps) >= series.first[:, None]).astype(float)
    walked = (plain.rest[:, -1] - plain.start) / np.maximum(series.steps - 1 - series.first, 1)
    forecasts = [
        series.last[:, None] + 0.0 * ahead,
        naive,
        _seasonal_naive(series, long, horizon, naive),
        level + 0.0 * ahead,
        plain.level(0.1) + season.ahead,
        plain.level(0.3) + season.ahead,
        plain.level(0.7) + season.ahead,
        theta + season.ahead,
        plain.level(0.5) + local * np.cumsum(DAMPING ** (ahead + 1)) + season.ahead,
        both.level(0.3) + both.profile.ahead,
        plain.rest[:, -1:] + walked[:, None] * (ahead + 1) + season.ahead,
        *_of_logarithms(series, short, horizon, level, fallback=theta + season.ahead),
        series.mean(series.first, series.steps)[:, None] + season.ahead,
        naive + drift * (ahead // np.maximum(short, 3)[:, None] + 1),
        plain.trend(horizon) + season.ahead,
        autoregressive_forecast(plain.rest, begun, horizon) + season.ahead,
        recent.level(0.3) + recent.profile.ahead,
    ]
    return np.stack(forecasts, axis=1)


def _recent_levels(series: Histories, season: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the last season (B, 1), and its distance from the mean of the season before."""
    width = np.minimum(np.where(season > 1, season, 3), series.steps)
    stop = series.steps - width
    level = series.mean(stop, series.steps)
    level = np.where(series.counts[np.arange(len(width)), stop] < series.counts[:, -1], level, series.last)
    drift = np.where(stop - width >= series.first, level - series.mean(stop - width, stop), 0.0)
    return level[:, None], drift[:, None]


def _seasonal_naive(series: Histories, season: np.ndarray, horizon: int, otherwise: np.ndarray) -> np.ndarray:
    """Return the last season (B, F) again and again; ``otherwise`` (B, F) for a series shorter than it."""
    places = series.steps - season[:, None] + np.arange(horizon) % season[:, None]
    repeated = np.take_along_axis(series.values, np.maximum(places, 0), axis=1)
    return np.where((series.steps - season >= series.first)[:, None], repeated, otherwise)


def _joined(short: Profile, long: Profile, use_long: np.ndarray) -> Profile:
    """Return the long profile where there is one, else the short one."""
    use = use_long[:, None]
    return Profile(
        np.where(use, long.past, short.past),
        np.where(use, long.ahead, short.ahead),
        np.where(use_long, long.seasons, short.seasons),
    )


def _of_logarithms(
    series: Histories, season: np.ndarray, horizon: int, level: np.ndarray, *, fallback: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Theta forecast and the damped trend (B, F) of logarithms; ``fallback`` if a value is not positive."""
    observed = np.where(series.known, series.values, np.inf)
    positive = (observed.min(axis=1) > 0)[:, None]
    if not positive.any():
        return fallback, fallback
    logs = series.with_values(np.log(np.where(positive, np.maximum(series.values, 1e-300), 1.0)))
    split = decompose(logs, profile(logs, season, horizon))
    theta = split.level(0.5) + split.slope(series.first) / 2 * np.arange(1, horizon + 1)
    spread = series.deviation()[:, None]
    limit = np.log(np.maximum(np.abs(level) + BEYOND * spread, 1e-300)) + 1.5

    def back(forecast: np.ndarray) -> np.ndarray:
        logarithm = np.clip(forecast + split.profile.ahead, -LARGEST_LOG, np.minimum(limit, LARGEST_LOG))
        return np.where(positive, np.exp(logarithm), fallback)

    return back(theta), back(split.trend(horizon))
