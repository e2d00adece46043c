"""The series of all partitions as arrays on disk, from which panels of some of them are read into memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from throughtime.data import Panel

ARRAYS = ("ids", "values", "offsets", "starts")


class MappedSeries(NamedTuple):
    """N series in memory-mapped arrays: of the values, only what is read takes memory.

    Attributes:
        parts: a panel for each partition.
    """

    parts: tuple[Panel, ...]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The time steps of each series, (N,)."""
        return np.concatenate([part.lengths for part in self.parts])

    def of_series(self, rows: NDArray[np.int64]) -> Panel:
        """Return the panel of the series ``rows`` (R,) in memory, in order of their numbers."""
        bounds = np.cumsum([0, *map(len, self.parts)])
        places = np.searchsorted(rows := np.sort(rows), bounds)
        pieces = [
            part.of_series(rows[first:last] - begin)
            for part, begin, first, last in zip(self.parts, bounds, places, places[1:], strict=False)
            if last > first
        ]
        return joined(pieces)

    def samples(self, most: int, seed: int) -> Iterator[Panel]:
        """Yield panels of random series, of at most ``most`` values or one series: every series once, then again."""
        lengths, epoch = self.lengths, 0
        while True:
            order = np.random.default_rng([seed, epoch]).permutation(len(lengths))
            ends = np.cumsum(lengths[order])
            first = 0
            while first < len(order):
                begin = ends[first - 1] if first else 0
                last = max(int(np.searchsorted(ends, begin + most, side="right")), first + 1)
                yield self.of_series(order[first:last])
                first = last
            epoch += 1


def map_panel(panel: Panel, folder: Path) -> Panel:
    """Write the arrays of a panel without covariates to a new folder, and return the panel with those on disk."""
    folder.mkdir()
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(panel, name), allow_pickle=False)
    return replace(panel, **{name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS})


def joined(panels: Sequence[Panel]) -> Panel:
    """Return the series of panels of one frequency without covariates as one panel, with the first one's notes."""
    names = [panel.ids for panel in panels]
    alike = len({ids.dtype.kind for ids in names}) == 1
    offsets = np.cumsum(np.concatenate([[0], *(panel.lengths for panel in panels)]))
    return replace(
        panels[0],
        ids=np.concatenate(names if alike else [ids.astype(str) for ids in names]),
        values=np.concatenate([panel.values for panel in panels]),
        offsets=offsets,
        starts=np.concatenate([panel.starts for panel in panels]),
    )
