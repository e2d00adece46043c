"""The rows of a table, sorted and on the steps of a frequency: that of the rows themselves, or a known one."""

from dataclasses import replace

import narwhals as nw
import numpy as np

from throughtime.data.columns import ColumnNames
from throughtime.data.former import Former
from throughtime.data.frames import column_names, format_times
from throughtime.data.frequency import Frequency
from throughtime.data.irregular import FrequencyError, check_sparse
from throughtime.data.odd_rows import Settled, settle_on, settle_times
from throughtime.data.rows import Rows, check_distinct, read_columns, sort_rows
from throughtime.data.source import Source
from throughtime.data.split_time import find_parts, join_time
from throughtime.data.wide import to_long

TELLING = 2  # differences of time stamps that tell a frequency


def read_rows(
    table: nw.DataFrame | nw.LazyFrame, source: Source, names: ColumnNames, former: Former | None
) -> tuple[nw.DataFrame | nw.LazyFrame, Source, Rows]:
    """Return the table in its long form, its source, and its rows, sorted.

    Raises:
        InputError: for a table that cannot be read, and for two rows of one series and time.
    """
    if former is not None:
        known = replace(former.names, time=None) if _splits_time(table, names) else former.names
        names = names.or_former(known, column_names(table))
    table, source, names = to_long(table, source, names)
    table, names = join_time(table, source, names)
    rows = sort_rows(read_columns(table, source, names, None if former is None else former.notation))
    check_distinct(rows, table, source)
    return table, source, rows


def _splits_time(table: nw.DataFrame | nw.LazyFrame, names: ColumnNames) -> bool:
    """Tell if the time is split over columns, as several rows would have the same time without one of them."""
    if names.time is not None or (isinstance(table, nw.DataFrame) and len(table) == 1):
        return False
    return len(find_parts(table, names)) > 1


def on_steps(rows: Rows, source: Source, former: Former | None) -> tuple[Rows, Frequency, tuple[str, ...]]:
    """Return the rows on steps of one frequency, the frequency, and which time stamps were moved for it, in words.

    Args:
        rows: sorted.
        source: names the table in messages.
        former: of the panel whose frequency the rows must have; if None they tell their own.

    Raises:
        InputError: for time stamps without a frequency, or on no step of the known one; with the row.
    """
    stamps = rows.stamps
    try:
        settled = _settled(rows, source, former)
    except FrequencyError as error:
        raise _at_row(error, rows, source) from None
    now = format_times(settled.times[settled.moved], stamps.zone)
    moved = tuple(f"{rows.name(int(k), source)} to {time}" for k, time in zip(settled.moved, now, strict=True))
    return rows._replace(stamps=replace(stamps, values=settled.times)), settled.frequency, moved


def check_steps(rows: Rows, frequency: Frequency, source: Source) -> None:
    """Refuse sorted rows on the steps of a known frequency that have a coarser one, or hardly any of the steps.

    Raises:
        InputError: with the row.
    """
    within = np.flatnonzero(np.diff(rows.series) == 0)
    steps = np.diff(frequency.ordinals(rows.stamps.values))[within]
    if not len(steps):
        return
    common = int(np.gcd.reduce(steps))
    if len(steps) >= TELLING and common > frequency.multiple:
        found = replace(frequency, multiple=common).describe()
        raise source.error(
            f"another frequency: the rows are {found}, the known series {frequency.describe()}",
            code="other-frequency",
            column=rows.columns.time,
            found=found,
            expected=frequency.describe(),
        )
    try:
        check_sparse(frequency, steps, within, lambda position: rows.name(position, source))
    except FrequencyError as error:
        raise _at_row(error, rows, source) from None


def _settled(rows: Rows, source: Source, former: Former | None) -> Settled:
    stamps = rows.stamps

    def name(position: int) -> str:
        return rows.name(position, source)

    if former is None:
        return settle_times(stamps.values, rows.bounds(), stamp=stamps.stamp, zone=stamps.zone, name=name)
    known = former.frequency
    dates, known_dates = stamps.values.dtype.kind == "M", known.unit != "integer"
    if dates != known_dates or (stamps.zone is None) != (known.zone is None):
        time = format_times(stamps.values[:1], stamps.zone)[0]
        raise source.error(
            f"found {time}, {_kind(dates, stamps.zone)}: expected {_kind(known_dates, known.zone)}, as in the known "
            "series",
            code="other-time-stamps",
            row=rows.table_row(0),
            column=rows.columns.time,
            found=stamps.stamp if stamps.zone is None else f"{stamps.stamp} {stamps.zone}",
            expected=known.stamp if known.zone is None else f"{known.stamp} {known.zone}",
        )
    return settle_on(replace(known, stamp=stamps.stamp), stamps.values, rows.bounds(), name=name)


def _kind(dates: bool, zone: str | None) -> str:
    """Return a kind of time stamps in words."""
    if not dates:
        return "a number"
    return "a time without a time zone" if zone is None else f"a time in the time zone {zone}"


def _at_row(error: FrequencyError, rows: Rows, source: Source) -> Exception:
    """Return the error with the row of the table."""
    return source.error(
        str(error),
        code=error.code,
        row=rows.table_row(error.position),
        column=rows.columns.time,
        found=error.found,
        expected=error.expected,
    )
