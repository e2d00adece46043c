"""Covariates: known numbers and categories beside the series, on a grid that may extend beyond their ends."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Column:
    """One covariate.

    Attributes:
        name: the column's name.
        values: numbers, or indices into ``categories``; NaN where missing.
        categories: the names of the categories; None for numbers.
    """

    name: str
    values: NDArray[np.float64]
    categories: tuple[str, ...] | None = None

    def text(self, value: float) -> str:
        """Return a value that is not missing as a person reads it."""
        return f"{value:g}" if self.categories is None else repr(self.categories[int(value)])


@dataclass(frozen=True, eq=False)
class Covariates:
    """The covariates of N series.

    They have a separate grid with the panel's frequency, C steps in all: it may begin before a series and extend beyond
    its end, so that cutting a panel leaves its covariates as they are. The reader must not look too far: past
    covariates may be read up to the cutoff, future ones up to the horizon.

    Attributes:
        id: the column that named the series in the user's table; None if it was one series.
        time: the column of time stamps.
        sources: the id column's value for each series, (N,); series of several target columns share it.
        static: constant for each series, (N,) values in each column.
        past: known up to the present, (C,) values in each column.
        future: known beyond it, (C,) values in each column.
        starts: the ordinal of each series' first step on the grid, (N,).
        offsets: the step of the grid at which each series begins and the last one ends, (N + 1,).
        has_row: whether the table has a row for the step, (C,).
        form: how the time stamps were read, for tables that continue them; None if their type said so.
    """

    id: str | None
    time: str
    sources: NDArray
    static: tuple[Column, ...]
    past: tuple[Column, ...]
    future: tuple[Column, ...]
    starts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    has_row: NDArray[np.bool_]
    form: str | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """All covariates."""
        return (*self.static, *self.past, *self.future)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all covariates."""
        return tuple(column.name for column in self.columns)

    def places(self, row: NDArray[np.int64], ordinals: NDArray[np.int64], multiple: int) -> NDArray[np.int64]:
        """Return the places on the grid of the steps with these ordinals, -1 outside of it.

        Args:
            row: (S,) the series of each step.
            ordinals: (S,) the ordinal of each step.
            multiple: the ordinals from one step to the next.
        """
        step = (ordinals - self.starts[row]) // multiple
        inside = (step >= 0) & (step < np.diff(self.offsets)[row])
        return np.where(inside, self.offsets[row] + step, -1)

    def lengthened(self, lengths: NDArray[np.int64]) -> "Covariates":
        """Return the covariates on a grid of at least these lengths (N,); the new steps have no row."""
        old = np.diff(self.offsets)
        new = np.maximum(old, lengths)
        offsets = np.append(0, np.cumsum(new))
        step = np.arange(offsets[-1]) - np.repeat(offsets[:-1], new)
        places = np.where(step < np.repeat(old, new), np.repeat(self.offsets[:-1], new) + step, -1)
        return replace(
            self,
            past=tuple(replace(column, values=at(column.values, places)) for column in self.past),
            future=tuple(replace(column, values=at(column.values, places)) for column in self.future),
            offsets=offsets,
            has_row=np.append(self.has_row, False)[places],
        )

    def without_first(self, steps: NDArray[np.int64], multiple: int) -> "Covariates":
        """Return the covariates without the first ``steps`` (N,) of each series' grid.

        Args:
            steps: (N,) no more than there are.
            multiple: the ordinals from one step to the next.
        """
        lengths = np.diff(self.offsets)
        kept = np.arange(self.offsets[-1]) >= np.repeat(self.offsets[:-1] + steps, lengths)
        return replace(
            self,
            past=tuple(replace(column, values=column.values[kept]) for column in self.past),
            future=tuple(replace(column, values=column.values[kept]) for column in self.future),
            starts=self.starts + multiple * steps,
            offsets=np.append(0, np.cumsum(lengths - steps)),
            has_row=self.has_row[kept],
        )

    def with_categories_of(self, former: "Covariates") -> "Covariates":
        """Return the covariates with no new categories of their steps, which begin behind those of former ones."""
        return replace(
            self,
            past=tuple(map(_with_categories_of, self.past, former.past)),
            future=tuple(map(_with_categories_of, self.future, former.future)),
        )

    def of_series(self, rows: NDArray[np.int64]) -> "Covariates":
        """Return the covariates of the series ``rows`` (R,), each of which may come several times."""
        steps, offsets = pieces(self.offsets, rows)
        return replace(
            self,
            sources=self.sources[rows],
            static=tuple(replace(column, values=column.values[rows]) for column in self.static),
            past=tuple(replace(column, values=column.values[steps]) for column in self.past),
            future=tuple(replace(column, values=column.values[steps]) for column in self.future),
            starts=self.starts[rows],
            offsets=offsets,
            has_row=self.has_row[steps],
        )


def _with_categories_of(column: Column, former: Column) -> Column:
    known = former.categories
    if known is None or column.categories is None or len(column.categories) == len(known):
        return column
    return replace(column, values=np.where(column.values < len(known), column.values, np.nan), categories=known)


def pieces(offsets: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of all steps of the series ``rows`` (R,) in flat arrays, and their own offsets (R + 1,)."""
    lengths = np.diff(offsets)[rows]
    own = np.append(0, np.cumsum(lengths))
    return np.arange(own[-1]) + np.repeat(offsets[rows] - own[:-1], lengths), own


def at(values: NDArray, places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the values at places of the grid, NaN for the place -1."""
    if not len(values):
        return np.full(places.shape, np.nan)
    taken = values[places]
    taken[places < 0] = np.nan
    return taken


def filled(column: Column, new: Column, places: NDArray[np.int64]) -> Column:
    """Return the column with new values at places of the grid; new categories are added after the old ones."""
    values = column.values.copy()
    if column.categories is None or new.categories is None:
        values[places] = new.values
        return replace(column, values=values)
    categories = tuple(dict.fromkeys((*column.categories, *new.categories)))
    index = np.array([categories.index(name) for name in new.categories] + [np.nan])
    values[places] = index[np.where(np.isnan(new.values), -1, new.values).astype(int)]  # NaN is at place -1
    return replace(column, values=values, categories=categories)
