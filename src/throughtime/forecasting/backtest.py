"""Backtests: the last horizons of each series, forecast from the values before them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from throughtime._errors import InputError
from throughtime.data import Panel
from throughtime.forecasting.baselines import OF_FILLED, Baseline, named_baselines, seasonal_naive_baseline
from throughtime.forecasting.cutoffs import history_starts, rolling_cutoffs
from throughtime.forecasting.fitted import Fitted
from throughtime.forecasting.fitting import fit_panel
from throughtime.forecasting.forecasts import forecast_quantiles
from throughtime.forecasting.intervals import QUANTILES, Levels, as_levels, interval_columns
from throughtime.forecasting.metrics import decile_crps
from throughtime.forecasting.observations import learnable, nonnegative, window_count, windows_needed
from throughtime.forecasting.results import MODEL, BacktestResult, BacktestSettings, WindowForecast
from throughtime.forecasting.rivals import naive_points
from throughtime.forecasting.stages import StageCallback

if TYPE_CHECKING:
    from throughtime.forecasting.forecaster import Forecaster

PROGRESS_CALLS = 50  # of one baseline, about: enough for a smooth bar, too few to cost time
OnProgress = Callable[[str, int, int], None]
"""``on_progress(stage, done, total)``: how many series a baseline has forecast."""


def ignore_progress(stage: str, done: int, total: int) -> None:
    """Ignore the progress."""


class _Forecasts(NamedTuple):
    """One model's forecasts in all windows.

    Attributes:
        model: its name.
        quantiles: (S, Q) of all windows, series and steps.
        seconds: the time that they took.
        failures: how many series and windows seasonal naive forecasts instead.
    """

    model: str
    quantiles: np.ndarray
    seconds: float
    failures: int = 0


def run_backtest(
    model: "Forecaster",
    panel: Panel,
    settings: BacktestSettings,
    *,
    level: Levels,
    callback: StageCallback,
    on_progress: OnProgress = ignore_progress,
    fitted: Fitted | None = None,
) -> BacktestResult:
    """Forecast windows of a panel from rolling cutoffs, by the network and by baselines.

    The last window ends with the series. Training sees the values before the first window or, with ``refit``, before
    each. Every window is forecast from all values before it. A series takes part in a window if it is longer than the
    horizon before it. Baselines are estimated anew for each window, on the last ``train_size`` steps before it.

    Args:
        model: is fitted on the panel without the windows.
        panel: N series.
        settings: the windows, the training and the baselines.
        level: coverage of the intervals in per cent.
        callback: called while the network trains.
        on_progress: called while a baseline forecasts.
        fitted: forecasts all windows, in the place of a fit; it should not have seen them.

    Raises:
        InputError: for impossible settings, and for series that are too short; with ``fitted`` these have no rows.
    """
    levels, horizon = as_levels(level), model.config.horizon
    step = _step_between_cutoffs(settings, horizon)
    baselines = named_baselines(settings.baselines)
    cutoffs = rolling_cutoffs(panel.lengths, windows=settings.windows, step=step, horizon=horizon)
    began = time.perf_counter()
    windows = list(network_windows(model, panel, cutoffs, settings, callback, fitted))
    network = _Forecasts(MODEL, np.concatenate([w.quantiles for w in windows]), time.perf_counter() - began)
    rows, crps, seconds, failures = _labels(panel, windows, horizon), {}, {}, {}
    for forecasts in chain([network], _baseline_forecasts(baselines, panel, windows, horizon, on_progress)):
        name = forecasts.model
        lowest = _lowest(windows, horizon) if name == MODEL else -np.inf
        columns = interval_columns(forecasts.quantiles, levels, name)
        rows |= {key: np.maximum(column, lowest) for key, column in columns.items()}
        crps[name] = decile_crps(rows["y"], forecasts.quantiles)
        seconds[name] = forecasts.seconds
        if forecasts.failures:
            failures[name] = forecasts.failures
    filled = [name for name in baselines if name in OF_FILLED] if np.isnan(panel.values).any() else []
    naive = naive_points(_histories(panel, windows), model.plan_.design.seasons, horizon)
    return BacktestResult(rows, crps, seconds, windows[0].season, filled, failures, len(rows["y"]) // horizon, naive)


def _step_between_cutoffs(settings: BacktestSettings, horizon: int) -> int:
    """Return the steps between neighboring cutoffs; refuse settings that no series allows."""
    if settings.windows < 1:
        raise InputError(
            f"expected at least 1 backtest window, got {settings.windows}",
            code="too-few-windows",
            found=settings.windows,
            expected=1,
        )
    step = horizon if settings.step is None else settings.step
    if step < 1:
        raise InputError(
            f"the step between backtest windows is {step}: expected at least 1",
            code="step-too-small",
            found=step,
            expected=1,
        )
    size = settings.train_size
    if size is not None and size <= horizon:
        raise InputError(
            f"the training size is {size} steps: expected more than the horizon of {horizon}, as a network learns from "
            "windows with a whole horizon after them",
            code="train-size-too-small",
            found=size,
            expected=horizon + 1,
        )
    return step


def network_windows(
    model: "Forecaster",
    panel: Panel,
    cutoffs: np.ndarray,
    settings: BacktestSettings,
    callback: StageCallback,
    fitted: Fitted | None = None,
) -> Iterator[WindowForecast]:
    """Yield the network's forecasts window by window, each as soon as it is made.

    Args:
        model: is fitted on the values before the first window, or before each.
        panel: N series.
        cutoffs: (K, N) how many steps of each series every window knows.
        settings: ``refit`` and ``train_size`` count.
        callback: called while the network trains.
        fitted: forecasts all windows, in the place of a fit; None for fits.

    Raises:
        InputError: if the series are too short to be learned from.
    """
    horizon, size = model.config.horizon, settings.train_size
    if fitted is None:
        require_history(panel, cutoffs, horizon, settings, needed=windows_needed(model.config, panel))
    begins, part = np.zeros_like(panel.lengths), panel
    for number, known in enumerate(cutoffs):
        starts = history_starts(panel, known, size)
        if settings.refit or number == 0:
            begins = starts
            # With refit, each window sees equally many steps: of one shape, the network's program is compiled once.
            ends = np.minimum(known + horizon, panel.lengths) if settings.refit else panel.lengths
            part = panel if size is None else panel.between(begins, ends)
            stage = f"window {number + 1} of {len(cutoffs)}: " if settings.refit else ""
            hears = _with_prefix(callback, stage)
            model.fitted_ = fitted or fit_panel(model.config, part, known - begins, callback=hears)
        known_of_part = known - np.minimum(begins, known)
        rows = np.flatnonzero(learnable(part, known_of_part, horizon))
        quantiles = forecast_quantiles(model.fitted_, part, known_of_part)[rows]
        flat = quantiles.reshape(-1, quantiles.shape[-1])
        positive = nonnegative(part, known_of_part, model.plan_)[rows]
        yield WindowForecast(rows, known, starts, flat, positive, model.plan_.design.seasons[0])


def _with_prefix(callback: StageCallback, prefix: str) -> StageCallback:
    return lambda stage, progress: callback(prefix + stage, progress)


def require_history(
    panel: Panel, cutoffs: np.ndarray, horizon: int, settings: BacktestSettings, *, needed: int
) -> None:
    """Refuse windows of a backtest that leave too little before the first of them.

    Args:
        panel: N series.
        cutoffs: (K, N) how many steps of each series every window knows.
        horizon: F.
        settings: ``train_size`` and ``step`` count.
        needed: different windows, with a horizon after each, that must remain.

    Raises:
        InputError: with the length that the series need.
    """
    size = settings.train_size
    starts = history_starts(panel, cutoffs[0], size)
    part = panel if size is None else panel.between(starts, panel.lengths)
    if window_count(part, cutoffs[0] - starts, horizon) >= needed:
        return
    longest = int(panel.lengths.max())
    windows = f"{len(cutoffs)} window{'s' if len(cutoffs) > 1 else ''} of {horizon} steps"
    steps = horizon + needed
    least = horizon + (len(cutoffs) - 1) * (settings.step or horizon) + steps
    if size is not None and longest >= least and size < steps:
        raise InputError(
            f"the training size of {size} steps is too small for a backtest of {windows}: expected at least {steps}, "
            "or several series",
            code="train-size-too-small",
            found=size,
            expected=steps,
        )
    raise InputError(
        f"the series are too short for a backtest of {windows}: the longest has {longest}, expected at least {least}, "
        "or several that are shorter",
        code="series-too-short",
        found=longest,
        expected=least,
    )


def _baseline_forecasts(
    baselines: Mapping[str, Baseline],
    panel: Panel,
    windows: Sequence[WindowForecast],
    horizon: int,
    on_progress: OnProgress,
) -> Iterator[_Forecasts]:
    """Yield the forecasts of each baseline in all windows; seasonal naive replaces the ones that fail."""
    season, total = windows[0].season, sum(len(window.rows) for window in windows)
    every = max(total // PROGRESS_CALLS, 1)
    for name, baseline in baselines.items():
        began, failures = time.perf_counter(), 0
        quantiles = np.empty((total, horizon, len(QUANTILES)))
        for place, history in enumerate(_histories(panel, windows)):
            forecast = _attempt(baseline, history, season, horizon)
            failures += forecast is None
            quantiles[place] = seasonal_naive_baseline(history, season, horizon) if forecast is None else forecast
            if (place + 1) % every == 0:
                on_progress(name, place + 1, total)
        yield _Forecasts(name, quantiles.reshape(-1, len(QUANTILES)), time.perf_counter() - began, failures)


def _histories(panel: Panel, windows: Sequence[WindowForecast]) -> Iterator[np.ndarray]:
    """Yield the values (T,) that baselines see, of each series of each window."""
    for window in windows:
        for row in window.rows.tolist():
            yield panel.series(row)[window.starts[row] : window.cutoffs[row]]


def _attempt(baseline: Baseline, history: np.ndarray, season: int, horizon: int) -> np.ndarray | None:
    """Return a baseline's quantiles (F, Q); None if it raises an error or gives a value that is not finite."""
    try:
        quantiles = baseline(history, season, horizon)
    except Exception:  # a library may raise anything on a series that is too short or too strange for its model
        return None
    return quantiles if np.isfinite(quantiles).all() else None


def _labels(panel: Panel, windows: Sequence[WindowForecast], horizon: int) -> dict[str, np.ndarray]:
    """Return the columns ``unique_id, ds, cutoff, y`` (S,) of all windows."""
    rows = np.concatenate([window.rows for window in windows])
    known = np.concatenate([window.cutoffs[window.rows] for window in windows])
    steps = known[:, None] + np.arange(horizon)
    multiple = panel.frequency.multiple
    ordinals = panel.starts[rows, None] + multiple * steps
    cutoffs = np.repeat(ordinals[:, 0] - multiple, horizon)
    return {
        "unique_id": np.repeat(panel.ids[rows], horizon),
        "ds": panel.frequency.times(ordinals.ravel()),
        "cutoff": panel.frequency.times(cutoffs),
        "y": panel.after(rows, known, horizon).ravel(),
    }


def _lowest(windows: Sequence[WindowForecast], horizon: int) -> np.ndarray:
    """Return the network's lower limit (S,): extrapolated bounds, too, are not negative if the data never were."""
    return np.concatenate([np.repeat(np.where(window.positive, 0.0, -np.inf), horizon) for window in windows])
