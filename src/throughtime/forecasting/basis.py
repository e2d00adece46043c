"""What a forecast network starts from: simple forecasts of a window, which it mixes and corrects."""

from typing import NamedTuple

import jax.numpy as jnp

from throughtime._types import Array, Bool, Float


class StandingOut(NamedTuple):
    """The window cut into N seasons of S steps, oldest first.

    Attributes:
        steps: each step less its season's mean; 0 in a season that is not whole.
        whole: whether all of a season lies inside the series.
    """

    steps: Float[Array, "B N S"]
    whole: Bool[Array, "B N"]


def standing_out(past: Float[Array, "B R"], inside: Bool[Array, "B R"], season: int) -> StandingOut:
    """The last whole seasons of windows; what a season that begins before the series holds does not enter."""
    count = past.shape[1] // season
    seasons = past[:, -count * season :].reshape(len(past), count, season)
    whole = inside[:, -count * season :].reshape(len(past), count, season).all(axis=-1)
    return StandingOut(jnp.where(whole[..., None], seasons - seasons.mean(axis=-1, keepdims=True), 0), whole)


def season_profile(seasons: StandingOut) -> Float[Array, "B S"]:
    """The mean over the whole seasons; 0 where there is none."""
    return seasons.steps.sum(axis=1) / jnp.maximum(seasons.whole.sum(axis=1), 1)[:, None]


def shrunk_profile(seasons: StandingOut) -> Float[Array, "B S"]:
    """The mean over the whole seasons, times the share of its variance that is no noise; 0 below two of them.

    Of W seasons that share is ``max(0, 1 - v / (W s))``, with s the variance of the profile's steps and v that of the
    seasons around it. Miller & Williams 2003 ("Shrinkage estimators of time series seasonal factors", eq. of James and
    Stein) shrink so; theirs has two degrees of freedom less in the numerator.
    """
    profile, count = season_profile(seasons), seasons.whole.sum(axis=1)
    free = max(profile.shape[1] - 1, 1)
    around = jnp.where(seasons.whole[..., None], seasons.steps - profile[:, None], 0)
    noise = (around**2).sum(axis=(1, 2)) / jnp.maximum(free * (count - 1), 1)
    spread = (profile**2).sum(axis=1) / free
    known = (count > 1) & (spread > 0)
    share = 1 - noise / (jnp.maximum(count, 1) * jnp.where(known, spread, 1))
    return profile * jnp.where(known, jnp.maximum(share, 0), 0)[:, None]


SMOOTHING = 0.2  # of several, the best on Hospital and CIF 2016; what needs another, the network corrects


def smoothed_forecast(
    past: Float[Array, "B R"], inside: Bool[Array, "B R"], season: int, horizon: int
) -> Float[Array, "B F"]:
    """The smoothed level of what the season's profile leaves, and upon it the profile, shrunk as far as it is noise.

    Simple exponential smoothing (Hyndman & Athanasopoulos 2021, section 8.1): a step k before the last counts
    ``a (1 - a)^k``, here over the sum of the weights inside the series, so that no first level is needed.

    Args:
        past: R steps, oldest first, at least one season.
        inside: whether they lie inside the series.
        season: its period in steps.
        horizon: F.
    """
    profile = shrunk_profile(standing_out(past, inside, season))
    steps = jnp.arange(past.shape[1])
    left = past - profile[:, (steps - len(steps)) % season]
    weights = jnp.where(inside, (1 - SMOOTHING) ** (len(steps) - 1 - steps), 0)
    level = (jnp.where(inside, left, 0) * weights).sum(axis=1) / jnp.maximum(weights.sum(axis=1), 1)
    return level[:, None] + profile[:, jnp.arange(horizon) % season]


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
