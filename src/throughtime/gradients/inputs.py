"""What a cell reads while its gradients are measured."""

import jax
import numpy as np

from throughtime.data.gaps import fill_forward
from throughtime.data.panel import Panel
from throughtime.data.synthetic import TimeSeriesData
from throughtime.errors import InputError
from throughtime.shapes import Array, Key

SEQUENCES = 64


def noise(length: int, *, key: Key) -> Array:
    """White noise (B, T, 1) with mean 0 and variance 1: inputs that favour no cell."""
    return jax.random.normal(key, (SEQUENCES, length, 1))


def sine_windows(length: int, *, key: Key) -> Array:
    """Windows (B, T, 1) of the sine wave that the demo's network learns.

    Raises:
        InputError: where a window does not fit into the wave.
    """
    return TimeSeriesData().draw(key, SEQUENCES, length)[0]


def panel_windows(panel: Panel, length: int, *, seed: int) -> np.ndarray:
    """Random windows (B, T, 1) of a panel's series, each series with mean 0 and variance 1; gaps are filled.

    Raises:
        InputError: where no series has so many steps.
    """
    rows = np.flatnonzero(panel.lengths >= length)
    if not len(rows):
        raise InputError(
            f"no series has {length} steps, the longest has {panel.lengths.max()}: expected --length of at most that"
        )
    values = fill_forward(panel.values, panel.offsets, panel.frequency.season)
    random = np.random.default_rng(seed)
    chosen = random.choice(rows, SEQUENCES)
    starts = panel.offsets[chosen] + random.integers(0, panel.lengths[chosen] - length + 1)
    windows = values[starts[:, None] + np.arange(length)]
    means, deviations = np.array([_moments(values[slice(*panel.offsets[row : row + 2])]) for row in chosen]).T
    return ((windows - means[:, None]) / deviations[:, None])[..., None].astype(np.float32)


def _moments(values: np.ndarray) -> tuple[float, float]:
    deviation = float(values.std())
    return float(values.mean()), deviation if deviation > 0 else 1.0
