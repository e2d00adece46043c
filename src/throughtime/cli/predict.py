"""``throughtime predict``."""

from pathlib import Path
from typing import Annotated

from throughtime.cli.options import ANY_RUN, ANY_SERIES, Process, RunOptions, SeriesOptions, default
from throughtime.cli.runtime import running


def predict(
    model: Path,
    file: Path,
    /,
    *,
    horizon: Annotated[int | None, default("that of the model")] = None,
    level: Annotated[tuple[float, ...], default("80 and 95")] = (80.0, 95.0),
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
        horizon: How many steps ahead, at most those of the model.
        level: Coverage of an interval in per cent; repeat it for more.
        future_file: Rows of the steps to forecast, if FILE has none for the future covariates.
    """
    with running("predict", options, interrupts) as runtime:
        from throughtime.cli.predictions import predict_file
        from throughtime.cli.series_file import SeriesFile

        source = SeriesFile(file, columns.names(), future_file)
        runtime.result = predict_file(model, source, horizon, level, runtime) | {"out": str(runtime.out.path)}
        runtime.say(f"Written to {runtime.out.path}: forecasts.csv")
