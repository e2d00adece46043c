"""From a file to forecasts, a backtest, a model and a report: what ``forecast`` and ``backtest`` do."""

from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from throughtime._errors import InputError
from throughtime._folder import ARRAYS_FILE
from throughtime.cli.glance import glance
from throughtime.cli.interrupts import Stop
from throughtime.cli.progress_bar import ForecastBar, TrainingBar
from throughtime.cli.results import BacktestResult, ForecastResult, Levels
from throughtime.cli.runtime import Runtime
from throughtime.cli.series_file import SeriesFile, read_series
from throughtime.cli.time_left import BACKTEST
from throughtime.data import ColumnNames, Panel, read_table, require_future, with_future
from throughtime.forecasting import (
    QUANTILES,
    TRAINING,
    BacktestSettings,
    Effect,
    Evaluation,
    Forecaster,
    ForecasterConfig,
    OnProgress,
    StageCallback,
    affordable_cutoffs,
    covariate_effects,
    coverage,
    forecast_intervals,
    ignore_progress,
    interval_columns,
    learnable,
    make_verdict,
    mase_by_series,
    no_verdict,
    require_horizon,
    require_same_data,
    require_same_shapes,
    rolling_cutoffs,
    run_backtest,
    score_table,
    window_count,
    windows_needed,
)

MOST_WINDOWS = 3  # of the backtest before a forecast: more take time and say little more
LAST_DAY = np.datetime64("9999-12-31")  # the last that dates are written for
HELD_BACK = 0.3  # of a series' length: a network that must do without more says little about one that has it all


def forecast_file(
    source: SeriesFile,
    panel: Panel,
    model: Forecaster,
    levels: Levels,
    runtime: Runtime,
    bar: ForecastBar,
    start: Forecaster | None = None,
) -> ForecastResult:
    """Test and fit a forecaster on a file, and write the results to the runtime's folder.

    Args:
        source: the file and its columns.
        panel: the series of the file.
        model: a forecaster, not fitted yet.
        levels: coverage of the intervals in per cent.
        runtime: the running command.
        bar: shows the progress.
        start: a fitted forecaster from whose weights training may go on; the test is one of new networks.

    Raises:
        InputError: for a file, a column, a parameter or a start that cannot be used; nothing is written then.
    """
    panel = forecastable(source, panel, model, levels, start)
    runtime.out.open()
    tested, interrupted = learn(source, panel, model, levels, runtime, bar, start)
    for note in model.notes_:
        runtime.say(note)
    bar.doing = "writing the report"
    columns = forecast_columns(model, levels)
    result = ForecastResult(source.path, model, levels, columns, tested, interrupted, runtime.began)
    with runtime.out.staged(former={"model": ARRAYS_FILE}) as stage:
        result.write(stage)
    for line in glance(result):
        runtime.say(line)
    return result


def learn(
    source: SeriesFile,
    panel: Panel,
    model: Forecaster,
    levels: Levels,
    runtime: Runtime,
    bar: ForecastBar,
    start: Forecaster | None,
) -> tuple[Evaluation, bool]:
    """Test and fit a forecaster; return the test, and whether Ctrl-C ended training early.

    Args:
        source: the columns.
        panel: the series, with what is known of their future.
        model: a forecaster, not fitted yet.
        levels: coverage of the intervals in per cent.
        runtime: the running command.
        bar: shows the progress.
        start: a fitted forecaster from whose weights training may go on; None for new ones.
    """
    tested = backtest_before_forecast(panel, model, levels, progress_of(bar, BACKTEST))
    runtime.say(tested.verdict.headline)
    return tested, fit_until_stopped(model, panel, source.columns, progress_of(bar), runtime, start)


def backtest_file(
    source: SeriesFile, model: Forecaster, settings: BacktestSettings, levels: Levels, runtime: Runtime
) -> BacktestResult:
    """Backtest a forecaster on a file, and write the results to the runtime's folder.

    Args:
        source: the file and its columns.
        model: a forecaster; it is left fitted on what preceded the last training.
        settings: which windows, and the baselines.
        levels: coverage of the intervals in per cent.
        runtime: the running command.

    Raises:
        InputError: for a file, a column or a parameter that cannot be used, and if the series are too short or no
            value is known in any window; nothing is written then.
    """
    panel = read_series(source)
    require_forecastable(panel, model, levels)
    runtime.out.open()
    with TrainingBar(runtime.console, runtime.interrupts, loss="pinball") as bar:
        tested, failures = score(panel, model, settings, levels, progress_of(bar), bar.count)
    if tested.table.is_empty():
        raise InputError(f"{source.path}: {tested.verdict.headline}", code="no-truth", file=source.path)
    notes = [*model.notes_, *failures]
    result = BacktestResult(source.path, panel, model, settings, levels, tested, notes, runtime.began)
    for line in (tested.verdict.headline, *notes, *result.score_lines()):
        runtime.say(line)
    with runtime.out.staged() as stage:
        result.write(stage)
    return result


def require_forecastable(panel: Panel, model: Forecaster, levels: Levels) -> None:
    """Refuse before training what could not be forecast after it."""
    require_horizon(model.horizon, int(panel.lengths.max()))
    interval_columns(np.zeros((1, len(QUANTILES))), levels)


def forecastable(
    source: SeriesFile, panel: Panel, model: Forecaster, levels: Levels, start: Forecaster | None
) -> Panel:
    """Return the panel with what is known of its future, after all checks that need no training.

    Raises:
        InputError: for what could not be forecast, and for a start of another kind.
    """
    require_forecastable(panel, model, levels)
    if start is not None:
        require_same_shapes(model.config, start)
        require_same_data(panel, start.fitted_)
    return with_known_future(panel, source, model.horizon)


def with_known_future(panel: Panel, source: SeriesFile, horizon: int) -> Panel:
    """Return the panel with the future covariates of the steps to forecast.

    Raises:
        InputError: if some are missing, and for forecasts beyond what dates are written for.
    """
    if source.future is not None:
        panel = with_future(panel, *read_table(source.future), horizon)
    require_future(panel, panel.lengths, horizon)
    _, times = panel.future(horizon)
    if times.dtype.kind == "M" and times.max() > LAST_DAY:
        raise InputError(
            f"the forecasts would reach {times.max()}: expected dates up to {LAST_DAY}",
            code="beyond-calendar",
            found=times.max(),
            expected=LAST_DAY,
        )
    return panel


def progress_of(bar: TrainingBar, prefix: str = "") -> StageCallback:
    """Return a callback of training that moves the bar; the names of its stages begin with ``prefix``."""

    def callback(stage: str, progress: Any) -> None:
        loss, speed = float(progress.losses.mean()), len(progress.losses) / progress.seconds
        bar.show(prefix + stage, int(progress.state.step), progress.steps, loss=loss, speed=speed)

    return callback


def fit_until_stopped(
    model: Forecaster,
    panel: Panel,
    names: ColumnNames,
    callback: StageCallback,
    runtime: Runtime,
    start: Forecaster | None,
) -> bool:
    """Fit the model, and return whether Ctrl-C ended training early; then it keeps what its networks have learned."""
    stop = Stop()

    def stopping(stage: str, progress: Any) -> bool:
        if stage.startswith(TRAINING):
            stop.ready.set()
        callback(stage, progress)
        return stop.asked.is_set()

    with runtime.interrupts.stoppable(stop):
        model.fit(panel, **asdict(names), callback=stopping, start=start)
    if stop.asked.is_set():
        done, kept = int(np.isfinite(model.losses_).sum()), len(model.networks_)
        others = f" {kept} of {model.plan_.members} networks had come far enough." if kept < model.plan_.members else ""
        model.notes_.append(f"Training was interrupted after {done} of {model.losses_.size} steps.{others}")
    return stop.asked.is_set()


def forecast_columns(model: Forecaster, levels: Levels) -> dict[str, np.ndarray]:
    """Return ``unique_id, ds, throughtime, throughtime-lo-80, ...`` of a fitted forecaster, as arrays."""
    ids, times = model.panel_.future(model.horizon)
    return {"unique_id": ids, "ds": times, **forecast_intervals(model.fitted_, model.panel_, levels)}


def backtest_before_forecast(panel: Panel, model: Forecaster, levels: Levels, callback: StageCallback) -> Evaluation:
    """Backtest a forecaster of the same arguments over as many windows as the series are long enough for."""
    windows = affordable_windows(panel, model.config)
    if windows == 0:
        return untested(f"without their last {model.horizon} steps the series are too short to learn from")
    tester = Forecaster(**model.get_params())
    return score(panel, tester, BacktestSettings(windows), levels, callback, ignore_progress)[0]


def score(
    panel: Panel,
    model: Forecaster,
    settings: BacktestSettings,
    levels: Levels,
    callback: StageCallback,
    count: OnProgress,
) -> tuple[Evaluation, list[str]]:
    """Return a backtest with its scores, and which baselines failed; without scores if no truth is known."""
    backtest = run_backtest(model, panel, settings, level=levels, callback=callback, on_progress=count)
    if np.isnan(backtest.rows["y"]).all():
        steps = settings.windows * model.horizon
        return untested(f"no value is known in the last {steps} steps, which a backtest would forecast"), backtest.notes
    table = score_table(backtest, panel, levels=levels)
    scores = mase_by_series(table)
    covered = {float(level): coverage(backtest.rows, level) for level in levels}
    verdict = make_verdict(
        scores,
        backtest.rows,
        windows=settings.windows,
        horizon=model.horizon,
        season=backtest.season,
        step=settings.step,
        naive=backtest.naive,
    )
    effects = effects_of(model, panel, settings)
    tested = Evaluation(backtest.rows, settings.windows, scores, covered, verdict, table, backtest.seconds, effects)
    return tested, backtest.notes


def effects_of(model: Forecaster, panel: Panel, settings: BacktestSettings) -> tuple[Effect, ...]:
    """Return the effects of the covariates in the windows of a backtest that its last training did not see."""
    step, horizon = settings.step or model.horizon, model.horizon
    windows = 1 if settings.refit else settings.windows
    cutoffs = rolling_cutoffs(panel.lengths, windows=windows, step=step, horizon=horizon)
    return covariate_effects(model.fitted_, panel, cutoffs, seed=model.config.seed)


def untested(reason: str) -> Evaluation:
    """Return the record of a backtest that could not be."""
    return Evaluation({}, 0, pl.DataFrame(), {}, no_verdict(reason))


def affordable_windows(panel: Panel, config: ForecasterConfig) -> int:
    """Return how many horizons a backtest may hold back.

    Up to three; one if more would take too much of the history away; none if that leaves too little to learn from.
    """
    horizon, needed = config.horizon, windows_needed(config, panel)
    before = np.maximum(panel.lengths - horizon, 0)
    if window_count(panel, before, horizon) < needed:
        return 0
    long_enough = panel.lengths[learnable(panel, before, horizon)]
    wanted = int(np.clip(HELD_BACK * np.median(long_enough) // horizon, 1, MOST_WINDOWS))
    return len(affordable_cutoffs(panel, panel.lengths, horizon=horizon, most=wanted, needed=needed))
