"""The quantile of each value under the forecast of one step ahead, and which values are too unlikely."""

from typing import NamedTuple

import numpy as np

from throughtime.data import Panel, future_steps, slices_of
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.intervals import shares_below
from throughtime.forecasting.observations import LEAST_OBSERVED, observed_counts

LEAST_SEASONS = 2  # before a value: after one, 5 % of values without anomalies are outside of the interval of 99 %
MOST_SERIES, MOST_VALUES = 1024, 2**17  # that are forecast at once: bounds the memory, and the sizes of programs


class Judged(NamedTuple):
    """R observed values.

    Attributes:
        rows: (R,) the series of each.
        steps: (R,) its place in the series.
        quantiles: (R,) the share of the distribution that was forecast from the values before it that is below it.
    """

    rows: np.ndarray
    steps: np.ndarray
    quantiles: np.ndarray


def judge_values(fitted: Fitted, panel: Panel) -> Judged:
    """Return the quantile of each observed value under the forecast of one step, from all values before it.

    The forecast is the first step of the forecaster's own from that cutoff. The values of the first two seasons, the
    first three, and with trained networks those of the first horizon are not judged; nor are those in whose horizon the
    future covariates are not known.

    Args:
        fitted: the plan, the networks and their calibration.
        panel: N series, with the covariates that the forecaster reads.

    Raises:
        InputError: for other covariates.
    """
    rows, steps = _judged(fitted, panel)
    quantiles = np.empty(len(rows))
    for chunk in slices_of(panel.lengths[rows], most_series=MOST_SERIES, most_steps=MOST_VALUES):
        ahead = forecast_quantiles(fitted, panel.of_series(rows[chunk]), steps[chunk])[:, 0]
        quantiles[chunk] = shares_below(panel.values[panel.offsets[rows[chunk]] + steps[chunk]], ahead)
    return Judged(rows, steps, quantiles)


def judge_next(fitted: Fitted, panel: Panel, values: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return the quantile (N,) of the value that comes after each of N series, under the forecast that was made for it.

    Args:
        fitted: the plan and the networks.
        panel: N series.
        values: (N,) the values, NaN where missing.
        ahead: (N, Q) the quantiles that were forecast for them.

    Returns:
        NaN for a missing value, and where :func:`judge_values` judges none.
    """
    enough = panel.lengths >= _least_steps(fitted)
    enough &= (observed_counts(panel, panel.lengths) >= LEAST_OBSERVED) & ~np.isnan(values)
    return np.where(enough, shares_below(np.nan_to_num(values), np.nan_to_num(ahead)), np.nan)


def _least_steps(fitted: Fitted) -> int:
    """Return how many steps must be before a value that is judged."""
    design = fitted.plan.design
    return max(LEAST_SEASONS * design.seasons[0], design.horizon + 1 if fitted.networks else 0)


def _judged(fitted: Fitted, panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Return the series and the step (R,) of each observed value with enough values before it."""
    design, observed, steps = fitted.plan.design, ~np.isnan(panel.values), panel.steps
    before = np.cumsum(observed) - observed
    before -= np.repeat(before[np.minimum(panel.offsets[:-1], len(before) - 1)], panel.lengths)
    last = np.repeat(panel.lengths + future_steps(panel, design.horizon) - design.horizon, panel.lengths)
    judged = observed & (steps >= _least_steps(fitted)) & (steps <= last) & (before >= LEAST_OBSERVED)
    return np.repeat(np.arange(len(panel)), panel.lengths)[judged], steps[judged]
