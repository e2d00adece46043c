"""A column of time stamps, in any of the usual notations, as integers or as datetime64 in microseconds.

polars' own inference is not strict enough: it reads a column by its first value and turns what does not fit into nulls.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.source import Source, first_true, without_missing_words
from throughtime.data.time_zones import fixed_offset

# Formats of dates. A column holds one of them throughout, with or without a time of day.
DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%Y%m%d",
    "%G-W%V-%u",
)
MONTHS = ("%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%b %Y", "%b-%Y", "%Y %b", "%Y-%b", "%B %Y", "%Y%m")
TIMES_OF_DAY = ("", " %H:%M:%S%.f", " %H:%M", " %I:%M:%S %p", " %I:%M %p")
INTEGER = r"^-?\d{1,18}(\.0*)?$"
ZONED = r"^(.*\d:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)$"
EXPECTED = "a date such as 1949-01 or 1949-01-31, a date-time such as 1949-01-31 13:00, or an integer"
# Integers whose digits are all dates between these years are dates: a count would not skip the month 13.
FIRST_YEAR, LAST_YEAR = 1700, 2200
INTEGER_DATES = (("%Y%m%d", "YYYYMMDD", 10_000), ("%Y%m", "YYYYMM", 100))  # format, notation, a year's worth
FOUR_DIGITS = (1000, 9999)  # a parsed year outside of these was a day or had two digits
SAMPLE = 200  # values that are enough to find the format of a column


@dataclass(frozen=True, eq=False)
class TimeStamps:
    """The time stamps of a column, one for each row.

    Attributes:
        values: integers, or datetime64[us], in UTC if there is a zone.
        stamp: NumPy's name for the user's type; future time stamps get it again.
        zone: the one time zone of all; None for naive time stamps.
        digits: "YYYYMM" or "YYYYMMDD" if integers were read as dates, which the user should know; else None.
    """

    values: NDArray
    stamp: str
    zone: str | None = None
    digits: str | None = None


def parse_times(column: pl.Series, source: Source) -> TimeStamps:
    """Return the time stamps of a column: text, integers, whole floats, dates or date-times.

    Raises:
        InputError: for a missing or unreadable value, dates that may be day or month first, or several time zones.
    """
    if column.dtype == pl.String:
        column = without_missing_words(column)
    elif column.dtype.is_float():
        column = column.fill_nan(None)
    if column.has_nulls():
        row = first_true(column.is_null())
        raise source.error("no time stamp", code="missing-time", row=row, column=column.name, expected=EXPECTED)
    if column.dtype == pl.String:
        return _from_text(column, source)
    if column.dtype.is_integer():
        return _from_integers(column, source)
    if column.dtype.is_float():
        return _from_floats(column, source)
    if isinstance(column.dtype, pl.Date):
        return TimeStamps(_microseconds(column), "datetime64[D]")
    if isinstance(column.dtype, pl.Datetime):
        return _from_datetimes(column, source)
    raise source.error(
        f"found the type {column.dtype}, expected {EXPECTED}",
        code="not-a-time",
        column=column.name,
        found=column.dtype,
        expected=EXPECTED,
    )


def share_of_dates(sample: pl.Series) -> float:
    """Return the share of values that are dates; integers are not."""
    if sample.dtype.is_temporal():
        return 1.0
    if sample.dtype != pl.String or not len(sample):
        return 0.0
    text = sample.str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False).is_not_null()
    text = _without_zone(text).set(numbers, None)
    return max(1 - _read(text, form).null_count() / len(text) for form in DATES + MONTHS)


def distinct_values(values: NDArray) -> NDArray:
    """Return the distinct values, sorted. polars hashes them first: several times faster than to sort them all."""
    numbers = values.view(np.int64) if values.dtype.kind == "M" else values
    return pl.Series(numbers).unique().sort().to_numpy().view(values.dtype)


def _unreadable(column: pl.Series, row: int, source: Source) -> Exception:
    value = column[row]
    return source.error(
        f"found {value!r}, expected {EXPECTED}",
        code="not-a-time",
        row=row,
        column=column.name,
        found=value,
        expected=EXPECTED,
    )


def _from_datetimes(column: pl.Series, source: Source) -> TimeStamps:
    kind = column.dtype
    assert isinstance(kind, pl.Datetime)
    if kind.time_unit == "ns" and (column.to_physical() % 1000 != 0).any():
        row = first_true(column.to_physical() % 1000 != 0)
        raise source.error(
            "time stamps with nanoseconds, expected whole microseconds",
            code="nanoseconds",
            row=row,
            column=column.name,
            found=column[row],
            expected="whole microseconds",
        )
    return TimeStamps(_microseconds(column), f"datetime64[{kind.time_unit}]", kind.time_zone)


def _from_integers(column: pl.Series, source: Source) -> TimeStamps:
    whole = column.cast(pl.Int64, strict=False)
    if whole.has_nulls():
        row = first_true(whole.is_null())
        raise source.error(
            f"found {column[row]}, expected integers below 2**63",
            code="not-a-time",
            row=row,
            column=column.name,
            found=column[row],
            expected="integers below 2**63",
        )
    values = whole.to_numpy()
    for form, digits, year in INTEGER_DATES:
        if len(values) > 1 and values.min() >= year * FIRST_YEAR and values.max() < year * LAST_YEAR:
            dates = _read(pl.Series(values).cast(pl.String), form)
            if not dates.has_nulls():
                return TimeStamps(_microseconds(dates), "datetime64[us]", digits=digits)
    return TimeStamps(values, "int32" if column.dtype == pl.Int32 else "int64")


def _from_floats(column: pl.Series, source: Source) -> TimeStamps:
    whole = (column == column.cast(pl.Int64, strict=False)).fill_null(False)
    if not whole.all():
        raise _unreadable(column, first_true(~whole), source)
    return _from_integers(column.cast(pl.Int64), source)


def _from_text(column: pl.Series, source: Source) -> TimeStamps:
    distinct = column.unique(maintain_order=True)
    whole = distinct.str.contains(INTEGER)
    if whole.all():
        return _from_integers(column.str.replace(r"\.0*$", "").cast(pl.Int64), source)
    bare = _without_zone(distinct)
    sample = bare.head(SAMPLE)
    counts = {form: _read(sample, form).count() for form in DATES + MONTHS}
    most = max(counts.values())
    readings = {form: _read(bare, form) for form, count in counts.items() if count == most}
    dates = min(readings.values(), key=pl.Series.null_count)
    unread = ~whole if whole.sum() > dates.count() else dates.is_null()
    if unread.any():
        raise _unreadable(column, first_true(column == distinct[first_true(unread)]), source)
    for other in readings.values():
        if not other.has_nulls() and (other != dates).any():
            k = first_true(other != dates)
            raise source.error(
                f"{distinct[k]!r} may be {dates[k]:%Y-%m-%d} or {other[k]:%Y-%m-%d}: all dates of the "
                f"column can be read with the day or the month first. Write them as YYYY-MM-DD.",
                code="day-or-month-first",
                row=first_true(column == distinct[k]),
                column=column.name,
                found=distinct[k],
                expected="YYYY-MM-DD",
            )
    zone = _one_zone(column, distinct, source)
    if zone is not None:
        dates = dates.dt.replace_time_zone(None) - fixed_offset(zone)
    values = dates if len(distinct) == len(column) else column.replace_strict(distinct, dates)
    return TimeStamps(_microseconds(values), "datetime64[us]", zone)


def _read(text: pl.Series, form: str) -> pl.Series:
    """Return the values in this format as date-times, null if they are not."""
    month = form in MONTHS
    dates = pl.Series(text.name, [None] * 0, pl.Datetime("us")).extend_constant(None, len(text))
    for clock in ("",) if month else TIMES_OF_DAY:
        read = ("01 " + text if month else text).str.to_datetime(
            ("%d " if month else "") + form + clock, strict=False, time_unit="us"
        )
        dates = dates.zip_with(dates.is_not_null(), read)
        if not dates.has_nulls():
            break
    return dates.set(~dates.dt.year().is_between(*FOUR_DIGITS), None)


def _without_zone(text: pl.Series) -> pl.Series:
    """Return text without zones; quarters, weeks and ISO's T become what one of the formats reads."""
    bare = text.str.extract(ZONED, 1)
    text = bare.zip_with(bare.is_not_null(), text)
    if not text.str.contains("[QTW]").any():
        return text
    for quarter in range(4):
        text = text.str.replace(rf"^(\d{{4}})[ -]?Q{quarter + 1}$", f"${{1}}-{3 * quarter + 1:02d}")
    text = text.str.replace(r"^(\d{4})-?W(\d{2})$", "${1}-W${2}-1")
    return text.str.replace(r"(\d)T(\d)", "${1} ${2}")


def _one_zone(column: pl.Series, distinct: pl.Series, source: Source) -> str | None:
    """Return the zone written behind all time stamps: "UTC", "+02:00", or None."""
    written = distinct.str.extract(ZONED, 2)
    zones = {text: None if text is None else _zone_name(text) for text in written.unique(maintain_order=True)}
    if len(set(zones.values())) == 1:
        return zones[written[0]]
    same = [text for text, zone in zones.items() if zone == zones[written[0]]]
    other = distinct[first_true(~written.is_in(same, nulls_equal=True))]
    raise source.error(
        f"mixed time zones: found {other!r}, but {column[0]!r} in {source.place(0)}. Convert all time stamps to UTC.",
        code="mixed-time-zones",
        row=first_true(column == other),
        column=column.name,
        found=other,
        expected=zones[written[0]] or "no time zone",
    )


def _zone_name(written: str) -> str:
    if written in ("Z", "UTC"):
        return "UTC"
    digits = written[1:].replace(":", "").ljust(4, "0")
    return "UTC" if digits == "0000" else f"{written[0]}{digits[:2]}:{digits[2:]}"


def _microseconds(dates: pl.Series) -> NDArray:
    return dates.cast(pl.Datetime("us")).to_physical().to_numpy().view("datetime64[us]")
