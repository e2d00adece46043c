"""Exponential smoothing of a window around its season's profile, as one weighted sum."""

import jax.numpy as jnp

from throughtime.forecasting.profiles import shrunk_profile, standing_out
from throughtime.shapes import Array, Bool, Float

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
