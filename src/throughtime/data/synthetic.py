"""Series made from a function: the sine wave that a first network learns."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from throughtime.errors import InputError
from throughtime.shapes import Array, Float, Key


class TimeSeriesData:
    """A curve on [xmin, xmax], and windows of it to learn from.

    Attributes:
        resolution: the distance of two points of a window, ``(xmax - xmin) / num_points``.
        x_data: (num_points,) places, evenly spaced, both ends included.
        y_true: (num_points,) the curve there.
    """

    def __init__(
        self,
        num_points: int = 250,
        xmin: int | float = 0,
        xmax: int | float = 10,
        *,
        fn: Callable[[Any], Any] = jnp.sin,
        seed: int = 0,
    ):
        """``fn`` is elementwise; write it with ``jax.numpy`` to train on it. ``seed`` starts :meth:`next_batch`.

        Raises:
            InputError: for fewer than two points, and an interval that is empty or has no end.
        """
        if num_points < 2 or not -np.inf < xmin < xmax < np.inf:
            raise InputError(
                "expected num_points >= 2 and xmin < xmax, both finite, "
                f"got num_points={num_points}, xmin={xmin}, xmax={xmax}"
            )
        self.num_points, self.xmin, self.xmax, self.fn = num_points, xmin, xmax, fn
        self.resolution = (xmax - xmin) / num_points
        self.x_data = np.linspace(xmin, xmax, num_points)
        self.y_true = self.ret_true(self.x_data)
        self._random = np.random.default_rng(seed)

    def ret_true(self, x: np.ndarray) -> np.ndarray:
        """The curve at ``x``, of any shape."""
        return np.asarray(self.fn(x))

    def next_batch(
        self, batch_size: int, steps: int, return_batch_ts: bool = False
    ) -> tuple[np.ndarray, np.ndarray] | tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Windows that start at random and never leave [xmin, xmax].

        Returns:
            Inputs (B, T, 1) and targets (B, T, 1), one point ahead of the inputs; with ``return_batch_ts`` also the
            places (B, T + 1) of all the points.

        Raises:
            InputError: where a window of ``steps`` and its target do not fit, or a size is below 1.
        """
        if batch_size < 1:
            raise InputError(f"batch_size must be at least 1, got {batch_size}")
        start = self._random.random((batch_size, 1)) * self._room(steps)
        times = np.minimum(self.xmin + start + np.arange(steps + 1) * self.resolution, self.xmax)
        y = self.ret_true(times)[..., None]
        return (y[:, :-1], y[:, 1:], times) if return_batch_ts else (y[:, :-1], y[:, 1:])

    def draw(
        self, key: Key, batch_size: int, steps: int
    ) -> tuple[Float[Array, "B T 1"], Float[Array, "B T 1"], Float[Array, "B S"]]:
        """:meth:`next_batch` inside a compiled loop: the same windows from a random key, nothing copied from the host.

        Returns:
            Inputs (B, T, 1), targets (B, T, 1) and places (B, S) with S = T + 1.
        """
        start = jax.random.uniform(key, (batch_size, 1)) * self._room(steps)
        times = jnp.minimum(self.xmin + start + jnp.arange(steps + 1.0)[None] * self.resolution, self.xmax)
        y = self.fn(times)[..., None]
        return y[:, :-1], y[:, 1:], times

    def instance(self, start: int | float, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The one window from ``start``: inputs (T, 1), targets (T, 1) and places (T + 1,)."""
        times = start + np.arange(steps + 1) * self.resolution
        y = self.ret_true(times)[:, None]
        return y[:-1], y[1:], times

    def _room(self, steps: int) -> float:
        """How far a window's start can move: the interval less the window."""
        if not 1 <= steps <= self.num_points:
            raise InputError(
                f"a window of {steps} steps and its target do not fit: expected 1 to {self.num_points} steps of "
                f"{self.resolution:g} between {self.xmin:g} and {self.xmax:g}"
            )
        return (self.num_points - steps) * self.resolution
