"""Forecasts of a fitted forecaster: from its networks, the pretrained one, or the seasonal naive forecast.

Every function takes any panel: the one that the forecaster was fitted on, or another.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from throughtime._fork import require_threads
from throughtime.data import Panel, fill_forward, require_future
from throughtime.forecasting.baselines import naive_quantiles_of_panel, seasonal_naive
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.intervals import interval_columns, stretched
from throughtime.forecasting.observations import LEAST_OBSERVED, long_enough, moving, nonnegative, observed_counts
from throughtime.forecasting.plan import Plan
from throughtime.forecasting.zero_shot import mix, zero_shot_quantiles

VALUES_AT_ONCE = 2**21  # of series that are forecast at a time: prepared, they take some hundred megabytes


class Sources(NamedTuple):
    """The networks that forecast each of N series; one of the pretrained network and of trained ones may be both.

    Attributes:
        trained: (N,) the trained networks: the series is long enough for them.
        pretrained: (N,) the pretrained network: alone, or in the mean with the trained ones.
        naive: (N,) the seasonal naive forecast, as neither of them can.
    """

    trained: np.ndarray
    pretrained: np.ndarray
    naive: np.ndarray


def sources_of(fitted: Fitted, panel: Panel, cutoffs: np.ndarray) -> Sources:
    """Return what forecasts each series of a panel; nothing forecasts one without any observation.

    Series that are too short for the trained networks, or all if there are none, are forecast by the pretrained one;
    those without movement and those with one or two values by seasonal naive, and all if the head excludes the
    pretrained one.

    Args:
        fitted: the networks and their calibration.
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.
    """
    observed = observed_counts(panel, cutoffs)
    trained = long_enough(cutoffs, observed, fitted.plan.design.horizon) & (len(fitted.networks) > 0)
    takes_part = (~trained | (fitted.calibration.zero_shot > 0)) & (fitted.zero_shot is not None)
    pretrained = takes_part & (observed >= LEAST_OBSERVED)
    if pretrained.any():
        pretrained &= moving(panel, cutoffs)
    return Sources(trained, pretrained, ~trained & ~pretrained & (observed > 0))


def forecast_quantiles(fitted: Fitted, panel: Panel, cutoffs: np.ndarray) -> np.ndarray:
    """Return the quantiles (N, F, Q) of the F steps after the cutoffs, ascending, in the data's own units.

    Each comes from its :func:`sources_of`. No forecast is negative if no known value of its series was, or no value of
    the training data.

    Args:
        fitted: the plan, the networks and their calibration.
        panel: N series.
        cutoffs: (N,) the steps of each series that may be seen.

    Returns:
        NaN for a series without any observation.

    Raises:
        InputError: if future covariates of the steps to forecast are missing.
    """
    plan, share = fitted.plan, fitted.calibration.zero_shot
    require_future(panel, cutoffs, plan.design.horizon)
    require_threads()
    trained, pretrained, naive = sources_of(fitted, panel, cutoffs)
    quantiles = np.full((len(panel), plan.design.horizon, len(plan.design.quantiles)), np.nan)
    if trained.any():
        from throughtime.forecasting.infer import trained_quantiles  # loads JAX

        rows = np.flatnonzero(trained)
        quantiles[rows] = trained_quantiles(fitted, panel, rows, cutoffs, stretch=share == 0)
    if pretrained.any() and fitted.zero_shot is not None:
        rows = np.flatnonzero(pretrained)
        found = zero_shot_quantiles(fitted.zero_shot, panel, rows, cutoffs[rows], plan)
        weight = np.where(trained[rows], share, 1.0)[:, None, None]
        mean = mix(np.nan_to_num(quantiles[rows]), found, weight)
        quantiles[rows] = stretched(mean, fitted.calibration.stretch) if share > 0 else mean
    if naive.any():
        rows = np.flatnonzero(naive)
        quantiles[rows] = naive_quantiles(panel, rows, cutoffs[rows], plan)
    positive = nonnegative(panel, cutoffs, plan)
    quantiles[positive] = np.maximum(quantiles[positive], 0)
    return quantiles


def forecast_intervals(
    fitted: Fitted,
    panel: Panel,
    levels: Sequence[int | float],
    name: str = "throughtime",
    *,
    horizon: int | None = None,
) -> dict[str, np.ndarray]:
    """Return the point forecast and the bounds (N * H,) of the first H of the F steps after the end of each series.

    Args:
        fitted: the plan, the networks and their calibration.
        panel: N series.
        levels: coverage in per cent.
        name: of the columns, see :func:`~throughtime.forecasting.intervals.interval_columns`.
        horizon: H; all F steps if None.

    Raises:
        InputError: if future covariates are missing, and for a level outside (0, 100).
    """
    require_future(panel, panel.lengths, fitted.plan.design.horizon)
    parts = [_intervals(fitted, block, levels, name, horizon) for block in _blocks(panel)]
    return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}


def _blocks(panel: Panel) -> Iterator[Panel]:
    """Yield the series of a panel in blocks, which bounds what is prepared at a time; a small one as it is."""
    if len(panel.values) <= VALUES_AT_ONCE:
        yield panel
        return
    some = np.searchsorted(panel.offsets, np.arange(0, len(panel.values), VALUES_AT_ONCE))
    bounds = np.unique([0, *some, len(panel)])
    for first, last in pairwise(bounds):
        yield panel.of_series(np.arange(first, last))


def _intervals(
    fitted: Fitted, panel: Panel, levels: Sequence[int | float], name: str, horizon: int | None
) -> dict[str, np.ndarray]:
    """Return the columns of :func:`forecast_intervals` for a panel at once."""
    quantiles = forecast_quantiles(fitted, panel, panel.lengths)[:, :horizon]
    positive = np.repeat(nonnegative(panel, panel.lengths, fitted.plan), quantiles.shape[1])
    return interval_columns(quantiles.reshape(-1, quantiles.shape[-1]), levels, name, positive=positive)


def naive_quantiles(panel: Panel, rows: np.ndarray, cutoffs: np.ndarray, plan: Plan) -> np.ndarray:
    """Return the quantiles (R, F, Q) of the seasonal naive forecasts of the series ``rows`` (R,), after ``cutoffs``."""
    first, season = panel.offsets[rows], plan.design.seasons[0]
    filled = fill_forward(panel.values, panel.offsets, season)
    point = seasonal_naive(filled, first, cutoffs, season=season, horizon=plan.design.horizon)
    return naive_quantiles_of_panel(panel.values, first, cutoffs, point, season=season, quantiles=plan.design.quantiles)
