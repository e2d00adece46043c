"""Wide tables, with a column for each time stamp and a row for each series, made long."""

from dataclasses import replace

import narwhals as nw
import numpy as np
import polars as pl

from throughtime.data.columns import ColumnNames
from throughtime.data.frames import as_polars, collect
from throughtime.data.source import Source
from throughtime.data.timestamps import share_of_dates

FEWEST = 3  # time stamps among the names of a wide table's columns
NUMBER = r"^\s*[+-]?\d+(\.\d*)?\s*$"
YEAR = r"^(1[5-9]|20|21)\d\d$"
ID, TIME, VALUE = "unique_id", "ds", "y"


def time_names(names: list[str]) -> list[str]:
    """Return the names that are time stamps if a table with these columns is wide, else none."""
    text = pl.Series(names, dtype=pl.String)
    numbers = text.str.contains(NUMBER)
    years = text.filter(text.str.contains(YEAR))
    if len(years) >= FEWEST and len(years) == numbers.sum() and len(set(np.diff(years.cast(pl.Int64)))) == 1:
        return years.to_list() if years.n_unique() == len(years) else []
    written = text.filter(text.str.contains(r"\d"))
    if numbers.any() or len(written) < FEWEST or share_of_dates(written) <= 0.5:
        return []
    if share_of_dates(written) < 1:
        written = written.filter([share_of_dates(pl.Series([name])) == 1 for name in written])
    return written.to_list() if len(written) >= FEWEST else []


def to_long(
    table: nw.DataFrame | nw.LazyFrame, source: Source, names: ColumnNames
) -> tuple[nw.DataFrame | nw.LazyFrame, Source, ColumnNames]:
    """Return a wide table as a long one, with the names of its columns; a long one as it is.

    Each row is a series. It is named by the column that the user names, or by the first one of text that has a
    different value in each row, or by all columns of text together. Columns beside the time stamps
    may be static covariates.
    """
    present = table.collect_schema().names()
    if names.time is not None or names.target is not None or {TIME, VALUE} & set(present):
        return table, source, names
    times = time_names(present)
    if not times:
        return table, source, names
    frame = collect(table)
    others = [name for name in present if name not in times]
    id = names.id
    if id is None and ID in others:
        id = ID
    if id is None and others:
        frame, id = _with_id(frame, others)
        others = [*others, *([id] if id not in others else [])]
    lines = None if source.lines is None else np.tile(source.lines, len(times))
    unclear = (*source.unclear, *([VALUE] if set(times) & set(source.unclear) else []))
    repairs = replace(source.repairs, wide_columns=len(times))
    long = frame.unpivot(times, index=others, variable_name=TIME, value_name=VALUE)
    source = replace(source, lines=lines, unclear=unclear, repairs=repairs)
    return long, source, replace(names, id=id, time=TIME, target=VALUE)


def _with_id(frame: nw.DataFrame, others: list[str]) -> tuple[nw.DataFrame, str]:
    """Return the frame with a column that names its rows, and the column's name."""
    columns = [as_polars(frame[name]) for name in others]
    text = [column for column in columns if _is_text(column)]
    whole = [column for column in columns if not _is_text(column) and not column.dtype.is_float()]
    for column in (*text, *(() if text else whole)):
        if not column.has_nulls() and column.n_unique() == len(column):
            return frame, column.name
    parts = pl.DataFrame([column.cast(pl.String) for column in text or columns])
    ids = parts.select(pl.concat_str(pl.all(), separator="/", ignore_nulls=True)).to_series().to_list()
    return frame.with_columns(nw.new_series(ID, ids, nw.String, backend=frame.implementation)), ID


def _is_text(column: pl.Series) -> bool:
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return False
    return bool(column.cast(pl.String).cast(pl.Float64, strict=False).is_null().any())
