"""Losses of forecasts, value by value, in NumPy and double precision, and the scale that they are divided by.

Shapes: N series of a panel, P values of all of them, R windows or series, F steps ahead, Q quantiles.
"""

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.intervals import QUANTILES


def pinball_loss(
    quantiles: np.ndarray, truth: np.ndarray, levels: tuple[float, ...] | np.ndarray = QUANTILES
) -> np.ndarray:
    """Return the pinball loss (..., Q) of quantiles (..., Q) for the observed values (...): the mean over Q of it.

    The twin of :func:`throughtime.training.pinball`, which networks are trained with (Koenker & Bassett 1978, eq. 1.2).
    """
    error, levels = truth[..., None] - quantiles, np.asarray(levels)
    return np.maximum(levels * error, (levels - 1) * error).mean(axis=-1)


def mean_by_series(values: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Return the mean (N,) of each series' values that are not NaN; NaN for a series that has none.

    Args:
        values: (P,) numbers of all series.
        rows: (P,) the series of each, 0 ... N - 1.
        count: N.
    """
    known = ~np.isnan(values)
    sums = np.bincount(rows[known], values[known], count)
    counts = np.bincount(rows[known], minlength=count)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def seasonal_differences(panel: Panel, cutoffs: np.ndarray, season: int) -> np.ndarray:
    """Return the errors (P,) of seasonal naive one season ahead: each value less that of a season before.

    Args:
        panel: N series.
        cutoffs: (N,) how many steps of each series are known.
        season: the period in steps.

    Returns:
        NaN after the cutoff, in a series' first season, and if one of the two values is missing.
    """
    differences = np.full(len(panel.values), np.nan)
    differences[season:] = panel.values[season:] - panel.values[:-season]
    known = (panel.steps >= season) & (panel.steps < np.repeat(cutoffs, panel.lengths))
    return np.where(known, differences, np.nan)


def seasonal_naive_error(panel: Panel, cutoffs: np.ndarray, season: int) -> np.ndarray:
    """Return the mean absolute error (N,) of seasonal naive before the cutoffs (N,): MASE's scale.

    Hyndman & Koehler 2006, eq. 2 and 3. NaN for a series without two values that are one season apart.
    """
    errors = np.abs(seasonal_differences(panel, cutoffs, season))
    return mean_by_series(errors, np.repeat(np.arange(len(panel)), panel.lengths), len(panel))


def loss_scale(panel: Panel, cutoffs: np.ndarray, season: int) -> np.ndarray:
    """Return what the losses of each series (N,) are divided by before they are compared.

    The error of seasonal naive, NaN for a series without a positive one; 1 for all series if no series has one.
    """
    error = seasonal_naive_error(panel, cutoffs, season)
    return np.where(error > 0, error, np.nan) if (error > 0).any() else np.ones(len(panel))
