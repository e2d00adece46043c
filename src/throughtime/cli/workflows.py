"""From a file to forecasts, a model and a report."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from throughtime._errors import InputError
from throughtime.cli.interrupts import Stop, stoppable
from throughtime.cli.outputs import staged
from throughtime.data import Named as Columns
from throughtime.data import (
    Panel,
    format_times,
    read_panel,
    read_table,
    require_future,
    with_future,
    without_leading_gaps,
)
from throughtime.forecasting import (
    QUANTILES,
    TRAINING,
    Count,
    Forecaster,
    Protocol,
    Report,
    Tested,
    affordable_cutoffs,
    coverage,
    interval_columns,
    learnable,
    make_verdict,
    mase_of,
    no_verdict,
    require_horizon,
    run_backtest,
    score_table,
    trainable,
    uncounted,
)
from throughtime.report import backtest_content, forecast_content, forecaster_reach, render
from throughtime.training import ARRAYS_FILE, EnoughError

MOST_WINDOWS = 3
SHOWN = ("mase", "smape", "owa", "crps")  # of the scores, in the terminal
LAST_DAY = np.datetime64("9999-12-31")
HELD_BACK = 0.3  # of a series' length: a network that must do without more says little about one that has it all


def forecast_file(
    path: Path,
    model: Forecaster,
    out: Path,
    *,
    columns: Columns,
    future_file: Path | None = None,
    levels: Sequence[int | float],
    say: Callable[[str], None],
    report: Report,
) -> dict[str, Any]:
    """Write ``forecasts.csv``, ``report.html`` and ``model/`` to the folder ``out``; a summary comes back.

    Args:
        path: CSV or Parquet.
        model: a forecaster, not fitted yet.
        out: an existing folder.
        columns: the names of the file's columns.
        future_file: CSV or Parquet with the future covariates of the steps to forecast; not needed where the file has
            rows for them.
        levels: coverage of the intervals in per cent.
        say: is told what was found.
        report: is told how training goes.

    Raises:
        InputError: for a file, a column or a parameter that cannot be used; nothing is written then.
    """
    began = time.perf_counter()
    panel = _read(path, columns, model, levels)
    if future_file is not None:
        panel = with_future(panel, *read_table(future_file), model.horizon)
    require_future(panel, panel.lengths, model.horizon)
    _require_calendar(panel, model.horizon)
    for note in panel.notes:
        say(note)
    tested = _test(panel, model, levels, report)
    say(tested.verdict.words)
    interrupted = _fit(model, panel, report)
    for note in model.notes_[len(panel.notes) :]:
        say(note)
    forecasts, reach = forecast_columns(model, levels), forecaster_reach(model)
    with staged(out, former={"model": ARRAYS_FILE}) as stage:
        table = forecasts | {"ds": np.array(format_times(forecasts["ds"], panel.frequency.zone))}
        pl.DataFrame(table).write_csv(stage / "forecasts.csv")
        seconds = time.perf_counter() - began
        content = forecast_content(path.name, model, forecasts, tested, levels, seconds=seconds, reach=reach)
        (stage / "report.html").write_text(render(content), encoding="utf-8")
        model.save(stage / "model")
    design = model.plan_.design
    return {
        "file": str(path),
        "series": len(panel),
        "horizon": model.horizon,
        "frequency": panel.frequency.describe(),
        "season": design.seasons[0],
        "verdict": tested.verdict.words,
        "mase": tested.verdict.model,
        "seasonal_naive_mase": tested.verdict.baseline,
        "backtest_windows": tested.windows,
        "coverage": {f"{level:g}": share for level, share in tested.coverage.items()},
        "notes": model.notes_,
        "interrupted": interrupted,
        "seconds": time.perf_counter() - began,
        "out": str(out),
    }


def _fit(model: Forecaster, panel: Panel, report: Report) -> bool:
    """Fit; Ctrl-C while the networks are trained ends that early, with what they have learned, and True comes back."""
    stop = Stop()

    def heard(stage: str, progress: Any) -> None:
        if stage.startswith(TRAINING):
            stop.ready.set()
        report(stage, progress)
        if stop.asked.is_set():
            raise EnoughError

    with stoppable(stop):
        model.fit(panel, report=heard)
    if stop.asked.is_set():
        done, kept = int(np.isfinite(model.losses_).sum()), len(model.networks_)
        others = f" {kept} of {model.plan_.members} networks had come far enough." if kept < model.plan_.members else ""
        model.notes_.append(f"Training was interrupted after {done} of {model.losses_.size} steps.{others}")
    return stop.asked.is_set()


def backtest_file(
    path: Path,
    model: Forecaster,
    out: Path,
    protocol: Protocol,
    *,
    columns: Columns,
    levels: Sequence[int | float],
    say: Callable[[str], None],
    report: Report,
    count: Count,
) -> dict[str, Any]:
    """Write ``cv.csv``, ``scores.csv`` and ``report.html`` to the folder ``out``; a summary comes back.

    Args:
        path: CSV or Parquet.
        model: a forecaster; it is left fitted on what preceded the last training.
        out: an existing folder.
        protocol: which windows, and the baselines.
        columns: the names of the file's columns.
        levels: coverage of the intervals in per cent.
        say: is told what was found.
        report: is told how training goes.
        count: is told how far the baselines are.

    Raises:
        InputError: for a file, a column or a parameter that cannot be used, and where the series are too short or no
            value is known in any window; nothing is written then.
    """
    began = time.perf_counter()
    panel = _read(path, columns, model, levels)
    tested, notes = _scored(panel, model, protocol, levels, report, count)
    if tested.table.is_empty():
        raise InputError(f"{path}: {tested.verdict.words}")
    say(tested.verdict.words)
    notes = [*model.notes_, *notes]
    for note in notes:
        say(note)
    for line in _score_lines(tested):
        say(line)
    reach = forecaster_reach(model)
    with staged(out) as stage:
        zone = panel.frequency.zone
        times = {name: np.array(format_times(tested.rows[name], zone)) for name in ("ds", "cutoff")}
        pl.DataFrame(tested.rows | times).with_columns(pl.col("y").fill_nan(None)).write_csv(stage / "cv.csv")
        tested.table.write_csv(stage / "scores.csv")
        seconds = time.perf_counter() - began
        content = backtest_content(path.name, model, panel, tested, notes, levels, seconds=seconds, reach=reach)
        (stage / "report.html").write_text(render(content), encoding="utf-8")
    overall = tested.table.filter(unique_id="").drop("unique_id").rows_by_key("metric", named=True, unique=True)
    return {
        "file": str(path),
        "series": len(panel),
        "horizon": model.horizon,
        **protocol._asdict(),
        "step": model.horizon if protocol.step is None else protocol.step,
        "baselines": list(tested.seconds)[1:],
        "frequency": panel.frequency.describe(),
        "verdict": tested.verdict.words,
        "best_baseline": tested.verdict.best,
        "scores": overall,
        "seconds_by_model": dict(tested.seconds),
        "notes": notes,
        "seconds": time.perf_counter() - began,
        "out": str(out),
    }


def _read(path: Path, columns: Columns, model: Forecaster, levels: Sequence[int | float]) -> Panel:
    """The file's panel; what cannot be forecast so is told before training, not after."""
    panel = without_leading_gaps(read_panel(path, **columns._asdict()))
    require_horizon(model.horizon, int(panel.lengths.max()))
    interval_columns(np.zeros((1, len(QUANTILES))), levels)
    return panel


def _score_lines(tested: Tested) -> list[str]:
    """One line for each model: its overall scores and the seconds that it took."""
    shown = tested.table.filter((pl.col("unique_id") == "") & pl.col("metric").is_in(SHOWN))
    return [
        f"{name:<15} {taken:8.1f} s   "
        + "   ".join(f"{metric} {value:.3f}" for metric, value in shown.select("metric", name).rows())
        for name, taken in tested.seconds.items()
    ]


def forecast_columns(model: Forecaster, levels: Sequence[int | float]) -> dict[str, np.ndarray]:
    """``unique_id, ds, throughtime, throughtime-lo-80, ...`` of a fitted forecaster, as arrays."""
    ids, times = model.panel_.future(model.horizon)
    quantiles = model.quantiles_at(model.panel_.lengths)
    columns = interval_columns(quantiles.reshape(-1, quantiles.shape[-1]), levels, positive=model.plan_.positive)
    return {"unique_id": ids, "ds": times, **columns}


def _require_calendar(panel: Panel, horizon: int) -> None:
    """Refuse forecasts beyond what dates are written for."""
    _, times = panel.future(horizon)
    if times.dtype.kind == "M" and times.max() > LAST_DAY:
        raise InputError(f"the forecasts would reach {times.max()}: expected dates up to {LAST_DAY}")


def _test(panel: Panel, model: Forecaster, levels: Sequence[int | float], report: Report) -> Tested:
    """A backtest over as many windows as the series are long enough for."""
    windows = _windows(panel, model.horizon)
    if windows == 0:
        reason = f"without their last {model.horizon} steps the series are too short to learn from"
        return Tested({}, 0, pl.DataFrame(), {}, no_verdict(reason))

    def staged_report(stage: str, progress: Any) -> None:
        report(f"backtest: {stage}", progress)

    tester = Forecaster(**model.get_params())
    return _scored(panel, tester, Protocol(windows), levels, staged_report)[0]


def _scored(
    panel: Panel,
    model: Forecaster,
    protocol: Protocol,
    levels: Sequence[int | float],
    report: Report,
    count: Count = uncounted,
) -> tuple[Tested, list[str]]:
    """A backtest and its scores, and which baselines failed; without scores where no truth is known."""
    came = run_backtest(model, panel, protocol, level=levels, report=report, count=count)
    if np.isnan(came.rows["y"]).all():
        windows = protocol.windows
        reason = f"no value is known in the last {windows * model.horizon} steps, which a backtest would forecast"
        return Tested({}, 0, pl.DataFrame(), {}, no_verdict(reason)), came.notes
    table = score_table(came, panel, levels=levels)
    scores = mase_of(table)
    covered = {float(level): coverage(came.rows, level) for level in levels}
    words = make_verdict(
        scores,
        came.rows,
        windows=protocol.windows,
        horizon=model.horizon,
        season=came.season,
        step=protocol.step,
    )
    return Tested(came.rows, protocol.windows, scores, covered, words, table, came.seconds), came.notes


def _windows(panel: Panel, horizon: int) -> int:
    """Up to three; one where more would take too much of the history away; none where that leaves too little."""
    before = np.maximum(panel.lengths - horizon, 0)
    if not trainable(panel, before, horizon):
        return 0
    long_enough = panel.lengths[learnable(panel, before, horizon)]
    wanted = int(np.clip(HELD_BACK * np.median(long_enough) // horizon, 1, MOST_WINDOWS))
    return len(affordable_cutoffs(panel, panel.lengths, horizon=horizon, most=wanted))
