"""``throughtime tune``."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from throughtime.cli.options import (
    ANY_COLUMNS,
    ANY_FOLDER,
    ANY_NETWORK,
    ANY_RUN,
    ColumnOptions,
    FolderOptions,
    NetworkOptions,
    Process,
    RunOptions,
    default,
)
from throughtime.cli.runtime import Runtime, running

if TYPE_CHECKING:
    from throughtime.data import Panel
    from throughtime.forecasting import TuningResult, TuningSettings


@Parameter(name="*", group=Group("Search", sort_key=0))
@dataclass(frozen=True)
class SearchOptions:
    """The extent of the search."""

    trials: int = 20
    """How many in all, those of an earlier run included."""
    timeout: float | None = None
    """Seconds after which no further trial starts and a running one ends; the first one is always judged."""
    windows: Annotated[int | None, default("up to 3")] = None
    """Horizons at the end that are forecast."""
    hold_back: int = 0
    """Steps at the end that the search must not see."""


ANY_SEARCH = SearchOptions()


def tune(
    file: Path,
    /,
    *,
    horizon: int,
    search: SearchOptions = ANY_SEARCH,
    columns: ColumnOptions = ANY_COLUMNS,
    network: NetworkOptions = ANY_NETWORK,
    folder: FolderOptions = ANY_FOLDER,
    options: RunOptions = ANY_RUN,
    interrupts: Process,
) -> None:
    """Search for the settings that forecast the last windows of a file best. Run again, it goes on.

    Options of the network are fixed and not searched.

    Example: throughtime tune examples/co2_weekly.csv --horizon 26 --trials 10

    Args:
        file: CSV or Parquet: unique_id, ds, y; or a time and a value column. Of a folder of Parquet files, one network
            is trained for all in each trial, and each file is judged by itself.
        horizon: How many steps ahead.
    """
    with running("tune", options, interrupts) as runtime:
        out = runtime.out
        interrupts.kept = lambda: _kept(out.path / "study.db")
        fixed = network.typed()
        if file.is_dir():
            from throughtime.cli.folder_model import SeriesFolder
            from throughtime.cli.folder_search import search_partitions

            of_search = _settings(search, fixed)
            found = search_partitions(SeriesFolder(file, columns.names()), horizon, of_search, fixed, folder, runtime)
            result: dict[str, Any] = {"folder": str(file)}
        else:
            folder.require_folder(file)
            panel = _read(file, columns, runtime)
            found, result = _search(panel, horizon, search, fixed, runtime), {"file": str(file), "series": len(panel)}
        runtime.say(found.summary)
        runtime.say(f"Written to {out.path}: study.db, trials.csv, best.json")
        runtime.say(f"Use it: throughtime forecast {file} --horizon {horizon} --settings {out.path / 'best.json'}")
        runtime.result = result | {"horizon": horizon} | _summary(found) | {"out": str(out.path)}


def _read(file: Path, columns: ColumnOptions, runtime: Runtime) -> "Panel":
    """Return the panel of a file, and say what was found in it."""
    from throughtime.cli.series_file import SeriesFile, read_series

    panel = read_series(SeriesFile(file, columns.names()))
    for note in panel.notes:
        runtime.say(note)
    return panel


def _settings(search: SearchOptions, fixed: dict[str, Any]) -> "TuningSettings":
    """Return the settings of a search; the seed is taken out of the fixed arguments."""
    from throughtime.forecasting import TuningSettings

    return TuningSettings(search.trials, search.timeout, search.windows, search.hold_back, fixed.pop("seed", 0))


def _search(panel: Any, horizon: int, search: SearchOptions, fixed: dict[str, Any], runtime: Runtime) -> "TuningResult":
    from throughtime.cli.progress_bar import TrainingBar
    from throughtime.forecasting import tune as search_settings

    settings = _settings(search, fixed)
    with TrainingBar(runtime.console, runtime.interrupts, loss="pinball") as bar:
        return search_settings(
            panel,
            horizon,
            settings,
            out=runtime.out.open(),
            on_message=runtime.say,
            on_progress=lambda done, total: bar.count("tuning", done, total, unit="window"),
            **fixed,
        )


def _summary(found: "TuningResult") -> dict[str, Any]:
    return {
        "trials": len(found.trials),
        "states": dict(found.trials["state"].value_counts().sort("state").iter_rows()),
        "loss": found.loss,
        "default_loss": found.default_loss,
        "arguments": found.arguments,
        "verdict": found.summary,
    }


def _kept(study: Path) -> str:
    """Return what there is when tuning is interrupted."""
    if study.exists():
        return f"{study} has all trials that came to an end: the same command goes on from there."
    return "Nothing was written."
