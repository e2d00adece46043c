"""What a forecast network starts from: simple forecasts of a window, which it mixes and corrects."""

import jax.numpy as jnp

from throughtime.forecasting.profiles import season_profile, standing_out
from throughtime.forecasting.smoothing import smoothed_forecast
from throughtime.shapes import Array, Bool, Float


def base_count(seasons: tuple[int, ...]) -> int:
    """K, how many bases there are: four whatever the seasons, and two of each season."""
    return 4 + 2 * len(seasons)


def bases(
    past: Float[Array, "B R"], inside: Bool[Array, "B R"], seasons: tuple[int, ...], horizon: int
) -> Float[Array, "B K F"]:
    """The last value, the level, the first season's naive with drift, smoothing, each season's naive and profile.

    Hyndman & Athanasopoulos 2021, section 5.2: the naive, seasonal naive and drift methods. The level is the mean of
    the last season. A season's profile is how its steps stand out from their season's mean, averaged over the whole
    seasons of the window, upon the mean of the last. Where a season reaches before the series, the last value stands
    for its naive forecast, and there is neither profile nor drift. Smoothing is that of the longest season, the last:
    see :func:`smoothed_forecast`.

    Args:
        past: R steps, oldest first; at least two of the first season, and one of each.
        inside: whether they lie inside the series.
        seasons: periods in steps.
        horizon: F.
    """
    past, steps = jnp.where(inside, past, 0), jnp.arange(horizon)
    last = jnp.broadcast_to(past[:, -1:], (len(past), horizon))
    naive = [_seasonal_naive(past, inside, season, last, steps) for season in seasons]
    profile = [_seasonal_profile(past, inside, season, steps) for season in seasons]
    first = seasons[0]
    drifting = naive[0] + _drift(past, inside, first)[:, None] * (steps // first + 1.0)[None]
    level = jnp.broadcast_to(_season_mean(past, inside, first), last.shape)
    smoothed = smoothed_forecast(past, inside, seasons[-1], horizon)
    return jnp.stack([last, level, drifting, smoothed, *naive, *profile], axis=1)


def _seasonal_naive(past: Array, inside: Array, season: int, last: Array, steps: Array) -> Array:
    places = past.shape[1] - season + steps % season
    return jnp.where(inside[:, places], past[:, places], last)


def _seasonal_profile(past: Array, inside: Array, season: int, steps: Array) -> Array:
    profile = season_profile(standing_out(past, inside, season))
    return _season_mean(past, inside, season) + profile[:, steps % season]


def _season_mean(past: Array, inside: Array, season: int) -> Float[Array, "B 1"]:
    count = inside[:, -season:].sum(axis=1, keepdims=True)
    return past[:, -season:].sum(axis=1, keepdims=True) / jnp.maximum(count, 1)


def _drift(past: Array, inside: Array, season: int) -> Float[Array, "B"]:
    """By how much the last season's mean exceeds that of the season before."""
    ahead, behind = past[:, -season:], past[:, -2 * season : -season]
    return jnp.where(inside[:, -2 * season], ahead.mean(axis=1) - behind.mean(axis=1), 0)
