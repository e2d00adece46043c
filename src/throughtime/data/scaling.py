"""Every window in its own units: less its recent level, over its own scale."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from throughtime._types import Array, Float
from throughtime.data.windows import Windows

LEAST_SHARE = 0.1  # of the standard deviation: a season without noise leaves no error to measure with


class LevelScale(NamedTuple):
    """The level and scale of B windows; a scale of 0 marks a window without any movement."""

    level: Float[Array, "B"]
    scale: Float[Array, "B"]


def window_level_scale(windows: Windows, span: int, season: int) -> LevelScale:
    """Level and scale of each window, from its past alone.

    The level is the mean of the last ``span`` observed steps' values. The scale is the mean absolute difference over a
    season, what seasonal naive gets wrong (Hyndman & Koehler 2006, eq. 3), so that what is seasonal takes no room. It
    is at least a tenth of the standard deviation, and all of it where there is no pair of values a season apart.
    """
    usable = _usable(windows, windows.past.shape[1])
    deviation = jnp.sqrt(_variance(windows.past, usable))
    both = usable[:, season:] & usable[:, :-season]
    difference = _masked_moment(jnp.abs(windows.past[:, season:] - windows.past[:, :-season]), both)
    least = jnp.where(both.any(axis=1), LEAST_SHARE, 1.0) * deviation
    scale = jnp.where(deviation > 0, jnp.maximum(difference, least), 0)
    return LevelScale(_masked_moment(windows.past[:, -span:], _usable(windows, span)), scale)


def scale_values(values: Float[Array, "B S"], units: LevelScale) -> Float[Array, "B S"]:
    """``(value - level) / scale``; 0 where there is no movement to measure with."""
    scale = units.scale[:, None]
    return jnp.where(scale > 0, (values - units.level[:, None]) / jnp.where(scale > 0, scale, 1), 0)


def unscale_values(scaled: Float[Array, "B F Q"], units: LevelScale) -> Float[Array, "B F Q"]:
    """``level + scale * value``: a window without movement stays at its level."""
    return units.level[:, None, None] + units.scale[:, None, None] * scaled


def _usable(windows: Windows, steps: int) -> Array:
    """The observed steps among the last ``steps``; all inside the series where none was observed."""
    observed, inside = windows.past_observed[:, -steps:], windows.inside[:, -steps:]
    return jnp.where(observed.any(axis=1, keepdims=True), observed, inside)


def _masked_moment(values: Array, mask: Array) -> Array:
    return jnp.sum(jnp.where(mask, values, 0), axis=1) / jnp.maximum(jnp.sum(mask, axis=1), 1)


def _variance(values: Array, mask: Array) -> Array:
    centered = values - _masked_moment(values, mask)[:, None]
    variance = _masked_moment(centered**2, mask)
    # Rounding leaves a constant series a variance of about the square of its last bit: no movement.
    noise = (np.finfo(values.dtype).eps * jnp.max(jnp.where(mask, jnp.abs(values), 0), axis=1)) ** 2
    return jnp.where(variance > 4 * noise, variance, 0)
