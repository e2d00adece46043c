"""``throughtime backtest``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from throughtime.cli.options import (
    ANY_COLUMNS,
    ANY_FOLDER,
    ANY_MODEL,
    ANY_REPORT,
    ColumnOptions,
    Flag,
    FolderOptions,
    HorizonOptions,
    ModelOptions,
    Process,
    ReportOptions,
    default,
)
from throughtime.cli.runtime import running

NAMES = "seasonal_naive (always), drift, naive2, autoets, autotheta, autoarima"


@Parameter(name="*", group=Group("Windows", sort_key=0))
@dataclass(frozen=True)
class WindowOptions:
    """The windows that are forecast, and the baselines."""

    windows: int = 3
    """How many horizons to forecast."""
    step: Annotated[int | None, default("the horizon")] = None
    """Steps between cutoffs."""
    refit: Annotated[bool, Flag] = False
    """Train for each window, not once before the first."""
    train_size: int | None = None
    """Learn from this many steps before the cutoff, not from all."""
    baselines: Annotated[str, Parameter(help=f"What to compare with, joined by commas: {NAMES}.")] = (
        "seasonal_naive,drift,naive2"
    )


ANY_WINDOWS = WindowOptions()


def backtest(
    file: Path,
    /,
    *,
    ahead: HorizonOptions,
    windows: WindowOptions = ANY_WINDOWS,
    columns: ColumnOptions = ANY_COLUMNS,
    model: ModelOptions = ANY_MODEL,
    folder: FolderOptions = ANY_FOLDER,
    options: ReportOptions = ANY_REPORT,
    interrupts: Process,
) -> int | None:
    """Forecast the past from what preceded it, and score the network beside baselines.

    Example: throughtime backtest examples/nile.csv --horizon 10 --windows 2

    Args:
        file: CSV or Parquet: unique_id, ds, y; or a time and a value column. Of a folder of Parquet files, each file
            is tested by itself, with one model for all, and no report is written.
    """
    with running("backtest", options, interrupts) as runtime:
        from throughtime.forecasting import BacktestSettings, Forecaster

        names = [name.strip() for name in windows.baselines.split(",") if name.strip()]
        settings = BacktestSettings(windows.windows, windows.step, windows.refit, windows.train_size, names)
        forecaster = Forecaster(**model.arguments(ahead.horizon))
        if file.is_dir():
            from throughtime.cli.folder_model import SeriesFolder
            from throughtime.cli.folders import backtest_partitions, refuse_for_folder

            refuse_for_folder(file, open=options.open)
            source = SeriesFolder(file, columns.names())
            return backtest_partitions(source, forecaster, settings, ahead.level, folder, runtime)
        folder.require_folder(file)
        from throughtime.cli.series_file import SeriesFile
        from throughtime.cli.workflows import backtest_file

        result = backtest_file(SeriesFile(file, columns.names()), forecaster, settings, ahead.level, runtime)
        runtime.say(f"Written to {runtime.out.path}: cv.csv, scores.csv, report.html")
        options.show(runtime.out.path)
        runtime.result = result.summary() | {"out": str(runtime.out.path)}
        return None
