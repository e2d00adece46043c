"""Intervals that cover what they promise: how far each quantile must move, by the errors of held-out windows."""

import math

import numpy as np

from throughtime.forecasting.intervals import MEDIAN, QUANTILES

WIDEST = 3.0


def stretch(quantiles: np.ndarray, truth: np.ndarray) -> tuple[float, ...]:
    """For each quantile the factor on its distance from the median with which its interval covers.

    Split-conformal calibration (Romano, Patterson & Candes 2019, arXiv 1905.03222, eq. 5 and 6) with a factor in the
    place of their constant, since widths differ from series to series. A factor is never below 1: a held-out end that
    went unusually well must not make intervals narrower than the network's own.

    Args:
        quantiles: (R, F, Q) forecasts, ascending, at the levels ``QUANTILES``.
        truth: (R, F), NaN where not observed.
    """
    factors = np.ones(len(QUANTILES))
    for lower in range(MEDIAN):
        upper = len(QUANTILES) - 1 - lower
        ratios = _error_ratios(quantiles, truth, lower, upper)
        factors[[lower, upper]] = _least_factor(ratios, QUANTILES[upper] - QUANTILES[lower])
    return tuple(factors.tolist())


def _error_ratios(quantiles: np.ndarray, truth: np.ndarray, lower: int, upper: int) -> np.ndarray:
    """The error of each known value over the half width, on the error's side, of the interval that should cover."""
    known = ~np.isnan(truth) & ~np.isnan(quantiles[..., MEDIAN])
    forecast, y = quantiles[known], truth[known]
    median = forecast[:, MEDIAN]
    half = np.where(y > median, forecast[:, upper] - median, median - forecast[:, lower])
    error = np.abs(y - median)
    return np.divide(error, half, out=np.where(error > 0, np.inf, 0.0), where=half > 0)


def _least_factor(ratios: np.ndarray, coverage: float) -> float:
    """The smallest factor with which the share ``coverage`` of the errors is covered, within bounds."""
    if not len(ratios):
        return 1.0
    rank = math.ceil(round(coverage * (len(ratios) + 1), 6))  # rounded: 0.8 - 0.2 is more than 0.6
    return float(np.clip(np.sort(ratios)[min(rank, len(ratios)) - 1], 1.0, WIDEST))
