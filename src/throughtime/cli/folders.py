"""From a folder of Parquet files to results of its partitions: ``forecast``, ``predict``, ``backtest`` of a folder."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from rich.table import Table

from throughtime._errors import InputError
from throughtime.cli.folder_model import SeriesFolder, fitted_model, write_json
from throughtime.cli.options import FolderOptions
from throughtime.cli.progress_bar import TrainingBar
from throughtime.cli.results import Levels
from throughtime.cli.runtime import UNUSABLE, Runtime
from throughtime.forecasting import BacktestSettings, Forecaster
from throughtime.partitions import (
    Engine,
    FolderResult,
    OnPartition,
    backtest_folder,
    forecast_folder,
    held_back,
    mean_scores,
)

FAILURES = "failures.json"


def forecast_partitions(
    source: SeriesFolder, model: Forecaster, levels: Levels, options: FolderOptions, runtime: Runtime
) -> int | None:
    """Fit a forecaster on a folder, unless an earlier run has, and forecast the partitions that are not finished.

    Args:
        source: the folder.
        model: a forecaster, not fitted yet.
        levels: coverage of the intervals in per cent.
        options: the engine, and the memory of the fit.
        runtime: the running command.

    Returns:
        The exit code for partitions that failed.

    Raises:
        InputError: for a folder or a parameter that cannot be used, and for an output folder of other settings.
    """
    engine = options.build()
    with _working(engine, runtime) as bar:
        saved = fitted_model(source, model, options.memory, runtime, bar)
        result = forecast_folder(
            source.path, saved, saved.parent, levels, engine=engine, on_partition=_counting(bar, "forecasting")
        )
    return _report(source.path, model.horizon, result, runtime)


def predict_partitions(
    folder: Path, model: Path, horizon: int | None, levels: Levels, options: FolderOptions, runtime: Runtime
) -> int | None:
    """Forecast the partitions that are not finished with a saved forecaster.

    Args:
        folder: of Parquet files, with the columns of the forecaster.
        model: the folder of the forecaster.
        horizon: the steps to forecast; those of the forecaster if None.
        levels: coverage of the intervals in per cent.
        options: the engine.
        runtime: the running command.

    Returns:
        The exit code for partitions that failed.

    Raises:
        InputError: as :func:`forecast_partitions` does.
    """
    engine, known = options.build(), Forecaster.load(model)
    with _working(engine, runtime) as bar:
        result = forecast_folder(
            folder, model, runtime.out.open(), levels, horizon=horizon, engine=engine,
            on_partition=_counting(bar, "forecasting"),
        )  # fmt: skip
    return _report(folder, horizon or known.horizon, result, runtime)


def backtest_partitions(
    source: SeriesFolder,
    model: Forecaster,
    settings: BacktestSettings,
    levels: Levels,
    options: FolderOptions,
    runtime: Runtime,
) -> int | None:
    """Fit a forecaster on what precedes the windows, backtest all partitions, and write the mean scores.

    Args:
        source: the folder.
        model: a forecaster, not fitted yet.
        settings: the windows and the baselines.
        levels: coverage of the intervals in per cent.
        options: the engine, and the memory of the fit.
        runtime: the running command.

    Returns:
        The exit code for partitions that failed.

    Raises:
        InputError: as :func:`forecast_partitions` does, and for ``refit`` and ``train_size``.
    """
    engine = options.build()
    with _working(engine, runtime) as bar:
        saved = fitted_model(source, model, options.memory, runtime, bar, held_back(settings, model.horizon))
        result = backtest_folder(
            source.path, saved, saved.parent, levels, settings=settings, engine=engine,
            on_partition=_counting(bar, "backtesting"),
        )  # fmt: skip
    code = _report(source.path, model.horizon, result, runtime)
    if result.done + result.kept:
        means = mean_scores(result.folder)
        means.write_csv(runtime.out.path / "scores.csv")
        runtime.result |= {"scores": means.rows_by_key("metric", named=True, unique=True)}
        runtime.console.print(_table(means))
    return code


def refuse_for_folder(folder: Path, **options: object) -> None:
    """Refuse options of a file for a folder of Parquet files.

    Args:
        folder: of Parquet files.
        options: the values by the names of the options; None or nothing if the user did not type one.

    Raises:
        InputError: with the first that was typed.
    """
    for option, value in options.items():
        if value:
            raise InputError(
                f"{folder} is a folder: leave out --{option.replace('_', '-')}, which is for a file",
                code="option-of-file",
                file=folder,
                found=value,
            )


@contextmanager
def _working(engine: Engine, runtime: Runtime) -> Iterator[TrainingBar]:
    """Show the bar of the command; Ctrl-C and SIGTERM end the engine and keep what is finished."""
    out, interrupts = runtime.out.path, runtime.interrupts
    interrupts.kept = lambda: f"What is finished is in {out}: the same command goes on from there."
    bar = TrainingBar(runtime.console, interrupts, loss="pinball")
    with interrupts.terminable(), interrupts.cleaning(engine.close), bar:
        yield bar


def _counting(bar: TrainingBar, stage: str) -> OnPartition:
    return lambda done, total: bar.count(stage, done, total, unit="partition")


def _report(folder: Path, horizon: int, result: FolderResult, runtime: Runtime) -> int | None:
    """Say what was done and what failed; failures are in a file too, and make the exit code."""
    out = runtime.out.path
    runtime.say(f"{result.done:,} partitions done, {result.kept:,} finished before, {len(result.failures):,} failed.")
    runtime.say(f"Written to {result.folder}")
    runtime.result = {
        "folder": str(folder),
        "horizon": horizon,
        "partitions": result.done + result.kept + len(result.failures),
        "done": result.done,
        "kept": result.kept,
        "rows": result.rows,
        "failures": [failed._asdict() for failed in result.failures],
        "results": str(result.folder),
        "seconds": time.perf_counter() - runtime.began,
    }
    if not result.failures:
        (out / FAILURES).unlink(missing_ok=True)
        return None
    write_json(out / FAILURES, runtime.result["failures"])
    runtime.say("Failed; the same command tries these again:")
    for failed in result.failures:
        runtime.say(f"  {failed.error}")
    return UNUSABLE


def _table(means: pl.DataFrame) -> Table:
    """Return the mean scores for a terminal."""
    table = Table(*means.columns, title="Means over series", title_justify="left")
    for row in means.iter_rows():
        table.add_row(*(f"{value:,.3f}" if isinstance(value, float) else str(value) for value in row))
    return table
