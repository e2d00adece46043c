"""Dataframes at the edge: columns in, forecasts out as a frame of the user's own library.

pandas is not a dependency: whoever passes a pandas frame has it, and narwhals recognizes the frame without an import.
"""

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.pandas_columns import holds_dates, polars_of_pandas
from throughtime.data.time_zones import offset_text, wall_clock


def from_native(frame: Any) -> nw.DataFrame | nw.LazyFrame:
    """Return any dataframe as narwhals sees it; a pandas index that has dates or a name becomes a column.

    Raises:
        InputError: for anything else.
    """
    if nw.dependencies.is_pandas_dataframe(frame):
        frame = _without_index(frame)
        if not all(isinstance(name, str) for name in frame.columns):
            raise InputError(
                f"the frame's columns are {list(frame.columns)}, expected text as their names",
                code="column-names-not-text",
                found=list(frame.columns),
                expected="text",
            )
    try:
        return nw.from_native(frame)
    except nw.exceptions.DuplicateError:
        raise InputError(
            f"the frame's columns are {list(frame.columns)}, expected different names",
            code="duplicate-column",
            found=list(frame.columns),
            expected="different names",
        ) from None
    except TypeError:
        kind = f"{type(frame).__module__}.{type(frame).__name__}"
        expected = "a dataframe of pandas, polars, pyarrow or another library that narwhals knows"
        raise InputError(
            f"found {kind}, expected {expected}, with one row for each series and time",
            code="not-a-dataframe",
            found=kind,
            expected=expected,
        ) from None


def _without_index(frame: Any) -> Any:
    """Return a pandas frame whose index is a column if it has dates or a name; a column of that name gives way."""
    index = frame.index
    if not holds_dates(index) and all(name is None for name in index.names):
        return frame
    return frame.drop(columns=[name for name in index.names if name in frame.columns]).reset_index()


def template(frame: Any) -> Any:
    """Return a frame of the kind of ``frame`` without its rows, as ``like`` for :func:`to_native`."""
    return collect(from_native(frame).head(0)).to_native()


def collect(table: nw.DataFrame | nw.LazyFrame) -> nw.DataFrame:
    """Return the table in memory."""
    return table.collect() if isinstance(table, nw.LazyFrame) else table


def column_names(table: nw.DataFrame | nw.LazyFrame) -> list[str]:
    """Return the names of the columns; the schema of a table in memory takes longer than they do."""
    return table.columns if isinstance(table, nw.DataFrame) else table.collect_schema().names()


def first_rows(table: nw.DataFrame | nw.LazyFrame, count: int) -> nw.DataFrame:
    """Return at most the first ``count`` rows in memory."""
    return table if isinstance(table, nw.DataFrame) and len(table) <= count else collect(table.head(count))


def as_polars(column: nw.Series) -> pl.Series:
    """Return a column as a polars series; objects of pandas become text."""
    native = column.to_native()
    if isinstance(native, pl.Series):
        return native
    if nw.dependencies.is_pandas_series(native):
        return polars_of_pandas(native)
    try:
        return column.to_polars()
    except pl.exceptions.ComputeError:  # polars does not know zones with a fixed offset
        return column.dt.convert_time_zone("UTC").to_polars()


def polars_column(frame: nw.DataFrame, name: str) -> pl.Series:
    """Return a column of a table in memory as a polars series, as :func:`as_polars` does."""
    native = frame.to_native()
    return native.get_column(name) if isinstance(native, pl.DataFrame) else as_polars(frame.get_column(name))


def to_native(columns: Mapping[str, NDArray], like: Any = None, *, zone: str | None = None) -> Any:
    """Return columns as a dataframe of the same kind as ``like``; of polars without it.

    Args:
        columns: arrays of one length; datetime64 in days become dates if the library knows dates.
        like: a frame of the user; for a lazy one the result is of polars.
        zone: the time zone of the result's time stamps; those in ``columns`` are instants, datetime64 in UTC.
    """
    if like is None or isinstance(like, pl.DataFrame) or isinstance(from_native(like), nw.LazyFrame):
        frame = pl.DataFrame([pl.Series(name, values) for name, values in columns.items()])
    else:
        frame = nw.from_dict(dict(columns), backend=nw.get_native_namespace(like)).to_native()
    instants = [name for name, values in columns.items() if values.dtype.kind == "M"]
    if zone is None or not instants:
        return frame
    utc = nw.from_native(frame).with_columns(nw.col(*instants).dt.replace_time_zone("UTC"))
    try:
        return utc.with_columns(nw.col(*instants).dt.convert_time_zone(zone)).to_native()
    except pl.exceptions.ComputeError:  # polars does not know zones with a fixed offset
        return utc.to_native()


def format_times(times: NDArray, zone: str | None = None) -> list[str]:
    """Return time stamps as text for a CSV file: integers, ISO dates if all are midnights, else ISO date-times."""
    if times.dtype.kind != "M" or not len(times):
        return [str(time) for time in times.tolist()]
    times = times.astype("datetime64[us]")
    wall = wall_clock(times, zone)
    if zone is None and np.array_equal(wall, wall.astype("datetime64[D]")):
        return np.datetime_as_string(wall, unit="D").tolist()
    whole = np.array_equal(wall, wall.astype("datetime64[s]"))
    text = np.datetime_as_string(wall, unit="s" if whole else "us").tolist()
    if zone is None:
        return text
    minutes = (wall - times).astype("timedelta64[m]").astype(int).tolist()
    return [f"{time}{offset_text(offset)}" for time, offset in zip(text, minutes, strict=True)]
