"""The covariates among the columns of a table, arranged on the grid of its series."""

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from throughtime.data.columns import Columns, listed
from throughtime.data.covariates import Column, Covariates, read_column
from throughtime.data.frames import as_polars, collected
from throughtime.data.grid import Grid, Rows
from throughtime.data.source import Source


def grid_covariates(
    table: nw.DataFrame | nw.LazyFrame, columns: Columns, source: Source, rows: Rows, grid: Grid, sources: NDArray
) -> Covariates:
    """All covariates of the table.

    Args:
        table: the user's.
        columns: which of them are covariates.
        source: names the table in messages.
        rows: the table's rows in order.
        grid: their steps.
        sources: what the id column says of each series, (N,).

    Raises:
        InputError: for a column that holds neither numbers nor categories, and a static one that changes.
    """

    def read(name: str) -> Column:
        column = read_column(as_polars(collected(table.select(name))[name]), source)
        return Column(name, rows.ordered(column.values), column.categories)

    def on_grid(name: str) -> Column:
        column = read(name)
        return Column(name, grid.spread(column.values), column.categories)

    return Covariates(
        columns.id,
        columns.time,
        sources,
        tuple(_constant(read(name), rows, source) for name in columns.static),
        tuple(map(on_grid, columns.past)),
        tuple(map(on_grid, columns.future)),
        grid.starts,
        grid.offsets,
        grid.spread(np.ones(len(rows.times), bool)),
    )


def _constant(column: Column, rows: Rows, source: Source) -> Column:
    """The one value of each series, NaN where none of its rows has it."""
    known = np.flatnonzero(~np.isnan(column.values))
    series, firsts = np.unique(rows.series[known], return_index=True)
    values = np.full(len(rows.ids), np.nan)
    values[series] = column.values[known[firsts]]
    other = column.values[known] != values[rows.series[known]]
    if other.any():
        position = int(known[other.argmax()])
        whose = rows.series[position]
        first = int(known[np.searchsorted(rows.series[known], whose)])
        raise source.error(
            f"found {_said(column, position)} and in {source.place(rows.row(first))} {_said(column, first)} for the "
            f"series {str(rows.ids[whose])!r}, expected one value for each series in a static covariate. Where it "
            f"changes, it is a past or a future covariate (--past, --future).",
            row=rows.row(position),
            column=column.name,
        )
    return Column(column.name, values, column.categories)


def _said(column: Column, position: int) -> str:
    value = column.values[position]
    return f"{value:g}" if column.categories is None else repr(column.categories[int(value)])


def covariate_notes(columns: Columns) -> list[str]:
    """Which covariates are read, in one sentence; nothing where there are none."""
    roles = (("static", columns.static), ("past", columns.past), ("future", columns.future))
    named = [f"{role} {listed(names)}" for role, names in roles if names]
    return [f"Covariates: {'; '.join(named)}."] if named else []
