"""``throughtime predict``."""

from pathlib import Path

from throughtime.cli.options import (
    ANY_AHEAD,
    ANY_RUN,
    ANY_SERIES,
    AheadOptions,
    Process,
    RunOptions,
    SeriesOptions,
)
from throughtime.cli.runtime import running


def predict(
    model: Path,
    file: Path,
    /,
    *,
    ahead: AheadOptions = ANY_AHEAD,
    future_file: Path | None = None,
    columns: SeriesOptions = ANY_SERIES,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """Forecast every series of a file with a saved model, without training.

    Example: throughtime predict out/forecast/model examples/nile.csv

    Args:
        model: The folder of a saved forecaster, such as the one that the command forecast writes.
        file: CSV or Parquet with the columns and the frequency of the model's own series.
        future_file: Rows of the steps to forecast, if FILE has none for the future covariates.
    """
    with running("predict", options, interrupts) as runtime:
        from throughtime.cli.predictions import predict_file
        from throughtime.cli.series_file import SeriesFile

        source = SeriesFile(file, columns.names(), future_file)
        done = predict_file(model, source, ahead.horizon, ahead.level, runtime)
        runtime.result = done | {"out": str(runtime.out.path)}
        runtime.say(f"Written to {runtime.out.path}: forecasts.csv")
