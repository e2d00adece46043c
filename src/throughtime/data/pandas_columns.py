"""Columns of pandas as series of polars, without pyarrow and without an import of pandas.

Time stamps of all kinds become date-times: those of NumPy and of Arrow, Python's own among objects, and periods by
their first instant.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.time_zones import fixed_offset, zone_name, zone_of

DATE_TYPES = ("datetime64", "period", "timestamp", "date32", "date64")  # as the names of pandas' types begin
DATE_OBJECTS = ("datetime64", "datetime", "date", "period")  # as pandas infers the objects of an index


def holds_dates(index: Any) -> bool:
    """Return if a pandas index holds dates, date-times or periods."""
    return str(index.dtype).startswith(DATE_TYPES) or index.inferred_type in DATE_OBJECTS


def polars_of_pandas(native: Any) -> pl.Series:
    """Return a pandas series as a polars series; objects become text, but for date-times with a zone and periods."""
    name = str(native.name)
    if str(native.dtype).startswith("period"):
        return polars_of_pandas(native.dt.to_timestamp())
    if native.dtype.kind == "M" and (times := _date_times(native, name)) is not None:
        return times
    if isinstance(native.dtype, np.dtype) and native.dtype != object:
        return _series(name, native.to_numpy())
    if nw.dependencies.get_pandas().api.types.is_numeric_dtype(native.dtype):
        if native.hasnans:
            return pl.Series(name, native.to_numpy(float, na_value=np.nan))
        return pl.Series(name, native.to_numpy(native.dtype.type))
    missing = native.isna().to_numpy()
    if native.dtype == object and (times := _times_of_objects(native, missing, name)) is not None:
        return times
    text = [None if absent else str(value) for value, absent in zip(native, missing, strict=True)]
    return pl.Series(name, text, pl.String)


def _date_times(native: Any, name: str) -> pl.Series | None:
    """Return date-times of a zone with a name, and Arrow's without a zone; None for others."""
    if not str(native.dtype).startswith(("datetime64", "timestamp")):
        return None
    if (zone := native.dt.tz) is None:
        return _series(name, native.to_numpy())
    return _in_zone(_series(name, native.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()), zone_name(zone))


def _series(name: str, values: NDArray) -> pl.Series:
    seconds = values.dtype == "datetime64[s]"  # polars has no unit longer than a millisecond
    return pl.Series(name, values.astype("datetime64[ms]") if seconds else values)


def _times_of_objects(native: Any, missing: NDArray[np.bool_], name: str) -> pl.Series | None:
    """Return date-times that are all in one zone with a name, or periods; None for other objects."""
    present = [value for value, absent in zip(native, missing, strict=True) if not absent]
    if present and all(type(value).__name__ == "Period" for value in present):
        starts = [None if absent else value.to_timestamp() for value, absent in zip(native, missing, strict=True)]
        return pl.Series(name, np.array(starts, "datetime64[us]"))
    if not present or not all(isinstance(value, datetime) for value in present) or (zone := zone_of(present)) is None:
        return None
    instants = [
        None if absent else value.astimezone(UTC).replace(tzinfo=None)
        for value, absent in zip(native, missing, strict=True)
    ]
    return _in_zone(pl.Series(name, np.array(instants, "datetime64[us]")), zone)


def _in_zone(instants: pl.Series, zone: str | None) -> pl.Series | None:
    """Return instants of UTC in a zone, None without one and for fixed offsets, which polars does not know."""
    if zone is None or (zone != "UTC" and fixed_offset(zone) is not None):
        return None
    with suppress(pl.exceptions.ComputeError):
        return instants.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    return None
