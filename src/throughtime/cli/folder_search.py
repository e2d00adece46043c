"""``throughtime tune`` of a folder of Parquet files; apart from the other commands of folders, as it loads JAX."""

from typing import Any

from throughtime.cli.folder_model import SeriesFolder
from throughtime.cli.options import FolderOptions
from throughtime.cli.progress_bar import TrainingBar
from throughtime.cli.runtime import Runtime
from throughtime.forecasting import TuningResult, TuningSettings
from throughtime.partitions import SearchedFolder, tune_folder


def search_partitions(
    source: SeriesFolder,
    horizon: int,
    settings: TuningSettings,
    fixed: dict[str, Any],
    options: FolderOptions,
    runtime: Runtime,
) -> TuningResult:
    """Search for the arguments that forecast the last windows of all partitions best.

    Args:
        source: the folder.
        horizon: the steps to forecast.
        settings: of the search.
        fixed: arguments that are not searched.
        options: the engine, and the memory of the fits.
        runtime: the running command.

    Raises:
        InputError: for a folder or a parameter that cannot be used, and for an output folder of another search.
    """
    engine, out = options.build(), runtime.out.open()
    bar = TrainingBar(runtime.console, runtime.interrupts, loss="pinball")
    with runtime.interrupts.terminable(), runtime.interrupts.cleaning(engine.close), bar:
        return tune_folder(
            SearchedFolder(source.path, source.columns, options.memory, engine, work=out), horizon, settings, out=out,
            on_message=runtime.say, on_progress=lambda done, total: bar.count("tuning", done, total, unit="trial"),
            **fixed,
        )  # fmt: skip
