"""Forecasts of all partitions of a folder with one fitted forecaster."""

from pathlib import Path
from typing import NamedTuple

import polars as pl

from throughtime._numbers import Whole
from throughtime.data import Partition, whole_partitions
from throughtime.forecasting import Forecaster, Levels, require_trained_horizon
from throughtime.partitions.basis import Basis, begin
from throughtime.partitions.engines import Engine, engine_of
from throughtime.partitions.results import Json
from throughtime.partitions.run import FolderResult, OnPartition, ignore_partition, run_partitions

FORECASTS = "forecasts"  # the folder of the results


class ForecastWork(NamedTuple):
    """The forecast of a partition.

    Attributes:
        basis: the folder, the forecaster, the levels.
        horizon: the steps to forecast.
    """

    basis: Basis
    horizon: int

    @property
    def settings(self) -> Json:
        """Everything beside the partition that a forecast depends on."""
        return {**self.basis.settings, "horizon": self.horizon}

    def __call__(self, partition: Partition) -> pl.DataFrame:
        """Return the forecasts of all series of a partition."""
        panel = self.basis.read(partition)
        return self.basis.load().predict(panel, self.basis.levels, horizon=self.horizon)


def forecast_folder(
    folder: str | Path,
    model: Forecaster | str | Path,
    out: str | Path,
    level: Levels = (),
    *,
    horizon: Whole | None = None,
    engine: Engine | str = "process",
    on_partition: OnPartition = ignore_partition,
) -> FolderResult:
    """Forecast every series of a folder of Parquet files, partition by partition.

    Each partition's forecasts become one Parquet file in ``out/forecasts``, as soon as they are there. Called again
    with the same arguments, it goes on with the partitions that have none yet, that failed, or that have changed.

    Args:
        folder: its partitions are Parquet files; all files of a folder ``key=value`` are one partition, and the key is
            a column. Each series lies in one partition, and each partition fits in memory.
        model: a fitted forecaster, which is saved as ``out/model``, or the folder of a saved one. On a cluster, all
            machines must see these folders under the same names.
        out: the folder to write to; it is made if it does not exist.
        level: coverage of the intervals in per cent, such as ``[80, 95]`` or 80.
        horizon: the steps to forecast, at most those of the forecaster; all of them by default.
        engine: "process", which is this one; "ray"; or a :class:`~throughtime.partitions.RayEngine` with an address.
        on_partition: called as ``on_partition(done, total)`` after each partition.

    Returns:
        The number of partitions that were done, and the failures: a partition that cannot be forecast ends no other.
        Series without any value are left out, as of a frame.

    Raises:
        InputError: before any forecast: for a folder without partitions, a series in two of them, a forecaster that is
            not fitted, and for an ``out`` that holds forecasts of another folder, model, level or horizon.

    Example:
        >>> tt.forecast_folder("sales", model, "out", level=[80, 95], engine="ray")
    """
    engine = engine_of(engine)
    basis, partitions = begin(folder, model, out, level)
    fitted = basis.load().fitted_
    work = ForecastWork(basis, require_trained_horizon(fitted, horizon))
    whole = whole_partitions(partitions, fitted.columns)
    return run_partitions(work, whole, Path(out) / FORECASTS, engine, on_partition)
