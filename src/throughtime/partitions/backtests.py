"""Backtests of all partitions of a folder with one forecaster that has not seen the windows."""

from pathlib import Path
from typing import NamedTuple

import polars as pl

from throughtime._errors import InputError
from throughtime.data import Partition, whole_partitions
from throughtime.forecasting import (
    BacktestSettings,
    Forecaster,
    Levels,
    no_callback,
    run_backtest,
    score_table,
)
from throughtime.partitions.basis import Basis, begin
from throughtime.partitions.engines import Engine, engine_of
from throughtime.partitions.results import Json
from throughtime.partitions.run import FolderResult, OnPartition, ignore_partition, run_partitions

SCORES = "scores"  # the folder of the results
THREE_WINDOWS = BacktestSettings(3)


class BacktestWork(NamedTuple):
    """The backtest of a partition.

    Attributes:
        basis: the folder, the forecaster, which has not seen the windows, and the levels.
        test: the windows and the baselines.
    """

    basis: Basis
    test: BacktestSettings

    @property
    def settings(self) -> Json:
        """Everything beside the partition that a score depends on."""
        return {**self.basis.settings, **self.test._asdict(), "baselines": list(self.test.baselines)}

    def __call__(self, partition: Partition) -> pl.DataFrame:
        """Return the scores of each series of a partition."""
        model, panel, levels = self.basis.load(), self.basis.read(partition), self.basis.levels
        tested = run_backtest(model, panel, self.test, level=levels, callback=no_callback, fitted=model.fitted_)
        return score_table(tested, panel, levels=levels).filter(pl.col("unique_id") != "")


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
    model, as ``throughtime backtest`` writes them for a file. Series that are too short for all windows have none.
    :func:`mean_scores` sums them up. All else is as in :func:`throughtime.forecast_folder`.

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
    engine = engine_of(engine)
    basis, partitions = begin(folder, model, out, level)
    work = BacktestWork(basis, settings)
    whole = whole_partitions(partitions, basis.load().fitted_.columns)
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
