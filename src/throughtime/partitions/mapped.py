"""The series of all partitions as arrays on disk, from which panels of some of them are read into memory."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from throughtime.data import Column, Covariates, Frequency, Panel
from throughtime.forecasting import learnable

OF_PANEL, OF_GRID = ("ids", "values", "offsets", "starts"), ("sources", "starts", "offsets", "has_row")
NOBODY = np.empty(0, np.int64)


class MappedSeries:
    """N series in the files of a folder. The arrays of a partition are mapped into memory while some are read.

    Attributes:
        folder: an existing one.
        lengths: the time steps of each series, (N,).
    """

    def __init__(self, folder: Path):
        """Begin without series."""
        self.folder = folder
        self.lengths: NDArray[np.int64] = NOBODY
        self._bounds = [0]  # the number of series before each partition, and of all
        self._like: Panel  # without series
        self._held_back = 0
        self._codes: dict[str, dict[str, int]] = {}  # of the categories of each covariate, in order of appearance

    @property
    def parts(self) -> int:
        """The number of partitions."""
        return len(self._bounds) - 1

    @property
    def frequency(self) -> Frequency:
        """The time axis, once there are series."""
        return self._like.frequency

    @property
    def columns(self) -> int:
        """The number of covariates."""
        return 0 if self._like.covariates is None else len(self._like.covariates.columns)

    def add(self, panel: Panel) -> None:
        """Write the series of a partition to disk: of one frequency and with the covariates of those before."""
        folder = self._place(self.parts)
        folder.mkdir()
        arrays = {name: getattr(panel, name) for name in OF_PANEL}
        if panel.covariates is not None:
            arrays |= {f"grid.{name}": getattr(panel.covariates, name) for name in OF_GRID}
            arrays |= {_file(place): self._coded(column) for place, column in enumerate(panel.covariates.columns)}
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        if not self.parts:
            self._like = panel.of_series(NOBODY)
        self._bounds.append(self._bounds[-1] + len(panel))
        self.lengths = np.append(self.lengths, panel.lengths)

    def before(self, steps: int) -> "MappedSeries":
        """Return the same series without their last steps; those that are not longer keep none."""
        known = copy(self)
        known.lengths, known._held_back = np.maximum(self.lengths - steps, 0), self._held_back + steps
        return known

    def of_series(self, rows: NDArray[np.int64]) -> Panel:
        """Return the panel of the series ``rows`` (R,), each with a step, in memory, in order of their numbers."""
        places = np.searchsorted(rows := np.sort(rows), self._bounds)
        whole = joined(
            [
                self._part(number).of_series(rows[first:last] - self._bounds[number])
                for number, (first, last) in enumerate(pairwise(places.tolist()))
                if last > first
            ]
        )
        return whole.cut(self._held_back) if self._held_back else whole

    def learnable(self, horizon: int) -> NDArray[np.bool_]:
        """Return (N,) flags of the series that a network can learn from. All values are read, part by part."""
        flags = [
            learnable(self._part(number), self.lengths[first:last], horizon)
            for number, (first, last) in enumerate(pairwise(self._bounds))
        ]
        return np.concatenate([np.empty(0, bool), *flags])

    def sample(self, preferred: NDArray[np.bool_], sizes: NDArray[np.int64], most: int, seed: int) -> Panel:
        """Return a panel of random series, of at most ``most`` bytes or one series.

        Args:
            preferred: (N,) flags of the series that come first; others take the room that is left.
            sizes: (N,) the bytes that each series takes in memory.
            most: of the panel.
            seed: of the order of the series.
        """
        order = np.random.default_rng([seed, 0]).permutation(np.flatnonzero(self.lengths))
        order = order[np.argsort(~preferred[order], kind="stable")]
        count = np.searchsorted(np.cumsum(sizes[order]), most, side="right")
        return self.of_series(order[: max(int(count), 1)])

    def samples(self, rows: NDArray[np.int64], sizes: NDArray[np.int64], most: int, seed: int) -> Iterator[Panel]:
        """Yield panels of random series, of at most ``most`` bytes or one series: every series once, then again.

        Args:
            rows: (R,) the numbers of the series.
            sizes: (N,) the bytes that each series takes in memory.
            most: of one panel.
            seed: of the order of the series.
        """
        epoch = 0
        while len(rows):
            order = np.random.default_rng([seed, epoch]).permutation(rows)
            ends = np.cumsum(sizes[order])
            first = 0
            while first < len(order):
                begin = ends[first - 1] if first else 0
                last = max(int(np.searchsorted(ends, begin + most, side="right")), first + 1)
                yield self.of_series(order[first:last])
                first = last
            epoch += 1

    def _coded(self, column: Column) -> NDArray[np.float64]:
        """Return the values of a covariate; of categories, their numbers among those of all partitions."""
        if column.categories is None:
            return column.values
        codes = self._codes.setdefault(column.name, {})
        numbers = [codes.setdefault(name, len(codes)) for name in column.categories]
        places = np.where(np.isnan(column.values), -1, column.values).astype(int)  # missing values are at place -1
        return np.array([*numbers, np.nan])[places]

    def _part(self, number: int) -> Panel:
        """Return the panel of a partition with its arrays mapped into memory, until it is let go."""
        folder, like = self._place(number), self._like

        def mapped(name: str) -> NDArray:
            return np.load(folder / f"{name}.npy", mmap_mode="r")

        arrays: dict[str, Any] = {name: mapped(name) for name in OF_PANEL}
        panel = replace(like, **arrays)
        if like.covariates is None:
            return panel
        columns = [
            Column(column.name, mapped(_file(place)), self._categories(column.name))
            for place, column in enumerate(like.covariates.columns)
        ]
        grid: dict[str, Any] = {name: mapped(f"grid.{name}") for name in OF_GRID}
        return replace(panel, covariates=_with_columns(replace(like.covariates, **grid), columns))

    def _categories(self, name: str) -> tuple[str, ...] | None:
        """Return the categories of a covariate in all partitions; None for numbers."""
        return tuple(self._codes[name]) if name in self._codes else None

    def _place(self, number: int) -> Path:
        return self.folder / str(number)


def joined(panels: Sequence[Panel]) -> Panel:
    """Return the series of panels of one frequency, with the same covariates, as one, with the first one's notes."""
    grids = [panel.covariates for panel in panels if panel.covariates is not None]
    return replace(
        panels[0],
        ids=_names([panel.ids for panel in panels]),
        values=np.concatenate([panel.values for panel in panels]),
        offsets=_offsets([panel.offsets for panel in panels]),
        starts=np.concatenate([panel.starts for panel in panels]),
        covariates=_joined_grids(grids) if grids else None,
    )


def _joined_grids(grids: Sequence[Covariates]) -> Covariates:
    """Return covariates of the same columns and categories as one."""
    columns = [
        replace(parts[0], values=np.concatenate([column.values for column in parts]))
        for parts in zip(*(grid.columns for grid in grids), strict=True)
    ]
    grid = replace(
        grids[0],
        sources=_names([grid.sources for grid in grids]),
        starts=np.concatenate([grid.starts for grid in grids]),
        offsets=_offsets([grid.offsets for grid in grids]),
        has_row=np.concatenate([grid.has_row for grid in grids]),
    )
    return _with_columns(grid, columns)


def _with_columns(covariates: Covariates, columns: Sequence[Column]) -> Covariates:
    """Return covariates with other columns in the same roles, in the order of :attr:`Covariates.columns`."""
    static, past = len(covariates.static), len(covariates.static) + len(covariates.past)
    return replace(
        covariates, static=tuple(columns[:static]), past=tuple(columns[static:past]), future=tuple(columns[past:])
    )


def _names(parts: Sequence[NDArray]) -> NDArray:
    """Return names as one array: of text, unless all are numbers."""
    alike = len({part.dtype.kind for part in parts}) == 1
    return np.concatenate(parts if alike else [part.astype(str) for part in parts])


def _offsets(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the offsets of series whose arrays follow one another."""
    return np.cumsum(np.concatenate([[0], *map(np.diff, parts)]))


def _file(column: int) -> str:
    """Return the name of the array of a covariate."""
    return f"column.{column}"
