"""Rolling cutoffs: the end of the history of each window in a backtest, and its start."""

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.observations import window_count


def rolling_cutoffs(lengths: np.ndarray, *, windows: int, step: int, horizon: int) -> np.ndarray:
    """Return how many steps of each series every window knows (Hyndman & Athanasopoulos 2021, section 5.10).

    Args:
        lengths: (N,) steps of each series.
        windows: K.
        step: between neighboring cutoffs; less than the horizon makes the windows overlap.
        horizon: F; the last window ends where the series end.

    Returns:
        (K, N), earliest window first; 0 for a series that is too short to know anything.
    """
    back = horizon + step * np.arange(windows - 1, -1, -1)
    return np.maximum(lengths - back[:, None], 0)


def affordable_cutoffs(panel: Panel, lengths: np.ndarray, *, horizon: int, most: int, needed: int) -> np.ndarray:
    """Return the cutoffs of the most windows, one after the other, that leave enough before them.

    Args:
        panel: the series.
        lengths: (N,) the steps of each; the last window ends there.
        horizon: F.
        most: the largest number of windows.
        needed: different windows, with a horizon after each, that must remain before them.

    Returns:
        (K, N), as :func:`rolling_cutoffs` returns them; no rows if not even one window leaves enough.
    """
    for windows in range(most, 0, -1):
        cutoffs = rolling_cutoffs(lengths, windows=windows, step=horizon, horizon=horizon)
        if window_count(panel, cutoffs[0], horizon) >= needed:
            return cutoffs
    return np.empty((0, len(lengths)), lengths.dtype)


def history_starts(panel: Panel, cutoffs: np.ndarray, size: int | None) -> np.ndarray:
    """Return the first step (N,) of the last ``size`` steps before each cutoff; 0, the whole history, if it is None.

    The first step is one with a value, as a gap before it has nothing to be filled with; the cutoff if there is no such
    step. Values after the cutoff are not looked at.

    Args:
        panel: N series.
        cutoffs: (N,) how many steps of each series are known.
        size: how many of them are used.
    """
    if size is None:
        return np.zeros_like(cutoffs)
    places = np.append(np.flatnonzero(~np.isnan(panel.values)), len(panel.values))
    begins = panel.offsets[:-1]
    first = places[np.searchsorted(places, begins + np.maximum(cutoffs - size, 0))]
    return np.minimum(first - begins, cutoffs)
