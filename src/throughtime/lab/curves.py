"""The series of the laboratory: what is learned of them, what is held out, and curves of known formulas."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

FILE = "file"
POINTS, SPACING = 1000, 0.1
HELD_OUT = 0.2  # the share of a series that no network is trained on: its end


class Axes(NamedTuple):
    """The user's units on the axes of a series.

    Attributes:
        mean, deviation: a value of the series is ``mean + deviation * value``.
        unit: what the values are, such as the name of their column.
        stamps: (N,) milliseconds since 1970, or numbers of steps.
        resolution: the finest part of a stamp that is written, such as "day"; empty for numbers.
    """

    mean: float
    deviation: float
    unit: str
    stamps: np.ndarray
    resolution: str


class Curve(NamedTuple):
    """A series to learn.

    Attributes:
        values: (N,) float32, as they are shown; from ``cut`` on they are held out.
        clean: (N,) the same without noise, from which training windows are drawn.
        observed: (N,) if the value is one of the series, none that was filled in.
        cut: the place of the first held-out value.
        noise: the standard deviation of the noise that each training window gets anew.
        season: the steps after which the series may repeat; 1 if none are known.
        axes: the user's units.
        notes: sentences on the findings in a file, and on the scaling.
    """

    values: np.ndarray
    clean: np.ndarray
    observed: np.ndarray
    cut: int
    noise: float
    season: int
    axes: Axes
    notes: tuple[str, ...] = ()

    @property
    def learned(self) -> np.ndarray:
        """Return the values (``cut``,) that training windows are drawn from."""
        return self.clean[: self.cut]


def cut_of(length: int) -> int:
    """Return the place of the first held-out value of a series."""
    return length - round(HELD_OUT * length)


def _sum_of_sines(t: np.ndarray) -> np.ndarray:
    return 0.6 * np.sin(t) + 0.3 * np.sin(2.7 * t + 1) + 0.2 * np.sin(6.1 * t)


def _square(t: np.ndarray) -> np.ndarray:
    return np.where(np.sin(t) >= 0, 1.0, -1.0)


CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sine": np.sin,
    "sines": _sum_of_sines,
    "square": _square,
    "noise": np.zeros_like,  # and noise with variance 1
}


def made_curve(name: str, noise: float = 0.0) -> Curve:
    """Return one of ``CURVES``: 1,000 points, 0.1 apart.

    Args:
        name: that of the curve; "noise" has noise with variance 1, whatever ``noise`` is.
        noise: the standard deviation of white noise. What is shown and held out has one draw of it.
    """
    noise = 1.0 if name == "noise" else noise
    clean = CURVES[name](np.arange(POINTS) * SPACING)
    values = clean + noise * np.random.default_rng(0).normal(size=POINTS)  # a fixed seed: a run can be repeated
    axes = Axes(0.0, 1.0, "", np.arange(POINTS), "")
    observed = np.ones(POINTS, bool)
    return Curve(values.astype(np.float32), clean.astype(np.float32), observed, cut_of(POINTS), noise, 1, axes)
