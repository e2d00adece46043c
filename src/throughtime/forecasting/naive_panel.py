"""The naive quantiles of many series at once: a large panel of short series is forecast without a loop over them."""

import numpy as np

from throughtime.forecasting.baselines import normal_scores


def naive_quantiles_of_panel(
    values: np.ndarray,
    offsets: np.ndarray,
    origins: np.ndarray,
    point: np.ndarray,
    *,
    season: int,
    quantiles: tuple[float, ...],
) -> np.ndarray:
    """For each series what :func:`throughtime.forecasting.baselines.naive_quantiles` gives.

    Args:
        values: (P,) what was observed, NaN where missing.
        offsets: (R,) where each series begins.
        origins: (R,) how many values of each are known, at least 1.
        point: (R, F) their forecasts.
        season: the period in steps.
        quantiles: Q levels.

    Returns:
        (R, F, Q).
    """
    lags = np.where(origins > season, season, 1)
    counts = np.maximum(origins - lags, 0)
    row = np.repeat(np.arange(len(origins)), counts)
    places = np.arange(len(row)) + np.repeat(offsets + lags - (np.cumsum(counts) - counts), counts)
    errors = values[places] - values[places - lags[row]]
    known = ~np.isnan(errors)
    row, errors = row[known], errors[known]
    largest = np.zeros(len(origins))
    np.maximum.at(largest, row, np.abs(errors))
    shares = errors / np.where(largest > 0, largest, 1.0)[row]  # no square is too large
    squares = np.bincount(row, shares**2, len(origins)) / np.maximum(np.bincount(row, minlength=len(origins)), 1)
    growth = np.sqrt(np.arange(point.shape[1]) // lags[:, None] + 1)
    return point[:, :, None] + ((largest * np.sqrt(squares))[:, None] * growth)[:, :, None] * normal_scores(quantiles)
