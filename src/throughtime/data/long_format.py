"""A long table, one row for each series and time, arranged as regular series.

Works on whole columns, so that 100,000 series take seconds.
"""

from collections.abc import Callable
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from throughtime.data.calendar import SPARSE, Frequency, infer_frequency
from throughtime.data.columns import Columns, as_numbers, option, resolve_columns
from throughtime.data.frames import as_polars, format_times
from throughtime.data.source import Source
from throughtime.data.timestamps import parse_times
from throughtime.errors import InputError

LISTED = 3


class Arranged(NamedTuple):
    """The parts of a panel; see there."""

    ids: NDArray
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    frequency: Frequency
    notes: tuple[str, ...]


class Rows(NamedTuple):
    """The rows of a table, series after series, in order of time.

    Attributes:
        ids: the names of the series, (N,).
        series: the number of each row's series.
        times: time stamps as integers or datetime64.
        values: NaN where missing.
        original: the row's number in the table; None where the table had this order.
    """

    ids: NDArray
    series: NDArray[np.int64]
    times: NDArray
    values: NDArray[np.float64]
    original: NDArray[np.int64] | None

    def row(self, position: int) -> int:
        return position if self.original is None else int(self.original[position])


def arrange(
    table: nw.DataFrame, source: Source, *, id: str | None = None, time: str | None = None, target: str | None = None
) -> Arranged:
    """Regular series from the rows of a table, with NaN where a step has no row.

    Args:
        table: one row for each series and time, in any order.
        source: names the table in messages.
        id: the column that names the series.
        time: the column of time stamps.
        target: the column of values.

    Raises:
        InputError: where the table cannot be used; the message names the place and what was expected.
    """
    if not len(table):
        raise source.error("no rows below the names of the columns, expected one for each series and time")
    columns = resolve_columns(table, source, id=id, time=time, target=target)
    values = as_numbers(as_polars(table[columns.target]), source)
    if np.isnan(values).all():
        raise source.error("all values are missing, expected numbers", column=columns.target)
    stamps = parse_times(as_polars(table[columns.time]), source)
    rows, in_time = _in_order(*_series(table, columns, source), stamps.values, values)

    def where(position: int) -> str:
        return f"{format_times(rows.times[[position]], stamps.zone)[0]} ({source.place(rows.row(position))})"

    _check_distinct(rows, table, columns, source, where)
    bounds = np.searchsorted(rows.series, np.arange(len(rows.ids) + 1))
    try:
        frequency = infer_frequency(rows.times, bounds, stamp=stamps.stamp, zone=stamps.zone, where=where)
    except InputError as error:
        raise source.error(str(error), column=columns.time) from None
    notes = [f"Time in column {columns.time!r}, values in column {columns.target!r}."]
    notes += [f"Ignored the columns {', '.join(map(repr, columns.ignored))}."] if columns.ignored else []
    notes += [stamps.note] if stamps.note else []
    notes += [] if in_time else ["The rows were not in order of time: sorted."]
    return _on_grid(rows, bounds, frequency, notes)


def _series(table: nw.DataFrame, columns: Columns, source: Source) -> tuple[NDArray, NDArray[np.int64]]:
    """The names of the series in order of appearance, and the number of each row's series."""
    if columns.id is None:
        return np.array([columns.target]), np.zeros(len(table), np.int64)
    column = table[columns.id]
    if column.is_null().any():
        row = int(column.is_null().to_numpy().argmax())
        raise source.error("no name of a series", row=row, column=columns.id)
    native = column.to_native()
    if not isinstance(native, pd.Series):
        text = as_polars(column)
        if not text.dtype.is_numeric():
            names = text.cast(pl.String).unique(maintain_order=True)
            codes = text.cast(pl.String).cast(pl.Enum(names)).to_physical()
            return np.array(names.to_list()), codes.to_numpy().astype(np.int64)
        native = text.to_numpy()
    codes, names = pd.factorize(native)
    return np.array(list(names)), codes.astype(np.int64)


def _in_order(
    ids: NDArray, series: NDArray[np.int64], times: NDArray, values: NDArray[np.float64]
) -> tuple[Rows, bool]:
    """The rows in order, and whether each series' rows were in order of time."""
    if (np.diff(series) >= 0).all() and _rising(series, times):
        return Rows(ids, series, times, values, None), True
    ranks, distinct = pd.factorize(times, sort=True)
    order = np.argsort(series * len(distinct) + ranks, kind="stable")  # one key: many times faster than lexsort
    series = series[order]
    return Rows(ids, series, times[order], values[order], order), _rising(series, order)


def _rising(series: NDArray[np.int64], times: NDArray) -> bool:
    return bool(((times[1:] >= times[:-1]) | (series[1:] != series[:-1])).all())


def _check_distinct(
    rows: Rows, table: nw.DataFrame, columns: Columns, source: Source, where: Callable[[int], str]
) -> None:
    twice = (rows.times[1:] == rows.times[:-1]) & (rows.series[1:] == rows.series[:-1])
    if not twice.any():
        return
    first = int(twice.argmax())
    place = source.place(rows.row(first + 1))
    whose = "" if columns.id is None else f" of series {str(rows.ids[rows.series[first]])!r}"
    message = f"duplicate time stamps{whose}: {where(first)} occurs again in {place}; expected one row for each"
    if columns.id is None:
        names = [name for name in columns.ignored if table.schema[name] == nw.String]
        column = f", such as {names[0]!r}" if names else ""
        message += f". Where the table holds several series, name the column that tells them apart{column}: "
        message += option("id", names[0] if names else "COLUMN")
    raise source.error(message, column=columns.time)


def _on_grid(rows: Rows, bounds: NDArray[np.int64], frequency: Frequency, notes: list[str]) -> Arranged:
    """The rows with their gaps filled, without series that hold no value, and what to say about it."""
    ordinals = frequency.ordinals(rows.times)
    starts = ordinals[bounds[:-1]]
    lengths = (ordinals[bounds[1:] - 1] - starts) // frequency.multiple + 1
    known = np.add.reduceat(~np.isnan(rows.values), bounds[:-1], dtype=np.int64)
    offsets = np.append(0, np.cumsum(lengths))
    values = rows.values
    if offsets[-1] > len(values):
        values = np.full(offsets[-1], np.nan)
        values[(ordinals - starts[rows.series]) // frequency.multiple + offsets[rows.series]] = rows.values
    ends = np.isnan(values[offsets[1:] - 1]) & (known > 0)
    sparse = lengths > SPARSE * np.diff(bounds)
    notes = [_found(lengths, frequency, starts), *notes]
    notes += _counted(int(offsets[-1]) - len(rows.values), "time step", "had no row: taken as missing")
    notes += _counted(int(np.isnan(rows.values).sum()), "value", "missing in the rows")
    notes += _named("Values missing at the end, where forecasts begin all the same", rows.ids[ends])
    notes += _named(f"Rows for fewer than one in {SPARSE} steps, as if of another frequency", rows.ids[sparse])
    notes += _named("Left out, because all values are missing", rows.ids[known == 0])
    kept = known > 0
    if not kept.all():
        values = values[np.repeat(kept, lengths)]
        offsets = np.append(0, np.cumsum(lengths[kept]))
    return Arranged(rows.ids[kept], values, offsets, starts[kept], frequency, tuple(notes))


def _found(lengths: NDArray[np.int64], frequency: Frequency, starts: NDArray[np.int64]) -> str:
    last = starts + frequency.multiple * (lengths - 1)
    first, end = format_times(frequency.times(np.array([starts.min(), last.max()])), frequency.zone)
    steps = f"{lengths.min():,}" + (f" to {lengths.max():,}" if lengths.max() > lengths.min() else "")
    return f"{len(lengths):,} series of {steps} steps, {frequency.describe()}, from {first} to {end}."


def _counted(count: int, what: str, said: str) -> list[str]:
    return [f"{count:,} {what}{'s' if count > 1 else ''} {said}."] if count else []


def _named(what: str, ids: NDArray) -> list[str]:
    if not len(ids):
        return []
    names = ", ".join(str(name) for name in ids[:LISTED]) + (", ..." if len(ids) > LISTED else "")
    return [f"{what}: {len(ids):,} series ({names})."]
