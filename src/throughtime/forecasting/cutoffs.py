"""Rolling cutoffs: where each window of a backtest ends its history, and where that history begins."""

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.dataset import trainable


def rolling_cutoffs(lengths: np.ndarray, *, windows: int, step: int, horizon: int) -> np.ndarray:
    """How many steps of each series every window knows (Hyndman & Athanasopoulos 2021, section 5.10).

    Args:
        lengths: (N,) steps of each series.
        windows: K.
        step: between neighboring cutoffs; less than the horizon makes the windows overlap.
        horizon: F; the last window ends where the series end.

    Returns:
        (K, N), earliest window first; 0 where a series is too short to know anything.
    """
    back = horizon + step * np.arange(windows - 1, -1, -1)
    return np.maximum(lengths - back[:, None], 0)


def affordable_cutoffs(panel: Panel, lengths: np.ndarray, *, horizon: int, most: int) -> np.ndarray:
    """The cutoffs (K, N) of as many windows side by side, up to ``most``, as leave a network enough to learn from.

    Args:
        panel: the series.
        lengths: (N,) how many steps of each there are; the last window ends there.
        horizon: F.
        most: windows at most.

    Returns:
        As :func:`rolling_cutoffs`; no rows where not even one window can be afforded.
    """
    for windows in range(most, 0, -1):
        cutoffs = rolling_cutoffs(lengths, windows=windows, step=horizon, horizon=horizon)
        if trainable(panel, cutoffs[0], horizon):
            return cutoffs
    return np.empty((0, len(lengths)), lengths.dtype)


def history_starts(panel: Panel, cutoffs: np.ndarray, size: int | None) -> np.ndarray:
    """(N,) where the last ``size`` steps before each cutoff begin; all of the history where it is None.

    The first step is one with a value, as before it there is nothing to fill a gap with; the cutoff where there is
    none. What comes after the cutoff has no say.
    """
    if size is None:
        return np.zeros_like(cutoffs)
    places = np.append(np.flatnonzero(~np.isnan(panel.values)), len(panel.values))
    begins = panel.offsets[:-1]
    first = places[np.searchsorted(places, begins + np.maximum(cutoffs - size, 0))]
    return np.minimum(first - begins, cutoffs)
