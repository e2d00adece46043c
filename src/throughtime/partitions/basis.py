"""The basis of all results of a folder, forecasts or scores: the folder, one forecaster, the levels of intervals."""

from pathlib import Path
from typing import NamedTuple

from throughtime import __version__
from throughtime._files import output_folder
from throughtime.data import Panel, Partition, list_partitions, read_partition
from throughtime.forecasting import Forecaster, Levels, as_levels
from throughtime.partitions.models import SavedModel, load_model, save_model
from throughtime.partitions.results import Json


class Basis(NamedTuple):
    """Everything that a result depends on, whatever is made of a partition.

    Attributes:
        source: the absolute path of the folder.
        model: the forecaster.
        levels: coverage of the intervals in per cent, ascending.
    """

    source: str
    model: SavedModel
    levels: tuple[float, ...]

    @property
    def settings(self) -> Json:
        """The same as JSON values."""
        made_of = {"throughtime": __version__, "folder": self.source, "model": self.model.digest}
        return made_of | {"level": list(self.levels)}

    def load(self) -> Forecaster:
        """Return the forecaster."""
        return load_model(self.model)

    def read(self, partition: Partition) -> Panel:
        """Return the panel of a partition, as the forecaster was given its own.

        Raises:
            InputError: if it cannot be used.
        """
        fitted = self.load().fitted_
        return read_partition(partition, fitted.columns, fitted.panel.former)


def begin(
    folder: str | Path, model: Forecaster | str | Path, out: str | Path, level: Levels
) -> tuple[Basis, list[Partition]]:
    """Return the basis of the results and the partitions of a folder, with the forecaster saved in ``out``.

    Args:
        folder: of Parquet files.
        model: a fitted forecaster, or the folder of a saved one.
        out: the folder of the results; it is made if it does not exist.
        level: coverage of the intervals in per cent.

    Raises:
        InputError: for a folder without partitions, for levels that cannot be, and as :func:`save_model` does.
    """
    partitions, levels = list_partitions(folder), tuple(sorted(as_levels(level)))
    return Basis(str(Path(folder).resolve()), save_model(model, output_folder(out)), levels), partitions
