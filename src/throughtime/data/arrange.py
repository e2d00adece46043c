"""A long table arranged as regular series with their covariates, and the findings about it."""

from collections.abc import Mapping
from typing import NamedTuple

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from throughtime.data.calendars import BEGINS, DAY
from throughtime.data.columns import ColumnNames
from throughtime.data.covariate_columns import covariate_series, read_as, read_column
from throughtime.data.covariates import Column, Covariates
from throughtime.data.findings import Findings
from throughtime.data.former import Former
from throughtime.data.frames import collect
from throughtime.data.frequency import Frequency
from throughtime.data.irregular import SPARSE
from throughtime.data.openings import closed_series
from throughtime.data.rows import Grid, Rows, check_values, to_grid
from throughtime.data.source import Source
from throughtime.data.steps import check_steps, on_steps, read_rows
from throughtime.data.time_zones import wall_clock

MOST_CELLS = 10_000_000  # times of day of all series that are compared


class Arranged(NamedTuple):
    """The parts of a :class:`~throughtime.data.Panel`, with findings in place of its notes."""

    ids: NDArray
    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    frequency: Frequency
    findings: Findings
    covariates: Covariates | None
    form: str | None


def arrange(
    table: nw.DataFrame | nw.LazyFrame,
    source: Source,
    names: ColumnNames,
    former: Former | None = None,
    *,
    is_part: bool = False,
) -> Arranged:
    """Return regular series from the rows of a table, with NaN where a step has no row.

    Series without any value are left out. With future covariates, a series ends with its last value: rows after it hold
    the covariates of its future.

    Args:
        table: one row for each series and time, in any order. Of a lazy table only the needed columns are read.
        source: names the table in messages.
        names: the columns that the user names.
        former: of the panel whose frequency the series must have, and whose covariates decide how columns are read.
        is_part: True for a part of a table, in which a target column, or all, may have no value.

    Raises:
        InputError: if the table cannot be used; it names the place, what was found and what was expected.
    """
    table, source, rows = read_rows(table, source, names, former)
    if not is_part:
        check_values(rows, source)
    rows, frequency, moved = on_steps(rows, source, former)
    if former is not None:
        check_steps(rows, frequency, source)
    grid = to_grid(rows, frequency)
    known = np.add.reduceat(~np.isnan(rows.values), rows.bounds()[:-1], dtype=np.int64) > 0
    kept = np.repeat(known, grid.lengths)
    beyond = _after_last(grid) & kept if rows.columns.future else np.zeros(len(kept), bool)
    lengths = grid.lengths - np.add.reduceat(beyond, grid.offsets[:-1], dtype=np.int64)
    findings = _findings(rows, grid, frequency, known=known, beyond=beyond, lengths=lengths)._replace(
        repairs=source.repairs, moved=moved, codes=rows.codes
    )
    kept &= ~beyond
    covariates = None
    if rows.columns.static or rows.columns.past or rows.columns.future:
        columns = {} if former is None else former.columns
        covariates = read_covariates(table, source, rows, grid, columns).of_series(np.flatnonzero(known))
    return Arranged(
        rows.ids[known],
        grid.values if kept.all() else grid.values[kept],
        np.append(0, np.cumsum(lengths[known])),
        grid.starts[known],
        frequency,
        findings,
        covariates,
        rows.stamps.form,
    )


def _after_last(grid: Grid) -> NDArray[np.bool_]:
    """Return a mask of the steps after the last value of their series."""
    observed = np.append(0, np.cumsum(~np.isnan(grid.values)))
    return observed[:-1] == np.repeat(observed[grid.offsets[1:]], grid.lengths)


def _findings(
    rows: Rows,
    grid: Grid,
    frequency: Frequency,
    *,
    known: NDArray[np.bool_],
    beyond: NDArray[np.bool_],
    lengths: NDArray[np.int64],
) -> Findings:
    """Count the findings.

    Args:
        rows: the sorted rows.
        grid: the same on regular steps.
        frequency: of the grid.
        known: (N,) if a series has a value.
        beyond: (S,) if a step is after the last value of a series that ends there.
        lengths: (N,) the steps of each series without those.
    """
    future_rows = int((beyond & grid.spread(np.ones(len(rows.values), bool))).sum())
    ends_missing = rows.ids[np.isnan(grid.values[grid.offsets[1:] - 1]) & known]
    nobody = rows.ids[:0]
    ends = grid.starts + frequency.multiple * (lengths - 1)
    return Findings(
        columns=rows.columns,
        frequency=frequency,
        lengths=lengths,
        span=frequency.times(np.array([grid.starts.min(), ends.max()])),
        digits=rows.stamps.digits,
        clocks=rows.stamps.clocks,
        in_order=rows.in_order,
        missing_rows=len(grid.values) - len(rows.values) - (int(beyond.sum()) - future_rows),
        missing_values=int(np.isnan(rows.values).sum()) - future_rows,
        closed_ids=rows.ids[_closed(rows, frequency)],
        trailing_missing=nobody if rows.columns.future else ends_missing,
        rows_after_last=ends_missing if rows.columns.future else nobody,
        sparse_ids=rows.ids[grid.lengths > SPARSE * np.diff(rows.bounds())],
        empty_ids=rows.ids[~known],
    )


def _closed(rows: Rows, frequency: Frequency) -> NDArray[np.bool_]:
    """Return a mask of the series that never have a row on some days or hours of the week at which others do."""
    stamps, count = rows.stamps, len(rows.ids)
    step = {"day": frequency.multiple * DAY, "elapsed": frequency.multiple}.get(frequency.unit, 0)
    if count < 2 or step == 0 or DAY % step:
        return np.zeros(count, bool)
    wall = wall_clock(stamps.values, stamps.zone).astype(np.int64)
    days, clocks = np.divmod(wall - BEGINS["elapsed"], DAY)
    distinct, clocks = np.unique(clocks // step, return_inverse=True)
    if count * len(distinct) > MOST_CELLS:
        clocks = np.zeros_like(clocks)
    return closed_series(days, clocks, rows.bounds())


def read_covariates(
    table: nw.DataFrame | nw.LazyFrame, source: Source, rows: Rows, grid: Grid, former: Mapping[str, Column]
) -> Covariates:
    """Read the covariates of the table onto the grid of its series, one column after another to bound the memory.

    Args:
        table: in its long form.
        source: names the table in messages.
        rows: the sorted rows.
        grid: the same on regular steps.
        former: the covariates by name whose kinds, numbers or categories, these must have.

    Raises:
        InputError: for a column that holds neither numbers nor categories, and a static one that changes.
    """
    columns = rows.columns

    def read(name: str) -> Column:
        values = covariate_series(collect(table.select(name))[name])
        column = read_as(former[name], values, source) if name in former else read_column(values, source)
        return Column(name, rows.of_column(column.values), column.categories)

    def on_grid(name: str) -> Column:
        column = read(name)
        return Column(name, grid.spread(column.values), column.categories)

    return Covariates(
        columns.id,
        columns.time,
        rows.labels,
        tuple(_constant(read(name), rows, source) for name in columns.static),
        tuple(map(on_grid, columns.past)),
        tuple(map(on_grid, columns.future)),
        grid.starts,
        grid.offsets,
        grid.spread(np.ones(len(rows.values), bool)),
        rows.stamps.form,
    )


def _constant(column: Column, rows: Rows, source: Source) -> Column:
    """Return the one value of each series, NaN if none of its rows has it."""
    known = np.flatnonzero(~np.isnan(column.values))
    series, firsts = np.unique(rows.series[known], return_index=True)
    values = np.full(len(rows.ids), np.nan)
    values[series] = column.values[known[firsts]]
    changed = column.values[known] != values[rows.series[known]]
    if changed.any():
        position = int(known[changed.argmax()])
        number = rows.series[position]
        first = int(known[np.searchsorted(rows.series[known], number)])
        value = column.text(column.values[position])
        raise source.error(
            f"found {value} and in {source.place(rows.table_row(first))} {column.text(column.values[first])} for the "
            f"series {str(rows.ids[number])!r}, expected one value for each series in a static covariate. If it "
            f"changes, it is a past or a future covariate (--past, --future).",
            code="static-covariate-changes",
            row=rows.table_row(position),
            column=column.name,
            found=value,
            expected="one value for each series",
        )
    return Column(column.name, values, column.categories)
