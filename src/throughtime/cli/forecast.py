"""``throughtime forecast``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from throughtime.cli.cluster import NO_CLUSTER, ClusterOptions
from throughtime.cli.interrupts import INTERRUPTED
from throughtime.cli.options import (
    ANY_COLUMNS,
    ANY_FOLDER,
    ANY_MODEL,
    ANY_REPORT,
    ColumnOptions,
    FolderOptions,
    HorizonOptions,
    ModelOptions,
    Process,
    ReportOptions,
)
from throughtime.cli.runtime import Runtime, running

if TYPE_CHECKING:
    from throughtime.data import ColumnNames
    from throughtime.forecasting import Forecaster


def forecast(
    file: Path,
    /,
    *,
    ahead: HorizonOptions,
    future_file: Path | None = None,
    start: Path | None = None,
    columns: ColumnOptions = ANY_COLUMNS,
    model: ModelOptions = ANY_MODEL,
    folder: FolderOptions = ANY_FOLDER,
    options: ReportOptions = ANY_REPORT,
    cluster: ClusterOptions = NO_CLUSTER,
    interrupts: Process,
) -> int | None:
    """Forecast every series of a file with recurrent networks, and say whether they beat seasonal naive.

    Example: throughtime forecast examples/nile.csv --horizon 10

    Args:
        file: CSV or Parquet: unique_id, ds, y; or a time and a value column. Of a folder of Parquet files, each file
            is read and forecast by itself, with one model for all, and no report is written.
        future_file: Rows of the steps to forecast, if FILE has none for the future covariates.
        start: The folder of a saved forecaster from whose weights training goes on, if that is better. Columns and
            arguments of the network that are not typed are its own.
    """
    if file.is_dir():
        from throughtime.cli.folders import refuse_for_folder

        refuse_for_folder(file, future_file=future_file, start=start, open=options.open)
    cluster.join()
    with running("forecast", cluster.own(options), interrupts) as runtime:
        if file.is_dir():
            return _forecast_folder(file, ahead, columns, model, folder, cluster, runtime)
        folder.require_folder(file)
        from throughtime.cli.progress_bar import ForecastBar
        from throughtime.cli.series_file import SeriesFile, read_series

        known, names, arguments = _of_start(start, columns, model.arguments(ahead.horizon))
        source = SeriesFile(file, names, future_file)
        panel = read_series(source)
        bar = ForecastBar(runtime.console, interrupts, panel.notes)
        with bar:  # before JAX is loaded, which takes seconds
            from throughtime.cli.workflows import forecast_file, forecastable, learn
            from throughtime.forecasting import Forecaster

            forecaster = Forecaster(**arguments | cluster.arguments())
            if not cluster.writes:
                panel = forecastable(source, panel, forecaster, ahead.level, known)
                learn(source, panel, forecaster, ahead.level, runtime, bar, known)
                return None
            result = forecast_file(source, panel, forecaster, ahead.level, runtime, bar, known)
        runtime.say(f"Written to {runtime.out.path}: forecasts.csv, report.html, model")
        options.show(runtime.out.path)
        runtime.result = result.summary() | {"out": str(runtime.out.path)}
        return INTERRUPTED if result.interrupted else None


def _of_start(
    folder: Path | None, columns: ColumnOptions, typed: dict[str, Any]
) -> "tuple[Forecaster | None, ColumnNames, dict[str, Any]]":
    """Return the forecaster in a folder, the names of columns and the arguments, both its own where none were typed."""
    if folder is None:
        return None, columns.names(), typed
    from throughtime.forecasting import Forecaster

    known = Forecaster.load(folder)
    return known, known.fitted_.columns.with_names(columns.names()), {**known.get_params(), "devices": 1, **typed}


def _forecast_folder(
    folder: Path,
    ahead: HorizonOptions,
    columns: ColumnOptions,
    model: ModelOptions,
    options: FolderOptions,
    cluster: ClusterOptions,
    runtime: Runtime,
) -> int | None:
    """Forecast the partitions of a folder; a process that does not write only takes part in the fit."""
    from throughtime.cli.folder_model import SeriesFolder, take_part
    from throughtime.cli.folders import forecast_partitions
    from throughtime.forecasting import Forecaster

    forecaster = Forecaster(**model.arguments(ahead.horizon) | cluster.arguments())
    source = SeriesFolder(folder, columns.names())
    if not cluster.writes:
        with runtime.interrupts.terminable():
            take_part(source, forecaster, options.memory)
        return None
    return forecast_partitions(source, forecaster, ahead.level, options, runtime)
