"""Bases: simple forecasts of a window, which a network mixes and corrects.

Shapes: B windows, R steps of each, N seasons of S steps, K bases, F steps ahead.
"""

from typing import NamedTuple

import jax.numpy as jnp

from throughtime._types import Array, Bool, Float

SMOOTHING = 0.2  # the best of several on Hospital and CIF 2016; for other series, the network corrects it


class Seasons(NamedTuple):
    """Windows cut into N seasons of S steps, oldest first.

    Attributes:
        steps: each step less its season's mean; 0 in a season that is not whole.
        whole: True for a season whose steps are all inside the series.
    """

    steps: Float[Array, "B N S"]
    whole: Bool[Array, "B N"]


def cut_seasons(past: Float[Array, "B R"], inside: Bool[Array, "B R"], season: int) -> Seasons:
    """Cut windows into their last seasons; one that begins before the series is not whole and has no values."""
    count = past.shape[1] // season
    seasons = past[:, -count * season :].reshape(past.shape[0], count, season)
    whole = inside[:, -count * season :].reshape(past.shape[0], count, season).all(axis=-1)
    return Seasons(jnp.where(whole[..., None], seasons - seasons.mean(axis=-1, keepdims=True), 0), whole)


def season_profile(seasons: Seasons) -> Float[Array, "B S"]:
    """Return the mean over the whole seasons; 0 without any."""
    return seasons.steps.sum(axis=1) / jnp.maximum(seasons.whole.sum(axis=1), 1)[:, None]


def shrunk_profile(seasons: Seasons) -> Float[Array, "B S"]:
    """Return the mean over the whole seasons, times the share of its variance that is not noise; 0 below two seasons.

    Of W seasons that share is ``max(0, 1 - v / (W s))``, with s the variance of the profile's steps and v that of the
    seasons around it. Miller & Williams 2003 ("Shrinkage estimators of time series seasonal factors", eq. of James and
    Stein) shrink the same way; theirs has two degrees of freedom less in the numerator.
    """
    profile, count = season_profile(seasons), seasons.whole.sum(axis=1)
    free = max(profile.shape[1] - 1, 1)
    around = jnp.where(seasons.whole[..., None], seasons.steps - profile[:, None], 0)
    noise = (around**2).sum(axis=(1, 2)) / jnp.maximum(free * (count - 1), 1)
    spread = (profile**2).sum(axis=1) / free
    known = (count > 1) & (spread > 0)
    share = 1 - noise / (jnp.maximum(count, 1) * jnp.where(known, spread, 1))
    return profile * jnp.where(known, jnp.maximum(share, 0), 0)[:, None]


def smoothed_forecast(
    past: Float[Array, "B R"], inside: Bool[Array, "B R"], season: int, horizon: int
) -> Float[Array, "B F"]:
    """Forecast by simple exponential smoothing of the seasonally adjusted window, and add the season's profile.

    Hyndman & Athanasopoulos 2021, section 8.1: the weight of the step k before the last is ``a (1 - a)^k``, here over
    the sum of the weights inside the series, so that no first level is needed. The profile is shrunk.

    Args:
        past: R steps, oldest first, at least one season.
        inside: True for steps inside the series.
        season: its period in steps.
        horizon: F.
    """
    profile = shrunk_profile(cut_seasons(past, inside, season))
    steps = jnp.arange(past.shape[1])
    adjusted = past - profile[:, (steps - len(steps)) % season]
    weights = jnp.where(inside, (1 - SMOOTHING) ** (len(steps) - 1 - steps), 0)
    level = (jnp.where(inside, adjusted, 0) * weights).sum(axis=1) / jnp.maximum(weights.sum(axis=1), 1)
    return level[:, None] + profile[:, jnp.arange(horizon) % season]


def base_count(seasons: tuple[int, ...]) -> int:
    """Return K, the number of bases: four for any seasons, and two for each season."""
    return 4 + 2 * len(seasons)


def bases(
    past: Float[Array, "B R"], inside: Bool[Array, "B R"], seasons: tuple[int, ...], horizon: int
) -> Float[Array, "B K F"]:
    """Return the last value, the level, drift, smoothing, and of each season the naive forecast and the profile.

    Hyndman & Athanasopoulos 2021, section 5.2: the naive, seasonal naive and drift methods. The level is the mean of
    the last season. Drift is the first season's naive forecast with its rise from season to season. A profile forecast
    is the mean of the last season, and for each step its mean difference from the season's mean, over the whole seasons
    of the window. Steps of a season that are before the series are the last value in its naive forecast; such a season
    has neither profile nor drift. Smoothing uses the last season, the longest: see :func:`smoothed_forecast`.

    Args:
        past: R steps, oldest first; at least two of the first season, and one of each.
        inside: True for steps inside the series.
        seasons: periods in steps.
        horizon: F.
    """
    past, steps = jnp.where(inside, past, 0), jnp.arange(horizon)
    last = jnp.broadcast_to(past[:, -1:], (past.shape[0], horizon))
    naive = [_seasonal_naive(past, inside, season, last, steps) for season in seasons]
    profile = [_seasonal_profile(past, inside, season, steps) for season in seasons]
    first = seasons[0]
    drifting = naive[0] + _drift(past, inside, first)[:, None] * (steps // first + 1.0)[None]
    level = jnp.broadcast_to(_season_mean(past, inside, first), last.shape)
    smoothed = smoothed_forecast(past, inside, seasons[-1], horizon)
    return jnp.stack([last, level, drifting, smoothed, *naive, *profile], axis=1)


def _seasonal_naive(past: Array, inside: Array, season: int, last: Array, steps: Array) -> Array:
    """Return seasonal naive (B, F): ``baselines.seasonal_naive`` in JAX, for windows of a season or more."""
    places = past.shape[1] - season + steps % season
    return jnp.where(inside[:, places], past[:, places], last)


def _seasonal_profile(past: Array, inside: Array, season: int, steps: Array) -> Array:
    profile = season_profile(cut_seasons(past, inside, season))
    return _season_mean(past, inside, season) + profile[:, steps % season]


def _season_mean(past: Array, inside: Array, season: int) -> Float[Array, "B 1"]:
    count = inside[:, -season:].sum(axis=1, keepdims=True)
    return past[:, -season:].sum(axis=1, keepdims=True) / jnp.maximum(count, 1)


def _drift(past: Array, inside: Array, season: int) -> Float[Array, "B"]:
    """Return the rise of the mean from the season before the last to the last; 0 if they are not inside the series."""
    ahead, behind = past[:, -season:], past[:, -2 * season : -season]
    return jnp.where(inside[:, -2 * season], ahead.mean(axis=1) - behind.mean(axis=1), 0)
