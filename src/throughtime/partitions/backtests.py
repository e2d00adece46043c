"""Backtests of all partitions of a folder with one forecaster that has not seen the windows."""

from pathlib import Path
from typing import NamedTuple

import polars as pl

from throughtime import __version__
from throughtime._errors import InputError
from throughtime._files import output_folder
from throughtime.data import Partition, list_partitions, read_partition, whole_partitions
from throughtime.forecasting import (
    BacktestSettings,
    Forecaster,
    Levels,
    as_levels,
    no_callback,
    run_backtest,
    score_table,
)
from throughtime.partitions.engines import Engine, engine_of
from throughtime.partitions.models import SavedModel, load_model, save_model
from throughtime.partitions.results import Json
from throughtime.partitions.run import FolderResult, OnPartition, ignore_partition, run_partitions

SCORES = "scores"  # the folder of the results
THREE_WINDOWS = BacktestSettings(3)


class BacktestWork(NamedTuple):
    """The backtest of a partition.

    Attributes:
        source: the absolute path of the folder.
        model: the forecaster, which has not seen the windows.
        levels: coverage of the intervals in per cent.
        test: the windows and the baselines.
    """

    source: str
    model: SavedModel
    levels: tuple[float, ...]
    test: BacktestSettings

    @property
    def settings(self) -> Json:
        """Everything beside the partition that a score depends on."""
        test = self.test._asdict() | {"baselines": list(self.test.baselines)}
        made_of = {"throughtime": __version__, "folder": self.source, "model": self.model.digest}
        return made_of | {"level": list(self.levels), **test}

    def __call__(self, partition: Partition) -> pl.DataFrame:
        """Return the scores of each series of a partition."""
        model = load_model(self.model)
        fitted = model.fitted_
        panel = read_partition(partition, fitted.columns, fitted.panel.former)
        tested = run_backtest(model, panel, self.test, level=self.levels, callback=no_callback, fitted=fitted)
        return score_table(tested, panel, levels=self.levels).filter(pl.col("unique_id") != "")


def backtest_folder(
    folder: str | Path,
    model: Forecaster | str | Path,
    out: str | Path,
    level: Levels = (),
    *,
    settings: BacktestSettings = THREE_WINDOWS,
    engine: Engine | str = "process",
    on_partition: OnPartition = ignore_partition,
) -> FolderResult:
    """Forecast the past of every series of a folder, and score the forecasts beside baselines, partition by partition.

    Each partition's scores become one Parquet file in ``out/scores``: ``unique_id, metric`` and one column for each
    model, as ``throughtime backtest`` writes them for a file. :func:`mean_scores` sums them up. All else is as in
    :func:`throughtime.forecast_folder`.

    Args:
        folder: of Parquet files.
        model: a fitted forecaster, or the folder of a saved one, that has not learned from the windows: of
            ``tt.fit_folder(model, folder, hold_back=held_back(settings, horizon))``.
        out: the folder to write to; it is made if it does not exist.
        level: coverage of the intervals in per cent.
        settings: the windows and the baselines; neither ``refit`` nor ``train_size``, as the forecaster is fitted.
        engine: "process" or "ray", or a :class:`~throughtime.partitions.RayEngine`.
        on_partition: called as ``on_partition(done, total)`` after each partition.

    Raises:
        InputError: before any forecast, as :func:`throughtime.forecast_folder` does.
    """
    if settings.refit or settings.train_size is not None:
        raise InputError(
            "a folder is backtested with one fit: leave out refit and train_size",
            code="refit-of-folder",
            found=settings._asdict(),
        )
    partitions, levels, engine = list_partitions(folder), tuple(sorted(as_levels(level))), engine_of(engine)
    saved = save_model(model, output_folder(out))
    work = BacktestWork(str(Path(folder).resolve()), saved, levels, settings)
    whole = whole_partitions(partitions, load_model(saved).fitted_.columns)
    return run_partitions(work, whole, Path(out) / SCORES, engine, on_partition)


def held_back(settings: BacktestSettings, horizon: int) -> int:
    """Return the steps at the end of each series that the windows of a backtest take."""
    return horizon + (settings.windows - 1) * (settings.step or horizon)


def mean_scores(folder: str | Path) -> pl.DataFrame:
    """Return ``metric, series`` and for each model the mean over all series that have the metric.

    Args:
        folder: of the scores that :func:`backtest_folder` wrote.
    """
    rows = pl.scan_parquet(sorted(Path(folder).rglob("*.parquet")), hive_partitioning=False)
    means = (
        rows.drop("unique_id").group_by("metric", maintain_order=True).agg(pl.len().alias("series"), pl.all().mean())
    )
    return means.collect()
