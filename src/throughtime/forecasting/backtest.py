"""How good the forecasts would have been: the last horizons of each series, forecast from what lay before them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from throughtime.data.gaps import fill_forward
from throughtime.data.panel import Panel
from throughtime.errors import InputError
from throughtime.forecasting import engine
from throughtime.forecasting.baselines import seasonal_naive
from throughtime.forecasting.intervals import interval_columns
from throughtime.forecasting.plan import Plan
from throughtime.training.loop import Progress

if TYPE_CHECKING:
    from throughtime.forecasting.forecaster import Forecaster

BASELINE = "seasonal_naive"


def backtest(
    model: "Forecaster",
    panel: Panel,
    *,
    windows: int,
    level: Sequence[int | float],
    report: Callable[[str, Progress], None],
) -> dict[str, np.ndarray]:
    """Train once on what lies before all windows, then forecast each window from all that precedes it.

    Windows follow each other without overlap and end where the series end. A series takes part in a window where it is
    longer than the horizon before it.

    Args:
        model: is fitted on the panel less the windows.
        panel: the series.
        windows: K, how many horizons to forecast.
        level: coverage of the intervals in per cent.
        report: called while training.

    Returns:
        ``unique_id, ds, cutoff, y, throughtime, throughtime-lo-80, ..., seasonal_naive``, one row for each series,
        window and step; ``cutoff`` is the last time stamp that the forecast knew.

    Raises:
        InputError: for fewer than one window, and where the series are too short.
    """
    horizon = model.horizon
    if windows < 1:
        raise InputError(f"expected at least 1 backtest window, got {windows}")
    trained_on = np.maximum(panel.lengths - windows * horizon, 0)
    if not engine.trainable(panel, trained_on, horizon):
        least = (windows + 1) * horizon + engine.least_windows(horizon)
        raise InputError(
            f"the series are too short for a backtest of {windows} windows of {horizon} steps: the longest has "
            f"{panel.lengths.max()}, expected at least {least}, or several that are shorter"
        )
    model.fit_until(panel, trained_on, report=report)
    parts = []
    for window in range(windows, 0, -1):
        origins = np.maximum(panel.lengths - window * horizon, 0)
        rows = np.flatnonzero(engine.learnable(panel, origins, horizon))
        quantiles = model.quantiles_at(origins)[rows]
        parts.append(_window(panel, rows, origins, quantiles, level, model.plan_))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _window(
    panel: Panel,
    rows: np.ndarray,
    origins: np.ndarray,
    quantiles: np.ndarray,
    level: Sequence[int | float],
    plan: Plan,
) -> dict[str, np.ndarray]:
    """One window's columns: R rows of the panel, F steps each."""
    season = plan.design.seasons[0]
    horizon, count = quantiles.shape[1], quantiles.shape[-1]
    first, starts = panel.offsets[rows], origins[rows]
    steps = starts[:, None] + np.arange(horizon)
    naive = seasonal_naive(
        fill_forward(panel.values, panel.offsets, season), first, starts, season=season, horizon=horizon
    )
    ordinals = panel.starts[rows, None] + panel.frequency.multiple * steps
    cutoffs = np.repeat(ordinals[:, 0] - panel.frequency.multiple, horizon)
    return {
        "unique_id": np.repeat(panel.ids[rows], horizon),
        "ds": panel.frequency.times(ordinals.ravel()),
        "cutoff": panel.frequency.times(cutoffs),
        "y": panel.values[(first[:, None] + steps).ravel()],
        **interval_columns(quantiles.reshape(-1, count), level, positive=plan.positive),
        BASELINE: naive.ravel(),
    }
