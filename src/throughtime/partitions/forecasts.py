"""Forecasts of all partitions of a folder with one fitted forecaster."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import polars as pl

from throughtime import __version__
from throughtime._errors import InputError
from throughtime._files import STAGE, output_folder
from throughtime._numbers import Whole
from throughtime.data import Partition, list_partitions, read_partition, whole_partitions
from throughtime.forecasting import Forecaster, Levels, as_levels, require_trained_horizon
from throughtime.partitions.engines import Engine, engine_of
from throughtime.partitions.results import Json
from throughtime.partitions.run import FolderResult, OnPartition, run_partitions
from throughtime.service import model_digest

FORECASTS, MODEL = "forecasts", "model"  # the folders of the results and of the forecaster


class ForecastWork(NamedTuple):
    """The forecast of a partition.

    Attributes:
        model: the folder of a saved forecaster.
        digest: of the forecaster.
        levels: coverage of the intervals in per cent.
        horizon: the steps to forecast.
    """

    model: str
    digest: str
    levels: tuple[float, ...]
    horizon: int

    @property
    def settings(self) -> Json:
        """Everything beside the partition that a forecast depends on."""
        return {
            "throughtime": __version__,
            "model": self.digest,
            "level": list(self.levels),
            "horizon": self.horizon,
        }

    def __call__(self, partition: Partition) -> pl.DataFrame:
        """Return the forecasts of all series of a partition."""
        model = _loaded(self.model, self.digest)
        fitted = model.fitted_
        panel = read_partition(partition, fitted.columns, fitted.panel.former)
        return model.predict(panel, self.levels, horizon=self.horizon)


@lru_cache(maxsize=1)
def _loaded(folder: str, digest: str) -> Forecaster:
    """Return a saved forecaster, from memory if this process had it for the partition before."""
    return Forecaster.load(folder)


def forecast_folder(
    folder: str | Path,
    model: Forecaster | str | Path,
    out: str | Path,
    level: Levels = (),
    *,
    horizon: Whole | None = None,
    engine: Engine | str = "process",
    on_partition: OnPartition = lambda done, total: None,
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

    Raises:
        InputError: before any forecast: for a folder without partitions, a series in two of them, a forecaster that is
            not fitted, and for an ``out`` that holds forecasts of another model, level or horizon.

    Example:
        >>> tt.forecast_folder("sales", model, "out", level=[80, 95], engine="ray")
    """
    partitions, levels, engine = list_partitions(folder), tuple(as_levels(level)), engine_of(engine)
    place = output_folder(out)
    saved = _saved(model, place / MODEL) if isinstance(model, Forecaster) else Path(model)
    fitted = Forecaster.load(saved).fitted_
    steps = require_trained_horizon(fitted, horizon)
    work = ForecastWork(str(saved.resolve()), model_digest(saved), levels, steps)
    return run_partitions(work, whole_partitions(partitions, fitted.columns), place / FORECASTS, engine, on_partition)


def _saved(model: Forecaster, folder: Path) -> Path:
    """Return the folder with the forecaster, which is written there if there is none.

    Raises:
        InputError: before its fit, and for a folder with another one.
    """
    if not folder.exists():
        model.save(folder)
    with TemporaryDirectory(dir=folder.parent, prefix=STAGE) as same:
        model.save(same)
        if model_digest(Path(same)) != model_digest(folder):
            raise InputError(
                f"{folder} is another forecaster: choose another folder with --out, or remove {folder.parent}",
                code="other-model",
                file=folder,
            )
    return folder
