"""How good the forecasts would have been: horizons of each series, forecast from what lay before them."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from throughtime._errors import InputError
from throughtime.data import Panel
from throughtime.forecasting.baselines import OF_FILLED, Baseline, named_baselines, seasonal_naive_baseline
from throughtime.forecasting.cutoffs import history_starts, rolling_cutoffs
from throughtime.forecasting.dataset import learnable, least_windows, trainable
from throughtime.forecasting.intervals import QUANTILES, interval_columns
from throughtime.forecasting.metrics import decile_crps
from throughtime.forecasting.results import MODEL, BacktestResult, BacktestSettings, WindowForecast
from throughtime.training import Progress

if TYPE_CHECKING:
    from throughtime.forecasting.forecaster import Forecaster

COUNTS = 50  # progress reports of one baseline
OnProgress = Callable[[str, int, int], None]
"""``on_progress(stage, done, total)``: how many series a baseline has forecast."""


def ignore_progress(stage: str, done: int, total: int) -> None:
    """Ignore the progress."""


def run_backtest(
    model: "Forecaster",
    panel: Panel,
    protocol: BacktestSettings,
    *,
    level: Sequence[int | float],
    callback: Callable[[str, Progress], None],
    on_progress: OnProgress = ignore_progress,
) -> BacktestResult:
    """Forecast windows of a panel from rolling cutoffs, by the network and by baselines.

    The last window ends where the series end. Training sees what lies before the first window, or, with ``refit``,
    before each. Every window is forecast from all that precedes it. A series takes part in a window where it is longer
    than the horizon before it. Baselines are estimated anew for each window, on the last ``train_size`` steps before.

    Args:
        model: is fitted on the panel less the windows.
        panel: the series.
        protocol: which windows, and what may be learned from.
        level: coverage of the intervals in per cent.
        callback: called while the network trains.
        on_progress: called while a baseline forecasts.

    Raises:
        InputError: for a protocol that cannot be, and where the series are too short.
    """
    step = _checked(protocol, model.horizon)
    baselines = named_baselines(protocol.baselines)
    cutoffs = rolling_cutoffs(panel.lengths, windows=protocol.windows, step=step, horizon=model.horizon)
    began = time.perf_counter()
    windows = list(network_windows(model, panel, cutoffs, protocol, callback))
    season = windows[0].season
    seconds = {MODEL: time.perf_counter() - began}
    rows, crps = _columns(panel, windows, model.horizon), {}
    gaps = [name for name in baselines if name in OF_FILLED] if np.isnan(panel.values).any() else []
    notes = [f"Missing values are filled for {', '.join(gaps)}: by the last one of the same season."] if gaps else []

    def add(name: str, quantiles: np.ndarray, least: np.ndarray | float) -> None:
        crps[name] = decile_crps(rows["y"], quantiles)
        rows.update(_forecast_columns(quantiles, level, name, least))

    add(MODEL, np.concatenate([window.quantiles for window in windows]), _least(windows, model.horizon))
    for name, baseline in baselines.items():
        began = time.perf_counter()
        quantiles, failed = _baseline_quantiles(name, baseline, panel, windows, season, model.horizon, on_progress)
        seconds[name] = time.perf_counter() - began
        add(name, quantiles, -np.inf)
        if failed:
            total = len(quantiles) // model.horizon
            notes.append(f"{name} failed on {failed:,} of {total:,} forecasts: seasonal naive stands in there.")
    return BacktestResult(rows, crps, seconds, season, notes)


def _checked(protocol: BacktestSettings, horizon: int) -> int:
    """The step between cutoffs, once all numbers are known to be possible."""
    if protocol.windows < 1:
        raise InputError(f"expected at least 1 backtest window, got {protocol.windows}")
    step = horizon if protocol.step is None else protocol.step
    if step < 1:
        raise InputError(f"the step between backtest windows is {step}: expected at least 1")
    size = protocol.train_size
    if size is not None and size <= horizon:
        raise InputError(
            f"the training size is {size} steps: expected more than the horizon of {horizon}, as a network learns from "
            "windows with a whole horizon after them"
        )
    return step


def network_windows(
    model: "Forecaster",
    panel: Panel,
    cutoffs: np.ndarray,
    protocol: BacktestSettings,
    report: Callable[[str, Progress], None],
) -> Iterator[WindowForecast]:
    """The network's forecasts, window by window, as soon as each is there.

    Args:
        model: is fitted on what lies before the first window, or before each.
        panel: the series.
        cutoffs: (K, N) how many steps of each series every window knows.
        protocol: what may be learned from.
        report: called while the network trains.

    Raises:
        InputError: where the series are too short.
    """
    horizon, size = model.horizon, protocol.train_size
    require_trainable(panel, cutoffs, horizon, protocol)
    begins, seen = np.zeros_like(panel.lengths), panel
    for number, known in enumerate(cutoffs):
        starts = history_starts(panel, known, size)
        if protocol.refit or number == 0:
            begins = starts
            # With refit, as much for each window: of one size, the network's program is compiled once.
            ends = np.minimum(known + horizon, panel.lengths) if protocol.refit else panel.lengths
            seen = panel if size is None else panel.between(begins, ends)
            stage = f"window {number + 1} of {len(cutoffs)}: " if protocol.refit else ""
            model.fit_until(seen, known - begins, report=_named(report, stage))
        here = known - np.minimum(begins, known)
        rows = np.flatnonzero(learnable(seen, here, horizon))
        quantiles = model.quantiles_at(here)[rows]
        flat = quantiles.reshape(-1, quantiles.shape[-1])
        yield WindowForecast(rows, known, starts, flat, model.plan_.positive, model.plan_.design.seasons[0])


def _named(report: Callable[[str, Progress], None], prefix: str) -> Callable[[str, Progress], None]:
    return lambda stage, progress: report(prefix + stage, progress)


def require_trainable(panel: Panel, cutoffs: np.ndarray, horizon: int, protocol: BacktestSettings) -> None:
    """Refuse windows that leave too little before the first of them."""
    size = protocol.train_size
    starts = history_starts(panel, cutoffs[0], size)
    seen = panel if size is None else panel.between(starts, panel.lengths)
    if trainable(seen, cutoffs[0] - starts, horizon):
        return
    longest = int(panel.lengths.max())
    windows = f"{len(cutoffs)} window{'s' if len(cutoffs) > 1 else ''} of {horizon} steps"
    needed = horizon + least_windows(horizon)
    least = horizon + (len(cutoffs) - 1) * (protocol.step or horizon) + needed
    if size is not None and longest >= least and size < needed:
        raise InputError(
            f"the training size of {size} steps is too small for a backtest of {windows}: expected at least {needed}, "
            "or several series"
        )
    raise InputError(
        f"the series are too short for a backtest of {windows}: the longest has {longest}, expected at least {least}, "
        "or several that are shorter"
    )


def _baseline_quantiles(
    name: str,
    baseline: Baseline,
    panel: Panel,
    windows: list[WindowForecast],
    season: int,
    horizon: int,
    on_progress: OnProgress,
) -> tuple[np.ndarray, int]:
    """(rows, Q) of one baseline in all windows, and on how many series and windows seasonal naive stands in for it."""
    total = sum(len(window.rows) for window in windows)
    every, done, failed = max(total // COUNTS, 1), 0, 0
    forecasts = np.empty((total, horizon, len(QUANTILES)))
    for window in windows:
        for row in window.rows.tolist():
            history = panel.series(row)[window.starts[row] : window.cutoffs[row]]
            quantiles = _attempt(baseline, history, season, horizon)
            failed += quantiles is None
            forecasts[done] = seasonal_naive_baseline(history, season, horizon) if quantiles is None else quantiles
            done += 1
            if done % every == 0:
                on_progress(name, done, total)
    return forecasts.reshape(-1, len(QUANTILES)), failed


def _attempt(baseline: Baseline, history: np.ndarray, season: int, horizon: int) -> np.ndarray | None:
    """A baseline's quantiles (F, Q); None where it fails, be it by numbers that are none."""
    try:
        quantiles = baseline(history, season, horizon)
    except Exception:  # a library may raise anything on a series that is too short or too strange for its model
        return None
    return quantiles if np.isfinite(quantiles).all() else None


def _columns(panel: Panel, windows: list[WindowForecast], horizon: int) -> dict[str, np.ndarray]:
    """``unique_id, ds, cutoff, y`` of all windows."""
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


def _least(windows: list[WindowForecast], horizon: int) -> np.ndarray:
    """(rows,) what the network forecasts at least: extrapolated bounds, too, keep to what training found."""
    return np.concatenate([np.full(len(w.rows) * horizon, 0.0 if w.positive else -np.inf) for w in windows])


def _forecast_columns(
    quantiles: np.ndarray, level: Sequence[int | float], name: str, least: np.ndarray | float
) -> dict[str, np.ndarray]:
    """Point and bounds of one model, none of them below ``least``."""
    columns = interval_columns(quantiles, level, name)
    return {key: np.maximum(column, least) for key, column in columns.items()}
