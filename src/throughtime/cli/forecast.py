"""``throughtime forecast``."""

from pathlib import Path

from throughtime.cli.interrupts import INTERRUPTED
from throughtime.cli.options import (
    ANY_COLUMNS,
    ANY_MODEL,
    ANY_REPORT,
    ColumnOptions,
    HorizonOptions,
    ModelOptions,
    Process,
    ReportOptions,
)
from throughtime.cli.runtime import running


def forecast(
    file: Path,
    /,
    *,
    ahead: HorizonOptions,
    future_file: Path | None = None,
    columns: ColumnOptions = ANY_COLUMNS,
    model: ModelOptions = ANY_MODEL,
    options: ReportOptions = ANY_REPORT,
    interrupts: Process,
) -> int | None:
    """Forecast every series of a file with recurrent networks, and say whether they beat seasonal naive.

    Example: throughtime forecast examples/nile.csv --horizon 10

    Args:
        file: CSV or Parquet: unique_id, ds, y; or a time and a value column.
        future_file: Rows of the steps to forecast, if FILE has none for the future covariates.
    """
    with running("forecast", options, interrupts) as runtime:
        from throughtime.cli.progress_bar import ForecastBar
        from throughtime.cli.series_file import SeriesFile, read_series

        source = SeriesFile(file, columns.names(), future_file)
        panel = read_series(source)
        bar = ForecastBar(runtime.console, interrupts, panel.notes)
        with bar:  # before JAX is loaded, which takes seconds
            from throughtime.cli.workflows import forecast_file
            from throughtime.forecasting import Forecaster

            forecaster = Forecaster(**model.arguments(ahead.horizon))
            result = forecast_file(source, panel, forecaster, ahead.level, runtime, bar)
        runtime.say(f"Written to {runtime.out.path}: forecasts.csv, report.html, model")
        options.show(runtime.out.path)
        runtime.result = result.summary() | {"out": str(runtime.out.path)}
        return INTERRUPTED if result.interrupted else None
