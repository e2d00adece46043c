"""A file of series as a command is told of it; reading one needs no JAX."""

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from throughtime.data import ColumnNames, Panel, read_panel, without_leading_gaps


class SeriesFile(NamedTuple):
    """A file of series.

    Attributes:
        path: CSV or Parquet.
        columns: the names of its columns.
        future: CSV or Parquet with the future covariates of the steps to forecast, if ``path`` has no rows for them.
    """

    path: Path
    columns: ColumnNames
    future: Path | None = None


def read_series(source: SeriesFile) -> Panel:
    """Read the file's panel, without steps before a series' first value."""
    return without_leading_gaps(read_panel(source.path, **asdict(source.columns)))
