"""From a file to forecasts, a model and a report."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from throughtime.data.frames import format_times
from throughtime.data.gaps import without_leading_gaps
from throughtime.data.panel import Panel
from throughtime.data.readers import read_panel
from throughtime.errors import InputError
from throughtime.forecasting import engine
from throughtime.forecasting.backtest import BASELINE, backtest
from throughtime.forecasting.forecaster import Forecaster, Report
from throughtime.forecasting.intervals import QUANTILES, interval_columns
from throughtime.forecasting.metrics import coverage, mase_by_series
from throughtime.forecasting.plan import require_horizon
from throughtime.forecasting.verdict import MODEL, Tested, no_verdict, verdict
from throughtime.gradients.reach import forecaster_reach
from throughtime.outputs import staged
from throughtime.report.forecast_page import forecast_content
from throughtime.report.page import render
from throughtime.training.checkpoint import ARRAYS_FILE

MOST_WINDOWS = 3
LAST_DAY = np.datetime64("9999-12-31")
HELD_BACK = 0.3  # of a series' length: a network that must do without more says little about one that has it all


class Columns(NamedTuple):
    """Which columns of a file to read; None where they are found."""

    id: str | None = None
    time: str | None = None
    target: str | None = None


def forecast_file(
    path: Path,
    model: Forecaster,
    out: Path,
    *,
    columns: Columns,
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
        levels: coverage of the intervals in per cent.
        say: is told what was found.
        report: is told how training goes.

    Raises:
        InputError: for a file, a column or a parameter that cannot be used; nothing is written then.
    """
    began = time.perf_counter()
    panel = without_leading_gaps(read_panel(path, id=columns.id, time=columns.time, target=columns.target))
    require_horizon(model.horizon, int(panel.lengths.max()))
    interval_columns(np.zeros((1, len(QUANTILES))), levels)  # a level that cannot be is told before training, not after
    _require_calendar(panel, model.horizon)
    for note in panel.notes:
        say(note)
    tested = _test(panel, model, levels, report)
    say(tested.verdict.words)
    model.fit(panel, report=report)
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
        "seconds": time.perf_counter() - began,
        "out": str(out),
    }


def forecast_columns(model: Forecaster, levels: Sequence[int | float]) -> dict[str, np.ndarray]:
    """``unique_id, ds, throughtime, throughtime-lo-80, ...`` of a fitted forecaster, as arrays."""
    ids, times = model.panel_.future(model.horizon)
    quantiles = model.quantiles_at(model.panel_.lengths)
    columns = interval_columns(quantiles.reshape(-1, quantiles.shape[-1]), levels, positive=model.plan_.log)
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
    rows = backtest(tester, panel, windows=windows, level=levels, report=staged_report)
    if np.isnan(rows["y"]).all():
        reason = f"no value is known in the last {windows * model.horizon} steps, which a backtest would forecast"
        return Tested({}, 0, pl.DataFrame(), {}, no_verdict(reason))
    season = tester.plan_.design.seasons[0]
    scores = mase_by_series(rows, panel, season=season, models=[MODEL, BASELINE])
    covered = {float(level): coverage(rows, level) for level in levels}
    words = verdict(scores, rows, windows=windows, horizon=model.horizon, season=season)
    return Tested(rows, windows, scores, covered, words)


def _windows(panel: Panel, horizon: int) -> int:
    """Up to three; one where more would take too much of the history away; none where that leaves too little."""
    before = np.maximum(panel.lengths - horizon, 0)
    if not engine.trainable(panel, before, horizon):
        return 0
    long_enough = panel.lengths[engine.learnable(panel, before, horizon)]
    wanted = int(np.clip(HELD_BACK * np.median(long_enough) // horizon, 1, MOST_WINDOWS))
    origins = {k: np.maximum(panel.lengths - k * horizon, 0) for k in range(wanted, 0, -1)}
    return next(k for k, known in origins.items() if engine.trainable(panel, known, horizon))
