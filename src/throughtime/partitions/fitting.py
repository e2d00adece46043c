"""Fits of one forecaster on all partitions of a folder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from throughtime._errors import InputError
from throughtime.data import ColumnNames, Panel, Partition, list_partitions, read_partition, whole_partitions
from throughtime.forecasting import Forecaster, StageCallback, no_callback

KEPT_SERIES = 1000  # of a folder that the fitted forecaster keeps as its own
ANY_COLUMNS = ColumnNames()


def fit_folder(
    model: Forecaster,
    folder: str | Path,
    *,
    columns: ColumnNames = ANY_COLUMNS,
    memory: int | None = None,
    work: str | Path | None = None,
    callback: StageCallback = no_callback,
) -> Forecaster:
    """Learn one forecaster from the partitions of a folder, and return it."""
    partitions = whole_partitions(list_partitions(folder), columns)
    panel = _first_readable(partitions, columns)
    model.fit(panel, callback=callback)
    kept = np.arange(min(len(panel), KEPT_SERIES))
    fitted = model.fitted_
    model.fitted_ = fitted._replace(panel=panel.of_series(kept), columns=columns, learned=panel.lengths[kept])
    return model


def _first_readable(partitions: Sequence[Partition], columns: ColumnNames) -> Panel:
    """Return the panel of the first partition that can be read.

    Raises:
        InputError: that of the first partition, if none can be read.
    """
    errors = []
    for partition in partitions:
        try:
            return read_partition(partition, columns)
        except InputError as error:
            errors.append(error)
    raise errors[0]
