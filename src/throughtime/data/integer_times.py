"""Numbers that are times: dates in digits, parts of a year, and counts of seconds or days since a date.

A number that may as well be a step number or a year is none of them.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.notations import (
    DENSE,
    ENOUGH,
    FIRST_YEAR,
    LAST_YEAR,
    NOTATIONS,
    Reading,
    dates_of,
    density,
    find_notation,
    refuse_months_or_quarters,
)

PLAIN = "integers"  # the form of a column of step numbers
DATED = "dates"  # that of dates whose notation is unknown


class Digits(NamedTuple):
    """A notation of dates by all of their digits."""

    name: str
    length: int
    years: tuple[int, int]


# A step number would not skip the month 13, nor the hour 25. Later years would be seconds since 1970.
DIGITS = (
    Digits("YYYYMMDD", 8, (FIRST_YEAR, LAST_YEAR)),
    Digits("YYYYMM", 6, (FIRST_YEAR, LAST_YEAR)),
    Digits("YYYYMMDDHH", 10, (1900, 2100)),
    Digits("YYYYMMDDHHMM", 12, (1900, 2100)),
    Digits("YYYYMMDDHHMMSS", 14, (1900, 2100)),
)
FILLING = "YYYY0101000000"  # the first day of a month, and midnight
SHORT_DAYS = "YYMMDD"
LATEST = 210_000  # the last year as YYYYMM, if YYMMDD is possible


class Epoch(NamedTuple):
    """Time counted since a date: ``ticks`` of this many microseconds since ``origin``."""

    name: str
    ticks: float
    origin: np.datetime64


UNIX = np.datetime64("1970-01-01", "us")
EPOCHS = (
    Epoch("seconds since 1970 (UTC)", 1e6, UNIX),
    Epoch("milliseconds since 1970 (UTC)", 1e3, UNIX),
    Epoch("microseconds since 1970 (UTC)", 1.0, UNIX),
    Epoch("nanoseconds since 1970 (UTC)", 1e-3, UNIX),
)
SERIAL = Epoch("days since 1899-12-30 (serial numbers of spreadsheets)", 86_400e6, np.datetime64("1899-12-30", "us"))
RECENT = (np.datetime64("1990-01-01", "us"), np.datetime64("2100-01-01", "us"))
TWELFTHS = "years and their fractions"
DECIMALS = {
    f"years and {unit}s": next(known for known in NOTATIONS if known.unit == unit and not known.short)
    for unit in ("quarter", "month", "week")
}
YEARS_WITH_FRACTIONS = (TWELFTHS, *DECIMALS)
# Five digits may as well be step numbers: the name of the column decides, or days that only a calendar explains.
DATE_NAMES = ("date", "datum", "day", "ds", "tag", "fecha", "data", "dt", "jour")
BUSINESS_DAYS = 14  # days without a weekend that are enough to know business days


def read_integers(values: NDArray[np.int64], name: str, like: str | None = None) -> Reading | None:
    """Return integers as dates, None if they are step numbers or years.

    Args:
        values: the integers, in any order.
        name: the column's name.
        like: the notation that other values of this column have, if that is known; it is used if it can be. Of times
            that are dates in another notation, even one integer may be a date.

    Raises:
        UnclearNotationError: if their meaning is in doubt; its place is that among the sorted distinct values.
    """
    if like == PLAIN:
        return None
    if like is not None and (reading := _read_like(values, like)) is not None:
        return reading
    if len(values) < 2 and like is None:
        return None
    if like in YEARS_WITH_FRACTIONS:
        return read_fractions(values.astype(np.float64), like)
    distinct = np.unique(values)
    for digits in DIGITS:
        if digits.length == 6 and distinct.max() > LATEST and _short_days(distinct) is not None:
            continue  # 210101 is of 2021, not of 2101
        if (dates := _of_digits(distinct, digits)) is not None:
            if digits.length == 6:
                refuse_months_or_quarters(*np.divmod(distinct, 100))
            return _at(values, distinct, Reading(digits.name, dates))
    if (reading := _of_parts(distinct, name)) is not None:
        return _at(values, distinct, reading)
    for epoch in EPOCHS:
        if _is_recent(distinct, epoch):
            return Reading(epoch.name, _since(values, epoch))
    if _is_recent(distinct, SERIAL) and (_named_as_date(name) or _follows_calendar(distinct)):
        return Reading(SERIAL.name, _since(values, SERIAL))
    return None


def read_fractions(values: NDArray[np.float64], like: str | None = None) -> Reading | None:
    """Return numbers with fractions as dates, None if they are none.

    They are serial numbers of spreadsheets with a time of day, seconds since 1970, or years with a fraction: 1949.25
    for a month or a quarter, 2020.01 for a month, 2015.4 for a quarter, 2018.52 for a week.

    Args:
        values: the numbers.
        like: the notation that other values of this column have, if that is known; it decides between the last ones.
    """
    for epoch in (SERIAL, *EPOCHS[:2]):
        if _is_recent(values, epoch):
            return Reading(epoch.name, _since(values, epoch))
    if not ((values >= FIRST_YEAR) & (values < LAST_YEAR)).all():
        return None
    names = (like,) if like in YEARS_WITH_FRACTIONS else YEARS_WITH_FRACTIONS
    often = like == TWELFTHS or 2 * (values % 1 != 0).sum() >= len(values)  # one fraction among years is a mistake
    months = 12 * values
    if TWELFTHS in names and often and np.abs(months - np.round(months)).max() < 0.07:  # 1949.08 is February
        dates = (np.round(months).astype(np.int64) - 12 * 1970).astype("datetime64[M]")
        return Reading(TWELFTHS, dates.astype("datetime64[us]"))
    for name, notation in DECIMALS.items():
        integers = np.round(values * notation.base).astype(np.int64)
        dates = dates_of(notation, *np.divmod(integers, notation.base))
        exact = np.allclose(integers, values * notation.base, rtol=0, atol=1e-6)
        if name in names and exact and not np.isnat(dates).any():
            return Reading(name, dates.astype("datetime64[us]"))
    return None


def _read_like(values: NDArray[np.int64], like: str) -> Reading | None:
    for digits in DIGITS:
        if digits.name == like and (dates := _of_digits(values, digits)) is not None:
            return Reading(like, dates)
    for epoch in (*EPOCHS, SERIAL):
        if epoch.name == like and len(values):
            return Reading(like, _since(values, epoch))
    for notation in NOTATIONS:
        if notation.name == like:
            dates = dates_of(notation, *np.divmod(values, notation.base))
            return None if np.isnat(dates).any() else Reading(like, dates.astype("datetime64[us]"))
    if like == SHORT_DAYS and (dates := _short_days(values)) is not None:
        return Reading(like, dates)
    return None


def _at(values: NDArray[np.int64], distinct: NDArray[np.int64], reading: Reading) -> Reading:
    """Return the dates of all values from those of the distinct ones."""
    return Reading(reading.name, reading.dates[np.searchsorted(distinct, values)].astype("datetime64[us]"))


def _of_digits(values: NDArray[np.int64], digits: Digits) -> NDArray | None:
    """Return values as dates in microseconds, None if they are not all dates."""
    year = 10 ** (digits.length - 4)
    first, last = digits.years
    if values.min() < first * year or values.max() >= last * year:
        return None
    hour = 10 ** max(digits.length - 10, 0)
    ends = (values // hour % 100 == 24) & (digits.length > 8)  # hours from 1 to 24
    text = pl.Series(values - 24 * hour * ends).cast(pl.String) + FILLING[digits.length :]
    dates = text.str.to_datetime("%Y%m%d%H%M%S", strict=False, time_unit="us")
    if dates.has_nulls():
        return None
    return dates.to_physical().to_numpy().view("datetime64[us]") + ends * np.timedelta64(1, "D")


def _of_parts(distinct: NDArray[np.int64], name: str) -> Reading | None:
    """Return distinct integers as parts of years, or as days with years of two digits."""
    best, reading = 0.0, None
    if name.strip().lower() in ("year", "years", "yr"):
        return None
    for base in (10, 100, 1000):
        years, parts = np.divmod(distinct, base)
        for short in (False, True):
            if not ((years >= 0) & (years < 100) if short else (years >= FIRST_YEAR) & (years < LAST_YEAR)).all():
                continue
            among = tuple(known for known in NOTATIONS if known.base == base and known.short == short)
            share, notation = find_notation(years, parts, among)
            if notation is not None and share > best:
                best, reading = share, Reading(notation.name, dates_of(notation, years, parts))
    days = _short_days(distinct)
    if days is not None and len(distinct) >= ENOUGH and len(np.unique(distinct // 100)) > 1:
        months = len(np.unique(distinct // 100)) == len(distinct)
        share = max(density("day", days), density("month", days) if months else 0.0)
        if share > best and share > DENSE:
            return Reading(SHORT_DAYS, days)
    return reading


def _short_days(values: NDArray[np.int64]) -> NDArray | None:
    if values.min() < 101 or values.max() > 991231:
        return None
    text = pl.Series(values).cast(pl.String).str.zfill(6)
    dates = text.str.to_datetime("%y%m%d", strict=False, time_unit="us")
    return None if dates.has_nulls() else dates.to_physical().to_numpy().view("datetime64[us]")


def _since(values: NDArray, epoch: Epoch) -> NDArray:
    """Return the instants of counts; fractions of a count are rounded to what a float can hold."""
    if values.dtype.kind == "f":
        step = 1_000_000 if epoch is SERIAL else 1000
        micros = np.round(values * epoch.ticks / step).astype(np.int64) * step
    else:
        micros = values * int(epoch.ticks) if epoch.ticks >= 1 else values // 1000
    return epoch.origin + micros.astype("timedelta64[us]")


def _is_recent(values: NDArray, epoch: Epoch) -> bool:
    first, last = ((date - epoch.origin).astype(np.int64) / epoch.ticks for date in RECENT)
    return bool(values.min() >= first and values.max() < last)


def _named_as_date(name: str) -> bool:
    words = name.strip().lower()
    return words in DATE_NAMES or "date" in words or "datum" in words


def _follows_calendar(days: NDArray[np.int64]) -> bool:
    """Return if distinct serial numbers are months, weeks or business days, which step numbers would not be."""
    dates = _since(days, SERIAL).astype("datetime64[D]")
    steps = np.diff(days)
    if len(days) > 2 and (steps == 7).all():
        return True
    months = np.diff(dates.astype("datetime64[M]").astype(np.int64))
    in_month = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    last = (dates + 1).astype("datetime64[M]") != dates.astype("datetime64[M]")
    monthly = len(days) > 2 and months.min() > 0 and len(np.unique(steps)) > 1
    if monthly and (len(np.unique(in_month)) == 1 or last.all()):
        return True
    weekdays = (dates.astype(np.int64) + 3) % 7
    return bool(len(days) >= BUSINESS_DAYS and steps.max() > 1 and weekdays.max() < 5 and np.median(steps) == 1)
