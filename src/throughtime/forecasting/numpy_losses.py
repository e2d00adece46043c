"""Losses of forecasts, value by value, in NumPy and double precision, and the scale that they are divided by.

Shapes: N series of a panel, P values of all of them, R windows or series, F steps ahead, Q quantiles.
"""

from collections.abc import Sequence

import numpy as np

from throughtime.data import Panel
from throughtime.forecasting.intervals import QUANTILES


def pinball_loss(quantiles: np.ndarray, truth: np.ndarray, levels: Sequence[float] = QUANTILES) -> np.ndarray:
    """Return the mean pinball loss of quantiles for the observed values (Koenker & Bassett 1978, eq. 1.2).

    The twin in JAX, without the mean, is :func:`throughtime.training.pinball`: networks are trained with it.

    Args:
        quantiles: (..., Q).
        truth: (...), NaN where missing.
        levels: (Q,) of the quantiles.

    Returns:
        (...), the mean over the quantiles; NaN where the value is missing.
    """
    error, shares = truth[..., None] - quantiles, np.array(levels)
    return np.maximum(shares * error, (shares - 1) * error).mean(axis=-1)


def mean_by_series(values: np.ndarray, series: np.ndarray, count: int) -> np.ndarray:
    """Return the mean of each series' values, (N,); NaN for a series without values.

    Args:
        values: (S,) values of all series.
        series: (S,) the series that each belongs to, from 0 to N - 1.
        count: N.
    """
    counts = np.bincount(series, minlength=count)
    means = np.bincount(series, values, count) / np.maximum(counts, 1)
    return np.where(counts > 0, means, np.nan)


def seasonal_naive_errors(panel: Panel, cutoffs: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of seasonal naive one season ahead: each known value less the known one a season before.

    Args:
        panel: N series.
        cutoffs: (N,) how many steps of each series are known.
        season: the period in steps.

    Returns:
        The errors (E,) of all series, and the series (E,) that each belongs to. A missing value makes no error.
    """
    errors = np.full(len(panel.values), np.nan)
    errors[season:] = panel.values[season:] - panel.values[:-season]
    series, steps = np.repeat(np.arange(len(panel)), panel.lengths), panel.steps
    known = (steps >= season) & (steps < cutoffs[series]) & ~np.isnan(errors)
    return errors[known], series[known]


def loss_scale(panel: Panel, cutoffs: np.ndarray, season: int) -> np.ndarray:
    """Return the scale (N,) that makes losses of series comparable: MASE's (Hyndman & Koehler 2006, eq. 2 and 3).

    Args:
        panel: N series.
        cutoffs: (N,) how many steps of each series are known.
        season: the period in steps.

    Returns:
        The mean absolute error of seasonal naive before the cutoffs; NaN for a series if it is 0 or unknown. If it is
        so for all series, 1 for all.
    """
    errors, series = seasonal_naive_errors(panel, cutoffs, season)
    scale = mean_by_series(np.abs(errors), series, len(panel))
    return np.where(scale > 0, scale, np.nan) if (scale > 0).any() else np.ones(len(panel))
