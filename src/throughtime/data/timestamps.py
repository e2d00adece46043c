"""A column of time stamps, in any of the usual notations, as integers or as datetime64 in microseconds.

polars' own inference is not strict enough: it reads a column by its first value and turns what does not fit into nulls.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.integer_times import PLAIN, read_fractions, read_integers
from throughtime.data.notations import FIRST_YEAR, LAST_YEAR, Reading, UnclearNotationError
from throughtime.data.source import Source, first_true, without_missing_words
from throughtime.data.text_parts import PARTS_OF_YEARS, YEARS_LAST, read_parts, split_years
from throughtime.data.time_zones import fixed_offset
from throughtime.data.written_times import EXPECTED, INTEGER, read_text, share_of_text_dates, unreadable

LONG_INTEGER = r"^-?\d{19}$"  # nanoseconds since 1970


@dataclass(frozen=True, eq=False)
class TimeStamps:
    """The time stamps of a column, one for each row.

    Attributes:
        values: integers, or datetime64[us], in UTC if there is a zone.
        stamp: NumPy's name for the user's type; future time stamps get it again.
        zone: the one time zone of all; None for naive time stamps.
        digits: the notation, such as "YYYYMM", if numbers were read as dates, which the user should know; else None.
        form: how the column was read, for other columns that continue it; None if its type says so.
    """

    values: NDArray
    stamp: str
    zone: str | None = None
    digits: str | None = None
    form: str | None = None

    @property
    def clocks(self) -> str | None:
        """The zone whose clocks the changing offsets of text follow; None for a fixed offset, and for other types."""
        return self.zone if self.form and self.zone and fixed_offset(self.zone) is None else None


def parse_times(column: pl.Series, source: Source, like: str | None = None) -> TimeStamps:
    """Return the time stamps of a column: text, integers, whole floats, dates or date-times.

    Args:
        column: the time stamps.
        source: names the table in messages.
        like: the ``form`` of the column that this one continues, which decides what this column leaves open.

    Raises:
        InputError: for a missing or unreadable value, dates that may be day or month first, or several time zones.
    """
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    elif column.dtype.is_decimal():
        column = column.cast(pl.Float64)
    if column.dtype == pl.String:
        column = without_missing_words(column)
    elif column.dtype.is_float():
        column = column.fill_nan(None)
    if column.has_nulls():
        row = first_true(column.is_null())
        raise source.error("no time stamp", code="missing-time", row=row, column=column.name, expected=EXPECTED)
    if column.dtype == pl.String:
        return _from_text(column, source, like)
    if column.dtype.is_integer():
        return _from_integers(column, source, like)
    if column.dtype.is_float():
        return _from_floats(column, source, like)
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
    if sample.dtype not in (pl.String, pl.Categorical, pl.Enum) or not len(sample):
        return 0.0
    sample = sample.cast(pl.String)
    text = sample.str.strip_chars()
    if split_years(text) is not None:
        return 1.0
    text = text.set(text.cast(pl.Float64, strict=False).is_not_null(), None)
    years = text.str.extract(PARTS_OF_YEARS, 1).fill_null(text.str.extract(YEARS_LAST, 2)).cast(pl.Int64)
    parts = float(years.is_between(FIRST_YEAR, LAST_YEAR).fill_null(False).sum()) / len(text)
    return parts if parts > 0.5 else share_of_text_dates(text)


def distinct_values(values: NDArray) -> NDArray:
    """Return the distinct values, sorted. polars hashes them first: several times faster than to sort them all."""
    numbers = values.view(np.int64) if values.dtype.kind == "M" else values
    return pl.Series(numbers).unique().sort().to_numpy().view(values.dtype)


def _from_datetimes(column: pl.Series, source: Source) -> TimeStamps:
    kind = column.dtype
    assert isinstance(kind, pl.Datetime)
    if kind.time_unit == "ns":
        source.refuse(column.to_physical() % 1000 != 0, column, "whole microseconds", code="nanoseconds")
    return TimeStamps(_microseconds(column), f"datetime64[{kind.time_unit}]", kind.time_zone)


def _from_integers(column: pl.Series, source: Source, like: str | None) -> TimeStamps:
    whole = column.cast(pl.Int64, strict=False)
    source.refuse(whole.is_null(), column, "integers below 2**63", code="not-a-time")
    values = whole.to_numpy()
    try:
        reading = read_integers(values, column.name, like)
    except UnclearNotationError as unclear:
        value = int(distinct_values(values)[unclear.place])
        raise _unclear(column, first_true(whole == value), unclear, source) from None
    if reading is not None:
        return _of_reading(reading)
    return TimeStamps(values, "int32" if column.dtype == pl.Int32 else "int64", form=PLAIN)


def _from_floats(column: pl.Series, source: Source, like: str | None) -> TimeStamps:
    whole = (column == column.cast(pl.Int64, strict=False)).fill_null(False)
    if whole.all():
        return _from_integers(column.cast(pl.Int64), source, like)
    if column.is_finite().all() and (reading := read_fractions(column.to_numpy(), like)) is not None:
        return _of_reading(reading)
    raise unreadable(column, first_true(~whole), source)


def _from_text(column: pl.Series, source: Source, like: str | None) -> TimeStamps:
    distinct = column.unique(maintain_order=True)
    if (distinct.str.contains(INTEGER) | distinct.str.contains(LONG_INTEGER)).all():
        whole = column.str.replace(r"\.0*$", "").cast(pl.Int64, strict=False)
        if not whole.has_nulls():
            return _from_integers(whole, source, like)
    if (years := split_years(distinct)) is not None:
        values = column.replace_strict(distinct, years) if len(distinct) < len(column) else years
        return TimeStamps(values.to_numpy(), "int64", digits="by their first years", form=PLAIN)
    try:
        reading = read_parts(column, distinct, like)
    except UnclearNotationError as unclear:
        raise _unclear(column, first_true(column == distinct[unclear.place]), unclear, source) from None
    if reading is not None:
        return _of_reading(reading)
    numbers = distinct.cast(pl.Float64, strict=False)
    if not numbers.has_nulls() and numbers.is_finite().all() and read_fractions(numbers.to_numpy()) is not None:
        return _from_floats(column.cast(pl.Float64), source, like)
    written = read_text(column, source, like)
    return TimeStamps(_microseconds(written.dates), "datetime64[us]", written.zone, form=written.form)


def _of_reading(reading: Reading) -> TimeStamps:
    return TimeStamps(reading.dates, "datetime64[us]", digits=reading.name, form=reading.name)


def _unclear(column: pl.Series, row: int, unclear: UnclearNotationError, source: Source) -> Exception:
    return source.error(
        f"found {column[row]!r}: {unclear.message}",
        code=unclear.code,
        row=row,
        column=column.name,
        found=column[row],
        expected="YYYY-MM-DD",
    )


def _microseconds(dates: pl.Series) -> NDArray:
    return dates.to_numpy().astype("datetime64[us]")
