"""Time stamps written as text: the format that a column has throughout, its zone, and the years of two digits."""

import re
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from throughtime.data.source import Source, first_true
from throughtime.data.time_zones import fixed_offset, zone_of_offsets

# Formats of dates. A column holds one of them throughout, with or without a time of day.
DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%B-%Y",
    "%B-%d-%Y",
    "%Y-%B-%d",
    "%Y%m%d",
    "%G-W%V-%u",
)
MONTHS = ("%Y-%m", "%Y/%m", "%m/%Y", "%m-%Y", "%B-%Y", "%Y-%B", "%Y%m")
# Formats with years of two digits, tried where no other reads a column.
YEAR_LAST = ("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%d-%B-%y", "%B-%y")
YEAR_FIRST = ("%y/%m/%d", "%y-%m-%d")
MONTHS_SHORT = ("%B-%y",)
TIMES_OF_DAY = ("", " %H:%M:%S%.f", " %H:%M", " %I:%M:%S %p", " %I:%M %p")
ZONED = r"^(.*\d:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)$"
MIDNIGHT = r"([ T])24:00((?::00)?(?:\.0+)?)$"  # the end of a day
FOUR_DIGIT_YEAR = re.compile(r"(?<!\d)\d{4}")
INTEGER = r"^-?\d{1,18}(\.0*)?$"
EXPECTED = "a date such as 1949-01 or 1949-01-31, a date-time such as 1949-01-31 13:00, or an integer"
FOUR_DIGITS = (1000, 9999)  # a parsed year outside of these was a day or had two digits
SAMPLE = 200  # values that are enough to find the format of a column
PLAIN_SPAN = 10  # years first make days this many times as far apart as years last: the reading is wrong
# A span of time stands for its beginning: 2020-01-06/2020-01-12, or with a dash or "to" between blanks.
SPANS = (r"^(.*\d{4}.*?)\s+(?:-|\x{2013}|\x{2014}|to)\s+.*\d{4}.*$", r"^(\d{4}-\d\d-\d\d[^/]*)/\d{4}-\d\d-\d\d[^/]*$")
# Quarters, weeks and months with letters, and what one of the formats reads.
LETTERS = (
    (r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", ""),
    (r"(?i)^([a-z]{3})\s+(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})$", "${2}-${1}-${4} ${3}"),
    (r"(?i)\b(\d{1,2})(?:st|nd|rd|th)\b", "${1}"),
    (r"(?i)\bsept\b", "Sep"),
    (r"(?i)(\d)[ /.,'\x{2019}-]+([a-z]{3,9})\b\.?", "${1}-${2}"),
    (r"(?i)\b([a-z]{3,9})\.?[ /,'\x{2019}-]+(\d)", "${1}-${2}"),
    (r"(?i)\b([a-z]{3,9}-\d{1,2}),?\s+(\d{4})\b", "${1}-${2}"),
    (r"(?i)^(\d{4})[ /:-]?W(\d)$", "${1}-W0${2}-1"),
    (r"(?i)^(\d{4})[ /:-]?W(\d{2})$", "${1}-W${2}-1"),
    (r"(?i)^W(\d)[ /:-]?(\d{4})$", "${2}-W0${1}-1"),
    (r"(?i)^W(\d{2})[ /:-]?(\d{4})$", "${2}-W${1}-1"),
    (r"(?i)^(\d{4})[ :-]?M(\d{1,2})$", "${1}-${2}"),
    (r"(?i)\b([ap])\.m\.$", "${1}m"),
    (r"^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})?$", "${1}-${2}-${3} ${4}:${5}:${6}"),
    (r"(\d):$", "${1}"),
    (r"(\d)T(\d)", "${1} ${2}"),
)


class Written(NamedTuple):
    """The time stamps of a column of text.

    Attributes:
        dates: one for each row, in UTC if there is a zone.
        zone: "UTC", "+02:00", "Europe/Berlin" if the offsets change with its clocks, or None.
        form: the format of the dates.
    """

    dates: pl.Series
    zone: str | None
    form: str


def read_text(column: pl.Series, source: Source, like: str | None = None) -> Written:
    """Return the time stamps of a column of text without missing values.

    Args:
        column: the text.
        source: names the table in messages.
        like: the format of other values of this column, if that is known; it is used if it reads all of these.

    Raises:
        InputError: for an unreadable value, dates that may be day or month first, or several time zones.
    """
    distinct = column.unique(maintain_order=True)
    bare = plain_text(distinct)
    readings = _certain_reading(bare, like) or _possible_readings(bare)
    form, dates = min(readings.items(), key=lambda item: item[1].null_count())
    if dates.has_nulls():
        whole = distinct.str.contains(INTEGER)
        unread = ~whole if whole.sum() > dates.count() else dates.is_null()
        raise unreadable(column, first_true(column == distinct[first_true(unread)]), source)
    for other in readings.values():
        if not other.has_nulls() and (other != dates).any():
            raise _two_readings(column, distinct, dates, other, source)
    dates = dates + _ends_of_days(distinct)
    zone, offsets = _one_zone(column, distinct, dates, source)
    dates = dates - offsets
    if len(distinct) < len(column):
        dates = column.replace_strict(distinct, dates)
    return Written(dates, zone, form)


def share_of_text_dates(text: pl.Series) -> float:
    """Return the share of values that are dates in the most frequent format; numbers are null in ``text``."""
    if not text.str.contains(r"\d").any():  # to try all formats takes as long as to read a small file
        return 0.0
    bare, most = plain_text(text), 0.0
    for forms in (DATES + MONTHS, YEAR_LAST + YEAR_FIRST):
        for form in forms:
            most = max(most, 1 - _read(bare, form).null_count() / len(bare))
            if most == 1:
                return most
        if most > 0.5:
            break
    return most


def plain_text(text: pl.Series) -> pl.Series:
    """Return text without zones; quarters, weeks and ISO's T become what one of the formats reads."""
    bare = text.str.extract(ZONED, 1)
    text = bare.zip_with(bare.is_not_null(), text)
    text = text.str.replace(MIDNIGHT, "${1}00:00${2}")
    for span in SPANS:
        if text.str.contains(span).all():
            text = text.str.replace(span, "${1}")
    if not text.str.contains("(?i)[a-z]").any():
        return text
    for quarter in range(4):
        month = f"{3 * quarter + 1:02d}"
        for pattern in (rf"^(\d{{4}})[ /:-]?Q{quarter + 1}$", rf"^(?:Q{quarter + 1}|{quarter + 1}Q)[ /:-]?(\d{{4}})$"):
            text = text.str.replace(f"(?i){pattern}", f"${{1}}-{month}")
        for years, century in ((r"[0-5]\d|6[0-8]", 20), (r"69|[7-9]\d", 19)):  # as POSIX has them
            for pattern in (
                rf"^({years})[ /:-]?Q{quarter + 1}$",
                rf"^(?:Q{quarter + 1}|{quarter + 1}Q)[ /:'-]?({years})$",
            ):
                text = text.str.replace(f"(?i){pattern}", f"{century}${{1}}-{month}")
    for pattern, replacement in LETTERS:
        text = text.str.replace(pattern, replacement)
    return text


def unreadable(column: pl.Series, row: int, source: Source) -> Exception:
    """Return the error for a value that is no time stamp."""
    value = column[row]
    hint = ""
    if isinstance(value, str) and (zone := re.search(r"\d:\d\d\s*([A-Z]{2,5})$", value)):
        hint = f". Write the offset from UTC, such as +01:00, in place of {zone[1]!r}"
    elif isinstance(value, str) and any(map(str.isdigit, value)) and not FOUR_DIGIT_YEAR.search(value):
        hint = ". It has no year of four digits: write dates as YYYY-MM-DD"
    return source.error(
        f"found {value!r}, expected {EXPECTED}{hint}",
        code="not-a-time",
        row=row,
        column=column.name,
        found=value,
        expected=EXPECTED,
    )


def _certain_reading(bare: pl.Series, like: str | None) -> dict[str, pl.Series]:
    """Return the dates in the known format, or as ISO has them, if one reads all; no other format reads ISO's dates."""
    for form in (like, DATES[0]):
        if form is not None and form.startswith("%") and not (dates := _read(bare, form)).has_nulls():
            return {form: dates}
    return {}


def _possible_readings(bare: pl.Series) -> dict[str, pl.Series]:
    """Return the dates in each of the formats that read the most values, with short years if no other reads all."""
    readings = _readings(bare, DATES + MONTHS)
    if all(dates.has_nulls() for dates in readings.values()):
        short = _readings(bare, YEAR_LAST + YEAR_FIRST)
        complete = {form: dates for form, dates in short.items() if not dates.has_nulls()}
        readings = _without_wrong_order(complete) or readings
    return readings


def _readings(bare: pl.Series, forms: tuple[str, ...]) -> dict[str, pl.Series]:
    """Return the dates in each of the formats that read the most values of a sample."""
    sample = bare.head(SAMPLE)
    counts = {form: _read(sample, form).count() for form in forms}
    most = max(counts.values())
    return {form: _read(bare, form) for form, count in counts.items() if count == most}


def _without_wrong_order(readings: dict[str, pl.Series]) -> dict[str, pl.Series]:
    """Return complete readings without those whose order of the year is wrong; none if that cannot be told.

    31/12/19 and 30/12/19 may be of 1930 or 1931, but a table does not jump by years and stay in the month.
    """
    last = [form for form in readings if form not in YEAR_FIRST]
    first = [form for form in readings if form in YEAR_FIRST]
    if not last or not first:
        return readings
    spans = [min(_span(readings[form]) for form in forms) for forms in (last, first)]
    few = max(len(dates) for dates in readings.values()) < 3
    if few or max(spans) < PLAIN_SPAN * min(spans):
        return {}
    kept = last if spans[0] < spans[1] else first
    return {form: readings[form] for form in kept}


def _span(dates: pl.Series) -> float:
    numbers = dates.to_physical().to_numpy()
    return float(numbers.max() - numbers.min())


def _two_readings(
    column: pl.Series, distinct: pl.Series, dates: pl.Series, other: pl.Series, source: Source
) -> Exception:
    k = first_true(other != dates)
    return source.error(
        f"{distinct[k]!r} may be {dates[k]:%Y-%m-%d} or {other[k]:%Y-%m-%d}: all dates of the "
        f"column can be read with the day or the month first. Write them as YYYY-MM-DD.",
        code="day-or-month-first",
        row=first_true(column == distinct[k]),
        column=column.name,
        found=distinct[k],
        expected="YYYY-MM-DD",
    )


def _read(text: pl.Series, form: str) -> pl.Series:
    """Return the values in this format as date-times, null if they are not."""
    month = form in MONTHS or form in MONTHS_SHORT
    dates = pl.Series(text.name, [None] * 0, pl.Datetime("us")).extend_constant(None, len(text))
    for clock in ("",) if month else TIMES_OF_DAY:
        read = ("01 " + text if month else text).str.to_datetime(
            ("%d " if month else "") + form + clock, strict=False, time_unit="us"
        )
        dates = dates.zip_with(dates.is_not_null(), read)
        if not dates.has_nulls():
            break
    return dates.set(~dates.dt.year().is_between(*FOUR_DIGITS), None)


def _ends_of_days(text: pl.Series) -> pl.Series:
    """Return a day for texts that end with 24:00, else nothing."""
    bare = text.str.extract(ZONED, 1)
    ends = bare.zip_with(bare.is_not_null(), text).str.contains(MIDNIGHT)
    return (ends.cast(pl.Int64) * 86_400_000_000).cast(pl.Duration("us"))


def _one_zone(column: pl.Series, distinct: pl.Series, local: pl.Series, source: Source) -> tuple[str | None, pl.Series]:
    """Return the zone that all time stamps are in, None without one, and the offset of each distinct one from UTC.

    Offsets that change as the clocks of a zone do are its, and its name is returned.
    """
    written = distinct.str.extract(ZONED, 2)
    zones = {text: None if text is None else _zone_name(text) for text in written.unique(maintain_order=True)}
    known = {text: zone and fixed_offset(zone) for text, zone in zones.items()}
    offsets = pl.Series([known[text] or timedelta() for text in zones], dtype=pl.Duration("us"))
    offsets = written.replace_strict(pl.Series(list(zones), dtype=pl.String), offsets)
    if len(set(zones.values())) == 1:
        return zones[written[0]], offsets
    if None not in zones:
        instants = (local - offsets).to_physical().to_numpy().view("datetime64[us]")
        if (zone := zone_of_offsets(instants, offsets.to_physical().to_numpy().view("timedelta64[us]"))) is not None:
            return zone, offsets
    same = [text for text, zone in zones.items() if zone == zones[written[0]]]
    other = distinct[first_true(~written.is_in(same, nulls_equal=True))]
    days = None not in zones and len(np.unique(local.to_physical().to_numpy() % 86_400_000_000)) == 1
    advice = (
        "They are one local time of day: drop the offsets, and days begin as the clocks show."
        if days
        else "Convert all time stamps to UTC."
    )
    raise source.error(
        f"mixed time zones: found {other!r}, but {column[0]!r} in {source.place(0)}. {advice}",
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
