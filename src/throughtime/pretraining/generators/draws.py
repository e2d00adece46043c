"""What all families draw: scales, noise, and the seasons of a group of series."""

from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

from throughtime._numbers import Real

Rng = np.random.Generator


class Seasons(NamedTuple):
    """The seasons of a group of series, in steps; 1 for none.

    Attributes:
        short: such as 24 for hours.
        long: such as 168, or 1.
    """

    short: int
    long: int = 1


def log_uniform(rng: Rng, low: Real, high: Real, size: int | tuple[int, ...] | None = None) -> np.ndarray:
    """Draw numbers between ``low`` and ``high`` whose logarithms are uniform."""
    return np.asarray(np.exp(rng.uniform(np.log(low), np.log(high), size)))


def maybe(rng: Rng, share: float, count: int) -> np.ndarray:
    """Draw (B, 1) True with the probability ``share`` for each series."""
    return rng.random((count, 1)) < share


def noise(rng: Rng, count: int, steps: int) -> np.ndarray:
    """Draw innovations (B, T) of unit deviation: normal, Student's t, Laplace or Weibull, one kind for all series."""
    kind = rng.choice(4, p=[0.55, 0.2, 0.15, 0.1])
    if kind == 0:
        return rng.standard_normal((count, steps))
    if kind == 1:
        drawn = rng.standard_t(rng.uniform(2.5, 6), (count, steps))
        return drawn / drawn.std()
    if kind == 2:
        return rng.laplace(size=(count, steps)) / np.sqrt(2)
    drawn = rng.weibull(rng.uniform(1, 5), (count, steps))
    return (drawn - drawn.mean()) / drawn.std()


def walk(rng: Rng, count: int, steps: int) -> np.ndarray:
    """Draw random walks (B, T) whose last step has unit deviation."""
    return np.cumsum(rng.standard_normal((count, steps)), axis=1) / np.sqrt(steps)


def standardized(series: np.ndarray) -> np.ndarray:
    """Return series (B, T) with mean 0 and deviation 1 each."""
    centered = series - series.mean(axis=1, keepdims=True)
    return centered / (centered.std(axis=1, keepdims=True) + 1e-9)


def autoregressive(coefficient: float | np.ndarray, innovations: np.ndarray) -> np.ndarray:
    """Return ``x_t = a x_(t-1) + e_t`` for innovations (B, T)."""
    return lfilter([1], [1, -float(coefficient)], innovations, axis=1)
