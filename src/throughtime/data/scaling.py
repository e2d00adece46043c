"""Scaling of windows: each less its recent level, over its own scale."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from throughtime._types import Array, Float
from throughtime.data.windows import Windows

LEAST_SHARE = 0.1  # of the standard deviation: a season without noise has no seasonal differences to scale by


class LevelScale(NamedTuple):
    """The level and scale of B windows; a scale of 0 marks a window without any movement."""

    level: Float[Array, "B"]
    scale: Float[Array, "B"]


def window_level_scale(windows: Windows, span: int, season: int) -> LevelScale:
    """Return the level and scale of each window, from its past alone.

    The level is the mean of the observed values among the last ``span`` steps. The scale is the mean absolute
    difference over a season, the error of seasonal naive (Hyndman & Koehler 2006, eq. 3), so that a seasonal pattern
    does not enlarge it. It is at least a tenth of the standard deviation, and all of it if no two values are a season
    apart.
    """
    usable = _usable(windows, windows.past.shape[1])
    deviation = jnp.sqrt(_variance(windows.past, usable))
    both = usable[:, season:] & usable[:, :-season]
    difference = _masked_moment(jnp.abs(windows.past[:, season:] - windows.past[:, :-season]), both)
    least = jnp.where(both.any(axis=1), LEAST_SHARE, 1.0) * deviation
    scale = jnp.where(deviation > 0, jnp.maximum(difference, least), 0)
    return LevelScale(_masked_moment(windows.past[:, -span:], _usable(windows, span)), scale)


def scale_values(values: Float[Array, "B S"], level_scale: LevelScale) -> Float[Array, "B S"]:
    """Return ``(value - level) / scale``; 0 in windows without any movement, whose scale is 0."""
    scale = level_scale.scale[:, None]
    return jnp.where(scale > 0, (values - level_scale.level[:, None]) / jnp.where(scale > 0, scale, 1), 0)


def unscale_values(scaled: Float[Array, "B F Q"], level_scale: LevelScale) -> Float[Array, "B F Q"]:
    """Return ``level + scale * value``: a window without movement stays at its level."""
    return level_scale.level[:, None, None] + level_scale.scale[:, None, None] * scaled


def _usable(windows: Windows, steps: int) -> Array:
    """Return the mask of observed steps among the last ``steps``; if none was observed, of all inside the series."""
    observed, inside = windows.past_observed[:, -steps:], windows.inside[:, -steps:]
    return jnp.where(observed.any(axis=1, keepdims=True), observed, inside)


def _masked_moment(values: Array, mask: Array) -> Array:
    return jnp.sum(jnp.where(mask, values, 0), axis=1) / jnp.maximum(jnp.sum(mask, axis=1), 1)


def _variance(values: Array, mask: Array) -> Array:
    centered = values - _masked_moment(values, mask)[:, None]
    variance = _masked_moment(centered**2, mask)
    # Rounding gives a constant series a variance of about the square of its last bit: that is no movement.
    noise = (np.finfo(values.dtype).eps * jnp.max(jnp.where(mask, jnp.abs(values), 0), axis=1)) ** 2
    return jnp.where(variance > 4 * noise, variance, 0)
