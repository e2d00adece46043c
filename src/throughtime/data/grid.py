"""The rows of a table in order, and the regular grid of time steps that they lie on."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from throughtime.data.frequency import Frequency


class Rows(NamedTuple):
    """The rows of a table, series after series, in order of time.

    Attributes:
        ids: the names of the series, (N,).
        series: the number of each row's series.
        times: time stamps as integers or datetime64.
        values: NaN where missing.
        original: the row's number in the table; None where the table had this order.
        height: how many rows the table has; with several target columns, each makes as many rows here.
    """

    ids: NDArray
    series: NDArray[np.int64]
    times: NDArray
    values: NDArray[np.float64]
    original: NDArray[np.int64] | None
    height: int

    def row(self, position: int) -> int:
        """The row of the table that came to this position."""
        return (position if self.original is None else int(self.original[position])) % self.height

    def ordered(self, column: NDArray) -> NDArray:
        """A column of the table, in the order of these rows."""
        if self.original is not None:
            return column[self.original % self.height]
        return column if len(self.times) == self.height else np.tile(column, len(self.times) // self.height)


def in_order(
    ids: NDArray, series: NDArray[np.int64], times: NDArray, values: NDArray[np.float64], height: int
) -> tuple[Rows, bool]:
    """The rows in order, and whether each series' rows were in order of time."""
    if (np.diff(series) >= 0).all() and _rising(series, times):
        return Rows(ids, series, times, values, None, height), True
    ranks, distinct = pd.factorize(times, sort=True)
    order = np.argsort(series * len(distinct) + ranks, kind="stable")  # one key: many times faster than lexsort
    series = series[order]
    return Rows(ids, series, times[order], values[order], order, height), _rising(series, order)


def _rising(series: NDArray[np.int64], times: NDArray) -> bool:
    return bool(((times[1:] >= times[:-1]) | (series[1:] != series[:-1])).all())


class Grid(NamedTuple):
    """N ragged series of regular steps.

    Attributes:
        starts: the ordinal of each series' first step, (N,).
        offsets: where each begins and the last one ends, (N + 1,).
        places: where on the grid each row lies; None where every step has one, in order.
    """

    starts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    places: NDArray[np.int64] | None

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    def spread(self, column: NDArray) -> NDArray:
        """A column of the rows on the grid, NaN (or False) where a step has no row."""
        if self.places is None:
            return column
        spread = np.full(self.offsets[-1], np.nan if column.dtype.kind == "f" else 0, column.dtype)
        spread[self.places] = column
        return spread


def grid_of(rows: Rows, bounds: NDArray[np.int64], frequency: Frequency) -> Grid:
    """The grid from each series' first row to its last; ``bounds`` (N + 1,) says where their rows begin."""
    ordinals = frequency.ordinals(rows.times)
    starts = ordinals[bounds[:-1]]
    offsets = np.append(0, np.cumsum((ordinals[bounds[1:] - 1] - starts) // frequency.multiple + 1))
    if offsets[-1] == len(ordinals):
        return Grid(starts, offsets, None)
    return Grid(starts, offsets, (ordinals - starts[rows.series]) // frequency.multiple + offsets[rows.series])
