"""``throughtime predict``."""

from pathlib import Path

from throughtime.cli.options import (
    ANY_AHEAD,
    ANY_FOLDER,
    ANY_RUN,
    ANY_SERIES,
    AheadOptions,
    FolderOptions,
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
    folder: FolderOptions = ANY_FOLDER,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> int | None:
    """Forecast every series of a file with a saved model, without training.

    Example: throughtime predict out/forecast/model examples/nile.csv

    Args:
        model: The folder of a saved forecaster, such as the one that the command forecast writes.
        file: CSV or Parquet with the columns and the frequency of the model's own series; or a folder of Parquet files,
            each of which is forecast by itself.
        future_file: Rows of the steps to forecast, if FILE has none for the future covariates.
    """
    with running("predict", options, interrupts) as runtime:
        if file.is_dir():
            from throughtime.cli.folders import predict_partitions, refuse_for_folder

            refuse_for_folder(file, future_file=future_file, id=columns.id, time=columns.time, target=columns.target)
            return predict_partitions(file, model, ahead.horizon, ahead.level, folder, runtime)
        folder.require_folder(file)
        from throughtime.cli.predictions import predict_file
        from throughtime.cli.series_file import SeriesFile

        source = SeriesFile(file, columns.names(), future_file)
        done = predict_file(model, source, ahead.horizon, ahead.level, runtime)
        runtime.result = done | {"out": str(runtime.out.path)}
        runtime.say(f"Written to {runtime.out.path}: forecasts.csv")
        return None
