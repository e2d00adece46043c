"""How the steps of a season stand out from it: averaged over the seasons, and shrunk where that is mostly noise."""

from typing import NamedTuple

import jax.numpy as jnp

from throughtime.shapes import Array, Bool, Float


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
