"""A time that is split over several columns, such as year and month, or date and hour, as one column."""

from dataclasses import replace
from typing import NamedTuple

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.columns import JOINED, ColumnNames, several
from throughtime.data.frames import collect, column_names, first_rows, polars_column
from throughtime.data.source import Source, first_true
from throughtime.data.timestamps import parse_times, share_of_dates

ROWS = 100  # of the table, enough to know the parts
# A time of day, perhaps the first of two.
CLOCK = (
    r"^(\d{1,2})[:.hH](\d{2})(?:[:.](\d{2})(?:\.\d+)?)?\s*(?:([aApP])\.?[mM]\.?)?"
    r"(?:\s*[-\x{2013}]\s*\d{1,2}[:.hH]\d{2}(?:[:.]\d{2})?)?$"
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Part(NamedTuple):
    """A part of a time: the usual names of its column, and its least and largest number."""

    names: tuple[str, ...]
    least: int
    largest: int


PARTS = {
    "year": Part(("year", "yr", "yyyy", "jahr", "annee", "ano"), 1000, 2999),
    "month": Part(("month", "mon", "mo", "mm", "mth", "mnth", "monat", "mois"), 1, 12),
    "quarter": Part(("quarter", "qtr", "q", "quartal"), 1, 4),
    "week": Part(("week", "wk", "kw", "isoweek", "woche", "weekofyear"), 1, 53),
    "dayofyear": Part(("doy", "dayofyear", "yday", "jday", "julianday"), 1, 366),
    "day": Part(("day", "dd", "dy", "tag", "dom", "mday", "dayofmonth"), 1, 31),
    "hour": Part(("hour", "hr", "hh", "h", "he", "time", "stunde", "heure", "hourofday", "hourending"), 0, 2400),
    "minute": Part(("minute", "min", "mi", "minuten"), 0, 59),
}
FINER = {
    "year": (("month", "quarter", "week", "dayofyear"), ("day",), ("clock", "hour"), ("minute",)),
    "date": (("clock", "hour"), ("minute",)),
}


def join_time(
    table: nw.DataFrame | nw.LazyFrame, source: Source, names: ColumnNames
) -> tuple[nw.DataFrame | nw.LazyFrame, ColumnNames]:
    """Return the table with one column for a time that is split over several, and its name as that of the time.

    The time is taken for split if its coarsest part, a date or a year, is several times in one series, and columns with
    usual names and fitting values tell the rows apart. The user can name the columns too: "date + hour".
    """
    time = names.time or JOINED.join(find_parts(table, names))
    joined = with_joined_time(table, time, source)
    if joined is table:
        return table, names
    kept = {*several(names.static), *several(names.past), *several(names.future)}
    return joined.drop([name for name in time.split(JOINED) if name not in kept]), replace(names, time=time)


def with_joined_time(table: nw.DataFrame | nw.LazyFrame, time: str, source: Source) -> nw.DataFrame | nw.LazyFrame:
    """Return the table with the column ``time``, "date + hour", made of its parts; as it is if that is no such name."""
    names, present = time.split(JOINED), column_names(table)
    if time in present or len(names) < 2 or not set(names) <= set(present):
        return table
    frame = collect(table)
    columns = [polars_column(frame, name) for name in names]
    parts = {kind: column for column in columns if (kind := part_of_time(column.head(ROWS))) is not None}
    if len(parts) < len(columns) or not {"date", "year"} & set(parts):
        return table
    times = _times(parts, time, source)
    return frame.with_columns(nw.new_series(time, times, nw.Datetime("us"), backend=frame.implementation))


def find_parts(table: nw.DataFrame | nw.LazyFrame, names: ColumnNames) -> list[str]:
    """Return the columns that the time is split over, from the coarsest; none or one if it is not split."""
    present = column_names(table)
    if "ds" in present:
        return []
    head = first_rows(table, ROWS)
    if not len(head):
        return []
    id = names.id or ("unique_id" if "unique_id" in present else None)
    if id is not None and id not in present:
        return []  # an error, which names all columns, comes when they are resolved
    taken = {id, *several(names.target)}
    found: dict[str, list[str]] = {}
    for name in head.columns:
        kind = None if name in taken else part_of_time(polars_column(head, name))
        if kind is not None:
            found.setdefault(kind, []).append(name)
    if any(len(columns) > 1 for columns in found.values()):
        return []
    coarsest = "date" if "date" in found else "year"
    if coarsest not in found:
        return []
    parts = list(found[coarsest])
    for kinds in FINER[coarsest]:
        if _distinct(table, id, parts):
            break
        kind = next((kind for kind in kinds if kind in found), None)
        if kind is None:
            continue
        parts += found[kind]
    return parts


def _distinct(table: nw.DataFrame | nw.LazyFrame, id: str | None, columns: list[str]) -> bool:
    names = [*columns, *([id] if id is not None else [])]
    frame = collect(table.select(names))
    return not pl.DataFrame([polars_column(frame, name).cast(pl.String) for name in names]).is_duplicated().any()


def part_of_time(column: pl.Series) -> str | None:
    """Return the part of a time that a column holds, by its name and its values."""
    values = column.drop_nulls()
    if not len(values):
        return None
    if column.dtype == pl.Time:
        return "clock"
    if column.dtype == pl.String and values.str.strip_chars().str.contains(CLOCK).all():
        return "clock"
    if share_of_dates(values) > 0.5:
        return "date"
    name = column.name.strip(" <>").lower().replace("_", "").replace(" ", "")
    kind = next((kind for kind, part in PARTS.items() if name in part.names), None)
    numbers = None if kind is None else _numbers(values, kind)
    if kind is None or numbers is None or numbers.has_nulls():
        return None
    return kind if numbers.is_between(PARTS[kind].least, PARTS[kind].largest).all() else None


def _numbers(column: pl.Series, kind: str) -> pl.Series | None:
    """Return a part of a time as integers, null where it is none: 3, "3", 3.0, Q3, and March or Mar in months."""
    if column.dtype.is_numeric():
        return column.cast(pl.Int64, strict=False).set(column != column.floor(), None)
    if column.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return None
    text = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    if kind == "month" and text.str.contains("^[a-z]").all():
        numbers = {name: number for number, name in enumerate(MONTHS, 1)}
        return text.str.head(3).replace_strict(numbers, default=None, return_dtype=pl.Int64)
    return text.str.extract(r"^[qw]?(\d+)(\.0*)?$", 1).cast(pl.Int64)


def _times(parts: dict[str, pl.Series], name: str, source: Source) -> NDArray:
    """Return the times of all parts."""
    for column in parts.values():
        if column.has_nulls():
            row = first_true(column.is_null())
            raise source.error("no part of a time", code="missing-time", row=row, column=column.name)
    if "date" in parts:
        times = parse_times(parts["date"], source).values
    else:
        numbers = {kind: _whole(column, kind, source) for kind, column in parts.items() if kind != "clock"}
        times = _days(numbers, name, source)
    times = times.astype("datetime64[us]")
    if "clock" in parts:
        times = times + _clock(parts["clock"], source)
    if "hour" in parts:
        hours = _whole(parts["hour"], "hour", source)
        minutes = hours % 100 + hours // 100 * 60 if hours.max() > 24 else hours * 60  # 1330 is half past one
        times = times + minutes.astype("timedelta64[m]")
    if "minute" in parts:
        times = times + _whole(parts["minute"], "minute", source).astype("timedelta64[m]")
    return times


def _whole(column: pl.Series, kind: str, source: Source) -> NDArray[np.int64]:
    """Return a part of a time as integers, all of which are possible."""
    numbers = _numbers(column, kind)
    assert numbers is not None
    least, largest = PARTS[kind].least, PARTS[kind].largest
    outside = ~numbers.is_between(least, largest).fill_null(False)
    source.refuse(outside, column, f"{kind}s from {least} to {largest}", code="not-a-time")
    return numbers.to_numpy()


def _days(parts: dict[str, NDArray[np.int64]], name: str, source: Source) -> NDArray:
    """Return the first day of years, months, quarters or ISO weeks, or the day of a month."""
    year = parts["year"] - 1970
    if "week" in parts:
        fourth = year.astype("datetime64[Y]").astype("datetime64[D]") + 3  # January 4 is in the first week
        monday = fourth - (fourth.astype(np.int64) + 3) % 7
        return monday + 7 * (parts["week"] - 1)
    if "dayofyear" in parts:
        parts = parts | {"month": np.ones_like(year), "day": parts["dayofyear"]}
    month = parts.get("month", 3 * parts["quarter"] - 2 if "quarter" in parts else np.ones_like(year))
    months = (12 * year + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (parts.get("day", np.ones_like(year)) - 1)
    span = "datetime64[Y]" if "dayofyear" in parts else "datetime64[M]"
    wrong = days.astype(span) != months.astype(span)
    if wrong.any():
        row = int(wrong.argmax())
        found = f"{months[row]}-{parts['day'][row]:02d}"
        raise source.error(
            f"found {found}, which is no date", code="not-a-time", row=row, column=name, found=found, expected="a date"
        )
    return days


def _clock(column: pl.Series, source: Source) -> NDArray:
    """Return the time of day."""
    text = column.cast(pl.String).str.strip_chars()
    source.refuse(~text.str.contains(CLOCK), column, "times of day such as 13:30", code="not-a-time")
    hour, minute, second, half = (text.str.extract(CLOCK, group) for group in (1, 2, 3, 4))
    hours = hour.cast(pl.Int64).to_numpy()
    afternoon, morning = (half.str.to_lowercase().eq_missing(letter).to_numpy() for letter in "pa")
    hours = np.where(afternoon | morning, hours % 12 + 12 * afternoon, hours)
    seconds = 3600 * hours + 60 * minute.cast(pl.Int64).to_numpy() + second.fill_null("0").cast(pl.Int64).to_numpy()
    return seconds.astype("timedelta64[s]")
