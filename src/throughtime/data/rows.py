"""The rows of a long table, one for each series and time: read, sorted, and placed on a regular grid.

Three steps, each of which returns a table: :func:`read_columns`, :func:`sort_rows`, :func:`to_grid`. They work on whole
columns, so that 100,000 series take seconds.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from throughtime.data.columns import ColumnNames, TableColumns, option, select_columns
from throughtime.data.frames import collect, format_times, polars_column
from throughtime.data.frequency import Frequency
from throughtime.data.numbers import as_numbers, missing_code
from throughtime.data.source import Source
from throughtime.data.timestamps import TimeStamps, distinct_values, parse_times

MOST_CANDIDATES = 50  # columns that are tried as the names of series, for a message


class Rows(NamedTuple):
    """The R rows of N series. With K target columns, each row of the table makes K rows, one for each of them.

    Attributes:
        columns: the columns of the table.
        ids: the names of the series, (N,).
        labels: the id column's value for each series, (N,); series of several target columns share it.
        series: the number of each row's series, (R,).
        stamps: the time stamps, (R,).
        values: NaN where missing, (R,).
        height: R / K, the rows of the table.
        order: the position of each row before the rows were sorted; None if they were in order.
        in_order: if the rows of each series were in order of time.
        codes: the numbers that stood for missing values, by target column.
    """

    columns: TableColumns
    ids: NDArray
    labels: NDArray
    series: NDArray[np.int64]
    stamps: TimeStamps
    values: NDArray[np.float64]
    height: int
    order: NDArray[np.int64] | None = None
    in_order: bool = True
    codes: tuple[tuple[str, float], ...] = ()

    def table_row(self, position: int) -> int:
        """Return the row of the table that is at this position."""
        return (position if self.order is None else int(self.order[position])) % self.height

    def of_column(self, column: NDArray) -> NDArray:
        """Return a column of the table in the order of these rows."""
        if self.order is not None:
            return column[self.order % self.height]
        return column if len(self.values) == self.height else np.tile(column, len(self.values) // self.height)

    def bounds(self) -> NDArray[np.int64]:
        """Return the position at which the sorted rows of each series begin and the last ones end, (N + 1,)."""
        return np.searchsorted(self.series, np.arange(len(self.ids) + 1))

    def name(self, position: int, source: Source) -> str:
        """Return the time stamp at this position and its place in the table, for messages."""
        time = format_times(self.stamps.values[[position]], self.stamps.zone)[0]
        return f"{time} ({source.place(self.table_row(position))})"


class Grid(NamedTuple):
    """N series of regular steps, S in all.

    Attributes:
        values: NaN where a step has no row or no value, (S,).
        starts: the ordinal of each series' first step, (N,).
        offsets: the step at which each series begins and the last one ends, (N + 1,).
        places: the step of each row, (R,); None if every step has one, in order.
    """

    values: NDArray[np.float64]
    starts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    places: NDArray[np.int64] | None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The steps of each series, (N,)."""
        return np.diff(self.offsets)

    def spread(self, column: NDArray) -> NDArray:
        """Return a column of the rows on the grid, NaN (or False) at steps without a row."""
        if self.places is None:
            return column
        spread = np.full(self.offsets[-1], np.nan if column.dtype.kind == "f" else 0, column.dtype)
        spread[self.places] = column
        return spread


def read_columns(
    table: nw.DataFrame | nw.LazyFrame, source: Source, names: ColumnNames, notation: str | None = None
) -> Rows:
    """Read the ids, time stamps and values of a table, in its order.

    Args:
        table: one row for each series and time. Of a lazy table only the needed columns are read.
        source: names the table in messages.
        names: the columns that the user names.
        notation: that of the time stamps of the table that this one continues.

    Raises:
        InputError: for columns that cannot be found or read.
    """
    frame, columns = select_columns(table, source, names)
    values, codes = _values(frame, columns, source)
    stamps = parse_times(polars_column(frame, columns.time), source, like=notation)
    labels, series = _series(frame, columns, source)
    count = len(columns.targets)
    if count == 1:
        return Rows(columns, labels, labels, series, stamps, values, len(frame), codes=codes)
    # Each target column makes separate series; their rows follow one another.
    series = (series[None] * count + np.arange(count)[:, None]).ravel()
    stamps = replace(stamps, values=np.tile(stamps.values, count))
    ids = _target_ids(labels, columns, source)
    return Rows(columns, ids, np.repeat(labels, count), series, stamps, values, len(frame), codes=codes)


def _values(
    frame: nw.DataFrame, columns: TableColumns, source: Source
) -> tuple[NDArray[np.float64], tuple[tuple[str, float], ...]]:
    """Return the values of all target columns, one after the other, and the numbers that stood for missing ones."""
    values = [as_numbers(polars_column(frame, name), source) for name in columns.targets]
    found = {name: missing_code(column) for name, column in zip(columns.targets, values, strict=True)}
    codes = tuple((name, code) for name, code in found.items() if code is not None)
    known = [
        np.where(column == found[name], np.nan, column) if found[name] is not None else column
        for name, column in zip(columns.targets, values, strict=True)
    ]
    return known[0] if len(known) == 1 else np.concatenate(known), codes


def _target_ids(labels: NDArray, columns: TableColumns, source: Source) -> NDArray:
    """Return the names of the series of several target columns: "west/sold", or "sold" without an id."""
    if columns.id is None:
        ids = np.array(columns.targets)
    else:
        ids = np.array([f"{label}/{target}" for label in labels.tolist() for target in columns.targets])
    if len(np.unique(ids)) < len(ids):
        raise source.error(
            "series and target columns make the same name twice, expected names without '/'",
            code="duplicate-series",
            expected="names without '/'",
        )
    return ids


def _series(frame: nw.DataFrame, columns: TableColumns, source: Source) -> tuple[NDArray, NDArray[np.int64]]:
    """Return the id column's values in order of appearance, and the number of each row's series."""
    if columns.id is None:
        return np.array([columns.targets[0]]), np.zeros(len(frame), np.int64)
    native: Any = frame.to_native()
    if nw.dependencies.is_pandas_dataframe(native):
        codes, distinct = native[columns.id].factorize()
        _require_names(codes < 0, columns, source)
        return np.array(list(distinct)), codes.astype(np.int64)
    ids = polars_column(frame, columns.id)
    if ids.has_nulls():
        _require_names(ids.is_null().to_numpy(), columns, source)
    if ids.dtype.is_numeric():
        distinct, firsts, codes = np.unique(ids.to_numpy(), return_index=True, return_inverse=True)
        by_appearance = np.argsort(firsts)
        return distinct[by_appearance], np.argsort(by_appearance)[codes]
    ids = ids.cast(pl.String)
    if ids.n_unique() == 1:  # as of one new row, for which the rest takes as long as all other reading of names
        return np.array(ids.head(1).to_list()), np.zeros(len(ids), np.int64)
    labels = ids.unique(maintain_order=True)
    return np.array(labels.to_list()), ids.cast(pl.Enum(labels)).to_physical().to_numpy().astype(np.int64)


def _require_names(missing: NDArray[np.bool_], columns: TableColumns, source: Source) -> None:
    if missing.any():
        raise source.error("no name of a series", code="missing-id", row=int(missing.argmax()), column=columns.id)


def sort_rows(rows: Rows) -> Rows:
    """Return the rows series after series, in order of time."""
    times, series = rows.stamps.values, rows.series
    if (series[1:] >= series[:-1]).all() and _rising(series, times):
        return rows
    distinct = distinct_values(times)
    # One key for both makes one sort, which is faster than lexsort.
    order = np.argsort(series * len(distinct) + np.searchsorted(distinct, times), kind="stable")
    series = series[order]
    return rows._replace(
        series=series,
        stamps=replace(rows.stamps, values=times[order]),
        values=rows.values[order],
        order=order,
        in_order=_rising(series, order),
    )


def _rising(series: NDArray[np.int64], times: NDArray) -> bool:
    return bool(((times[1:] >= times[:-1]) | (series[1:] != series[:-1])).all())


def check_values(rows: Rows, source: Source) -> None:
    """Refuse a table, its rows in its own order, with a target column that has no value."""
    for name, column in zip(rows.columns.targets, np.isnan(rows.values).reshape(-1, rows.height), strict=True):
        if column.all():
            raise source.error(
                "all values are missing, expected numbers", code="all-missing", column=name, expected="numbers"
            )


def check_distinct(rows: Rows, table: nw.DataFrame | nw.LazyFrame, source: Source) -> None:
    """Refuse sorted rows that have a time stamp twice in one series."""
    times, series, columns = rows.stamps.values, rows.series, rows.columns
    twice = (times[1:] == times[:-1]) & (series[1:] == series[:-1])
    if not twice.any():
        return
    first = int(twice.argmax())
    of_series = "" if columns.id is None else f" of series {str(rows.ids[series[first]])!r}"
    message = f"duplicate time stamps{of_series}: found {rows.name(first, source)} again; expected one row for each"
    if columns.id is None:
        candidates = _names_of_series(table, columns)
        if candidates:
            message += ". If the table holds several series, name the column that tells them apart, such as "
            message += f"{candidates[0]!r}: {option('id', candidates[0])}"
    raise source.error(
        message,
        code="duplicate-time",
        row=rows.table_row(first + 1),
        column=columns.time,
        found=format_times(times[[first]], rows.stamps.zone)[0],
        expected="one row for each series and time",
    )


def _names_of_series(table: nw.DataFrame | nw.LazyFrame, columns: TableColumns) -> list[str]:
    """Return the ignored columns that could name the series: they repeat, and with the time make the rows unique."""
    names = [name for name in columns.ignored if len(columns.ignored) <= MOST_CANDIDATES]
    if not names:
        return []
    frame = collect(table.select([columns.time, *names]))
    time = polars_column(frame, columns.time).cast(pl.String)
    candidates = []
    for name in names:
        column = polars_column(frame, name)
        if column.dtype.is_nested() or column.dtype.is_float() or column.has_nulls():
            continue
        repeats = column.n_unique() <= len(column) / 2
        if repeats and not pl.DataFrame([time.alias("time"), column.alias("id")]).is_duplicated().any():
            candidates.append(name)
    return candidates


def to_grid(rows: Rows, frequency: Frequency) -> Grid:
    """Place sorted rows on regular steps, from each series' first row to its last."""
    ordinals, bounds = frequency.ordinals(rows.stamps.values), rows.bounds()
    starts = ordinals[bounds[:-1]]
    offsets = np.append(0, np.cumsum((ordinals[bounds[1:] - 1] - starts) // frequency.multiple + 1))
    if offsets[-1] == len(ordinals):
        return Grid(rows.values, starts, offsets, None)
    places = (ordinals - starts[rows.series]) // frequency.multiple + offsets[rows.series]
    grid = Grid(rows.values, starts, offsets, places)
    return grid._replace(values=grid.spread(rows.values))
