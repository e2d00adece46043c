"""A file of series as a command is told of it; reading one needs no JAX."""

from pathlib import Path
from typing import NamedTuple

from throughtime.data import ColumnNames, Former, Panel, read_named, without_leading_gaps


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


def read_series(source: SeriesFile, former: Former | None = None) -> Panel:
    """Read the file's panel, without steps before a series' first value.

    Args:
        source: the file.
        former: of the panel whose frequency, and whose kinds of covariates, the file must have.
    """
    return without_leading_gaps(read_named(source.path, source.columns, former))
