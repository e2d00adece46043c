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

from throughtime._errors import InputError
from throughtime.data.columns import ColumnNames, Columns, as_numbers, listed, option, select_columns
from throughtime.data.covariate_grid import covariate_notes, grid_covariates
from throughtime.data.covariates import Covariates
from throughtime.data.frames import as_polars, format_times
from throughtime.data.frequency import SPARSE, Frequency, infer_frequency
from throughtime.data.grid import Grid, Rows, grid_of, in_order
from throughtime.data.source import Source
from throughtime.data.timestamps import parse_times

LISTED = 3
ENDS_MISSING = "Values missing at the end, where forecasts begin all the same"
KNOWN_AHEAD = "Rows after the last value are taken for what is known of the time to come"


class Arranged(NamedTuple):
    """The parts of a panel; see there."""

    ids: NDArray
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    frequency: Frequency
    notes: tuple[str, ...]
    covariates: Covariates | None = None


def arrange(table: nw.DataFrame | nw.LazyFrame, source: Source, named: ColumnNames) -> Arranged:
    """Regular series from the rows of a table, with NaN where a step has no row.

    With future covariates, a series ends with its last value: rows after it say what is known of the time to come.

    Args:
        table: one row for each series and time, in any order. Of a lazy one only the needed columns are read.
        source: names the table in messages.
        named: the columns that the user names.

    Raises:
        InputError: where the table cannot be used; the message names the place and what was expected.
    """
    whole = table
    table, columns = select_columns(whole, source, named)
    values = _values(table, columns, source)
    stamps = parse_times(as_polars(table[columns.time]), source)
    names, row_series = _series(table, columns, source)
    ids, series, times = _by_target(names, row_series, stamps.values, columns, source)
    rows, in_time = in_order(ids, series, times, values, len(table))

    def where(position: int) -> str:
        return f"{format_times(rows.times[[position]], stamps.zone)[0]} ({source.place(rows.row(position))})"

    _check_distinct(rows, columns, source, where)
    bounds = np.searchsorted(rows.series, np.arange(len(rows.ids) + 1))
    try:
        frequency = infer_frequency(rows.times, bounds, stamp=stamps.stamp, zone=stamps.zone, where=where)
    except InputError as error:
        raise source.error(str(error), column=columns.time) from None
    targets = f"column{'s' if len(columns.targets) > 1 else ''} {listed(columns.targets)}"
    notes = [f"Time in column {columns.time!r}, values in {targets}.", *covariate_notes(columns)]
    notes += [f"Ignored the columns {', '.join(map(repr, columns.ignored))}."] if columns.ignored else []
    notes += [stamps.note] if stamps.note else []
    notes += [] if in_time else ["The rows were not in order of time: sorted."]
    grid = grid_of(rows, bounds, frequency)
    known = np.add.reduceat(~np.isnan(rows.values), bounds[:-1], dtype=np.int64) > 0
    arranged = _arranged(rows, bounds, grid, known, frequency, notes, trimmed=bool(columns.future))
    if not (columns.static or columns.past or columns.future):
        return arranged
    sources = names[np.arange(len(ids)) // len(columns.targets)]
    del table, values, times, series, row_series
    covariates = grid_covariates(whole, columns, source, rows, grid, sources)
    return arranged._replace(covariates=covariates.of_series(known))


def _values(table: nw.DataFrame, columns: Columns, source: Source) -> NDArray[np.float64]:
    """The values of all target columns, one column after the other."""
    values = [as_numbers(as_polars(table[name]), source) for name in columns.targets]
    for name, column in zip(columns.targets, values, strict=True):
        if np.isnan(column).all():
            raise source.error("all values are missing, expected numbers", column=name)
    return values[0] if len(values) == 1 else np.concatenate(values)


def _by_target(
    names: NDArray, series: NDArray[np.int64], times: NDArray, columns: Columns, source: Source
) -> tuple[NDArray, NDArray[np.int64], NDArray]:
    """Ids, series and times where each target column makes series of its own: "west/sold", or "sold" without an id."""
    count = len(columns.targets)
    if count == 1:
        return names, series, times
    if columns.id is None:
        ids = np.array(columns.targets)
    else:
        ids = np.array([f"{name}/{target}" for name in names.tolist() for target in columns.targets])
    if len(np.unique(ids)) < len(ids):
        raise source.error("series and target columns make the same name twice, expected names without '/'")
    return ids, (series[None] * count + np.arange(count)[:, None]).ravel(), np.tile(times, count)


def _series(table: nw.DataFrame, columns: Columns, source: Source) -> tuple[NDArray, NDArray[np.int64]]:
    """The names of the series in order of appearance, and the number of each row's series."""
    if columns.id is None:
        return np.array([columns.targets[0]]), np.zeros(len(table), np.int64)
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


def _check_distinct(rows: Rows, columns: Columns, source: Source, where: Callable[[int], str]) -> None:
    twice = (rows.times[1:] == rows.times[:-1]) & (rows.series[1:] == rows.series[:-1])
    if not twice.any():
        return
    first = int(twice.argmax())
    place = source.place(rows.row(first + 1))
    whose = "" if columns.id is None else f" of series {str(rows.ids[rows.series[first]])!r}"
    message = f"duplicate time stamps{whose}: {where(first)} occurs again in {place}; expected one row for each"
    if columns.id is None:
        names = columns.texts
        column = f", such as {names[0]!r}" if names else ""
        message += f". Where the table holds several series, name the column that tells them apart{column}: "
        message += option("id", names[0] if names else "COLUMN")
    raise source.error(message, column=columns.time)


def _arranged(
    rows: Rows,
    bounds: NDArray[np.int64],
    grid: Grid,
    known: NDArray[np.bool_],
    frequency: Frequency,
    notes: list[str],
    *,
    trimmed: bool,
) -> Arranged:
    """The ``known`` series, which have a value, with their gaps filled, and what to say about it.

    Where they are ``trimmed``, they end with their last value.
    """
    values, lengths = grid.spread(rows.values), grid.lengths
    kept = np.repeat(known, lengths)
    without_row, missing = len(values) - len(rows.values), int(np.isnan(rows.values).sum())
    sparse = lengths > SPARSE * np.diff(bounds)
    ends = np.isnan(values[grid.offsets[1:] - 1]) & known
    if trimmed:
        after = _after_last(values, grid) & kept
        came = int((after & grid.spread(np.ones(len(rows.values), bool))).sum())
        without_row, missing = without_row - int(after.sum()) + came, missing - came
        lengths = lengths - np.add.reduceat(after, grid.offsets[:-1], dtype=np.int64)
        kept &= ~after
    found = [_found(lengths, frequency, grid.starts), *notes]
    found += _counted(without_row, "time step", "had no row: taken as missing")
    found += _counted(missing, "value", "missing in the rows")
    found += _named(KNOWN_AHEAD if trimmed else ENDS_MISSING, rows.ids[ends])
    found += _named(f"Rows for fewer than one in {SPARSE} steps, as if of another frequency", rows.ids[sparse])
    found += _named("Left out, because all values are missing", rows.ids[~known])
    offsets = np.append(0, np.cumsum(lengths[known]))
    values = values if kept.all() else values[kept]
    return Arranged(rows.ids[known], values, offsets, grid.starts[known], frequency, tuple(found))


def _after_last(values: NDArray[np.float64], grid: Grid) -> NDArray[np.bool_]:
    """Whether a step comes after the last value of its series."""
    observed = np.append(0, np.cumsum(~np.isnan(values)))
    return observed[:-1] == np.repeat(observed[grid.offsets[1:]], grid.lengths)


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
