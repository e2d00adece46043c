"""Dataframes at the edge: one column in, forecasts out as the kind of frame that came."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from throughtime._errors import InputError
from throughtime.data.frequency import wall_clock


def from_native(frame: Any) -> nw.DataFrame | nw.LazyFrame:
    """Any dataframe; a pandas index that has dates or a name becomes a column.

    Raises:
        InputError: for anything else.
    """
    if isinstance(frame, pd.DataFrame):
        index = frame.index
        if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex) or any(name is not None for name in index.names):
            frame = frame.drop(columns=[name for name in index.names if name in frame.columns])
            frame = frame.reset_index()
        if not all(isinstance(name, str) for name in frame.columns):
            raise InputError(f"the frame's columns are {list(frame.columns)}, expected text as their names")
    try:
        return nw.from_native(frame)
    except nw.exceptions.DuplicateError:
        raise InputError(f"the frame's columns are {list(frame.columns)}, expected different names") from None
    except TypeError:
        raise InputError(
            f"found {type(frame).__module__}.{type(frame).__name__}, expected a dataframe of pandas, polars, "
            f"pyarrow or another library that narwhals knows, with one row for each series and time"
        ) from None


def template(frame: Any) -> Any:
    """A frame of the kind of ``frame`` without its rows, to make others like it: see :func:`to_native`."""
    return collected(from_native(frame).head(0)).to_native()


def collected(table: nw.DataFrame | nw.LazyFrame) -> nw.DataFrame:
    """The table in memory."""
    return table.collect() if isinstance(table, nw.LazyFrame) else table


def as_polars(column: nw.Series) -> pl.Series:
    """A column as a polars series; what pandas keeps as objects as text."""
    native = column.to_native()
    if isinstance(native, pl.Series):
        return native
    if not isinstance(native, pd.Series):
        try:
            return column.to_polars()
        except pl.exceptions.ComputeError:  # polars knows no offsets of parts of an hour
            return column.dt.convert_time_zone("UTC").to_polars()
    name = str(native.name)
    if isinstance(native.dtype, pd.DatetimeTZDtype):
        instants = pl.Series(name, native.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy())
        with suppress(pl.exceptions.ComputeError):  # polars knows zones with names; fixed offsets remain text
            return instants.dt.replace_time_zone("UTC").dt.convert_time_zone(str(native.dt.tz))
    if isinstance(native.dtype, np.dtype) and native.dtype != object:
        values = native.to_numpy()
        seconds = values.dtype == "datetime64[s]"  # of all units, polars has none longer than a millisecond
        return pl.Series(name, values.astype("datetime64[ms]") if seconds else values)
    if pd.api.types.is_numeric_dtype(native.dtype) and not native.hasnans:
        return pl.Series(name, native.to_numpy(native.dtype.type))
    if pd.api.types.is_numeric_dtype(native.dtype):
        return pl.Series(name, native.to_numpy(float, na_value=np.nan))
    missing = native.isna().to_numpy()
    text = [None if absent else str(value) for value, absent in zip(native, missing, strict=True)]
    return pl.Series(name, text, pl.String)


def to_native(columns: Mapping[str, NDArray], like: Any = None, *, zone: str | None = None) -> Any:
    """Columns as a dataframe of the same kind as ``like``; of polars without it.

    Args:
        columns: arrays of one length; datetime64 in days become dates where the library knows dates.
        like: a frame of the user; lazy ones are answered in polars.
        zone: the time zone in which instants (datetime64 in UTC) are given back.
    """
    lazy = like is not None and isinstance(from_native(like), nw.LazyFrame)
    backend = pl if like is None or lazy else nw.get_native_namespace(like)
    frame = nw.from_dict(dict(columns), backend=backend)
    instants = [name for name, values in columns.items() if values.dtype.kind == "M"]
    if zone is None or not instants:
        return frame.to_native()
    utc = frame.with_columns(nw.col(*instants).dt.replace_time_zone("UTC"))
    try:
        return utc.with_columns(nw.col(*instants).dt.convert_time_zone(zone)).to_native()
    except pl.exceptions.ComputeError:  # polars knows no offsets of parts of an hour
        return utc.to_native()


def format_times(times: NDArray, zone: str | None = None) -> list[str]:
    """Time stamps as text for a CSV file: integers, ISO dates where all are midnights, else ISO date-times."""
    if times.dtype.kind != "M":
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
    return [f"{time}{_offset(offset)}" for time, offset in zip(text, minutes, strict=True)]


def _offset(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
